--- A collector of OTLP over HTTP as a process of its own: it keeps what is posted and answers as it
--- is told. As a program: lua5.4 spec/otel/collector.lua FILE ANSWER...; the last answer is given
--- again and again. An answer is a status, with more behind it after ":", or hang.

local core = require "alicloud.core"

local M = {}

---@class spec.Collector: spec.Daemon
---@field file string with a line of JSON for each request
local Collector = {}
Collector.__index = Collector

--- Starts one.
---@param ... string answers
---@return spec.Collector
function M.start(...)
  local daemons, scratch = require "spec.server.daemon", require "spec.scratch"
  local file = scratch.file ""
  local daemon = assert(daemons.spawn({ "lua5.4", "spec/otel/collector.lua", file, ... },
    function(line) return math.tointeger(tonumber(line:match "^port (%d+)")) end))
  return setmetatable({ daemon = daemon, file = file,
    url = ("http://127.0.0.1:%d"):format(daemon.port) }, Collector)
end

function Collector:close() self.daemon:close() end

Collector.__close = Collector.close

--- What was posted.
---@return { head: string, body: string, answer: string }[]
function Collector:requests()
  local list = {}
  for line in io.lines(self.file) do list[#list + 1] = core.decode(line) end
  return list
end

local NAMES = { traceId = 32, spanId = 16, parentSpanId = 16 }

local function check_attributes(list, where)
  for _, attribute in ipairs(list) do
    local value = attribute.value
    local kind, held = next(value)
    assert(type(attribute.key) == "string" and next(value, kind) == nil, where)
    if kind == "intValue" then assert(type(held) == "string" and held:find "^%-?%d+$", where)
    elseif kind == "stringValue" then assert(type(held) == "string", where)
    elseif kind == "boolValue" then assert(type(held) == "boolean", where)
    else assert(kind == "doubleValue" and math.type(held) == "float", where) end
  end
end

local function check_span(span)
  local where = tostring(span.name)
  assert(type(span.name) == "string" and span.name ~= "", where)
  for name, digits in pairs(NAMES) do
    local id = span[name]
    if id ~= nil or name ~= "parentSpanId" then
      assert(#id == digits and id:find "^%x+$" and id:find "[^0]", where .. " " .. name)
    end
  end
  assert(span.kind == 1 or span.kind == 3, where)
  for _, name in ipairs { "startTimeUnixNano", "endTimeUnixNano" } do
    assert(type(span[name]) == "string" and span[name]:find "^%d+$", where .. " " .. name)
  end
  assert(math.tointeger(span.endTimeUnixNano) >= math.tointeger(span.startTimeUnixNano), where)
  assert(span.status.code == nil or span.status.code == 2, where)
  check_attributes(span.attributes, where)
  for _, event in ipairs(span.events) do
    assert(type(event.timeUnixNano) == "string" and type(event.name) == "string", where)
    check_attributes(event.attributes, where)
  end
  for _, link in ipairs(span.links) do
    assert(#link.traceId == 32 and #link.spanId == 16, where)
  end
end

local function plain(list)
  local map = {}
  for _, attribute in ipairs(list) do
    local kind, held = next(attribute.value)
    map[attribute.key] = kind == "intValue" and math.tointeger(held) or held
  end
  return map
end

--- The spans of all requests that were taken, by id, each checked against the form of the protocol;
--- attributes by name. Parents are there, in the same trace, and begin before their children.
---@return table[] spans in the order in which they came
---@return table<string, table> by_id
---@return table<string, any> resource
function Collector:spans()
  local list, by_id, resource = {}, {}, nil
  for _, request in ipairs(self:requests()) do
    if request.answer:find "^2" then
      for _, part in ipairs(core.decode(request.body).resourceSpans) do
        check_attributes(part.resource.attributes, "resource")
        resource = plain(part.resource.attributes)
        for _, scope in ipairs(part.scopeSpans) do
          assert(type(scope.scope.name) == "string")
          for _, span in ipairs(scope.spans) do
            check_span(span)
            assert(not by_id[span.spanId], span.name)
            by_id[span.spanId], list[#list + 1] = span, span
            span.told = plain(span.attributes)
          end
        end
      end
    end
  end
  for _, span in ipairs(list) do
    local parent = by_id[span.parentSpanId]
    assert(not parent or parent.traceId == span.traceId, span.name)
    assert(not parent or math.tointeger(parent.startTimeUnixNano)
      <= math.tointeger(span.startTimeUnixNano), span.name)
  end
  return list, by_id, resource
end

local REPLY = "HTTP/1.1 %s Said\r\nContent-Type: application/json\r\nContent-Length: %d\r\n%s\r\n%s"

local function read_request(socket)
  local lines = {}
  repeat
    local line = socket:receive "*l"
    if not line then return nil end
    lines[#lines + 1] = line
  until line == ""
  local head = table.concat(lines, "\n")
  return head, socket:receive(tonumber(head:lower():match "content%-length: (%d+)"))
end

local function serve(file, answers)
  local server = assert(require "socket".bind("127.0.0.1", 0))
  io.write("port ", select(2, server:getsockname()), "\n")
  io.flush()
  -- Sockets of those who get no answer stay open.
  local number, sockets = 0, {}
  while true do
    local socket = server:accept()
    table.insert(sockets, socket)
    local head, body = read_request(socket)
    while head do
      number = number + 1
      local answer = answers[math.min(number, #answers)]
      local out <close> = assert(io.open(file, "a"))
      out:write(core.encode { head = head, body = body, answer = answer }, "\n")
      out:flush()
      if answer == "hang" then break end
      local status, more = answer:match "^(%d+):?(.*)$"
      local fields = status == "200" and "" or more ~= "" and more .. "\r\n" or ""
      local text = status == "200" and (more ~= "" and more or "{}") or ""
      socket:send(REPLY:format(status, #text, fields, text))
      head, body = read_request(socket)
    end
  end
end

if arg and arg[0] and arg[0]:find "spec/otel/collector%.lua$" then
  serve(arg[1], { table.unpack(arg, 2) })
end

return M
