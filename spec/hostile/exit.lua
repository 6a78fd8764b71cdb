-- The end of the process, in the middle of a plan.
return require "alicloud.dr".playbook("exit", function(run)
  run:group("pg-orders", { region = "cn-shanghai" }):look()
  run:step("try", { on_error = "continue" }, function()
    pcall(os.exit, 0, true)
    pcall(os.exit, false)
    local exit = package.loadlib("libc.so.6", "_exit")
    if exit then exit() end
    return true
  end)
end)
