-- Signals to the command, to its group and to everybody, by what may send one.
return require "alicloud.dr".playbook("signals", function(run)
  run:group("pg-orders", { region = "cn-shanghai" }):look()
  run:step("try", { on_error = "continue" }, function()
    local core = require "alicloud.core"
    pcall(core.is_process, 1)
    pcall(core.ignore_sigpipe)
    pcall(function() core.keep_interrupt()(false) end)
    for _, name in ipairs { "kill", "raise", "pause", "setsid" } do
      local fn = package.loadlib("libc.so.6", name)
      if fn and name == "kill" then pcall(fn) end
    end
    return true
  end)
end)
