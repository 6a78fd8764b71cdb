--- The engine: what all branches of a run share (journal, state, clock, inbox, hooks). One engine
--- is the attempt of one process at a run.

local errors = require "alicloud.base.error"
local guard = require "alicloud.base.guard"
local hooks = require "alicloud.dr.playbook.hooks"
local inbox = require "alicloud.dr.playbook.inbox"
local outage_time = require "alicloud.dr.playbook.outage_time"
local settled = require "alicloud.dr.read.settled"
local states = require "alicloud.dr.playbook.state"
local stops = require "alicloud.dr.playbook.stop"
local tables = require "alicloud.base.tables"
local turns = require "alicloud.dr.journal.turns"

local M = {}

---@class alicloud.dr.Engine
---@field playbook alicloud.dr.Playbook
---@field journal alicloud.dr.JournalFile
---@field store alicloud.dr.Store
---@field state alicloud.dr.RunState
---@field client alicloud.Client
---@field runtime alicloud.Runtime
---@field loop alicloud.loop.Loop
---@field executor alicloud.dr.Executor
---@field params table<string, any> as the playbook declares them
---@field options alicloud.dr.RunOptions
---@field stopped alicloud.dr.Stop? why the whole run has ended
---@field seen table<string, boolean> steps and gates that this attempt has come to
---@field skips table<string, { why: string, by: string? }> steps and gates to skip
---@field undos { key: string, undo: function, client: alicloud.Client,
---stops_production: boolean? }[] undo functions, in the order of the steps
---@field exceptions string[]
---@field corrections table[] events that its attempt begins with
---@field tokens table<string, boolean> tokens that `run:token` has given
---@field batched_reads alicloud.dr.BatchedReads? reads shared by groups at work at the same time
---@field bound table<string, { id: string, region: string, to: string?, prefix: string }> groups,
---each with the branch that has named it
---@field named table<string, { id: string, region: string, to: string?, prefix: string }> every
---group that this process has come to and has not left out, also in branches that are over
---@field asking boolean? somebody is being asked for consent
---@field consented boolean? somebody has agreed in this process
---@field told table<string, boolean> moments at which the witness was told
---@field cut fun()[] functions that write the ends of steps that were cut off, see `settle`
---@field moving table<string, true> groups that a branch is failing over
---@field left_open string[] what a person has to do by hand; also among the exceptions
---@field scope alicloud.Scope? the scope of the run's own work, with its undoing
---@field quiet_from number? seconds of boottime, after which no call of an earlier process can
---still arrive; nil: the store is not shared
---@field account string? number of the account under which groups are locked
---@field loss alicloud.Error? why the journal no longer belongs to this process
---@field locking alicloud.dr.Turns the turns of branches that lock groups
---@field interrupted string? what an interrupt has raised in a task that is not the run's
local Engine = {}
Engine.__index = Engine

-- Seconds that a store may take for a record of what has happened.
local WRITING = 60

---@param fields table
---@return alicloud.dr.Engine
function M.new(fields)
  fields.seen, fields.undos, fields.exceptions, fields.tokens = {}, {}, {}, {}
  fields.groups, fields.bound, fields.named, fields.told = {}, {}, {}, {}
  fields.cut, fields.left_open, fields.moving, fields.pairs_told = {}, {}, {}, {}
  fields.locking = turns.new(fields.loop, "a group that was named before this one is not locked")
  local engine = setmetatable(fields, Engine)
  engine.hooks = hooks.new(engine.loop, function(raised) engine:interrupt(raised) end)
  engine.inbox = inbox.new(engine)
  return engine
end

--- The names of the steps that are to be skipped, or were skipped.
---@return string[]
function Engine:skipped()
  local names = tables.copy(self.skips)
  for key, step in pairs(self.state.steps) do
    if step.status == "skipped" then names[key] = true end
    if step.status == "done" then names[key] = nil end
  end
  return tables.keys(names)
end

--- Writes an event, applies it to the state, and tells hooks and listener. Even if a task is
--- interrupted, journal and state stay the same.
---@param event table|fun(): table a function makes the event at its turn
---@param durable boolean
---@return boolean|nil ok
---@return number|alicloud.Error|nil more as of the journal's `write`
function Engine:write(event, durable)
  local at, kept = self.runtime.time(), nil
  local ok, more = self.journal:write(function()
    local made = type(event) == "function" and event() or event
    made.at = at
    return made
  end, durable, function(written)
    kept = written
    states.apply(self.state, kept)
  end)
  if kept then
    self.hooks:fire(kept)
    self:tell(kept)
  end
  return ok, more
end

--- Sends a record, or another event, to the option `progress`.
---@param event table
function Engine:tell(event)
  event.at = event.at or self.runtime.time()
  local listener, run = self.options.progress, self.state.run
  if listener then guard.call(listener, event, run and run.run_id) end
end

--- Tells hooks and listener that a step waits. This event is not written to the journal.
---@param step string?
---@param event alicloud.outage_retry.Event
function Engine:waiting(step, event)
  local told = { type = "waiting", state = event.event, step = step, reason = event.reason,
    pause = event.pause, left = event.left, waited = event.waited, at = self.runtime.time() }
  self.hooks:fire(told)
  self:tell(told)
end

--- Makes a listener that notes in `branch.seen` what a step's looks show, and tells why the step
--- looks again whenever the reason changes: a step that looks for minutes must not be silent.
---@param branch alicloud.dr.PlaybookRun
---@param listener? fun(event: table) the step's own, which gets all events, too
---@return fun(event: table) listener
function Engine:watching(branch, listener)
  local reason
  return function(event)
    branch.seen = event.state or event.reason or branch.seen
    if event.event == "settling" and event.reason ~= reason then
      reason = event.reason
      self:tell { type = "waiting", state = "settling", step = branch.step_key, reason = reason,
        left = event.left }
    end
    if listener then return listener(event) end
  end
