--- A span, and its OTLP encoding as JSON.

local core = require "alicloud.core"
local errors = require "alicloud.base.error"
local tables = require "alicloud.base.tables"

local M = {}

-- Values of enums of the protocol.
M.INTERNAL, M.CLIENT = 1, 3
local FAILED = 2

-- Longer texts are cut; a span has at most so many events, and as many links.
local LONGEST_TEXT, MOST = 512, 128

---@class alicloud.otel.Span
---@field trace_id string 32 hexadecimal digits
---@field span_id string 16 hexadecimal digits
---@field parent_id string?
---@field name string
---@field kind integer M.INTERNAL or M.CLIENT
---@field at number unix seconds when it began
---@field ended_at number? unix seconds; nil while it is open
---@field attributes table<string, any>
---@field events { name: string, at: number, attributes: table<string, any> }[]
---@field links { trace_id: string, span_id: string }[]
---@field error string? code of the error; nil for a success
local Span = {}
Span.__index = Span

--- Starts a span.
---@param fields table name, trace_id, at; and span_id, parent_id, kind, attributes
---@return alicloud.otel.Span
function M.new(fields)
  fields.span_id = fields.span_id or core.random_hex(8)
  fields.kind, fields.attributes = fields.kind or M.INTERNAL, fields.attributes or {}
  fields.events, fields.links = {}, {}
  return setmetatable(fields, Span)
end

--- Records an event of the span, at most 128 in all.
---@param name string
---@param at number unix seconds
---@param attributes? table<string, any>
function Span:event(name, at, attributes)
  if #self.events >= MOST then return end
  self.events[#self.events + 1] = { name = name, at = at, attributes = attributes or {} }
end

--- Links to a span of another trace.
---@param other alicloud.otel.Span
function Span:link(other)
  if #self.links >= MOST then return end
  self.links[#self.links + 1] = { trace_id = other.trace_id, span_id = other.span_id }
end

-- Nanoseconds as the protocol writes them; not before `first`, since the clock may be set back.
local function nanos(at, first)
  return ("%d"):format(math.floor(math.max(at, first) * 1000000) * 1000)
end

local function value_of(value)
  local kind = math.type(value)
  if kind == "integer" then return { intValue = ("%d"):format(value) } end
  if kind == "float" then return { doubleValue = value } end
  if type(value) == "boolean" then return { boolValue = value } end
  return { stringValue = errors.text_of(value, LONGEST_TEXT) }
end

--- Encodes attributes.
---@param attributes table<string, any>
---@return table
function M.attributes(attributes)
  local list = core.array {}
  for i, key in ipairs(tables.keys(attributes)) do
    list[i] = { key = key, value = value_of(attributes[key]) }
  end
  return list
end

--- Encodes the span.
---@return table
function Span:encoded()
  local events, links = core.array {}, core.array {}
  for i, event in ipairs(self.events) do
    events[i] = { name = event.name, timeUnixNano = nanos(event.at, self.at),
      attributes = M.attributes(event.attributes) }
  end
  for i, link in ipairs(self.links) do
    links[i] = { traceId = link.trace_id, spanId = link.span_id }
  end
  return { traceId = self.trace_id, spanId = self.span_id, parentSpanId = self.parent_id,
    name = errors.text_of(self.name, LONGEST_TEXT), kind = self.kind,
    startTimeUnixNano = nanos(self.at, 0), endTimeUnixNano = nanos(self.ended_at, self.at),
    attributes = M.attributes(self.attributes), events = events, links = links,
    status = self.error and { code = FAILED, message = errors.text_of(self.error, LONGEST_TEXT) }
      or {} }
end

return M
