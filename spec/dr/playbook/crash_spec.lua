-- A process that is killed, or a disk that fails, at any call of the disk: the run goes on from its
-- journal with one effect, and ends as if nothing had been.

local lab = require "spec.dr.lab"
local stages = require "spec.dr.playbook.stage"

-- What an auditor compares: everything but times, tokens and what the process was.
local function verdict(stage, result)
  local promoted = stage:state().steps.promote.result
  return { status = result.status, exceptions = result.exceptions, outcome = promoted.outcome,
    pairs = #promoted.pairs, from = promoted.from, to = promoted.to }
end

local function uninterrupted()
  local stage = stages.new()
  local result = assert(stage:run(stage:move()))
  return verdict(stage, result), stage
end

describe("a run that is killed at any call of the disk", function()
  local expected, whole = uninterrupted()
  local calls = whole.disk.calls

  for _, fault in ipairs { "crash", "crash_after", "torn" } do
    it("ends as if it had not been, with one effect: " .. fault, function()
      local stopped = 0
      for n = 1, calls do
        local stage = stages.new()
        local playbook = stage:move()
        if stage:run_until(playbook, function(call) return call.n == n and fault end) then
          stopped = stopped + 1
          local result, err = stage:run(playbook)
          assert.is_table(result, ("call %d: %s"):format(n, tostring(err)))
          assert.same(expected, verdict(stage, result), n)
        end
        assert.equal(1, #stage.bench:ledger(), n)
      end
      assert.is_true(stopped > (fault == "torn" and 10 or 20))
    end)
  end

  it("even twice, and with the answer lost", function()
    for n = 1, calls, 2 do
      for later = 1, 9, 2 do
        local stage = stages.new { faults = { lab.fault({ drop = true }, "after") } }
        local playbook = stage:move()
        local function at(limit)
          local seen = 0
          return function()
            seen = seen + 1
            return seen == limit and "crash"
          end
        end
        stage:run_until(playbook, at(n))
        stage:run_until(playbook, at(later))
        local result, err = stage:run(playbook)
        assert.is_table(result, ("%d %d: %s"):format(n, later, tostring(err)))
        assert.equal("completed", result.status)
        assert.equal(1, #stage.bench:ledger(), n)
      end
    end
  end)

  it("writes a prefix of the journal that it would have written", function()
    local full = whole.disk:text "run"
    for n = 1, calls do
      local stage = stages.new()
      stage:run_until(stage:move(), function(call) return call.n == n and "crash" end)
      local text = stage.disk:text "run"
      assert.equal(full:sub(1, #text), text, n)
    end
  end)
end)

describe("a disk that fails at any call", function()
  for _, fault in ipairs { "ENOSPC", "EIO", "EROFS", "short" } do
    it("stops the run, which can be resumed, with one effect: " .. fault, function()
      local _, whole = uninterrupted()
      for n = 1, whole.disk.calls do
        local stage = stages.new()
        local playbook = stage:move()
        stage.disk.fault = function(call) return call.n >= n and fault end
        local result, err = stage:run(playbook)
        if not result then
          assert.equal("journal", err.kind, n)
          assert.equal("Client.JournalFailed", err.code)
        end
        local sends = #stage.bench:sends()
        assert.is_true(sends <= 1)
        if sends == 0 then assert.same({}, stage.bench:ledger()) end
        stage.disk.fault = function() end
        stage.disk:restart(1000000)
        result, err = stage:run(playbook)
        assert.is_table(result, ("call %d: %s"):format(n, tostring(err)))
        assert.equal("completed", result.status)
        assert.equal(1, #stage.bench:ledger(), n)
      end
    end)
  end

  it("after the call left does not keep the run from watching it", function()
    local stage = stages.new()
    local sent = false
    stage.disk.fault = function() return sent and "ENOSPC" end
    stage.bench.emu:fault { match = { action = "DescribeDiskReplicaGroups", nth = 99 },
      effect = { drop = true } }
    local send = stage.bench.emu.transport.send
    stage.bench.client = stage.bench.client:with { transport = { send = function(request)
      sent = sent or request.action == "FailoverDiskReplicaGroup"
      return send(request)
    end } }
    local result, err = stage:run(stage:move())
    assert.is_nil(result)
    assert.is_true(err.incomplete)
    assert.equal("unknown", err.outcome)
    assert.equal("failovered", stage.bench.emu:group("pg-orders").status)
    stage.disk.fault = function() end
    stage.disk:restart()
    assert(stage:run(stage:move()))
    assert.equal(1, #stage.bench:ledger())
  end)
end)
