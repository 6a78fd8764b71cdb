-- A parameter that is corrected before the point of no return is looked at like the first one: what
-- reads can tell is told while production runs.

local lab = require "spec.dr.lab"
local scene = require "spec.playbooks.scene"

local PARAMS = { group = "pg-orders", region = "cn-shanghai", attach = "i-new" }

local function refused()
  return scene.stage(nil, { faults = { { match = { action = "StopInstance", nth = 1 },
    effect = lab.answer("Forbidden", 403) } } })
end

local function correct(stage, attach)
  return stage:run(scene.load "planned",
    { corrections = { values = { attach = attach }, why = "another one", by = "ops" } })
end

describe("an instance that is corrected before anything was stopped", function()
  it("is looked at before production is stopped, as often as it is another one", function()
    local stage = refused()
    assert.is_nil((scene.run("planned", stage, PARAMS)))
    for _, wrong in ipairs { "i-old", "i-none", "i-old" } do
      local result, err = correct(stage, wrong)
      assert.is_nil(result)
      assert.equal("not_sent", err.outcome)
      assert.equal("", scene.effects(stage))
      assert.equal("Running", stage.bench.emu.world.instance_by_id["i-old"].status)
    end
    assert(correct(stage, "i-new"))
    assert.equal("Running", stage.bench.emu.world.instance_by_id["i-new"].status)
  end)

  it("is looked at before a failback begins", function()
    local stage = scene.failed_over(false)
    stage.bench.emu:fault { match = { action = "ReprotectDiskReplicaGroup", nth = 1 },
      effect = lab.answer("Forbidden", 403) }
    assert.is_nil((scene.run("failback", stage, { group = "pg-orders", region = "cn-shanghai",
      attach = "i-old" })))
    local result, err = stage:run(scene.load "failback",
      { corrections = { values = { attach = "i-none" }, why = "another one", by = "ops" } })
    assert.is_nil(result)
    assert.equal("not_sent", err.outcome)
    assert.equal("", scene.effects(stage))
  end)
end)
