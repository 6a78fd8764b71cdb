--- What a call that was not accepted is worth: another one after looks, another one once something
--- has passed, one in another region, or the end.
---
--- The window for sending again is for answers that were lost. A refusal proves that nothing was
--- done, and so does a request that never left: those are repeated for as long as the client waits
--- for the cloud. A refusal that the service documents to pass is waited for as long as the change
--- has time.

local errors = require "alicloud.base.error"
local pollers = require "alicloud.dr.change.poller"
local refusals = require "alicloud.dr.model.refusals"
local states = require "alicloud.dr.model.states"

local M = {}

-- Seconds between two calls that are refused.
local FIRST_PAUSE = 5
local GROWTH = 1.5
local LONGEST_PAUSE = 20

-- A look that is this fresh is enough where no effect can exist: the service has said so.
local ONE_LOOK = { reads = 1, span = 0 }

-- Refusals that a change under way causes, or that end with one, by product.
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

-- Refusals of a call that another region may serve: which one serves the calls of a group after a
-- reversal is not documented.
local WRONG_REGION = {
  ["NoSuchResource"] = true,
  ["OperationDenied.OperateNotAllowedForPrimary"] = true,
  ["OperationDenied.OperateNotAllowedForStandby"] = true,
}

-- Pairs go through a cycle or a stop one after the other, and the service is not in step with its
-- own lists: that they differ passes within the time for sending again.
local PASSING = { ["OperationDenied.PairGroupStatusConflict"] = true }

--- Whether the token of a call was used before with other parameters, so that this one can never be
--- sent under it.
---@param err alicloud.Error of the call
---@return boolean
function M.is_spent(err)
  return errors.TOKEN_REUSED[err.code] == true
end

-- A refusal because of the state is worth one more call, or several while the state is one that
-- ends by itself.
local function is_worth_another_call(change, err)
  if not WORTH_A_LOOK[change.words.product][err.code] then return false end
  local last = change.poller.last
  local first_time = not change.seen_refusals[err.code]
  change.seen_refusals[err.code] = true
  return first_time or PASSING[err.code]
    or last ~= nil and states.TRANSITIONAL[last.status] == true
end

-- Nothing can have come of the call, nor of one before it.
local function is_settled(change, err)
  return not change.doubtful and err.outcome ~= "unknown"
end

-- Why a refusal passes: the service documents it, or what stands in the way is gone soon.
local function passes(change, err)
  if not is_settled(change, err) then return nil end
  local target = change.target
  return refusals.passes(change.words.product, err.code) or target.passes and target.passes(err)
end

--- Whether a call that was refused is better made later, by whoever makes several: it had no
--- effect, and it stands behind others of them.
---@param change alicloud.dr.Change
---@param err alicloud.Error of the call, or of the change
---@return boolean
function M.is_put_off(change, err)
  local codes = change.target.put_off
  return codes ~= nil and codes[err.code] == true and is_settled(change, err)
end

--- How sure a look must be before the call may be made again.
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

-- What was decided before the machine slept is too old to be sent after it, whatever was refused.
local function has_slept(change)
  local began = change.began
  local asleep = change.runtime.time() - began.wall - (change:now() - began.monotonic)
  return asleep > change.options.resend_window
end

-- The limit of a refusal that is documented to pass is the time of the change.
local function wait_until_passed(change, err, reason)
  local left = change.deadline - change:now()
  if left <= 0 or has_slept(change) then return false end
  change.group.client:wait_out { seconds = next_pause(change, err), reason = reason, error = err,
    left = left }
  change.first_send = nil
  return true
end

-- Time in which nothing could be done is not the change's own. It counts from the first refusal on,
-- with the calls that were refused meanwhile.
local function wait_for_cloud(change, err)
  local client, since = change.group.client, change.refused_at or change:now()
  if client:patience() <= 0 or has_slept(change) then return false end
  client:wait_out { seconds = next_pause(change, err), reason = err.message, error = err,
    since = since }
  change.refused_at, change.first_send = change:now(), nil
  change.deadline = change.deadline + change.refused_at - since
  return true
end

-- Of a client that does not wait for the cloud, and after an answer that was lost.
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

--- Whether the call may be made in another region: it was refused in a way that another one may not
--- refuse, or could not get to this one.
---@param change alicloud.dr.Change
---@param err alicloud.Error of the call
---@return boolean
function M.is_for_other_region(change, err)
  if change.doubtful or not change.target.regions[change.place + 1] then return false end
  return WRONG_REGION[err.code] == true or err.kind == "network" and err.outcome == "not_sent"
end

return M
