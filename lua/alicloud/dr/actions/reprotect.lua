--- Reprotects a group after a failover: exchanges its sides (reverse), or cancels the failover.
---
--- A reversal overwrites the disks of the old primary site. So the compute service is asked about
--- those disks first: if one is attached, its data may still be in use. Source:
--- ReprotectDiskReplicaGroup; user guide, failback.

local attachment = require "alicloud.dr.read.attachment"
local replication_change = require "alicloud.dr.actions.replication_change"
local transitions = require "alicloud.dr.model.transition"

local M = {}

---@class alicloud.dr.ReprotectOptions: alicloud.dr.ChangeOptions
---@field reverse? boolean false: cancel the failover, and lose what was written since (true)
---@field old_side? alicloud.dr.OldSide what must be true of the old primary disks (detached)

---@alias alicloud.dr.OldSide
---| "detached" # attached nowhere
---| "stopped"  # attached to nothing but stopped instances
---| "unknown"  # as stopped, and disks or instances that cannot be read count as stopped

---@class alicloud.dr.ReprotectResult: alicloud.dr.ChangeResult
---@field outcome "reprotected"|"already_reprotected"
---@field reverse boolean
---@field old_side alicloud.dr.SideUse? what was known of the old primary disks

local function unknown_old_side(side)
  return { kind = "state", code = "Client.OldSideUnknown", message = side.why, cause = side.err,
    old_side = side, retryable = true,
    hint = 'wait until the region answers, or accept it with old_side = "unknown" once you know '
      .. "otherwise that nothing writes there; a reversal needs both sites anyway" }
end

local function busy_old_side(side, names, demanded, passes)
  local cure = demanded == "detached"
      and 'stop the instances and detach the disks (group:fence), or accept stopped instances with '
        .. 'old_side = "stopped"; a start will ask for detached disks'
    or "stop the instances (group:fence)"
  return { kind = "state", code = "Client.OldSideInUse", old_side = side, hint = cure,
    passes = passes,
    message = "disks of the old primary site are in use: " .. names }
end

local function problem_of_old_side(kind, change, snapshot)
  local demanded = change.options.old_side
  -- With old_side = "unknown" the region is not waited for.
  local read = demanded == "unknown" and attachment.of_side_at_once or attachment.of_side
  local side = read(change.group.client, snapshot, "from")
  kind.facts.old_side = side
  if not side.known and demanded ~= "unknown" then return unknown_old_side(side) end
  local names, passes = attachment.in_use(side, demanded)
  return names and busy_old_side(side, names, demanded, passes) or nil
end

-- The snapshot with the direction before the reversal, with the meant side as secondary site.
local function orient(_, snapshot)
  if snapshot.role == "secondary" then return snapshot end
  local turned = {}
  for name, value in pairs(snapshot) do turned[name] = value end
  turned.from, turned.to = snapshot.to, snapshot.from
  return turned
end

local function kind_of(reverse)
  local kind = { transition = reverse and transitions.reverse or transitions.cancel,
    outcome = "reprotected", one_sided = true,
    facts = { reverse = reverse } }
  function kind.is_done(_, snapshot)
    local turned = snapshot.role == "primary"
    return transitions.is_done(kind.transition, snapshot) and turned == reverse
  end
  function kind.problem(change, snapshot)
    return replication_change.problem_of_side(snapshot, "reprotect in")
      or replication_change.problem_of_status(kind.transition, snapshot)
      or reverse and problem_of_old_side(kind, change, snapshot) or nil
  end
  function kind.regions(change) return { change.group.region } end
  if reverse then kind.orient = orient end
  return kind
end

--- Runs one reprotection to its end.
---@param group alicloud.dr.Group
---@param options alicloud.dr.ReprotectOptions durations in seconds, defaults filled in
---@return alicloud.dr.ReprotectResult|nil
---@return alicloud.Error? err
function M.run(group, options)
  options.old_side = options.old_side or "detached"
  options.reverse = options.reverse ~= false
  return replication_change.run_one_way(group, options, "reverse", kind_of)
end

return M
