--- Starts and stops the replication of a group, synchronizes it once, and waits for a recovery
--- point. Source: StartDiskReplicaGroup, StopDiskReplicaGroup.

local attachment = require "alicloud.dr.read.attachment"
local changes = require "alicloud.dr.change"
local errors = require "alicloud.base.error"
local failures = require "alicloud.dr.change.failures"
local phases = require "alicloud.dr.model.phase"
local replication_change = require "alicloud.dr.actions.replication_change"
local snapshots = require "alicloud.dr.model.snapshot"
local transitions = require "alicloud.dr.model.transition"

local M = {}

---@class alicloud.dr.StartOptions: alicloud.dr.ChangeOptions
---@field one_shot? boolean one synchronization, then stopped again (false)

---@class alicloud.dr.StartResult: alicloud.dr.ChangeResult
---@field outcome "started"|"already_started"|"synced"
---@field standby alicloud.dr.SideUse? the disks that are copied onto, as seen before the call

---@class alicloud.dr.StopResult: alicloud.dr.ChangeResult
---@field outcome "stopped"|"already_stopped"

---@class alicloud.dr.SyncResult: alicloud.dr.StartResult
---@field stop alicloud.dr.StopResult? nil: another process has stopped it, and this one continued
---@field verified boolean the recovery point is not older than the call, by the server's clock;
---false: the service gave no time for the call

-- The documents say that the region of the group serves these calls; after a reversal that may be
-- either one. The source is asked first.
local function both_regions(_, snapshot)
  local from, to = snapshot.from.region, snapshot.to.region
  return from == to and { from } or { from, to }
end

local ATTACHED = "OperationDenied.StandbyDeviceAttached"

local function problem_of_standby(kind, change, snapshot)
  -- If the disks cannot be read here, the service checks them itself.
  local side = attachment.of_side_at_once(change.group.client, snapshot, "to")
  kind.facts.standby = side
  local names, passes = attachment.in_use(side, "detached")
  return side.known and names and { code = ATTACHED,
    message = "disks that are to be copied onto are attached: " .. names, standby = side,
    passes = passes,
    hint = "detach them: whatever writes to them would be overwritten" } or nil
end

local function kind_of_start(one_shot)
  local kind = { transition = one_shot and transitions.one_shot or transitions.start,
    outcome = one_shot and "synced" or "started", regions = both_regions, facts = {} }
  function kind.is_done(_, snapshot)
    return not one_shot and transitions.is_done(kind.transition, snapshot)
  end
  -- A disk may have been attached since the look.
  function kind.passes(change, err, snapshot)
    local problem = err.code == ATTACHED and snapshot and problem_of_standby(kind, change, snapshot)
    return problem and problem.passes and problem.message or nil
  end
  function kind.problem(change, snapshot)
    return replication_change.problem_of_status(kind.transition, snapshot)
      or problem_of_standby(kind, change, snapshot)
  end
  return kind
end

local function without(options, ...)
  local copy = {}
  for name, value in pairs(options) do copy[name] = value end
  for _, name in ipairs { ... } do copy[name] = nil end
  return copy
end

--- Starts replication and waits until the group and every pair replicate. With `one_shot` it
--- synchronizes once, and waits until all are stopped again with a newer recovery point.
---@param group alicloud.dr.Group
---@param options alicloud.dr.StartOptions durations in seconds, defaults filled in
---@return alicloud.dr.StartResult|nil
---@return alicloud.Error? err
function M.start(group, options)
  return replication_change.run_one_way(group, options, "one_shot", kind_of_start)
end

local function kind_of_stop()
  local kind = { transition = transitions.stop, outcome = "stopped", regions = both_regions }
  function kind.is_done(_, snapshot) return transitions.is_done(kind.transition, snapshot) end
  function kind.problem(_, snapshot)
    return replication_change.problem_of_status(kind.transition, snapshot)
  end
  return kind
end

--- Stops replication and waits until the group and every pair are stopped. The service drops the
--- cycle that runs.
---@param group alicloud.dr.Group
---@param options alicloud.dr.ChangeOptions durations in seconds, defaults filled in
---@return alicloud.dr.StopResult|nil
---@return alicloud.Error? err
function M.stop(group, options)
  return replication_change.run(group, options, kind_of_stop())
end

local function not_fresh(sync)
  return errors.new {
    kind = "state", code = "Client.SyncNotFresh", outcome = "accepted",
    message = ("the recovery point %d is older than the call at %d"):format(
      sync.recover_point, math.floor(sync.server_time)),
    hint = "something else has ended: synchronize once more before anything relies on it",
    group_id = sync.group_id, region = sync.region, client_token = sync.client_token,
    request_id = sync.request_id, last = sync.snapshot,
  }
