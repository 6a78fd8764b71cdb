--- Calling functions that belong to somebody else.
--
-- A callback or a foreign transport must not be able to break a failover, but a Ctrl-C must: the
-- stand-alone interpreter turns SIGINT into the error "interrupted!" raised wherever Lua happens
-- to be, so a plain pcall around a callback would eat the operator's wish to stop.

local M = {}

--- Whether a raised value is the interpreter's answer to SIGINT.
---@param raised any
---@return boolean
function M.is_interrupt(raised)
  return type(raised) == "string" and raised:find("interrupted!$") ~= nil
end

local function pass(ok, ...)
  if not ok and M.is_interrupt((...)) then error((...), 0) end
  return ok, ...
end

--- Like pcall, but an interrupt goes through.
---@param callee function
---@param ... any arguments of the function
---@return boolean ok
---@return any ... results, or the raised value
function M.call(callee, ...)
  return pass(pcall(callee, ...))
end

return M
