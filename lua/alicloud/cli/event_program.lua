--- The command line of `--on-event`: started once for each event, one after the other, beside what
--- goes on. It may take its time and may fail, which changes nothing. Of a burst that it does not
--- keep up with the oldest events are left out, and the next one is told how many; the last event
--- is never left out.

local core = require "alicloud.core"
local guard = require "alicloud.base.guard"
local programs = require "alicloud.dr.playbook.program"

local M = {}

-- Bytes of an event that a variable holds on every system.
local LONGEST = 100000

---@class alicloud.cli.EventProgram
---@field loop alicloud.loop.Loop
---@field line string
---@field warn fun(words: string)
---@field said? fun(program: string, line: string)
---@field waiting { kind: string, seq: integer, text: string }[]
---@field missed integer since the last that was started
---@field task alicloud.Task?
---@field ends number? from then on only the last one is started
---@field told boolean? that one of them failed
---@field limit number seconds that one may take
---@field patience number seconds for those that wait when the command ends, before all but the last
---are left out
---@field most integer events that wait
local Program = { limit = 10, patience = 5, most = 500 }
Program.__index = Program

---@param loop alicloud.loop.Loop
---@param line string for sh
---@param warn fun(words: string)
---@param said? fun(program: string, line: string) shows what one says on standard error
---@return alicloud.cli.EventProgram
function M.new(loop, line, warn, said)
  return setmetatable({ loop = loop, line = line, warn = warn, said = said, waiting = {},
    missed = 0 }, Program)
end

local function leave_out(self, most)
  while #self.waiting > most do
    table.remove(self.waiting, 1)
    self.missed = self.missed + 1
  end
end

local function fault_of(self, ended, fault)
  if not ended then return fault end
  if ended.late then return ("it took more than %g s"):format(self.limit) end
  if ended.signal then return ("ended by signal %d"):format(ended.signal) end
  return ended.code ~= 0 and ("exit code %s"):format(ended.code or "unknown") or nil
end

local function start(self, item)
  local variables = { ALICLOUD_DR_EVENT = #item.text <= LONGEST and item.text or "",
    ALICLOUD_DR_TYPE = item.kind, ALICLOUD_DR_SEQ = item.seq, ALICLOUD_DR_MISSED = self.missed }
  self.missed = 0
  local say = self.said and function(line) self.said("on-event", line) end or nil
  local fault = fault_of(self, programs.line(self.loop, self.line, variables,
    { timeout = self.limit, say = say }))
  if not fault or self.told then return end
  self.told = true
  self.warn(("--on-event: %s: %s (told once)"):format(item.kind, fault))
end

-- What interrupts the command does not reach a program that has begun.
local function work(self)
  while self.waiting[1] do
    if self.ends and core.monotonic() >= self.ends then leave_out(self, 1) end
    local item = table.remove(self.waiting, 1)
    self.loop.scope(function() start(self, item) end, { shield = true, timeout = self.limit + 1 })
  end
end

--- Takes an event.
---@param kind string
---@param seq integer
---@param text string the event in JSON
function Program:take(kind, seq, text)
  self.waiting[#self.waiting + 1] = { kind = kind, seq = seq, text = text }
  leave_out(self, self.most)
  if not self.task or self.task.finished then
    self.task = self.loop.spawn_shared(work, self)
  end
end

--- Waits for what is left, for a bounded time, though the command was interrupted.
function Program:close()
  self.ends = core.monotonic() + self.patience
  self.loop.scope(function()
    if self.task and not self.task.finished then self.task:wait() end
    work(self)
  end, { shield = true, timeout = 2 * (self.limit + 1) + self.patience })
  if self.task then guard.call(self.task.cancel, self.task) end
end

return M
