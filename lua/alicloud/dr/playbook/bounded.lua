--- Calls a function of a playbook in a scope of its own, and waits for all tasks that it has
--- started. If it fails or is cancelled, these tasks are cancelled, too.

local errors = require "alicloud.base.error"
local guard = require "alicloud.base.guard"

local M = {}

---@class alicloud.dr.Bounds
---@field timeout? number seconds after which the function is cancelled
---@field watch? fun(scope: alicloud.Scope) runs beside the function, cancels the scope if needed
---@field opened? fun(scope: alicloud.Scope) gets the scope of the function
---@field given_up? fun(err: alicloud.Error): alicloud.Error makes the error of a cancelled
---function; nil: the error of the scope
---@field late? fun(seconds: number) called if the function ended by itself only so long after its
---timeout, since it could not be cancelled

-- Raises an interrupt or a cancellation again. A cancellation counts only if this task is being
-- stopped; one that another task was told, and that was caught, is an ordinary error.
local function pass(loop, ok, ...)
  local raised = ...
  if ok or not guard.is_stop(raised) then return ok, ... end
  if guard.is_cancellation(raised) and loop.stopping() == nil then return ok, ... end
  error(raised, 0)
end

--- Like pcall, but an interrupt, and a cancellation of the calling task, are raised again.
---@param loop alicloud.loop.Loop
---@param callee function
---@param ... any
---@return boolean ok
---@return any ...
function M.guarded(loop, callee, ...)
  return pass(loop, pcall(callee, ...))
end

--- Whether the results of a function of a playbook mean a failure: `nil, err`, `false, err`, or a
--- table with `ok = false`.
---@param result any
---@param err any
---@return boolean
function M.has_failed(result, err)
  if type(result) == "table" then return rawget(result, "ok") == false end
  return (result == nil or result == false) and err ~= nil
end

--- Makes a function of a playbook raise where it returns `nil, err`: whoever calls it learns of the
--- failure in one way.
---@param callee fun(...): any, any
---@return fun(...): any
function M.raising(callee)
  return function(...)
    local result, err = callee(...)
    if not result and err ~= nil then error(err, 0) end
    return result
  end
end

local function left_behind()
  return errors.new { kind = "cancelled", code = "Client.Cancelled",
    message = "what had started it has failed" }
end

-- Calls the body in a scope. After a failure its tasks are cancelled; of two failures the first one
-- counts. It uses few stack frames, since each group of a fleet holds them while it waits.
local function in_scope(loop, opened, body, first, second)
  local results
  local ok, raised = pass(loop, pcall(loop.scope, function(scope)
    if opened then opened(scope) end
    results = table.pack(body(first, second))
    if M.has_failed(results[1], results[2]) then scope:cancel(left_behind()) end
  end))
  if not ok and not (results and M.has_failed(results[1], results[2])) then return false, raised end
  return true, table.unpack(results, 1, results.n)
end

local function raise_or_return(ok, ...)
  if not ok then error(..., 0) end
  return ...
end

local function told(held, bounds, ok, result, err, ...)
  local scope = held.scope
  local late = bounds.late and scope and not scope.cancelled and scope:late()
  if late then bounds.late(late) end
  if not ok or result ~= nil or err == nil or err ~= held.scope.cancelled then
    return ok, result, err, ...
  end
  return false, bounds.given_up and bounds.given_up(err) or err
end

--- Calls a function, and waits for the end of all tasks that it starts. Then a cancellation from
--- outside, or an interrupt, is raised again.
---@param loop alicloud.loop.Loop
---@param bounds alicloud.dr.Bounds
---@param body function
---@param first any first argument of the body
---@param second any
---@return boolean ok false: it raised, or was cancelled
---@return any ... results, or the raised value or error
function M.call(loop, bounds, body, first, second)
  if not (bounds.timeout or bounds.watch) then
    return in_scope(loop, bounds.opened, body, first, second)
  end
  local held = {}
  local function within(scope)
    held.scope = scope
    local _ <close> = bounds.watch and scope:spawn(bounds.watch, scope) or nil
    -- In a task, which is closed by force if it ignores its cancellation.
    return scope:spawn(function()
      return raise_or_return(in_scope(loop, bounds.opened, body, first, second))
    end):result()
  end
  return told(held, bounds, M.guarded(loop, loop.scope, within, { timeout = bounds.timeout }))
end

return M
