--- Makes the spans of one process of a run from the run's records. All processes of a run share one
--- trace. Its id, and the id of the span of the run's first process, are derived from the run's id;
--- the spans of later processes are children of that span.

local core = require "alicloud.core"
local spans = require "alicloud.otel.span"

local M = {}

---@class alicloud.otel.RunSpans
---@field trace_id string
---@field first_id string id of the span of the run's first process
---@field name string of the process's span
---@field attributes table<string, any> of the process's span
---@field process alicloud.otel.Span? of this process, once it has begun its attempt
---@field open table<string, alicloud.otel.Span> spans that have not ended, by kind and name
---@field done fun(span: alicloud.otel.Span) called with each span that has ended
---@field begun fun(span: alicloud.otel.Span) called with the process's span when it begins
local RunSpans = {}
RunSpans.__index = RunSpans

--- The ids of a run's trace.
---@param run_id string
---@return string trace_id
---@return string span_id of the span of its first process
function M.ids(run_id)
  local sum = core.sha256("alicloud-dr run " .. run_id)
  return sum:sub(1, 32), sum:sub(33, 48)
end

---@param run_id string
---@param about { playbook: string, begun: fun(span: alicloud.otel.Span),
---done: fun(span: alicloud.otel.Span) }
---@return alicloud.otel.RunSpans
function M.new(run_id, about)
  local trace_id, first_id = M.ids(run_id)
  return setmetatable({ trace_id = trace_id, first_id = first_id, open = {}, done = about.done,
    begun = about.begun, name = "run " .. about.playbook,
    attributes = { ["alicloud_dr.run.id"] = run_id, ["alicloud_dr.playbook"] = about.playbook } },
    RunSpans)
end

--- The parent span for the calls of a step: that of the undo or the step, else of the process.
---@param step string?
---@return alicloud.otel.Span|nil nil if the process has no span
function RunSpans:around(step)
  return step and (self.open["undo " .. step] or self.open["step " .. step]) or self.process
end

function RunSpans:begin(kind, name, event)
  self.open[kind .. " " .. name] = spans.new { name = kind .. " " .. name, at = event.at,
    trace_id = self.trace_id, parent_id = self.process.span_id,
    attributes = { ["alicloud_dr." .. (kind == "gate" and "gate" or "step")] = name } }
end

function RunSpans:finish(key, event, code)
  local span = self.open[key]
  if not span then return end
  self.open[key] = nil
  span.ended_at, span.error, span.attributes["error.type"] = event.at, code, code
  self.done(span)
end

local function code_of(event)
  return type(event.err) == "table" and event.err.code or event.ok == false and "failed" or nil
end

local TAKE = {}

function TAKE.run(self, event)
  local attributes = self.attributes
  attributes["alicloud_dr.run.kind"], attributes["alicloud_dr.run.mode"] = event.kind, event.mode
  attributes["alicloud_dr.incident"] = event.incident
end

function TAKE.attempt(self, event)
  local is_first = event.n == 1
  self.attributes["alicloud_dr.run.process"] = event.n
  self.process = spans.new { name = self.name, at = event.at, trace_id = self.trace_id,
    span_id = is_first and self.first_id or nil, parent_id = not is_first and self.first_id or nil,
    attributes = self.attributes }
  self.begun(self.process)
end

function TAKE.step_begin(self, event) self:begin("step", event.step, event) end

function TAKE.step_end(self, event) self:finish("step " .. event.step, event, code_of(event)) end

function TAKE.undo_begin(self, event) self:begin("undo", event.step, event) end

function TAKE.undo_end(self, event) self:finish("undo " .. event.step, event, code_of(event)) end

function TAKE.gate_open(self, event) self:begin("gate", event.gate, event) end

function TAKE.gate_pass(self, event) self:finish("gate " .. event.gate, event) end

function TAKE.gate_fail(self, event)
  self:finish("gate " .. event.gate, event, "Client.GateExpired")
end

-- Ends the process's span; spans that are still open were cut off by its end.
local function close(self, event, code)
  for key in pairs(self.open) do self:finish(key, event, "Client.Cancelled") end
  local span = self.process
  span.ended_at, span.error, span.attributes["error.type"] = event.at, code, code
  span.attributes["alicloud_dr.run.status"] = event.status or event.type
  self.done(span)
  self.process = nil
end

TAKE.finished, TAKE.stopped = close, function(self, event) close(self, event, code_of(event)) end

function TAKE.interrupted(self, event) close(self, event, "Client.Interrupted") end

-- Attributes of an event. Texts that people have written are not recorded.
local TOLD = { step = "alicloud_dr.step", gate = "alicloud_dr.gate", mark = "alicloud_dr.mark",
  mode = "alicloud_dr.run.mode", verb = "alicloud_dr.verb", group_id = "alicloud_dr.group.id",
  outcome = "alicloud_dr.outcome", state = "alicloud_dr.state", code = "error.type" }

local MOMENTS = { step_skip = true, approval = true, mode = true, mark = true, accept_loss = true,
  force = true, intent = true, outcome = true, settled = true, production = true, waiting = true,
  correction = true, asked = true, anchored = true, signed = true }

--- Takes a record, or an event of a wait.
---@param event table
function RunSpans:take(event)
  local take = TAKE[event.type]
  if take and (self.process or event.type == "run" or event.type == "attempt") then
    return take(self, event)
  end
  local span = MOMENTS[event.type] and self:around(event.step)
  if not span then return end
  local attributes = {}
  for field, name in pairs(TOLD) do
    local value = event[field] or event.intent and event.intent[field]
    if type(value) == "string" then attributes[name] = value end
  end
  span:event(event.type, event.at, attributes)
end

return M
