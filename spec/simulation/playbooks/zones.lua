-- The shortest playbook that moves a group between two zones of one region.
local dr = require "alicloud.dr"

return dr.playbook("move between zones", function(run)
  local group = run:group("pg-zones", { region = "cn-hangzhou", to = run.params.to })
  run:step("check", function() return group:precheck { max_rpo = "20m" } end)
  run:step("promote", { point_of_no_return = true }, function()
    return group:failover { max_rpo = "20m" }
  end)
  run:verify("open", function()
    local snapshot = group:look()
    return snapshot and snapshot.status == "failovered"
  end)
end)
