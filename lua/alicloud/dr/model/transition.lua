--- What a change of a group other than a failover leads to, and what a look says about it. Data and
--- one judge: which words are legal before, on the way, done and failed, and whether the sides
--- change places.

local intents = require "alicloud.dr.model.intent"
local snapshots = require "alicloud.dr.model.snapshot"
local states = require "alicloud.dr.model.states"

local M = {}

--- What a change is called in its errors.
---@class alicloud.dr.Words
---@field product "ebs"|"ecs"
---@field action string of the service
---@field verb string what the journal calls it: the method of the group
---@field noun string what people call it, e.g. "one-shot sync"
---@field codes { failed: string, stalled: string, timeout: string } its own error codes

local CHANGE_CODES = { failed = "Client.ChangeFailed", stalled = "Client.ChangeStalled",
  timeout = "Client.ChangeTimeout" }

--- Words for a change, with the error codes that are common to all.
---@param product "ebs"|"ecs"
---@param action string
---@param verb string method of the group
---@param noun? string else the verb
---@return alicloud.dr.Words
function M.words(product, action, verb, noun)
  return { product = product, action = action, verb = verb, noun = noun or verb,
    codes = CHANGE_CODES }
end

---@class alicloud.dr.Transition
---@field words alicloud.dr.Words
---@field params table
---@field legal table<string, boolean> statuses from which it may be asked for
---@field moving table<string, boolean> statuses on the way
---@field done table<string, boolean> statuses at the end
---@field failed string? status in which the service has given up
---@field turns boolean? the sides change places
---@field renews boolean? the end is a newer recovery point too

local function set(...)
  local list = {}
  for _, word in ipairs { ... } do list[word] = true end
  return list
end

local REPLICATING = set("initial_syncing", "syncing", "normal")

--- Statuses in which data flows by itself.
M.REPLICATING = REPLICATING

--- The sides change places; replication is stopped then. Whoever started it meanwhile has gone on
--- from there. From reprotect_failed the same call is repeated.
--- Source: ReprotectDiskReplicaGroup with ReverseReplicate.
---@type alicloud.dr.Transition
M.reverse = {
  words = M.words("ebs", "ReprotectDiskReplicaGroup", "reprotect"),
  params = { ReverseReplicate = true }, legal = set("failovered", "reprotect_failed"),
  moving = set("reprotecting"), failed = "reprotect_failed", turns = true,
  done = set("stopped", "initial_syncing", "syncing", "normal", "manual_syncing"),
}

--- The failover is taken back: the sides stay, and what was written at the secondary site since is
--- overwritten by the next synchronization.
---@type alicloud.dr.Transition
M.cancel = {
  words = M.words("ebs", "ReprotectDiskReplicaGroup", "reprotect"),
  params = { ReverseReplicate = false }, legal = M.reverse.legal,
  moving = M.reverse.moving, failed = "reprotect_failed", done = M.reverse.done,
}

--- Source: StartDiskReplicaGroup.
---@type alicloud.dr.Transition
M.start = {
  words = M.words("ebs", "StartDiskReplicaGroup", "start"),
  params = { OneShot = false }, legal = set("created", "stopped", "syncing", "normal"),
  moving = set(), done = REPLICATING,
}

--- One synchronization, then stopped again, with a newer recovery point.
---@type alicloud.dr.Transition
M.one_shot = {
  words = M.words("ebs", "StartDiskReplicaGroup", "start", "one-shot sync"),
  params = { OneShot = true }, legal = set("created", "stopped"),
  moving = set("manual_syncing"), done = set("stopped"), renews = true,
}

--- Source: StopDiskReplicaGroup.
---@type alicloud.dr.Transition
M.stop = {
  words = M.words("ebs", "StopDiskReplicaGroup", "stop"), params = {},
  legal = set("manual_syncing", "syncing", "normal", "stopping", "stop_failed", "stopped"),
  moving = set("stopping"), failed = "stop_failed", done = set("stopped"),
}

--- The token that every operator of an incident derives alike who sees the same world. After the
--- world has moved it is another change, which needs another token.
---@param snapshot alicloud.dr.Snapshot
---@param incident string
---@param words alicloud.dr.Words
---@return string 64 hexadecimal digits
function M.incident_token(snapshot, incident, words)
  return intents.digest { words.verb, words.noun, snapshot.group_id, snapshots.direction(snapshot),
    snapshot.status, tostring(snapshot.recover_point), incident }
end

--- Freezes what a snapshot showed, with the recovery point of each pair.
---@param snapshot alicloud.dr.Snapshot
---@param client_token string
---@return alicloud.dr.Intent
function M.intent(snapshot, client_token)
  local intent = intents.new(snapshot, client_token)
  intent.group_recover_point, intent.pair_recover_point = snapshot.group_recover_point, {}
  for _, pair in ipairs(snapshot.pairs) do
    intent.pair_recover_point[pair.id] = pair.recover_point
  end
  return intent
end

-- "same" as decided, "swapped", or nil: another place altogether.
local function heading(intent, unit)
  local same = snapshots.same_place
  if same(intent.from, unit.from) and same(intent.to, unit.to) then return "same" end
  if same(intent.from, unit.to) and same(intent.to, unit.from) then return "swapped" end
  return nil
