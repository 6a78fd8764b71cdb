--- Tells how far a change of a group is, from one snapshot: the only place where this is judged.
--- Pure functions: transition, intent and snapshot in, phase and words for people out.

local intents = require "alicloud.dr.model.intent"
local snapshots = require "alicloud.dr.model.snapshot"
local states = require "alicloud.dr.model.states"

local M = {}

---@alias alicloud.dr.Phase
---| "not_started" # nothing has happened since the decision
---| "in_progress" # the change is under way
---| "completed" # the group and every pair of the set are in their final status
---| "failed" # the service has given up the change
---| "partially_failed" # the group is in its final status, a pair has failed
---| "direction_changed" # the direction is neither that of the intent nor that of the change's end
---| "conflict" # another set of pairs, or a status that the change does not lead to
---| "unknown" # the list is cut, a status is not known or the group is not listed: proves nothing

-- "same" as in the intent, "swapped", or nil: a side lies elsewhere.
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

--- Judges direction and pair set of a look, before any status.
---@param transition alicloud.dr.Transition
---@param intent alicloud.dr.Intent
---@param snapshot alicloud.dr.Snapshot
---@return alicloud.dr.Phase|nil phase nil if both are as the change allows
---@return string? reason for people; nil without a phase
function M.of_shape(transition, intent, snapshot)
  if snapshot.role == "absent" then
    return "unknown", ("%s is not listed in %s"):format(intent.group_id, snapshot.region)
  end
  local way = heading(intent, snapshot)
  if not way or way == "swapped" and not transition.turns then
    return "direction_changed", intents.other_direction(intent, snapshot)
  end
  local difference = intents.set_difference(intent, snapshot)
  local overruled = intent.pair_fault and not difference
  local fault = not overruled and snapshots.pair_set_fault(snapshot)
    or misplaced_pair(transition, intent, snapshot)
  if fault then return "unknown", fault end
  if difference then return "conflict", "the pair set " .. difference end
  return nil
end

-- How far one unit (the group or a pair) is, and whether it is as it was at the decision. A pair
-- may be failovered before a failover is asked for again; so there "done" can also be untouched.
local function stage(transition, unit, was, way)
  local here = way == (transition.turns and "swapped" or "same")
  local renewed = not transition.renews or (unit.point or 0) > (was.point or 0)
  local as_before = way == "same" and states.follows(was.status, unit.status)
  if here and transition.done[unit.status] and renewed then
    return "done", transition.any_pairs and as_before
  end
  -- A failed status after the decision is news, even where replication leads there by itself (a
  -- joined stop: "stopping", then "stop_failed").
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
  -- A pair that is listed only after the decision was then like its group.
  local status = intent.pair_status[pair.id] or intent.status
  return stage(transition, { status = pair.status, point = pair.recover_point },
    { status = status, point = points[pair.id] },
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

-- After an earlier failed attempt the group may still show the failed status while the next attempt
-- is under way, so it proves nothing. In a failover it counts, since its statuses on the way are
-- not documented.
local function has_failed(transition, group, snapshot)
  if transition.any_pairs then return snapshot.status == transition.failed end
  return group == "failed"
end

local function has_failed_pair(transition, counts, snapshot)
  if transition.any_pairs then return snapshots.count(snapshot, transition.failed) > 0 end
  return counts.failed > 0
end

-- Whether an unknown status forbids a conclusion; in a failover even if it was there before.
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
  -- A change that was joined while under way has no state before it, so it is never "not_started".
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

--- Judges a change by one look. Only "completed" is success; only "not_started" allows a resend.
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
