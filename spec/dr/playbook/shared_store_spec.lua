-- Runs whose store waits in the loop: what branches write comes whole, once, and in its order.

local shared_disk = require "spec.dr.store.shared_disk"
local stages = require "spec.dr.playbook.stage"

local GROUPS = { "pg-orders", "pg-b", "pg-c" }

local function new_stage()
  local world = { regions = { "cn-hangzhou", "cn-shanghai" }, groups = {} }
  for i, id in ipairs(GROUPS) do
    world.groups[i] = { id = id, name = id, pairs = 1, status = "normal", recover_point_age = 60,
      source = "cn-hangzhou/cn-hangzhou-g", destination = "cn-shanghai/cn-shanghai-b",
      failover_seconds = 20 }
  end
  return stages.new { world = world }
end

local function run(stage, body, options)
  local given = { store = shared_disk.open(stage.disk, stage.bench.client, options) }
  for name, value in pairs(options and options.run or {}) do given[name] = value end
  return stage:run(body, given)
end

-- The events are checked as a reader of the journal does.
local function numbers_of(stage, kind)
  local list = {}
  for _, event in ipairs(stage:events(kind)) do list[#list + 1] = event.call end
  return list
end

describe("a run whose store waits", function()
  it("moves a group as any other does", function()
    local stage = new_stage()
    local result = assert(run(stage, stage:move()))
    assert.equal("completed", result.status)
    assert.equal(1, #stage.bench:ledger())
  end)

  it("numbers the calls of branches that write at a time, each once", function()
    local stage = new_stage()
    local result = assert(run(stage, function(own)
      own:each(GROUPS, { parallel = 3 }, function(id, branch)
        local group = branch:group(id, { region = "cn-shanghai" })
        branch:step("promote", function() return group:failover() end)
      end)
    end))
    assert.equal("completed", result.status)
    assert.same({ 1, 2, 3 }, numbers_of(stage, "call"))
    assert.equal(3, #stage.bench:ledger())
    local state = stage:state()
    for i = 1, 3 do
      assert.equal("accepted", state.calls[i].answer.outcome)
      assert.equal(state.calls[i].step, state.calls[i].answer.step)
    end
  end)

  it("locks a group once that two branches name at a time", function()
    local stage = new_stage()
    local store = shared_disk.open(stage.disk, stage.bench.client)
    local taken = 0
    function store:lease(name, holder)
      if name ~= "run" then taken = taken + 1 end
      self.loop.sleep(1)
      return self.below:lease(name, holder)
    end
    assert(stage:run(function(own)
      own:each({ "x", "y" }, function(_, branch)
        branch:group("pg-orders", { region = "cn-shanghai" })
      end)
    end, { store = store }))
    assert.equal(1, taken)
  end)

  it("names what has no end where a lock that was asked for before is not had", function()
    local stage = new_stage()
    local store = shared_disk.open(stage.disk, stage.bench.client)
    function store:lease(name, holder)
      if name ~= "run" then self.loop.sleep(1000) end
      return self.below:lease(name, holder)
    end
    local _, err = stage:run(function(own)
      own:each({ "x", "y" }, function(_, branch)
        branch:group("pg-orders", { region = "cn-shanghai" })
      end)
    end, { store = store })
    assert.matches("a group that was named before this one is not locked after 120 s", err.message)
  end)

  it("writes the end of a step that was done before its branch was called back", function()
    local stage = new_stage()
    local _, err = run(stage, function(own)
      own:each({ "a", "b" }, { max_errors = 1 }, function(id, branch)
        branch:step("work", function()
          branch.loop.sleep(1)
          if id == "a" then error "broken" end
          return id
        end)
      end)
    end)
    assert.matches("broken", err.message)
    assert.equal("done", stage:state().steps["b/work"].status)
  end)

  it("takes lines that were left for it once and in order, though branches read", function()
    local stage = new_stage()
    local store = shared_disk.open(stage.disk, stage.bench.client)
    local inbox = require "alicloud.dr.playbook.inbox"
    local mail = store.below.mail
    function store:mail()
      self.loop.sleep(0.1)
      return mail(self.below)
    end
    assert(stage:run(function(own)
      for i = 1, 4 do
        local mode = i % 2 == 1 and "ungraceful" or "graceful"
        store:post(inbox.mode_line(own.id, mode, "ops", "w" .. i))
      end
      own:each({ "a", "b", "c" }, function(_, branch) branch:step("work", function() end) end)
    end, { store = store }))
    local whys = {}
    for i, event in ipairs(stage:events "mode") do whys[i] = event.why end
    assert.equal("w1 w2 w3 w4", table.concat(whys, " "))
  end)
end)

describe("a run whose calls must leave by a moment", function()
  it("sends nothing that is late, says so, and announces it anew", function()
    local stage = new_stage()
    local paused
    local result = assert(run(stage, stage:move(), { window = 4, run = {
      progress = function(event)
        if event.type ~= "call" or paused then return end
        paused = true
        stage.bench.emu:advance(4.5)
      end } }))
    assert.equal("completed", result.status)
    assert.equal(1, #stage.bench:sends())
    assert.equal(1, #stage.bench:ledger())
    local answers = stage:events "answer"
    assert.same({ "not_sent", "Client.TooLate" }, { answers[1].outcome, answers[1].code })
    assert.equal("accepted", answers[2].outcome)
    local calls = stage:events "call"
    assert.equal(calls[1].client_token, calls[2].client_token)
  end)

  it("counts the time from before the record was written", function()
    local stage = new_stage()
    local _, err = run(stage, stage:move(), { window = 4, waits = 5 })
    assert.same({ "Client.TooLate", "not_sent" }, { err.code, err.outcome })
    assert.equal(0, #stage.bench:sends())
  end)
end)