end

-- What one unit (the group or a pair) shows against what it was.
local function stage(transition, unit, was, way)
  local here = way == (transition.turns and "swapped" or "same")
  local renewed = not transition.renews or (unit.point or 0) > (was.point or 0)
  if here and transition.done[unit.status] and renewed then return "done" end
  if way == "same" and states.follows(was.status, unit.status) then return "before" end
  if unit.status == transition.failed then return "failed" end
  if transition.moving[unit.status] then return "moving" end
  return states.KNOWN[unit.status] and "other" or "unclear"
end

local function group_stage(transition, intent, snapshot)
  return stage(transition, { status = snapshot.status, point = snapshot.group_recover_point },
    { status = intent.status, point = intent.group_recover_point }, heading(intent, snapshot))
end

local function pair_stage(transition, intent, pair)
  local was = { status = intent.pair_status[pair.id], point = intent.pair_recover_point[pair.id] }
  return stage(transition, { status = pair.status, point = pair.recover_point }, was,
    heading(intent, pair))
end

local function count_stages(transition, intent, snapshot)
  local counts = { done = 0, before = 0, failed = 0, moving = 0, other = 0, unclear = 0 }
  for _, pair in ipairs(snapshot.pairs) do
    local name = pair_stage(transition, intent, pair)
    counts[name] = counts[name] + 1
  end
  return counts
end

local function misplaced_pair(intent, snapshot)
  for _, pair in ipairs(snapshot.pairs) do
    if not heading(intent, pair) then
      return ("%s goes %s"):format(pair.id, snapshots.direction(pair))
    end
  end
  return nil
end

-- Direction and pair set, before any status counts.
local function judge_shape(transition, intent, snapshot)
  if snapshot.role == "absent" then
    return "unknown", ("%s is not listed in %s"):format(intent.group_id, snapshot.region)
  end
  local way = heading(intent, snapshot)
  if not way or way == "swapped" and not transition.turns then
    return "direction_changed", ("direction was %s, now it is %s"):format(
      snapshots.direction(intent), snapshots.direction(snapshot))
  end
  local fault = snapshots.pair_set_fault(snapshot) or misplaced_pair(intent, snapshot)
  if fault then return "unknown", fault end
  local difference = snapshots.id_difference(intent.pairs, snapshots.ids(snapshot))
  if difference then return "conflict", "the pair set " .. difference end
  return nil
end

local function judge_stages(group, counts, total, state)
  if counts.unclear > 0 or group == "unclear" then return "unknown", state end
  if group == "done" and counts.done == total then return "completed", state end
  if group == "before" and counts.before == total then
    return "not_started", "the group still is " .. state
  end
  if group == "failed" then return "failed", state end
  if counts.other > 0 or group == "other" then return "conflict", "the group now is " .. state end
  if counts.failed > 0 and group == "done" then return "partially_failed", state end
  return "in_progress", state
end

--- What a look says about a change that is aimed at.
---@param transition alicloud.dr.Transition
---@param intent alicloud.dr.Intent
---@param snapshot alicloud.dr.Snapshot
---@return alicloud.dr.Phase
---@return string reason for people
function M.judge(transition, intent, snapshot)
  local phase, reason = judge_shape(transition, intent, snapshot)
  if phase then return phase, reason end
  return judge_stages(group_stage(transition, intent, snapshot),
    count_stages(transition, intent, snapshot), #snapshot.pairs, M.describe(snapshot))
end

--- One line about the state: `reprotecting, pairs 2 reprotecting 1 stopped`.
---@param snapshot alicloud.dr.Snapshot
---@return string
function M.describe(snapshot)
  if snapshot.role == "absent" then return "not listed" end
  local numbers, order = {}, {}
  for _, pair in ipairs(snapshot.pairs) do
    if not numbers[pair.status] then order[#order + 1] = pair.status end
    numbers[pair.status] = (numbers[pair.status] or 0) + 1
  end
  for i, status in ipairs(order) do order[i] = ("%d %s"):format(numbers[status], status) end
  return ("%s, pairs: %s"):format(snapshot.status, table.concat(order, ", "))
end

--- Whether group and pairs of a whole, non-empty set are at the end already.
---@param transition alicloud.dr.Transition
---@param snapshot alicloud.dr.Snapshot
---@return boolean
function M.is_done(transition, snapshot)
  if #snapshot.pairs == 0 or snapshots.pair_set_fault(snapshot) then return false end
  if not transition.done[snapshot.status] then return false end
  for _, pair in ipairs(snapshot.pairs) do
    if not transition.done[pair.status] or not snapshots.same_place(pair.from, snapshot.from) then
      return false
    end
  end
  return true
end

--- Whether the change is under way, begun by somebody.
---@param transition alicloud.dr.Transition
---@param snapshot alicloud.dr.Snapshot
---@return boolean
function M.is_moving(transition, snapshot)
  return transition.moving[snapshot.status] == true and #snapshot.pairs > 0
    and not snapshots.pair_set_fault(snapshot)
end

return M
