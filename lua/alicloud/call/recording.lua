--- Tells a recorder, the option `recorder` of a client, of every attempt that was sent and of its
--- answer. What the recorder raises or returns by mistake does not harm the call. Requests for
--- credentials are no calls, and are not recorded.

local guard = require "alicloud.base.guard"

local M = {}

---@class alicloud.Recorder
---@field exchange fun(self: alicloud.Recorder, exchange: alicloud.RecordedExchange) an attempt has
---ended
---@field difference? fun(self: alicloud.Recorder, assumption: string, text: string) the service
---was seen to differ from what is assumed of it

---@class alicloud.RecordedExchange everything as it was, with secrets; not to be changed
---@field product string
---@field version string
---@field action string
---@field region string?
---@field mutating boolean
---@field method string
---@field host string
---@field params table<string, string> flat, without those that a signature adds
---@field headers table<string, string> of the request, with its signature
---@field keys alicloud.Credentials the keys that signed it
---@field answer alicloud.Exchange|alicloud.Performed|alicloud.PerformedInVain
---@field seconds number
---@field attempt integer

local INTERRUPTED = { failure = "cancelled", sent = true, detail = "interrupted on its way" }

local NO_HEADERS = {}

--- Sends an attempt and tells the recorder what came of it.
---@param context alicloud.call.Context with a recorder
---@param plan alicloud.plan
---@param progress alicloud.call.Progress
---@param signed alicloud.SignedRequest|nil nil: the transport takes values
---@param send fun(tell: fun(answer: table)): table|nil, table sends the attempt, and passes the raw
---answer to `tell`
---@return table|nil result
---@return table answer
function M.send(context, plan, progress, signed, send)
  local began, headers = context.loop.now(), signed and signed.headers or NO_HEADERS
  local answer = INTERRUPTED
  local function keep(given) answer = given end
  local ok, result, info = pcall(send, keep)
  guard.call(context.recorder.exchange, context.recorder, {
    product = plan.product, version = plan.version, action = plan.action, region = plan.region,
    mutating = plan.mutating == true, method = plan.method, host = plan.target.host,
    params = plan.flat, headers = headers, keys = progress.keys, answer = answer,
    seconds = context.loop.now() - began, attempt = progress.attempts,
  })
  if not ok then error(result, 0) end
  return result, info
end

return M
