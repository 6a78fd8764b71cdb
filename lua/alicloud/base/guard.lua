--- Calling functions that belong to somebody else.
--
-- A callback or a foreign transport must not be able to break a failover, but a Ctrl-C must: the
-- stand-alone interpreter turns SIGINT into the error "interrupted!" raised wherever Lua happens
-- to be, so a plain pcall around a callback would eat the operator's wish to stop. So it would that
-- of whoever cancels what the callback is part of (alicloud.loop.scope).

local M = {}

--- What an interrupt raises, as the stand-alone interpreter does.
M.INTERRUPTED = "interrupted!"

local cancellations = setmetatable({}, { __mode = "k" })

--- Marks an error as what a cancelled wait raises.
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

--- Whether a raised value says that what it goes through is to stop.
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