end

--- Writes an event without which the run must not go on; ends the run if that fails. It is written
--- even if the task is cancelled meanwhile, since it tells what has happened.
---@param event table
function Engine:record(event)
  local ok, err = self:write_surely(event)
  if not ok then self:stop(err) end
end

--- Writes an event about what has happened, even if the task was cancelled or interrupted.
---@param event table
---@return boolean|nil ok
---@return alicloud.Error? err
function Engine:write_surely(event)
  return self:surely(WRITING, function() return self:write(event, true) end)
end

--- Ends the whole run.
---@param err alicloud.Error
function Engine:stop(err)
  self.stopped = self.stopped or stops.new(err, true)
  error(self.stopped, 0)
end

--- Raises if the run has ended or the calling task was cancelled, also if the playbook has caught
--- that before.
function Engine:go_on()
  if self.stopped then error(self.stopped, 0) end
  self.loop.checkpoint()
  self:settle()
end

--- Ends the run because another process has taken its journal: from now on nothing is sent, written
--- or undone.
---@param err alicloud.Error
function Engine:lose(err)
  if self.loss then return end
  self.loss = errors.new(tables.copy(err))
  self.loss.hint = (err.hint or "whoever has it goes on with it")
    .. " (in Lua dr.run with the option standby waits until it is free)"
  self.journal:end_with(self.loss)
  self.stopped = self.stopped or stops.new(self.loss, true)
  if self.scope then self.scope:cancel(self.loss) end
end

--- Ends the run when the store is lost to another process, now or later.
function Engine:heed_loss()
  local store = self.store
  if not store.on_lost then return end
  store:on_lost(function(err) self:lose(err) end)
  local err = store:lost()
  if err then self:lose(err) end
end

--- Ends the run like an interrupt, from a task that is not the run's.
---@param raised string
function Engine:interrupt(raised)
  self.interrupted = self.interrupted or raised
  if self.scope then self.scope:cancel() end
end

--- Keeps the function that writes the end of a cancelled step. `settle` calls it if the run goes on
--- or fails. If the run is interrupted, the step stays without an end.
---@param write_end fun()
function Engine:cut_off(write_end)
  self.cut[#self.cut + 1] = write_end
end

--- Writes the ends of steps that were cut off.
function Engine:settle()
  while self.cut[1] do table.remove(self.cut, 1)() end
end

--- Calls a function that must run even if the task was cancelled or interrupted.
---@param seconds number its timeout
---@param act fun(scope: alicloud.Scope, ...): any
---@param ... any further arguments of `act`
---@return any ... results of `act`; nil and an error if it took too long
function Engine:surely(seconds, act, ...)
  local given = table.pack(...)
  return self.loop.scope(function(scope) return act(scope, table.unpack(given, 1, given.n)) end,
    { shield = true, timeout = seconds })
end

--- Notes an exception, which a report must not hide.
---@param text string
function Engine:except(text)
  self.exceptions[#self.exceptions + 1] = text
end

--- Notes something that a person has to do by hand, whether the run ends well or not.
---@param text string with the command
function Engine:leave_open(text)
  self:except(text)
  self.left_open[#self.left_open + 1] = text
  self:write_surely { type = "note", text = text, left_open = true }
end

--- Ends the run because of the playbook's own mistake.
---@param code string
---@param message string
---@param hint? string
function Engine:refuse(code, message, hint)
  self:stop(errors.new {
    kind = "state", code = code, message = message, hint = hint, outcome = "not_sent",
  })
end

--- Notes that a branch has named a group.
---@param group alicloud.dr.Group
---@param prefix string of the branch
function Engine:bind(group, prefix)
  local bound = { id = group.id, region = group.region, to = group.to, prefix = prefix }
  self.bound[table.concat({ prefix, group.id, group.to or group.region }, "\0")] = bound
  self.named[table.concat({ group.id, group.to or group.region }, "\0")] = bound
end

--- Forgets the groups that a branch has named, since it was left out.
---@param prefix string of the branch
function Engine:unbind(prefix)
  for _, list in ipairs { self.bound, self.named } do
    for key, bound in pairs(list) do
      if bound.prefix:sub(1, #prefix) == prefix then list[key] = nil end
    end
  end
end

-- All pairs of a group that looks of the run have named or listed, if this one has added some.
local function more_pairs(state, snapshot)
  local told, known = {}, state.pairs[snapshot.group_id] or {}
  settled.note_pairs(told, snapshot, 0)
  for _, id in ipairs(known) do told[id] = 0 end
  local all = tables.keys(told)
  return #all > #known and all or nil
end

--- Writes what a look at a group has shown, if it differs from the look before. The process that
--- goes on after a crash knows the pairs from here: group and list may agree on too few.
---@param snapshot alicloud.dr.Snapshot|nil
function Engine:looked(snapshot)
  if not snapshot or snapshot.role == "absent" then return end
  local before = self.state.looks[snapshot.group_id]
  local same = before and before.status == snapshot.status and before.from == snapshot.from.region
    and before.from_zone == snapshot.from.zone and before.recover_point == snapshot.recover_point
  local more = more_pairs(self.state, snapshot)
  if same and not more and not outage_time.needs_look(self.state) then return end
  self:write({ type = "look", group_id = snapshot.group_id, region = snapshot.region,
    status = snapshot.status, from = snapshot.from.region, to = snapshot.to.region,
    from_zone = snapshot.from.zone, to_zone = snapshot.to.zone, side = snapshot.side,
    recover_point = snapshot.recover_point, read_at = snapshot.read_at,
    heard_at = snapshot.heard_at, pairs = more }, false)
end

return M
