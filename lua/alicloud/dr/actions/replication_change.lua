--- One change of a group from the first look to the result: reprotect, start, stop. What each of
--- them asks of the world is its own; the way is the same.

local goals = require "alicloud.dr.model.transition"
local mutation = require "alicloud.dr.change"
local sites = require "alicloud.dr.read.sites"
local snapshots = require "alicloud.dr.model.snapshot"
local states = require "alicloud.dr.model.states"
local verdict = require "alicloud.dr.change.failures"
local sorted = require "alicloud.base.tables"

local M = {}

---@class alicloud.dr.ChangeResult
---@field outcome string e.g. "reprotected" or "already_reprotected"
---@field group_id string
---@field region string where the call went
---@field from alicloud.dr.Place direction as observed at the end
---@field to alicloud.dr.Place
---@field pairs alicloud.dr.Pair[] as observed at the end
---@field joined boolean somebody else's change was awaited; nothing was sent
---@field elapsed number seconds, from the first look on
---@field server_time number? of the accepted call, unix seconds by the server's clock
---@field recover_point integer? unix seconds, the oldest of group and pairs
---@field request_id string? of the accepted call
---@field request_ids string[] of every answer to the call
---@field client_token string? under which it was sent
---@field attempts integer how many times the call left
---@field other_site "agrees"|"same"|"unknown"|nil what was seen from the other region, before
---anything was sent; same: there is none; nil: continued
---@field snapshot alicloud.dr.Snapshot the last look

---@class alicloud.dr.Verb
---@field aim alicloud.dr.Aim
---@field outcome string e.g. "reprotected"
---@field is_done fun(run: alicloud.dr.Mutation, snapshot: alicloud.dr.Snapshot): boolean
---@field problem fun(run: alicloud.dr.Mutation, snapshot: alicloud.dr.Snapshot): table|nil
---@field regions fun(run: alicloud.dr.Mutation, snapshot: alicloud.dr.Snapshot): string[]
---@field orient? fun(run: alicloud.dr.Mutation, snapshot: alicloud.dr.Snapshot): table
---@field facts? table more fields of the result

--- The result of a change.
---@param run alicloud.dr.Mutation
---@param outcome string
---@param snapshot alicloud.dr.Snapshot
---@param facts table|nil
---@return alicloud.dr.ChangeResult
function M.result(run, outcome, snapshot, facts)
  local accepted = run.accepted or {}
  local result = {
    outcome = outcome, group_id = run.group.id, region = run.region or run.group.region,
    from = snapshot.from, to = snapshot.to, pairs = snapshot.pairs, joined = run.joined,
    elapsed = run:elapsed(), server_time = accepted.server_time,
    recover_point = snapshot.recover_point, request_id = accepted.request_id,
    request_ids = run.request_ids, attempts = run.attempts, snapshot = snapshot,
    client_token = run.attempts > 0 and run.intent.client_token or nil,
    other_site = run.other_site,
  }
  for name, value in pairs(facts or {}) do result[name] = value end
  run:emit { event = "done", result = result, snapshot = snapshot }
  return result
end

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
  return table.concat(sorted.keys(set), ", ")
end

local function problem_of_set(snapshot)
  if #snapshot.pairs == 0 then
    return { code = "OperationDenied.NoPairInGroup", message = "the group has no pairs" }
  end
  local fault = snapshots.pair_set_fault(snapshot)
  return fault and { code = "Client.PairSetIncomplete", message = fault, retryable = true,
    hint = "look again in a few seconds: lists of group and pairs may lag behind each other" }
end

--- Looks at the group from both of its sites, before anything is decided.
---@param run alicloud.dr.Mutation
---@return alicloud.dr.Sites|nil
---@return alicloud.Error? err nothing was sent
function M.look(run)
  local found, err = sites.agree(run.group, { loop = run.loop,
    emit = function(event) run:emit(event) end })
  if not found then return verdict.unreadable(run, err) end
  run.other_site = sites.other_site(found)
  return found
end

--- What is wrong with a group for any change: it is not there, its sides or pairs do not agree.
---@param found alicloud.dr.Sites
---@return table|nil problem
function M.problem_of_world(found)
  local snapshot = found.here
  if snapshot.role == "absent" then
    return { code = "NoSuchResource", message = ("%s is on neither site of %s; allowed: a region "
      .. "of the group"):format(snapshot.group_id, snapshot.region) }
  end
  local difference = sites.disagreement(found)
  if difference then
    return { kind = "state", code = "Client.SitesDisagree", message = difference, retryable = true,
      hint = "look again; if it stays so, read the group in the console" }
  end
  return problem_of_set(snapshot)
