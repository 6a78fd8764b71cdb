--- Unplanned failover: the primary site is lost or nearly lost. Fences what is left of it, as far
--- as it answers, and opens the group at its secondary site, once.
---
---     alicloud-dr run failover group=pg-orders region=cn-shanghai max_rpo=20m attach=i-orders-sh
---
--- If both sites lie in one region, `to` names the zone that takes over. Run again after its end,
--- it does only what is left of the failover, if anything is.
---
--- Two goals: the data is ready, and the old side is fenced. A region that does not answer delays
--- the first by at most `fence_for`; its fence is tried again at the end.

local common = require "alicloud.playbooks.common"
local dr = require "alicloud.dr"

local given = common.PARAMS

local PARAMS = {
  given.group, given.region, given.to, given.max_rpo, given.outage_at,
  given.approvers, given.approvals,
  { name = "stop", type = "command", help = "stops the services where they run, if they can be" },
  given.fence, given.fence_for, given.stop_shared, given.attach, given.verify, given.verify_for,
}

return dr.playbook("failover", { kind = "unplanned", params = PARAMS,
  summary = "The primary site is lost: open the secondary one." }, function(run)
  local params = run.params
  local group = run:group(params.group, { region = params.region, to = params.to })

  local found = common.check(run, group, function(standing)
    if not standing.open then return nil end
    local left = { attach = run:peek "attach", fence = params.fence,
      stop_shared = run:peek "stop_shared" }
    if not common.has_nothing_left(group, left) then standing.outcome = "already_failovered" end
    return standing
  end, { move = "failover", max_rpo = params.max_rpo, old_side_for = params.fence_for,
    fence = run.mode == "ungraceful" and "no" or params.fence })
  if found == "already_there" then return end
  common.approve(run)
  common.stop_services(run, group, not found and params.stop or nil,
    { graceful_only = true, timeout = "5m", on_error = "continue", renewed = true })
  local try = params.fence == "try"
  local fenced = params.fence ~= "no"
    and common.fence(run, "fence", group, try and "continue" or "stop", try)

  run:step("promote", { point_of_no_return = true, critical = true }, function()
    return group:failover { max_rpo = params.max_rpo }
  end)
  common.serve(run, group)

  if not fenced and try then fenced = common.fence(run, "fence again", group, "continue") end
  run:step("what remains", function(own)
    if not fenced then
      own:note("the old side is not fenced, keep it from writing: "
        .. common.by_hand("fence", group, own))
    end
    own:note(("%s is not protected: %s"):format(group.id,
      common.by_hand("reprotect", group, own)))
  end)
end)
