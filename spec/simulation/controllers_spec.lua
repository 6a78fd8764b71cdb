-- Controllers that share a run in simulated time: another one takes over at each point in turn, and
-- the first goes on.

local controllers = require "alicloud.simulation.controllers"
local discover = require "alicloud.simulation.discover"
local lab = require "spec.simulation.lab"

local simulation, plan = lab.plan()

local function rehearse(trouble)
  local case = { seed = 1, troubles = { trouble }, world = discover.calm(plan.world) }
  trouble.kind = "controllers"
  return simulation.judge(case, plan)
end

local function effects_of(rehearsal)
  local count = 0
  for _, effect in ipairs(rehearsal.stage.emu:ledger()) do
    if effect.action == "FailoverDiskReplicaGroup" then count = count + 1 end
  end
  return count
end

local function holds(trouble)
  local rehearsal = rehearse(trouble)
  local what = controllers.describe(trouble)
  assert.same({}, rehearsal.violations, what)
  assert.equal("completed", rehearsal.ending, what)
  assert.equal(1, effects_of(rehearsal), what)
  return rehearsal
end

-- So many calls of the store does a run take that nobody disturbs.
local function calls_of_a_run()
  local nothing = { name = "answers", how = "lost_answer", call = 1000, lasts = 1 }
  return rehearse(nothing).stage.disk.calls
end

describe("a run that several controllers share", function()
  it("has one effect, at whichever call of the store another one takes over", function()
    local taken = 0
    for call = 1, calls_of_a_run() do
      for _, after in ipairs { false, true } do
        local rehearsal = holds { name = "takeover", call = call, after = after, seconds = 0 }
        if #rehearsal.stage.processes > 1 then taken = taken + 1 end
      end
    end
    assert.is_true(taken > 20)
  end)

  it("has one effect when one stands still with his change in the hand", function()
    for _, after in ipairs { false, true } do
      for _, seconds in ipairs { 0, 20, 500 } do
        holds { name = "takeover", record = 1, after = after, seconds = seconds }
        holds { name = "takeover", send = 1, after = after, seconds = seconds, delay = 0 }
      end
    end
  end)

  it("has one effect, at whichever call the lease ends", function()
    for call = 1, calls_of_a_run() do
      for _, after in ipairs { false, true } do
        holds { name = "expiry", call = call, after = after }
      end
    end
  end)

  -- What it stopped, the other one has told.
  it("is not asked for what another controller has stopped, once it is interrupted", function()
    local own = assert(simulation.plan(require "alicloud.playbooks.failover", {
      region = "cn-shanghai", params = { group = "pg-orders", region = "cn-shanghai" } }))
    local rehearsal = simulation.judge({ seed = 1, world = discover.calm(own.world), troubles = {
      { kind = "controllers", name = "takeover", call = 12, seconds = 0 },
      { kind = "stops", name = "interrupt", wait = 1 } } }, own)
    assert.equal("completed", rehearsal.stage.processes[2].result.status)
    assert.equal("Client.Interrupted", rehearsal.stage.processes[1].err.code)
    assert.same({}, rehearsal.violations)
  end)

  it("has one effect, whichever answers of the store are lost, late or none", function()
    for call = 1, calls_of_a_run() do
      for _, how in ipairs { "lost_answer", "unknown", "unreachable", "full" } do
        holds { name = "answers", call = call, how = how, lasts = 1 }
      end
      holds { name = "slow", call = call, how = "late_answer", seconds = 5, lasts = 1 }
      holds { name = "slow", call = call, how = "late", seconds = 40, lasts = 1 }
    end
  end)
end)

describe("the draws of controllers", function()
  it("come to some seeds, and leave no disk beside the store", function()
    local count = 0
    for seed = 1, 400 do
      local case, shared, disk = simulation.case(plan, seed), false, false
      for _, trouble in ipairs(case.troubles) do
        shared = shared or trouble.kind == "controllers"
        disk = disk or trouble.kind == "disk" or trouble.name == "token_forget"
      end
      if shared then
        count = count + 1
        assert.is_false(disk)
      end
    end
    assert.is_true(count > 30 and count < 100, count)
  end)
end)
