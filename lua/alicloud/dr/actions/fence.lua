--- Fences the side that data is copied from, so that it can no longer write: stops its instances,
--- then detaches the disks of the group, each only if that is not done already. The calls of a kind
--- leave one after the other, and one listing shows the state of all.

local attachment = require "alicloud.dr.read.attachment"
local changes = require "alicloud.dr.change"
local compute = require "alicloud.dr.actions.compute"
local errors = require "alicloud.base.error"
local failures = require "alicloud.dr.change.failures"
local hosts = require "alicloud.dr.model.hosts"
local neighbours = require "alicloud.dr.read.neighbours"
local part_set = require "alicloud.dr.model.part_set"
local replication_change = require "alicloud.dr.actions.replication_change"
local snapshots = require "alicloud.dr.model.snapshot"
local transitions = require "alicloud.dr.model.transition"

local M = {}

---@class alicloud.dr.FenceOptions: alicloud.dr.WaitOptions
---@field detach? boolean detach the disks too (true)
---@field force? boolean cut the power of instances instead of shutting them down (false)
---@field overruled? alicloud.dr.Force[] Client.PairSetIncomplete: fence the disks of the pairs that
---are listed; a run passes what its people have overruled
---@field stop_shared? string[]|string instances that may be stopped though others use them
---@field confirm? fun(plan: alicloud.dr.FencePlan): boolean
---@field timeout? number|string for each stop and each detach (10m)

---@class alicloud.dr.FencePlan
---@field region string
---@field stop alicloud.dr.DiskHost[] instances that are not stopped
---@field detach alicloud.dr.DiskUse[] disks that are attached
---@field neighbours alicloud.dr.Neighbour[] disks of others on the instances that are to be stopped
---@field before alicloud.dr.FencedDisk[] present attachments and instance statuses, see unfence

---@class alicloud.dr.FenceResult
---@field outcome "fenced"|"already_fenced"
---@field group_id string
---@field region string of the side that is fenced
---@field stopped string[] instances that were stopped by this
---@field detached string[] disks that were detached by this
---@field before alicloud.dr.FencedDisk[] attachments and instance statuses before, see unfence
---@field side alicloud.dr.SideUse as seen at the end
---@field old_side_fenced_at number? unix seconds by the server's clock, of the look that showed the
---side fenced
---@field unproven string? how the other site contradicts what was seen here, in words
---@field unseen string? as of a failover: there may be disks that were not fenced
---@field data_ready_at number? unix seconds by the server's clock, of the look that showed the
---group failovered; nil: it is not
---@field elapsed number seconds
---@field request_ids string[]

local WORDS = transitions.words("ecs", "DescribeDisks", "fence", "fencing")

