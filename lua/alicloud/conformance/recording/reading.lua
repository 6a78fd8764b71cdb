--- Reads and checks the lines of a recording: head, exchanges, differences, and marks of lines that
--- were left out. A recording may come from anywhere.

local core = require "alicloud.core"
local errors = require "alicloud.base.error"
local moment = require "alicloud.base.moment"
local runtimes = require "alicloud.base.runtime"
local schema = require "alicloud.base.schema"

local M = {}

-- Bytes; a list of many groups is long.
local MAX_LINE = 64 << 20

--- The version of the format that is read here.
M.VERSION = 1

---@class alicloud.conformance.RecordedExchange
---@field line integer in the file
---@field command integer number of its command in the file, from 1
---@field at number unix seconds at which it began
---@field ms number milliseconds that it took
---@field product string
---@field version? string
---@field action string
---@field region? string
---@field mutating boolean
---@field params table<string, string> as they were signed, without those of the signature
---@field method? string
---@field host? string
---@field headers table<string, string> of the request
---@field attempt? integer
---@field response? { status: integer, headers: table<string, string>, json: any, text: string? }
---@field failure? { kind: string, sent: boolean, detail: string? }

---@class alicloud.conformance.Recording
---@field name string of its file, for messages
---@field head table its first line, empty if that is lost
---@field commands integer number of commands in it
---@field exchanges alicloud.conformance.RecordedExchange[]
---@field differences table[] { line, at, assumption, text }
---@field dropped integer number of lines that the recorder left out, as not proved clean

local function refuse(name, line, what)
  local where = line and ("%s, line %d: "):format(name, line) or name .. ": "
  return nil, errors.new { kind = "state", code = "Client.BadRecording", outcome = "not_sent",
    message = where .. what,
    hint = "give a file that --record has written; a line of it may have been edited" }
end

local NAME = schema.typed "string"
local MAP = schema.rule("a table of text", function(value)
  if type(value) ~= "table" then return false end
  for key, each in pairs(value) do
    if type(key) ~= "string" or type(each) == "table" then return false end
  end
  return true
end)
local TIME = schema.rule("a time such as 2026-11-30T06:00:00.000Z", function(value)
  return type(value) == "string" and moment.from_rfc3339(value) ~= nil
end)
local STATUS = schema.integer(100, 999)
local MS = schema.seconds(0, 86400000)

-- What is wrong with one field of a line; nil: nothing.
local function fault(where, rule, value, is_optional)
  if value == nil and is_optional or rule.test(value) then return nil end
  return ("%s: got %s; allowed: %s"):format(where, schema.show(value), rule.allowed)
end

local function fault_of_answer(response)
  if type(response) ~= "table" then return "response: is no object" end
  return fault("response.status", STATUS, response.status)
    or fault("response.headers", MAP, response.headers, true)
    or fault("response.text", NAME, response.text, true)
end

local function fault_of_failure(failure)
  if type(failure) ~= "table" then return "failure: is no object" end
  return fault("failure.kind", NAME, failure.kind)
    or fault("failure.sent", schema.boolean, failure.sent)
    or fault("failure.detail", NAME, failure.detail, true)
end

local function fault_of_exchange(entry)
  local request = type(entry.request) == "table" and entry.request or {}
  local problem = fault("at", TIME, entry.at) or fault("product", NAME, entry.product)
    or fault("action", NAME, entry.action) or fault("region", NAME, entry.region, true)
    or fault("mutating", schema.boolean, entry.mutating, true)
    or fault("request.params", MAP, request.params)
    or fault("request.headers", MAP, request.headers, true) or fault("ms", MS, entry.ms, true)
  if problem then return problem end
  if (entry.response == nil) == (entry.failure == nil) then
    return "it has neither or both of response and failure"
  end
  return entry.response and fault_of_answer(entry.response)
    or entry.failure and fault_of_failure(entry.failure) or nil
end

local function texts(map)
  local copy = {}
  for key, value in pairs(map or {}) do copy[key] = tostring(value) end
  return copy
end

local function text_or_nil(value) return type(value) == "string" and value or nil end

local function exchange_of(entry, line)
  local response = entry.response
  return { line = line, at = moment.from_rfc3339(entry.at), ms = entry.ms or 0,
    product = entry.product, version = entry.version, action = entry.action,
    region = entry.region or entry.request.params.RegionId, mutating = entry.mutating == true,
    params = texts(entry.request.params), failure = entry.failure,
    method = text_or_nil(entry.request.method), host = text_or_nil(entry.request.host),
    headers = texts(entry.request.headers), attempt = math.tointeger(entry.attempt),
    response = response and { status = response.status, headers = texts(response.headers),
      json = response.json, text = response.text } }
end

-- Adds one line to a recording, or returns what is wrong with it.
local function take(recording, entry, line)
  if type(entry) ~= "table" then return "it is no object" end
  if entry.v ~= M.VERSION then
    return ("it is none of a recording: v: got %s; allowed: %d"):format(schema.show(entry.v),
      M.VERSION)
  end
  if entry.n == 0 then
    recording.commands = recording.commands + 1
    if next(recording.head) == nil then recording.head = entry end
  elseif entry.dropped ~= nil then
    recording.dropped = recording.dropped + 1
  elseif entry.difference ~= nil then
    local about = type(entry.difference) == "table" and entry.difference or {}
    table.insert(recording.differences, { line = line, at = entry.at,
      assumption = about.assumption, text = about.text })
  else
    local problem = fault_of_exchange(entry)
    if problem then return problem end
    local exchange = exchange_of(entry, line)
    exchange.command = math.max(1, recording.commands)
    table.insert(recording.exchanges, exchange)
  end
end

-- The recording in a bug report, between its heading and the next one, and the number of lines
-- before it.
local function recording_in(text)
  if not text:find "^alicloud%-dr bug report " then return text, 0 end
  local before, inner = text:match "^(.-\n== recording [^\n]*\n)(.-)\n\n?== "
  if not before then before, inner = text:match "^(.-\n== recording [^\n]*\n)(.*)$" end
  if not before then return "", 0 end
  return inner, select(2, before:gsub("\n", ""))
end

--- Reads the text of a recording, or of a bug report with one. An incomplete last line, left by a
--- killed process, is ignored.
---@param text string
---@param name string of its file
---@return alicloud.conformance.Recording|nil
---@return alicloud.Error? err names the line
function M.read(text, name)
  local recording = { name = name, head = {}, commands = 0, exchanges = {}, differences = {},
    dropped = 0 }
  local inner, number = recording_in(text)
  for line, ending in inner:gmatch "([^\n]*)(\n?)" do
    number = number + 1
    local entry = line ~= "" and core.decode(line, { max_bytes = MAX_LINE }) or nil
    if line ~= "" and (entry ~= nil or ending ~= "") then
      if entry == nil then return refuse(name, number, "it is no JSON") end
      local problem = take(recording, entry, number)
      if problem then return refuse(name, number, problem) end
    end
  end
  if #recording.exchanges == 0 then return refuse(name, nil, "it holds no exchange") end
  return recording
end

--- Reads the file of a recording.
---@param path string
---@param read_file? fun(path: string): string|nil, string?
---@return alicloud.conformance.Recording|nil
---@return alicloud.Error? err
function M.open(path, read_file)
  local text, message = (read_file or runtimes.new().read_file)(path)
  if not text then return refuse(path, nil, (message:gsub("^.-: ", "", 1))) end
  return M.read(text, path)
end

return M
