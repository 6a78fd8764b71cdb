-- Names of actions that are read in two ways.
return require "alicloud.dr".playbook("change_action_names", function(run)
  run:group("pg-orders", { region = "cn-shanghai" }):look()
  run:step("try", { on_error = "continue" }, function()
    local params = { Action = "FailoverDiskReplicaGroup", ReplicaGroupId = "pg-orders" }
    for _, action in ipairs { "FailoverDiskReplicaGroup&Action=DescribeRegions", "__index",
      "DescribeRegions\0", "DescribeRegions\nX", "ebs:ebs:DescribeRegions", "describeRegions",
      "DescribeRegions ", "Describe" } do
      pcall(run.client.call, run.client, action, params)
    end
    return true
  end)
end)
