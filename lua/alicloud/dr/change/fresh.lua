--- Lets the call of a change leave only while the look that it was decided by is fresh. A call that
--- waits too long for the quota does not leave; the group is looked at again and decided anew.

local errors = require "alicloud.base.error"
local failures = require "alicloud.dr.change.failures"

local M = {}

-- Seconds after a look within which the call has to leave.
local FRESH = 5
-- If looking, or writing the intent, always takes longer than FRESH, the call would never leave. So
-- the time doubles each time, up to this many seconds.
local LONGEST = 30
-- Look again so many seconds before the call's turn in the quota.
local AHEAD = 2
-- A call needs at least so many seconds to leave.
local SHORTEST = 0.001

--- Notes the time of the look that the change is decided by.
---@param change alicloud.dr.Change
---@param monotonic? number seconds (now)
---@param wall? number unix seconds
function M.note(change, monotonic, wall)
  change.looked = { monotonic = monotonic or change:now(), wall = wall or change.runtime.time() }
end

--- Seconds for which the call may still leave. Time in which the machine sleeps counts, too.
---@param change alicloud.dr.Change
---@return number|nil seconds nil: no limit
function M.left(change)
  local looked = change.looked
  if not looked then return nil end
  local age = math.max(change:now() - looked.monotonic, change.runtime.time() - looked.wall)
  return (change.fresh_for or FRESH) - age
end

--- Why the call may not even wait for the quota: its look is too old.
---@param change alicloud.dr.Change
---@return alicloud.Error|nil
function M.refusal(change)
  local left = M.left(change)
  if not left or left > SHORTEST then return nil end
  return errors.new { kind = "timeout", code = "Client.TooLate", outcome = "not_sent",
    message = ("what it was decided by is %.1f s too old"):format(SHORTEST - left),
    retryable = true, attempts = 0 }
end

--- Whether the call has not left because the look that it was decided by is too old.
---@param change alicloud.dr.Change
---@param err alicloud.Error of the call
---@return boolean
function M.is_too_late(change, err)
  return change.target.look_again ~= nil and not change.doubtful and err.code == "Client.TooLate"
    and err.outcome == "not_sent"
end

--- Whether a throttled call is to be decided anew, instead of only looked for.
---@param change alicloud.dr.Change
---@param err alicloud.Error of the call
---@return boolean
function M.is_wanted(change, err)
  return change.target.batched ~= nil and not change.doubtful and err.kind == "throttled"
end

--- Waits until it is almost the call's turn in the quota, and decides anew. Adds the wait to the
--- deadline of the change; all such waits together last no longer than its timeout.
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
  if err.retry_after then
    change.loop.sleep(math.max(0, err.retry_after - AHEAD))
  else
    change.fresh_for = math.min(LONGEST, 2 * (change.fresh_for or FRESH))
  end
  local step, failure = change.target.look_again()
  change.deadline = change.deadline + change:now() - since
  return step, failure
end

return M
