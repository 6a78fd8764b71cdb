--- A task: a function that goes on beside others in a loop, as its owner sees it.

local core = require "alicloud.core"
local forked = require "alicloud.loop.forked"
local schema = require "alicloud.base.schema"
local scopes = require "alicloud.loop.scope"

local M = {}

---@class alicloud.Task: alicloud.loop.Node
---@field pid integer process that it belongs to
---@field finished boolean
---@field begun boolean?
---@field ok boolean? whether it has ended without an error
---@field results table? what it has returned, or raised
---@field cut_off boolean? it has ended because it was cancelled
---@field taken boolean? somebody has asked for its result
---@field failed_untold boolean? it failed before it was told to stop, or with the error of such a
---task
---@field open alicloud.Scope[]? scopes that are open in it, the innermost last
---@field refusals integer waits that were refused because it is cancelled
local Task = {}

--- Whether the task has ended. Tasks that are ready go on first; nothing is waited for.
---@return boolean
function Task:done()
  if not self.finished then self.scheduler:glance() end
  return self.finished
end

local function leave(joiners, waiter)
  for i, one in ipairs(joiners or {}) do
    if one == waiter then return table.remove(joiners, i) end
  end
end

local function join(task, waiter, unbroken)
  local _ <close> = setmetatable({}, { __close = function() leave(task.joiners, waiter) end })
  task.joiners[#task.joiners + 1] = waiter
  task.scheduler:await(waiter, unbroken)
end

--- Waits for the end of the task.
---@param timeout? number seconds; default: no limit
---@return boolean done
function Task:wait(timeout)
  if timeout ~= nil and (type(timeout) ~= "number" or timeout ~= timeout) then
    error("task:wait: a number of seconds expected, got " .. schema.show(timeout), 2)
  end
  if self.finished then return true end
  if forked.is_parents(self) then error("the task is of the parent of this process", 2) end
  if self.scheduler:is_inside(self) then error("a task cannot wait for its own end", 2) end
  join(self, { deadline = self.scheduler.base.now() + (timeout or math.huge) })
  return self.finished
end

--- Waits for the end of the task and gives what its body returned, or raises what it raised. For a
--- cancelled task: nil and what `cancel` was given, or what was known of the call that it made.
---@return any ...
function Task:result()
  self:wait()
  self.taken = true
  if not self.ok then error(self.results[1], 0) end
  return table.unpack(self.results, 1, self.results.n)
end

--- Cancels the task: its waits raise, so that it ends soon; `wait` waits for that. A task that has
--- not begun never begins.
---@param err? alicloud.Error second result of the task
---@return boolean cancelled false if it had ended, or been cancelled, before
---@type fun(self: alicloud.Task, err?: alicloud.Error): boolean
Task.cancel = core.aside(function(self, err)
  if self.finished or self.raised ~= nil or forked.is_parents(self) then return false end
  scopes.cancel(self, err)
  if not self.begun then self.scheduler:drop(self) end
  return true
end)

--- Cancels the task and waits for its end; the end of a block does this to a variable to be closed.
---@type fun(self: alicloud.Task)
Task.close = core.aside(function(self)
  if forked.is_parents(self) then return end
  self:cancel()
  while not self.finished and self.scheduler:can_wait(self) do
    join(self, { deadline = math.huge }, true)
  end
end)

local metatable = { __name = "alicloud.Task", __index = Task, __close = Task.close }

--- Makes a task that has not begun.
---@param scheduler alicloud.loop.Scheduler
---@param parent alicloud.Scope? to which it belongs
---@return alicloud.Task whose coroutine is to be resumed with its body and the arguments of that
function M.new(scheduler, parent)
  local task = setmetatable({
    scheduler = scheduler, pid = scheduler.pid, finished = false, joiners = {}, waiter = nil,
    raised = nil,
    -- Errors are caught inside the coroutine, so that what is closed on the way may wait.
    coroutine = coroutine.create(pcall), refusals = 0,
  }, metatable)
  if parent then
    scopes.attach(task, parent)
    parent.live = parent.live + 1
  end
  return task
end

return M
