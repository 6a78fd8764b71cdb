--- Repeats reading calls in an outage, slowly, until the cloud is back.
--
-- A call that changes something is never sent again from here. A look is one such repetition: it
-- costs one attempt and no retry budget. Tasks that wait for the same host look no more often than
-- one task would. Waiting goes through the loop, so that Ctrl-C is seen and other tasks go on.

local calls = require "alicloud.call"
local duration = require "alicloud.base.duration"
local guard = require "alicloud.base.guard"
local lazy = require "alicloud.base.lazy"
local outcomes = require "alicloud.call.outcome"
local schema = require "alicloud.base.schema"

---@module "alicloud.call.diagnose"
local diagnose = lazy.module "alicloud.call.diagnose"

local M = {}

---@class alicloud.OutageRetry
---@field seconds? number in total, over the whole life of the client; 0: never; nil: single calls
---do not wait, methods of groups and steps of runs wait as `USUAL` says
---@field pause? number seconds between two looks, instead of what suits the cause
---@field progress? fun(event: alicloud.outage_retry.Event) told of waits; its errors are ignored
---@field alone? boolean the diagnosis asks no second region; set where `USUAL` applies

---@class alicloud.outage_retry.Budget how long several calls have waited for the cloud, in total
---@field waited number seconds so far
---@field renewable boolean? each piece of work begins it anew (client:renew_patience)

---@class alicloud.outage_retry.Event
---@field event "waiting"|"back"|"given_up"
---@field cause alicloud.DiagnosisCause|"state" state: a wait of `client:wait_out`, for a state or
---after a refusal that passes by itself
---@field sentence string
---@field pause number seconds until the next look, 0 at the end
---@field waited number seconds, of this outage
---@field left number seconds that may still be waited
---@field reason string the same as `sentence`
---@field looks integer? so far
---@field error alicloud.Error? error of the last look, or the refusal

local GROWTH = 1.5
-- Seconds after which a diagnosis is made anew, since causes change; another error code does the
-- same at once.
local STALE = 300
-- Seconds after which a diagnosis that is under way is taken to have died with its task.
local LONGEST_QUESTION = 15

--- How long a method of a group or a step of a run outlasts an outage if no option says so.
M.USUAL = { seconds = 600, pause = 10 }

local SCHEMA = {
  seconds = schema.seconds(0, 30 * 86400),
  pause = schema.seconds(0.05, 3600),
  progress = schema.callable,
}

--- Reads the option `wait_for_cloud`.
---@param given number|string|false|alicloud.OutageRetry|nil seconds, or a duration
---@return alicloud.OutageRetry|nil
---@return string? message
function M.read(given)
  if given == false then given = 0 end
  if type(given) == "string" then given = duration.parse(given) end
  if type(given) == "number" then given = { seconds = given } end
  return schema.examine("wait_for_cloud", given, SCHEMA)
end

---@param renewable? boolean
---@return alicloud.outage_retry.Budget
function M.budget(renewable)
  return { waited = 0, renewable = renewable }
end

local function both(one, other)
  if not (one and other) then return one or other end
  return function(event)
    guard.call(one, event)
    guard.call(other, event)
  end
end

--- How one piece of work outlasts an outage: by its own settings, the client's, or `USUAL`.
---@param settings alicloud.OutageRetry of the client
---@param given { seconds: number?, progress: function? } of the work; its listener is told in
---addition to the client's
---@return alicloud.OutageRetry
---@return alicloud.outage_retry.Budget|nil budget of its own; nil: the work shares the client's
function M.for_work(settings, given)
  local work = { pause = settings.pause, alone = settings.alone,
    progress = both(settings.progress, given.progress) }
  work.seconds = given.seconds or settings.seconds
  if not work.seconds then
    work.seconds, work.pause = M.USUAL.seconds, settings.pause or M.USUAL.pause
    -- Without an option, no region is asked that the work itself does not use.
    work.alone = true
    return work, M.budget(true)
  end
  return work, given.seconds and M.budget() or nil
end

--- Whether reading calls wait in an outage.
---@param context alicloud.call.Context
---@return boolean
function M.is_patient(context)
  return (context.outage_retry.seconds or 0) > 0
end

