--- The changes of a group as data: in which statuses each is legal, under way, done or failed, and
--- whether the sides change places. alicloud.dr.model.phase judges looks by it.

local intents = require "alicloud.dr.model.intent"
local snapshots = require "alicloud.dr.model.snapshot"
local states = require "alicloud.dr.model.states"
local tables = require "alicloud.base.tables"

local M = {}

--- How a change is named in calls, journals and errors.
---@class alicloud.dr.Words
---@field product "ebs"|"ecs"
---@field action string of the service
---@field verb string name in the journal: the method of the group
---@field noun string name in messages, e.g. "one-shot sync"
---@field codes { failed: string, stalled: string, timeout: string } error codes of its bad ends

local CHANGE_CODES = { failed = "Client.ChangeFailed", stalled = "Client.ChangeStalled",
  timeout = "Client.ChangeTimeout" }

--- The words for a change, with the usual error codes.
---@param product "ebs"|"ecs"
---@param action string
---@param verb string method of the group
---@param noun? string nil: the verb
---@return alicloud.dr.Words
function M.words(product, action, verb, noun)
  return { product = product, action = action, verb = verb, noun = noun or verb,
    codes = CHANGE_CODES }
end

---@class alicloud.dr.Transition
---@field words alicloud.dr.Words
---@field params table parameters of the call, without region, id and token
---@field legal table<string, boolean> statuses in which the call is allowed
---@field moving table<string, boolean> statuses while it is under way
---@field done table<string, boolean> statuses when it is done
---@field failed string? status in which the service has given it up
---@field turns boolean? the sides change places
---@field renews boolean? it is done only with a newer recovery point
---@field any_pairs boolean? the statuses and places of pairs on the way are not documented, so no
---known status and no place of a pair counts as a conflict
---@field describe fun(snapshot: alicloud.dr.Snapshot): string one line about the state
---@field reason fun(phase: alicloud.dr.Phase, intent: alicloud.dr.Intent,
---snapshot: alicloud.dr.Snapshot): string words for a phase that follows from the statuses

local set, legal = tables.set, states.legal

--- One line about the state: `reprotecting, pairs: 2 reprotecting, 1 stopped`.
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

local function reason(phase, _, snapshot)
  local state = M.describe(snapshot)
  if phase == "not_started" then return "the group still is " .. state end
  if phase == "conflict" then return "the group now is " .. state end
  return state
end

local function transition(fields)
  fields.describe, fields.reason = fields.describe or M.describe, fields.reason or reason
  return fields
end

local function unknown_word(snapshot)
  if not states.KNOWN[snapshot.status] then return snapshot.status end
  for _, pair in ipairs(snapshot.pairs) do
    if not states.KNOWN[pair.status] then return pair.status end
  end
  return nil
end

