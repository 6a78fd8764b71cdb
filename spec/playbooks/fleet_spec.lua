-- The ready playbook for many groups.

local alicloud = require "alicloud"
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

-- A client that may ask six times a second for each action and twelve times in all, and the moments
-- at which it asked.
local function slow_client(emu)
  local moments = {}
  local client = alicloud.client {
    region = "cn-shanghai", runtime = emu.runtime, rate = { action = 8, region = 16 },
    access_key_id = emu.access_key_id, access_key_secret = emu.access_key_secret,
    transport = { send = emu.transport.send, perform = function(request)
      moments[#moments + 1] = { at = emu.runtime.time(), action = request.action }
      return emu.transport.perform(request)
    end },
  }
  return client, moments
end

-- The most calls that one second saw, wherever it begins.
local function densest(moments, action)
  local most, first, list = 0, 1, {}
  for _, moment in ipairs(moments) do
    if not action or moment.action == action then list[#list + 1] = moment.at end
  end
  for last = 1, #list do
    while list[last] - list[first] > 1 - 1e-3 do first = first + 1 end
    most = math.max(most, last - first + 1)
  end
  return most, #list
end

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

  it("uses what the rate of calls allows, and no more", function()
    local quick = {}
    for i = 1, 60 do quick[i] = { failover_seconds = 8 } end
    local stage = stage_of(60, quick, { wire = false })
    local client, moments = slow_client(stage.bench.emu)
    assert(run(stage, { parallel = 60, canary = 0, max_groups = 60 }, { client = client }))
    assert.equal(60, moved(stage))
    local took = stage:events("finished")[1].at - stage:events("run")[1].at
    local in_all, total = densest(moments)
    local of_one, looks = densest(moments, "DescribeDiskReplicaGroups")
    -- A change does not wait for looks at other groups.
    assert.is_true(in_all <= 12 + 6, in_all)
    assert.equal(6, of_one)
    local allowed = math.max(total / 12, looks / 6)
    -- The last one is waited for when nothing else is left to ask.
    assert.is_true(took <= 1.05 * allowed + 8, ("%.1f s, allowed %.1f s"):format(took, allowed))
    assert.is_true(total < 8 * 60, total)
  end)
end)
