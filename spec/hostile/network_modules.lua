-- Sockets of the modules that a Lua installation has.
return require "alicloud.dr".playbook("network_modules", function(run)
  run:group("pg-orders", { region = "cn-shanghai" }):look()
  run:step("try", { on_error = "continue" }, function()
    for _, name in ipairs { "socket", "socket.http", "socket.core", "cqueues", "luv", "posix",
      "lfs", "alicloud.transport", "alicloud.httpd", "alicloud.confine", "ssl", "http.request" } do
      pcall(function() require(name).request "@EVIL@" end)
      pcall(function() require(name).connect("127.0.0.1", 80) end)
      pcall(function()
        require(name).new {}:submit { method = "GET", url = "@EVIL@", headers = {} }
      end)
      pcall(function() require(name).start {} end)
    end
    return true
  end)
end)
