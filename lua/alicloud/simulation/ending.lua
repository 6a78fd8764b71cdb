--- Decides whether a run has ended as it ends without troubles (invariant E).

local controllers = require "alicloud.simulation.controllers"
local core = require "alicloud.core"
local duration = require "alicloud.base.duration"
local events = require "alicloud.dr.playbook.events"
local looks = require "alicloud.simulation.looks"
local order = require "alicloud.simulation.order"
local people = require "alicloud.simulation.people"
local stopping = require "alicloud.simulation.stopping"
local surroundings = require "alicloud.simulation.surroundings"

local M = {}

-- The outcome of a failover, for a verdict. Other verbs may report that the process before had done
-- the work already, so only their success is compared.
local function told(result)
  local outcome = type(result) == "table" and result.outcome
  return type(outcome) == "string" and outcome:find "failovered$" and " " .. outcome or ""
end

local TIMEOUT = "Client.StepTimeout"
-- Seconds that a step may need beside those of an outage.
local OWN_TIME = 60

local function is_timeout(err) return type(err) == "table" and err.code == TIMEOUT end

-- Whether an outage lasted for about as long as each of the steps may that were not done in time:
-- then the playbook wants the run to stop.
local function leaves_no_time(rehearsal, outage)
  local reading = outage and events.read(rehearsal.stage.disk:text "run")
  if not reading then return false end
  local limits = {}
  for _, event in ipairs(reading.events) do
    if event.type == "step_begin" then limits[event.step] = event.definition:match "^[^|]*" end
    if event.type == "step_end" and is_timeout(event.err) then
      local limit = limits[event.step]
      if duration.parse(limit) > outage.lasts + OWN_TIME then return false end
    end
  end
  return true
end

-- Counts processes that ended with an error of the run itself: harmless troubles must not add any,
-- since people would have to resume the run.
local function stops_of(rehearsal, outage)
  local stops = 0
  for _, process in ipairs(rehearsal.stage.processes) do
    local wanted = is_timeout(process.err) and leaves_no_time(rehearsal, outage)
    if process.err and not wanted and not people.explain(rehearsal.stage, process) then
      stops = stops + 1
    end
  end
  return stops > 0 and (" after %d that stopped"):format(stops) or ""
end

