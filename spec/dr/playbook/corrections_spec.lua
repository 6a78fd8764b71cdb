-- Parameters that are corrected while a run is under way: for what is to come, and for nothing that
-- is finished.

local after = require "spec.dr.after_lab"
local corrections = require "alicloud.dr.playbook.corrections"
local dr = require "alicloud.dr"
local scene = require "spec.playbooks.scene"
local stages = require "spec.dr.playbook.stage"

local PARAMS = { group = "pg-orders", region = "cn-shanghai", attach = "i-typo" }

-- A planned move whose typo shows itself after the failover.
local function stuck()
  local stage, progress = scene.with_vanishing()
  local _, err = scene.run("planned", stage, PARAMS, nil, { progress = progress })
  return stage, err
end

local function corrected(stage, values, more)
  local options = { corrections = { values = values, why = "typo", by = "ops" } }
  for name, value in pairs(more or {}) do options[name] = value end
  return stage:run(scene.load "planned", options)
end

describe("a parameter that is corrected", function()
  it("is taken by the steps to come, and written down with old, new, who and why", function()
    local stage, err = stuck()
    assert.is_not_nil(err.production_down)
    assert.same({ "attach" }, err.correctable)
    local result = assert(corrected(stage, { attach = "i-new" }))
    assert.equal("completed", result.status)
    assert.equal(1, after.effects(stage.bench, "FailoverDiskReplicaGroup"))
    assert.equal("Running", stage.bench.emu.world.instance_by_id["i-new"].status)
    local event = stage:events "correction"[1]
    assert.same({ "attach", "i-typo", "i-new", "ops", "typo" },
      { event.name, event.old, event.new, event.by, event.why })
    assert.equal("i-new", stage:state().params.attach)
    assert.equal("i-typo", stage:state().run.params.attach)
  end)

  it("stays corrected in every process behind it", function()
    local stage = stuck()
    local last = stage.disk.calls + 30
    assert(stage:run_until(scene.load "planned", function(call)
      return call.n == last and "crash"
    end, { corrections = { values = { attach = "i-new" }, why = "typo" } }))
    assert.equal("completed", assert(stage:run(scene.load "planned")).status)
    assert.equal(1, #stage:events "correction")
    assert.equal(1, after.effects(stage.bench, "FailoverDiskReplicaGroup"))
  end)

  it("is refused by name if a finished step was done with it", function()
    local stage = stuck()
    for name, value in pairs { group = "pg-other", region = "cn-beijing", max_rpo = "3h" } do
      local before = #stage:events()
      local _, err = corrected(stage, { [name] = value, attach = "i-new" })
      assert.equal("Client.ParameterFrozen", err.code)
      assert.equal("not_sent", err.outcome)
      assert.matches("parameter " .. name, err.message)
      assert.matches("step \"check\"", err.message)
      -- Nothing of the wish was taken.
      assert.equal(before, #stage:events())
    end
  end)

  it("is refused if the playbook does not know it, or not such a value", function()
    local stage = stuck()
    local _, err = corrected(stage, { atach = "i-new" })
    assert.equal("Client.BadParameter", err.code)
    assert.matches("attach", err.message)
    _, err = corrected(stage, { verify_for = "soon" })
    assert.equal("Client.BadParameter", err.code)
    assert.equal(0, #stage:events "correction")
  end)

  it("is none if it is what it was, or if there is no run", function()
    local stage = stuck()
    corrected(stage, { attach = "i-typo" })
    assert.equal(0, #stage:events "correction")
    local _, err = corrected(scene.stage(), { attach = "i-new" })
    assert.equal("Client.RunChanged", err.code)
  end)

  it("is refused if the run has come to its end, however it is given", function()
    local stage = stuck()
    assert(corrected(stage, { attach = "i-new" }))
    local before = #stage:events()
    local _, err = corrected(stage, { attach = "i-other" })
    assert.equal("Client.ParameterFrozen", err.code)
    assert.matches("parameter attach stays i%-new: the run has come to its end", err.message)
    assert.equal("begin a new run with what is right", err.hint)
    local given = { group = "pg-orders", region = "cn-shanghai", attach = "i-other" }
    _, err = stage:run(scene.load "planned", { params = given })
    assert.equal("Client.RunChanged", err.code)
    assert.matches("it has come to its end; begin a new run", err.hint)
    assert.equal("completed", assert(corrected(stage, { attach = "i-new" })).status)
    assert.equal(before, #stage:events())
  end)

  it("needs a reason, and is no side effect of other parameters", function()
    local stage = stuck()
    local _, err = stage:run(scene.load "planned", { params = { group = "pg-orders",
      region = "cn-shanghai", attach = "i-new" } })
    assert.equal("Client.RunChanged", err.code)
    assert.matches("%-%-why", err.hint)
    assert.has_error(function()
      stage:run(scene.load "planned", { corrections = { values = { attach = "i-new" } } })
    end)
  end)

  it("stays so for a host that gives what it has begun with", function()
    local stage = stuck()
    corrected(stage, { attach = "i-nowhere" })
    local _, err = scene.run("planned", stage, PARAMS)
    assert.equal("InvalidInstanceId.NotFound", err.code)
    assert.matches("i%-nowhere", err.message)
  end)

  it("is told by its first line and its size where it is a whole file", function()
    local rows = "group,attach\n" .. ("pg-orders,i-new\n"):rep(200)
    local function words(old, new)
      return corrections.words { name = "table", old = old, new = new, by = "ops", why = "typo" }
    end
    assert.equal("parameter table corrected from group,attach… (30 bytes) to group,attach… "
      .. "(3213 bytes) by ops: typo", words("group,attach\npg-orders,i-typo\n", rows))
    assert.equal("parameter table corrected from not given to " .. ("é"):rep(50)
      .. "… (120 bytes) by ops: typo", words(nil, ("é"):rep(60)))
    assert.equal("parameter table corrected from " .. ("x"):rep(100) .. " to [1,2] by ops: typo",
      words(("x"):rep(100), { 1, 2 }))
  end)

  it("can be corrected once more as long as its step is not finished", function()
    local stage = stuck()
    local _, err = corrected(stage, { attach = "i-nowhere" })
    assert.equal("InvalidInstanceId.NotFound", err.code)
    assert(corrected(stage, { attach = "i-new" }))
    assert.equal(2, #stage:events "correction")
  end)
end)

describe("the parameters of a run", function()
  -- What each step of a small playbook reads.
  local function used_in(body)
    local stage = stages.new()
    assert(stage:run(dr.playbook("reads", body), { params = { a = "1", b = "2", c = "3" } }))
    local used = {}
    for key, step in pairs(stage:state().steps) do
      local names = {}
      for name in pairs(step.used) do names[#names + 1] = name end
      table.sort(names)
      used[key] = table.concat(names, " ")
    end
    return used
  end

  it("are known by the steps that read them, and by those behind a read of the playbook", function()
    assert.same({ one = "a", two = "a b", ["x/three"] = "a b c" }, used_in(function(run)
      local params = run.params
      run:step("one", function() return params.a end)
      run:step("two", function() return params.a .. params.b end)
      local _ = params.a .. params.b
      run:each({ "x" }, function(_, own)
        own:step("three", function() return own.params.c end)
      end)
    end))
  end)

  it("are all read by whoever goes through them, and by none who peeks", function()
    assert.same({ one = "", two = "a b c" }, used_in(function(run)
      run:step("one", function() return run:peek "a" end)
      run:step("two", function()
        local list = {}
        for name, value in pairs(run.params) do list[name] = value end
        assert.same({ a = "1", b = "2", c = "3" }, list)
        return true
      end)
    end))
  end)

  it("cannot be changed by the playbook", function()
    local stage = stages.new()
    local _, err = stage:run(function(run) run.params.a = "2" end)
    assert.matches("cannot be changed", err.message)
  end)
end)
