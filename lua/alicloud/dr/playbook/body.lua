--- Runs the body of a step within the step's limits, and judges its result.

local bounded = require "alicloud.dr.playbook.bounded"
local duration = require "alicloud.base.duration"
local effects = require "alicloud.dr.playbook.effect"
local errors = require "alicloud.base.error"
local guard = require "alicloud.base.guard"
local headways = require "alicloud.dr.playbook.headway"
local precheck = require "alicloud.dr.model.precheck"
local stops = require "alicloud.dr.playbook.stop"
local takeovers = require "alicloud.dr.playbook.takeover"

local M = {}

-- Seconds between two checks whether the old side was given up.
local GRACEFUL_SLICE = 1

-- Turns the result of a body into a result or an error. A table with `ok = false`, such as the
-- report of a pre-check, is a failure.
local function judge(key, ok, result, err)
  if not ok then return nil, stops.error_of(result, key) end
  if (result == nil or result == false) and err ~= nil then return nil, stops.error_of(err, key) end
  if type(result) ~= "table" or rawget(result, "ok") ~= false then return result end
  -- A table with `ok = false` need not be a report.
  local is_report, obstacle = guard.call(precheck.first_obstacle, result)
  if not is_report or not obstacle then
    obstacle = { code = "Client.StepFailed", fact = "its result says that it is not ok" }
  end
  return nil, errors.new { kind = "precheck", code = obstacle.code, step = key,
    message = obstacle.fact, hint = obstacle.cure, outcome = "not_sent",
    forcible = obstacle.id and precheck.forcible_codes(result) or nil }
end

-- The outcome of a step that was cut off, by its calls that no undo has taken back. Without calls,
-- or after a program, it is unknown what the body has done.
local function outcome_of(branch, key)
  local step = branch.engine.state.steps[key]
  local first = (step.undone_calls or 0) + 1
  if branch.ran_program or first > #step.calls or effects.has_sent(step) then return "unknown" end
  for i = first, #step.calls do
    if step.calls[i].answer.outcome == "rejected" then return "rejected" end
  end
  return "not_sent"
end

-- The calls of a step without an answer, in words.
local function under_way(branch, key)
  local names = {}
  for _, call in ipairs(branch.engine.state.steps[key].calls) do
    local outcome = call.answer and call.answer.outcome
    if not outcome or outcome == "unknown" then names[#names + 1] = call.action end
  end
  return #names > 0 and "; what it sent may have been done: " .. table.concat(names, ", ") or ""
end

local function gave_up(branch, key, fields)
  fields.step, fields.outcome = key, outcome_of(branch, key)
  fields.message = fields.message .. under_way(branch, key)
  return errors.new(fields)
end

--- The error of a step that was cancelled.
---@param branch alicloud.dr.PlaybookRun
---@param key string
---@param cause any the value that ended the run, or cancelled the step
---@return alicloud.Error
function M.given_up(branch, key, cause)
  -- The reason of a cancellation says more than the cancellation itself.
  local reason = errors.is_error(cause) and errors.is_error(cause.cause) and cause.cause or cause
  local why = errors.is_error(reason) and reason.message or "its task was ended"
  return gave_up(branch, key, { kind = "cancelled", code = "Client.Cancelled",
    message = "given up: " .. why })
end

local function timed_out(branch, key, options, late)
  local limit = duration.limit(duration.parse(options.timeout))
  return gave_up(branch, key, { kind = "timeout", code = "Client.StepTimeout", late = late,
    message = ("not done within %s"):format(limit) .. (late and duration.overrun(late) or "") })
end

--- Makes the function that notes that a step could not be cancelled at its timeout.
---@param branch alicloud.dr.PlaybookRun
---@param key string
---@param timeout number|string
---@return fun(seconds: number)
function M.late_teller(branch, key, timeout)
  return function(late)
    branch.engine:record { type = "note", late = late,
      text = ("step %q was not done within %s%s"):format(key,
        duration.limit(duration.parse(timeout)), duration.overrun(late)) }
  end
end

local function ungraceful()
  return errors.new { kind = "timeout", code = "Client.Ungraceful",
    message = "the old side was given up meanwhile" }
end

-- Ends the scope when the old side is given up, or when the inbox cannot be read any more.
local function watch(engine, key)
  return function(scope)
    while engine.state.mode ~= "ungraceful" do
      engine.loop.sleep(GRACEFUL_SLICE)
      local ok, raised = guard.call(engine.inbox.poll, engine.inbox)
      if not ok then return scope:cancel(stops.error_of(raised, key)) end
    end
    scope:cancel(ungraceful())
  end
end

--- Makes the function that keeps the scope of a step, or of its undo, in the branch.
---@param branch alicloud.dr.PlaybookRun
---@return fun(scope: alicloud.Scope)
function M.opener(branch)
  return function(scope) branch.step_scope = scope end
end

-- Seconds for which the step may have to wait for calls of an earlier process: they do not count
-- for its timeout.
local function waited_for(branch, key)
  return takeovers.left(branch.engine, branch.engine.state.steps[key].calls) or 0
end

local function bounds_of(branch, key, options)
  local opened = M.opener(branch)
  if not (options.timeout or options.graceful_only) then return { opened = opened } end
  return {
    timeout = options.timeout and duration.parse(options.timeout) + waited_for(branch, key),
    watch = options.graceful_only and watch(branch.engine, key) or nil,
    opened = opened,
    late = options.timeout and M.late_teller(branch, key, options.timeout) or nil,
    given_up = function(err)
      if err.code == "Client.ScopeTimeout" then return timed_out(branch, key, options, err.late) end
      return gave_up(branch, key, { kind = err.kind, code = err.code, message = err.message,
        hint = err.hint })
    end,
  }
end

local InStep = { __close = function(held)
  held.branch.step_key, held.branch.step_scope = nil, nil
end }

-- Calls a body within bounds. If it fails because the run or branch is being ended, that is raised
-- and does not count as the step's failure. So is an interrupt that has cut short a system call in
-- it.
local function call(branch, key, bounds, body)
  local loop = branch.engine.loop
  branch.step_key = key
  branch.client:renew_patience()
  local _ <close> = setmetatable({ branch = branch }, InStep)
  local results = table.pack(bounded.call(loop, bounds, body, branch))
  local has_failed = not results[1] or bounded.has_failed(results[2], results[3])
  if has_failed or guard.is_interrupt(loop.stopping()) then loop.checkpoint() end
  return table.unpack(results, 1, results.n)
end

--- Runs the body of a step.
---@param branch alicloud.dr.PlaybookRun
---@param key string
---@param options alicloud.dr.StepOptions
---@param body fun(run: alicloud.dr.PlaybookRun): any
---@return any result
---@return alicloud.Error? err
function M.run(branch, key, options, body)
  branch.step_reads, branch.ran_program = {}, false
  local _ <close> = headways.of_step(branch, key)
  return judge(key, call(branch, key, bounds_of(branch, key, options), body))
end

--- Calls the `check` of a step, within the step's timeout.
---@param branch alicloud.dr.PlaybookRun
---@param key string
---@param options alicloud.dr.StepOptions with `check`
---@return boolean ok
---@return any ... results of the check, or the raised value
function M.check(branch, key, options)
  local bounds = bounds_of(branch, key, { timeout = options.timeout })
  return call(branch, key, bounds, options.check)
end

return M
