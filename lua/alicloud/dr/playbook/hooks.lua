--- Functions of the playbook that are told of events: a chat, a pager, metrics. They can neither
--- fail a run nor hold it up: each runs as a task of the run's own, what it raises is dropped, and
--- one that computes for too long is ended. What blocks outside of Lua is out of reach; a hook that
--- waits does so through `run.loop` or the client. A cancellation or an interrupt of the run does
--- not reach it: it has a moment more when the run has ended. A Ctrl-C that meets a hook is meant
--- for the run.

local guard = require "alicloud.base.guard"
local journals = require "alicloud.dr.journal"
local tables = require "alicloud.base.tables"

local M = {}

---@class alicloud.dr.Hooks
local Hooks = {}
Hooks.__index = Hooks

-- Virtual machine instructions of one hook call, about a tenth of a second, and how many more until
-- the next look where it was the library's turn.
local LONGEST, NEXT_LOOK = 10000000, 1000
-- Seconds that one hook call may wait in a run that goes on.
local LONGEST_WAIT = 3600

local KINDS = { step_begin = "step", step_end = "step", step_skip = "step", gate_open = "gate",
  gate_pass = "gate", gate_fail = "gate", approval = "gate" }

--- What `run:on` takes.
M.ALLOWED = { step = true, gate = true, mark = true, mode = true, note = true, call = true,
  answer = true, waiting = true, stopped = true, finished = true, interrupted = true }

---@param loop alicloud.loop.Loop
---@param interrupt fun(raised: string) ends the run
---@return alicloud.dr.Hooks
function M.new(loop, interrupt)
  return setmetatable({ loop = loop, interrupt = interrupt, listeners = {}, running = {},
    threads = {} }, Hooks)
end

---@param kind string
---@param listener fun(event: table)
function Hooks:add(kind, listener)
  self.listeners[kind] = self.listeners[kind] or {}
  table.insert(self.listeners[kind], listener)
end

-- Where the library lies, which is never ended in the middle of what it does.
local ROOT = debug.getinfo(1, "S").source:match "^(.*)dr[/\\]playbook[/\\]hooks%.lua$"

local function is_library(source)
  return ROOT ~= nil and source:sub(1, #ROOT) == ROOT
end

-- Ends what computes for too long: whoever catches that is told again at once, until none is left.
local function bound(thread)
  local function stop()
    if is_library(debug.getinfo(2, "S").source) then
      return debug.sethook(thread, stop, "", NEXT_LOOK)
    end
    debug.sethook(thread, stop, "", 1)
    error "the hook computes for too long"
  end
  debug.sethook(thread, stop, "", LONGEST)
end

-- One call of a hook, in a scope whose end is that of all that it has started.
local function tell(hooks, told, listener, event)
  local thread = coroutine.running()
  local _ <close> = setmetatable({}, { __close = function()
    debug.sethook(thread)
    hooks.running[told], hooks.threads[thread] = nil, nil
  end })
  hooks.threads[thread] = event.type
  local ok, raised = pcall(hooks.loop.scope, function(scope)
    told.scope = scope
    bound(thread)
    listener(event)
  end, { shield = true, timeout = LONGEST_WAIT })
  if not ok and guard.is_interrupt(raised) and not hooks.closing then hooks.interrupt(raised) end
end

--- Of which event the running code is being told.
---@return string|nil type nil: it is no hook
function Hooks:telling()
  return self.threads[coroutine.running()]
end

--- Tells whoever listens, each of a copy: what he changes in it is his own.
---@param event table
function Hooks:fire(event)
  local list = self.listeners[KINDS[event.type] or event.type]
  if not list then return end
  for _, listener in ipairs(list) do
    local told = {}
    self.running[told] = true
    told.task = self.scope:spawn(tell, self, told, listener, journals.plain(event))
  end
end

--- Gives hooks that still run a moment, then ends them. The run has ended: there is nothing left in
--- it that could be interrupted.
---@param seconds number
function Hooks:close(seconds)
  self.closing = true
  local deadline = self.loop.now() + seconds
  for told in pairs(tables.copy(self.running)) do
    if not told.task:wait(math.max(0, deadline - self.loop.now())) then
      if told.scope then told.scope:cancel() end
      told.task:cancel()
    end
  end
end

return M