end

--- What is wrong with asking at the primary site.
---@param snapshot alicloud.dr.Snapshot
---@param way_on string what to do where, e.g. "reprotect in"
---@param code? string of the service for this verb
---@return table|nil problem nil at the secondary site
function M.problem_of_side(snapshot, way_on, code)
  if snapshot.role == "secondary" then return nil end
  return { kind = "state", code = code or "OperationDenied.OperateNotAllowedForPrimary",
    message = ("%s is the primary site of %s (%s); %s %s"):format(snapshot.region,
      snapshot.group_id, snapshots.direction(snapshot), way_on, snapshot.to.region) }
end

--- What is wrong with the statuses.
---@param aim alicloud.dr.Aim
---@param snapshot alicloud.dr.Snapshot
---@return table|nil problem
function M.problem_of_status(aim, snapshot)
  if not aim.legal[snapshot.status] then
    return { code = "OperationDenied.InvalidStatus", message = ("status %s; allowed: %s"):format(
      snapshot.status == "" and "missing" or snapshot.status, words_of(aim.legal)) }
  end
  local odd = odd_pairs(snapshot)
  return odd and { code = "OperationDenied.PairGroupStatusConflict",
    message = ("group %s, but %s"):format(snapshot.status, odd) }
end

local function goal_of(run, verb, intent, regions)
  local aim = verb.aim
  local params = { ReplicaGroupId = run.group.id }
  for name, value in pairs(aim.params) do params[name] = value end
  return {
    regions = regions, params = params, intent = intent,
    read = function(options) return run.group:observe(options) end,
    judge = function(decided, seen) return goals.judge(aim, decided, seen) end,
    describe = goals.describe, same = snapshots.same_state,
    began_failed = aim.failed ~= nil and intent.status == aim.failed,
  }
end

local function conclude(run, verb, seen, err)
  if not seen then return nil, err end
  local result = M.result(run, verb.outcome, seen, verb.facts)
  run:note_end(result)
  return result
end

local function oriented(run, verb, snapshot)
  return verb.orient and verb.orient(run, snapshot) or snapshot
end

local function confirm(run, verb, snapshot)
  if not run.options.confirm then return snapshot end
  if not run.options.confirm(snapshot, verb.facts or {}) then return verdict.not_confirmed(run) end
  local found, err = M.look(run)
  if not found then return nil, err end
  local problem = M.problem_of_world(found)
  if problem then return verdict.forbidden(run, problem) end
  local judgement, reason = goals.judge(verb.aim, goals.intent(snapshot, ""), found.here)
  if judgement ~= "as_planned" then return verdict.world_changed(run, reason) end
  -- Somebody may have attached a disk while the question was open.
  problem = verb.problem(run, found.here)
  if problem then return verdict.forbidden(run, problem) end
  return found.here
end

-- By one snapshot it was decided, another one shows it as it was asked for.
local function decided(run, verb, snapshot, asked)
  local token = run:token(snapshot, goals.incident_token)
  return goal_of(run, verb, goals.intent(asked, token), verb.regions(run, snapshot))
end

local function decide(run, verb, found)
  local snapshot = found.here
  local problem = M.problem_of_world(found)
  if problem then return verdict.forbidden(run, problem) end
  if verb.is_done(run, snapshot) then
    return M.result(run, "already_" .. verb.outcome, snapshot, verb.facts)
  end
  if goals.is_moving(verb.aim, snapshot) then
    local asked = oriented(run, verb, snapshot)
    return conclude(run, verb, run:join(decided(run, verb, snapshot, asked)))
  end
  local difference = run:difference_to_past(snapshot)
  if difference then return verdict.world_changed(run, difference) end
  problem = verb.problem(run, snapshot)
  if problem then return verdict.forbidden(run, problem) end
  local agreed, refusal = confirm(run, verb, snapshot)
  if not agreed then return nil, refusal end
  return conclude(run, verb, run:pursue(decided(run, verb, agreed, agreed)))
end

--- Runs one change to its end.
---@param group alicloud.dr.Group
---@param options alicloud.dr.MutationOptions
---@param verb alicloud.dr.Verb
---@return alicloud.dr.ChangeResult|nil
---@return alicloud.Error? err
function M.run(group, options, verb)
  local run = mutation.new(group, verb.aim.words, options)
  if run:is_continued() then
    local intent = options.continue.intent
    return conclude(run, verb, run:pursue(goal_of(run, verb, intent, { intent.region })))
  end
  local found, err = M.look(run)
  if not found then return nil, err end
  return decide(run, verb, found)
end

return M
