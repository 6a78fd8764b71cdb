-- Changes by every method of a group.
return require "alicloud.dr".playbook("change_group", function(run)
  run:group("pg-orders", { region = "cn-shanghai" }):look()
  run:step("try", { on_error = "continue" }, function()
    local orders = run:group("pg-orders", { region = "cn-shanghai" })
    for _, name in ipairs { "failover", "reprotect", "start", "stop", "sync_now", "start_drill",
      "drill", "clear_drill", "fence", "serve", "failback" } do
      pcall(function() orders[name](orders, { reverse = true, attach = "i-1" }) end)
    end
    return true
  end)
end)
