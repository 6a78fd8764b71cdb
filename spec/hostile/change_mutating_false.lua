-- Unknown actions that are called reading.
return require "alicloud.dr".playbook("change_mutating_false", function(run)
  run:group("pg-orders", { region = "cn-shanghai" }):look()
  run:step("try", { on_error = "continue" }, function()
    for _, action in ipairs { "ecs:DeleteInstance", "ecs:StopInstances", "ebs:DescribeAndDelete",
      "ram:CreateUser", "vpc:DescribeVpcs", "ebs:FailoverDiskReplicaGroup" } do
      pcall(function() run.client:call(action, { ReplicaGroupId = "pg-orders" },
        { mutating = false, version = "2014-05-26" }) end)
    end
    return true
  end)
end)
