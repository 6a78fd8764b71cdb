-- A loop in a finalizer that runs when the process is to end.
return require "alicloud.dr".playbook("endless_finalizer_at_the_end", function(run)
  run:group("pg-orders", { region = "cn-shanghai" }):look()
  run:step("try", { on_error = "continue" }, function()
    _G.kept = setmetatable({}, { __gc = function() while true do end end })
    return true
  end)
end)
