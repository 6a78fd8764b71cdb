local core = require "alicloud.core"
local helper = require "spec.helper"
local endpoint = require "alicloud.net.endpoint"
local plans = require "alicloud.call.plan"
local retry = require "alicloud.call.retry"

local function context(overrides)
  local all = {
    config = {}, endpoints = {}, forms = {}, product = "ebs", region = "cn-shanghai",
    network = "public",
    timeout = 10, write_timeout = 30, deadline = 60, resend = "token",
    policy = retry.policy(), runtime = (helper.runtime()),
  }
  for name, value in pairs(overrides or {}) do all[name] = value end
  return all
end

local function plan(action, params, given, overrides)
  local made, message = plans.new(context(overrides), action, params, given)
  return assert(made, message)
end

local function refused(action, params, given, overrides)
  local made, message = plans.new(context(overrides), action, params, given)
  assert.is_nil(made)
  return message
end

local GROUP = { ReplicaGroupId = "pg-orders" }

describe("a plan", function()
  it("knows product, version and nature of an operation from the service data", function()
    local made = plan("FailoverDiskReplicaGroup", GROUP)
    assert.equal("ebs", made.product)
    assert.equal("2021-07-30", made.version)
    assert.is_true(made.mutating)
    assert.equal("POST", made.method)
    assert.is_false(plan("ebs:DescribeDiskReplicaGroups").mutating)
  end)

  it("fills in the region and the endpoint follows it", function()
    local made = plan("FailoverDiskReplicaGroup", GROUP)
    assert.equal("cn-shanghai", made.flat.RegionId)
    assert.equal("ebs.cn-shanghai.aliyuncs.com", made.target.host)
    made = plan("FailoverDiskReplicaGroup", { ReplicaGroupId = "g", RegionId = "cn-beijing" })
    assert.equal("cn-beijing", made.flat.RegionId)
    assert.equal("ebs.cn-beijing.aliyuncs.com", made.target.host)
  end)

  it("lets the option region decide about the endpoint, not about a given RegionId", function()
    local made = plan("FailoverDiskReplicaGroup",
      { ReplicaGroupId = "g", RegionId = "cn-beijing" }, { region = "cn-hangzhou" })
    assert.equal("cn-beijing", made.flat.RegionId)
    assert.equal("ebs.cn-hangzhou.aliyuncs.com", made.target.host)
    assert.equal("cn-hangzhou",
      plan("FailoverDiskReplicaGroup", GROUP, { region = "cn-hangzhou" }).flat.RegionId)
  end)

  it("makes a token of 32 hexadecimal digits for a change, different each time", function()
    local shared = context()
    local first = assert(plans.new(shared, "FailoverDiskReplicaGroup", GROUP))
    local second = assert(plans.new(shared, "FailoverDiskReplicaGroup", GROUP))
    assert.matches("^%x+$", first.token)
    assert.equal(32, #first.token)
    assert.equal(first.token, first.flat.ClientToken)
    assert.not_equal(first.token, second.token)
    assert.is_nil(plan("DescribeDiskReplicaGroups").token)
  end)

  it("makes what is null, a change never goes without a token", function()
    local made = plan("FailoverDiskReplicaGroup",
      { ReplicaGroupId = "g", ClientToken = core.null, RegionId = core.null })
    assert.matches("^%x+$", made.token)
    assert.equal(made.token, made.flat.ClientToken)
    assert.equal("cn-shanghai", made.flat.RegionId)
    assert.equal("mine", plan("FailoverDiskReplicaGroup",
      { ReplicaGroupId = "g", ClientToken = core.null }, { client_token = "mine" }).token)
  end)

  it("takes the caller's token from either place", function()
    assert.equal("mine", plan("FailoverDiskReplicaGroup", GROUP, { client_token = "mine" }).token)
    assert.equal("mine", plan("FailoverDiskReplicaGroup",
      { ReplicaGroupId = "g", ClientToken = "mine" }, { client_token = "mine" }).token)
    assert.matches("client_token: it differs", refused("FailoverDiskReplicaGroup",
      { ReplicaGroupId = "g", ClientToken = "mine" }, { client_token = "other" }))
  end)

  it("refuses a token that is too long or not printable, also without service data", function()
    for _, token in ipairs { "", ("a"):rep(65), "a\n", "ä" } do
      for _, action in ipairs { "FailoverDiskReplicaGroup", "CreateSomething" } do
        local given = action == "CreateSomething" and {} or GROUP
        assert.matches("ClientToken: got .*allowed: 1%-64 printable ASCII",
          refused(action, given, { client_token = token }))
      end
    end
  end)

  it("does not touch the caller's parameters", function()
    local params = { ReplicaGroupId = "g" }
    plan("FailoverDiskReplicaGroup", params)
    assert.same({ ReplicaGroupId = "g" }, params)
  end)

  it("judges actions without data by their name", function()
    for action, mutating in pairs {
      DescribeAnything = false, ListThings = false, GetThing = false, QueryThing = false,
      DeleteThing = true, Destroy = true, RunInstances = true, Undescribe = true,
    } do
      assert.equal(mutating, plan(action).mutating, action)
    end
    assert.is_false(plan("CheckThing", nil, { mutating = false }).mutating)
  end)

  it("does not believe that a known change is a reading", function()
    assert.matches("option mutating", refused("FailoverDiskReplicaGroup", GROUP,
      { mutating = false }))
    assert.is_true(plan("DescribeDiskReplicaGroups", nil, { mutating = true }).mutating)
  end)

  it("sends any action of any product whose version is given", function()
    local made = plan("vpc:DescribeVpcs", { VpcId = "x" }, { version = "2016-04-28" })
    assert.equal("vpc.cn-shanghai.aliyuncs.com", made.target.host)
    assert.is_nil(made.flat.RegionId)
    made = plan("ecs:DescribeZones", { Any = "thing" })
    assert.equal("2014-05-26", made.version)
    assert.equal("ecs.cn-shanghai.aliyuncs.com", made.target.host)
    assert.matches("^nosuch:DescribeDisks: option version is required.*; allowed: the date",
      refused("nosuch:DescribeDisks"))
  end)

  it("does not judge one version by the data of another", function()
    local made = plan("FailoverDiskReplicaGroup", { Other = 1 }, { version = "2099-01-01" })
    assert.same({ Other = "1" }, made.flat)
    assert.equal("2099-01-01", made.version)
    assert.is_true(made.mutating)
  end)

  it("gives changes more time than readings, unless told otherwise", function()
    assert.equal(30, plan("FailoverDiskReplicaGroup", GROUP).timeout)
    assert.equal(10, plan("DescribeDiskReplicaGroups").timeout)
    assert.equal(3, plan("DescribeDiskReplicaGroups", nil, { timeout = 3 }).timeout)
    assert.equal(5, plan("FailoverDiskReplicaGroup", GROUP, nil,
      { config = { write_timeout = 5 } }).timeout)
  end)

  it("turns the number of retries into one more attempt", function()
    assert.equal(3, plan("DescribeRegions").policy.attempts)
    assert.equal(1, plan("DescribeRegions", nil, { retries = 0 }).policy.attempts)
  end)

  it("names what is wrong in one line, beginning with the operation", function()
    assert.equal('ebs:FailoverDiskReplicaGroup: parameter ReplicaGroupId: got "" (empty string); '
      .. "allowed: an id of 1-64 letters, digits, hyphens, underscores and dots",
      refused("FailoverDiskReplicaGroup", { ReplicaGroupId = "" }))
    assert.matches('^action: got "describeRegions"; allowed: PascalCase', refused "describeRegions")
    assert.matches("^action: got nothing", refused(nil))
    assert.matches('^action: got "Ebs:DescribeRegions"', refused "Ebs:DescribeRegions")
    assert.matches("parameters: got \"x\"; allowed: a table", refused("DescribeRegions", "x"))
    assert.matches('^call: unknown option "timeuot"; did you mean "timeout"',
      refused("DescribeRegions", nil, { timeuot = 5 }))
    assert.matches("^ebs:CreateX: parameter A: got NaN", refused("CreateX", { A = 0 / 0 }))
  end)

  it("cannot be made without a region or with a wrong one", function()
    local nowhere = context()
    nowhere.region = nil
    local made, message = plans.new(nowhere, "DescribeRegions")
    assert.is_nil(made)
    assert.equal("ebs:DescribeRegions: no region: set the option region or "
      .. "ALIBABA_CLOUD_REGION_ID", message)
    assert.matches("region: got \"a.b\"", refused("CreateX", nil, { region = "a.b" }))
    assert.matches("option endpoint: got \"a/b\": it has a path",
      refused("DescribeRegions", nil, { endpoint = "a/b" }))
  end)

  it("remembers where calls go, and not how long one of them may take", function()
    local shared = context()
    local function ask(given)
      local made = assert(plans.new(shared, "DescribeDiskReplicaGroups", {}, given))
      return made.deadline, made.target.host
    end
    for _ = 1, 2 do
      assert.equal(60, (ask()))
      assert.same({ 5, "ebs.cn-hangzhou.aliyuncs.com" },
        { ask { region = "cn-hangzhou", deadline = 5 } })
      assert.same({ 60, "ebs.cn-hangzhou.aliyuncs.com" }, { ask { region = "cn-hangzhou" } })
      assert.same({ 7, "ebs.cn-shanghai.aliyuncs.com" }, { ask { deadline = 7 } })
    end
    assert.equal(plans.new(shared, "DescribeDisks", {}, { deadline = 1 }).form,
      plans.new(shared, "DescribeDisks", {}, { deadline = 2 }).form)
  end)

  it("resolves each endpoint once", function()
    local asked = 0
    local shared = context()
    local real = endpoint.resolve
    finally(function() endpoint.resolve = real end)
    endpoint.resolve = function(want)
      asked = asked + 1
      return real(want)
    end
    for _ = 1, 3 do plans.new(shared, "DescribeRegions") end
    plans.new(shared, "DescribeRegions", nil, { region = "cn-beijing" })
    assert.equal(2, asked)
  end)
end)
