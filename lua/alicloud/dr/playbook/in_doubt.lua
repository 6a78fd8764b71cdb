--- Decides whether a step that a process began and did not end may run again.
---
--- Verbs on groups need no decision: they look, and continue their intent. Other calls that have
--- had an effect, or may have had one, are settled by the step's own `check`, or by a token that
--- the step gives again (`run:token`) while the service remembers it. Else a person has to decide.

local effects = require "alicloud.dr.playbook.effect"
local errors = require "alicloud.base.error"

local M = {}

--- Seconds after its first use for which a token is used again. It is not documented how long the
--- service remembers a token.
M.TOKEN_WINDOW = 120

local function describe(call)
  local answer = call.answer
  local ending = not answer and "no answer was seen"
    or answer.outcome == "accepted" and ("done, request id %s"):format(tostring(answer.request_id))
    or ("outcome unknown, %s"):format(tostring(answer.code))
  return ("%s:%s (%s)"):format(call.product, call.action, ending)
end

local function list(calls)
  local parts = {}
  for i, call in ipairs(calls) do parts[i] = describe(call) end
  return table.concat(parts, ", ")
end

local function all_repeatable(engine, calls)
  for _, call in ipairs(calls) do
    local age = math.abs(engine.runtime.time() - call.at)
    if not call.stable or age > M.TOKEN_WINDOW then return false end
  end
  return true
end

local function doubt_error(key, calls)
  return errors.new {
    kind = "state", code = "Client.StepInDoubt", outcome = "unknown", step = key,
    message = ("step %q was begun and not ended, and it has sent: %s"):format(key, list(calls)),
    hint = ("look at what it changes; then resume with --skip '%s=WHY' if it is done, or with "
      .. "--again '%s' if it may be done once more"):format(key, key),
  }
end

--- Decides about a step that was begun before.
---@param engine alicloud.dr.Engine
---@param step alicloud.dr.StepState
---@param options alicloud.dr.StepOptions
---@return "run"|"stop"
---@return alicloud.Error? err of "stop"
function M.decide(engine, step, options)
  local calls = effects.unsettled_calls(step)
  if #calls == 0 or options.check or engine.options.again[step.key] then return "run" end
  if all_repeatable(engine, calls) then return "run" end
  return "stop", doubt_error(step.key, calls)
end

return M
