--- The time of a scope: it is cancelled when that is over, as soon as the loop has its turn.

local duration = require "alicloud.base.duration"
local errors = require "alicloud.base.error"

local M = {}

-- Seconds by which a busy machine is late, too.
local LATE = 1

--- How long nothing could end a scope after its time was over, or nil: that was told in time.
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

--- Gives a scope its time.
---@param scope alicloud.Scope
---@param seconds number|nil none
function M.set(scope, seconds)
  if not seconds then return end
  local scheduler = scope.scheduler
  scope.seconds, scope.due = seconds, scheduler.base.now() + seconds
  scope.timer = { scope = scope, expire = expire, ready = false, over = false }
  scheduler.timers.add(scope.due, scope.timer)
  if scheduler.hosted then scheduler:alter() end
end

--- It has ended, and needs no time.
---@param scope alicloud.Scope
function M.clear(scope)
  local timer, scheduler = scope.timer, scope.scheduler
  if not timer or timer.over then return end
  timer.over = true
  scheduler.timers.retired()
  -- A host may be waiting for it, with nothing else to do.
  if scheduler.hosted then scheduler:alter() end
end

return M
