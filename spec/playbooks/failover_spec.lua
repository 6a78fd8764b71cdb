-- The ready playbook for the day itself: the old side may answer, or not.

local after = require "spec.dr.after_lab"
local scene = require "spec.playbooks.scene"

local PARAMS = { group = "pg-orders", region = "cn-shanghai", attach = "i-new" }

local function run(stage, more, options)
  return scene.run("failover", stage, PARAMS, more, options)
end

local DARK = { events = { { at = 0, region = "cn-hangzhou", state = "blackhole" } } }

describe("the playbook failover", function()
  it("fences, opens, attaches, starts and asks whether the service is back", function()
    local stage, asked = scene.stage(), {}
    local result = assert(run(stage, { verify = function(own, variables)
      asked[#asked + 1] = variables
      assert(own.kind == "unplanned")
      return #asked == 3
    end }))
    assert.equal("completed", result.status)
    assert.equal("StopInstance DetachDisk DetachDisk FailoverDiskReplicaGroup AttachDisk "
      .. "AttachDisk StartInstance", scene.effects(stage))
    assert.same({ group = "pg-orders", region = "cn-shanghai" }, asked[3])
    assert.is_true(result.marks.old_side_fenced < result.marks.data_ready)
    assert.is_true(result.marks.data_ready < result.marks.verified)
    assert.matches("pg%-orders is not protected: alicloud%-dr reprotect pg%-orders %-%-region "
      .. "cn%-shanghai", scene.notes(stage))
    assert.is_nil(scene.notes(stage):find("not fenced", 1, true))
  end)

  it("opens the data while the region is dark, and says that it is not fenced", function()
    local stage = scene.stage(nil, DARK)
    local result = assert(run(stage))
    assert.equal("completed_with_exceptions", result.status)
    assert.matches('step "fence" failed: ', result.exceptions[1])
    assert.matches('step "fence again" failed: ', result.exceptions[2])
    assert.is_number(result.marks.data_ready)
    assert.is_nil(result.marks.old_side_fenced)
    assert.is_true(result.marks.data_ready - stage:events("run")[1].at < 120)
    assert.equal("FailoverDiskReplicaGroup AttachDisk AttachDisk StartInstance",
      scene.effects(stage))
    assert.matches("the old side is not fenced, keep it from writing: alicloud%-dr fence",
      scene.notes(stage))
  end)

  it("fences at the end what answers again by then", function()
    local stage = scene.stage(nil, { events = {
      { at = 0, region = "cn-hangzhou", state = "blackhole" },
      { at = 60, region = "cn-hangzhou", state = "up" } } })
    local result = assert(run(stage))
    assert.equal("done", scene.statuses(stage)["fence again"])
    assert.is_true(result.marks.old_side_fenced > result.marks.data_ready)
    assert.is_nil(scene.notes(stage):find("not fenced", 1, true))
  end)

  it("stops the services soon though the look before that fails", function()
    local stage, stopped, began = scene.stage(), 0, nil
    local emu = stage.bench.emu
    assert(run(stage, { stop = "halt shop", fence = "no" }, {
      program = function()
        stopped = stopped + 1
        assert.is_true(emu:now() - began < 90)
        emu:region("cn-shanghai", "up")
        return true
      end,
      progress = function(event)
        if event.type ~= "step_begin" or event.step ~= "stop services" then return end
        began = emu:now()
        emu:region("cn-shanghai", "blackhole")
      end }))
    assert.equal(1, stopped)
  end)

  it("stops before the failover if the old side must be fenced and cannot", function()
    local stage = scene.stage(nil, DARK)
    local _, err = run(stage, { fence = "must" })
    assert.is_table(err)
    assert.equal("", scene.effects(stage))
    assert.equal("failed", scene.statuses(stage).check)
  end)

  it("stops nothing if it is told to leave the failover out", function()
    local stage, stopped = scene.stage(), 0
    local function halt() stopped = stopped + 1 return true end
    local _, err = run(stage, { stop = halt }, { skip = { promote = "later" } })
    assert.equal("Client.CriticalStep", err.code)
    assert.equal(0, stopped)
    assert.equal("", scene.effects(stage))
    assert.same({}, stage:events())
    -- Behind the failover the wish means nothing, and the rest is done.
    _, err = run(stage, { stop = halt, verify = function() return false end, verify_for = "1s" })
    assert.equal("done", scene.statuses(stage).promote)
    assert.is_table(err)
    assert(run(stage, { stop = halt, verify = function() return true end, verify_for = "1s" },
      { skip = { promote = "later" } }))
  end)

  it("leaves the old side alone when that is given up", function()
    local stage = scene.stage(nil, DARK)
    local result = assert(run(stage, nil, { mode = "ungraceful" }))
    assert.equal("skipped", scene.statuses(stage).fence)
    assert.equal("skipped", scene.statuses(stage)["fence again"])
    assert.is_true(result.marks.data_ready - stage:events("run")[1].at < 40)
  end)

  it("loses no more than somebody has accepted by name", function()
    local stage = scene.stage { recover_point_age = 7200 }
    local _, err = run(stage)
    assert.equal("Client.RecoveryPointTooOld", err.code)
    assert.equal("", scene.effects(stage))
    local result = assert(run(stage, nil, {
      accept_loss = { seconds = 9000, by = "chief", why = "the region is gone" } }))
    assert.is_true(result.rpo > 7200)
    assert.equal("chief", stage:events("accept_loss")[1].by)
  end)

  -- A call is refused; others finish the failover meanwhile and bring production back.
  local function brought_back(more, action)
    local stage = scene.stage(nil, { faults = { after.fault(action or "FailoverDiskReplicaGroup",
      { error = { code = "Forbidden.RAM", status = 403 } }) } })
    local _, err = run(stage, more)
    assert.equal("rejected", err.outcome)
    stage.bench.emu:advance(900)
    assert(scene.run("failover", stage:anew(), PARAMS))
    stage.bench.emu:advance(900)
    assert(scene.run("failback", stage:anew(), PARAMS, { attach = "i-old" }))
    stage.bench.emu:advance(900)
    assert.equal("Running", stage.bench.emu.world.instance_by_id["i-old"].status)
    assert.equal("Stopped", stage.bench.emu.world.instance_by_id["i-new"].status)
    return stage
  end

  it("fences again what runs again at the old side when it is gone on with", function()
    local stage = brought_back()
    local result = assert(run(stage))
    assert.equal("completed", result.status)
    assert.equal("Stopped", stage.bench.emu.world.instance_by_id["i-old"].status)
    assert.equal("Running", stage.bench.emu.world.instance_by_id["i-new"].status)
    assert.equal(2, stage:state().steps.fence.runs)
    assert.is_true(result.marks.old_side_fenced < result.marks.data_ready)
  end)

  it("stops again the services that people may have started since", function()
    local stage, stopped = scene.stage(nil, { faults = { after.fault("FailoverDiskReplicaGroup",
      { error = { code = "Forbidden.RAM", status = 403 } }) } }), 0
    local more, options = { stop = "halt shop", fence = "no" }, { program = function()
      stopped = stopped + 1
      return true
    end }
    local _, err = run(stage, more, options)
    assert.equal("rejected", err.outcome)
    assert(run(stage, more, options))
    assert.equal(2, stopped)
    assert(run(stage, more, options))
    assert.equal(2, stopped)
  end)

  it("is held up by an old side that went dark meanwhile for no longer than that may", function()
    local stage = brought_back()
    stage.bench.emu:region("cn-hangzhou", "blackhole")
    local began = stage.bench.emu:now()
    local result = assert(run(stage))
    assert.equal("completed_with_exceptions", result.status)
    assert.is_true(result.marks.data_ready - began < 150)
    assert.is_nil(result.marks.old_side_fenced)
    assert.matches("the old side is not fenced", scene.notes(stage))
  end)

  it("does not promote beside an old side that must be fenced and does not hold", function()
    local stage = brought_back { fence = "must" }
    local before = scene.effects(stage)
    stage.bench.emu:region("cn-hangzhou", "blackhole")
    local _, err = run(stage, { fence = "must" })
    assert.equal("fence", err.step)
    assert.equal(before, scene.effects(stage))
  end)

  it("does not call production down that others may have brought back", function()
    for _, action in ipairs { "AttachDisk", "StartInstance" } do
      local stage = brought_back(nil, action)
      local _, err = run(stage)
      assert.equal("failed", scene.statuses(stage).serve)
      assert.equal("production may be down: pg-orders, stopped in cn-hangzhou (i-old) and moved by "
        .. "others since", err.production_down)
    end
  end)

  it("moves the group once though the answer is lost after the work", function()
    for name, effect in pairs(after.DOUBTFUL) do
      local stage = scene.stage(nil, { faults = {
        after.fault("FailoverDiskReplicaGroup", effect, "after") } })
      assert(run(stage))
      assert.equal(1, after.effects(stage.bench, "FailoverDiskReplicaGroup"), name)
    end
  end)

  it("does not call a group moved of which one pair is not", function()
    local stage = scene.stage(nil, { faults = { {
      match = { action = "FailoverDiskReplicaGroup", nth = 1 },
      effect = { partial = { "pair-2" } } } } })
    local _, err = run(stage)
    assert.equal("Client.FailoverFailed", err.code)
    assert.is_nil(stage:state().marks.data_ready)
    assert.is_nil(scene.statuses(stage).serve)
  end)

  it("goes on wherever it was killed, and moves the group once", function()
    local kills = scene.kill_everywhere("failover", PARAMS, scene.stage, function(result)
      assert.equal("completed", result.status)
      assert.is_number(result.marks.data_ready)
      assert.is_number(result.marks.old_side_fenced)
    end)
    assert.is_true(kills > 60, kills)
  end)
end)