--- Seconds that the client may still wait for the cloud.
---@param context alicloud.call.Context
---@return number
function M.left(context)
  return math.max(0, (context.outage_retry.seconds or 0) - context.budget.waited)
end

-- What all tasks that wait for one host share.
---@class alicloud.outage_retry.Outage
---@field diagnosis alicloud.Diagnosis?
---@field code string? of the error that was diagnosed
---@field diagnosed number? monotonic seconds at which its diagnosis began
---@field looked number monotonic seconds of the newest look
---@field over boolean? a look was answered

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
    reason = wait.diagnosis.sentence,
    pause = pause,
    waited = context.loop.now() - wait.started,
    left = wait.left,
    looks = wait.looks,
    error = wait.err,
  })
end

-- Waits while another task makes the diagnosis, unless that task seems to have died.
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
  outage.diagnosis = diagnose.run(context, err, context.outage_retry.alone)
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

-- Time in which several tasks wait at once counts once, in the clients' counters and the budget.
local function add(counter, field, from, to)
  local till = counter.waited_until
  from = math.max(from, till or from)
  counter[field] = counter[field] + math.max(to - from, 0)
  counter.waited_until = math.max(till or to, to)
end

local function count(context, from)
  local to = context.loop.now()
  add(context.shared.waits, "waited", from, to)
  context.shared.tally.waited_for_cloud = context.shared.waits.waited
  add(context.budget, "waited", from, to)
end

-- The last pause is cut to the time that is left, so that the last look comes at the end.
local function sleep(context, wait)
  local longest = context.outage_retry.pause or wait.diagnosis.longest
  local pause = math.max(math.min(wait.pause, math.max(longest, wait.err.retry_after or 0)), 0.05)
  wait.pause = wait.pause * GROWTH
  if wait.left <= 0 then return nil end
  pause = math.min(pause, wait.left)
  tell(context, wait, "waiting", pause)
  context.loop.sleep(pause)
  return pause
end

---@class alicloud.outage_retry.Pause
---@field seconds number at most
---@field reason string what the work waits for
---@field error? alicloud.Error the refusal that causes the wait
---@field left? number seconds that may be waited; nil: this wait counts as one for the cloud
---@field since? number monotonic seconds from which it counts as waiting for the cloud; default:
---now

--- Sleeps while a state is expected to pass by itself, and tells the progress listener.
---@param context alicloud.call.Context
---@param pause alicloud.outage_retry.Pause
function M.pause(context, pause)
  local left, since = pause.left or M.left(context), pause.since or context.loop.now()
  local seconds = math.min(pause.seconds, left)
  local progress = context.outage_retry.progress
  if progress then
    guard.call(progress, { event = "waiting", cause = "state", sentence = pause.reason,
      reason = pause.reason, pause = seconds, left = left, waited = context.loop.now() - since,
      error = pause.error })
  end
  context.loop.sleep(seconds)
  if not pause.left then count(context, since) end
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

local function look_if_due(context, plan, wait, outage, slept)
  local early = context.loop.now() - outage.looked < slept / 2
  if early and not outage.over then return nil, wait.err end
  return look(context, plan, wait, outage)
end

-- The time of unanswered looks counts as waiting, too: each may take its whole timeout.
local function outlast(context, plan, err)
  local wait = { started = context.loop.now(), looks = 0 }
  while true do
    local outage, since = outage_of(context, plan), context.loop.now()
    consider(context, wait, outage, err)
    if not wait.diagnosis.passes then return nil, err end
    wait.left = M.left(context)
    local slept = sleep(context, wait)
    if not slept then
      tell(context, wait, "given_up", 0)
      return outcomes.stopped(err, "patience")
    end
    local result
    result, err = look_if_due(context, plan, wait, outage, slept)
    count(context, since)
    if result then return result end
  end
end

--- Carries a plan out, for as long as the client waits for the cloud.
---@param context alicloud.call.Context
---@param plan alicloud.plan
---@param progress table as `alicloud.call.begin` made it
---@return table|nil result
---@return alicloud.Error? err its hint says why no answer came; `stopped` is "patience" when the
---outage has lasted longer than the client may wait
function M.run(context, plan, progress)
  local result, err = calls.run(context, plan, progress)
  if result or plan.mutating or not M.is_patient(context) then return result, err end
  return outlast(context, plan, err)
end

return M
