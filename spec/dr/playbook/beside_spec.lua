-- Branches beside each other: two that fail the same group over, and those that a resumed run only
-- waits for.

local stages = require "spec.dr.playbook.stage"

local COUNT = 12

local function new()
  local groups = {}
  for i = 1, COUNT do
    groups[i] = { id = ("pg-%02d"):format(i), pairs = 1, status = "normal", recover_point_age = 60,
      source = "cn-hangzhou/cn-hangzhou-g", destination = "cn-shanghai/cn-shanghai-b",
      failover_seconds = 60 }
  end
  return stages.new { world = { regions = { "cn-hangzhou", "cn-shanghai" }, groups = groups },
    assume = { repeat_failover = "restart" } }
end

local function promote(run, id)
  local group = run:group(id, { region = "cn-shanghai" })
  return run:step("promote", function() return group:failover {} end)
end

describe("a group that is there twice", function()
  it("is opened once, and found open by whoever comes next", function()
    local stage, outcomes = new(), {}
    assert(stage:run(function(run)
      run:each({ "db", "db-again", "app" }, { parallel = 3 }, function(name, branch)
        outcomes[name] = promote(branch, name == "app" and "pg-02" or "pg-01").outcome
      end)
    end))
    assert.equal(2, #stage.bench:ledger())
    assert.same({ app = "failovered", db = "failovered", ["db-again"] = "already_failovered" },
      outcomes)
  end)
end)

describe("a fleet that is resumed", function()
  it("begins with those that are left while it waits for those under way", function()
    local stage, ids = new(), {}
    for i = 1, COUNT do ids[i] = ("pg-%02d"):format(i) end
    local function body(run)
      run:each(ids, { parallel = 2 }, function(id, branch) promote(branch, id) end)
    end
    assert.is_true(stage:run_until(body, function()
      return #stage.bench:ledger() == COUNT - 2 and "crash"
    end))
    assert.equal(COUNT - 2, #stage.bench:ledger())
    local since = stage.bench.emu:now()
    assert.equal("completed", assert(stage:run(body)).status)
    assert.equal(COUNT, #stage.bench:ledger())
    local last = stage.bench:sends()[COUNT]
    assert.is_true(last.time - since < 20, last.time - since)
  end)
end)
