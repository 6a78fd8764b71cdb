-- The run that only reads: what it says of each step, and that nothing is changed.

local after = require "spec.dr.after_lab"
local dr = require "alicloud.dr"
local dry_run = require "alicloud.dr.playbook.dry_run"
local helper = require "spec.helper"
local lab = require "spec.dr.lab"
local stages = require "spec.dr.playbook.stage"

local function planned(body, options, bench)
  bench = bench or lab.new()
  local given = { client = bench.client }
  for name, value in pairs(options or {}) do given[name] = value end
  local plan = dry_run.run(dr.playbook("spec", body), given)
  assert.same({}, bench:ledger())
  return plan
end

local function orders_of(run)
  return run:group(lab.ID, { region = lab.SECONDARY })
end

local function move(run)
  local orders = orders_of(run)
  run:step("check", function() return orders:precheck { max_rpo = "1d" } end)
  run:step("promote", { point_of_no_return = true }, function() return orders:failover() end)
  run:verify("open", function() return true end)
end

describe("a dry run", function()
  it("tells of each step what it would do, and sends nothing that changes", function()
    local plan = planned(move)
    local told = {}
    for i, step in ipairs(plan.steps) do told[i] = step.key .. " " .. step.effect end
    assert.same({ "check reads", "promote changes", "open not_entered" }, told)
    assert.is_nil(plan.stopped)
    assert.equal(1, plan.changes)
    local call = plan.steps[2].calls[1]
    assert.same({ "ebs", "FailoverDiskReplicaGroup", lab.SECONDARY, { lab.ID } },
      { call.product, call.action, call.region, call.ids })
    assert.is_nil(call.token)
    assert.is_true(plan.steps[2].options.point_of_no_return)
    assert.same({ { id = lab.ID, region = lab.SECONDARY } }, plan.groups)
  end)

  it("shows the tokens that the run will send, if they are known", function()
    local incident = { incident = "INC-1" }
    local function own_token(run)
      local orders = orders_of(run)
      run:step("promote", function(own)
        return orders:failover { client_token = own:token "move" }
      end)
    end
    for _, body in ipairs { move, own_token } do
      local stage = stages.new()
      assert(stage:run(body, incident))
      local sent = stage.bench:ledger()[1].client_token
      local steps = planned(body, incident).steps
      assert.equal(sent:sub(1, 8), (steps[2] and steps[2].calls[1] or steps[1].calls[1]).token)
    end
    assert.is_nil(planned(own_token).steps[1].calls[1].token)
    local given = planned(function(run)
      local orders = orders_of(run)
      run:step("promote", function() return orders:failover { client_token = "0123456789" } end)
    end)
    assert.equal("01234567", given.steps[1].calls[1].token)
  end)

  it("knows the direction once a group was looked at, by whichever verb", function()
    for _, verb in ipairs { "precheck", "failover", "reprotect", "fence" } do
      local direction
      local plan = planned(function(run)
        local orders = run:group(after.ID, { region = after.SECONDARY })
        assert.is_nil(run.direction)
        run:step("one", { on_error = "continue" }, function() return orders[verb](orders) end)
        direction = run.direction
      end, nil, after.new(verb == "reprotect" and { status = "failovered" } or nil))
      assert.equal(1, #plan.steps)
      assert.same({ from = after.PRIMARY, to = after.SECONDARY }, direction, verb)
    end
  end)

  it("says which step would be refused, and stops there unless the run would go on", function()
    local bench = lab.new { group = { recover_point_age = 3000 } }
    local function check(options)
      return planned(function(run)
        local orders = orders_of(run)
        run:step("check", options, function() return orders:precheck { max_rpo = "20m" } end)
        run:step("behind", function() return true end)
      end, nil, bench)
    end
    local plan = check {}
    assert.matches('step "check" would be refused: its pre%-check stands', plan.stopped)
    assert.equal(1, #plan.steps)
    assert.is_true(plan.steps[1].failed == nil and plan.steps[1].effect == "refused")
    assert.equal("behind", check { on_error = "continue" }.steps[2].key)
  end)

  it("starts no program, says so of the step, and goes on behind it", function()
    local plan = planned(function(run)
      run:step("hook", function(own)
        assert(own:program "touch /tmp/never")
        return own.client:call("StopDiskReplicaGroup", { ReplicaGroupId = lab.ID })
      end)
      run:step("probe", function(own) return own:program "true" end)
      run:step("fails", function() error "made up" end)
    end)
    local hook, probe, fails = table.unpack(plan.steps)
    assert.equal("changes", hook.effect)
    assert.equal("StopDiskReplicaGroup", hook.calls[1].action)
    assert.equal("unknown", probe.effect)
    assert.matches("^a program is not started while planning.*: true$", probe.note)
    assert.is_nil(probe.failed)
    assert.is_true(fails.failed)
  end)

  it("takes branches, wishes and modes as a run does", function()
    local plan = planned(function(run)
      run:skip("two", "no need")
      run:skip("gate:go", "all agree")
      run:each({ "a", "b" }, function(_, own)
        own:step("one", function(inner) return inner.prefix end)
      end)
      run:parallel { left = function(own) own:gate("go", { need = 1, of = { "dba" } }) end }
      run:step("two", function() return true end)
      run:gate("go", { need = 1, of = { "dba" } })
      run:step("old", { graceful_only = true }, function() return true end)
      run:step("given", { plan = false }, function() return true end)
      run:step("three", function() return true end)
    end, { mode = "ungraceful", skip = { three = "asked for" } })
    local told = {}
    for i, step in ipairs(plan.steps) do
      told[i] = ("%s %s%s"):format(step.key, step.effect, step.note and ": " .. step.note or "")
    end
    assert.same({ "a/one reads", "b/one reads", "left/go not_entered: waits for people",
      "two not_entered: skipped: no need", "go not_entered: broken open: all agree",
      "old not_entered: left out, the old side is given up", "given not_entered",
      "three not_entered: skipped: asked for" }, told)
  end)

  it("stops where code needs what a change would have answered", function()
    local plan = planned(function(run)
      local answer = run:step("raw", function(own)
        return own.client:call("DeleteDiskReplicaGroup", { ReplicaGroupId = lab.ID })
      end)
      run:note(answer.RequestId)
    end)
    assert.matches("^the playbook needs what a change would have answered: ", plan.stopped)
    assert.matches("cannot be known", plan.steps[1].note)
  end)

  it("carries out at once what a playbook starts and waits for later", function()
    local plan = planned(function(run)
      run:step("look", function(own)
        local future <close> = own.client:start("ebs:DescribeRegions", {})
        assert(future:done() and future:wait(1) and not future:cancel())
        return #assert(future:result()).Regions > 0
      end)
      run:step("stop", function(own)
        local params = { InstanceId = "i-orders-hz" }
        local futures = { own.client:start("ecs:StopInstance", params) }
        futures[2] = own.client:start("ebs:FailoverDiskReplicaPair", { ReplicaPairId = "pair-x" })
        for _, future in ipairs(futures) do assert(future:result()) end
      end)
    end)
    assert.same({}, { plan.stopped })
    assert.same({ "reads", "changes" }, { plan.steps[1].effect, plan.steps[2].effect })
    assert.equal("StopInstance", plan.steps[2].calls[1].action)
    assert.equal(2, plan.changes)
  end)

  it("uses what stands for the answer of a verification", function()
    local plan = planned(function(run)
      local answer = run:verify("open", { plan = function() return { port = 80 } end }, error)
      run:note("port " .. answer.port)
      run:verify("closed", { plan = false }, error)
    end)
    assert.is_nil(plan.stopped)
    assert.same({ "reads", "not_entered" }, { plan.steps[1].effect, plan.steps[2].effect })
  end)

  it("tells nobody, waits for nothing and writes nothing down", function()
    local told, bench = 0, lab.new()
    local before = bench.emu.runtime.time()
    planned(function(run)
      run:on("note", function() told = told + 1 end)
      run:on("step", function() told = told + 1 end)
      run:note "noted"
      run:step("one", function() return true end)
      run.loop.sleep(3600)
    end, nil, bench)
    bench.client.loop.sleep(1)
    assert.equal(0, told)
    assert.is_true(bench.emu.runtime.time() - before < 60)
  end)

  it("refuses parameters that the playbook does not take", function()
    local playbook = dr.playbook("spec", { params = { { name = "size", type = "integer" } } },
      function() end)
    assert.matches("^plan: .*size", helper.raised(dry_run.run, playbook,
      { client = lab.new().client, params = { size = "big" } }))
  end)
end)
