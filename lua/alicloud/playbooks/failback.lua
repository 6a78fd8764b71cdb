--- Failback: after a failover the service runs at `region`, and goes back to the other site.
--- Refused while disks of that old side look attached or its instances run, since replication
--- overwrites them. Then it moves back as planned does: nothing is lost, and the group is protected
--- again.
---
---     alicloud-dr run failback group=pg-orders region=cn-shanghai attach=i-orders-hz
---
--- If both sites lie in one region, `to` names the zone that it goes to. A service that is back
--- already stays as it is, which is noted.
---
--- There is no ungraceful mode: without the side that has the service nothing can be copied back.
--- If that side is lost after data was replicated back, run `failover` with region= the other site,
--- which opens what has arrived there.

local common = require "alicloud.playbooks.common"
local dr = require "alicloud.dr"
local formats = require "alicloud.base.formats"
local without_loss = require "alicloud.playbooks.without_loss"

local given = common.PARAMS

local PARAMS = {
  given.group,
  { name = "region", type = "region", help = "where the service runs now; else the client's" },
  { name = "to", type = "place", help = "zone or region it goes to; else the other site" },
  { name = "old_side", type = "choice", values = { "detached", "stopped", "unknown" },
    default = "detached", help = "what the old side has to be; unknown: it may be out of sight" },
  { name = "sync_for", type = "duration", default = "2h", help = "how long the copy may take" },
  given.approvers, given.approvals, given.stop, given.restart,
  given.stop_shared, given.attach, given.verify, given.verify_for,
}

-- Finds the two sides. Between zones of one region the service runs at the one that is not `to`.
local function find_sides(group, wanted)
  local back, err = group:other_site()
  if not back and wanted and err.code == "Client.DirectionNeeded" then
    back = group:at(wanted)
    group, err = back:other_site()
  end
  if not back or not group then return nil, err end
  if wanted and formats.region_of(wanted) ~= back.region then
    return nil, ("to: got %s; the other site of %s is %s"):format(wanted, group.id, back.region)
  end
  local standing
  standing, err = back:standing()
  if not standing then return nil, err end
  standing.home, standing.away = wanted or back.to or back.region, group.to or group.region
  if standing.open then standing.outcome = "already_failovered" end
  return standing
end

local function copy_back(run, group)
  run:step("reverse", function() return group:reprotect { old_side = run.params.old_side } end)
  local started = run:step("replicate back", function()
    return group:start {}
  end)
  run:step("catch up", function()
    return group:await_recovery_point { newer_than = started.server_time,
      timeout = run.params.sync_for }
  end)
end

return dr.playbook("failback", { kind = "planned", params = PARAMS,
  summary = "Bring the service back to where it was, and protect it again.",
  graceful_only = "it needs both sites; if the one that has the service is lost, and data was "
    .. "replicated back: alicloud-dr run failover region=THE-OTHER-SITE",
}, function(run)
  local params = run.params
  local named = run:group(params.group, { region = params.region })

  local sides = run:step("sides", function() return find_sides(named, params.to) end) or {}
  local group = sides.away and sides.away ~= named.region and named:at(sides.away) or named
  local back = sides.home and named:at(sides.home) or named
  if sides.outcome == "already_there" then return common.note_standing(run, back, sides) end
  if not sides.open then
    local found = run:step("check", function(own)
      return common.preflight(own, group, { move = "failback" })
    end)
    common.check_corrected(run, group, found, { move = "failback" })
  end
  common.approve(run)
  if not sides.open then
    copy_back(run, group)
    without_loss.move(run, back)
  end
  common.serve(run, back)
  run:step("protect again", function() return back:reprotect {} end)
  run:step("replicate", function() return back:start {} end)
end)
