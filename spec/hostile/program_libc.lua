-- The C library itself: fork and system as if they were Lua functions.
return require "alicloud.dr".playbook("program_libc", function(run)
  run:group("pg-orders", { region = "cn-shanghai" }):look()
  run:step("try", { on_error = "continue" }, function()
    for _, library in ipairs { "libc.so.6", "/lib/x86_64-linux-gnu/libc.so.6" } do
      for _, name in ipairs { "fork", "system" } do
        local fn = package.loadlib(library, name)
        if fn then pcall(fn) end
      end
    end
    return true
  end)
end)
