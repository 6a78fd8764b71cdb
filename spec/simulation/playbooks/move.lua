-- The shortest playbook that moves a group: check, promote, verify.
local dr = require "alicloud.dr"

return dr.playbook("move orders", function(run)
  local orders = run:group("pg-move", { region = "cn-shanghai" })
  run:step("check", function() return orders:precheck { max_rpo = "20m" } end)
  run:step("promote", { point_of_no_return = true }, function()
    return orders:failover { max_rpo = "20m" }
  end)
  run:verify("open", function()
    local snapshot = orders:look()
    return snapshot and snapshot.status == "failovered"
  end)
end)
