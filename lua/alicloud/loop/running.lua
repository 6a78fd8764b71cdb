--- Starts tasks, resumes them when their wait is over, and ends them.
--
-- A part of the scheduler (alicloud.loop.scheduler), which finds scopes and raises cancellations.

local core = require "alicloud.core"
local forked = require "alicloud.loop.forked"
local guard = require "alicloud.base.guard"
local scopes = require "alicloud.loop.scope"
local tasks = require "alicloud.loop.task"
local waiting = require "alicloud.loop.waiting"

local M = {}

-- After so many waits that were refused, a body that ignores its cancellation is closed.
local PATIENCE = 100

--- A coroutine that yields this is to be closed.
M.GIVE_UP = {}

---@class alicloud.loop.Running: alicloud.loop.Waits
---@field current alicloud.Task? the one that runs
---@field alive integer tasks that have not ended
---@field unheard alicloud.Task? one that an interrupt has ended while nobody waited for it
local Running = setmetatable({}, { __index = waiting.Waiting })
Running.__index = Running

M.Running = Running

-- The innermost scope of a task, or the task itself, as seen from outside of it.
local function innermost(task)
  local open = task.open
  return open and open[#open] or task
end

function Running:finish(task, ok, ...)
  task.finished, task.ok, task.results = true, ok, table.pack(...)
  -- An interrupt that ended a task which nobody waits for is raised to the code that runs the
  -- tasks; not if the task was cancelled: its canceller knows of the interrupt.
  if not ok and not task.joiners[1] and guard.is_interrupt((...))
    and self:stop_of(task) == nil then
    self.unheard = task
  end
  for _, waiter in ipairs(task.joiners) do self:wake(waiter) end
  task.joiners = nil
  self.alive = self.alive - 1
  if task.children then scopes.desert(task, task.parent) end
  if task.parent then task.parent:left(task) end
end

-- Ends a task. Its own cancellation is not an error of the task: the result is nil and the reason.
function Running:ended(task, ok, ...)
  local raised = ...
  if not ok and raised == nil then return self:finish(task, false, "nil was raised") end
  if ok or not guard.is_cancellation(raised) or scopes.stop_of(task) == nil then
    return self:finish(task, ok, ...)
  end
  task.cut_off = true
  self:finish(task, true, nil, task.reason or scopes.told(raised))
end

--- Ends a task that has not begun; it never begins.
---@param task alicloud.Task
function Running:drop(task)
  self:forget(task.start)
  local raised = scopes.stop_of(task)
  if guard.is_interrupt(raised) then return self:finish(task, false, raised) end
  task.cut_off = true
  self:finish(task, true, nil, task.reason or scopes.told(raised))
end

function Running:new_waiter(task)
  return { scheduler = self, task = task, deadline = math.huge, ready = false, over = false }
end

-- Looks at what a task yielded or returned. A value that its body yields by itself is for the host,
-- or only lets other tasks go first.
function Running:took(task, resumed, waiter, ...)
  if type(waiter) == "table" and waiter.scheduler == self then return end
  if coroutine.status(task.coroutine) == "dead" then
    if not resumed then return self:ended(task, false, waiter) end
    return self:ended(task, waiter, ...)
  end
  local node = innermost(task)
  local stop = self:stop_of(node)
  if waiter == M.GIVE_UP or stop ~= nil and self:loses_patience(task) then
    coroutine.close(task.coroutine)
    return self:ended(task, false, stop)
  end
  local adopt, own = stop == nil and self.base.adopt, self:new_waiter(task)
  self:note(own, node)
  own.adopted = adopt and adopt(own, waiter, ...)
  if not own.adopted then self:wake(own) end
end

function Running:resume(task, ...)
  local previous = self.current
  self.current = task
  scopes.hold_interrupts(self, innermost(task))
  self:took(task, coroutine.resume(task.coroutine, ...))
  self.current = previous
end

function Running:go_on(waiter)
  local task, arguments = waiter.task, waiter.arguments
  waiter.over = true
  if task.pid ~= self.pid then return end
  if not task.begun then
    if scopes.stop_of(task) ~= nil then
      waiter.over = false
      return self:drop(task)
    end
    task.begun, task.start = true, nil
  elseif waiter.node then
    waiter.node.waiter = nil
  end
  if arguments then
    self:resume(task, table.unpack(arguments, 1, arguments.n))
  else
    self:resume(task)
  end
end

--- Ends the wait of a node that is cancelled.
---@param waiter alicloud.loop.Waiter
function Running:break_off(waiter)
  if waiter.ready or waiter.over then return end
  waiter.cancelled = true
  if waiter.adopted then self.base.abandon(waiter) end
  self:wake(waiter)
end

function Running:note(waiter, node)
  if not node then return end
  waiter.node, node.waiter = node, waiter
end

-- Counts a wait that was refused: whether the task has ignored its cancellation for too long.
function Running:loses_patience(task)
  task.refusals = task.refusals + 1
  return task.refusals > PATIENCE
end

--- Starts a task of a scope.
---@param scope alicloud.Scope? nil: a task of no scope
---@param body function
---@param ... any
---@return alicloud.Task
Running.spawn_in = core.aside(function(self, scope, body, ...)
  forked.look(self)
  local task = tasks.new(self, scope)
  task.start = self:new_waiter(task)
  task.start.arguments = table.pack(body, ...)
  self.alive = self.alive + 1
  self:wake(task.start)
  return task
end)

-- Resumes the waiters that are ready; those that become ready meanwhile have their turn next time.
function Running:run_queue()
  local last = self.last
  if self.first > last then return false end
  while self.first <= last do
    local waiter = self.queue[self.first]
    self.queue[self.first] = nil
    self.first = self.first + 1
    if not waiter.over then
      self:go_on(waiter)
      forked.stop_child(self)
    end
  end
  return true
end

return M
