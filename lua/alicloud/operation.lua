--- A call that goes on while the program does something else.

local calls = require "alicloud.call"
local patience = require "alicloud.patience"

local M = {}

---@class alicloud.Operation
local Operation = {}

--- Whether the call has ended. Calls go on before the answer is given; nothing is waited for.
---@return boolean
function Operation:done()
  return self.task:done()
end

--- Waits for the end of the call.
---@param timeout? number seconds (the call's own deadline bounds it)
---@return boolean done
function Operation:wait(timeout)
  return self.task:wait(timeout)
end

--- Waits for the end of the call and gives what `client:call` would have returned.
---@return table|nil result
---@return alicloud.Error? err kind "cancelled" if it was given up
function Operation:result()
  return self.task:result()
end

--- Gives the call up. Of a change that may have left already, the outcome is unknown.
---@return boolean cancelled false if it had ended before
function Operation:cancel()
  return self.task:cancel(calls.cancelled(self.context, self.plan, self.progress))
end

local function close(operation)
  operation:cancel()
end

local function describe(operation)
  local state = operation.task.finished and "done" or "under way"
  return ("alicloud.Operation(%s, %s)"):format(operation.plan.action, state)
end

local metatable = {
  __name = "alicloud.Operation",
  __index = Operation,
  __close = close,
  __tostring = describe,
}

--- Starts what was planned.
---@param context table the client's state
---@param plan table see alicloud.plan
---@return alicloud.Operation
function M.start(context, plan)
  local progress = calls.begin(context, plan)
  return setmetatable({
    context = context, plan = plan, progress = progress,
    task = context.loop.spawn(patience.run, context, plan, progress),
  }, metatable)
end

return M
