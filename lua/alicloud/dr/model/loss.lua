--- How much is lost if a group is opened now. Nothing is written on a dead site, so where somebody
--- says when the outage began, the loss ends there, however late it is decided; else it grows with
--- every minute.

local core = require "alicloud.core"
local duration = require "alicloud.base.duration"
local snapshots = require "alicloud.dr.model.snapshot"

local M = {}

---@class alicloud.dr.Loss
---@field seconds number from the oldest recovery point to the end of writing
---@field basis "outage"|"look" what that end is: the declared outage, or the look itself
---@field to number unix seconds, that end
---@field copied_after number? seconds by which the recovery point is newer than the outage: what
---was written before it has been copied

-- Clocks of machines that keep time differ by less.
local CLOCKS_DIFFER = 60

--- What was lost at a moment; nil of a recovery point that cannot have been by then.
---@param point number|nil unix seconds
---@param moment number|nil unix seconds by the server's clock
---@return number|nil seconds
function M.between(point, moment)
  local seconds = point and moment and moment - point
  return seconds and seconds >= -CLOCKS_DIFFER and math.max(0, seconds) or nil
end

--- What a snapshot lets one say of the loss.
---@param snapshot alicloud.dr.Snapshot
---@param outage_at number|nil unix seconds by the server's clock
---@return alicloud.dr.Loss|nil nil: there is no recovery point, or no clock to tell its age by
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

--- To what a loss is counted, in words that follow it: "" of a look, which is of now.
---@param loss alicloud.dr.Loss
---@return string
function M.counted(loss)
  if loss.basis == "look" then return "" end
  local to = ", counted to the outage at " .. core.iso8601(loss.to)
  if not loss.copied_after then return to end
  return ("%s; copied %s after it was said to begin"):format(to,
    duration.format(loss.copied_after))
end

--- Seconds by which an outage is said to begin later than now, or nil.
---@param snapshot alicloud.dr.Snapshot
---@param outage_at number|nil
---@return number|nil
function M.ahead(snapshot, outage_at)
  local ahead = outage_at and snapshot.read_at and outage_at - snapshot.read_at
  return ahead and ahead > CLOCKS_DIFFER and ahead or nil
end

return M
