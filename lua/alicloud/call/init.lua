--- One logical call: planned once, attempted as often as the retry policy allows.
--
-- Parameters, ClientToken and endpoint are fixed in the plan; credentials, nonce, date and
-- signature are made anew for every attempt. An outcome that was unknown once stays unknown until
-- an attempt succeeds.

local clock = require "alicloud.call.server_clock"
local core = require "alicloud.core"
local errors = require "alicloud.base.error"
local lazy = require "alicloud.base.lazy"
local metas = require "alicloud.base.meta"
local providers = require "alicloud.call.provider"
local retry = require "alicloud.call.retry"
local services = require "alicloud.service"
local signing = require "alicloud.call.sign"
local throttle = require "alicloud.call.rate_limit"

---@module "alicloud.base.codes"
local codes = lazy.module "alicloud.base.codes"
---@module "alicloud.call.dependencies"
local dependencies = lazy.module "alicloud.call.dependencies"
---@module "alicloud.call.interceptor"
local witness = lazy.module "alicloud.call.interceptor"

local M = {}

local function note(progress, answer)
  local id, ids = answer.request_id, progress.request_ids
  if not id then return end
  if ids then ids[#ids + 1] = id else progress.request_ids = { id } end
end

local function meta_of(progress)
  local info, plan = progress.info, progress.plan
  note(progress, info)
  return {
    request_id = info.request_id,
    request_ids = progress.request_ids or {},
    status = info.status,
    attempts = progress.attempts,
    elapsed = progress.finished - progress.started,
    server_time = info.date,
    client_token = plan.token,
    endpoint = plan.target.host,
  }
end

--- Signs one attempt without sending it.
---@param context table the client's state
---@param plan alicloud.plan
---@return alicloud.Signed|nil signed as core.sign gives it
---@return alicloud.Error? err
function M.prepare(context, plan)
  local keys, err = providers.get(context.provider)
  if not keys then return nil, err end
  return signing.show(context, plan, keys)
end

local function out_of_time(seconds)
  return {
    kind = "timeout",
    code = "Client.Deadline",
    message = ("the deadline of %g s passed before the request could be sent"):format(seconds),
    outcome = "not_sent",
    retryable = true,
    retry_class = "never",
  }
end

-- A suspended machine stops the monotonic clock. What was decided before it slept is too old to be
-- sent again after it.
local function overslept(context, plan, progress)
  if progress.attempts == 1 then return false end
  local wall = context.runtime.time() - progress.began_at
  return wall - (context.loop.now() - progress.started) > plan.deadline
end

-- Waits for its turn. What was signed before would be old then.
local function queue(context, plan, progress)
  local loop, now = context.loop, context.loop.now()
  local gate = throttle.gate(context.limiter, plan, now)
  local waited, wait = throttle.pass(gate, plan.mutating, loop, now, progress.deadline)
  if not waited then return throttle.refusal(wait) end
  if waited > 0 then
    local tally = context.shared.tally
    tally.waited = tally.waited + waited
  end
end

-- A transport that takes values needs nothing that only bytes need: no date, nonce or signature.
local function hand_over(context, plan, keys, timeout)
  local answer = context.carrier.perform {
    product = plan.product,
    action = plan.action,
    version = plan.version,
    params = plan.flat,
    region = plan.region,
    method = plan.method,
    host = plan.target.host,
    access_key_id = keys.access_key_id,
    timeout = timeout,
  }
  if answer.result then return answer.result, answer end
  if answer.err then return nil, answer.err end
  return core.read(answer)
end

local function send(context, plan, progress, signed, timeout)
  local tally = context.shared.tally
  tally.attempts = tally.attempts + 1
  progress.underway = true
  if not signed then return hand_over(context, plan, progress.keys, timeout) end
  return context.carrier.ask(signed, plan, timeout, context.plain_http)
end

-- A transport that takes values has nothing signed.
local function sign(context, plan, progress)
  if context.carrier.perform then return nil end
  return signing.sign(context, plan, progress.keys, progress.retried)
end

-- The attempt itself, between what a witness is told before and after it.
local function send_witnessed(context, plan, progress, signed, timeout)
  local call, refusal = witness.before(context.witness, plan, progress.attempts)
  if refusal then return nil, refusal end
  local result, answer = send(context, plan, progress, signed, timeout)
  witness.after(context.witness, call, result, answer)
  return result, answer
end

local function attempt(context, plan, progress)
  local refusal = context.limiter and queue(context, plan, progress)
  if refusal then return nil, refusal end
  local keys, err = providers.get(context.provider)
  if not keys then return nil, err end
  progress.keys = keys
  local signed <close>, failure = sign(context, plan, progress)
  if failure then return nil, failure end
  local remaining = progress.deadline - context.loop.now()
  if remaining <= 0 or plan.mutating and overslept(context, plan, progress) then
    return nil, out_of_time(plan.deadline)
  end
  local limit = plan.timeout
  local timeout = remaining < limit and remaining or limit
  if context.witness and plan.mutating then
    return send_witnessed(context, plan, progress, signed, timeout)
  end
  return send(context, plan, progress, signed, timeout)
end

--- The hint of the service data for a code, or for its more general parent.
local function cure(data, code)
  while data and data.errors and code do
    local entry = data.errors[code]
    if entry then return entry.cure end
    code = code:match("^(.*)%.[^%.]*$")
  end
end

-- What to do about a failure of the way there; where a request may have left, `doubt` knows better.
local function way_out(failure)
  local entry = codes[failure.code]
  return entry and entry.outcome == "not_sent" and entry.cure or nil
end

local function doubt(plan)
  local advice = plan.token and "and then only with the same ClientToken (" .. plan.token .. ")"
    or "it carries no ClientToken"
  return "it may have been done: look at the resource before sending again, " .. advice
end

local function hint_for(context, plan, failure, outcome)
  local hint = failure.hint or clock.hint(context, failure) or cure(plan.data, failure.code)
    or way_out(failure)
  if not (plan.mutating and outcome == "unknown") then return hint end
  -- The cure of a code that always leaves doubt speaks of looking and of the token by itself.
  local says_so = hint and failure.outcome == "unknown" and plan.token
  if says_so then return ("%s (ClientToken %s)"):format(hint, plan.token) end
  return hint and hint .. "; " .. doubt(plan) or doubt(plan)
end

local function to_error(context, plan, progress, failure)
  local fields = {}
  for name, value in pairs(failure) do fields[name] = value end
  local outcome = failure.outcome or "unknown"
  if plan.mutating and outcome ~= "unknown" and progress.doubtful then
    outcome = "unknown"
    fields.message = ("%s (an earlier attempt ended without an answer)")
      :format(failure.message or failure.code)
  end
  fields.outcome = outcome
  fields.hint = hint_for(context, plan, failure, outcome)
  fields.product, fields.action, fields.version = plan.product, plan.action, plan.version
  fields.region = plan.region
  fields.endpoint = plan.target.host
  fields.attempts = progress.attempts
  fields.elapsed = context.loop.now() - progress.started
  fields.client_token = plan.token
  fields.request_ids = { table.unpack(progress.request_ids or {}) }
  fields.cause = progress.cause or failure.cause
  return errors.new(fields)
end

-- How long everybody stays away, which is also what the caller is told.
local function heed(context, plan, progress, failure)
  if failure.retry_class ~= "throttle" then return end
  local tally = context.shared.tally
  tally.throttles, progress.throttles = tally.throttles + 1, progress.throttles + 1
  local now = failure.date or clock.server_time(context)
  local hint = throttle.hint(failure, progress.throttles, now, context.runtime.random)
  failure.retry_after = hint
  if hint and context.limiter then
    local now_here = context.loop.now()
    local gate = throttle.gate(context.limiter, plan, now_here)
    throttle.hold(gate, failure.code, now_here, math.min(hint, plan.policy.hint_cap))
  end
end

-- A session can end early. Credentials that cannot be renewed are refused for good, and so are
-- those that came instead.
local function renew_keys(context, progress)
  if progress.mended.credentials then return false end
  return providers.refuse(context.provider, progress.keys)
end

-- The key of a session goes with the session: then it is not found at all.
local function class_of(progress, failure)
  local session = progress.keys and progress.keys.security_token ~= nil
  if session and failure.code == "InvalidAccessKeyId.NotFound" then return "credentials" end
  return failure.retry_class
end

local function next_wait(context, plan, progress, failure)
  local class = class_of(progress, failure)
  progress.mended = progress.mended or {}
  if class == "credentials" and not renew_keys(context, progress) then return nil, "final" end
  if class == "clock" and not clock.mend(context, plan, failure) then return nil, "final" end
  return retry.decide(progress.policy, context.shared.bucket, {
    class = class,
    outcome = failure.outcome or "unknown",
    attempt = progress.attempts,
    mutating = plan.mutating,
    token = plan.token ~= nil,
    resend = plan.resend,
    mended = progress.mended,
    hint = failure.retry_after,
    remaining = progress.deadline - context.loop.now(),
    random = context.runtime.random,
  })
end

local function succeed(context, progress, result, info)
  retry.refund(context.shared.bucket, progress.cost)
  local tally = context.shared.tally
  tally.successes = tally.successes + 1
  -- What is kept with the result holds no credentials.
  progress.info, progress.finished, progress.keys = info, context.loop.now(), nil
  progress.make_meta = meta_of
  metas.keep(result, progress)
  return result
end

-- Whatever the caller says of it, an operation reads if the data of its version says so.
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

-- What the client must not do, whatever the answer would be.
local function forbidden(context, plan)
  if context.mode == "observe"
    and (plan.mutating or not services.reads(plan.product, plan.action, plan.version)) then
    return observes(plan)
  end
  return context.failed_region and dependencies.refusal(context, plan)
end

--- What is known of a call that goes on: when it began, its attempts, its request ids.
---@param context table the client's state
---@param plan table see alicloud.plan
---@param policy? alicloud.retry.Policy else the plan's
---@return table progress
function M.begin(context, plan, policy)
  local tally, started = context.shared.tally, context.loop.now()
  tally.requests = tally.requests + 1
  return {
    started = started,
    began_at = plan.mutating and context.runtime.time() or nil,
    deadline = started + plan.deadline,
    plan = plan,
    policy = policy or plan.policy,
    attempts = 0,
    throttles = 0,
    mended = nil,
    underway = false,
    request_ids = nil,
    info = nil,
    finished = nil,
    keys = nil,
  }
end

--- The error of a call that its caller gave up.
---@param context table
---@param plan table
---@param progress table
---@return alicloud.Error
function M.cancelled(context, plan, progress)
  return to_error(context, plan, progress, {
    kind = "cancelled",
    code = "Client.Cancelled",
    message = "the call was cancelled",
    outcome = progress.underway and "unknown" or "not_sent",
  })
end

local function pause(context, progress, wait)
  local tally = context.shared.tally
  tally.retries, tally.waited = tally.retries + 1, tally.waited + wait
  progress.retried = { count = progress.attempts, wait = wait }
  if wait > 0 then context.loop.sleep(wait) end
end

--- Carries a plan out.
---@param context table the client's state
---@param plan table see alicloud.plan
---@param progress table as `begin` made it
---@return table|nil result
---@return alicloud.Error? err
function M.run(context, plan, progress)
  local refusal = forbidden(context, plan)
  if refusal then return nil, to_error(context, plan, progress, refusal) end
  while true do
    progress.attempts = progress.attempts + 1
    local result, answer = attempt(context, plan, progress)
    if result then return succeed(context, progress, result, answer) end
    note(progress, answer)
    heed(context, plan, progress, answer)
    local err = to_error(context, plan, progress, answer)
    local wait, reason = next_wait(context, plan, progress, answer)
    if not wait then
      err.stopped = reason
      return nil, err
    end
    progress.cause, progress.cost = err, reason
    progress.doubtful = err.outcome == "unknown"
    pause(context, progress, wait)
  end
end

--- Carries a reading plan out in one attempt that costs no retry budget, to see whether the service
--- is there.
---@param context table the client's state
---@param plan table see alicloud.plan
---@return table|nil result
---@return alicloud.Error? err
function M.probe(context, plan)
  assert(not plan.mutating, "a probe only reads")
  return M.run(context, plan, M.begin(context, plan, retry.probing(plan.policy)))
end

return M
