--- Starts a drill of one group, which clones the last recovery point to new disks, and clears a
--- drill away. alicloud.dr.actions.checked_drill makes a whole drill of both.
---
--- The answer to the start names the drill. If the answer is lost, the only drill that was not
--- listed before is taken for ours. If there are several, the outcome stays unknown.
--- Source: StartReplicaGroupDrill, DescribeReplicaGroupDrills, ClearReplicaGroupDrill.

local attachment = require "alicloud.dr.read.attachment"
local changes = require "alicloud.dr.change"
local compute = require "alicloud.dr.actions.compute"
local drills = require "alicloud.dr.read.drills"
local failures = require "alicloud.dr.change.failures"
local fields = require "alicloud.base.fields"
local losses = require "alicloud.dr.model.loss"
local protocol = require "alicloud.dr.journal.protocol"
local recovery_checks = require "alicloud.dr.model.recovery_checks"
local replication_change = require "alicloud.dr.actions.replication_change"
local tables = require "alicloud.base.tables"
local transitions = require "alicloud.dr.model.transition"

local M = {}

---@class alicloud.dr.DrillResult
---@field outcome "drill_ready"|"drilled"|"cleared"|"not_open"
---@field group_id string
---@field region string
---@field drill_id string
---@field drill alicloud.dr.Drill? as last seen
---@field elapsed number seconds
---@field request_id string? of the accepted call
---@field request_ids string[]
---@field client_token string?
---@field attempts integer
---@field recover_point integer? unix seconds, of the data on the disks of the drill
---@field rpo number? RPO in seconds of a failover at the start of the drill
---@field rpo_basis "accepted"|nil
---@field rpo_to number? unix seconds by the server's clock, when the call was accepted
---@field server_time number? of the accepted call, unix seconds
---@field adopted boolean? the answer was lost, and the drill was found by looking
---@field open alicloud.dr.Drill[]? outcome "not_open": the drills that the group has

local START = transitions.words("ebs", "StartReplicaGroupDrill", "start_drill", "drill")
local CLEAR = transitions.words("ebs", "ClearReplicaGroupDrill", "clear_drill",
  "clearing of the drill")

-- Makes a function that takes one look: the open drills of a group, with the time of reading.
local function reader(group)
  return function(options)
    local list, err, read_at = drills.of_group(group.client, group.id, group.region, options)
    return list and { drills = list, read_at = read_at }, err
  end
end

local function each(seen, describe)
  local parts = {}
  for i, drill in ipairs(seen.drills) do parts[i] = describe(drill) end
  return #parts > 0 and table.concat(parts, "; ") or "no open drill"
end

local function describe(seen) return each(seen, drills.describe) end

local function same(earlier, later)
  return each(earlier, drills.signature) == each(later, drills.signature)
end