local function disks_to_detach(side)
  local list = {}
  for _, disk in ipairs(side.disks) do
    if not attachment.is_free(disk) then list[#list + 1] = disk end
  end
  return list
end

-- The attachments and instance statuses before the first change, for unfence.
local function attached_before(side)
  local list = {}
  for _, disk in ipairs(side.disks) do
    for _, host in ipairs(disk.hosts) do
      list[#list + 1] = { disk = disk.id, instance = host.id, status = host.status,
        device = host.device }
    end
  end
  return list
end

local function plan_of(side, options)
  return { region = side.region, stop = hosts.not_stopped(side.disks),
    detach = options.detach ~= false and disks_to_detach(side) or {},
    before = attached_before(side) }
end

-- Seconds for which a list may lack an object, and for which it may be stale.
local BRIEFLY, LAG = 20, 60

local function unreachable(side)
  return { kind = "state", code = "Client.OldSideUnknown", message = side.why, cause = side.err,
    retryable = true, side = side, passes = not side.err and BRIEFLY or nil,
    hint = "nothing is known of the old side, so it does not count as fenced; fence it by other "
      .. "means, or again once the region answers" }
end

local ON_ITS_WAY = { Starting = true, Pending = true }

local function stuck_instance(plan)
  for _, instance in ipairs(plan.stop) do
    if instance.status ~= "Running" and instance.status ~= "Stopping" then
      return { kind = "state", code = "IncorrectInstanceStatus", retryable = true,
        passes = ON_ITS_WAY[instance.status],
        message = ("%s is %s; it can be stopped once it runs"):format(instance.id,
          instance.status) }
    end
  end
  return nil
end

-- Looks for disks of others on the instances before the first one is stopped. If they cannot be
-- read, the side is fenced all the same: it may stop answering soon.
local function shared_instances(change, snapshot, plan)
  local ids, own = {}, {}
  for i, instance in ipairs(plan.stop) do ids[i] = instance.id end
  for _, pair in ipairs(snapshot.pairs) do
    for _, disk in ipairs { pair.source_disk or false, pair.destination_disk or false } do
      own[disk] = true
    end
  end
  plan.neighbours = neighbours.of(change.group.client:outlasting { seconds = 0 }, plan.region, ids,
    own) or {}
  local shared = neighbours.shared(plan.neighbours, change.options.stop_shared)
  return shared and { kind = "state", code = "Client.SharedInstance",
    message = shared.words .. ", and would be stopped",
    hint = ('move the others first; if it may be stopped all the same: stop_shared = "%s"'):format(
      table.concat(shared.instances, ",")) }
end

local function part_failed(err, result)
  err.done_so_far = result
  return nil, err
end

local function stop_all(change, plan, result)
  local err
  result.stopped, err = compute.stop_all(change, plan.region, plan.stop,
    change.options.force == true)
  if err then return part_failed(err, result) end
  return true
end

-- Detaches each disk from all of its instances; it counts as detached only if all are done.
local function detach_all(change, plan, result)
  local jobs, left = {}, {}
  for _, disk in ipairs(plan.detach) do
    for _, job in ipairs(compute.jobs_to_free(disk)) do jobs[#jobs + 1] = job end
    left[disk.id] = #disk.hosts
  end
  local done, err = compute.detach_all(change, plan.region, jobs)
  for _, job in ipairs(done) do left[job.disk.id] = left[job.disk.id] - 1 end
  for _, disk in ipairs(plan.detach) do
    local all = #disk.hosts > 0 and left[disk.id] == 0
    if all then result.detached[#result.detached + 1] = disk.id end
  end
  if err then return part_failed(err, result) end
  return true
end

-- The problem if disks are in use at the end. It may pass if this change did something, since the
-- look may be stale; if it did nothing, the first look was the stale one.
local function undone(side, demanded, result)
  local names = attachment.in_use(side, demanded)
  return names and { message = "in use again after fencing: " .. names,
    passes = result.outcome == "fenced" and LAG or nil } or nil
end

-- The last look decides: somebody may have started an instance meanwhile. Looks again, since one
-- look may be stale.
local function last_look(change, snapshot, result)
  local demanded = change.options.detach ~= false and "detached" or "stopped"
  local side, problem = change:until_passed(function()
    local seen = attachment.of_side(change.group.client, snapshot, "from")
    return seen, not seen.known and unreachable(seen) or undone(seen, demanded, result)
  end)
  result.side = side
  if not side.known then return failures.forbidden(change, problem) end
  if problem then
    return part_failed(errors.new { kind = "state", code = "Client.FenceUndone",
      outcome = "accepted", message = problem.message,
      region = side.region, group_id = change.group.id }, result)
  end
  result.old_side_fenced_at, result.elapsed = side.read_at, change:elapsed()
  change:emit { event = "done", result = result, snapshot = snapshot }
  return result
end

-- The plan for the side, once no disk or instance there is changing any more.
local function look_at_side(change, snapshot)
  return change:until_passed(function()
    local side = attachment.of_side(change.group.client, snapshot, "from")
    local plan = plan_of(side, change.options)
    return plan, not side.known and unreachable(side) or stuck_instance(plan)
      or shared_instances(change, snapshot, plan)
  end)
end

local function look(change)
  local overruled, unseen = change.options.overruled, nil
  local found, err = replication_change.look(change, overruled)
  if not found then return nil, err end
  if part_set.overruled(found.here, overruled) then
    unseen, found.here = part_set.unseen(found.here, "fenced"), part_set.as_listed(found.here)
  end
  local problem, unproven = replication_change.problem_once_open(found)
  problem = problem or replication_change.problem_of_side(found.here, "fence it from")
  if problem then return failures.forbidden(change, problem) end
  local plan
  plan, problem = look_at_side(change, found.here)
  if problem then return failures.forbidden(change, problem) end
  return found.here, plan, { unproven = unproven, unseen = unseen }
end

local function fence(change)
  local options, group = change.options, change.group
  local snapshot, plan, facts = look(change)
  if not snapshot then return nil, plan --[[@as alicloud.Error]] end
  local idle = #plan.stop == 0 and #plan.detach == 0
  if not idle and options.confirm and not options.confirm(plan) then
    return failures.not_confirmed(change)
  end
  local result = { outcome = idle and "already_fenced" or "fenced", group_id = group.id,
    region = plan.region, stopped = {}, detached = {}, before = plan.before,
    request_ids = change.request_ids, unproven = facts.unproven, unseen = facts.unseen,
    data_ready_at = snapshots.is_failovered(snapshot) and snapshot.read_at or nil }
  local ok, err = stop_all(change, plan, result)
  if ok then ok, err = detach_all(change, plan, result) end
  if not ok then return nil, err end
  return last_look(change, snapshot, result)
end

--- Fences the side that the group is copied from.
---@param group alicloud.dr.Group
---@param options table durations in seconds, defaults filled in
---@return alicloud.dr.FenceResult|nil
---@return alicloud.Error? err `done_so_far` says what was done before it failed
function M.run(group, options)
  local change = changes.new(group, WORDS, options)
  local result, err = fence(change)
  local so_far = err and err.code == "Client.FenceUndone" and err.done_so_far
  -- The first look showed nothing to do, and the last one something: so fence once more.
  if so_far and so_far.outcome == "already_fenced" then return fence(change) end
  return result, err
end

return M
