-- What several targets need.

local core = require "alicloud.core"

local M = {}

--- Raises with everything that was given, made readable.
---@param holds any
---@param what string
---@param ... any
function M.check(holds, what, ...)
  if holds then return end
  local parts = { what }
  for i = 1, select("#", ...) do
    local ok, text = pcall(core.encode, (select(i, ...)))
    parts[#parts + 1] = ok and text or ("%q"):format(tostring((select(i, ...))))
  end
  error(table.concat(parts, "\n  "), 2)
end

--- Deep equality; numbers of one value but two kinds differ.
---@param a any
---@param b any
---@param scalars? fun(a: any, b: any): boolean how what is no table is compared
---@return boolean
function M.same(a, b, scalars)
  if type(a) ~= "table" or type(b) ~= "table" then
    if scalars then return scalars(a, b) end
    return a == b and math.type(a) == math.type(b)
  end
  if core.is_array(a) ~= core.is_array(b) then return false end
  for name, value in pairs(a) do
    if b[name] == nil or not M.same(value, b[name], scalars) then return false end
  end
  for name in pairs(b) do
    if a[name] == nil then return false end
  end
  return true
end

-- What a 4xx with this code does not prove, whatever else it says.
local DOUBTFUL = { LastTokenProcessing = true, SignatureNonceUsed = true, InternalError = true,
  InternalInvokeError = true, RequestTimeout = true, UnknownError = true }

--- Reads an exchange and states what must hold of the outcome: a rule of its own, which knows
--- nothing of the table in errmap.c.
---@param exchange any what core.read() takes
---@param facts table status, failure, sent, body of it
---@return string outcome
---@return table fields
function M.judge(exchange, facts)
  local result, fields = core.read(exchange)
  local outcome = result and "accepted" or fields.outcome
  local status = facts.status
  if outcome == "accepted" then
    M.check(not facts.failure and status >= 200 and status <= 299, "accepted", facts)
    M.check(fields.request_id ~= "" and cjson(facts.body), "accepted without proof", facts)
  elseif outcome == "not_sent" then
    M.check(facts.failure and facts.sent == false, "not sent", facts)
  elseif outcome == "rejected" then
    M.check(not facts.failure and status >= 400 and status <= 498 and status ~= 408, "rejected",
      facts)
    M.check((fields.code or "") ~= "" and (fields.request_id or "") ~= "", "no Code or id", facts)
    M.check(not DOUBTFUL[fields.code], "rejected, and yet it may have been done", facts)
  else
    M.check(outcome == "unknown", "no outcome", outcome)
  end
  if not result then
    M.check(not facts.failure or facts.sent ~= false or outcome == "not_sent", "sent?", facts)
    M.check(fields.retryable == (fields.retry_class ~= "never"), "retryable", fields)
    local wait = fields.retry_after or 0
    M.check(wait >= 0 and wait < 1e6, "retry_after", wait)
    if fields.code:find "^Client%." then
      M.check(not fields.message:find "[^ -~]", "bytes for a terminal", fields.message)
    end
  end
  return outcome, fields
end

--- "STATUS\nheader lines\n\nbody", as the inputs of several targets are written.
---@param input string
---@return integer|nil status
---@return string head
---@return string body
function M.split(input)
  local status, head, body = input:match "^(%d+)[^\n]*\n(.-)\n\n(.*)$"
  if not status or #status > 3 then return nil, "", "" end
  return math.tointeger(status), head, body
end

return M
