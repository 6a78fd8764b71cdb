--- Runs one change of a group (reprotect, start, stop) from the first look to the result. The kind
--- of change says what must be true before it; the steps are the same for all.

local changes = require "alicloud.dr.change"
local direction = require "alicloud.dr.model.direction"
local failures = require "alicloud.dr.change.failures"
local phases = require "alicloud.dr.model.phase"
local sites = require "alicloud.dr.read.sites"
local snapshots = require "alicloud.dr.model.snapshot"
local states = require "alicloud.dr.model.states"
local tables = require "alicloud.base.tables"
local transitions = require "alicloud.dr.model.transition"

local M = {}

---@class alicloud.dr.ChangeResult
---@field outcome string e.g. "reprotected" or "already_reprotected"
---@field group_id string
---@field region string where the call went
---@field from alicloud.dr.Place direction as observed at the end
---@field to alicloud.dr.Place
---@field pairs alicloud.dr.Pair[] as observed at the end
---@field joined boolean somebody else's change was waited for; nothing was sent
---@field elapsed number seconds, from the first look on
---@field server_time number? of the accepted call, unix seconds by the server's clock
---@field recover_point integer? unix seconds, the oldest of group and pairs
---@field request_id string? of the accepted call
---@field request_ids string[] of every answer to the call
---@field client_token string? of the call; nil: nothing was sent
---@field attempts integer how many times the call left
---@field other_site "agrees"|"same"|"unknown"|nil what the other region showed before anything was
---sent; same: there is no other region; nil: the change was continued
---@field snapshot alicloud.dr.Snapshot the last look

---@class alicloud.dr.ReplicationChange
---@field transition alicloud.dr.Transition
---@field outcome string e.g. "reprotected"
---@field one_sided boolean? it needs to know which side is meant
---@field is_done fun(change: alicloud.dr.Change, snapshot: alicloud.dr.Snapshot): boolean
---@field problem fun(change: alicloud.dr.Change, snapshot: alicloud.dr.Snapshot): table|nil
---@field regions fun(change: alicloud.dr.Change, snapshot: alicloud.dr.Snapshot): string[]
---@field passes? fun(change: alicloud.dr.Change, err: alicloud.Error,
---snapshot: alicloud.dr.Snapshot?): string? why the obstacle behind a refusal ends by itself
---@field orient? fun(change: alicloud.dr.Change, snapshot: alicloud.dr.Snapshot): table the
---snapshot with the direction that it had before the change began
---@field facts? table more fields of the result

--- Makes the result of a change, and sends it as the event "done".
---@param change alicloud.dr.Change
---@param outcome string
---@param snapshot alicloud.dr.Snapshot
---@param facts table|nil
---@return alicloud.dr.ChangeResult
function M.result(change, outcome, snapshot, facts)
  local accepted = change.accepted or {}
  local result = {
    outcome = outcome, group_id = change.group.id, region = change.region or change.group.region,
    from = snapshot.from, to = snapshot.to, pairs = snapshot.pairs, joined = change.joined,
    elapsed = change:elapsed(), server_time = accepted.server_time,
    recover_point = snapshot.recover_point, request_id = accepted.request_id,
    request_ids = change.request_ids, attempts = change.attempts, snapshot = snapshot,
    client_token = change.attempts > 0 and change.intent.client_token or nil,
    other_site = change.other_site,
  }
  for name, value in pairs(facts or {}) do result[name] = value end
  change:emit { event = "done", result = result, snapshot = snapshot }
  return result
end

-- Seconds to wait for lists of group and pairs that differ, and for sites that differ.
local BRIEFLY, SITES_LAG = 60, 120

