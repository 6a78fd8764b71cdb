--- Calls that outlast an outage: what only reads is asked again, slowly, until the cloud is back.
--
-- A call that changes something is never sent again from here, whatever became of it. A look costs
-- one attempt and none of the retry budget, and many tasks that wait for one host look as seldom as
-- one would. Waiting goes through the loop, so that Ctrl-C is seen and other tasks go on.

local calls = require "alicloud.call"
local guard = require "alicloud.base.guard"
local lazy = require "alicloud.base.lazy"
local outcomes = require "alicloud.call.outcome"
local schema = require "alicloud.base.schema"

---@module "alicloud.call.diagnose"
local diagnose = lazy.module "alicloud.call.diagnose"

local M = {}

---@class alicloud.OutageRetry
---@field seconds number in all, over the whole life of the client
---@field pause? number seconds between two looks, instead of what the cause suggests
---@field progress? fun(event: alicloud.outage_retry.Event) cannot break the wait

---@class alicloud.outage_retry.Event
---@field event "waiting"|"back"|"given_up"
---@field cause alicloud.DiagnosisCause
---@field sentence string
---@field pause number seconds until the next look, 0 at the end
---@field waited number seconds, of this outage
---@field left number seconds of all that it may wait
---@field looks integer so far
---@field error alicloud.Error of the last look

local GROWTH = 1.5
-- Other people's trouble changes too: a diagnosis is made anew when the error is another one, or
-- after so many seconds.
local STALE = 300
-- A question to a second region that takes longer has died with its task.
local LONGEST_QUESTION = 15

local SCHEMA = {
  seconds = schema.seconds(1, 30 * 86400),
  pause = schema.seconds(0.05, 3600),
  progress = schema.callable,
}

--- Reads the option `wait_for_cloud`.
---@param given number|alicloud.OutageRetry|nil
---@return alicloud.OutageRetry|false|nil false: none
---@return string? message
function M.read(given)
  if given == nil then return false end
  if type(given) == "number" then given = { seconds = given } end
  local settings, message = schema.examine("wait_for_cloud", given, SCHEMA)
  if settings and not settings.seconds then
    return nil, "wait_for_cloud: option seconds: got nothing; allowed: " .. SCHEMA.seconds.allowed
  end
  return settings, message
end

-- What all who wait for one host know together.
---@class alicloud.outage_retry.Outage
---@field diagnosis alicloud.Diagnosis?
---@field code string? of the error that was diagnosed
---@field diagnosed number? monotonic seconds at which its diagnosis began
---@field looked number monotonic seconds of the newest look
---@field over boolean?

local function outage_of(context, plan)
  local outages, host = context.shared.outages, plan.target.host
  if not outages[host] then outages[host] = { looked = -math.huge } end
  return outages[host]
end

local function tell(context, wait, event, pause)
  local progress = context.outage_retry.progress
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

-- Somebody else's question is under way; his answer will do, if he lives to give it.
local function await_diagnosis(context, outage)
  local loop = context.loop
  while outage.diagnosing and loop.now() - outage.diagnosing < LONGEST_QUESTION do
    loop.sleep(0.5)
  end
end

local function renew_diagnosis(context, outage, err)
  local now = context.loop.now()
  local fresh = outage.code == err.code and now - outage.diagnosed < STALE
  if fresh then return end
  outage.diagnosing = now
  outage.diagnosis = diagnose.run(context, err)
  outage.code, outage.diagnosed, outage.diagnosing = err.code, now, nil
end

local function consider(context, wait, outage, err)
  await_diagnosis(context, outage)
  renew_diagnosis(context, outage, err)
  local before, found = wait.diagnosis, outage.diagnosis
  if found.cause ~= "answer" then err.hint = found.sentence end
  if not (before and before.cause == found.cause) then
    wait.pause = context.outage_retry.pause or found.pause
  end
  wait.diagnosis, wait.err = found, err
end

-- Time that several tasks wait together counts once.
local function count(context, from, to)
  local tally, shared = context.shared.tally, context.shared
  from = math.max(from, shared.waited_until or from)
  tally.waited_for_cloud = tally.waited_for_cloud + math.max(to - from, 0)
  shared.waited_until = math.max(shared.waited_until or to, to)
end

local function sleep(context, wait)
  local longest = context.outage_retry.pause or wait.diagnosis.longest
  local pause = math.max(math.min(wait.pause, math.max(longest, wait.err.retry_after or 0)), 0.05)
  wait.pause = wait.pause * GROWTH
  if pause > wait.left then return nil end
  tell(context, wait, "waiting", pause)
  local before = context.loop.now()
  context.loop.sleep(pause)
  count(context, before, context.loop.now())
  return pause
end

local function look(context, plan, wait, outage)
  outage.looked, wait.looks = context.loop.now(), wait.looks + 1
  local result, err = calls.probe(context, plan)
  if not result then return nil, err end
  outage.over = true
  context.shared.outages[plan.target.host] = nil
  tell(context, wait, "back", 0)
  return result
end

local function outlast(context, plan, err)
  local wait = { started = context.loop.now(), looks = 0 }
  while true do
    local outage = outage_of(context, plan)
    wait.left = context.outage_retry.seconds - context.shared.tally.waited_for_cloud
    consider(context, wait, outage, err)
    if not wait.diagnosis.passes then return nil, err end
    local slept = sleep(context, wait)
    if not slept then
      tell(context, wait, "given_up", 0)
      return outcomes.stopped(err, "patience")
    end
    if outage.over or context.loop.now() - outage.looked >= slept / 2 then
      local result
      result, err = look(context, plan, wait, outage)
      if result then return result end
    end
  end
end

--- Carries a plan out, for as long as the client waits for the cloud.
---@param context alicloud.call.Context
---@param plan alicloud.plan
---@param progress table as `alicloud.call.begin` made it
---@return table|nil result
---@return alicloud.Error? err its hint tells why no answer came, `stopped` is "patience" when the
---outage has lasted longer than that
function M.run(context, plan, progress)
  local result, err = calls.run(context, plan, progress)
  if result or plan.mutating or not context.outage_retry then return result, err end
  return outlast(context, plan, err)
end

return M
