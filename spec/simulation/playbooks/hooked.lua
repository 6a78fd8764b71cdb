-- Moves a group, starts the service there and asks a program whether it is back.
local dr = require "alicloud.dr"

return dr.playbook("move shop", { params = {
  { name = "attach", type = "disks" }, { name = "start", type = "command" },
  { name = "verify", type = "command" },
} }, function(run)
  local shop = run:group("pg-shop", { region = "cn-shanghai" })
  run:step("promote", { point_of_no_return = true }, function()
    return shop:failover { max_rpo = "20m" }
  end)
  run:step("serve", function() return shop:serve { attach = run.params.attach } end)
  run:step("start", { timeout = "5m" }, function(own) return own:program(own.params.start) end)
  run:verify("answers", { timeout = "1m" }, function(own)
    return own:program(own.params.verify)
  end)
end)
