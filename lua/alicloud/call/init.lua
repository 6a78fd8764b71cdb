--- One logical call: planned once, attempted as often as the retry policy allows.
--
-- Parameters, ClientToken and endpoint are fixed in the plan; credentials, nonce, date and
-- signature are made anew for every attempt.

local attempt = require "alicloud.call.attempt"
local differences = require "alicloud.call.differences"
local guard = require "alicloud.base.guard"
local lazy = require "alicloud.base.lazy"
local outcomes = require "alicloud.call.outcome"
local providers = require "alicloud.call.provider"
local rate_limit = require "alicloud.call.rate_limit"
local retry = require "alicloud.call.retry"
local server_clock = require "alicloud.call.server_clock"
local services = require "alicloud.service"
local sign = require "alicloud.call.sign"

---@module "alicloud.call.dependencies"
local dependencies = lazy.module "alicloud.call.dependencies"
---@module "alicloud.call.tracer"
local tracers = lazy.module "alicloud.call.tracer"

local M = {}

--- Signs one attempt without sending it.
---@param context alicloud.call.Context
---@param plan alicloud.plan
---@return alicloud.Signed|nil signed as core.sign gives it
---@return alicloud.Error? err
function M.prepare(context, plan)
  local keys, err = providers.get(context.provider, plan.deadline, context.loop)
  if not keys then return nil, err end
  return sign.show(context, plan, keys)
end

-- A session can end early. Credentials are renewed once in a call; if the provider has no others,
-- or the others are refused too, the error is final.
local function renew_keys(context, progress)
  if progress.mended.credentials then return false end
  return providers.refuse(context.provider, progress.keys,
    progress.deadline - context.loop.now())
end

-- The access key of a session ends with it: the service then answers that the key does not exist.
local function class_of(progress, failure)
  local session = progress.keys and progress.keys.security_token ~= nil
  if session and failure.code == "InvalidAccessKeyId.NotFound" then return "credentials" end
  return failure.retry_class
end

local function next_wait(context, plan, progress, failure)
  local class = class_of(progress, failure)
  if class == "window" then progress.late = progress.late + 1 end
  progress.mended = progress.mended or {}
  if class == "credentials" and not renew_keys(context, progress) then return nil, "final" end
  if class == "clock" and not server_clock.learn(context, plan, failure) then
    return nil, "final"
  end
  return retry.decide(progress.policy, context.shared.bucket, {
    class = class,
    outcome = failure.outcome or "unknown",
    attempt = progress.attempts - progress.late,
    mutating = plan.mutating,
    token = plan.token ~= nil,
    resend = plan.resend,
    mended = progress.mended,
    hint = failure.retry_after,
    remaining = math.min(progress.deadline, progress.leave_by or math.huge) - context.loop.now(),
    random = context.runtime.random,
  })
end

-- Only the service data of the version says that an operation reads; the option `mutating` cannot.
local function observes(plan)
  local why = plan.operation and plan.operation.mutating and "the operation changes something"
    or ("%s %s is not among the operations that are known to read"):format(plan.action,
      plan.version)
  return {
    kind = "cancelled",
    code = "Client.ObserveMode",
    message = ("this client only observes; %s and was not sent"):format(why),
    outcome = "not_sent",
    hint = 'a client without mode = "observe" sends it',
  }
end

-- Why the client must not send this call: observe mode, or a dependency on the failed region.
local function forbidden(context, plan)
  if context.mode == "observe"
    and (plan.mutating or not services.reads(plan.product, plan.action, plan.version)) then
    return observes(plan)
  end
  return context.failed_region and dependencies.refusal(context, plan)
end

---@class alicloud.call.Progress the state of a call that is under way
---@field started number monotonic seconds
---@field began_at number? unix seconds, of a change
---@field deadline number monotonic seconds
---@field leave_by number? monotonic seconds by which an attempt has to leave; nil: no such limit
---@field plan alicloud.plan
---@field policy alicloud.retry.Policy
---@field attempts integer so far
---@field late integer attempts among them that had to leave by a moment and did not
---@field passed_at number? monotonic seconds at which the turn of the latest attempt came
---@field throttles integer answers that throttled the call
---@field mended table<string, boolean>? retry classes whose cause was corrected once
---@field outcome alicloud.Outcome what is known so far of the effect
---@field doubtful boolean? the outcome so far is unknown: an attempt may have had an effect
---@field request_ids string[]? of the attempts that were answered
---@field retried { count: integer, wait: number }? attempts so far, and seconds of the last pause
---@field cause alicloud.Error? error of the attempt before
---@field cost number? tokens of the retry budget that the last retry took
---@field keys alicloud.Credentials? credentials of the latest attempt
---@field span alicloud.CallSpan? of the client's tracer

