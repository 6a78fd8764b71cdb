--- A call that goes on while the program does something else.

local calls = require "alicloud.call"
local outage_retry = require "alicloud.call.outage_retry"
local outcomes = require "alicloud.call.outcome"

local M = {}

---@class alicloud.Future
local Future = {}

-- Plan and client of a call are the program's own.
local states = setmetatable({}, { __mode = "k" })

local function own(future)
  local state = states[future]
  if not state then error("not a future; call its methods with a colon", 3) end
  return state
end

--- Whether the call has ended. Calls go on before the answer is given; nothing is waited for.
---@return boolean
function Future:done()
  return own(self).task:done()
end

--- Waits for the end of the call.
---@param timeout? number seconds (the call's own deadline bounds it)
---@return boolean done
function Future:wait(timeout)
  return own(self).task:wait(timeout)
end

--- Waits for the end of the call and gives what `client:call` would have returned.
---@return table|nil result
---@return alicloud.Error? err kind "cancelled" if it was given up
function Future:result()
  return own(self).task:result()
end

--- Gives the call up. Of a change that may have left already, the outcome is unknown.
---@return boolean cancelled false if it had ended before
function Future:cancel()
  local state = own(self)
  return state.task:cancel(outcomes.cancelled(state.context, state.plan, state.progress))
end

local function close(future)
  future:cancel()
end

local function describe(future)
  local state = own(future)
  return ("alicloud.Future(%s, %s)"):format(state.plan.action,
    state.task.finished and "done" or "under way")
end

local metatable = {
  __name = "alicloud.Future",
  __index = Future,
  __newindex = function() error("a future is read-only", 2) end,
  __close = close,
  __tostring = describe,
  __metatable = "alicloud.Future",
}

--- Starts what was planned.
---@param context alicloud.call.Context
---@param plan alicloud.plan
---@return alicloud.Future
function M.start(context, plan)
  local progress = calls.begin(context, plan)
  local future = setmetatable({}, metatable)
  states[future] = {
    context = context, plan = plan, progress = progress,
    task = context.loop.spawn(outage_retry.run, context, plan, progress),
  }
  return future
end

return M
