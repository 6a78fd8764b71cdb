--- The loop in a child that its process has forked. Tasks are the parent's: a child carries none of
--- them on, or what they do would be done twice. It can go on with the loop itself, unless it was
--- forked in a task, which is the parent's as well.

local core = require "alicloud.core"
local errors = require "alicloud.base.error"

local M = {}

local function of_parent(message)
  return errors.new { kind = "state", code = "Client.CannotWait", outcome = "not_sent",
    message = message or "this is a child process that was forked in a task, and the task is the "
      .. "parent's",
    hint = "end the child where it has done its work, with an exit that runs nothing else; fork "
      .. "outside of tasks to go on with the loop" }
end

--- Raises in a child whose event loop its process has made: what that watches is the parent's, too,
--- and whatever one of them changes there is changed for the other one.
---@param pid integer of the process that has made the event loop
function M.refuse_host(pid)
  if core.pid() == pid then return end
  error(of_parent "this is a child process, and the event loop is that of its parent", 0)
end

-- Whoever waits there is in the parent.
local function forget_waits(scheduler)
  for _, pollable in ipairs(scheduler.poll_set:pollables()) do
    local list = scheduler.poll_set:of(pollable)
    for i = list and #list or 0, 1, -1 do scheduler:forget(list[i]) end
  end
end

--- Whether a task is not this process's, but its parent's.
---@param task alicloud.Task
---@return boolean
function M.is_parents(task)
  return core.pid() ~= task.pid
end

--- Takes note that this process may be another one by now. Raises if it is one that cannot go on.
---@param scheduler alicloud.loop.Scheduler
function M.look(scheduler)
  local pid = core.pid()
  if pid == scheduler.pid then return end
  if scheduler.current then error(of_parent(), 0) end
  scheduler.pid = pid
  forget_waits(scheduler)
  scheduler.drivers, scheduler.stepping = {}, false
  for _, scope in ipairs(scheduler.open) do scope.live = 0 end
end

--- Raises in a child that comes out of the task in which it was forked: what is behind that task
--- drives those of the parent.
---@param scheduler alicloud.loop.Scheduler
function M.stop_child(scheduler)
  if core.pid() ~= scheduler.pid then error(of_parent(), 0) end
end

return M
