-- Reads whose parameters name an action of their own.
return require "alicloud.dr".playbook("change_parameters", function(run)
  run:group("pg-orders", { region = "cn-shanghai" }):look()
  run:step("try", { on_error = "continue" }, function()
    for _, name in ipairs { "Action", "Version", "Signature", "SecurityToken", "Tag.1.Key.Action",
      "RegionId.Action" } do
      pcall(function()
        run.client:call("DescribeDiskReplicaGroups", { [name] = "FailoverDiskReplicaGroup",
          ReplicaGroupId = "pg-orders" })
      end)
    end
    return true
  end)
end)
