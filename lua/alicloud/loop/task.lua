--- One thing of many that go on at a time, as its owner sees it.

local core = require "alicloud.core"
local forked = require "alicloud.loop.forked"
local schema = require "alicloud.base.schema"
local scopes = require "alicloud.loop.scope"

local M = {}

---@class alicloud.Task: alicloud.loop.Node
---@field pid integer of the process whose task it is
---@field finished boolean
---@field begun boolean?
---@field ok boolean? whether it has ended without an error
---@field results table? what it has returned, or raised
---@field cut_off boolean? it has ended because it was told to stop
---@field taken boolean? somebody has asked for its result
---@field failed_untold boolean? nothing was told to stop when it failed, or what it failed with
---@field open alicloud.Scope[]? that were opened in it, the innermost last
---@field refusals integer waits that were refused because it is cancelled
local Task = {}

--- Whether it has ended. The tasks go on before the answer is given, but nothing is waited for.
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

--- Waits for its end.
---@param timeout? number seconds (no limit)
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

--- Waits for its end and gives what its body returned, or raises what its body raised. Of a task
--- that was cancelled: nil and what `cancel` was given, or what was known of the call that it made.
---@return any ...
function Task:result()
  self:wait()
  self.taken = true
  if not self.ok then error(self.results[1], 0) end
  return table.unpack(self.results, 1, self.results.n)
end

--- Cancels it: its waits raise, so that it ends soon; `wait` tells when. One that has not begun
--- never does.
---@param err? alicloud.Error second result of the task
---@return boolean cancelled false if it had ended, or been cancelled, before
---@type fun(self: alicloud.Task, err?: alicloud.Error): boolean
Task.cancel = core.aside(function(self, err)
  if self.finished or self.raised ~= nil or forked.is_parents(self) then return false end
  scopes.cancel(self, err)
  if not self.begun then self.scheduler:drop(self) end
  return true
end)

--- Cancels it and waits for its end, as at the end of a block in which it is to be closed.
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
    -- A raise is caught within the coroutine, so that what is closed on its way may wait.
    coroutine = coroutine.create(pcall), refusals = 0,
  }, metatable)
  if parent then
    scopes.attach(task, parent)
    parent.live = parent.live + 1
  end
  return task
end

return M
