--- Failback: the service runs at `region` since a failover and goes back to the other site. Refused
--- while disks of the old side look attached or its instances run: replication would overwrite
--- them. Then back as in a planned move: nothing is lost, and the group is protected as it was.
---
---     alicloud-dr run failback group=pg-orders region=cn-shanghai attach=i-orders-hz
---
--- It has no ungraceful way: without the side that has the service nothing can be copied back. If
--- that one is lost after data was replicated back, `failover` with region= the other site opens
--- what has arrived there.

local common = require "alicloud.playbooks.common"
local dr = require "alicloud.dr"

local given = common.PARAMS

local PARAMS = {
  given.group,
  { name = "region", type = "region", help = "where the service runs now; else the client's" },
  { name = "to", type = "region", help = "where it goes; else the other site of the group" },
  { name = "old_side", type = "choice", values = { "detached", "stopped", "unknown" },
    default = "detached", help = "what the old side has to be; unknown: it may be out of sight" },
  { name = "sync_for", type = "duration", default = "2h", help = "how long the copy may take" },
  given.approvers, given.approvals, given.stop, given.restart,
  given.attach, given.verify, given.verify_for,
}

local function other_site(group, wanted)
  local other, err = group:other_site()
  if not other then return nil, err end
  if wanted and wanted ~= other.region then
    return nil, ("to: got %s; the other site of %s is %s"):format(wanted, group.id, other.region)
  end
  return other.region
end

return dr.playbook("failback", { kind = "planned", params = PARAMS,
  summary = "Bring the service back to where it was, and protect it again.",
  graceful_only = "it needs both sites; if the one that has the service is lost, and data was "
    .. "replicated back: alicloud-dr run failover region=THE-OTHER-SITE",
}, function(run)
  local params = run.params
  local group = run:group(params.group, { region = params.region })

  local home = run:step("sides", function() return other_site(group, params.to) end)
  local back = run:group(params.group, { region = home })
  common.approve(run)
  run:step("reverse", function() return group:reprotect { old_side = params.old_side } end)
  local started = run:step("replicate back", { plan = false }, function()
    return group:start {}
  end)
  run:step("catch up", { plan = false }, function()
    return group:await_recovery_point { newer_than = started.server_time,
      timeout = params.sync_for }
  end)
  common.move_without_loss(run, back)
  common.serve(run, back)
  run:step("protect again", { plan = false }, function() return back:reprotect {} end)
  run:step("replicate", { plan = false }, function() return back:start {} end)
end)
