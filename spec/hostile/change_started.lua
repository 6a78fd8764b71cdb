-- Changes that are started and not waited for.
return require "alicloud.dr".playbook("change_started", function(run)
  run:group("pg-orders", { region = "cn-shanghai" }):look()
  run:step("try", { on_error = "continue" }, function()
    for _, client in ipairs { run.client, run.client:with {} } do
      pcall(function()
        client:start("FailoverDiskReplicaGroup", { ReplicaGroupId = "pg-orders" }):done()
      end)
    end
    return true
  end)
end)
