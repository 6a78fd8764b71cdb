--- What a failover was decided for: one group, one direction, one set of pairs, one token. A plain
--- value, made before the first byte leaves and never changed; every later look is judged by it.

local core = require "alicloud.core"
local snapshots = require "alicloud.dr.model.snapshot"
local states = require "alicloud.dr.model.states"

local M = {}

---@class alicloud.dr.Intent
---@field group_id string
---@field region string where the call goes: the secondary site
---@field from alicloud.dr.Place
---@field to alicloud.dr.Place
---@field status string status of the group when it was decided
---@field pairs string[] sorted ids, never empty
---@field pair_status table<string, string> status of each pair when it was decided
---@field client_token string
---@field recover_point integer? unix seconds, of the look that it was decided by

---@alias alicloud.dr.Phase
---| "completed" # group and every pair of the set are failovered
---| "in_progress"  # a failover in this direction is under way
---| "not_started" # nothing has happened since the decision
---| "failed"  # the service gave up
---| "partially_failed" # the group is failovered, a pair gave up
---| "direction_changed"  # the direction is another one
---| "conflict" # another set of pairs, or a status that no failover leads to
---| "unknown" # cut lists, unknown words, no record: says nothing either way

--- A token that follows from some facts, each told from its neighbours.
---@param parts string[] is changed
---@return string 64 hexadecimal digits
function M.digest(parts)
  for i, part in ipairs(parts) do parts[i] = #part .. ":" .. part end
  return core.sha256(table.concat(parts))
end

--- The token that every operator of an incident derives alike, on whatever machine. A failover that
--- is asked for again after it failed is another one: under the token of the first the service
--- would only repeat its first answer.
---@param snapshot alicloud.dr.Snapshot group, direction, and whether a failover failed before
---@param incident string
---@return string 64 hexadecimal digits
function M.incident_token(snapshot, incident)
  local parts = { "failover", snapshot.group_id, snapshot.from.region, snapshot.from.zone or "",
    snapshot.to.region, snapshot.to.zone or "", incident }
  if snapshot.status == "failover_failed" then parts[#parts + 1] = "again" end
  return M.digest(parts)
end

--- Freezes what a snapshot showed.
---@param snapshot alicloud.dr.Snapshot with a whole pair set
---@param client_token string
---@return alicloud.dr.Intent
function M.new(snapshot, client_token)
  local status_of = {}
  for _, pair in ipairs(snapshot.pairs) do status_of[pair.id] = pair.status end
  return {
    group_id = snapshot.group_id, region = snapshot.region,
    from = snapshot.from, to = snapshot.to, status = snapshot.status,
    pairs = snapshots.ids(snapshot), pair_status = status_of, client_token = client_token,
    recover_point = snapshot.recover_point,
  }
end

--- How the world differs from the one that the intent was made for: direction and pair set.
---@param intent alicloud.dr.Intent
---@param snapshot alicloud.dr.Snapshot
---@return string|nil difference nil if there is none
---@return "direction_changed"|"conflict"|nil
function M.difference(intent, snapshot)
  if not snapshots.same_place(intent.from, snapshot.from)
    or not snapshots.same_place(intent.to, snapshot.to) then
    return ("direction was %s, now it is %s"):format(
      snapshots.direction(intent), snapshots.direction(snapshot)), "direction_changed"
  end
  local difference = snapshots.id_difference(intent.pairs, snapshots.ids(snapshot))
  if difference then return "the pair set " .. difference, "conflict" end
  return nil
end

-- An intent that joined a running failover has no "before" that could be left untouched.
local function is_untouched(intent, snapshot)
  if states.MOVING[intent.status] then return false end
  if not states.follows(intent.status, snapshot.status) then return false end
  for _, pair in ipairs(snapshot.pairs) do
    if not states.follows(intent.pair_status[pair.id], pair.status) then return false end
  end
  return true
end

local function pairs_named(snapshot, status)
  local ids = {}
  for _, pair in ipairs(snapshot.pairs) do
    if pair.status == status then ids[#ids + 1] = pair.id end
  end
  return table.concat(ids, ", ")
end

local function unknown_word(snapshot)
  if not states.KNOWN[snapshot.status] then return snapshot.status end
  for _, pair in ipairs(snapshot.pairs) do
    if not states.KNOWN[pair.status] then return pair.status end
  end
  return nil
end

local function judge_failure(snapshot)
  local failed = snapshots.count(snapshot, "failover_failed")
  local names = pairs_named(snapshot, "failover_failed")
  if snapshot.status == "failover_failed" then
    local which = failed > 0 and (": %d of %d pairs failed (%s)")
      :format(failed, #snapshot.pairs, names) or ""
    return "failed", "the group is failover_failed" .. which
  end
  if snapshot.status == "failovered" and failed > 0 then
    return "partially_failed", ("the group is failovered, but %s failover_failed"):format(
      names .. (failed == 1 and " is" or " are"))
  end
  return nil
end

local function is_moving(snapshot)
  if states.MOVING[snapshot.status] then return true end
  for _, pair in ipairs(snapshot.pairs) do
    if states.MOVING[pair.status] then return states.LEGAL[snapshot.status] == true end
  end
  return false
end

--- What a look says about direction and pair set, before any status counts.
---@param intent alicloud.dr.Intent
---@param snapshot alicloud.dr.Snapshot
---@return "unknown"|"direction_changed"|"conflict"|nil phase nil if both are as they were
---@return string? reason for people
function M.judge_shape(intent, snapshot)
  if snapshot.role == "absent" then
    return "unknown", ("%s is not listed in %s"):format(intent.group_id, intent.region)
  end
  local difference, kind = M.difference(intent, snapshot)
  if kind == "direction_changed" then return kind, difference end
  local fault = snapshots.pair_set_fault(snapshot)
  if fault then return "unknown", fault end
  return kind, difference
end

--- What a look says about the intent. Only "completed" is success, and only "not_started" may ever
--- lead to sending again.
---@param intent alicloud.dr.Intent
---@param snapshot alicloud.dr.Snapshot
---@return alicloud.dr.Phase
---@return string reason for people
function M.judge(intent, snapshot)
  local phase, words = M.judge_shape(intent, snapshot)
  if phase then return phase, words end
  if snapshots.is_failovered(snapshot) then return "completed", "group and pairs are failovered" end
  if is_untouched(intent, snapshot) then
    return "not_started", "the group still is " .. snapshot.status
  end
  local word = unknown_word(snapshot)
  if word then return "unknown", ("status %q is a word this version does not know"):format(word) end
  local failure, reason = judge_failure(snapshot)
  if failure then return failure, reason end
  if is_moving(snapshot) then return "in_progress", snapshots.state(snapshot) end
  return "conflict", ("the group was %s and now is %s"):format(intent.status,
    snapshots.state(snapshot))
end

return M
