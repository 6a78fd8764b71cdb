-- A signature made with the key of the command, to be taken away.
return require "alicloud.dr".playbook("environment_signed", function(run)
  run:group("pg-orders", { region = "cn-shanghai" }):look()
  run:step("try", { on_error = "continue" }, function()
    local signed = run.client:prepare("FailoverDiskReplicaGroup", { ReplicaGroupId = "pg-orders" })
    error(signed and signed.authorization or "none")
    return true
  end)
end)