local function newcomers(intent, seen)
  local before, list = {}, {}
  for _, id in ipairs(intent.drills_before) do before[id] = true end
  for _, drill in ipairs(seen.drills) do
    if not before[drill.id] then list[#list + 1] = drill end
  end
  return list
end

-- The drill that the intent led to: the one with its id, else the only new one. If there are
-- several new ones: nil and the reason.
local function ours(intent, seen)
  if intent.drill_id then return tables.index(seen.drills, "id")[intent.drill_id] end
  local list = newcomers(intent, seen)
  if #list > 1 then
    return nil, "several new drills, and the answer that names ours is lost: "
      .. each({ drills = list }, function(drill) return drill.id end)
  end
  return list[1]
end

local function judge_start(intent, seen)
  local drill, ambiguity = ours(intent, seen)
  if ambiguity then return "unknown", ambiguity end
  if not drill then
    local id = intent.drill_id
    return "not_started", id and id .. ", which the answer named, is not listed" or "no new drill"
  end
  local words = drills.describe(drill)
  if drills.is_ready(drill, intent.pairs) then return "completed", words end
  if drill.status == "execute_failed" then return "failed", words end
  if drill.status == "executing" or drill.status == "executed" then return "in_progress", words end
  return "conflict", words
end

local function problem_of_start(found)
  local snapshot = found.here
  -- A drill changes no direction, so a group with both sites in this region needs no side.
  local problem = replication_change.problem_of_world(found)
    or snapshot.role ~= "both" and replication_change.problem_of_side(snapshot, "drill in",
      "OperationDenied.StartDrillShouldOnDestRegion")
  if problem then return problem end
  if snapshot.unit == "pair" then
    return { code = "OperationDenied", message = "drills are of groups, and this is a pair alone",
      hint = "call StartPairDrill and ClearPairDrill, or put the pair into a group" }
  end
  if not snapshot.recover_point or not snapshot.group_recover_point then
    return { code = "OperationDenied.RecoverPointNotFound",
      message = "there is no recovery point to clone",
      hint = "replication makes one with its next cycle: wait, group:await_recovery_point, and "
        .. "ask again" }
  end
  local doubt = recovery_checks.doubt_of_direction(snapshot, {})
  return doubt and { code = "Client.FirstSyncUnfinished", message = doubt,
    passes = snapshot.status == "syncing" or nil,
    hint = "start replication, and ask again once the status is normal" }
end

local function result(change, outcome, drill_id, drill)
  local accepted = change.accepted or {}
  local made = {
    outcome = outcome, group_id = change.group.id, region = change.group.region,
    drill_id = drill_id, drill = drill, elapsed = change:elapsed(),
    request_id = accepted.request_id, server_time = accepted.server_time,
    request_ids = change.request_ids, attempts = change.attempts,
    client_token = change.attempts > 0 and change.intent.client_token or nil,
  }
  change:emit { event = "done", result = made }
  return made
end

local function start_target(group, intent)
  return {
    regions = { group.region }, params = { GroupId = group.id }, intent = intent,
    read = reader(group), judge = judge_start, describe = describe, same = same,
    on_accept = function(answer)
      intent.drill_id = fields.text(answer.DrillId) or intent.drill_id
    end,
  }
end

local function decide_start(change)
  local err
  local found, problem = change:until_passed(function()
    local seen
    seen, err = replication_change.look(change)
    return seen, seen and problem_of_start(seen)
  end)
  if not found then return nil, err end
  if problem then return failures.forbidden(change, problem) end
  local difference = change:difference_to_past(found.here)
  if difference then return failures.world_changed(change, difference) end
  if change.options.confirm and not change.options.confirm(found.here, {}) then
    return failures.not_confirmed(change)
  end
  local before
  before, err = drills.of_group(change.group.client, change.group.id, change.group.region)
  if not before then return failures.unreadable(change, err) end
  local token = change:token(found.here, transitions.incident_token)
  local intent = transitions.intent(found.here, token)
  intent.drills_before = {}
  for i, drill in ipairs(before) do intent.drills_before[i] = drill.id end
  return intent
end

local function id_of(intent, seen)
  local drill = seen and ours(intent, seen)
  return intent.drill_id or drill and drill.id, drill
end

--- Starts a drill and waits until a disk for each pair is there.
---@param group alicloud.dr.Group
---@param options alicloud.dr.CheckedOptions
---@param holder? table gets `intent` when there is one, so that the clearing can find the drill
---@return alicloud.dr.DrillResult|nil
---@return alicloud.Error? err with `drill_id` if a drill was left behind
function M.start(group, options, holder)
  local change = changes.new(group, START, options)
  local intent, err
  if change:is_continued() then
    intent = options.continue.intent
  else
    intent, err = decide_start(change)
    if not intent then return nil, err end
  end
  if holder then holder.intent = intent end
  local seen
  seen, err = change:apply(start_target(group, intent))
  local id, drill = id_of(intent, seen or change.poller.last)
  if not seen then
    err.drill_id = id
    return nil, err
  end
  local made = result(change, "drill_ready", id, drill)
  made.adopted = change.accepted == nil
  made.recover_point, made.disks = drill.recover_point, drill.disks
  made.rpo = losses.between(made.recover_point, made.server_time)
  made.rpo_basis, made.rpo_to = made.rpo and "accepted", made.rpo and made.server_time
  change:write_outcome(made)
  return made
end

-- So many reads in a row must not list a drill until it counts as gone: one list may be stale.
local GONE_READS = 3

local function clear_target(group, drill)
  local absent = 0
  local function judge(_, seen)
    local now = tables.index(seen.drills, "id")[drill.id]
    absent = now and 0 or absent + 1
    if not now then
      return absent >= GONE_READS and "completed" or "in_progress", drill.id .. " is not listed"
    end
    local words = drills.describe(now)
    if now.status == "clearing" or now.status == "executing" then return "in_progress", words end
    if now.status == drill.status then return "not_started", words end
    return now.status == "clear_failed" and "failed" or "not_started", words
  end
  return {
    regions = { group.region }, params = { GroupId = group.id, DrillId = drill.id }, intent = {},
    read = reader(group), judge = judge, describe = describe, same = same,
    began_failed = drill.status == "clear_failed", unjournaled = true,
  }
end

-- Waits until a drill is made: before that it cannot be cleared.
local function await_made(change, drill)
  local target = clear_target(change.group, drill)
  target.judge = function(_, seen)
    local now = tables.index(seen.drills, "id")[drill.id]
    if not now then return "unknown", drill.id .. " is not listed" end
    return now.status == "executing" and "in_progress" or "completed", drills.describe(now)
  end
  local seen, err = change:join(target)
  change.joined = false
  return seen and tables.index(seen.drills, "id")[drill.id], err
end

-- Seconds for which a drill that has just been started may not be listed yet.
local BRIEFLY = 20

local function find(change, drill_id)
  local err
  local list = change:until_passed(function()
    local seen
    seen, err = drills.of_group(change.group.client, change.group.id, change.group.region)
    return seen, seen and not tables.index(seen, "id")[drill_id]
      and { message = drill_id .. " is not listed", passes = BRIEFLY } or nil
  end)
  if not list then return failures.unreadable(change, err) end
  local drill = tables.index(list, "id")[drill_id]
  if drill and drill.status == "executing" then return await_made(change, drill) end
  return drill or false, list
end

local function carry_out_clear(change, drill)
  local target = clear_target(change.group, drill)
  if drill.status == "clearing" then return change:join(target) end
  return change:apply(target)
end

--- The options of a drill that also hold for its clearing.
---@param options alicloud.dr.CheckedOptions
---@return table
function M.plain(options)
  local copy = {}
  for _, name in ipairs { "timeout", "stall", "poll", "resend_window", "progress" } do
    copy[name] = options[name]
  end
  return copy
end

--- Detaches the disks of a drill that a check has left attached: with them the drill cannot be
--- cleared. These disks belong to the drill alone. If a detach fails, the clearing reports it.
---@param group alicloud.dr.Group
---@param made { disks: table[]? }? result of the start, or the drill
---@param options table
function M.free_disks(group, made, options)
  local wanted = {}
  for _, entry in ipairs(made and made.disks or {}) do
    if entry.disk then wanted[#wanted + 1] = { id = entry.disk, pair = entry.pair } end
  end
  local side = attachment.read(group.client, group.region, wanted)
  for _, disk in ipairs(side.disks) do
    for _, host in ipairs(disk.hosts) do
      compute.detach(group, options, group.region, disk, host.id)
    end
  end
end

--- Clears a drill away, with its disks, and waits until it is no longer listed.
---@param group alicloud.dr.Group
---@param drill_id string
---@param options alicloud.dr.CheckedOptions
---@return alicloud.dr.DrillResult|nil outcome "cleared", or "not_open": the group has no such drill
---@return alicloud.Error? err
function M.clear(group, drill_id, options)
  local change = changes.new(group, CLEAR, options)
  local drill, more = find(change, drill_id)
  if drill == nil then return nil, more end
  if not drill then
    local made = result(change, "not_open", drill_id)
    made.open = more
    return made
  end
  if options.confirm and not options.confirm(drill) then return failures.not_confirmed(change) end
  if options.detach then M.free_disks(group, drill, M.plain(options)) end
  local seen, err = carry_out_clear(change, drill)
  if seen then return result(change, "cleared", drill_id, drill) end
  err.drill_id, err.drill = drill_id, drill
  return nil, err
end

--- The id of a drill that may have been left behind. If the answer to its start was lost, the
--- drills of the group are read.
---@param group alicloud.dr.Group
---@param intent table|nil of its start
---@return string|nil id nil: there is none, it is not clear which, or it could not be read
---@return alicloud.Error? err why the drills could not be read
function M.left_behind(group, intent)
  if not intent or intent.drill_id then return intent and intent.drill_id end
  local seen, err = reader(group) { deadline = 10 }
  if not seen then return nil, err end
  return (id_of(intent, seen))
end

--- Tells the journal which drill is about to be cleared although its start has not been seen to
--- end: a process that continues must not wait for that drill.
---@param options alicloud.dr.CheckedOptions of the start
---@param intent table
---@param drill_id string
function M.announce_clearing(options, intent, drill_id)
  local known = tables.merged(intent, { drill_id = drill_id })
  protocol.write_outcome(options.journal, START.verb, known, nil,
    { outcome = "unknown", code = "Client.Interrupted" })
end

--- Tells the journal that such a drill has been cleared, so that no process continues its start.
---@param options alicloud.dr.CheckedOptions of the start
---@param intent table
function M.settle(options, intent)
  protocol.write_outcome(options.journal, START.verb, intent, nil,
    { outcome = "accepted", code = "Client.Interrupted" })
end

return M
