--- Guards a loop in a forked child process. Tasks are the parent's: a child carries none of them
--- on, since their effects would happen twice. The child can go on with the loop itself, unless it
--- was forked in a task.

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

--- Raises in a child process whose event loop its parent has made: both share what the loop
--- watches, so that a change by one of them also changes it for the other.
---@param pid integer of the process that has made the event loop
function M.refuse_host(pid)
  if core.pid() == pid then return end
  error(of_parent "this is a child process, and the event loop is that of its parent", 0)
end

-- Drops the waits, which are the parent's.
local function forget_waits(scheduler)
  for _, pollable in ipairs(scheduler.poll_set:pollables()) do
    local list = scheduler.poll_set:of(pollable)
    for i = list and #list or 0, 1, -1 do scheduler:forget(list[i]) end
  end
end

--- Whether a task belongs to the parent of this process.
---@param task alicloud.Task
---@return boolean
function M.is_parents(task)
  return core.pid() ~= task.pid
end

--- Makes the loop a child's if this process was forked. Raises if it was forked in a task.
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

--- Raises in a child that leaves the task in which it was forked: the code behind the task runs the
--- tasks of the parent.
---@param scheduler alicloud.loop.Scheduler
function M.stop_child(scheduler)
  if core.pid() ~= scheduler.pid then error(of_parent(), 0) end
end

return M
