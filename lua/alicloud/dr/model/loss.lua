--- Computes how much data is lost if a group is failed over now. If the beginning of the outage is
--- declared, the loss is counted up to it, since a dead site writes nothing more. Else it is
--- counted up to the look, and grows with every minute.

local core = require "alicloud.core"
local duration = require "alicloud.base.duration"
local snapshots = require "alicloud.dr.model.snapshot"

local M = {}

---@class alicloud.dr.Loss
---@field seconds number from the oldest recovery point to `to`
---@field basis "outage"|"look" what `to` is: the declared outage, or the look itself
---@field to number unix seconds up to which the loss is counted
---@field copied_after number? seconds by which the recovery point is newer than the declared
---outage; nil: it is not newer

-- Seconds by which two clocks may differ.
local CLOCKS_DIFFER = 60

--- The seconds from a recovery point to a moment.
---@param point number|nil unix seconds
---@param moment number|nil unix seconds by the server's clock
---@return number|nil seconds nil: one of both is not known, or the recovery point is the later one
function M.between(point, moment)
  local seconds = point and moment and moment - point
  return seconds and seconds >= -CLOCKS_DIFFER and math.max(0, seconds) or nil
end

--- The loss of a failover, by a snapshot.
---@param snapshot alicloud.dr.Snapshot
---@param outage_at number|nil declared outage, unix seconds by the server's clock
---@return alicloud.dr.Loss|nil nil: there is no recovery point, or the server gave no time
function M.of(snapshot, outage_at)
  local point = snapshot.recover_point
  if not point then return nil end
  if outage_at then
    return { seconds = math.max(0, outage_at - point), basis = "outage", to = outage_at,
      copied_after = point > outage_at and point - outage_at or nil }
  end
  local age = snapshots.recover_point_age(snapshot)
  return age and { seconds = age, basis = "look", to = snapshot.read_at } or nil
end

--- Words to follow a loss that say up to when it is counted; "" if up to the look, which is now.
---@param loss alicloud.dr.Loss
---@return string
function M.counted(loss)
  if loss.basis == "look" then return "" end
  local to = ", counted to the outage at " .. core.iso8601(loss.to)
  if not loss.copied_after then return to end
  return ("%s; copied %s after it was said to begin"):format(to,
    duration.format(loss.copied_after))
end

--- By how much a declared outage lies in the future of the server's clock.
---@param snapshot alicloud.dr.Snapshot
---@param outage_at number|nil unix seconds
---@return number|nil seconds nil: it does not, or it is not known
function M.ahead(snapshot, outage_at)
  local ahead = outage_at and snapshot.read_at and outage_at - snapshot.read_at
  return ahead and ahead > CLOCKS_DIFFER and ahead or nil
end

return M
