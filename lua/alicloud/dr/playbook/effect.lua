--- What the steps of a run have sent that had an effect, or may have had one, and whether a point
--- of no return is passed.

local M = {}

local function is_harmless(call)
  return call.answer ~= nil
    and (call.answer.outcome == "not_sent" or call.answer.outcome == "rejected")
end

--- Calls of a step, other than those of verbs, that have had an effect, or may have had one.
---@param step alicloud.dr.StepState
---@return table[]
function M.unsettled_calls(step)
  local list = {}
  for _, call in ipairs(step.calls) do
    if not is_harmless(call) and not call.verb then list[#list + 1] = call end
  end
  return list
end

--- Whether a step has sent something that had an effect, or may have, since it was last undone.
---@param step alicloud.dr.StepState
---@return boolean
function M.has_sent(step)
  for i = (step.undone_calls or 0) + 1, #step.calls do
    if not is_harmless(step.calls[i]) then return true end
  end
  return false
end

-- After so many seconds a call in doubt has either had its effect, or will have none.
local DOUBT_SECONDS = 600

-- Whether a begun point of no return counts as passed. It does not if its error says that nothing
-- was done, and no call was accepted or is in doubt; calls that had been in doubt for DOUBT_SECONDS
-- when the step ended do not count.
local function is_passed(step)
  local outcome = step.status == "failed" and step.err and step.err.outcome
  if outcome ~= "not_sent" and outcome ~= "rejected" then return true end
  for _, call in ipairs(step.calls) do
    local accepted = call.answer and call.answer.outcome == "accepted"
    if accepted or not is_harmless(call) and step.ended_at - call.at < DOUBT_SECONDS then
      return true
    end
  end
  return false
end

--- Whether a branch has finished a point of no return, or has sent something in it.
---@param state alicloud.dr.RunState
---@param prefix string of the branch
---@return boolean
function M.has_passed(state, prefix)
  for _, key in ipairs(state.order) do
    local step = state.steps[key]
    local own = step.no_return and key:sub(1, #prefix) == prefix
    if own and (step.status == "done" or M.has_sent(step)) then return true end
  end
  return false
end

--- The first point of no return that was begun and counts as passed: after it nothing is undone.
---@param state alicloud.dr.RunState
---@param since number? unix seconds: only a step that was begun then or later
---@return string|nil key of that step; nil: there is none
function M.no_return(state, since)
  for _, key in ipairs(state.order) do
    local step = state.steps[key]
    local counts = step.no_return and step.runs > 0 and is_passed(step)
    if counts and step.begun_at >= (since or 0) then return key end
  end
  return nil
end

return M
