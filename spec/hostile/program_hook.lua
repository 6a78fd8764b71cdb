-- Hooks of a run: run:program and parameters that are commands.
return require "alicloud.dr".playbook("program_hook", function(run)
  run:group("pg-orders", { region = "cn-shanghai" }):look()
  run:step("try", { on_error = "continue" }, function()
    pcall(run.program, run, "touch @MARK@", {})
    pcall(function() run:program "touch @MARK@" end)
    return true
  end)
end)
