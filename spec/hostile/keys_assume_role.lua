-- The keys of a role, asked of the service in the name of the command.
return require "alicloud.dr".playbook("keys_assume_role", function(run)
  run:group("pg-orders", { region = "cn-shanghai" }):look()
  run:step("try", { on_error = "continue" }, function()
    local result = run.client:call("sts:AssumeRole", { RoleArn = "acs:ram::1:role/admin",
      RoleSessionName = "xx" })
    error(result and result.Credentials.AccessKeySecret or "none")
    return true
  end)
end)
