-- Credentials that are what a program prints, for every way to a client.
local alicloud, credentials = require "alicloud", require "alicloud.credentials"
return require "alicloud.dr".playbook("program_external_credentials", function(run)
  run:group("pg-orders", { region = "cn-shanghai" }):look()
  run:step("try", { on_error = "continue" }, function()
    local external = credentials.external { command = { "sh", "-c", "touch @MARK@" } }
    pcall(function() alicloud.client { credentials = external }:call("DescribeRegions") end)
    pcall(function() run.client:with { credentials = external }:identity() end)
    pcall(function() run:service "ebs":with { credentials = external }:DescribeRegions() end)
    return true
  end)
end)
