--- Computes the achieved RTO and RPO of a run, with the times from which and to which they are
--- counted. A figure is for the whole run; if a part of it is not known, there is none.

local M = {}

---@class alicloud.dr.RecoveryTime
---@field seconds number? nil: not reached, or not known
---@field basis "verified"|"data_ready"|nil the mark that ends it
---@field from "outage"|"incident"|"run"|nil where it begins: at the declared outage, the first run
---of the incident, or this run
---@field from_at number? unix seconds
---@field why "already"|"found_open"|"joined"|nil why there is none: nothing was left to do; others
---had opened the data; others had begun the failover

---@class alicloud.dr.RecoveryPoint
---@field seconds number? the worst of all failovers; nil: not known
---@field basis "outage"|"accepted"|"observed"|"stop"|nil what `to` is
---@field to number? unix seconds up to which it is counted
---@field group_id string?
---@field recover_point number? unix seconds, the recovery point itself

-- Outcomes of a step that found its group moved already.
local FOUND_DONE = { already_failovered = true, already_there = true }

local function is_settled(call)
  local outcome = call.answer and call.answer.outcome
  return outcome == "not_sent" or outcome == "rejected"
end

-- Whether a call of the run has had an effect, or may have had one; with `action` only calls whose
-- action matches that pattern count.
local function has_sent(state, action)
  for _, call in ipairs(state.calls) do
    if not is_settled(call) and (not action or call.action:find(action)) then return true end
  end
  return false
end

-- Who has moved the groups: "own" (this run), "joined" (a failover of others that it waited for),
-- "already" (others, before); nil: nobody.
local function mover(state)
  local found
  for _, key in ipairs(state.order) do
    local result = state.steps[key].result
    local outcome = type(result) == "table" and result.outcome
    if outcome == "failovered" then
      if not result.joined then return "own" end
      found = "joined"
    elseif FOUND_DONE[outcome] then
      found = found or "already"
    end
  end
  -- If an earlier process of the run has sent the failover, it is the run's own.
  return found and has_sent(state, "^FailoverDiskReplica") and "own" or found
end

local function beginning(state)
  if state.outage and state.outage.at then return "outage", state.outage.at end
  local run = state.run
  if run.incident_since then return "incident", run.incident_since end
  return "run", run.at + (state.clocks.first or 0)
end

--- The RTO of a run, as far as it has come.
---@param state alicloud.dr.RunState
---@return alicloud.dr.RecoveryTime
function M.recovery_time(state)
  local marks, whose = state.marks, mover(state)
  local basis = marks.verified and "verified" or marks.data_ready and "data_ready" or nil
  -- If others have moved the groups, it is not known when. But if the run has sent a change, the
  -- time of its verification counts.
  if whose == "already" and (basis ~= "verified" or not has_sent(state)) then
    return { why = has_sent(state) and "found_open" or "already" }
  end
  if not basis then return {} end
  local from, from_at = beginning(state)
  if whose and whose ~= "own" and from == "run" then
    return { why = whose == "joined" and "joined" or "found_open" }
  end
  -- A process that has not looked does not know the offset of its clock.
  local offset = state.clocks.marks[basis]
  if not offset and (state.clocks.first or 0) ~= 0 then return {} end
  local seconds = marks[basis] + (offset or 0) - from_at
  return { seconds = math.max(0, seconds), basis = basis, from = from, from_at = from_at }
end

-- Whether a result's RPO counts. That of a drill says what a failover would lose, so it counts only
-- if the run is a drill.
local function is_of_move(state, result)
  if type(result) ~= "table" then return false end
  return result.outcome ~= "drill_ready" or state.run.kind == "drill"
end

-- The value if it has that type, since a step may return anything.
local function of_type(kind, value)
  return type(value) == kind and value or nil
end

--- The RPO of a run: the worst of its failovers.
---@param state alicloud.dr.RunState
---@return alicloud.dr.RecoveryPoint
function M.recovery_point(state)
  local worst = {}
  for _, key in ipairs(state.order) do
    local result = state.steps[key].result
    local loss = is_of_move(state, result) and type(result.rpo) == "number" and result.rpo
    if loss and loss > (worst.seconds or -1) then
      worst = { seconds = loss, basis = of_type("string", result.rpo_basis),
        to = of_type("number", result.rpo_to), group_id = of_type("string", result.group_id),
        recover_point = of_type("number", result.recover_point) }
    end
  end
  return worst
end

return M
