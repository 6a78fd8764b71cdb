-- Files written by io, os and the core.
local core = require "alicloud.core"
return require "alicloud.dr".playbook("file_write", function(run)
  run:group("pg-orders", { region = "cn-shanghai" }):look()
  run:step("try", { on_error = "continue" }, function()
    pcall(function() io.open("@MARK@", "w"):close() end)
    pcall(io.output, "@MARK@")
    pcall(os.rename, "/proc/self/environ", "@MARK@")
    pcall(os["tmpname"])
    pcall(io["tmpfile"])
    pcall(core.open_file, "@MARK@", "create")
    pcall(core.make_directory, "@MARK@")
    return true
  end)
end)
