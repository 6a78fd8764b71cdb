--- One logical call: planned once, attempted as often as the retry policy allows.
--
-- Parameters, ClientToken and endpoint are fixed in the plan; credentials, nonce, date and
-- signature are made anew for every attempt. An outcome that was unknown once stays unknown until
-- an attempt succeeds.

local clock = require "alicloud.clock"
local codes = require "alicloud.codes"
local core = require "alicloud.core"
local credentials = require "alicloud.credentials"
local dependencies = require "alicloud.dependencies"
local errors = require "alicloud.error"
local retry = require "alicloud.retry"
local throttle = require "alicloud.throttle"
local witness = require "alicloud.witness"

local M = {}

local metas = setmetatable({}, { __mode = "k" })

---@class alicloud.Meta
---@field request_id string
---@field request_ids string[] of all attempts
---@field status integer
---@field attempts integer
---@field elapsed number seconds
---@field server_time? number unix seconds, the answer's Date header
---@field client_token? string
---@field endpoint string

--- What is known about a result besides its content.
---@param result table as returned by a call
---@return alicloud.Meta|nil
function M.meta(result)
  return metas[result]
end

local FORM = "application/x-www-form-urlencoded"

local function headers(context, plan, keys, retried)
  local list = { accept = "application/json", ["user-agent"] = context.user_agent }
  local name = plan.data and plan.data.names_provider and keys.provider
  -- A foreign provider may call itself what it likes.
  if type(name) == "string" and name:find("^[\x21-\x7e]+$") then
    list["x-acs-credentials-provider"] = name
  end
  if retried then
    list["x-acs-retry-attempts"] = ("%d"):format(retried.count)
    list["x-acs-retry-delay"] = ("%d"):format(math.floor(retried.wait * 1000))
  end
  return list
end

