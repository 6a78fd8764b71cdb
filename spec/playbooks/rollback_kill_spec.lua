-- A process that is killed while it brings production back, or takes a correction: whoever goes on
-- ends with the service up on one side, each failover once, and nothing is forgotten.

local after = require "spec.dr.after_lab"
local lab = require "spec.dr.lab"
local scene = require "spec.playbooks.scene"

local PARAMS = { group = "pg-orders", region = "cn-shanghai", attach = "i-new" }
local MOST_RUNS = 4

local function uses(stage, instance, prefix)
  local world = stage.bench.emu.world
  local count = world.instance_by_id[instance].status == "Running" and 1 or 0
  for i = 1, 2 do
    local disk = world.disk_by_id[prefix .. i]
    if disk.status == "In_use" and disk.instance == instance then count = count + 1 end
  end
  return count
end

-- Where the service is up: with its disks, on exactly one side.
local function up(stage)
  local old, new = uses(stage, "i-old", "d-old-"), uses(stage, "i-new", "d-new-")
  assert.is_true(old == 3 and new == 0 or old == 0 and new == 3,
    ("old %d, new %d"):format(old, new))
  return old == 3 and "old" or "new"
end

-- Goes on until the run ends well or is rolled back.
local function pursue(stage, n, options)
  for _ = 1, MOST_RUNS do
    stage.bench.emu:advance(3600)
    local result, err = stage:run(scene.load "planned", options)
    if result then return "new" end
    if err.rolled_back then return "old" end
    assert.is_true(err.production_down ~= nil or uses(stage, "i-old", "d-old-") == 3,
      ("killed at call %d: not told that production is down: %s"):format(n, tostring(err)))
  end
  error(("killed at call %d: no end"):format(n))
end

-- Kills a run at one call of its disk in `stride`. How often it was killed, times the stride, and
-- where the service was then.
local function sweep(make, options, stride, examine)
  stride = scene.stride(stride)
  local whole = make()
  local first = whole.disk.calls
  whole:run(scene.load "planned", options)
  local kills, ends = 0, { old = 0, new = 0 }
  for n = first + 1, whole.disk.calls, stride do
    local stage = make()
    local killed = stage:run_until(scene.load "planned", function(call)
      return call.n == n and "crash"
    end, options)
    if killed then
      kills = kills + 1
      local side = pursue(stage, n, options)
      assert.equal(side, up(stage), n)
      ends[side] = ends[side] + 1
      examine(stage, n)
    end
  end
  return kills * stride, ends
end

local function refusal()
  return scene.stage(nil, { faults = { { match = { action = "FailoverDiskReplicaGroup", nth = 1 },
    effect = lab.answer("Forbidden", 403) } } })
end

describe("a run that is killed", function()
  it("while it brings production back ends with the service on one side", function()
    local kills, ends = sweep(refusal, { params = PARAMS }, 3, function(stage, n)
      assert.is_true(after.effects(stage.bench, "FailoverDiskReplicaGroup") <= 1)
      -- What was rolled back can be made anew, also where the failover had been in doubt.
      local tries = 0
      while n % 7 == 0 and up(stage) == "old" do
        tries = tries + 1
        assert.is_true(tries <= 2, n)
        pursue(stage, n, { params = PARAMS })
      end
    end)
    assert.is_true(kills > 60, kills)
    assert.is_true(ends.old > 6 and ends.new > 3, ("%d, %d"):format(ends.old, ends.new))
  end)

  it("while it takes a correction has it, or has it not, and ends with it", function()
    local function typo()
      local stage, progress = scene.with_vanishing()
      local _, err = scene.run("planned", stage, PARAMS, { attach = "i-typo" },
        { progress = progress })
      assert.is_not_nil(err.production_down)
      return stage
    end
    local kills = sweep(typo, { corrections = { values = { attach = "i-new" }, why = "typo" } }, 3,
      function(stage, n)
        assert.equal(1, #stage:events "correction", n)
        assert.equal(1, after.effects(stage.bench, "FailoverDiskReplicaGroup"))
        assert.equal("i-new", stage:state().params.attach)
      end)
    assert.is_true(kills > 20, kills)
  end)
end)
