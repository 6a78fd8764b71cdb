--- Keeps the difference to the server's clock, so that requests are signed with the server's time.

local core = require "alicloud.core"

local M = {}

-- Seconds; a larger difference is not corrected by a header.
local MAX_SKEW = 24 * 3600
-- Seconds; dates have whole seconds, so a smaller difference means nothing.
local NOTICEABLE = 2

local function span(seconds)
  local whole = math.floor(seconds + 0.5)
  if whole < 60 then return ("%d s"):format(whole) end
  if whole < 3600 then return ("%d min %d s"):format(whole // 60, whole % 60) end
  return ("%d h %d min"):format(whole // 3600, whole % 3600 // 60)
end

local function warn(context, plan, offset)
  context.runtime.warn(("the clock of this machine is %s %s (by %s); requests are signed with the "
    .. "server's time, but set the clock: chronyc tracking, timedatectl"):format(
    span(math.abs(offset)), offset > 0 and "behind" or "ahead", plan.target.host))
end

--- The server's time as far as it is known, else that of this machine.
---@param context alicloud.call.Context
---@return number unix seconds
function M.server_time(context)
  return context.runtime.time() + context.shared.clock_offset
end

--- Learns the server's time from an answer that refused ours. It is believed only from an endpoint
--- over https or on this machine, where nobody else can answer.
---@param context alicloud.call.Context
---@param plan alicloud.plan
---@param failure table as core.read gives it
---@return boolean learnt
function M.learn(context, plan, failure)
  if not plan.target.secure or not failure.date then return false end
  local offset = failure.date - context.runtime.time()
  if math.abs(offset) > MAX_SKEW then return false end
  local shared = context.shared
  if math.abs(offset - shared.clock_offset) >= NOTICEABLE then warn(context, plan, offset) end
  shared.clock_offset = offset
  return true
end

--- The hint for a refused date, if the answer has the server's time. Which of the two clocks is
--- wrong is not known.
---@param context alicloud.call.Context
---@param failure table as core.read gives it
---@return string|nil hint
function M.hint(context, failure)
  if failure.retry_class ~= "clock" or not failure.date then return nil end
  local here = math.floor(context.runtime.time())
  if math.abs(failure.date - here) < NOTICEABLE then return nil end
  return ("it is %s here and %s at the server: set the clock that is wrong (chronyc tracking, "
    .. "timedatectl) and repeat"):format(core.iso8601(here), core.iso8601(failure.date))
end

return M
