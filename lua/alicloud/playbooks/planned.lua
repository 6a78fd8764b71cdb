--- Planned failover: both sites work, and nothing may be lost. Stops the services, fences the old
--- side, copies the last writes, and only then opens the group at the other site.
---
---     alicloud-dr run planned group=pg-orders region=cn-shanghai attach=i-orders-sh
---
--- A group that is there already stays as it is, which is noted. If both sites lie in one region,
--- `to` names the zone.
---
--- If it fails before the point of no return, it starts replication again, and the services with
--- `restart`. A resumed run begins with the stop. There is no ungraceful mode, since nothing can be
--- proved of a side that does not answer; to give the old side up, run `failover`.

local common = require "alicloud.playbooks.common"
local dr = require "alicloud.dr"
local without_loss = require "alicloud.playbooks.without_loss"

local given = common.PARAMS

local PARAMS = {
  given.group, given.region, given.to, given.max_rpo, given.approvers, given.approvals, given.stop,
  given.restart, given.stop_shared, given.attach, given.verify, given.verify_for,
  { name = "protect", type = "boolean", default = "yes",
    help = "replicate back from the new side afterwards" },
}

return dr.playbook("planned", { kind = "planned", params = PARAMS,
  summary = "Move a group to its other site without losing anything.",
  graceful_only = "it needs both sites; to give the old one up: alicloud-dr run failover",
}, function(run)
  local params = run.params
  local group = run:group(params.group, { region = params.region, to = params.to })

  local found = common.check(run, group, function(standing)
    local attach = run:peek "attach"
    local done = not standing.open
      or not params.protect and common.has_nothing_left(group, { attach = attach })
    if not done then return common.refuse_open(group) end
    if not standing.open and common.is_unserved(group, attach) then
      standing.outcome = "already_moved"
    end
    return standing
  end, { move = "planned", max_rpo = params.max_rpo })
  if found == "already_there" then return end
  common.approve(run)
  if not found then without_loss.move(run, group) end
  common.serve(run, group)
  if found then return end

  if not params.protect then
    return run:note(("%s is not protected: %s"):format(group.id,
      common.by_hand("reprotect", group, run)))
  end
  run:step("reprotect", function() return group:reprotect {} end)
  run:step("replicate", function() return group:start {} end)
end)
