-- A plan of a ready playbook names the calls that a run makes, in their order.

local after = require "spec.dr.after_lab"
local dry_run = require "alicloud.dr.playbook.dry_run"
local scene = require "spec.playbooks.scene"

local TO_NEW = { group = "pg-orders", region = "cn-shanghai", attach = "i-new" }
local TO_OLD = { group = "pg-orders", region = "cn-shanghai", attach = "i-old" }

local function plan_of(name, stage, params, more)
  local options = { client = stage.bench.client, params = params }
  for key, value in pairs(more or {}) do options[key] = value end
  local before = #stage.bench:ledger()
  local plan = dry_run.run(scene.load(name), options)
  assert.equal(before, #stage.bench:ledger())
  return plan
end

local function planned_calls(plan)
  local list = {}
  for _, step in ipairs(plan.steps) do
    for _, call in ipairs(step.calls) do
      list[#list + 1] = ("%s %s"):format(call.action, table.concat(call.ids, " "))
    end
  end
  return list
end

local function done_calls(stage)
  local list = {}
  for i, effect in ipairs(stage.bench:ledger()) do
    local ids = effect.instance and { effect.instance, effect.disk } or { effect.group }
    list[i] = ("%s %s"):format(effect.action, table.concat(ids, " "))
  end
  return list
end

describe("the plan of a ready playbook", function()
  for name, params in pairs { planned = TO_NEW, failover = TO_NEW, failback = TO_OLD } do
    it(("names what %s does, and nothing is against it"):format(name), function()
      local stage = name == "failback" and scene.failed_over(false) or scene.stage()
      local plan = plan_of(name, stage, params)
      assert.is_nil(plan.stopped)
      for _, step in ipairs(plan.steps) do assert.is_nil(step.failed, step.key) end
      assert(scene.run(name, stage, params))
      assert.same(done_calls(stage), planned_calls(plan))
    end)
  end

  it("names the drill by what it will be, since its id is given when it is started", function()
    local stage = scene.stage()
    local plan = plan_of("drill", stage, { group = "pg-orders", region = "cn-shanghai" })
    assert.same({ "StartReplicaGroupDrill pg-orders",
      "ClearReplicaGroupDrill pg-orders drill-planned-1" }, planned_calls(plan))
    assert.is_nil(plan.stopped)
  end)

  it("shows the commands that it does not start", function()
    local params = { stop = "systemctl stop shop", verify = "curl shop" }
    for key, value in pairs(TO_NEW) do params[key] = value end
    local plan = plan_of("planned", scene.stage(), params)
    assert.equal("stop services", plan.steps[2].key)
    assert.matches("not started while planning.*: systemctl stop shop$", plan.steps[2].note)
  end)

  it("shows the tokens of an incident, those that the run sends", function()
    local stage = scene.stage()
    local plan = plan_of("planned", stage, TO_NEW, { incident = "INC-1" })
    local planned = {}
    for _, step in ipairs(plan.steps) do
      for _, call in ipairs(step.calls) do
        planned[call.action] = planned[call.action] or call.token
      end
    end
    assert(scene.run("planned", stage, TO_NEW, nil, { incident = "INC-1" }))
    for _, effect in ipairs(stage.bench:ledger()) do
      local token = effect.client_token
      if effect.action == "StopDiskReplicaGroup" or effect.action == "FailoverDiskReplicaGroup" then
        assert.equal(token:sub(1, 8), planned[effect.action], effect.action)
      end
    end
  end)

  it("finds what a run would be refused for", function()
    local plan = plan_of("planned", scene.stage(),
      { group = "pg-orders", region = "cn-shanghai", attach = "i-typo" })
    assert.matches('step "check" would be refused: .*i%-typo is not listed', plan.stopped)
    plan = plan_of("planned", scene.failed_over(false), TO_NEW)
    assert.matches("pg%-orders is failed over to cn%-shanghai already; a planned move begins",
      plan.stopped)
  end)

  it("does not wait for what never comes", function()
    local stage = scene.stage()
    local plan = dry_run.run(require "alicloud.dr".playbook("spec", function(run)
      local group = run:group("pg-orders", { region = "cn-shanghai" })
      run:step("wait", function() return group:await_recovery_point { newer_than = 9e9 } end)
    end), { client = stage.bench.client })
    assert.matches("it waits for something that does not come", plan.steps[1].note)
    assert.is_true(plan.reads < 400)
    assert.equal(0, after.effects(stage.bench, "StartDiskReplicaGroup"))
  end)
end)
