--- Writes the events of a command that changes or runs something, one JSON object per line, for
--- machines. Events of a run are the records of its journal; those of a change use the same words.
--- The first event is `begin` and the last is `end`, however the command ends.

local divisions = require "alicloud.dr.fleet.division"
local cli_clients = require "alicloud.cli.client"
local errors = require "alicloud.base.error"
local event_options = require "alicloud.cli.options.events"
local journals = require "alicloud.dr.journal"
local json = require "alicloud.cli.json"
local lazy = require "alicloud.base.lazy"
local options = require "alicloud.cli.options"
local output = require "alicloud.cli.output"
local reports = require "alicloud.cli.commands.report"
local shared_loops = require "alicloud.loop.shared"
local streams = require "alicloud.cli.event_stream"
local tables = require "alicloud.base.tables"
local version = require "alicloud.core".version

---@module "alicloud.cli.event_program"
local event_programs = lazy.module "alicloud.cli.event_program"

local M = {}

--- Grows when a field changes its meaning or goes; new fields and types do not change it.
M.SCHEMA = 1

--- Fields that every line has.
M.COMMON = { "schema", "seq", "at", "command", "type" }

-- Fields of the event `headway`: how far a fleet or a run:each is.
local HEADWAY = { "calls?", "calls_allowed?", "count", "done", "ends_at?", "failed", "last?",
  "left_out", "open", "step?", "under_way", "word?" }

--- Fields of events that are no records of a run, by what the event comes from; "?" marks a field
--- that may be missing.
M.OWN = {
  all = {
    begin = { "version" },
    ["end"] = { "err?", "exit", "status" },
    waiting = { "left?", "pause?", "reason?", "state", "step?", "waited?" },
    clearing = { "drill_id?", "group_id" },
  },
  change = {
    look = { "from?", "from_zone?", "group_id?", "read_at?", "recover_point?", "region?", "side?",
      "state?", "status?", "to?", "to_zone?" },
    call = { "attempt", "client_token?", "verb" },
    answer = { "code?", "outcome", "request_id?", "status?" },
    outcome = { "client_token?", "err?", "group_id", "ok", "outcome?", "request_id?", "result?",
      "verb" },
  },
  run = {
    standby = { "err?", "holder?", "since?", "waited" },
    takeover = { "action", "left", "product", "step" },
    headway = HEADWAY,
  },
  fleet = { item = { "ending", "item", "left" }, headway = HEADWAY },
}

local ENDED = { [0] = "done", "failed", "refused", "unknown", "incomplete" }

---@class alicloud.cli.Events
---@field command string
---@field now fun(): number unix seconds
---@field seq integer
---@field outs table[] targets; each takes every line
---@field err table? the last failure, as JSON shows it
---@field shown string? the last look in JSON, to tell whether a new one differs
local Events = {}
Events.__index = Events

--- Writes an event to every target.
---@param kind string
---@param fields table
function Events:put(kind, fields)
  self.seq = self.seq + 1
  local event = {}
  for name, value in pairs(fields) do
    event[name] = errors.is_error(value) and output.error_object(value) or value
  end
  event = journals.plain(event)
  event.at = event.at or self.now()
  event.schema, event.seq, event.command, event.type = M.SCHEMA, self.seq, self.command, kind
  local text = json.encode(event)
  for _, out in ipairs(self.outs) do out.take(kind, self.seq, text) end
end

--- Writes an event of a run.
---@param event table
---@param about { item: alicloud.dr.FleetItem? } the item of a fleet whose run it is
function Events:record(event, about)
  local item = about.item
  if event.type == "stopped" then self.err = event.err end
  if not event.type then return end
  self:put(event.type, item and tables.merged(event, { item = divisions.name_of(item) }) or event)
end

local CHANGE = {}

