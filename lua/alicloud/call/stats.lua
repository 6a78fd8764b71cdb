--- Counters of what a client has done, with all clients that share its retry budget.

local M = {}

---@class alicloud.Stats
---@field requests integer calls, with those that a diagnosis or an outage retry makes
---@field attempts integer requests that were handed to the transport
---@field successes integer calls that ended well
---@field retries integer attempts after the first of their call
---@field throttles integer answers that said "too often"
---@field waited number seconds of waits before retries and for the rate limit
---@field waited_for_cloud number seconds, see alicloud.call.outage_retry; what several tasks wait
---together counts once
---@field connections? integer connections made by this client's transport
---@field reused? integer requests over a connection that was there already
---@field bytes_sent? integer
---@field bytes_received? integer

--- Counters at zero.
---@return alicloud.Stats
function M.new()
  return {
    requests = 0, attempts = 0, successes = 0, retries = 0, throttles = 0, waited = 0,
    waited_for_cloud = 0,
  }
end

-- Counters that the transport keeps.
local TRANSPORTED = { "connections", "reused", "bytes_sent", "bytes_received" }

--- The counters as they are now.
---@param context alicloud.call.Context
---@return alicloud.Stats
function M.report(context)
  local report, transported = {}, context.adapter.stats()
  for name, value in pairs(context.shared.tally) do report[name] = value end
  for _, name in ipairs(TRANSPORTED) do report[name] = transported[name] end
  return report
end

return M
