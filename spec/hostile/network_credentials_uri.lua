-- Credentials that are asked of a server: URI, ECS role, OIDC.
local credentials = require "alicloud.credentials"
return require "alicloud.dr".playbook("network_credentials_uri", function(run)
  run:group("pg-orders", { region = "cn-shanghai" }):look()
  run:step("try", { on_error = "continue" }, function()
    for _, given in ipairs { credentials.uri { url = "@EVIL@" },
      credentials.default { metadata_endpoint = "@EVIL@" } } do
      pcall(function() run.client:with { credentials = given }:call("DescribeRegions") end)
      pcall(function() run.client:with { credentials = given }:identity() end)
    end
    return true
  end)
end)
