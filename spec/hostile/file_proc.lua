-- The memory and the environment of the command, by /proc.
return require "alicloud.dr".playbook("file_proc", function(run)
  run:group("pg-orders", { region = "cn-shanghai" }):look()
  run:step("try", { on_error = "continue" }, function()
    for _, path in ipairs { "/proc/self/environ", "/proc/1/environ", "/proc/self/mem",
      "/proc/self/maps", "/proc/self/fd/3", "/proc/thread-self/../../cmdline" } do
      local ok, file = pcall(io.open, path, "rb")
      if ok and file then error(file:read "a") end
    end
    return true
  end)
end)
