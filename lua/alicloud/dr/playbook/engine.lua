--- What all branches of a run share: journal, state, clock, inbox, hooks. One engine is one
--- process's attempt at a run.

local batched = require "alicloud.dr.read.batched"
local errors = require "alicloud.base.error"
local guard = require "alicloud.base.guard"
local hooks = require "alicloud.dr.playbook.hooks"
local inbox = require "alicloud.dr.playbook.inbox"
local outage_time = require "alicloud.dr.playbook.outage_time"
local states = require "alicloud.dr.playbook.state"
local stops = require "alicloud.dr.playbook.stop"

local M = {}

---@class alicloud.dr.Engine
---@field playbook alicloud.dr.Playbook
---@field journal alicloud.dr.JournalFile
---@field store alicloud.dr.Store
---@field state alicloud.dr.RunState
---@field client alicloud.Client
---@field runtime alicloud.Runtime
---@field loop alicloud.loop.Scheduler
---@field executor alicloud.dr.Executor
---@field params table<string, any> as the playbook declares them
---@field options alicloud.dr.RunOptions
---@field stopped alicloud.dr.Stop?
---@field seen table<string, boolean> steps and gates that this attempt has come to
---@field skips table<string, { why: string, by: string? }>
---@field undos { key: string, undo: function, client: alicloud.Client,
---stops_production: boolean? }[]
---@field exceptions string[]
---@field corrections table[] events that its attempt begins with
---@field tokens table<string, boolean> that `run:token` gave
---@field batched_reads alicloud.dr.BatchedReads what groups that are waited for share
---@field bound table<string, { id: string, region: string, to: string?, prefix: string }> groups,
---each with the branch that has named it
---@field named table<string, { id: string, region: string, to: string?, prefix: string }> every
---group that this process has come to and has not left out, also in branches that are over
---@field asking boolean? somebody is asked for consent
---@field consented boolean? somebody has agreed in this process
---@field told table<string, boolean> moments at which its witness was told
local Engine = {}
Engine.__index = Engine

---@param fields table
---@return alicloud.dr.Engine
function M.new(fields)
  fields.seen, fields.undos, fields.exceptions, fields.tokens = {}, {}, {}, {}
  fields.groups, fields.bound, fields.named, fields.told = {}, {}, {}, {}
  local engine = setmetatable(fields, Engine)
  engine.hooks = hooks.new(engine.loop)
  engine.inbox = inbox.new(engine)
  engine.batched_reads = batched.new(engine.client)
  return engine
end

--- Writes an event, applies it, tells whoever listens.
---@param event table
---@param durable boolean
---@return boolean|nil ok
---@return alicloud.Error? err
function Engine:write(event, durable)
  event.at = self.runtime.time()
  local ok, err = self.journal:write(event, durable)
  if not ok then return nil, err end
  local kept = self.journal.last
  states.apply(self.state, kept)
  self.hooks:fire(kept)
  if self.options.progress then guard.call(self.options.progress, kept) end
  return true
end

--- Tells whoever listens that a step waits. That is no record: it says nothing of the run's end.
---@param step string?
---@param event alicloud.outage_retry.Event
function Engine:waiting(step, event)
  local told = { type = "waiting", state = event.event, step = step, reason = event.reason,
    pause = event.pause, left = event.left, waited = event.waited, at = self.runtime.time() }
  self.hooks:fire(told)
  if self.options.progress then guard.call(self.options.progress, told) end
end

--- Writes an event without which the run must not go on.
---@param event table
function Engine:record(event)
  local ok, err = self:write(event, true)
  if not ok then self:stop(err) end
end

--- Ends the whole run.
---@param err alicloud.Error
function Engine:stop(err)
  self.stopped = self.stopped or stops.new(err, true)
  error(self.stopped, 0)
end

--- Raises if the run was ended: also where the playbook caught it.
function Engine:go_on()
  if self.stopped then error(self.stopped, 0) end
end

--- Something that a report must not hide.
---@param text string
function Engine:except(text)
  self.exceptions[#self.exceptions + 1] = text
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

--- Notes that a branch does nothing more with the groups that it has named.
---@param prefix string of the branch
function Engine:unbind(prefix)
  for _, list in ipairs { self.bound, self.named } do
    for key, bound in pairs(list) do
      if bound.prefix:sub(1, #prefix) == prefix then list[key] = nil end
    end
  end
end

---@param snapshot alicloud.dr.Snapshot|nil
function Engine:looked(snapshot)
  if not snapshot or snapshot.role == "absent" then return end
  local before = self.state.looks[snapshot.group_id]
  local same = before and before.status == snapshot.status and before.from == snapshot.from.region
    and before.from_zone == snapshot.from.zone and before.recover_point == snapshot.recover_point
  if same and not outage_time.needs_look(self.state) then return end
  self:write({ type = "look", group_id = snapshot.group_id, region = snapshot.region,
    status = snapshot.status, from = snapshot.from.region, to = snapshot.to.region,
    from_zone = snapshot.from.zone, to_zone = snapshot.to.zone, side = snapshot.side,
    recover_point = snapshot.recover_point, read_at = snapshot.read_at }, false)
end

return M
