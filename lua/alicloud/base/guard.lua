--- Calls functions of other code, such as callbacks.
--
-- A callback or a foreign transport must not be able to break a failover, but a Ctrl-C must: the
-- stand-alone interpreter turns SIGINT into the error "interrupted!", raised wherever Lua code
-- runs. A plain pcall around a callback would lose it, and also the cancellation of the scope in
-- which the callback runs (alicloud.loop.scope).

local M = {}

--- The error of an interrupt, as the stand-alone interpreter raises it.
M.INTERRUPTED = "interrupted!"

local cancellations = setmetatable({}, { __mode = "k" })

--- Marks an error as the one that a cancelled wait raises.
---@generic T: table
---@param err T
---@return T err the same
function M.cancellation(err)
  cancellations[err] = true
  return err
end

--- Whether a raised value is what a cancelled wait raises.
---@param raised any
---@return boolean
function M.is_cancellation(raised)
  return type(raised) == "table" and cancellations[raised] ~= nil
end

--- Whether a raised value is the interpreter's answer to SIGINT.
---@param raised any
---@return boolean
function M.is_interrupt(raised)
  return type(raised) == "string" and raised:find("interrupted!$") ~= nil
end

--- Whether a raised value is an interrupt or a cancellation, after which code is to stop.
---@param raised any
---@return boolean
function M.is_stop(raised)
  return M.is_interrupt(raised) or M.is_cancellation(raised)
end

local function pass(ok, ...)
  if not ok and M.is_stop((...)) then error((...), 0) end
  return ok, ...
end

--- Like pcall, but an interrupt and a cancellation go through.
---@param callee function
---@param ... any arguments of the function
---@return boolean ok
---@return any ... results, or the raised value
function M.call(callee, ...)
  return pass(pcall(callee, ...))
end

return M
