--- Starts the command line of `--on-event` once for each event, one after the other, beside the
--- command's work. That it is slow or fails changes nothing. When too many events wait for it, the
--- oldest are left out, and the next event tells how many; the last event is never left out.

local core = require "alicloud.core"
local guard = require "alicloud.base.guard"
local programs = require "alicloud.dr.playbook.program"

local M = {}

-- Bytes that an environment variable can hold on every system.
local LONGEST = 100000

---@class alicloud.cli.EventProgram
---@field loop alicloud.loop.Loop
---@field line string
---@field warn fun(words: string)
---@field said? fun(program: string, line: string) shows a line of the program's standard error
---@field waiting { kind: string, seq: integer, text: string }[] events that wait, the oldest first
---@field missed integer events left out since a program was last started
---@field task alicloud.Task? starts the programs
---@field ends number? core.monotonic seconds: from then on all waiting events but the last are left
---out
---@field told boolean? a failure was warned of; further ones are not
---@field limit number seconds that one program may take
---@field patience number seconds after the command's end until only the last event is still taken
---@field most integer events that may wait
local Program = { limit = 10, patience = 5, most = 500 }
Program.__index = Program

---@param loop alicloud.loop.Loop
---@param line string for sh
---@param warn fun(words: string)
---@param said? fun(program: string, line: string) shows a line of the program's standard error
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

-- Shielded: an interruption of the command does not reach a program that has begun.
local function work(self)
  while self.waiting[1] do
    if self.ends and core.monotonic() >= self.ends then leave_out(self, 1) end
    local item = table.remove(self.waiting, 1)
    self.loop.scope(function() start(self, item) end, { shield = true, timeout = self.limit + 1 })
  end
end

--- Takes an event; its program is started as soon as the programs before it have ended.
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

--- Starts the programs of the events that still wait, for a bounded time, even after an
--- interruption.
function Program:close()
  self.ends = core.monotonic() + self.patience
  self.loop.scope(function()
    if self.task and not self.task.finished then self.task:wait() end
    work(self)
  end, { shield = true, timeout = 2 * (self.limit + 1) + self.patience })
  if self.task then guard.call(self.task.cancel, self.task) end
end

return M
