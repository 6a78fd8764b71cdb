--- Makes the lines of a recording from exchanges, differences and command lines.

local core = require "alicloud.core"
local fields = require "alicloud.conformance.recording.fields"
local reading = require "alicloud.conformance.recording.reading"
local shapes = require "alicloud.conformance.recording.shapes"

local M = {}

--- The version of the format.
M.VERSION = reading.VERSION

-- Bytes; a larger body is not parsed as the answer of an operation.
local MAX_BODY = 64 << 20

--- The text in place of a line that was left out.
M.UNPROVED = "redaction could not be proved"

--- A moment as text, with milliseconds.
---@param unix_seconds number
---@return string
function M.moment(unix_seconds)
  local thousandths = math.floor(unix_seconds * 1000 + 0.5)
  return ("%s.%03dZ"):format(core.iso8601(thousandths // 1000):sub(1, -2), thousandths % 1000)
end

-- Whether a body is compressed, although nobody asked for it; then it cannot be searched.
local function is_packed(headers)
  local encoding = headers["content-encoding"]
  return encoding ~= nil and encoding ~= "" and encoding:lower() ~= "identity"
end

local function body_of(answer)
  if is_packed(answer.headers or {}) then return nil, "" end
  local body = answer.body or ""
  local value = core.decode(body, { keep_null = true, max_bytes = MAX_BODY })
  if type(value) == "table" then return value end
  return nil, body
end

-- The exchange of a request that a transport for values has refused itself.
local function judged(err)
  if not err.status then
    return { failure = err.failure or "other", sent = err.outcome ~= "not_sent",
      detail = err.message }
  end
  return { status = err.status, headers = {},
    result = { Code = err.code, Message = err.message, RequestId = err.request_id } }
end

--- An answer with its body parsed.
---@param answer alicloud.Exchange|alicloud.Performed|alicloud.PerformedInVain
---@return { failure: string?, sent: boolean?, detail: string?, status: integer?, headers: table?,
---json: any, text: string? }
function M.read(answer)
  if answer.err then answer = judged(answer.err) end
  if answer.failure then
    return { failure = answer.failure, sent = answer.sent ~= false, detail = answer.detail or "" }
  end
  local read = { status = answer.status, headers = answer.headers or {} }
  if answer.result then
    read.json = answer.result
  else
    read.json, read.text = body_of(answer)
  end
  return read
end

--- Lets the redactor learn what the fields of an exchange hold.
---@param redactor alicloud.recording.Redactor
---@param exchange alicloud.RecordedExchange
---@param read table as `read` gave it
function M.learn(redactor, exchange, read)
  redactor:take_keys(exchange.keys)
  redactor:learn(exchange.params)
  if read.json ~= nil then redactor:learn(read.json) end
end

local function came(redactor, read)
  if read.failure then
    return nil, { kind = fields.is_word(read.failure) and read.failure
      or redactor:string(nil, read.failure), sent = read.sent, detail = redactor:text(read.detail) }
  end
  local response = { status = read.status, headers = redactor:headers(read.headers, "response") }
  if read.json ~= nil then
    response.json = redactor:value(read.json)
  else
    response.text = redactor:text(read.text)
  end
  return response
end

-- The name of a product or an operation, redacted if it is no plain word: a user may have typed it.
local function name_of(redactor, text)
  return shapes.is_written(text) and text or redactor:string("action", text)
end

--- The line of an exchange, without its number `n`.
---@param redactor alicloud.recording.Redactor
---@param exchange alicloud.RecordedExchange
---@param read table as `read` gave it
---@param now number unix seconds at its end
---@return table
function M.exchange(redactor, exchange, read, now)
  local response, failure = came(redactor, read)
  return {
    v = M.VERSION, at = M.moment(now - exchange.seconds),
    product = name_of(redactor, exchange.product),
    version = redactor:string("version", exchange.version),
    action = name_of(redactor, exchange.action),
    region = exchange.region and redactor:string("regionid", exchange.region),
    mutating = exchange.mutating,
    request = { method = exchange.method, host = redactor:host(exchange.host),
      params = redactor:params(exchange.params),
      headers = redactor:headers(exchange.headers, "request") },
    response = response, failure = failure,
    ms = math.max(0, math.floor(exchange.seconds * 1000 + 0.5)), attempt = exchange.attempt,
  }
end

--- The first line of a command.
---@param redactor alicloud.recording.Redactor
---@param argv string[]
---@param began number unix seconds
---@return table
function M.header(redactor, argv, began)
  return { v = M.VERSION, at = M.moment(began), tool = "alicloud-dr " .. core.version.core,
    command = redactor:command(argv) }
end

--- The line of a difference between the service and an assumption.
---@param redactor alicloud.recording.Redactor
---@param assumption string
---@param text string
---@param now number
---@return table
function M.difference(redactor, assumption, text, now)
  return { v = M.VERSION, at = M.moment(now), difference = {
    assumption = assumption:find "^[%l_]+$" and assumption or redactor:text(assumption),
    text = redactor:text(text) } }
end

--- The line in place of one that was left out.
---@param now number
---@return table
function M.dropped(now)
  return { v = M.VERSION, at = M.moment(now), dropped = M.UNPROVED }
end

return M
