--- A change that may leave only while the look that it was decided by is fresh. Where calls stand
--- in line for the quota it may be too late for that: then nothing was done, and one looks again.

local errors = require "alicloud.base.error"
local failures = require "alicloud.dr.change.failures"

local M = {}

-- Seconds after a look within which the call has to leave.
local FRESH = 5
-- Where to write down that it leaves takes longer than that, each time, it would never leave: then
-- it has twice as long as before, up to this.
local LONGEST = 30
-- Seconds before its turn at which one looks again.
local AHEAD = 2
-- Seconds in which a call can leave.
local SHORTEST = 0.001

--- Notes when that was seen which is decided by.
---@param change alicloud.dr.Change
---@param monotonic? number seconds (now)
---@param wall? number unix seconds
function M.note(change, monotonic, wall)
  change.looked = { monotonic = monotonic or change:now(), wall = wall or change.runtime.time() }
end

--- Seconds for which a call may still leave. A look becomes older while the machine sleeps.
---@param change alicloud.dr.Change
---@return number|nil seconds nil: for as long as the call may take
function M.left(change)
  local looked = change.looked
  if not looked then return nil end
  local age = math.max(change:now() - looked.monotonic, change.runtime.time() - looked.wall)
  return (change.fresh_for or FRESH) - age
end

--- Why a call may not even stand in line.
---@param change alicloud.dr.Change
---@return alicloud.Error|nil
function M.refusal(change)
  local left = M.left(change)
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
  return change.target.batched ~= nil and not change.doubtful and err.kind == "throttled"
end

local function has_company(change)
  local shared = change.target.batched
  return shared ~= nil and shared:has_company()
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
  if err.retry_after then
    change.loop.sleep(math.max(0, err.retry_after - AHEAD))
  elseif not has_company(change) then
    change.fresh_for = math.min(LONGEST, 2 * (change.fresh_for or FRESH))
  end
  local step, failure = change.target.look_again()
  change.deadline = change.deadline + change:now() - since
  return step, failure
end

return M
