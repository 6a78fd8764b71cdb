--- Makes one attempt of a call: its turn, keys, signature, and the way to the host and back.

local core = require "alicloud.core"
local lazy = require "alicloud.base.lazy"
local providers = require "alicloud.call.provider"
local rate_limit = require "alicloud.call.rate_limit"
local runtimes = require "alicloud.base.runtime"
local sign = require "alicloud.call.sign"

---@module "alicloud.call.interceptor"
local interceptor = lazy.module "alicloud.call.interceptor"
---@module "alicloud.call.recording"
local recording = lazy.module "alicloud.call.recording"
---@module "alicloud.call.tracer"
local tracers = lazy.module "alicloud.call.tracer"

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

-- Whether the machine was suspended for longer than the deadline; its monotonic clock stops then.
-- What was decided before that is too old to be sent again.
local function clock_jumped(context, plan, progress)
  if progress.attempts == 1 then return false end
  local wall = context.runtime.time() - progress.began_at
  return wall - (context.loop.now() - progress.started) > plan.deadline
end

-- Sends values instead of bytes; a transport that takes them needs no date, nonce or signature.
local function perform(context, plan, keys, timeout, tell)
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
  if tell then tell(answer) end
  if answer.result then return answer.result, answer end
  if answer.err then return nil, answer.err end
  return core.read(answer)
end

-- Carries the request out; `tell`, if given, gets the raw answer.
local function exchange(context, plan, progress, signed, timeout, tell)
  if not signed then return perform(context, plan, progress.keys, timeout, tell) end
  return context.adapter.send_signed(signed, plan, timeout, context.plain_http, tell)
end

local function send(context, plan, progress, turn, signed, timeout)
  local tally = context.shared.tally
  tally.attempts = tally.attempts + 1
  progress.outcome = "unknown"
  if turn then turn.holds = "sent" end
  local answered = progress.span and tracers.attempt(progress)
  local result, answer
  if context.recorder then
    result, answer = recording.send(context, plan, progress, signed, function(tell)
      return exchange(context, plan, progress, signed, timeout, tell)
    end)
  else
    result, answer = exchange(context, plan, progress, signed, timeout)
  end
  if answered then answered(result ~= nil, answer) end
  -- An attempt that was given up before a byte left does not count against the rate.
  local given_up = not result and answer.outcome == "not_sent"
    and (answer.code == "Client.Cancelled" or answer.code == "Client.TooLate")
  if turn and given_up then turn.holds = "both" end
  return result, answer
end

local function keys_for(context, progress)
  local provider = context.provider
  local always = providers.fixed[provider]
  if always then return always end
  local loop = context.loop
  return providers.get(provider, progress.deadline - loop.now(), loop)
end

-- The signed request, or nil for a transport that takes values.
local function sign_bytes(context, plan, progress)
  if context.adapter.perform then return nil end
  return sign.sign(context, plan, progress.keys, progress.retried)
end

-- The failure that an interceptor is told of when an interrupt ends an attempt on its way.
local INTERRUPTED = { kind = "cancelled", code = "Client.Interrupted", outcome = "unknown",
  message = "interrupted while it was on its way" }

-- Most seconds from the moment by which an attempt has to leave to the end of its exchange: a
-- process that takes the run over waits for so long.
local LONGEST_EXCHANGE = 30

local function too_late(late)
  return core.read { failure = "too_late", sent = false, detail = ("%.3f s late"):format(late) }
end

-- Seconds that are left for an attempt to leave; time in which the machine slept has passed, too.
local function seconds_left(context, progress)
  if not progress.leave_by then return math.huge end
  local now = context.loop.now()
  local asleep = context.runtime.time() - progress.began_at - (now - progress.started)
  return progress.leave_by - now - math.max(0, asleep)
end

-- The failure if the reading that the call was decided on is too old: so it is for later attempts.
local function stale(context, progress, wait)
  local _, late = too_late(wait - seconds_left(context, progress))
  late.retry_after, late.retryable, late.retry_class = wait, true, "never"
  return late
