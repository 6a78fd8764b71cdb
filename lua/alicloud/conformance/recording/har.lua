--- A recording as HAR 1.2, which the network panels of browsers open.
-- Source: w3c.github.io/web-performance/specs/HAR/Overview.html; unknown sizes are -1 there, and
-- custom fields begin with an underscore. It has no form for a request without an answer: here its
-- status is 0, and `_failure` has the reason.

local core = require "alicloud.core"
local shapes = require "alicloud.conformance.recording.shapes"
local tables = require "alicloud.base.tables"
local writing = require "alicloud.conformance.recording.writing"

local M = {}

local UNKNOWN = -1
local HTTP = "HTTP/1.1"

local REASONS = { [200] = "OK", [400] = "Bad Request", [403] = "Forbidden", [404] = "Not Found",
  [429] = "Too Many Requests", [500] = "Internal Server Error", [503] = "Service Unavailable" }

local function pairs_of(map)
  local list = core.array {}
  for i, name in ipairs(tables.keys(map)) do
    list[i] = { name = name, value = tostring(map[name]) }
  end
  return list
end

-- Action and Version go into the query, as in RPC requests, so that lists of requests show them.
local function query_of(exchange)
  return tables.merged(exchange.params, { Action = exchange.action, Version = exchange.version })
end

local function url_of(exchange, query)
  local parts, host = {}, exchange.host or "unknown"
  for i, name in ipairs(tables.keys(query)) do
    parts[i] = core.percent_encode(name) .. "=" .. core.percent_encode(tostring(query[name]))
  end
  local scheme = shapes.is_loopback((host:gsub(":%d+$", ""))) and "http" or "https"
  return ("%s://%s/?%s"):format(scheme, host, table.concat(parts, "&"))
end

local function request_of(exchange)
  local query = query_of(exchange)
  return { method = exchange.method or "POST", url = url_of(exchange, query), httpVersion = HTTP,
    cookies = core.array {}, headers = pairs_of(exchange.headers), queryString = pairs_of(query),
    headersSize = UNKNOWN, bodySize = UNKNOWN }
end

-- The body is stored uncompressed, so content-encoding is left out.
local function headers_of(response)
  local headers = tables.copy(response.headers)
  headers["content-encoding"] = nil
  return headers
end

local function response_of(response)
  local text = response.json ~= nil and core.encode(response.json) or response.text or ""
  local headers = headers_of(response)
  return { status = response.status, statusText = REASONS[response.status] or "",
    httpVersion = HTTP, cookies = core.array {}, headers = pairs_of(headers),
    content = { size = #text, text = text,
      mimeType = headers["content-type"] or (response.json ~= nil and "application/json" or "") },
    redirectURL = "", headersSize = UNKNOWN, bodySize = UNKNOWN }
end

local function no_response()
  return { status = 0, statusText = "", httpVersion = "", cookies = core.array {},
    headers = core.array {}, content = { size = 0, mimeType = "x-unknown" }, redirectURL = "",
    headersSize = UNKNOWN, bodySize = UNKNOWN }
end

local function entry_of(exchange)
  return {
    startedDateTime = writing.moment(exchange.at), time = exchange.ms,
    request = request_of(exchange),
    response = exchange.response and response_of(exchange.response) or no_response(),
    cache = core.decode "{}", timings = { send = 0, wait = exchange.ms, receive = 0 },
    _product = exchange.product, _region = exchange.region, _mutating = exchange.mutating,
    _attempt = exchange.attempt, _line = exchange.line, _failure = exchange.failure,
  }
end

--- The HAR of a recording, as JSON.
---@param recording alicloud.conformance.Recording
---@return string
function M.of(recording)
  local entries, marks = core.array {}, core.array {}
  for i, exchange in ipairs(recording.exchanges) do entries[i] = entry_of(exchange) end
  for i, mark in ipairs(recording.differences) do
    marks[i] = { line = mark.line, at = mark.at, assumption = mark.assumption, text = mark.text }
  end
  local command = recording.head.command
  return core.encode { log = {
    version = "1.2", creator = { name = "alicloud-dr", version = core.version.core },
    comment = type(command) == "string" and "alicloud-dr " .. command or nil,
    entries = entries, _differences = marks, _dropped = recording.dropped,
  } }
end

return M
