--- The timeout of a scope: when it is over, the scope is cancelled at the next turn of the loop.

local duration = require "alicloud.base.duration"
local errors = require "alicloud.base.error"

local M = {}

-- Seconds; a smaller delay is common on a busy machine, and nothing is said of it.
local LATE = 1

--- Seconds by which the timeout of a scope is overrun; nil: it is not, or by less than a second.
---@param scope alicloud.Scope
---@return number|nil seconds
function M.late(scope)
  local late = scope.due and scope.scheduler.base.now() - scope.due
  return late and late >= LATE and late or nil
end

-- Called by the timers.
local function expire(timer)
  local scope = timer.scope
  timer.over = true
  if scope.closed or scope.raised ~= nil then return end
  scope.expired = true
  local late = M.late(scope)
  scope:cancel(errors.new { kind = "timeout", code = "Client.ScopeTimeout", outcome = "unknown",
    message = ("not done within %s"):format(duration.limit(scope.seconds))
      .. (late and duration.overrun(late) or ""), late = late })
end

--- Sets the timeout of a scope.
---@param scope alicloud.Scope
---@param seconds number|nil nil: none
function M.set(scope, seconds)
  if not seconds then return end
  local scheduler = scope.scheduler
  scope.seconds, scope.due = seconds, scheduler.base.now() + seconds
  scope.timer = { scope = scope, expire = expire, ready = false, over = false }
  scheduler.timers.add(scope.due, scope.timer)
  if scheduler.hosted then scheduler:alter() end
end

--- Drops the timeout of a scope that has ended.
---@param scope alicloud.Scope
function M.clear(scope)
  local timer, scheduler = scope.timer, scope.scheduler
  if not timer or timer.over then return end
  timer.over = true
  scheduler.timers.retired()
  -- The host may be waiting for this timer alone.
  if scheduler.hosted then scheduler:alter() end
end

return M