end

-- Waits for the turn of an attempt; if that is too late, the failure has the seconds to wait. Else
-- the second value is when it came.
local function wait_turn(context, turn, progress)
  if not progress.leave_by then
    return rate_limit.wait_turn(context, turn, progress.deadline)
  end
  local leave_by = context.loop.now() + seconds_left(context, progress)
  local refusal, passed_at = rate_limit.wait_turn(context, turn,
    math.min(progress.deadline, leave_by))
  if not refusal or leave_by >= progress.deadline then return refusal, passed_at end
  return stale(context, progress, refusal.retry_after)
end

-- Sends an attempt if the moment that the interceptor or the caller set has not passed. Our
-- transport checks that again before the bytes leave; for a foreign one this is the last check.
local function send_in_window(context, plan, progress, turn, signed, timeout, send_by)
  -- The interceptor may have taken its time.
  local leave_by = core.boottime() + seconds_left(context, progress)
  if send_by then
    leave_by = math.min(leave_by, runtimes.machine_moment(context.runtime, send_by))
  end
  plan.send_by = leave_by < math.huge and leave_by or nil
  local late = core.boottime() - leave_by
  local left = progress.deadline - context.loop.now()
  local result, answer
  if late > 0 then
    result, answer = too_late(late)
  elseif left <= 0 then
    result, answer = nil, deadline_error(plan.deadline)
  else
    local most = send_by and math.min(left, LONGEST_EXCHANGE) or left
    result, answer = send(context, plan, progress, turn, signed, math.min(timeout, most))
  end
  if not result and answer.code == "Client.TooLate" and answer.outcome == "not_sent" then
    answer.retryable, answer.retry_class = true, "window"
  end
  return result, answer
end

-- Sends between the interceptor's `before` and `after`; the latter is called whatever happens.
local function send_intercepted(context, plan, progress, turn, signed, timeout)
  local call, more = interceptor.before(context.interceptor, plan, progress.attempts)
  if not call then return nil, more end
  local ended, result, answer = pcall(send_in_window, context, plan, progress, turn, signed,
    timeout, more)
  if ended then
    interceptor.after(context.interceptor, call, result, answer)
    return result, answer
  end
  interceptor.after(context.interceptor, call, nil, INTERRUPTED)
  error(result, 0)
end

--- Makes one attempt.
---@param context alicloud.call.Context
---@param plan alicloud.plan
---@param progress alicloud.call.Progress
---@return table|nil result
---@return table answer info or failure, as core.read gives them
function M.run(context, plan, progress)
  -- The attempt is signed after its turn has come, so that the signature's date is not old.
  local limiter = context.limiter
  local turn <close> = limiter and rate_limit.turn(limiter, plan, context.loop)
  local refusal
  if turn then refusal, progress.passed_at = wait_turn(context, turn, progress) end
  if refusal then return nil, refusal end
  local keys, err = keys_for(context, progress)
  if not keys then return nil, err end
  progress.keys = keys
  local signed <close>, failure = sign_bytes(context, plan, progress)
  if failure then return nil, failure end
  -- Raises if the call was cancelled meanwhile, so that nothing is sent.
  context.loop.checkpoint()
  local remaining = progress.deadline - context.loop.now()
  if remaining <= 0 or plan.mutating and clock_jumped(context, plan, progress) then
    return nil, deadline_error(plan.deadline)
  end
  if progress.leave_by and seconds_left(context, progress) < 0 then
    return nil, stale(context, progress, 0)
  end
  local limit = plan.timeout
  local timeout = remaining < limit and remaining or limit
  if context.interceptor and plan.mutating then
    return send_intercepted(context, plan, progress, turn, signed, timeout)
  end
  local make = progress.leave_by and send_in_window or send
  return make(context, plan, progress, turn, signed, timeout)
end

return M
