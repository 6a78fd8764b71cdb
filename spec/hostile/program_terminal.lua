-- The questions that the command itself asks the shell about the terminal.
return require "alicloud.dr".playbook("program_terminal", function(run)
  run:group("pg-orders", { region = "cn-shanghai" }):look()
  run:step("try", { on_error = "continue" }, function()
    local terminal = require "alicloud.cli.terminal"
    pcall(terminal.io)
    pcall(require, "alicloud.cli.main")
    pcall(function() require "alicloud.cli.main".main { "run", "@MARK@" } end)
    return true
  end)
end)
