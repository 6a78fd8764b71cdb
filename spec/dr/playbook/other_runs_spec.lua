-- What the runs beside a run tell of its group, before it changes anything.

local scene = require "spec.playbooks.scene"

local PARAMS = { group = "pg-orders", region = "cn-shanghai", attach = "i-new" }

local function run(stage, name, more, options)
  return scene.run(name, stage, PARAMS, more, options)
end

-- A run over a journal of its own on the stage's disk.
local function beside(stage, name, more, journal)
  return run(stage, name, more, { store = stage.disk:open(journal) })
end

-- The machine dies when it comes to a step.
local function broken_off(stage, name, step, journal)
  local reached
  assert(stage:run_until(scene.load(name), function() return reached and "crash" end, {
    params = PARAMS, store = stage.disk:open(journal or "first.jsonl"), progress = function(event)
      reached = reached or event.type == "step_begin" and event.step == step
    end }))
end

describe("the runs beside a run", function()
  it("are told of with the command that goes on, if they did not end", function()
    local stage = scene.stage()
    broken_off(stage, "failover", "fence")
    local result = assert(run(stage, "failover"))
    assert.equal("completed", result.status)
    assert.matches("unfinished runs: failover of operator broke off %d+ s ago, to go on with it: "
      .. "alicloud%-dr resume first%.jsonl", scene.notes(stage))
  end)

  it("are told of one by one, each with its own command", function()
    local stage = scene.stage()
    broken_off(stage, "failover", "fence")
    broken_off(stage, "failover", "fence", "second.jsonl")
    assert(run(stage, "failover"))
    local _, count = scene.notes(stage):gsub("unfinished runs: [^;]- alicloud%-dr resume %S+", "")
    assert.equal(2, count, scene.notes(stage))
  end)

  it("tell nothing of other groups, nor after a run that came to its end", function()
    local stage = scene.stage()
    broken_off(stage, "failover", "fence")
    assert(beside(stage, "failover", nil, "second.jsonl"))
    stage.disk:open "rubbish.jsonl"
    stage.disk:put("rubbish.jsonl", "pg-orders\n")
    assert(run(stage, "failover"))
    assert.is_nil(scene.notes(stage):find("unfinished", 1, true))
  end)

  it("tell how long the service takes no other synchronization, and that is waited for first",
    function()
      local stage = scene.stage(nil, { faults = { {
        match = { action = "FailoverDiskReplicaGroup", nth = 1 },
        effect = { error = { code = "Forbidden", status = 403 } } } } })
      local _, err = beside(stage, "planned", nil, "first.jsonl")
      assert.equal("Forbidden", err.code)
      assert(run(stage, "planned"))
      assert.matches("last sync: the service takes another one at %d.-Z, in %d", scene.notes(stage))
      local began = {}
      for _, event in ipairs(stage:events "step_begin") do began[event.step] = event.at end
      assert.is_true(began.fence - began["sync interval"] > 300)
      assert.equal("done", scene.statuses(stage)["sync interval"])
      assert.equal(1, select(2, scene.effects(stage):gsub("Failover", "")))
    end)
end)