local function failed_pairs(snapshot)
  local ids = {}
  for _, pair in ipairs(snapshot.pairs) do
    if pair.status == "failover_failed" then ids[#ids + 1] = pair.id end
  end
  return table.concat(ids, ", "), #ids
end

-- The reasons of a failover name the pairs that hold it up.
local FAILOVER_REASONS = {
  completed = function() return "group and pairs are failovered" end,
  not_started = function(_, snapshot) return "the group still is " .. snapshot.status end,
  unknown = function(_, snapshot)
    return ("status %q is a word this version does not know"):format(unknown_word(snapshot))
  end,
  failed = function(_, snapshot)
    local names, count = failed_pairs(snapshot)
    local which = count > 0 and (": %d of %d pairs failed (%s)"):format(count, #snapshot.pairs,
      names) or ""
    return "the group is failover_failed" .. which
  end,
  partially_failed = function(_, snapshot)
    local names, count = failed_pairs(snapshot)
    return ("the group is failovered, but %s failover_failed"):format(
      names .. (count == 1 and " is" or " are"))
  end,
  conflict = function(intent, snapshot)
    return ("the group was %s and now is %s"):format(intent.status, snapshots.state(snapshot))
  end,
  in_progress = function(_, snapshot) return snapshots.state(snapshot) end,
}

--- Failover: the secondary site is opened, and the sides stay. "failovered" also counts as under
--- way, since the pairs of such a group may still be on the way. Source: FailoverDiskReplicaGroup.
---@type alicloud.dr.Transition
M.failover = transition {
  words = M.words("ebs", "FailoverDiskReplicaGroup", "failover"), params = {},
  legal = set(legal "FailoverDiskReplicaGroup"), moving = set { "failovering", "failovered" },
  done = set { "failovered" }, failed = "failover_failed", any_pairs = true,
  describe = snapshots.state,
  reason = function(phase, intent, snapshot)
    return FAILOVER_REASONS[phase](intent, snapshot)
  end,
}
M.failover.words.codes = { failed = "Client.FailoverFailed", stalled = "Client.FailoverStalled",
  timeout = "Client.FailoverTimeout" }

--- Statuses in which replication runs.
M.REPLICATING = set { "initial_syncing", "syncing", "normal" }

-- From reprotect_failed the same call is repeated.
local REPROTECTABLE = set(legal "ReprotectDiskReplicaGroup")
REPROTECTABLE.reprotect_failed = true

-- Replication is stopped after a reprotection, unless somebody has started it already.
local REPROTECTED = set { "stopped", "initial_syncing", "syncing", "normal", "manual_syncing" }

--- Reversal: the sides change places. Source: ReprotectDiskReplicaGroup with ReverseReplicate.
---@type alicloud.dr.Transition
M.reverse = transition {
  words = M.words("ebs", "ReprotectDiskReplicaGroup", "reprotect"),
  params = { ReverseReplicate = true }, legal = REPROTECTABLE, moving = set { "reprotecting" },
  done = REPROTECTED, failed = "reprotect_failed", turns = true,
}

--- Cancelled failover: the sides stay, and the next synchronization overwrites what was written at
--- the secondary site since the failover.
---@type alicloud.dr.Transition
M.cancel = transition {
  words = M.words("ebs", "ReprotectDiskReplicaGroup", "reprotect"),
  params = { ReverseReplicate = false }, legal = REPROTECTABLE, moving = set { "reprotecting" },
  done = REPROTECTED, failed = "reprotect_failed",
}

--- Start of replication. Source: StartDiskReplicaGroup.
---@type alicloud.dr.Transition
M.start = transition {
  words = M.words("ebs", "StartDiskReplicaGroup", "start"), params = { OneShot = false },
  legal = set(legal "StartDiskReplicaGroup"), moving = {}, done = M.REPLICATING,
}

-- A one-shot sync that runs already is joined, so a call is not allowed then.
local SYNCABLE = set(legal("StartDiskReplicaGroup", "group_one_shot"))
SYNCABLE.manual_syncing = nil

--- One-shot sync: one synchronization, then stopped again, with a newer recovery point.
---@type alicloud.dr.Transition
M.one_shot = transition {
  words = M.words("ebs", "StartDiskReplicaGroup", "start", "one-shot sync"),
  params = { OneShot = true }, legal = SYNCABLE, moving = set { "manual_syncing" },
  done = set { "stopped" }, renews = true,
}

--- Stop of replication. Source: StopDiskReplicaGroup.
---@type alicloud.dr.Transition
M.stop = transition {
  words = M.words("ebs", "StopDiskReplicaGroup", "stop"), params = {},
  legal = set(legal "StopDiskReplicaGroup"), moving = set { "stopping" }, done = set { "stopped" },
  failed = "stop_failed",
}

local OF_PAIR = {}

local function action_of_pair(wanted)
  return (wanted.words.action:gsub("Group$", "Pair"))
end

local function of_pair(wanted)
  local made = tables.merged(wanted)
  made.words = tables.merged(wanted.words, { action = action_of_pair(wanted) })
  made.legal = set(legal(made.words.action))
  -- From reprotect_failed the same call is repeated, as for a group.
  if wanted.failed == "reprotect_failed" then made.legal.reprotect_failed = true end
  return made
end

--- The same change for a group or for a pair without one, which has its own operations and states.
--- Source: FailoverDiskReplicaPair, ReprotectDiskReplicaPair, Start- and StopDiskReplicaPair.
---@param wanted alicloud.dr.Transition of a group
---@param unit "pair"|nil
---@return alicloud.dr.Transition
function M.of_unit(wanted, unit)
  if unit ~= "pair" or wanted.words.action:find "Pair$" then return wanted end
  OF_PAIR[wanted] = OF_PAIR[wanted] or of_pair(wanted)
  return OF_PAIR[wanted]
end

--- The parameter with the id of a group, or of a pair without a group.
---@param id string
---@param unit "pair"|nil
---@return table<string, string>
function M.params_of(id, unit)
  return unit == "pair" and { ReplicaPairId = id } or { ReplicaGroupId = id }
end

--- The token of a change in an incident: every operator who sees the same state derives the same
--- one. In another status, or with another recovery point, it is another change with another token.
---@param snapshot alicloud.dr.Snapshot
---@param incident string
---@param words alicloud.dr.Words
---@return string 64 hexadecimal digits
function M.incident_token(snapshot, incident, words)
  return intents.digest { words.verb, words.noun, snapshot.group_id, snapshots.direction(snapshot),
    snapshot.status, tostring(snapshot.recover_point), incident }
end

--- Makes the intent of a change other than a failover, with the recovery point of each pair.
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

--- Whether the change is done already: for the group and all pairs of a whole, non-empty set.
---@param wanted alicloud.dr.Transition
---@param snapshot alicloud.dr.Snapshot
---@return boolean
function M.is_done(wanted, snapshot)
  if #snapshot.pairs == 0 or snapshots.pair_set_fault(snapshot) then return false end
  if not wanted.done[snapshot.status] then return false end
  for _, pair in ipairs(snapshot.pairs) do
    if not wanted.done[pair.status] or not snapshots.same_place(pair.from, snapshot.from) then
      return false
    end
  end
  return true
end

--- Whether the change is under way, whoever began it.
---@param wanted alicloud.dr.Transition
---@param snapshot alicloud.dr.Snapshot
---@return boolean
function M.is_moving(wanted, snapshot)
  return wanted.moving[snapshot.status] == true and #snapshot.pairs > 0
    and not snapshots.pair_set_fault(snapshot)
end

return M
