-- Changes by every operation that a service has as a method.
return require "alicloud.dr".playbook("change_service", function(run)
  run:group("pg-orders", { region = "cn-shanghai" }):look()
  run:step("try", { on_error = "continue" }, function()
    for _, product in ipairs { "ebs", "ecs", "sts" } do
      local service = run.client:service(product)
      for action in pairs(require("alicloud.service." .. product).operations) do
        pcall(function()
          service[action](service, { ReplicaGroupId = "pg-orders", InstanceId = "i-1" })
        end)
        pcall(service.call, service, action, { ReplicaGroupId = "pg-orders" }, { mutating = false })
        pcall(service.must, service, action, { ReplicaGroupId = "pg-orders" })
      end
    end
    return true
  end)
end)
