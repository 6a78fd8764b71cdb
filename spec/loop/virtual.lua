--- A loop with tasks on a clock that moves when it is waited for.

local blocking = require "alicloud.loop.blocking"
local helper = require "spec.helper"
local schedulers = require "alicloud.loop.scheduler"

local M = {}

--- Such a loop, and what controls its clock.
---@param overrides? table of its runtime
---@return alicloud.loop.Loop
---@return table control
function M.new(overrides)
  local runtime, control = helper.runtime()
  for name, value in pairs(overrides or {}) do runtime[name] = value end
  return schedulers.new(blocking.new(runtime)), control
end

--- A value to be closed.
---@param fn function what closing it does
function M.closing(fn)
  return setmetatable({}, { __close = fn })
end

--- Makes a function that declares a spec twice: its body outside of tasks, and in one.
---@param it function
---@param loop_of fun(): alicloud.loop.Loop
---@return fun(name: string, body: function)
function M.everywhere(it, loop_of)
  return function(name, body)
    it(name .. ", outside of tasks", function() body() end)
    it(name .. ", in a task", function() loop_of().spawn(body):result() end)
  end
end

return M
