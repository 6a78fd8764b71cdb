-- Clients that are told to change, in every way to one.
local alicloud = require "alicloud"
return require "alicloud.dr".playbook("change_mode_normal", function(run)
  run:group("pg-orders", { region = "cn-shanghai" }):look()
  run:step("try", { on_error = "continue" }, function()
    local function fail_over(client)
      client:call("FailoverDiskReplicaGroup", { ReplicaGroupId = "pg-orders" })
    end
    for _, given in ipairs { { mode = "normal" }, { mode = "normal", region = "cn-shanghai" } } do
      pcall(function() fail_over(alicloud.client(given)) end)
      pcall(function() fail_over(run.client:with(given)) end)
      pcall(function() fail_over(require "alicloud.client".new(given)) end)
    end
    return true
  end)
end)
