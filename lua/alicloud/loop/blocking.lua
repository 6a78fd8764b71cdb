--- The event loop of a program that has none: waiting blocks.
--
-- Any loop offers the same three functions, so that the code above does not know which one it runs
-- in.

require "alicloud.base.lua_version"
local core = require "alicloud.core"
local runtimes = require "alicloud.base.runtime"

local M = {}

-- Longest wait in seconds: a signal that comes just before a system call is seen after it.
local SLICE = 0.2

---@class alicloud.Loop
---@field wait fun(pollable: table, deadline: number, op?: alicloud.loop.Op) returns when the
--- pollable is ready, its timer is due, the deadline (monotonic seconds) has come, or earlier. A
--- loop that has `scope` steps the pollable, too, and may wait until `op` is done
---@field sleep fun(seconds: number)
---@field now fun(): number monotonic seconds
---@field longest? number most seconds that the code that runs tasks sleeps at a time: in between,
--- the stand-alone interpreter can raise Ctrl-C
---@field interrupted? fun(): any the signal that is to end the program; nil or false: none came
---@field spawn? fun(body: function, ...): alicloud.Task only in a loop that runs tasks

--- Makes a loop over a runtime.
---@param runtime alicloud.Runtime
---@return alicloud.Loop
function M.new(runtime)
  local now = runtime.monotonic
  local loop = { sleep = runtime.sleep, now = now, interrupted = runtime.interrupted,
    longest = runtimes.has_real_sleep(runtime) and SLICE or nil }

  function loop.wait(pollable, deadline)
    local seconds = deadline - now()
    if seconds > SLICE then seconds = SLICE end
    local wait = pollable.wait
    if wait then return wait(pollable, seconds > 0 and seconds or 0) end
    local due = pollable:timeout()
    if due and due < seconds then seconds = due end
    core.poll(pollable:pollfd(), pollable:events(), math.max(seconds, 0))
  end

  return loop
end

return M