-- Writes a look only if it differs from the one before.
function CHANGE.state(self, event)
  local seen = event.snapshot or {}
  local from, to = seen.from or {}, seen.to or {}
  local look = { group_id = seen.group_id, region = seen.region, state = event.state,
    status = seen.status, from = from.region, to = to.region, from_zone = from.zone,
    to_zone = to.zone, side = seen.side, recover_point = seen.recover_point,
    read_at = seen.read_at }
  local key = json.encode(journals.plain(tables.merged(look, { read_at = 0 })))
  if key == self.shown or not look.group_id and not look.state then return end
  self.shown = key
  self:put("look", look)
end

CHANGE.looked = CHANGE.state

function CHANGE.sending(self, event)
  self:put("call", { verb = event.verb, attempt = event.attempt,
    client_token = event.client_token })
end

function CHANGE.accepted(self, event)
  self:put("answer", { outcome = "accepted", request_id = event.request_id })
end

function CHANGE.unanswered(self, event)
  local err = event.err
  self:put("answer", { outcome = err.outcome, code = err.code, status = err.status,
    request_id = err.request_id })
end

local function waiting(self, event)
  self:put("waiting", { state = event.event, reason = event.reason or event.action
    or event.err and event.err.code, left = event.left })
end

CHANGE.settling, CHANGE.held_back, CHANGE.joined, CHANGE.look_failed = waiting, waiting, waiting,
  waiting

function CHANGE.clearing(self, event)
  self:put("clearing", { group_id = event.group_id, drill_id = event.drill_id })
end

--- Writes an event of a change; events that machines do not need are dropped.
---@param event table
function Events:change(event)
  local take = CHANGE[event.event]
  if take then take(self, event) end
end

--- Writes how a change ended.
---@param change alicloud.cli.Change
---@param result table|nil the result as JSON shows it
---@param err alicloud.Error|nil
function Events:outcome(change, result, err)
  local ending = result or err
  self:put("outcome", { verb = change.noun, group_id = change.group.id, ok = result ~= nil,
    outcome = ending.outcome, client_token = ending.client_token, request_id = ending.request_id,
    result = result, err = err })
end

--- Keeps the failure for the event `end`.
---@param err alicloud.Error
function Events:failed(err)
  self.err = output.error_object(err)
end

--- Writes the event `end`, and waits for a bounded time until the targets have taken the events.
---@param code integer its exit code
function Events:close(code)
  -- The event `outcome` has the findings already.
  local err = self.err and tables.copy(self.err)
  if err then err.findings = nil end
  self:put("end", { exit = code, status = ENDED[code] or "interrupted", err = err })
  for _, out in ipairs(self.outs) do out.close() end
end

local function stream_out(where, warn)
  local stream = streams.open(where, warn)
  return { take = function(_, _, text) stream:write(text .. "\n") end,
    close = function() stream:close() end }
end

local function program_out(line, runtime)
  local program = event_programs.new(shared_loops.of_clock(runtime), line, runtime.warn,
    runtime.said)
  return { take = function(...) program:take(...) end, close = function() program:close() end }
end

--- Opens the targets of `--events` and `--on-event`; nil if neither was typed. Refuses a wrong
--- value. A target that cannot be opened is warned of, and the command goes on without it.
---@param args table
---@param io alicloud.cli.Io
---@return alicloud.cli.Events|nil
function M.open(args, io)
  local refuse = options.refuse
  local where, line = event_options.target(args, refuse), event_options.program(args, refuse)
  if not where and not line then return nil end
  if type(where) == "string" then reports.refuse_journal("--events", where) end
  local runtime = cli_clients.runtime(io)
  local events = setmetatable({ command = args.command, now = runtime.time, seq = 0, outs = {} },
    Events)
  if where then table.insert(events.outs, stream_out(where, runtime.warn)) end
  if line then table.insert(events.outs, program_out(line, runtime)) end
  events:put("begin", { version = version.core })
  return events
end

--- The Io of a command whose events go to standard output: all else goes to standard error.
---@param args table
---@param io alicloud.cli.Io
---@return alicloud.cli.Io
function M.surroundings(args, io)
  if event_options.target(args, options.refuse) ~= 1 then return io end
  return setmetatable({ out = io.err, tty = false, color = false, page = false },
    { __index = io })
end

return M
