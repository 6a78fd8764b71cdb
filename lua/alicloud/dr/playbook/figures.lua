--- The two figures of a run, how long the service was away and how much was lost, and from what and
--- to what each is counted. A figure is of the whole, or it is not given.

local M = {}

---@class alicloud.dr.RecoveryTime
---@field seconds number? nil: not reached, or nobody can tell
---@field basis "verified"|"data_ready"|nil what stopped the clock
---@field from "outage"|"incident"|"run"|nil what started it: the declared outage, the first run of
---the incident, or this run
---@field from_at number? unix seconds
---@field why "already"|"found_open"|"joined"|nil why there is none: nothing was left to do; others
---had opened the data; others had begun

---@class alicloud.dr.RecoveryPoint
---@field seconds number? the worst of the failovers
---@field basis "outage"|"accepted"|"observed"|"stop"|nil what it is counted to
---@field to number? unix seconds
---@field group_id string?
---@field recover_point number? unix seconds, the recovery point itself

-- Of a move that somebody had made before the run came to it.
local FOUND_DONE = { already_failovered = true, already_there = true }

local function is_settled(call)
  local outcome = call.answer and call.answer.outcome
  return outcome == "not_sent" or outcome == "rejected"
end

-- Whether a call of the run, of an action or any, has had an effect or may have had one.
local function has_sent(state, action)
  for _, call in ipairs(state.calls) do
    if not is_settled(call) and (not action or call.action:find(action)) then return true end
  end
  return false
end

-- Whose move it was that opened the data: "own", "joined", "already"; nil if there was none.
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
  -- What an earlier process has sent may be found done by a later one.
  return found and has_sent(state, "^FailoverDiskReplica") and "own" or found
end

local function beginning(state)
  if state.outage and state.outage.at then return "outage", state.outage.at end
  local run = state.run
  if run.incident_since then return "incident", run.incident_since end
  return "run", run.at + (state.clocks.first or 0)
end

--- How long the service was away, as far as the run has come.
---@param state alicloud.dr.RunState
---@return alicloud.dr.RecoveryTime
function M.recovery_time(state)
  local marks, whose = state.marks, mover(state)
  local basis = marks.verified and "verified" or marks.data_ready and "data_ready" or nil
  -- That the data is open says nothing of when it was opened; that the service answers does, if
  -- the run has done something for it.
  if whose == "already" and (basis ~= "verified" or not has_sent(state)) then
    return { why = has_sent(state) and "found_open" or "already" }
  end
  if not basis then return {} end
  local from, from_at = beginning(state)
  if whose and whose ~= "own" and from == "run" then
    return { why = whose == "joined" and "joined" or "found_open" }
  end
  -- A process that has not looked does not know by how much its clock is wrong.
  local offset = state.clocks.marks[basis]
  if not offset and (state.clocks.first or 0) ~= 0 then return {} end
  local seconds = marks[basis] + (offset or 0) - from_at
  return { seconds = math.max(0, seconds), basis = basis, from = from, from_at = from_at }
end

-- A drill tells what a failover would have lost, which is a figure of a run that is no more.
local function is_of_move(state, result)
  if type(result) ~= "table" then return false end
  return result.outcome ~= "drill_ready" or state.run.kind == "drill"
end

-- A step may return anything, and a journal come from anywhere.
local function of_type(kind, value)
  return type(value) == kind and value or nil
end

--- How much was lost: the worst of the failovers.
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
