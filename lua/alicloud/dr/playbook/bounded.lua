--- Carries out a function of a playbook in a scope of its own: it has ended when all has ended that
--- it has started. What fails, or is given up, takes with it what it has started.

local errors = require "alicloud.base.error"
local guard = require "alicloud.base.guard"

local M = {}

---@class alicloud.dr.Bounds
---@field timeout? number seconds, after which the function is given up
---@field watch? fun(scope: alicloud.Scope) looks, beside the function, whether that is to be
---given up
---@field opened? fun(scope: alicloud.Scope) is told in which scope the function is
---@field given_up? fun(err: alicloud.Error): alicloud.Error what is told of that; else the error
---of the scope
---@field late? fun(seconds: number) is told that it has ended by itself so long after its timeout:
---nothing could give it up

-- What somebody else was told to stop with, and was caught, stops nobody here.
local function pass(loop, ok, ...)
  local raised = ...
  if ok or not guard.is_stop(raised) then return ok, ... end
  if guard.is_cancellation(raised) and loop.stopping() == nil then return ok, ... end
  error(raised, 0)
end

--- Like pcall, but what tells the caller to stop goes through: an interrupt, or that what he
--- belongs to is cancelled.
---@param loop alicloud.loop.Loop
---@param callee function
---@param ... any
---@return boolean ok
---@return any ...
function M.guarded(loop, callee, ...)
  return pass(loop, pcall(callee, ...))
end

--- Whether what a function of a playbook has returned says that it failed.
---@param result any
---@param err any
---@return boolean
function M.has_failed(result, err)
  if type(result) == "table" then return rawget(result, "ok") == false end
  return (result == nil or result == false) and err ~= nil
end

local function left_behind()
  return errors.new { kind = "cancelled", code = "Client.Cancelled",
    message = "what had started it has failed" }
end

-- What a failure has left going on is given up; of two failures the first one is told. As few
-- frames as it can be: the stack of each group of a fleet holds them for as long as it waits.
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

--- Calls a function, and waits for the end of all that it starts. A cancellation from outside and
--- an interrupt go through, when that has ended.
---@param loop alicloud.loop.Loop
---@param bounds alicloud.dr.Bounds
---@param body function
---@param first any its arguments
---@param second any
---@return boolean ok false: it raised, or was given up
---@return any ... results, or the raised value
function M.call(loop, bounds, body, first, second)
  if not (bounds.timeout or bounds.watch) then
    return in_scope(loop, bounds.opened, body, first, second)
  end
  local held = {}
  local function within(scope)
    held.scope = scope
    local _ <close> = bounds.watch and scope:spawn(bounds.watch, scope) or nil
    -- A task is closed by force if it does not heed that it is given up.
    return scope:spawn(function()
      return raise_or_return(in_scope(loop, bounds.opened, body, first, second))
    end):result()
  end
  return told(held, bounds, M.guarded(loop, loop.scope, within, { timeout = bounds.timeout }))
end

return M
