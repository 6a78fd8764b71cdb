--- Transport adapters: they send one request and return one exchange. One adapter is for the
--- built-in transport, driven through the event loop. The other is for a foreign `send`; what it
--- raises or returns by mistake becomes a failed exchange.

local core = require "alicloud.core"
local errors = require "alicloud.base.error"
local guard = require "alicloud.base.guard"

local M = {}

---@class alicloud.Request
---@field method string
---@field url string
---@field host string value of the Host header, as it was signed
---@field headers table<string, string>
---@field body? string
---@field timeout number seconds for this attempt
---@field mutating boolean
---@field action string
---@field plain_http? boolean
---@field send_by? number deadline for sending, in seconds of core.boottime; nil for none

---@class alicloud.Exchange
---@field status? integer HTTP status of a complete response
---@field headers? table<string, string> lower-case names
---@field body? string
---@field failure? string why there is no complete response
---@field sent? boolean false only if no byte of the request can have left
---@field detail? string

---@class alicloud.PlannedRequest a request as values, before it is signed
---@field product string
---@field action string
---@field version string
---@field params table<string, string> flat, as they would be signed; must not be changed
---@field region? string
---@field method string
---@field host string
---@field access_key_id string
---@field timeout number seconds for this attempt

---@class alicloud.Performed a success, as values instead of bytes
---@field result table as the API spells it; only what JSON can hold
---@field request_id string
---@field status integer
---@field date? integer unix seconds

---@class alicloud.PerformedInVain a failure whose outcome is decided; the call does not retry it
---@field err { kind: string, code: string, message: string, outcome: alicloud.Outcome } and
---other fields of alicloud.Error, if known

---@class alicloud.ForeignTransport
---@field send fun(request: alicloud.Request): alicloud.Exchange|nil, any
---@field perform? fun(request: alicloud.PlannedRequest):
---alicloud.Performed|alicloud.PerformedInVain|alicloud.Exchange|nil, any  if present, requests are
---passed to it as values, and are neither signed nor sent

---@class alicloud.Adapter
---@field send fun(request: alicloud.Request): alicloud.Exchange
---@field send_signed fun(signed: alicloud.Signed, plan: alicloud.plan, timeout: number,
---plain_http: boolean, tell: fun(exchange: alicloud.Exchange)?): table|nil, table sends a signed
---request, not after `plan.send_by`, and returns what core.read returns for the response; `tell`
---gets the exchange unchanged
---@field perform? fun(request: alicloud.PlannedRequest):
---alicloud.Performed|alicloud.PerformedInVain|alicloud.Exchange
---@field stats fun(): table
---@field pollable fun(): table|nil
---@field close fun()

-- Seconds after the timeout. The built-in transport ends in time; this is for a loop that does not.
local GRACE = 5

-- The most bytes of an exchange's detail that are kept.
local MAX_DETAIL = 300

local function other(detail, sent)
  return { failure = "other", sent = sent, detail = errors.text_of(detail, MAX_DETAIL) }
end

--- The words of a failed exchange for a message, with "the proxy: " in front if they are about it.
---@param exchange alicloud.Exchange
---@return string
function M.words(exchange)
  local words = errors.text_of(exchange.detail or exchange.failure, MAX_DETAIL)
  return exchange.failure:find "^proxy" and "the proxy: " .. words or words
end

-- Whether the waiting task was told to stop. It is told again at its next wait.
local function is_told(loop, raised)
  return guard.is_cancellation(raised) or loop.stopping ~= nil and loop.stopping() ~= nil
end

-- Waits until the operation is done and returns nil, or an exchange if the loop never drove it. If
-- the task is cancelled, the operation is cancelled too, and its result says whether it was sent.
local function drive(op, transport, loop, timeout)
  local hopeless = loop.now() + timeout + GRACE
  repeat
    local ok, raised = pcall(loop.wait, transport, hopeless, op)
    if not ok and not is_told(loop, raised) then error(raised, 0) end
    if not ok then op:cancel() end
    if op:done() then return nil end
  until loop.now() >= hopeless
  return { failure = "timeout", sent = true, detail = "the event loop lost the request" }
end

local function told(exchange, signed, tell)
  if tell then tell(exchange) end
  return core.read(exchange, signed)
end

--- Makes the adapter of the built-in transport, which is loaded and opened at the first request.
---@param options table of alicloud.transport
---@param loop alicloud.Loop
---@return alicloud.Adapter
function M.builtin(options, loop)
  local transport, closed, closed_stats
  local adapter = {}

  function adapter.pollable()
    transport = transport or require "alicloud.transport".new(options)
    return transport
  end

-- Returns nil, or an exchange that says why there is no transport. The client may have been closed
-- during a pause between two attempts.
  local function open()
    if closed then
      return { failure = "cancelled", sent = false, detail = "the client was closed" }
    end
    local ok, opened = guard.call(adapter.pollable)
    if not ok then
      return other("alicloud.transport cannot be opened: " .. errors.text_of(opened), false)
    end
  end

  function adapter.send(request)
    local failure = not transport and open()
    if failure then return failure end
    local op <close> = transport:submit {
      method = request.method,
      url = request.url,
      headers = request.headers,
      body = request.body,
      timeout = request.timeout,
      mutating = request.mutating,
      plain_http = request.plain_http,
      send_by = request.send_by,
    }
    return not op:done() and drive(op, transport, loop, request.timeout) or op:result()
  end

  function adapter.send_signed(signed, plan, timeout, plain_http, tell)
    local failure = not transport and open()
    if failure then return told(failure, signed, tell) end
    local op <close>, done = transport:submit(signed, timeout, plan.mutating, plain_http,
      plan.send_by)
    failure = not done and drive(op, transport, loop, timeout)
    if tell then tell(failure or op:result()) end
    return core.read(failure or op, signed)
  end

