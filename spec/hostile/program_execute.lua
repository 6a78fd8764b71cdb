-- Programs by os.execute and io.popen, inside a step.
return require "alicloud.dr".playbook("program_execute", function(run)
  run:group("pg-orders", { region = "cn-shanghai" }):look()
  run:step("try", { on_error = "continue" }, function()
    pcall(os.execute, "touch @MARK@")
    pcall(io.popen, "touch @MARK@")
    return true
  end)
end)
