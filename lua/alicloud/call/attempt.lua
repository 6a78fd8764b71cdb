--- One attempt of a call: its turn, keys, signature, and the way to the host and back.

local core = require "alicloud.core"
local lazy = require "alicloud.base.lazy"
local providers = require "alicloud.call.provider"
local rate_limit = require "alicloud.call.rate_limit"
local sign = require "alicloud.call.sign"

---@module "alicloud.call.interceptor"
local interceptor = lazy.module "alicloud.call.interceptor"

local M = {}

local function deadline_error(seconds)
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
local function clock_jumped(context, plan, progress)
  if progress.attempts == 1 then return false end
  local wall = context.runtime.time() - progress.began_at
  return wall - (context.loop.now() - progress.started) > plan.deadline
end

-- A transport that takes values needs nothing that only bytes need: no date, nonce or signature.
local function perform(context, plan, keys, timeout)
  local answer = context.adapter.perform {
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
  if not signed then return perform(context, plan, progress.keys, timeout) end
  return context.adapter.send_signed(signed, plan, timeout, context.plain_http)
end

-- A transport that takes values has nothing signed.
local function sign_bytes(context, plan, progress)
  if context.adapter.perform then return nil end
  return sign.sign(context, plan, progress.keys, progress.retried)
end

-- Between what the interceptor is told before and after it.
local function send_intercepted(context, plan, progress, signed, timeout)
  local call, refusal = interceptor.before(context.interceptor, plan, progress.attempts)
  if refusal then return nil, refusal end
  local result, answer = send(context, plan, progress, signed, timeout)
  interceptor.after(context.interceptor, call, result, answer)
  return result, answer
end

--- Makes one attempt.
---@param context alicloud.call.Context
---@param plan alicloud.plan
---@param progress alicloud.call.Progress
---@return table|nil result
---@return table answer info or failure, as core.read gives them
function M.run(context, plan, progress)
  -- Waits for its turn before it is signed: what was signed before would be old then.
  local refusal = context.limiter and rate_limit.wait_turn(context, plan, progress)
  if refusal then return nil, refusal end
  local keys, err = providers.get(context.provider)
  if not keys then return nil, err end
  progress.keys = keys
  local signed <close>, failure = sign_bytes(context, plan, progress)
  if failure then return nil, failure end
  local remaining = progress.deadline - context.loop.now()
  if remaining <= 0 or plan.mutating and clock_jumped(context, plan, progress) then
    return nil, deadline_error(plan.deadline)
  end
  local limit = plan.timeout
  local timeout = remaining < limit and remaining or limit
  if context.interceptor and plan.mutating then
    return send_intercepted(context, plan, progress, signed, timeout)
  end
  return send(context, plan, progress, signed, timeout)
end

return M
