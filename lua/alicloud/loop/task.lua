--- One thing of many that go on at a time, as its owner sees it.

local errors = require "alicloud.base.error"

local M = {}

---@class alicloud.Task
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

--- Waits for its end.
---@param timeout? number seconds (no limit)
---@return boolean done
function Task:wait(timeout)
  if self.finished then return true end
  local scheduler = self.scheduler
  if scheduler:is_inside(self) then error("a task cannot wait for its own end", 2) end
  local waiter = { deadline = scheduler.base.now() + (timeout or math.huge) }
  self.joiners[#self.joiners + 1] = waiter
  local _ <close> = setmetatable({}, { __close = function() leave(self.joiners, waiter) end })
  scheduler:await(waiter)
  return self.finished
end

--- Waits for its end and gives what its body returned, or raises what its body raised. Of a task
--- that was cancelled: nil and what `cancel` was given.
---@return any ...
function Task:result()
  self:wait()
  if not self.ok then error(self.results[1], 0) end
  return table.unpack(self.results, 1, self.results.n)
end

--- Nobody takes its result: what it raises is raised where all tasks are driven, as an interrupt
--- would be.
function Task:detach()
  self.detached = true
end

local function cancelled()
  return errors.new {
    kind = "cancelled", code = "Client.Cancelled", outcome = "unknown",
    message = "the task was cancelled; what it had sent may have been done",
  }
end

--- Ends it where it waits: its to-be-closed variables are closed, so a call in flight is given up.
---@param err? alicloud.Error second result of the task
---@return boolean cancelled false if it had ended before
function Task:cancel(err)
  if self.finished then return false end
  local status = coroutine.status(self.coroutine)
  -- An interrupt was raised between its end and the moment at which that would have been noted.
  if status == "dead" then
    self.scheduler:finish(self, true, nil, err or cancelled())
    return true
  end
  if status ~= "suspended" then error("a running task cannot be cancelled", 2) end
  self.scheduler:forget(self.waiter)
  local ok, failure = coroutine.close(self.coroutine)
  if ok then
    self.scheduler:finish(self, true, nil, err or cancelled())
  else
    self.scheduler:finish(self, false, failure)
  end
  return true
end

local function close(task)
  task:cancel()
end

local metatable = { __name = "alicloud.Task", __index = Task, __close = close }

--- Makes a task that has not begun.
---@param scheduler table see alicloud.loop.scheduler
---@param body function
---@return alicloud.Task
function M.new(scheduler, body)
  return setmetatable({
    scheduler = scheduler, coroutine = coroutine.create(body), finished = false, joiners = {},
  }, metatable)
end

return M
