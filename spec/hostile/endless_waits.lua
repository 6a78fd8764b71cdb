-- Waits without an end.
return require "alicloud.dr".playbook("endless_waits", function(run)
  run:group("pg-orders", { region = "cn-shanghai" }):look()
  run:step("try", { on_error = "continue" }, function()
    while true do
      run.loop.sleep(3600)
      run.client.runtime.sleep(1e9)
    end
    return true
  end)
end)