local function odd_pairs(snapshot)
  local names = {}
  for _, pair in ipairs(snapshot.pairs) do
    if not states.follows(snapshot.status, pair.status)
      and not states.follows(pair.status, snapshot.status) then
      names[#names + 1] = ("%s is %s"):format(pair.id, pair.status)
    end
  end
  return #names > 0 and table.concat(names, ", ") or nil
end

local function words_of(set)
  return table.concat(tables.keys(set), ", ")
end

local function problem_of_set(snapshot)
  if #snapshot.pairs == 0 then
    return { code = "OperationDenied.NoPairInGroup", message = "the group has no pairs" }
  end
  local fault = snapshots.pair_set_fault(snapshot)
  return fault and { code = "Client.PairSetIncomplete", message = fault, retryable = true,
    hint = "look again in a few seconds: lists of group and pairs may lag behind each other; only "
      .. "a failover, its fence, and serve after it, can do without (force)" }
end

--- Looks at the group from both of its sites until they agree, before anything is decided.
---@param change alicloud.dr.Change
---@param force? alicloud.dr.Force[] what a person has overruled
---@return alicloud.dr.Sites|nil
---@return alicloud.Error? err nothing was sent
function M.look(change, force)
  local found, err = sites.agree(change.group, { loop = change.loop, force = force,
    emit = function(event) change:emit(event) end })
  if not found then return failures.unreadable(change, err) end
  change.other_site = sites.other_site(found)
  return found
end

-- A change that is the same for both sides needs no side; but a side that the group does not have
-- is an error in any case.
local function problem_of_members(snapshot)
  local slip = snapshot.role ~= "both" and direction.problem(snapshot)
  return slip or problem_of_set(snapshot)
end

--- What forbids any change of a group: it is not listed, or its sites or pairs do not agree.
---@param found alicloud.dr.Sites
---@return table|nil problem
function M.problem_of_world(found)
  local snapshot = found.here
  if snapshot.role == "absent" then
    if snapshot.member_of then
      return { code = "NoSuchResource", message = ("%s is a pair of %s and moves with it: name the "
        .. "group"):format(snapshot.group_id, snapshot.member_of) }
    end
    return { code = "NoSuchResource", message = ("%s is on neither site of %s; allowed: a region "
      .. "of the group"):format(snapshot.group_id, snapshot.region) }
  end
  local difference = sites.disagreement(found)
  if difference then
    return { kind = "state", code = "Client.SitesDisagree", message = difference, retryable = true,
      passes = SITES_LAG,
      hint = "look again; if it stays so, read the group in the console" }
  end
  return problem_of_members(snapshot)
end

--- The same for actions after a failover. If this site shows the group failovered, a contradiction
--- of the other site is only reported: after an outage that site may still show an old state.
---@param found alicloud.dr.Sites
---@return table|nil problem
---@return string|nil unproven how the other site contradicts, in words; nil: it does not
function M.problem_once_open(found)
  if not snapshots.is_failovered(found.here) then return M.problem_of_world(found) end
  return problem_of_members(found.here), sites.disagreement(found)
end

--- What forbids a change that is possible only from the secondary site.
---@param snapshot alicloud.dr.Snapshot
---@param way_on string the action, to be followed by a place, e.g. "reprotect in"
---@param code? string the service's code for this verb at the primary site
---@return table|nil problem nil at the secondary site
function M.problem_of_side(snapshot, way_on, code)
  if snapshot.role == "secondary" then return nil end
  local problem = direction.problem(snapshot)
  if problem then return problem end
  local message, hint = direction.wrong_side(snapshot, way_on)
  return { kind = "state", code = code or "OperationDenied.OperateNotAllowedForPrimary",
    message = message, hint = hint }
end

--- What the statuses of group and pairs forbid.
---@param transition alicloud.dr.Transition
---@param snapshot alicloud.dr.Snapshot
---@return table|nil problem
function M.problem_of_status(transition, snapshot)
  if not transition.legal[snapshot.status] then
    local turn = snapshot.status == "failovered" and transition.words.verb == "start"
    return { hint = turn and "turn it round first, group:reprotect, then start it" or nil,
      code = "OperationDenied.InvalidStatus", message = ("status %s; allowed: %s"):format(
      snapshot.status == "" and "missing" or snapshot.status, words_of(transition.legal)),
      passes = states.passes(snapshot.status, transition.legal) }
  end
  local odd = odd_pairs(snapshot)
  return odd and { code = "OperationDenied.PairGroupStatusConflict", passes = BRIEFLY,
    message = ("group %s, but %s"):format(snapshot.status, odd) }
end

local function target_of(change, kind, intent, regions, snapshot)
  local transition = kind.transition
  local params = tables.merged(transitions.params_of(change.group.id, intent.unit),
    transition.params)
  return {
    regions = regions, params = params, intent = intent,
    read = function(options) return change.group:observe(options) end,
    transition = transition, describe = transition.describe, same = snapshots.same_state,
    passes = kind.passes and function(err)
      return kind.passes(change, err, change.poller.last or snapshot)
    end,
    began_failed = transition.failed ~= nil and intent.status == transition.failed,
    terms = { one_shot = transition.renews or nil, reverse = transition.params.ReverseReplicate },
  }
end

local function conclude(change, kind, seen, err)
  if not seen then return nil, err end
  local result = M.result(change, kind.outcome, seen, kind.facts)
  change:write_outcome(result)
  return result
end

local function oriented(change, kind, snapshot)
  return kind.orient and kind.orient(change, snapshot) or snapshot
end

-- How the group differs from the one in the question, beyond what replication does by itself.
local function difference_to_asked(kind, asked, seen)
  local phase, reason = phases.of(kind.transition, asked, seen)
  if phase == "not_started" then return nil end
  local same = phases.of_shape(kind.transition, asked, seen) == nil and phase ~= "completed"
    and states.follows(asked.status, seen.status)
  for _, pair in ipairs(seen.pairs) do
    same = same and states.follows(asked.pair_status[pair.id], pair.status)
  end
  return not same and reason or nil
end

local function confirm(change, kind, snapshot)
  local ask = change.options.confirm
  if not ask then return snapshot end
  if not ask(snapshot, kind.facts or {}) then return failures.not_confirmed(change) end
  local found, err = M.look(change)
  if not found then return nil, err end
  local problem = M.problem_of_world(found)
  if problem then return failures.forbidden(change, problem) end
  local asked = transitions.intent(snapshot, "")
  local difference = difference_to_asked(kind, asked, found.here)
  if difference then return failures.world_changed(change, difference) end
  -- Somebody may have attached a disk while the question was open.
  problem = kind.problem(change, found.here)
  if problem then return failures.forbidden(change, problem) end
  return found.here
end

-- The target after the decision: the token is derived from `snapshot`, and the intent is made from
-- `asked`, which has the direction before the change.
local function decided(change, kind, snapshot, asked)
  local token = change:token(snapshot, transitions.incident_token)
  return target_of(change, kind, transitions.intent(asked, token), kind.regions(change, snapshot),
    snapshot)
end

local function problem_for(kind, found)
  return M.problem_of_world(found) or kind.one_sided and direction.problem(found.here) or nil
end

-- The problem that stands in the way; nil if the change is done or under way already.
local function stands_in_the_way(change, kind, snapshot)
  if kind.is_done(change, snapshot) or transitions.is_moving(kind.transition, snapshot) then
    return nil
  end
  return kind.problem(change, snapshot)
end

local function decide(change, kind, found, obstacle)
  local snapshot = found.here
  local problem = problem_for(kind, found)
  if problem then return failures.forbidden(change, problem) end
  if kind.is_done(change, snapshot) then
    return M.result(change, "already_" .. kind.outcome, snapshot, kind.facts)
  end
  if transitions.is_moving(kind.transition, snapshot) then
    local asked = oriented(change, kind, snapshot)
    return conclude(change, kind, change:join(decided(change, kind, snapshot, asked)))
  end
  local difference = change:difference_to_past(snapshot)
  if difference then return failures.world_changed(change, difference) end
  if obstacle then return failures.forbidden(change, obstacle) end
  local agreed, refusal = confirm(change, kind, snapshot)
  if not agreed then return nil, refusal end
  return conclude(change, kind, change:apply(decided(change, kind, agreed, agreed)))
end

-- Takes the transition for a group or for a pair without a group, which has its own operations.
local function become(change, kind, unit)
  kind.transition = transitions.of_unit(kind.transition, unit)
  change.words = kind.transition.words
end

--- Runs one change to its end.
---@param group alicloud.dr.Group
---@param options alicloud.dr.CheckedOptions
---@param kind alicloud.dr.ReplicationChange
---@return alicloud.dr.ChangeResult|nil
---@return alicloud.Error? err
function M.run(group, options, kind)
  local change = changes.new(group, kind.transition.words, options)
  if change:is_continued() then
    local intent = options.continue.intent
    become(change, kind, intent.unit)
    return conclude(change, kind, change:apply(target_of(change, kind, intent, { intent.region })))
  end
  local err
  local found, obstacle = change:until_passed(function()
    local seen
    seen, err = M.look(change)
    if seen then become(change, kind, seen.here.unit) end
    if not seen then return nil end
    local problem = problem_for(kind, seen)
    if problem then return seen, problem.passes and problem or nil end
    return seen, stands_in_the_way(change, kind, seen.here)
  end)
  if not found then return nil, err end
  return decide(change, kind, found, obstacle)
end

--- Runs a change that can be made in two ways under one verb. A continued change may be of the
--- other way: it comes to its own end first. While its outcome is unknown, nothing else is begun.
---@param group alicloud.dr.Group
---@param options alicloud.dr.CheckedOptions
---@param name "one_shot"|"reverse" of the option that tells which way
---@param kind_of fun(way: boolean): alicloud.dr.ReplicationChange
---@return alicloud.dr.ChangeResult|nil
---@return alicloud.Error? err
function M.run_one_way(group, options, name, kind_of)
  local way, past = options[name] == true, options.continue
  local before = past and past.first_send_wall and past[name]
  if type(before) == "boolean" and before ~= way then
    local ended, err = M.run(group, options, kind_of(before))
    if not ended and err.outcome == "unknown" then return nil, err end
    options = tables.merged(options)
    options.continue = nil
  end
  return M.run(group, options, kind_of(way))
end

return M
