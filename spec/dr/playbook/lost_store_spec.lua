-- Runs whose journal is lost to another controller: nothing is sent or written after that moment.

local cuts = require "spec.dr.playbook.cut"
local shared_disk = require "spec.dr.store.shared_disk"
local stages = require "spec.dr.playbook.stage"

-- Runs a playbook that loses its journal so many seconds after it began.
local function run_and_lose(stage, body, after, options)
  local client = stage.bench.client
  local store = shared_disk.open(stage.disk, client, { waits = 0.1 })
  local told = { store = store }
  client.loop.spawn_shared(function()
    client.loop.sleep(after)
    told.size, told.sends = #stage.disk:text "run", #stage.bench:sends()
    told.at = client.loop.now()
    store:lose()
  end)
  local given = { store = store }
  for name, value in pairs(options or {}) do given[name] = value end
  told.result, told.err = stage:run(body, given)
  told.ended = client.loop.now()
  return told
end

-- A record that is being appended at that moment may stand.
local function assert_lost(stage, told, most)
  assert.is_nil(told.result)
  assert.equal("Client.JournalLost", told.err.code)
  assert.matches("second %(pid 7 on beta%)", told.err.message)
  assert.matches("dr.run with the option standby waits until it is free", told.err.hint, 1, true)
  assert.is_true(told.err.incomplete)
  assert.equal("run", told.err.journal)
  assert.equal(told.sends, #stage.bench:sends())
  assert.equal(told.size, #stage.disk:text "run")
  assert.is_true(told.ended - told.at <= (most or 1), told.ended - told.at)
end

describe("a run that loses its journal", function()
  it("ends while a step waits, and undoes nothing", function()
    local stage = stages.new()
    local told = run_and_lose(stage, function(run)
      run:step("first", { undo = function() stage:did "undo" end }, function() end)
      run:step("second", function()
        run.loop.sleep(600)
        stage:did "went on"
      end)
    end, 10)
    assert_lost(stage, told)
    assert.equal("", stage:done())
    assert.equal("not_sent", told.err.outcome)
    assert.is_nil(told.err.rolled_back)
  end)

  it("ends though the playbook catches everything", function()
    local stage = stages.new()
    local told = run_and_lose(stage, function(run)
      pcall(function()
        run:step("first", function() pcall(run.loop.sleep, 600) end)
      end)
      pcall(run.step, run, "second", function() stage:did "second" end)
      pcall(run.note, run, "a note")
    end, 10)
    assert_lost(stage, told)
    assert.equal("", stage:done())
  end)

  it("ends while a call is on its way, whose outcome is unknown then", function()
    local stage = cuts.slow_stage(40)
    local told = run_and_lose(stage, stage:move(), 20)
    told.sends = 1
    assert_lost(stage, told)
    assert.equal("unknown", told.err.outcome)
    assert.equal(0, #stage:events "answer")
    assert.equal(1, #stage.bench:ledger())
  end)

  it("ends while it waits for the end of a change", function()
    local stage = stages.new()
    local told = run_and_lose(stage, stage:move(), 20)
    assert.equal(1, told.sends)
    assert_lost(stage, told)
    assert.equal("unknown", told.err.outcome)
  end)

  it("ends at a gate", function()
    local stage = stages.new()
    local told = run_and_lose(stage, function(run)
      run:gate("promote", { need = 1, of = { dba = ("ab"):rep(32) }, expires = "1h" })
      stage:did "passed"
    end, 30)
    assert_lost(stage, told)
    assert.equal("", stage:done())
  end)

  it("ends in all branches", function()
    local stage = stages.new()
    local told = run_and_lose(stage, function(run)
      run:each({ "a", "b", "c" }, { max_errors = 3 }, function(id, branch)
        branch:step("work", function()
          branch.loop.sleep(id == "a" and 600 or 20)
          stage:did(id)
        end)
        branch:step("more", function() stage:did(id .. " more") end)
      end)
    end, 10)
    assert_lost(stage, told)
    assert.equal("", stage:done())
  end)

  it("ends in the middle of undoing, which goes no further", function()
    local stage = stages.new()
    local told = run_and_lose(stage, function(run)
      run:step("a", { undo = function() stage:did "-a" end }, function() end)
      run:step("b", { undo = function()
        run.loop.sleep(600)
        stage:did "-b"
      end }, function() end)
      run:step("c", function() error "broken" end)
    end, 10)
    assert_lost(stage, told)
    assert.equal("", stage:done())
  end)

  it("ends where a record was refused because of it", function()
    local stage = stages.new()
    local store = shared_disk.open(stage.disk, stage.bench.client)
    local append = store.append
    function store:append(seq, text, durable)
      if text:find('"step_begin"', 1, true) then return nil, self:lose() end
      return append(self, seq, text, durable)
    end
    local _, err = stage:run(function(run)
      run:step("a", function() stage:did "a" end)
    end, { store = store })
    assert.equal("Client.JournalLost", err.code)
    assert.equal("", stage:done())
    assert.equal(0, #stage:events "stopped")
  end)

  it("does not begin where it was lost before", function()
    local stage = stages.new()
    local store = shared_disk.open(stage.disk, stage.bench.client)
    store:lose()
    local _, err = stage:run(function() stage:did "began" end, { store = store })
    assert.equal("Client.JournalLost", err.code)
    assert.equal("", stage:done())
    assert.equal("", stage.disk:text "run")
  end)

  it("stays finished if that was written before", function()
    local stage = stages.new()
    local store = shared_disk.open(stage.disk, stage.bench.client)
    local result = assert(stage:run(function(run)
      run:step("a", function() end)
    end, { store = store, progress = function(event)
      if event.type == "finished" then store:lose() end
    end }))
    assert.equal("completed", result.status)
  end)

  it("hands no head to its witness any more", function()
    local stage = stages.new()
    local moments = {}
    local told = run_and_lose(stage, function(run)
      run:step("a", function() run.loop.sleep(600) end)
    end, 10, { anchor = function(notice)
      moments[#moments + 1] = notice.moment
      return "noted"
    end })
    assert_lost(stage, told)
    assert.same({ "begin" }, moments)
  end)

  it("is gone on with by another process", function()
    local stage = stages.new()
    local told = run_and_lose(stage, stage:move(), 20)
    assert_lost(stage, told)
    local result = assert(stage:run(stage:move(), {
      store = shared_disk.open(stage.disk, stage.bench.client) }))
    assert.equal("completed", result.status)
    assert.equal(1, #stage.bench:ledger())
  end)
end)

describe("a program of a run that loses its journal", function()
  it("is ended", function()
    local alicloud = require "alicloud"
    local client = alicloud.client { region = "cn-shanghai", access_key_id = "LTAIexample0000abcd",
      access_key_secret = "spec-secret" }
    local stage = stages.new()
    stage.bench.client = client
    local store = shared_disk.open(stage.disk, client, { waits = 0 })
    local began = client.loop.now()
    local _, err = stage:run(function(run)
      run:step("a", function()
        run.loop.spawn(function()
          run.loop.sleep(0.2)
          store:lose()
        end)
        return run:program "exec sleep 600"
      end)
    end, { store = store, account = "1234567890" })
    assert.equal("Client.JournalLost", err.code)
    assert.is_true(client.loop.now() - began < 60)
  end)
end)
