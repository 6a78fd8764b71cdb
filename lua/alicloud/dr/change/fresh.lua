--- A change that may leave only while the look that it was decided by is fresh. Where calls stand
--- in line for the quota it may be too late for that: then nothing was done, and one looks again.

local errors = require "alicloud.base.error"
local failures = require "alicloud.dr.change.failures"

local M = {}

-- Seconds before its turn at which one looks again.
local AHEAD = 2
-- Seconds in which a call can leave.
local SHORTEST = 0.001

-- What is in doubt is sent again by other looks.
local function seconds_left(change)
  if not change.leave_by or change.doubtful then return nil end
  return change.leave_by - change:now()
end

--- How long a call may wait for its turn.
---@param change alicloud.dr.Change
---@return number|nil seconds nil: for as long as the call may take
M.left = seconds_left

--- Why a call may not even stand in line.
---@param change alicloud.dr.Change
---@return alicloud.Error|nil
function M.refusal(change)
  local left = seconds_left(change)
  if not left or left > SHORTEST then return nil end
  return errors.new { kind = "timeout", code = "Client.TooLate", outcome = "not_sent",
    message = ("what it was decided by is %.1f s too old"):format(SHORTEST - left),
    retryable = true, attempts = 0 }
end

--- Whether a call has not left because what it was decided by has become too old.
---@param change alicloud.dr.Change
---@param err alicloud.Error of the call
---@return boolean
function M.is_too_late(change, err)
  return change.target.look_again ~= nil and not change.doubtful and err.code == "Client.TooLate"
    and err.outcome == "not_sent"
end

--- Whether what was refused, as too much at a time, is to be decided anew and not only looked at.
---@param change alicloud.dr.Change
---@param err alicloud.Error of the call
---@return boolean
function M.is_wanted(change, err)
  return change.target.look_again ~= nil and not change.doubtful and err.kind == "throttled"
end

--- Waits until it is almost its turn, and decides anew. What it waits is no time of the change, but
--- it does not wait for longer than the change may take.
---@param change alicloud.dr.Change
---@param err alicloud.Error of the call
---@return "send"|"wait"|nil step
---@return alicloud.Error? failure
function M.wait_and_look(change, err)
  local since = change:now()
  change.late_since, change.first_send = change.late_since or since, nil
  change.attempts = change.attempts - (err.attempts or 0)
  if since - change.late_since >= change.options.timeout then
    return failures.rejected(change, err)
  end
  change.loop.sleep(math.max(0, (err.retry_after or 0) - AHEAD))
  local step, failure = change.target.look_again()
  change.deadline = change.deadline + change:now() - since
  return step, failure
end

return M
