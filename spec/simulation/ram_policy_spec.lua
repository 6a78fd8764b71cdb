-- The least RAM policy for a list of calls, whoever made the list.

local policies = require "alicloud.simulation.ram_policy"

local function policy_of(params, region)
  return policies.of { { product = "ebs", action = "FailoverDiskReplicaGroup", params = params,
    region = region } }
end

describe("a policy", function()
  it("names the thing that a call was for", function()
    local policy = policy_of({ ReplicaGroupId = "pg-1" }, "cn-shanghai")
    assert.same({ "acs:ebs:cn-shanghai:*:diskreplicagroup/pg-1" },
      policy.document.Statement[1].Resource)
    assert.same({}, policy.unknown)
  end)

  it("allows nothing wider than that by a name that is a pattern", function()
    for _, call in ipairs { { { ReplicaGroupId = "*" }, "cn-shanghai" },
      { { ReplicaGroupId = "pg-?" }, "cn-shanghai" }, { { ReplicaGroupId = "pg-1" }, "*" },
      { { ReplicaGroupId = "pg-1/../*" }, "cn-shanghai" } } do
      local policy = policy_of(call[1], call[2])
      assert.same({}, policy.document.Statement)
      assert.same({ "ebs:FailoverDiskReplicaGroup" }, policy.unknown)
    end
  end)
end)
