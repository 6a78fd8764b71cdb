--- A call that goes on while the program does something else.

local calls = require "alicloud.call"
local outage_retry = require "alicloud.call.outage_retry"
local outcomes = require "alicloud.call.outcome"

local M = {}

---@class alicloud.Future
---@field task alicloud.Task the task that makes the call
local Future = {}

-- Context, plan and progress of a call are kept here, where the program cannot change them.
local states = setmetatable({}, { __mode = "k" })

local function own(future)
  local state = states[future]
  if not state then error("not a future; call its methods with a colon", 3) end
  return state
end

--- Whether the call has ended. Calls that are ready go on first; nothing is waited for.
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

--- Cancels the call; `result` then says what is known of it: not_sent while it waits for its turn,
--- for keys or a connection, rejected after a refusal, unknown once it may have been sent.
---@return boolean cancelled false if it had ended, or been given up, before
function Future:cancel()
  local state = own(self)
  local task = state.task
  -- A call that has begun makes its own error, which says what it had sent.
  return task:cancel(not task.begun
    and outcomes.cancelled(state.context, state.plan, state.progress) or nil)
end

local function close(future)
  own(future).task:close()
end

local function describe(future)
  local state = own(future)
  return ("alicloud.Future(%s, %s)"):format(state.plan.action,
    state.task.finished and "done" or "under way")
end

local function field(future, name)
  if name == "task" then return own(future).task end
  return Future[name]
end

--- What a future has, by name.
M.METHODS, M.FIELDS = Future, { task = true }

local metatable = {
  __name = "alicloud.Future",
  __index = field,
  __newindex = function() error("a future is read-only", 2) end,
  __close = close,
  __tostring = describe,
  __metatable = "alicloud.Future",
}

--- Starts a call that was planned.
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

--- A future of a call that has its answer already, from somewhere else than the service.
---@param loop alicloud.Loop
---@param action string
---@param result table|nil
---@param err alicloud.Error?
---@return alicloud.Future
function M.answered(loop, action, result, err)
  local task = loop.spawn(function() return result, err end)
  task:wait()
  local future = setmetatable({}, metatable)
  states[future] = { plan = { action = action }, task = task }
  return future
end

return M
