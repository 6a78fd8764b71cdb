-- The ready playbook for many groups.

local scene = require "spec.playbooks.scene"
local stages = require "spec.dr.playbook.stage"

local function stage_of(count, changes, given)
  local groups = {}
  for i = 1, count do
    groups[i] = { id = ("pg-%02d"):format(i), pairs = 1, status = "normal", recover_point_age = 60,
      source = "cn-hangzhou/cn-hangzhou-g", destination = "cn-shanghai/cn-shanghai-b",
      failover_seconds = 40 }
    for name, value in pairs(changes and changes[i] or {}) do groups[i][name] = value end
  end
  local all = { world = { regions = { "cn-hangzhou", "cn-shanghai" }, groups = groups } }
  for name, value in pairs(given or {}) do all[name] = value end
  return stages.new(all)
end

local function run(stage, more, options)
  local params = { groups = "all", region = "cn-shanghai" }
  for name, value in pairs(more or {}) do params[name] = value end
  local given = { params = params }
  for name, value in pairs(options or {}) do given[name] = value end
  return stage:run(scene.load "fleet", given)
end

local function moved(stage) return #stage.bench:ledger() end

local BROKEN = { status = "created" }

describe("the playbook fleet", function()
  it("moves all groups of a region, the canary first", function()
    local stage, first = stage_of(12)
    local result = assert(run(stage, nil, { progress = function(event)
      if event.type == "intent" then
        first = first or event.at
      elseif event.type == "step_begin" and event.step == "pg-02/promote" then
        assert.is_true(event.at - first > 39)
      end
    end }))
    assert.equal("completed", result.status)
    assert.equal(12, moved(stage))
    assert.equal("done", scene.statuses(stage)["pg-12/promote"])
  end)

  it("moves those that are named", function()
    local stage = stage_of(5)
    assert(run(stage, { groups = "pg-02,pg-04" }))
    assert.equal(2, moved(stage))
  end)

  it("leaves out what is not ready, and moves nothing if that is too much", function()
    local stage = stage_of(10, { [1] = BROKEN })
    local result = assert(run(stage, { max_errors = "20%" }))
    assert.equal(9, moved(stage))
    assert.equal("completed_with_exceptions", result.status)
    assert.matches("ready pg%-01 failed", result.exceptions[1])
    stage = stage_of(10, { [1] = BROKEN, [5] = BROKEN })
    local _, err = run(stage, { max_errors = "20%" })
    assert.matches("2 of 10 failed %(ready pg%-01, ready pg%-05%)", err.message)
    assert.equal(0, moved(stage))
  end)

  it("stops at a canary that fails", function()
    local stage = stage_of(10, nil, { faults = { {
      match = { action = "FailoverDiskReplicaGroup", group = "pg-01" },
      effect = { error = { code = "Forbidden", status = 403 } } } } })
    local _, err = run(stage, { max_errors = 5 })
    assert.equal("Forbidden", err.code)
    assert.matches("1 of 10 failed %(pg%-01%), 9 were not begun", err.message)
    assert.equal(0, moved(stage))
  end)

  it("begins nothing more once there are too many errors", function()
    local stage = stage_of(10, nil, { faults = { {
      match = { action = "FailoverDiskReplicaGroup", nth = 3 },
      effect = { error = { code = "Forbidden", status = 403 } } } } })
    local _, err = run(stage, { max_errors = 1, parallel = 1 })
    assert.matches("1 of 10 failed %(pg%-03%), 7 were not begun", err.message)
    assert.equal(2, moved(stage))
  end)

  it("asks a person before it moves more than he thought of", function()
    local stage = stage_of(4)
    local _, err = run(stage, { max_groups = 3 })
    assert.equal("Client.TooManyGroups", err.code)
    assert.equal(0, moved(stage))
    assert(run(stage, { max_groups = 3 }, { ask = function() return "again", "chief" end }))
    assert.equal(4, moved(stage))
  end)

  it("goes on wherever it was killed, and moves each group once", function()
    local params = { groups = "all", region = "cn-shanghai" }
    local function make() return stage_of(3) end
    local expected
    local kills = 0
    local whole = make()
    assert(whole:run(scene.load "fleet", { params = params }))
    expected = moved(whole)
    for n = 1, whole.disk.calls do
      local stage = make()
      if stage:run_until(scene.load "fleet", function(call) return call.n == n and "crash" end,
          { params = params }) then
        kills = kills + 1
        assert(stage:run(scene.load "fleet", { params = params }))
        assert.equal(expected, moved(stage), n)
      end
    end
    assert.is_true(kills > 50, kills)
  end)
end)
