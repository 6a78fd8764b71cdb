--- Functions of the playbook that are told of events: a chat, a pager, metrics. They can neither
--- fail a run nor hold it up: each runs as a task of its own, what it raises is dropped, and one
--- that computes for too long is ended. What blocks outside of Lua is out of reach; a hook that
--- waits does so through `run.loop` or the client. A Ctrl-C that meets a hook is meant for the run.

local guard = require "alicloud.base.guard"
local tables = require "alicloud.base.tables"

local M = {}

---@class alicloud.dr.Hooks
local Hooks = {}
Hooks.__index = Hooks

-- Virtual machine instructions of one hook call, about a tenth of a second.
local LONGEST = 10000000

local KINDS = { step_begin = "step", step_end = "step", step_skip = "step", gate_open = "gate",
  gate_pass = "gate", gate_fail = "gate", approval = "gate" }

--- What `run:on` takes.
M.ALLOWED = { step = true, gate = true, mark = true, mode = true, note = true, call = true,
  answer = true, waiting = true, stopped = true, finished = true, interrupted = true }

---@param loop alicloud.loop.Scheduler
---@return alicloud.dr.Hooks
function M.new(loop)
  return setmetatable({ loop = loop, listeners = {}, running = {} }, Hooks)
end

---@param kind string
---@param listener fun(event: table)
function Hooks:add(kind, listener)
  self.listeners[kind] = self.listeners[kind] or {}
  table.insert(self.listeners[kind], listener)
end

local function limited(hooks, listener, event)
  local thread = coroutine.running()
  debug.sethook(thread, function() error "the hook computes for too long" end, "", LONGEST)
  local ok, raised = pcall(listener, event)
  debug.sethook(thread)
  if not ok and guard.is_interrupt(raised) and not hooks.closing then error(raised, 0) end
end

---@param event table
function Hooks:fire(event)
  local list = self.listeners[KINDS[event.type] or event.type]
  if not list then return end
  for _, listener in ipairs(list) do
    local task = self.loop.spawn(limited, self, listener, tables.copy(event))
    task:detach()
    self.running[#self.running + 1] = task
  end
end

--- Gives hooks that still run a moment, then ends them. The run has ended: there is nothing left in
--- it that could be interrupted.
---@param seconds number
function Hooks:close(seconds)
  self.closing = true
  local deadline = self.loop.now() + seconds
  for _, task in ipairs(self.running) do
    if not task:wait(math.max(0, deadline - self.loop.now())) then task:cancel() end
  end
  self.running = {}
end

return M
