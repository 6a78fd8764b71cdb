-- A loop in a coroutine, where the count of a step does not reach.
return require "alicloud.dr".playbook("endless_coroutine", function(run)
  run:group("pg-orders", { region = "cn-shanghai" }):look()
  run:step("try", { on_error = "continue" }, function()
    coroutine.wrap(function() while true do end end)()
    return true
  end)
end)
