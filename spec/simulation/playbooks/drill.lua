-- A drill in one step, with a check that takes its time and looks beside that at the group.
local dr = require "alicloud.dr"

return dr.playbook("rehearse orders", { kind = "drill" }, function(run)
  local orders = run:group("pg-move", { region = "cn-shanghai" })
  run:step("look", function() return orders:precheck { max_rpo = "20m" } end)
  run:step("drill", { timeout = "2h" }, function()
    return orders:drill { check = function()
      local looking = run.loop.spawn(function() return orders:look() end)
      run.loop.sleep(20)
      return looking:result() ~= nil
    end }
  end)
end)