-- The ending and the steps of a run as text, which harmless troubles must not change.
local function verdict(rehearsal, outage)
  local parts, result = {}, rehearsal.last.result
  for _, step in ipairs(result and result.steps or {}) do
    if not order.is_look(step.key) then
      parts[#parts + 1] = ("%s=%s%s"):format(step.key, step.status, told(step.result))
    end
  end
  -- Sorted, because parallel branches end in any order.
  table.sort(parts)
  return ("%s%s, %s"):format(rehearsal.ending, result and stops_of(rehearsal, outage) or "",
    table.concat(parts, ", "))
end

-- An interrupted step of the playbook's own must be settled by a person, which is no violation.
-- Longer pauses in sum are not harmless, since a call in doubt must not be sent again after them.
local SETTLED_BY_PEOPLE = { ["Client.StepInDoubt"] = true }
local TOO_OLD, LONGEST_PAUSES = "Client.RecoveryPointTooOld", 60

local function is_harmless_trouble(trouble, alone)
  return trouble.kind == "crashes" or trouble.kind == "typos" or stopping.is_harmless(trouble)
    or controllers.is_harmless(trouble) or looks.is_harmless(trouble, alone)
    or surroundings.is_harmless(trouble, alone)
end

-- Seconds of outage that a step outlasts. A fleet leaves out groups that it cannot read, so an
-- outage is harmless with one group only.
local LONGEST_OUTAGE = 600
local function outage_alone(case)
  local trouble = case.troubles[1]
  return #case.troubles == 1 and #case.world.groups == 1
    and (trouble.kind == "outages" or trouble.kind == "blips")
    and trouble.lasts <= LONGEST_OUTAGE and trouble or nil
end

local function is_harmless(case)
  if outage_alone(case) then return true end
  if looks.are_undecidable(case.troubles) then return false end
  local pauses, alone = 0, #case.troubles == 1 and #case.world.groups == 1
  for _, trouble in ipairs(case.troubles) do
    if not is_harmless_trouble(trouble, alone) then return false end
    pauses = pauses + (trouble.pause or 0)
  end
  return #case.troubles > 0 and pauses <= LONGEST_PAUSES
end

-- Cache: verdicts of undisturbed runs, by plan and world, because many seeds have the same world.
local endings = setmetatable({}, { __mode = "k" })

local function known_ending(case, plan, undisturbed)
  local known = endings[plan] or {}
  endings[plan] = known
  local key = core.encode(case.world.groups) .. (case.incident or "") .. (case.outage or "")
  known[key] = known[key] or verdict(undisturbed())
  return known[key]
end

-- Whether a run may end otherwise: the recovery point got too old in an outage, which may also last
-- for as long as a step may, or a fence that is only tried for a limited time has failed.
local function is_told(rehearsal, outage)
  local err, result = rehearsal.last.err, rehearsal.last.result
  if outage and type(err) == "table" and err.code == TOO_OLD then return true end
  if is_timeout(err) and leaves_no_time(rehearsal, outage) then return true end
  for _, step in ipairs(result and result.steps or {}) do
    local tried = result.status == "completed_with_exceptions" and step.key:find "fence"
    if step.err and (tried or outage and step.err.code == TOO_OLD) then return true end
  end
  return false
end

local REFUSED, STOPS = "^[^,]*%(not_sent%)", " after %d+ that stopped"

-- Whether two verdicts count as the same. Under reads that are wrong for a moment, a run that is
-- refused either way may get another code, and an old record may stop a run that sent nothing yet.
local function is_alike(case, one, other)
  if not looks.is_passing(case.troubles[1]) then return one == other end
  if one:find(REFUSED) and other:find(REFUSED) then return true end
  if case.troubles[1].name == "old_record" then
    one, other = one:gsub(STOPS, ""), other:gsub(STOPS, "")
  end
  return one == other
end

-- Whether a crash has lost the answer of a refused call. The service may repeat that refusal under
-- the token, so it proves nothing about the first call, and a person has to settle it.
local function has_lost_refusal(stage, err)
  if err.code ~= "Client.OutcomeUnknown" then return false end
  for _, process in ipairs(stage.processes) do
    local last = process.crashed and stage.requests[process.last]
    local entry = last and last.mutating and last.entry
    if entry and (entry.status or 0) >= 400 then return true end
  end
  return false
end

--- Checks invariant E: harmless troubles do not change how a run ends.
---@param case alicloud.simulation.Case
---@param plan alicloud.simulation.Plan
---@param rehearsal alicloud.simulation.Rehearsal a violation is added to its list
---@param undisturbed fun(): alicloud.simulation.Rehearsal runs the case without its troubles
function M.check(case, plan, rehearsal, undisturbed)
  if not (is_harmless(case) or people.is_passing(plan, case)) then return end
  if not people.are_steady(plan) then return end
  local err = rehearsal.last.err
  if type(err) == "table" and (SETTLED_BY_PEOPLE[err.code]
    or has_lost_refusal(rehearsal.stage, err)) then
    return
  end
  local outage = outage_alone(case)
  if is_told(rehearsal, outage) then return end
  local ended = verdict(rehearsal, outage)
  if known_ending(case, plan, undisturbed) == ended then return end
  -- The cached verdict may be of another seed, so the undisturbed run is made with this seed, too.
  local calm = verdict(undisturbed())
  if not is_alike(case, calm, ended) then
    table.insert(rehearsal.violations, ("E ended with %s, undisturbed with %s"):format(ended, calm))
  end
end

return M
