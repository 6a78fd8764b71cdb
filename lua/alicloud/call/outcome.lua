--- Makes what a call returns: the result and what is known of it, or an error that says what is
--- known of the effect and what to do.
--
-- A change whose outcome was unknown once stays unknown until an attempt succeeds.

local codes = require "alicloud.base.codes"
local errors = require "alicloud.base.error"
local metas = require "alicloud.base.meta"
local proxies = require "alicloud.net.proxy"
local retry = require "alicloud.call.retry"
local server_clock = require "alicloud.call.server_clock"

local M = {}

-- Most tokens whose outcomes are remembered; what became of requests under any other is unknown.
local MOST_TOKENS = 10000

-- Kinds of failures on the way to the host.
local ON_THE_WAY = { network = true, timeout = true, tls = true }

--- Remembers the request id of an attempt.
---@param progress alicloud.call.Progress
---@param answer table info or failure, as core.read gives them
function M.add_request_id(progress, answer)
  local id, ids = answer.request_id, progress.request_ids
  if not id then return end
  if ids then ids[#ids + 1] = id else progress.request_ids = { id } end
end

-- Remembers whether every request under a token was rejected, as far as these clients sent them.
local function remember_token(context, plan, outcome)
  local shared, token = context.shared, plan.token
  if not plan.mutating or not token or outcome == "not_sent" then return end
  local tokens = shared.tokens
  if tokens[token] == nil then
    if shared.token_count >= MOST_TOKENS then return end
    shared.token_count = shared.token_count + 1
    tokens[token] = outcome == "rejected"
  elseif outcome ~= "rejected" then
    tokens[token] = false
  end
end

local function meta_of(progress)
  local info, plan = progress.info, progress.plan
  M.add_request_id(progress, info)
  return {
    request_id = info.request_id,
    request_ids = progress.request_ids or {},
    status = info.status,
    attempts = progress.attempts,
    elapsed = progress.finished - progress.started,
    server_time = info.date, heard_at = progress.heard_at,
    client_token = plan.token,
    endpoint = plan.target.host,
  }
end

--- The result of a call, with what is known of it kept beside it.
---@param context alicloud.call.Context
---@param progress alicloud.call.Progress
---@param result table
---@param info table as core.read gives it
---@return table result the same
function M.result(context, progress, result, info)
  retry.refund(context.shared.bucket, progress.cost)
  remember_token(context, progress.plan, "accepted")
  local tally = context.shared.tally
  tally.successes = tally.successes + 1
  -- Progress stays with the result, so it must not hold credentials.
  progress.info, progress.finished, progress.keys = info, context.loop.now(), nil
  progress.heard_at = context.runtime.time()
  progress.make_meta = meta_of
  metas.keep(result, progress)
  return result
end

--- The cure that the service data has for a code, or for its more general parent.
local function hint_of_service(data, code)
  while data and data.errors and code do
    local entry = data.errors[code]
    if entry then return entry.cure end
    code = code:match("^(.*)%.[^%.]*$")
  end
end

-- The cure of a code of ours, if nothing was sent; else `hint_of_doubt` says more.
local function hint_of_own_code(failure)
  local entry = codes[failure.code]
  return entry and entry.outcome == "not_sent" and entry.cure or nil
end

local function hint_of_doubt(plan)
  local advice = plan.token and "and then only with the same ClientToken (" .. plan.token .. ")"
    or "it carries no ClientToken"
  return "it may have been done: look at the resource before sending again, " .. advice
end

-- A token is bound to the parameters of its first request even where that was refused.
local function hint_of_reuse(plan, outcome)
  local end_of_it = outcome == "rejected" and "was refused, so nothing was done"
    or "may have been done: look at the resource"
  return ("what was sent under this token (%s) before %s; other parameters need a new token")
    :format(plan.token or "none", end_of_it)
end

local function hint_for(context, plan, failure, outcome)
  local reused = plan.mutating and errors.TOKEN_REUSED[failure.code]
  if reused then return hint_of_reuse(plan, outcome) end
  local hint = failure.hint or server_clock.hint(context, failure)
    or hint_of_service(plan.data, failure.code) or hint_of_own_code(failure)
  if not (plan.mutating and outcome == "unknown") then return hint end
  -- The cure of a code that always leaves doubt already speaks of looking and of the token.
  local says_so = hint and failure.outcome == "unknown" and plan.token
  if says_so then return ("%s (ClientToken %s)"):format(hint, plan.token) end
  return hint and hint .. "; " .. hint_of_doubt(plan) or hint_of_doubt(plan)
end

-- If nothing was sent, the message names the proxy on the way, since many faults that seem to be
-- the host's are the proxy's.
local function name_proxy(context, plan, failure)
  local message = failure.message
  if failure.outcome ~= "not_sent" or not ON_THE_WAY[failure.kind] or context.config.transport then
    return message
  end
  local proxy = proxies.toward(plan.target, context.config, context.runtime.getenv)
  if not proxy then return message end
  -- An error may be passed on to many people, so the user name in the proxy's address is cut out.
  local url = proxy.url:gsub("//.*@", "//")
  return ("%s; the proxy is %s (%s)"):format(message, url, proxy.source)
end

--- The error of a call after an attempt that failed.
---@param context alicloud.call.Context
---@param plan alicloud.plan
---@param progress alicloud.call.Progress
---@param failure table as core.read gives it
---@return alicloud.Error
function M.error(context, plan, progress, failure)
  local fields = {}
  for name, value in pairs(failure) do fields[name] = value end
  local outcome = failure.outcome or "unknown"
  local reused = errors.TOKEN_REUSED[failure.code]
  if plan.mutating and reused and not context.shared.tokens[plan.token or ""] then
    outcome = "unknown"
  elseif not reused then
    remember_token(context, plan, outcome)
  end
  fields.message = name_proxy(context, plan, failure)
  if plan.mutating and outcome ~= "unknown" and progress.doubtful then
    outcome = "unknown"
    fields.message = ("%s (an earlier attempt ended without an answer)")
      :format(fields.message or failure.code)
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

--- Marks the error of a call that makes no further attempt.
---@param err alicloud.Error
---@param reason string why, see alicloud.call.retry
---@return nil
---@return alicloud.Error err the same
function M.stopped(err, reason)
  err.stopped = reason
  return nil, err
end

--- The error of a call that its caller gave up between two attempts, or before the first.
---@param context alicloud.call.Context
---@param plan alicloud.plan
---@param progress alicloud.call.Progress
---@return alicloud.Error
function M.cancelled(context, plan, progress)
  return M.error(context, plan, progress, {
    kind = "cancelled",
    code = "Client.Cancelled",
    message = "the call was cancelled",
    outcome = progress.outcome,
  })
end

return M
