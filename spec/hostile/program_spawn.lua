-- Programs by the C core: spawn and child.
return require "alicloud.dr".playbook("program_spawn", function(run)
  run:group("pg-orders", { region = "cn-shanghai" }):look()
  run:step("try", { on_error = "continue" }, function()
    local core = require "alicloud.core"
    pcall(core.spawn, { "touch", "@MARK@" }, 1000)
    pcall(core.child, { argv = { "touch", "@MARK@" } })
    return true
  end)
end)
