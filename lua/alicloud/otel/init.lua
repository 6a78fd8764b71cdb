--- Records what a command does as OpenTelemetry traces: the command, runs with their steps, API
--- calls, and each attempt of a call. Tracing cannot make a command fail, and delays it only at its
--- end, for a moment.

local core = require "alicloud.core"
local exporters = require "alicloud.otel.exporter"
local run_spans = require "alicloud.otel.run_spans"
local spans = require "alicloud.otel.span"

local M = {}

---@class alicloud.otel.Tracing
---@field exporter alicloud.otel.Exporter
---@field time fun(): number unix seconds
---@field command alicloud.otel.Span of the command itself
---@field runs table<string, alicloud.otel.RunSpans> by run id
---@field tracer alicloud.Tracer given to clients
local Tracing = {}
Tracing.__index = Tracing

-- The most seconds that a command waits for the collector at its end.
local AT_END = 2
-- Characters of a client token that are recorded, as many as reports show.
local TOKEN_DIGITS = 8

local PORTS = { https = 443, http = 80 }

-- Host and port as the semantic conventions define them.
local function server_of(call)
  local host, port = call.host:match "^(.-):(%d+)$"
  return (host or call.host):gsub("^%[(.*)%]$", "%1"), math.tointeger(tonumber(port))
    or PORTS[call.scheme]
end

local function finish(tracing, span, code)
  span.ended_at, span.error, span.attributes["error.type"] = tracing.time(), code, code
  tracing.exporter:add(span)
end

-- Starts the span of one HTTP request; the function that is returned ends it.
local function begin_attempt(tracing, around, call, number)
  local address, port = server_of(call)
  local span = spans.new { name = call.method, kind = spans.CLIENT, at = tracing.time(),
    trace_id = around.trace_id, parent_id = around.span_id, attributes = {
      ["http.request.method"] = call.method, ["server.address"] = address, ["server.port"] = port,
      ["url.full"] = ("%s://%s/"):format(call.scheme, call.host),
      ["http.request.resend_count"] = number > 1 and number - 1 or nil } }
  return span, function(is_ok, answer)
    local attributes = span.attributes
    attributes["http.response.status_code"] = answer.status
    attributes["alibaba_cloud.request_id"] = answer.request_id
    attributes["alicloud_dr.outcome"] = is_ok and "accepted" or answer.outcome
    around.attributes["alibaba_cloud.request_id"] = answer.request_id
    finish(tracing, span, not is_ok and (answer.code or "_OTHER") or nil)
  end
end

-- Starts the span of one API call; the spans of its attempts are its children.
local function begin_call(tracing, call)
  local run = tracing.runs[call.run_id]
  local around, open = run and run:around(call.step) or tracing.command, nil
  local address, port = server_of(call)
  local token = call.client_token
  local span = spans.new { name = call.product .. "." .. call.action, kind = spans.CLIENT,
    at = tracing.time(), trace_id = around.trace_id, parent_id = around.span_id, attributes = {
      ["rpc.system.name"] = "alibaba_cloud", ["rpc.method"] = call.product .. "/" .. call.action,
      ["cloud.region"] = call.region, ["server.address"] = address, ["server.port"] = port,
      ["alicloud_dr.changes"] = call.mutating,
      ["alicloud_dr.client_token"] = token and token:sub(1, TOKEN_DIGITS) } }
  return {
    attempt = function(number, retry)
      if retry then
        span:event("retry", tracing.time(), { ["error.type"] = retry.code,
          ["alicloud_dr.pause"] = retry.pause })
      end
      local attempt, answered = begin_attempt(tracing, span, call, number)
      open = attempt
      return function(is_ok, answer)
        open = nil
        answered(is_ok, answer)
      end
    end,
    finish = function(err)
      if open then finish(tracing, open, "Client.Cancelled") end
      span.attributes["alicloud_dr.outcome"] = err and err.outcome or "accepted"
      finish(tracing, span, err and (err.code or "Client.Cancelled") or nil)
    end,
  }
end

--- Starts to trace a command.
---@param settings alicloud.otel.Settings
---@param name string the command's name
---@param time fun(): number unix seconds
---@return alicloud.otel.Tracing
function M.begin(settings, name, time)
  local parent = settings.parent
  local tracing = setmetatable({ exporter = exporters.new(settings), time = time, runs = {},
    command = spans.new { name = "alicloud-dr " .. name, at = time(),
      trace_id = parent and parent.trace_id or core.random_hex(16),
      parent_id = parent and parent.span_id } }, Tracing)
  tracing.tracer = { begin = function(call) return begin_call(tracing, call) end }
  return tracing
end

--- Takes a record of a run's journal, or an event of a wait in the run.
---@param event table
---@param about { run_id: string?, playbook: string } the run
function Tracing:record(event, about)
  local run_id = about.run_id
  if not run_id then return end
  if not self.runs[run_id] then
    self.runs[run_id] = run_spans.new(run_id, { playbook = about.playbook,
      done = function(span) self.exporter:add(span) end,
      begun = function(span)
        span:link(self.command)
        self.command:link(span)
      end })
  end
  self.runs[run_id]:take(event)
  self.exporter:pump()
end

--- Records which group the command changes.
---@param group { id: string, region: string }
function Tracing:about(group)
  self.command.attributes["alicloud_dr.group.id"] = group.id
  self.command.attributes["cloud.region"] = group.region
end

--- Records why the command has failed.
---@param err alicloud.Error
function Tracing:failed(err)
  self.command.attributes["error.type"] = err.code
end

--- Takes an event of a change, such as an attempt or a new state.
---@param event table
function Tracing:change(event)
  if event.event ~= "state" or event.state ~= self.seen then
    self.command:event(event.event, self.time(), { ["alicloud_dr.state"] = event.state,
      ["error.type"] = event.err and event.err.code, ["alicloud_dr.attempt"] = event.attempt,
      ["alibaba_cloud.request_id"] = event.request_id })
  end
  self.seen = event.state or self.seen
  self.exporter:pump()
end

--- Ends the command's span and sends what is left; what cannot be sent soon is lost.
---@param exit_code integer|nil
---@param warn fun(message: string) called once if spans were lost
function Tracing:finish(exit_code, warn)
  local command, exporter = self.command, self.exporter
  command.attributes["process.exit.code"] = exit_code
  local code = command.attributes["error.type"]
    or exit_code ~= 0 and ("exit code %s"):format(exit_code or "unknown") or nil
  finish(self, command, code)
  exporter:close(math.min(AT_END, exporter.settings.timeout))
  if exporter.lost == 0 then return end
  warn(("traces: %d %s could not be sent to %s: %s"):format(exporter.lost,
    exporter.lost == 1 and "span" or "spans", exporter.settings.url:gsub("[?#].*$", ""),
    exporter.why))
end

return M
