-- What a playbook calls, traced over an emulator of its own.

local alicloud = require "alicloud"
local call_trace = require "alicloud.simulation.call_trace"
local dr = require "alicloud.dr"

local REGION = "cn-shanghai"

describe("the trace of a playbook's calls", function()
  local make_client = alicloud.client

  after_each(function() alicloud.client = make_client end)

  local function trace(body, given)
    local own = { region = REGION, alive = function() end }
    for name, value in pairs(given or {}) do own[name] = value end
    return call_trace.run(function() return dr.playbook("spec", body) end, own)
  end

  local function called(traced)
    local actions = {}
    for _, call in ipairs(traced.calls) do
      local key = ("%s:%s %s"):format(call.product, call.action, call.region)
      actions[key] = (actions[key] or 0) + 1
    end
    return actions
  end

  local function promote(id)
    return function(run)
      local group = run:group(id, { region = REGION })
      run:gate("go", { need = 1, of = { "dba" } })
      run:step("promote", function() return group:failover() end)
    end
  end

  it("holds every call with product, action, parameters and region", function()
    local traced = trace(promote "pg-orders")
    assert.is_nil(traced.stopped)
    assert.same({}, traced.imagined)
    assert.equal(1, called(traced)["ebs:FailoverDiskReplicaGroup cn-shanghai"])
    for _, call in ipairs(traced.calls) do
      if call.action == "FailoverDiskReplicaGroup" then
        assert.equal("pg-orders", call.params.ReplicaGroupId)
      end
    end
  end)

  it("imagines groups that no world knows, ready, beside a world that is left as it is", function()
    local world = { regions = { "cn-beijing" }, groups = {} }
    for _, given in ipairs { {}, { world = world } } do
      local traced = trace(promote "pg-nobody", given)
      assert.is_nil(traced.stopped)
      assert.same({}, traced.left_out)
      assert.same({ { id = "pg-nobody", region = REGION } }, traced.imagined)
      assert.equal(1, called(traced)["ebs:FailoverDiskReplicaGroup cn-shanghai"])
    end
    assert.same({ regions = { "cn-beijing" }, groups = {} }, world)
  end)

  it("goes on from what fails and from what is not done here, and says so", function()
    local traced = trace(function(run)
      run:step("fails", function() return nil, "made up" end)
      run:step("far", { plan = false }, function()
        return require "alicloud.dr.playbook.sandbox".refuse "os.execute"()
      end)
      run:step("given", { plan = function() return { ok = false } end }, function() error "no" end)
      run:verify("seen", function(own) return own.client:call("ebs:DescribeRegions", {}) end)
      run:step("hook", function(own) return own:program "false" end)
    end)
    assert.is_nil(traced.stopped)
    assert.same({ 'step "fails": made up', 'step "given": its result says that it is not ok' },
      traced.left_out)
    assert.equal(1, called(traced)["ebs:DescribeRegions cn-shanghai"])
  end)

  it("says that the playbook's own function has failed", function()
    assert.matches("it leaks", trace(function() return nil, "it leaks" end).stopped, 1, true)
  end)

  it("holds the calls of the way back, before the point of no return and behind it", function()
    local function stop(run, id)
      return run.client:call("StopDiskReplicaGroup", { ReplicaGroupId = id })
    end
    local traced = trace(function(run)
      run:step("fence", { undo = function(own) return stop(own, "pg-orders") end },
        function() return true end)
      run:step("promote", { point_of_no_return = true }, function() return true end)
      run:step("serve", { undo = function(own) return stop(own, "pg-payments") end },
        function() return true end)
    end)
    local stopped = {}
    for _, call in ipairs(traced.calls) do stopped[call.params.ReplicaGroupId] = call.action end
    assert.same({ ["pg-orders"] = "StopDiskReplicaGroup",
      ["pg-payments"] = "StopDiskReplicaGroup" }, stopped)
  end)

  it("traces what clients of the playbook's own call", function()
    local traced = trace(function(run)
      local own = alicloud.client { region = "cn-hangzhou", access_key_id = "x",
        access_key_secret = "y" }
      run:step("own", function() return own:call("ebs:DescribeRegions", {}) end)
    end)
    assert.equal(1, called(traced)["ebs:DescribeRegions cn-hangzhou"])
  end)

  it("ends a step that computes without an end, and goes on behind it", function()
    local traced = trace(function(run)
      run:step("endless", function() while true do end end)
      run:step("behind", function(own) return own.client:call("ebs:DescribeRegions", {}) end)
    end)
    assert.same({ 'step "endless": it computes for too long' }, traced.left_out)
    assert.equal(1, called(traced)["ebs:DescribeRegions cn-shanghai"])
  end)
end)
