--- Decides what follows a call that was not accepted: another call after looks, another one once an
--- obstacle has passed, one in another region, or the end of the change.
---
--- The resend window is for lost answers. A refusal proves that nothing was done, and so does a
--- request that never left: those calls are repeated for as long as the client waits for the cloud.
--- After a refusal that is documented to pass, they are repeated until the deadline of the change.

local errors = require "alicloud.base.error"
local pollers = require "alicloud.dr.change.poller"
local refusals = require "alicloud.dr.model.refusals"
local states = require "alicloud.dr.model.states"

local M = {}

-- Seconds between two refused calls: the first pause, its growth, the longest one.
local FIRST_PAUSE = 5
local GROWTH = 1.5
local LONGEST_PAUSE = 20

-- One look is enough where the answer proves that the call had no effect.
local ONE_LOOK = { reads = 1, span = 0 }

-- Refusals, by product, whose cause may be a change under way, and which end with that change.
local WORTH_A_LOOK = {
  ebs = {
    ["OperationDenied.InvalidStatus"] = true,
    ["OperationDenied.PairGroupStatusConflict"] = true,
  },
  ecs = {
    ["IncorrectDiskStatus"] = true,
    ["IncorrectInstanceStatus"] = true,
    ["InvalidDisk.InUse"] = true,
    ["InvalidDisk.AlreadyDetached"] = true,
  },
}

-- Refusals of a call that the other region may accept. It is not documented which region serves the
-- calls of a group after a reversal.
local WRONG_REGION = {
  ["NoSuchResource"] = true,
  ["OperationDenied.OperateNotAllowedForPrimary"] = true,
  ["OperationDenied.OperateNotAllowedForStandby"] = true,
}

-- Refusals because the pairs differ. Pairs go through a cycle or a stop one after the other, so
-- this passes within the resend window.
local PASSING = { ["OperationDenied.PairGroupStatusConflict"] = true }

--- Whether the token of a call was used before with other parameters, so that this call can never
--- succeed under it.
---@param err alicloud.Error of the call
---@return boolean
function M.is_spent(err)
  return errors.TOKEN_REUSED[err.code] == true
end

-- After a refusal because of the state one more call is worth it; several, while the state ends by
-- itself or the refusal passes.
local function is_worth_another_call(change, err)
  if not WORTH_A_LOOK[change.words.product][err.code] then return false end
  local last = change.poller.last
  local first_time = not change.seen_refusals[err.code]
  change.seen_refusals[err.code] = true
  return first_time or PASSING[err.code]
    or last ~= nil and states.TRANSITIONAL[last.status] == true
end

-- Whether neither this call nor an earlier one can have had an effect.
local function is_settled(change, err)
  return not change.doubtful and err.outcome ~= "unknown"
end

-- Why the obstacle behind a refusal passes, as documented or as the target knows; nil: it does not.
local function passes(change, err)
  if not is_settled(change, err) then return nil end
  local target = change.target
  return refusals.passes(change.words.product, err.code) or target.passes and target.passes(err)
end

--- Whether a refused call of several that are made together is to be made later: it had no effect,
--- and was refused because of others of them.
---@param change alicloud.dr.Change
---@param err alicloud.Error of the call, or of the change
---@return boolean
function M.is_put_off(change, err)
  local codes = change.target.put_off
  return codes ~= nil and codes[err.code] == true and is_settled(change, err)
end

--- How many looks, over how many seconds, must agree before the call may be made again.
---@param change alicloud.dr.Change
---@param err alicloud.Error of the call
---@return { reads: integer, span: number }|nil nil: the error is final
function M.stability(change, err)
  if M.is_put_off(change, err) then return nil end
  local in_doubt = change.doubtful and err.retryable or err.outcome == "unknown"
  if in_doubt or is_worth_another_call(change, err) then return pollers.STABLE end
  return (err.retryable or passes(change, err)) and ONE_LOOK or nil
end

local function next_pause(change, err)
  local pause = change.pause and math.min(change.pause * GROWTH, LONGEST_PAUSE) or FIRST_PAUSE
  change.pause = pause
  return math.max(err.retry_after or 0, pause)
end

-- Whether the machine has slept for longer than the resend window since the first send: then the
-- decision is too old to send again.
local function has_slept(change)
  local began = change.began
  local asleep = change.runtime.time() - began.wall - (change:now() - began.monotonic)
  return asleep > change.options.resend_window
end

-- After a refusal that is documented to pass, calls may be repeated until the change's deadline.
local function wait_until_passed(change, err, reason)
  local left = change.deadline - change:now()
  if left <= 0 or has_slept(change) then return false end
  change.group.client:wait_out { seconds = next_pause(change, err), reason = reason, error = err,
    left = left }
  change.first_send = nil
  return true
end

-- The time that refusals cost is added to the change's deadline: from the first refusal on, with
-- the calls that were refused meanwhile.
local function wait_for_cloud(change, err)
  local client, since = change.group.client, change.refused_at or change:now()
  if client:patience() <= 0 or has_slept(change) then return false end
  client:wait_out { seconds = next_pause(change, err), reason = err.message, error = err,
    since = since }
  change.refused_at, change.first_send = change:now(), nil
  change.deadline = change.deadline + change.refused_at - since
  return true
end

-- For a client that does not wait for the cloud, and after an answer that was lost.
local function wait_in_window(change, err)
  local wish = math.max(err.retry_after or 0, FIRST_PAUSE)
  change.loop.sleep(math.max(0, math.min(wish, change:window_left())))
end

--- Waits before the call may be made again.
---@param change alicloud.dr.Change
---@param err alicloud.Error of the call
---@return boolean false: there is no time to wait any longer
function M.wait(change, err)
  local reason = passes(change, err)
  if reason then return wait_until_passed(change, err, reason) end
  if err.outcome == "unknown" or not err.retryable then return true end
  if is_settled(change, err) then
    if wait_for_cloud(change, err) then return true end
    if change.refused_at then return false end
  end
  wait_in_window(change, err)
  return true
end

--- Whether the call may be made in the target's next region: this one gave a refusal that the other
--- may not give, or could not be reached.
---@param change alicloud.dr.Change
---@param err alicloud.Error of the call
---@return boolean
function M.is_for_other_region(change, err)
  if change.doubtful or not change.target.regions[change.place + 1] then return false end
  return WRONG_REGION[err.code] == true or err.kind == "network" and err.outcome == "not_sent"
end

return M
