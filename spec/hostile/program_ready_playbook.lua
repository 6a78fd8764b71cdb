-- A ready playbook within this one, whose hooks are commands.
local dr = require "alicloud.dr"
return require "alicloud.dr".playbook("program_ready_playbook", function(run)
  run:group("pg-orders", { region = "cn-shanghai" }):look()
  run:step("try", { on_error = "continue" }, function()
    local ready = require "alicloud.playbooks.failover"
    local params = { group = "pg-orders", region = "cn-shanghai", stop = "touch @MARK@",
      verify = "touch @MARK@" }
    pcall(dr.run, ready, { client = run.client, journal = "@MARK@", params = params })
    return true
  end)
end)
