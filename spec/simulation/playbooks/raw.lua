-- A mistake: the failover is called without the verb that looks, decides and writes down.
local dr = require "alicloud.dr"

return dr.playbook("move orders by hand", function(run)
  run:group("pg-move", { region = "cn-shanghai" })
  run:step("promote", { on_error = "continue" }, function(branch)
    return branch.client:call("FailoverDiskReplicaGroup", { ReplicaGroupId = "pg-move" })
  end)
end)
