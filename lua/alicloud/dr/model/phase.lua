--- The one judge: what a look at a group says of a change that was decided for it. Pure: the
--- transition, what was decided and a snapshot in, a phase and words for people out.

local intents = require "alicloud.dr.model.intent"
local snapshots = require "alicloud.dr.model.snapshot"
local states = require "alicloud.dr.model.states"

local M = {}

---@alias alicloud.dr.Phase
---| "not_started" # nothing has happened since the decision
---| "in_progress" # the change is under way
---| "completed" # the group and every pair of the set are at the end
---| "failed" # the service gave up
---| "partially_failed" # the group is at the end, a pair gave up
---| "direction_changed" # the direction is another one
---| "conflict" # another set of pairs, or a status that the change does not lead to
---| "unknown" # cut lists, unknown words, no record: says nothing either way

-- "same" as decided, "swapped", or nil: another place altogether.
local function heading(intent, unit)
  local same = snapshots.same_place
  if same(intent.from, unit.from) and same(intent.to, unit.to) then return "same" end
  if same(intent.from, unit.to) and same(intent.to, unit.from) then return "swapped" end
  return nil
end

local function heading_of_pair(transition, intent, pair)
  return transition.any_pairs and "same" or heading(intent, pair)
end

local function misplaced_pair(transition, intent, snapshot)
  for _, pair in ipairs(snapshot.pairs) do
    if not heading_of_pair(transition, intent, pair) then
      return ("%s goes %s"):format(pair.id, snapshots.direction(pair))
    end
  end
  return nil
end

--- What a look says about direction and pair set, before any status counts.
---@param transition alicloud.dr.Transition
---@param intent alicloud.dr.Intent
---@param snapshot alicloud.dr.Snapshot
---@return alicloud.dr.Phase|nil phase nil if both are as the change leaves them
---@return string? reason for people
function M.of_shape(transition, intent, snapshot)
  if snapshot.role == "absent" then
    return "unknown", ("%s is not listed in %s"):format(intent.group_id, snapshot.region)
  end
  local way = heading(intent, snapshot)
  if not way or way == "swapped" and not transition.turns then
    return "direction_changed", intents.other_direction(intent, snapshot)
  end
  local fault = snapshots.pair_set_fault(snapshot) or misplaced_pair(transition, intent, snapshot)
  if fault then return "unknown", fault end
  local difference = snapshots.id_difference(intent.pairs, snapshots.ids(snapshot))
  if difference then return "conflict", "the pair set " .. difference end
  return nil
end

-- Where one unit is on its way, and whether it is as it was. A failover that is asked for again may
-- find pairs that have arrived before; of other changes what is done is done.
local function stage(transition, unit, was, way)
  local here = way == (transition.turns and "swapped" or "same")
  local renewed = not transition.renews or (unit.point or 0) > (was.point or 0)
  local as_before = way == "same" and states.follows(was.status, unit.status)
  if here and transition.done[unit.status] and renewed then
    return "done", transition.any_pairs and as_before
  end
  -- Of what was under way when it was joined, the bad end follows as the good one does.
  local gave_up = unit.status == transition.failed and was.status ~= transition.failed
  if as_before and not gave_up then return "before", true end
  if unit.status == transition.failed then return "failed", false end
  if transition.moving[unit.status] then return "moving", false end
  return states.KNOWN[unit.status] and "other" or "unknown", false
end

local function stage_of_group(transition, intent, snapshot)
  return stage(transition, { status = snapshot.status, point = snapshot.group_recover_point },
    { status = intent.status, point = intent.group_recover_point }, heading(intent, snapshot))
end

local function stage_of_pair(transition, intent, pair)
  local points = intent.pair_recover_point or {}
  return stage(transition, { status = pair.status, point = pair.recover_point },
    { status = intent.pair_status[pair.id], point = points[pair.id] },
    heading_of_pair(transition, intent, pair))
end

local function count_pairs(transition, intent, snapshot)
  local counts = { done = 0, before = 0, failed = 0, moving = 0, other = 0, unknown = 0,
    untouched = 0 }
  for _, pair in ipairs(snapshot.pairs) do
    local name, untouched = stage_of_pair(transition, intent, pair)
    counts[name] = counts[name] + 1
    if untouched then counts.untouched = counts.untouched + 1 end
  end
  return counts
end

local function has_pair_in(snapshot, statuses)
  for _, pair in ipairs(snapshot.pairs) do
    if statuses[pair.status] then return true end
  end
  return false
end

-- Where an attempt had failed before, its status may still be shown although the next one is on
-- its way, and so proves nothing; except of a failover, whose way is not documented.
local function has_failed(transition, group, snapshot)
  if transition.any_pairs then return snapshot.status == transition.failed end
  return group == "failed"
end

local function has_failed_pair(transition, counts, snapshot)
  if transition.any_pairs then return snapshots.count(snapshot, transition.failed) > 0 end
  return counts.failed > 0
end

-- Of a failover also a word that was there before it: nobody can tell what it leads to.
local function has_unknown(transition, group, counts, snapshot)
  if group == "unknown" or counts.unknown > 0 then return true end
  if not transition.any_pairs then return false end
  for _, pair in ipairs(snapshot.pairs) do
    if not states.KNOWN[pair.status] then return true end
  end
  return not states.KNOWN[snapshot.status]
end

local function is_conflict(transition, group, counts, snapshot)
  if not transition.any_pairs then return group == "other" or counts.other > 0 end
  local status, moving = snapshot.status, transition.moving
  return not (moving[status] or transition.legal[status] and has_pair_in(snapshot, moving))
end

local function phase_of(transition, intent, snapshot)
  local group, untouched = stage_of_group(transition, intent, snapshot)
  local counts, total = count_pairs(transition, intent, snapshot), #snapshot.pairs
  if group == "done" and counts.done == total then return "completed" end
  -- A change that was under way when it was joined has no "before" that could be left untouched.
  if untouched and counts.untouched == total and not transition.moving[intent.status] then
    return "not_started"
  end
  if has_unknown(transition, group, counts, snapshot) then return "unknown" end
  if has_failed(transition, group, snapshot) then return "failed" end
  if is_conflict(transition, group, counts, snapshot) then return "conflict" end
  if group == "done" and has_failed_pair(transition, counts, snapshot) then
    return "partially_failed"
  end
  return "in_progress"
end

--- What a look says of a change. Only "completed" is success, and only "not_started" may ever lead
--- to sending again.
---@param transition alicloud.dr.Transition
---@param intent alicloud.dr.Intent
---@param snapshot alicloud.dr.Snapshot
---@return alicloud.dr.Phase
---@return string reason for people
function M.of(transition, intent, snapshot)
  local phase, reason = M.of_shape(transition, intent, snapshot)
  if phase then return phase, reason --[[@as string]] end
  phase = phase_of(transition, intent, snapshot)
  return phase, transition.reason(phase, intent, snapshot)
end

return M
