-- Steps without an end.
return require "alicloud.dr".playbook("endless_steps", function(run)
  run:group("pg-orders", { region = "cn-shanghai" }):look()
  run:step("try", { on_error = "continue" }, function()
    local n = 0
    while true do
      n = n + 1
      run:step("step " .. n, function() return n end)
    end
    return true
  end)
end)
