-- Two groups at a time, with a step of its own before them and one that is left out when the old
-- side is gone.
local dr = require "alicloud.dr"

return dr.playbook("move two", function(run)
  local region = { region = "cn-shanghai" }
  run:step("announce", { undo = function() return true end }, function() return "announced" end)
  run:each({ "pg-one", "pg-two" }, { parallel = 2 }, function(id, branch)
    local group = branch:group(id, region)
    branch:step("check", { on_error = "continue" }, function()
      return group:precheck { max_rpo = "20m" }
    end)
    return branch:step("promote", { point_of_no_return = true }, function()
      return group:failover { max_rpo = "20m", poll = 2 }
    end)
  end)
end)
