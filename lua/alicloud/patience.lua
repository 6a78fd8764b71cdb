--- Calls that outlast an outage: what only reads is asked again, slowly, until the cloud is back.
--
-- A call that changes something is never sent again from here, whatever became of it. A look costs
-- one attempt and none of the retry budget. Waiting goes through the loop, so that Ctrl-C is seen
-- and other tasks go on.

local calls = require "alicloud.call"
local front_door = require "alicloud.front_door"
local guard = require "alicloud.guard"
local options = require "alicloud.options"

local M = {}

---@class alicloud.Patience
---@field seconds number in all, over the whole life of the client
---@field pause? number seconds between two looks, instead of what the cause suggests
---@field progress? fun(event: alicloud.patience.Event) cannot break the wait

---@class alicloud.patience.Event
---@field event "waiting"|"back"|"given_up"
---@field cause alicloud.front_door.Cause
---@field sentence string
---@field pause number seconds until the next look, 0 at the end
---@field waited number seconds, of this outage
---@field left number seconds of patience
---@field looks integer so far
---@field error alicloud.Error of the last look

local GROWTH = 1.5
-- Other people's trouble changes too: a diagnosis is made anew when the error is another one, or
-- after so many seconds.
local STALE = 300

local SCHEMA = {
  seconds = options.seconds(1, 30 * 86400),
  pause = options.seconds(0.05, 3600),
  progress = options.callable,
}

--- Reads the option `wait_for_cloud`.
---@param given number|alicloud.Patience|nil
---@return alicloud.Patience|false|nil false: none
---@return string? message
function M.read(given)
  if given == nil then return false end
  if type(given) == "number" then given = { seconds = given } end
  local patience, message = options.examine("wait_for_cloud", given, SCHEMA)
  if patience and not patience.seconds then
    return nil, "wait_for_cloud: option seconds: got nothing; allowed: " .. SCHEMA.seconds.allowed
  end
  return patience, message
end

local function tell(context, wait, event, pause)
  local progress = context.patience.progress
  if not progress then return end
  guard.call(progress, {
    event = event,
    cause = wait.diagnosis.cause,
    sentence = wait.diagnosis.sentence,
    pause = pause,
    waited = context.loop.now() - wait.started,
    left = wait.left,
    looks = wait.looks,
    error = wait.err,
  })
end

local function is_stale(context, wait, err)
  return not wait.diagnosis or err.code ~= wait.err.code
    or context.loop.now() - wait.diagnosed >= STALE
end

local function consider(context, wait, err)
  if is_stale(context, wait, err) then
    local before = wait.diagnosis
    wait.diagnosis = front_door.diagnose(context, err)
    wait.diagnosed = context.loop.now()
    local same = before and before.cause == wait.diagnosis.cause
    wait.pause = same and wait.pause or context.patience.pause or wait.diagnosis.pause
  elseif wait.diagnosis.cause ~= "answer" then
    err.hint = wait.diagnosis.sentence
  end
  wait.err = err
end

local function sleep(context, wait)
  local longest = context.patience.pause or wait.diagnosis.longest
  local pause = math.max(math.min(wait.pause, math.max(longest, wait.err.retry_after or 0)), 0.05)
  wait.pause = wait.pause * GROWTH
  if pause > wait.left then return false end
  tell(context, wait, "waiting", pause)
  local tally, before = context.shared.tally, context.loop.now()
  context.loop.sleep(pause)
  tally.waited_for_cloud = tally.waited_for_cloud + (context.loop.now() - before)
  return true
end

local function outlast(context, plan, err)
  local tally = context.shared.tally
  local wait = { started = context.loop.now(), looks = 0 }
  while true do
    wait.left = context.patience.seconds - tally.waited_for_cloud
    consider(context, wait, err)
    if not wait.diagnosis.passes then return nil, err end
    if not sleep(context, wait) then
      tell(context, wait, "given_up", 0)
      err.stopped = "patience"
      return nil, err
    end
    wait.looks = wait.looks + 1
    local result
    result, err = calls.probe(context, plan)
    if result then
      tell(context, wait, "back", 0)
      return result
    end
  end
end

--- Carries a plan out, with as much patience as the client has.
---@param context table the client's state
---@param plan alicloud.plan
---@param progress table as `alicloud.call.begin` made it
---@return table|nil result
---@return alicloud.Error? err its hint tells why no answer came, `stopped` is "patience" when that
---has run out
function M.run(context, plan, progress)
  local result, err = calls.run(context, plan, progress)
  if result or plan.mutating or not context.patience then return result, err end
  return outlast(context, plan, err)
end

return M
