--- Tells an interceptor, such as a journal, of every attempt to change something, before a byte of
--- it leaves and after its answer. It may refuse the attempt. Clients take it as option `witness`.

local core = require "alicloud.core"
local errors = require "alicloud.base.error"
local guard = require "alicloud.base.guard"
local tables = require "alicloud.base.tables"

local M = {}

---@class alicloud.Interceptor
---@field before fun(call: alicloud.InterceptedCall): boolean|nil, any true: the attempt may leave;
---a number with it: only until that moment, in seconds of the runtime's boottime. `nil, why`: it
---may not leave; if `why` is an error object, the call fails with it
---@field after fun(call: alicloud.InterceptedCall, result: table|nil, failure: table|nil) gets the
---answer, or why there is none; what it returns or raises changes nothing

---@class alicloud.InterceptedCall
---@field product string
---@field action string
---@field version string
---@field region string?
---@field host string
---@field client_token string?
---@field attempt integer of this logical call, from 1
---@field digest string sha256 over everything that decides the effect: equal for every attempt
---@field params table<string, string> as they are signed; may hold secrets

local function digest(plan)
  local parts = { plan.product, plan.action, plan.version, plan.target.host }
  for _, name in ipairs(tables.keys(plan.flat)) do
    parts[#parts + 1] = name
    parts[#parts + 1] = plan.flat[name]
  end
  for i, part in ipairs(parts) do parts[i] = #part .. ":" .. part end
  return core.sha256(table.concat(parts))
end

-- The interceptor gets a copy: it cannot change what the next attempt signs.
local function describe(plan, attempt)
  local params = tables.copy(plan.flat)
  return {
    product = plan.product, action = plan.action, version = plan.version, region = plan.region,
    host = plan.target.host, client_token = plan.token, attempt = attempt,
    digest = digest(plan), params = params,
  }
end

-- An error object as the reason is passed on; any other reason counts as a fault of the journal.
local function refusal(why)
  if errors.is_error(why) then
    return { kind = why.kind, code = why.code, message = why.message, hint = why.hint,
      outcome = "not_sent", retryable = why.retryable == true, retry_class = "never",
      retry_after = type(why.retry_after) == "number" and why.retry_after or nil }
  end
  return {
    kind = "journal", code = "Client.JournalFailed", outcome = "not_sent", retryable = false,
    retry_class = "never",
    message = "the call could not be written down and was not sent: " .. errors.text_of(why),
    hint = "mend the journal's file system; nothing is sent that a crash could make us forget",
  }
end

--- Announces an attempt.
---@param interceptor alicloud.Interceptor
---@param plan alicloud.plan of a change
---@param attempt integer
---@return alicloud.InterceptedCall|nil call for `after`
---@return table|number|nil more without a call: the failure as core.read gives it; else the moment
---until which the attempt may leave, in seconds of the runtime's boottime; nil: any time
function M.before(interceptor, plan, attempt)
  local call = describe(plan, attempt)
  local ok, agreed, more = guard.call(interceptor.before, call)
  if ok and agreed then return call, type(more) == "number" and more or nil end
  return nil, refusal(ok and (more or "no reason given") or agreed)
end

--- Tells the interceptor how the attempt ended.
---@param interceptor alicloud.Interceptor
---@param call alicloud.InterceptedCall
---@param result table|nil
---@param answer table info or failure, as core.read gives them
function M.after(interceptor, call, result, answer)
  guard.call(interceptor.after, call, result, answer)
end

return M