--- Begins a call.
---@param context alicloud.call.Context
---@param plan alicloud.plan
---@param policy? alicloud.retry.Policy default: the plan's
---@return alicloud.call.Progress progress
function M.begin(context, plan, policy)
  local tally, started = context.shared.tally, context.loop.now()
  tally.requests = tally.requests + 1
  return {
    started = started,
    began_at = plan.mutating and context.runtime.time() or nil,
    deadline = started + plan.deadline,
    leave_by = plan.leave_within and started + plan.leave_within,
    plan = plan,
    policy = policy or plan.policy,
    attempts = 0,
    late = 0,
    passed_at = nil,
    throttles = 0,
    mended = nil,
    outcome = "not_sent",
    request_ids = nil,
    info = nil,
    finished = nil,
    heard_at = nil,
    make_meta = nil,
    keys = nil,
  }
end

local function pause(context, progress, wait)
  local tally = context.shared.tally
  tally.retries, tally.waited = tally.retries + 1, tally.waited + wait
  progress.retried = { count = progress.attempts, wait = wait }
  if wait > 0 then context.loop.sleep(wait) end
end

-- Raises if the attempt was cut short because this task was told to stop; then nothing is retried.
local function heed_stop(context, answer, err)
  if answer.code ~= "Client.Cancelled" then return end
  local stop = context.loop.stopping()
  if guard.is_interrupt(stop) then error(stop, 0) end
  if stop ~= nil then error(guard.cancellation(err), 0) end
end

local function run_attempt(context, plan, progress)
  local noted = context.shared.differences
  if plan.mutating and noted.looks then differences.begin_anew(noted) end
  local result, answer = attempt.run(context, plan, progress)
  if plan.mutating and noted.looks then differences.begin_anew(noted) end
  if not result then
    differences.of_refusal(context, plan, answer)
  elseif not plan.mutating and plan.operation and plan.data.whole then
    differences.of_answer(context, plan, progress, result)
  end
  return result, answer
end

-- What the error of a change needs is loaded before the change is sent: later the files may have
-- been replaced, or no descriptor may be left to read them.
local function load_errors(plan)
  return plan.data and plan.data.errors
end

local function carry_out(context, plan, progress)
  local refusal = forbidden(context, plan)
  if refusal then return nil, outcomes.error(context, plan, progress, refusal) end
  if plan.mutating then load_errors(plan) end
  while true do
    progress.attempts = progress.attempts + 1
    local result, answer = run_attempt(context, plan, progress)
    if result then return outcomes.result(context, progress, result, answer) end
    outcomes.add_request_id(progress, answer)
    rate_limit.apply_throttle(context, plan, progress, answer)
    local err = outcomes.error(context, plan, progress, answer)
    progress.outcome = err.outcome
    heed_stop(context, answer, err)
    local wait, reason = next_wait(context, plan, progress, answer)
    if not wait then return outcomes.stopped(err, reason) end
    progress.cause, progress.cost = err, reason
    progress.doubtful = err.outcome == "unknown"
    pause(context, progress, wait)
  end
end

local function cut_short(context, plan, progress, raised)
  -- An error that already names its action was made by the attempt, and says what is known.
  if not guard.is_cancellation(raised) or raised.action then return raised end
  return guard.cancellation(outcomes.cancelled(context, plan, progress))
end

local function ended(context, plan, progress, ok, ...)
  if progress.span then tracers.finish(progress, ok, ...) end
  if not ok then error(cut_short(context, plan, progress, (...)), 0) end
  return ...
end

--- Carries a plan out, with retries. If the caller's scope is cancelled meanwhile, it raises, as
--- every wait does, an error that says what is known of the call.
---@param context alicloud.call.Context
---@param plan alicloud.plan
---@param progress alicloud.call.Progress as `begin` made it
---@return table|nil result
---@return alicloud.Error? err
function M.run(context, plan, progress)
  if context.tracer then progress.span = tracers.begin(context, plan) end
  return ended(context, plan, progress, pcall(carry_out, context, plan, progress))
end

--- Carries a reading plan out in one attempt without retry budget, to see if the service answers.
---@param context alicloud.call.Context
---@param plan alicloud.plan
---@return table|nil result
---@return alicloud.Error? err
function M.probe(context, plan)
  assert(not plan.mutating, "a probe only reads")
  return M.run(context, plan, M.begin(context, plan, retry.probing(plan.policy)))
end

return M
