-- The ready playbook for a move without loss.

local after = require "spec.dr.after_lab"
local scene = require "spec.playbooks.scene"

local PARAMS = { group = "pg-orders", region = "cn-shanghai", attach = "i-new" }

local EFFECTS = "StopInstance DetachDisk DetachDisk StopDiskReplicaGroup StartDiskReplicaGroup "
  .. "FailoverDiskReplicaGroup AttachDisk AttachDisk StartInstance ReprotectDiskReplicaGroup "
  .. "StartDiskReplicaGroup"

local function run(stage, more, options)
  return scene.run("planned", stage, PARAMS, more, options)
end

describe("the playbook planned", function()
  it("loses nothing, proves it, and protects the group again", function()
    local stage, order = scene.stage(), {}
    local result = assert(run(stage, {
      stop = function(own)
        order[#order + 1] = own.kind .. scene.effects(stage)
        return true
      end,
      verify = function() return true end }))
    assert.same({ "planned" }, order)
    assert.equal(EFFECTS, scene.effects(stage))
    assert.equal("completed", result.status)
    assert.equal(0, result.rpo)
    local steps = stage:state().steps
    assert.is_true(steps["last sync"].result.recover_point >= steps["note the stop"].result)
    assert.is_true(steps.promote.result.recover_point >= steps["note the stop"].result)
    assert.equal("normal normal normal", scene.settled(stage))
  end)

  it("does not begin when the services cannot be stopped", function()
    local stage = scene.stage()
    local _, err = run(stage, { stop = function() return nil, "they hang" end })
    assert.matches("they hang", err.message)
    assert.equal("", scene.effects(stage))
  end)

  it("puts replication and services back when the last synchronization fails", function()
    local stage, restarted = scene.stage(nil, { faults = { {
      match = { action = "StartDiskReplicaGroup", nth = 1 },
      effect = { error = { code = "Forbidden", status = 403 } } } } }), 0
    local more = { stop = function() return true end, restart = function()
      restarted = restarted + 1
      return true
    end }
    local _, err = run(stage, more)
    assert.equal("Forbidden", err.code)
    assert.equal(1, restarted)
    assert.equal("undone", scene.statuses(stage)["stop replication"])
    assert.matches("^normal", scene.settled(stage))
    assert.is_nil(scene.effects(stage):find("Failover", 1, true))
    local result = assert(run(stage, more))
    assert.equal(0, result.rpo)
  end)

  it("begins with the stop again if the old side has written meanwhile", function()
    local stage = scene.stage()
    local first = true
    local function progress(event)
      if first and event.type == "step_end" and event.step == "last sync" then
        first = false
        scene.revive(stage)
      end
    end
    local _, err = run(stage, nil, { progress = progress })
    assert.equal("Client.LossNotExcluded", err.code)
    assert.is_nil(scene.effects(stage):find("Failover", 1, true))
    for _, name in ipairs { "fence", "note the stop", "stop replication", "last sync" } do
      assert.equal("undone", scene.statuses(stage)[name], name)
    end
    -- The service takes another synchronization after half the RPO.
    stage.bench.emu:advance(600)
    local result = assert(run(stage, nil, { progress = progress }))
    assert.equal(0, result.rpo)
    assert.equal(2, after.effects(stage.bench, "StopInstance"))
  end)

  it("begins with the stop again if it has lain for too long", function()
    local stage = scene.stage()
    local reached
    assert(stage:run_until(scene.load "planned", function() return reached and "crash" end, {
      params = PARAMS, progress = function(event)
        reached = reached or event.type == "step_begin" and event.step == "promote"
      end }))
    stage.bench.emu:advance(3600)
    local _, err = run(stage)
    assert.equal("Client.LossNotExcluded", err.code)
    assert.equal(0, assert(run(stage)).rpo)
  end)

  it("goes on wherever it was killed, and loses nothing", function()
    local kills = scene.kill_everywhere("planned", PARAMS, scene.stage, function(result)
      assert.equal(0, result.rpo)
    end, 3)
    assert.is_true(kills > 80, kills)
  end)

  it("asks again whether the old side stands still before it gives a move up", function()
    local stage, begun = scene.stage(), false
    local first, shown
    after.edit(stage.bench, function(action, region, body)
      if action ~= "DescribeDisks" or region ~= "cn-hangzhou" then return end
      first = first or body.Disks
      if begun and not shown then body.Disks, shown = first, true end
    end)
    local result, err = run(stage, nil, { progress = function(event)
      begun = begun or event.type == "step_begin" and event.step == "promote"
    end })
    assert.is_true(shown)
    assert.is_table(result, tostring(err))
    assert.equal(EFFECTS, scene.effects(stage))
  end)

  it("does not stop the services if the old side is not fenced", function()
    local stage = scene.stage()
    local _, err = run(stage, { stop = "halt shop" }, { skip = { fence = "no time" } })
    assert.equal("Client.LossNotExcluded", err.code)
    assert.is_nil(err.production_down)
    assert.equal("", scene.effects(stage))
  end)

  it("stops nothing without what proves that nothing is lost", function()
    for _, left_out in ipairs { "last sync", "note the stop", "promote" } do
      for _, stop in ipairs { "halt shop", false } do
        local stage = scene.stage()
        local _, err = run(stage, { stop = stop or nil }, { skip = { [left_out] = "no time" } })
        assert.equal("Client.LossNotExcluded", err.code)
        assert.equal("not_sent", err.outcome)
        assert.is_nil(err.production_down)
        assert.equal("", scene.effects(stage))
      end
    end
  end)
end)
