--- Transport adapters: one request out, one exchange back, whoever carries it: the built-in
--- transport, driven through the loop, or a foreign `send`, which may do what it likes without
--- hurting the call.

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
---@field send_by? number seconds of core.boottime after which nothing may leave any more

---@class alicloud.Exchange
---@field status? integer of a complete HTTP answer
---@field headers? table<string, string> lower-case names
---@field body? string
---@field failure? string why there is no complete answer
---@field sent? boolean false only if no byte of the request can have left
---@field detail? string

---@class alicloud.PlannedRequest what a request means, before it is signed
---@field product string
---@field action string
---@field version string
---@field params table<string, string> flat, as they would be signed; not to be changed
---@field region? string
---@field method string
---@field host string
---@field access_key_id string
---@field timeout number seconds for this attempt

---@class alicloud.Performed a success that never was bytes
---@field result table as the API spells it; of nothing but what JSON can hold
---@field request_id string
---@field status integer
---@field date? integer unix seconds

---@class alicloud.PerformedInVain a failure that was judged already; there is no further attempt
---@field err { kind: string, code: string, message: string, outcome: alicloud.Outcome } and
---whatever else of alicloud.Error is known

---@class alicloud.ForeignTransport
---@field send fun(request: alicloud.Request): alicloud.Exchange|nil, any
---@field perform? fun(request: alicloud.PlannedRequest):
---alicloud.Performed|alicloud.PerformedInVain|alicloud.Exchange|nil, any  where it is there,
---requests are neither signed nor sent but handed over as values

---@class alicloud.Adapter
---@field send fun(request: alicloud.Request): alicloud.Exchange
---@field send_signed fun(signed: alicloud.Signed, plan: alicloud.plan, timeout: number,
---plain_http: boolean, tell: fun(exchange: alicloud.Exchange)?): table|nil, table sends what was
---signed, by `plan.send_by` if there is one, and judges the answer, as core.read; `tell` is given
---the answer as it came
---@field perform? fun(request: alicloud.PlannedRequest):
---alicloud.Performed|alicloud.PerformedInVain|alicloud.Exchange
---@field stats fun(): table
---@field pollable fun(): table|nil
---@field close fun()

-- The built-in transport keeps its own deadline; this is for a loop that lost it.
local GRACE = 5

-- Bytes of it that are kept.
local MAX_DETAIL = 300

local function other(detail, sent)
  return { failure = "other", sent = sent, detail = errors.text_of(detail, MAX_DETAIL) }
end

--- What an exchange that has failed says of it, and whether it is the proxy that it speaks of.
---@param exchange alicloud.Exchange
---@return string
function M.words(exchange)
  local words = errors.text_of(exchange.detail or exchange.failure, MAX_DETAIL)
  return exchange.failure:find "^proxy" and "the proxy: " .. words or words
end

-- Whether whoever waits here was told to stop, and will be told again.
local function is_told(loop, raised)
  return guard.is_cancellation(raised) or loop.stopping ~= nil and loop.stopping() ~= nil
end

-- Until the operation is done; otherwise an exchange that says what became of it. What was told to
-- stop gives the operation up, which then says what it had sent.
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

  -- Nil, or an exchange that says why there is no transport. A call may come back from a pause to
  -- find its client closed.
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

  --- What the transport has counted: nothing before its first request.
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

-- More than any answer has; what gives names or values without an end is none.
local MAX_FIELDS = 1000

local function field_text(value)
  if type(value) ~= "table" then return tostring(value) end
  return #value <= MAX_FIELDS and table.concat(value, ", ") or nil
end

-- Two spellings of a name are one field with two values.
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

local function is_status(status)
  return math.type(status) == "integer" and status >= 100 and status <= 999
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
      status = is_status(answer.status) and answer.status or nil,
      headers = type(answer.headers) == "table" and lower_names(answer.headers) or nil,
      body = type(answer.body) == "string" and answer.body or nil,
    }
  end
  local body = answer.body == nil and "" or answer.body
  local headers = answer.headers == nil and {} or answer.headers
  headers = type(headers) == "table" and lower_names(headers)
  if not is_status(answer.status) or type(body) ~= "string" or not headers then
    return other("the transport returned an answer without a whole status, headers or body", true)
  end
  return { status = answer.status, headers = headers, body = body }
end

local function is_performed(answer)
  return type(answer.result) == "table" and type(answer.request_id) == "string"
    and is_status(answer.status) and (answer.date == nil or type(answer.date) == "number")
end

local OUTCOMES = { not_sent = true, rejected = true, unknown = true, accepted = true }
-- Types of what is reckoned with.
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

-- A transport may be an object that has its functions elsewhere.
local function ask(transport, name, request)
  return transport[name](request)
end

--- Makes the adapter of a foreign transport `{ send = function(request) }`. What it raises or
--- returns by mistake becomes a failure whose outcome is unknown, since the bytes may have left.
---@param transport alicloud.ForeignTransport
---@param loop? alicloud.Loop in which it may wait; it says when whoever waits is told to stop
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
      -- Nothing foreign runs when it is read.
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

  -- How a foreign transport connects is its own affair.
  function adapter.stats() return {} end

  function adapter.pollable() end
  function adapter.close() end

  return adapter
end

return M
