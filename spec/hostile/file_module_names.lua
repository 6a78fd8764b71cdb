-- Files of the machine by names of modules.
return require "alicloud.dr".playbook("file_module_names", function(run)
  run:group("pg-orders", { region = "cn-shanghai" }):look()
  run:step("try", { on_error = "continue" }, function()
    for _, name in ipairs { "../../../../etc/passwd", "/etc/passwd", "@HOME@/.aliyun/config", "a;b",
      "%2e%2e", "alicloud/core", "..", ".", "", "\0", ("x"):rep(190), ("a."):rep(90) .. "a" } do
      local ok, module = pcall(require, name)
      if ok and type(module) == "string" then error(module) end
    end
    return true
  end)
end)