local function form_body(flat)
  local pairs_of = {}
  for name, value in pairs(flat) do
    pairs_of[#pairs_of + 1] = core.percent_encode(name) .. "=" .. core.percent_encode(value)
  end
  table.sort(pairs_of)
  return table.concat(pairs_of, "&")
end

-- HMAC-SHA1 signs the parameters of a form; the other algorithms sign the body as it is.
local function place_params(context, plan, request)
  if not plan.form then
    request.query = plan.flat
  elseif context.algorithm == "HMAC-SHA1" then
    request.form = plan.flat
  else
    request.body = form_body(plan.flat)
    request.headers["content-type"] = FORM
  end
  return request
end

--- Signs one attempt.
---@param context table the client's state
---@param plan table
---@param retried? { count: integer, wait: number } set from the second attempt on
---@return table|nil signed as core.sign gives it
---@return alicloud.Error? err
---@return alicloud.Credentials? keys that it was signed with
function M.sign(context, plan, retried)
  local keys, err = credentials.get(context.provider)
  if not keys then return nil, err end
  local runtime = context.runtime
  local signed = core.sign(place_params(context, plan, {
    algorithm = context.algorithm,
    method = plan.method,
    scheme = plan.target.scheme,
    host = plan.target.host,
    path = "/",
    headers = headers(context, plan, keys, retried),
    action = plan.action,
    version = plan.version,
    access_key_id = keys.access_key_id,
    access_key_secret = keys.access_key_secret,
    security_token = keys.security_token,
    date = core.iso8601(math.floor(clock.server_time(context))),
    nonce = runtime.random_hex(16),
  }))
  return signed, nil, keys
end

local function send(context, plan, signed, timeout)
  return context.carrier.send {
    method = signed.method,
    url = signed.url,
    host = signed.host,
    headers = signed.headers,
    body = signed.body,
    timeout = timeout,
    mutating = plan.mutating,
    action = plan.action,
    plain_http = context.plain_http,
  }
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

-- Waits for its turn. What was signed before would be old then.
local function queue(context, plan, progress)
  local loop, tally = context.loop, context.shared.tally
  local waited, wait = throttle.pass(context.limiter, plan, loop, loop.now(), progress.deadline)
  if not waited then return throttle.refusal(wait) end
  tally.waited = tally.waited + waited
end

-- The attempt itself, between what a witness is told before and after it.
local function witnessed(context, plan, progress, deliver)
  local call, refusal = witness.before(context.witness, plan, progress.attempts)
  if refusal then return nil, refusal end
  local tally = context.shared.tally
  tally.attempts = tally.attempts + 1
  progress.underway = true
  local result, answer = deliver()
  witness.after(context.witness, call, result, answer)
  return result, answer
end

-- A transport that takes values needs nothing that only bytes need: no date, nonce or signature.
local function hand_over(context, plan, keys, timeout)
  local answer = context.carrier.perform {
    product = plan.product,
    action = plan.action,
    version = plan.version,
    params = plan.flat,
    method = plan.method,
    host = plan.target.host,
    access_key_id = keys.access_key_id,
    timeout = timeout,
  }
  if answer.result then return answer.result, answer end
  return core.read(answer)
end

local function exchange(context, plan, signed, timeout)
  return core.read(send(context, plan, signed, timeout), {
    string_to_sign = signed.string_to_sign,
    canonical_request = signed.canonical_request,
  })
end

local function attempt(context, plan, progress)
  if context.limiter then
    local refusal = queue(context, plan, progress)
    if refusal then return nil, refusal end
  end
  local values = context.carrier.perform ~= nil
  local ready, err, keys
  if values then
    ready, err = credentials.get(context.provider)
    keys = ready
  else
    ready, err, keys = M.sign(context, plan, progress.retried)
  end
  if not ready then return nil, err end
  progress.keys = keys
  local remaining = progress.deadline - context.loop.now()
  if remaining <= 0 then return nil, out_of_time(plan.deadline) end
  local carry, timeout = values and hand_over or exchange, math.min(remaining, plan.timeout)
  return witnessed(context, plan, progress, function()
    return carry(context, plan, ready, timeout)
  end)
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

local function hint_for(plan, failure, outcome)
  local hint = failure.hint or cure(plan.data, failure.code) or way_out(failure)
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
  fields.hint = hint_for(plan, failure, outcome)
  fields.product, fields.action, fields.version = plan.product, plan.action, plan.version
  fields.region = plan.region
  fields.endpoint = plan.target.host
  fields.attempts = progress.attempts
  fields.elapsed = context.loop.now() - progress.started
  fields.client_token = plan.token
  fields.request_ids = { table.unpack(progress.request_ids) }
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
    throttle.hold(context.limiter, plan, failure.code, context.loop.now(),
      math.min(hint, plan.policy.hint_cap))
  end
end

-- A session can end early. Credentials that cannot be renewed are refused for good, and so are
-- those that came instead.
local function renew_keys(context, progress)
  if progress.mended.credentials then return false end
  return credentials.refuse(context.provider, progress.keys)
end

-- The key of a session goes with the session: then it is not found at all.
local function class_of(progress, failure)
  local session = progress.keys and progress.keys.security_token ~= nil
  if session and failure.code == "InvalidAccessKeyId.NotFound" then return "credentials" end
  return failure.retry_class
end

local function next_wait(context, plan, progress, failure)
  local class = class_of(progress, failure)
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

local function note(progress, answer)
  if answer.request_id then
    progress.request_ids[#progress.request_ids + 1] = answer.request_id
  end
end

local function succeed(context, plan, progress, result, info)
  retry.refund(context.shared.bucket, progress.cost)
  local tally = context.shared.tally
  tally.successes = tally.successes + 1
  metas[result] = {
    request_id = info.request_id,
    request_ids = progress.request_ids,
    status = info.status,
    attempts = progress.attempts,
    elapsed = context.loop.now() - progress.started,
    server_time = info.date,
    client_token = plan.token,
    endpoint = plan.target.host,
  }
  return result
end

local OBSERVES = {
  kind = "cancelled",
  code = "Client.ObserveMode",
  message = "this client only observes; the operation changes something and was not sent",
  outcome = "not_sent",
  hint = 'a client without mode = "observe" sends it',
}

-- What the client must not do, whatever the answer would be.
local function forbidden(context, plan)
  if plan.mutating and context.mode == "observe" then return OBSERVES end
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
    deadline = started + plan.deadline,
    policy = policy or plan.policy,
    attempts = 0,
    throttles = 0,
    request_ids = {},
    mended = {},
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
    note(progress, answer)
    if result then return succeed(context, plan, progress, result, answer) end
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
