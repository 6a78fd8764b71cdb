-- A machine that stands still between the look that a failover was decided by and the call: what
-- others have done meanwhile is seen before anything is sent.

local lab = require "spec.dr.lab"

local RESTARTS = { repeat_failover = "restart" }

-- A laboratory where a second failover of an open group would begin anew.
local function new(given)
  given = given or {}
  given.assume = RESTARTS
  return lab.new(given)
end

local function opened_by_colleague(bench)
  return function()
    assert(bench.client:call("ebs:FailoverDiskReplicaGroup", { ReplicaGroupId = lab.ID }))
    bench.emu.clock:sleep(60)
  end
end

describe("a failover whose machine stood still after its look", function()
  it("sees that somebody else has opened the group, and sends nothing", function()
    for _, moment in ipairs { "checked", "sending" } do
      local bench = new()
      local result = assert(bench:failover { on = { [moment] = opened_by_colleague(bench) } })
      assert.equal("failovered", result.outcome, moment)
      assert.is_true(result.joined)
      assert.equal(1, #bench:ledger())
      assert.equal(1, #bench:sends())
    end
  end)

  it("sees that somebody else has turned it round", function()
    for _, moment in ipairs { "checked", "sending" } do
      local bench = new()
      local _, err = bench:failover { on = { [moment] = function()
        bench.emu.clock:sleep(30)
        bench:reverse "normal"
      end } }
      assert.same({ "Client.WorldChanged", "not_sent" }, { err.code, err.outcome }, moment)
      assert.equal(0, #bench:sends())
    end
  end)

  it("goes on where nothing has happened meanwhile", function()
    for _, moment in ipairs { "checked", "sending" } do
      local bench = new()
      local result = assert(bench:failover { on = { [moment] = function()
        bench.emu.clock:sleep(30)
      end } })
      assert.equal(1, result.attempts)
      assert.equal(1, #bench:ledger())
    end
  end)

  it("leaves where each call takes long to be written down, up to half a minute", function()
    for _, case in ipairs { { 4, 1 }, { 6, 2 }, { 18, 3 }, { 40, false } } do
      local bench, announced = new(), 0
      bench.client = bench.client:with { deadline = 60, witness = {
        before = function()
          announced = announced + 1
          bench.emu.clock:sleep(case[1])
          return true
        end, after = function() end } }
      local result, err = bench:failover { timeout = 300 }
      assert.equal(case[2] and 1 or 0, #bench:sends())
      if case[2] then
        assert.same({ "failovered", case[2] }, { result.outcome, announced })
      else
        assert.same({ "Client.TooLate", "not_sent" }, { err.code, err.outcome })
      end
    end
  end)

  it("does not send again what is in doubt where others have opened it meanwhile", function()
    local bench = new { faults = { lab.fault({ drop = true }, "before") } }
    local sends, open = 0, opened_by_colleague(bench)
    local result = assert(bench:group():failover { progress = function(event)
      if event.event ~= "sending" then return end
      sends = sends + 1
      if sends == 2 then open() end
    end })
    assert.equal("failovered", result.outcome)
    assert.equal(1, #bench:ledger())
    -- The one that was lost, and the colleague's.
    assert.equal(2, #bench:sends())
  end)
end)
