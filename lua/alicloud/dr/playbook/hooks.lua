--- Hooks: functions of the playbook that get events, e.g. for a chat, a pager or metrics. They can
--- neither fail a run nor hold it up: each call is a task of its own, its errors are dropped, and
--- it is ended if it computes for too long. A hook that blocks outside of Lua cannot be ended; it
--- should wait by `run.loop` or the client. A cancellation or an interrupt of the run does not end
--- its hooks: they get a few seconds after the end of the run. A Ctrl-C during a hook ends the run.

local guard = require "alicloud.base.guard"
local journals = require "alicloud.dr.journal"
local tables = require "alicloud.base.tables"

local M = {}

---@class alicloud.dr.Hooks
local Hooks = {}
Hooks.__index = Hooks

-- Most virtual machine instructions of one hook call, about a tenth of a second; and after how many
-- more it is checked again if code of the library is running then.
local LONGEST, NEXT_LOOK = 10000000, 1000
-- Timeout in seconds of one hook call while the run goes on.
local LONGEST_WAIT = 3600

local KINDS = { step_begin = "step", step_end = "step", step_skip = "step", gate_open = "gate",
  gate_pass = "gate", gate_fail = "gate", approval = "gate" }

--- The kinds of events that `run:on` takes.
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

-- The directory of the library, whose code is never ended in the middle.
local ROOT = debug.getinfo(1, "S").source:match "^(.*)dr[/\\]playbook[/\\]hooks%.lua$"

local function is_library(source)
  return ROOT ~= nil and source:sub(1, #ROOT) == ROOT
end

-- Raises in a hook that computes for too long, and again at once if it catches that.
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

-- Calls a hook once, in a scope that waits for all tasks that it starts.
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

--- The type of the event for which the running code is called as a hook.
---@return string|nil type nil: the code is no hook
function Hooks:telling()
  return self.threads[coroutine.running()]
end

--- Calls the listeners of an event, each with its own copy.
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

--- Waits some seconds for hooks that still run, then ends them. The run has ended, so from now on
--- an interrupt in a hook is ignored.
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