--- The transport's counters; empty before its first request.
  function adapter.stats()
    if transport and transport.stats then return transport:stats() end
    return closed_stats or {}
  end

  function adapter.close()
    closed, closed_stats = true, adapter.stats()
    if not transport then return end
    if loop.release then loop.release(transport) end
    transport:close()
    transport = nil
  end

  return adapter
end

-- More than any response has: limits tables that yield names or values without end.
local MAX_FIELDS = 1000

local function field_text(value)
  if type(value) ~= "table" then return tostring(value) end
  return #value <= MAX_FIELDS and table.concat(value, ", ") or nil
end

-- Fields whose names differ only in case become one field with both values.
local function lower_names(headers)
  local copy, count = {}, 0
  for name, value in pairs(headers) do
    local text = field_text(value)
    count = count + 1
    if type(name) ~= "string" or not text or count > MAX_FIELDS then return nil end
    local lower = name:lower()
    copy[lower] = copy[lower] and ("%s, %s"):format(copy[lower], text) or text
  end
  return copy
end

-- The integer of a status, which may come as a float, as from a reader of JSON; nil if it is none.
local function status_of(status)
  local whole = type(status) == "number" and math.tointeger(status)
  return whole and whole >= 100 and whole <= 999 and whole or nil
end

local function tidy(answer)
  if type(answer) ~= "table" then
    return other("the transport returned a " .. type(answer), true)
  end
  if type(answer.failure) == "string" then
    return {
      failure = answer.failure,
      sent = answer.sent ~= false,
      detail = answer.detail and errors.text_of(answer.detail),
      status = status_of(answer.status),
      headers = type(answer.headers) == "table" and lower_names(answer.headers) or nil,
      body = type(answer.body) == "string" and answer.body or nil,
    }
  end
  local body = answer.body == nil and "" or answer.body
  local headers = answer.headers == nil and {} or answer.headers
  headers = type(headers) == "table" and lower_names(headers)
  local status = status_of(answer.status)
  if not status or type(body) ~= "string" or not headers then
    return other("the transport returned an answer without a whole status, headers or body", true)
  end
  return { status = status, headers = headers, body = body }
end

local function is_performed(answer)
  return type(answer.result) == "table" and type(answer.request_id) == "string"
    and status_of(answer.status) ~= nil and (answer.date == nil or type(answer.date) == "number")
end

local OUTCOMES = { not_sent = true, rejected = true, unknown = true, accepted = true }
-- The types of fields that the call relies on.
local JUDGED = { kind = "string", code = "string", message = "string", request_id = "string",
  hint = "string", retry_class = "string", retry_after = "number", status = "number",
  date = "number" }
local REQUIRED = { kind = true, code = true, message = true }

local function is_judged(answer)
  local err = answer.err
  if type(err) ~= "table" or not OUTCOMES[err.outcome] then return false end
  for name, wanted in pairs(JUDGED) do
    local value = err[name]
    if value == nil and REQUIRED[name] or value ~= nil and type(value) ~= wanted then
      return false
    end
  end
  return true
end

local function read_refusal(err)
  local sent = err.sent
  return other(err.message or err.detail or err, sent ~= "no" and sent ~= false)
end

local function refusal(err)
  if type(err) ~= "table" then return other(err, true) end
  local ok, exchange = guard.call(read_refusal, err)
  return ok and exchange or other(err, true)
end

-- Looks the function up inside the pcall: a transport may be an object with an __index.
local function ask(transport, name, request)
  return transport[name](request)
end

--- Makes the adapter of a foreign transport `{ send = function(request) }`. If `send` raises or
--- returns something malformed, the outcome is unknown, since the bytes may have left.
---@param transport alicloud.ForeignTransport
---@param loop? alicloud.Loop in which `send` may wait; knows whether the task is told to stop
---@return alicloud.Adapter
function M.foreign(transport, loop)
  local adapter = {}

  local function accept(ok, answer, err)
    if not ok and guard.is_stop(answer) and is_told(loop or {}, answer) then
      return { failure = "cancelled", sent = true, detail = "cancelled while it was on its way" }
    end
    if not ok and guard.is_interrupt(answer) then error(answer, 0) end
    if not ok then return other("the transport raised: " .. errors.text_of(answer), true) end
    if answer == nil or answer == false then return refusal(err) end
    local tidied, exchange = guard.call(tidy, answer)
    if not tidied then return other("the transport returned a malformed answer", true) end
    return exchange
  end

  function adapter.send(request)
    local now = request.send_by and core.boottime()
    if now and now > request.send_by then
      return { failure = "too_late", sent = false, detail = ("%.3f s late"):format(
        now - request.send_by) }
    end
    return accept(pcall(ask, transport, "send", request))
  end

  if transport.perform then
    function adapter.perform(request)
      local ok, answer, err = pcall(ask, transport, "perform", request)
      -- core.is_json: reading such an answer runs no foreign code.
      local is_plain = ok and type(answer) == "table" and core.is_json(answer)
      if is_plain and (is_performed(answer) or is_judged(answer)) then return answer end
      return accept(ok, answer, err)
    end
  end
  function adapter.send_signed(signed, plan, timeout, plain_http, tell)
    local exchange = adapter.send {
      method = signed.method,
      url = signed.url,
      host = signed.host,
      headers = signed.headers,
      body = signed.body,
      timeout = timeout,
      mutating = plan.mutating,
      action = plan.action,
      plain_http = plain_http,
      send_by = plan.send_by,
    }
    return told(exchange, signed, tell)
  end

  -- A foreign transport has no counters that are known here.
  function adapter.stats() return {} end

  function adapter.pollable() end
  function adapter.close() end

  return adapter
end

return M
