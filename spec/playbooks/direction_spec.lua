-- Ready playbooks of a group whose sites lie in one region, and playbooks that are run once more
-- after their end.

local hints = require "alicloud.cli.hints"
local scene = require "spec.playbooks.scene"
local stages = require "spec.dr.playbook.stage"
local zones = require "spec.dr.zone_lab"

local G, H = zones.G, zones.H

local function zone_stage(changes)
  return stages.new { world = zones.world(changes) }
end

local function params(more)
  local given = { group = zones.ID, region = zones.REGION }
  for name, value in pairs(more or {}) do given[name] = value end
  return given
end

local function instance(stage, id)
  return stage.bench.emu.world.instance_by_id[id].status
end

-- Runs a playbook once more, as a new run.
local function again(name, stage, given)
  local before = scene.effects(stage)
  stage.bench.emu:advance(1000)
  local new = stage:anew()
  local result = assert(scene.run(name, new, given))
  assert.equal("completed", result.status)
  assert.equal("already_there", result.outcome)
  assert.is_nil(result.rto)
  assert.equal(before, scene.effects(stage))
  assert.matches("already .* nothing was done", scene.notes(new))
end

describe("a ready playbook between two zones", function()
  it("sends nothing until it knows where to", function()
    for _, name in ipairs { "failover", "planned" } do
      local stage = zone_stage()
      local _, err = scene.run(name, stage, params { attach = "i-new" })
      assert.equal("Client.DirectionNeeded", err.code)
      assert.equal("", scene.effects(stage))
    end
    local stage = zone_stage { status = "failovered", old = false }
    local _, err = scene.run("failback", stage, params())
    assert.equal("Client.DirectionNeeded", err.code)
    assert.equal("", scene.effects(stage))
  end)

  it("moves there without loss, and typed again leaves production alone", function()
    local stage, given = zone_stage(), params { to = H, attach = "i-new" }
    local result = assert(scene.run("planned", stage, given))
    assert.is_nil(result.outcome)
    assert.equal(H, stage:events("look")[1].side)
    assert.equal("Running", instance(stage, "i-new"))
    assert.equal(H, stage.bench.emu:group(zones.ID).source.zone)
    again("planned", stage, given)
    assert.equal("Running", instance(stage, "i-new"))
  end)

  it("fails over there, and typed again does nothing", function()
    local stage, given = zone_stage(), params { to = H, attach = "i-new" }
    assert(scene.run("failover", stage, given))
    assert.equal("failovered", stage.bench.emu:group(zones.ID).status)
    again("failover", stage, given)
  end)

  it("brings the service back, and typed again does nothing", function()
    local stage = zone_stage { status = "failovered", old = false }
    local given = params { to = G, attach = "i-old" }
    assert(scene.run("failback", stage, given))
    local group = stage.bench.emu:group(zones.ID)
    assert.equal(G, group.source.zone)
    assert.equal(H, group.destination.zone)
    again("failback", stage, given)
  end)

  it("is rehearsed there, and never at the wrong side", function()
    assert(scene.run("drill", zone_stage(), params { to = H }))
    local stage = zone_stage()
    local _, err = scene.run("drill", stage, params { to = G })
    assert.equal("OperationDenied.OperateNotAllowedForPrimary", err.code)
    assert.equal("", scene.effects(stage))
  end)
end)

describe("a ready playbook between two regions that is run again", function()
  local GIVEN = { group = "pg-orders", region = "cn-shanghai", attach = "i-new" }

  it("does nothing after its end", function()
    for _, name in ipairs { "failover", "planned" } do
      local stage = scene.stage()
      assert(scene.run(name, stage, GIVEN))
      again(name, stage, GIVEN)
    end
    local stage = scene.failed_over(false)
    local given = { group = "pg-orders", region = "cn-shanghai", attach = "i-old" }
    assert(scene.run("failback", stage, given))
    again("failback", stage, given)
  end)

  it("does what was left of a failover that was seen", function()
    local stage = scene.stage()
    assert(scene.run("failover", stage, { group = "pg-orders", region = "cn-shanghai",
      fence = "no" }))
    local stopped = 0
    local result = assert(scene.run("failover", stage:anew(), GIVEN, { stop = function()
      stopped = stopped + 1
      return true
    end }))
    assert.is_nil(result.outcome)
    assert.equal(0, stopped)
    assert.equal("FailoverDiskReplicaGroup StopInstance DetachDisk DetachDisk AttachDisk "
      .. "AttachDisk StartInstance", scene.effects(stage))
  end)

  it("brings the service up where a group was moved, protected and left unserved", function()
    local stage = scene.stage()
    local given = { group = "pg-orders", region = "cn-shanghai" }
    assert(scene.run("planned", stage, given))
    local before = scene.effects(stage)
    local result = assert(scene.run("planned", stage:anew(), GIVEN))
    assert.is_nil(result.outcome)
    assert.equal(before .. " AttachDisk AttachDisk StartInstance", scene.effects(stage))
    again("planned", stage, GIVEN)
  end)

  it("stops nothing of a group that somebody has moved since the first look", function()
    for name, effects in pairs {
      planned = "FailoverDiskReplicaGroup",
      failover = "FailoverDiskReplicaGroup AttachDisk AttachDisk StartInstance" } do
      for _, stop in ipairs { "halt shop", false } do
        local stage = scene.stage { old = false }
        local bench, stopped, moved = stage.bench, 0, false
        local result, err = scene.run(name, stage, GIVEN, { stop = stop or nil }, {
          program = function()
            stopped = stopped + 1
            return true
          end,
          progress = function(event)
            if moved or event.type ~= "step_end" then return end
            moved = true
            assert(bench:failover {})
          end })
        assert.equal(0, stopped)
        assert.equal(effects, scene.effects(stage))
        assert.equal(name == "failover", result ~= nil)
        if not result then
          assert.equal("Client.GroupMoved", err.code)
          assert.is_nil(err.production_down)
        end
      end
    end
  end)

  it("refuses a planned move of a group that is open there, before anything is stopped", function()
    local stage = scene.stage { status = "failovered" }
    local _, err = scene.run("planned", stage, GIVEN)
    assert.equal("OperationDenied.InvalidStatus", err.code)
    assert.matches(": alicloud%-dr serve pg%-orders %-%-region cn%-shanghai %-%-attach INSTANCE$",
      hints.translate(err.hint, err))
    assert.equal("", scene.effects(stage))
  end)
end)
