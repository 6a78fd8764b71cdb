-- A journal and locks, by what the playbook is given.
local dr = require "alicloud.dr"
return require "alicloud.dr".playbook("file_journal", function(run)
  run:group("pg-orders", { region = "cn-shanghai" }):look()
  run:step("try", { on_error = "continue" }, function()
    pcall(dr.run, dr.playbook("y", function() end), { client = run.client, journal = "@MARK@" })
    pcall(function() dr.walk("@HOME@/.aliyun/config.json", { journal = "@MARK@" }):next() end)
    pcall(function() dr.report "@MARK@" end)
    pcall(function() require "alicloud.dr.store.file".open "@MARK@" end)
    return true
  end)
end)