end

local function sync_once(group, options)
  options.one_shot = true
  local sync, err = M.start(group, options)
  -- A joined sync began before this one was asked for, and perhaps before the last write.
  if sync and sync.joined then return M.start(group, without(options, "continue")) end
  return sync, err
end

--- The last synchronization of a planned move: stops replication, synchronizes once, and checks
--- that the recovery point is not older than the call, by the server's clock. Then all that was
--- written before the call has been copied.
---@param group alicloud.dr.Group
---@param options alicloud.dr.ChangeOptions durations in seconds, defaults filled in
---@return alicloud.dr.SyncResult|nil
---@return alicloud.Error? err
function M.sync_now(group, options)
  local began = options.continue and options.continue.verb
  local stop, sync, err
  -- A continued synchronization must not be stopped: the service would drop it.
  if began ~= "start" then
    stop, err = M.stop(group, without(options, "client_token"))
    if not stop then return nil, err end
  end
  sync, err = sync_once(group, without(options, "confirm", began == "stop" and "continue" or nil))
  if not sync then return nil, err end
  sync.stop, sync.verified = stop, sync.server_time ~= nil
  if sync.verified and sync.recover_point < math.floor(sync.server_time) then
    return nil, not_fresh(sync)
  end
  return sync
end

local AWAIT = transitions.words("ebs", "DescribeDiskReplicaGroups", "await_recovery_point",
  "wait for a recovery point")

-- The oldest recovery point of group and pairs; nil if one of them has none.
local function common_point(snapshot)
  if not snapshot.group_recover_point then return nil end
  for _, pair in ipairs(snapshot.pairs) do
    if not pair.recover_point then return nil end
  end
  return snapshot.recover_point
end

local FLOWS = { initial_syncing = true, syncing = true, normal = true, manual_syncing = true }

-- To check that direction and pair set have not changed; the places of the pairs do not matter.
local STAYS = { any_pairs = true }

local function judge_point(intent, seen)
  local phase, difference = phases.of_shape(STAYS, intent, seen)
  if phase then return phase, difference end
  local point = common_point(seen)
  if point and point > intent.newer_than then return "completed", "" end
  local words = ("%s; the oldest recovery point is %s"):format(transitions.describe(seen),
    point and ("%d s too old"):format(math.ceil(intent.newer_than - point)) or "missing")
  return FLOWS[seen.status] and "in_progress" or "conflict", words
end

local function describe_point(seen)
  return transitions.describe(seen) .. ", " .. snapshots.recovery_point_text(seen)
end

local function same_point(earlier, later)
  return earlier.recover_point == later.recover_point and snapshots.same_state(earlier, later)
end

local function point_target(group, snapshot, newer_than)
  local intent = transitions.intent(snapshot, "")
  intent.newer_than, intent.client_token = newer_than, nil
  return {
    regions = { group.region }, params = {}, intent = intent,
    read = function(options) return group:observe(options) end,
    judge = judge_point, describe = describe_point, same = same_point,
  }
end

---@class alicloud.dr.AwaitOptions
---@field newer_than? number unix seconds; nil: the server's time of the first look
---@field timeout? number|string (2h)
---@field stall? number|string (2h)
---@field poll? number|string longest pause between two looks (10 s)
---@field progress? fun(event: table)

--- Waits until the recovery points of the group and of every pair are newer than a moment.
---@param group alicloud.dr.Group
---@param options alicloud.dr.AwaitOptions durations in seconds, defaults filled in
---@return alicloud.dr.ChangeResult|nil result outcome "recovery_point"; `waited_for` is the moment
---@return alicloud.Error? err
function M.await(group, options)
  local change = changes.new(group, AWAIT, options)
  local err
  local found, problem = change:until_passed(function()
    local seen
    seen, err = replication_change.look(change)
    return seen, seen and replication_change.problem_of_world(seen)
  end)
  if not found then return nil, err end
  if problem then return failures.forbidden(change, problem) end
  local newer_than = options.newer_than or found.here.read_at
  if not newer_than then
    return failures.forbidden(change, { kind = "state", code = "Client.ServerTimeUnknown",
      message = "the service gave no time to wait for; give newer_than" })
  end
  local seen
  seen, err = change:join(point_target(group, found.here, newer_than))
  if not seen then
    err.outcome = "not_sent"
    return nil, err
  end
  change.joined = false
  return replication_change.result(change, "recovery_point", seen, { waited_for = newer_than })
end

return M
