-- Verbs that consist of others, in a playbook that is killed: what was begun is gone on with.

local after = require "spec.dr.after_lab"
local dr = require "alicloud.dr"
local stages = require "spec.dr.playbook.stage"

local function in_one_step(verb, options)
  return dr.playbook(verb, function(run)
    local orders = run:group(after.ID, { region = after.SECONDARY })
    run:step(verb, function() return orders[verb](orders, options) end)
  end)
end

-- The machine stops when a call of an action has left, and its answer was not written down.
local function killed(verb, action, options)
  local stage = stages.new { world = after.world() }
  local playbook = in_one_step(verb, options)
  assert.is_true(stage:run_until(playbook, function(call)
    return call.op == "append" and #stage.bench:requests(action) > 0 and "crash"
  end))
  return stage, playbook
end

describe("sync_now in a playbook", function()
  it("waits for the synchronization that was begun, and does not drop it", function()
    local stage, playbook = killed("sync_now", "StartDiskReplicaGroup")
    local result = assert(stage:run(playbook))
    assert.equal("completed", result.status)
    assert.equal(1, after.effects(stage.bench, "StopDiskReplicaGroup"))
    assert.equal(1, after.effects(stage.bench, "StartDiskReplicaGroup"))
    assert.equal("synced", stage:state().steps.sync_now.result.outcome)
  end)

  it("goes on with the stop, and synchronizes", function()
    local stage, playbook = killed("sync_now", "StopDiskReplicaGroup")
    assert(stage:run(playbook))
    local sends = stage.bench:requests "StopDiskReplicaGroup"
    assert.equal(sends[1].client_token, sends[#sends].client_token)
    assert.equal(1, after.effects(stage.bench, "StartDiskReplicaGroup"))
    assert.equal("stopped", stage:state().steps.sync_now.result.stop.outcome)
  end)

  it("does not stand for a start that follows in the same step", function()
    local stage = stages.new { world = after.world() }
    assert(stage:run(function(run)
      local orders = run:group(after.ID, { region = after.SECONDARY })
      run:step("both", function()
        assert(orders:sync_now())
        return orders:start()
      end)
    end))
    assert.equal("started", stage:state().steps.both.result.outcome)
    assert.equal(2, after.effects(stage.bench, "StartDiskReplicaGroup"))
  end)
end)

describe("a drill in a playbook", function()
  it("goes on with the drill that was begun, and clears it", function()
    local stage, playbook = killed("drill", "StartReplicaGroupDrill")
    assert(stage:run(playbook))
    assert.equal(1, after.effects(stage.bench, "StartReplicaGroupDrill"))
    assert.equal(1, after.effects(stage.bench, "ClearReplicaGroupDrill"))
    assert.equal("drilled", stage:state().steps.drill.result.outcome)
  end)
end)
