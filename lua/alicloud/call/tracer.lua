--- Tells a tracer, the option `tracer` of a client, of every logical call and each of its attempts.
--- What the tracer raises or returns by mistake does not harm the call.

local guard = require "alicloud.base.guard"

local M = {}

---@class alicloud.Tracer
---@field begin fun(call: alicloud.TracedCall): alicloud.CallSpan

---@class alicloud.TracedCall
---@field product string
---@field action string
---@field region string?
---@field scheme string
---@field host string
---@field method string
---@field mutating boolean
---@field client_token string?
---@field run_id string? of the run that makes the call, if a run does
---@field step string?

---@class alicloud.CallSpan
---@field attempt fun(number: integer, retry: { code: string, pause: number }?): fun(is_ok: boolean,
---answer: table) an attempt is sent; the function it returns gets the answer, as core.read gives it
---@field finish fun(err: alicloud.Error|nil) the call has ended

--- Tells that a call begins.
---@param context alicloud.call.Context
---@param plan alicloud.plan
---@return alicloud.CallSpan|nil
function M.begin(context, plan)
  local caller = context.config.caller
  local run_id, step
  if caller then run_id, step = caller() end
  local ok, span = guard.call(context.tracer.begin, {
    product = plan.product, action = plan.action, region = plan.region,
    scheme = plan.target.scheme, host = plan.target.host, method = plan.method,
    mutating = plan.mutating == true, client_token = plan.token, run_id = run_id, step = step,
  })
  return ok and type(span) == "table" and span or nil
end

--- Tells that an attempt leaves.
---@param progress alicloud.call.Progress
---@return fun(is_ok: boolean, answer: table) answered to be called with the answer
function M.attempt(progress)
  local retried = progress.retried
  local ok, answered = guard.call(progress.span.attempt, progress.attempts, retried
    and { code = progress.cause and progress.cause.code, pause = retried.wait })
  return function(is_ok, answer)
    if ok and type(answered) == "function" then guard.call(answered, is_ok, answer) end
  end
end

--- Tells that a call has ended.
---@param progress alicloud.call.Progress
---@param ok boolean
---@param result any the result of the call, or what it raised
---@param err alicloud.Error|nil
function M.finish(progress, ok, result, err)
  local failure = err
  if not ok then failure = type(result) == "table" and result or {} end
  guard.call(progress.span.finish, failure)
end

return M
