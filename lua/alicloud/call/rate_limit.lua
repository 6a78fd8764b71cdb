--- How often a client may ask, and how long it stays away once it was told that it asked too often.
--
-- The quotas of the service are per account, region and action, and people at the console use the
-- same ones: so no second sees more than a part of the quota from us, and a call that changes
-- something does not wait for those that only look. A call that is throttled again is blocked until
-- the next full minute, and so is the console: nothing is sent then.
--
-- There is no queue to get stuck in. Who must wait books the next free moment and sleeps until
-- then, so the order is that of coming, and one who never wakes up costs one moment.
-- Source: the vendor's page on API throttling; the quota table of the replication API.

local schema = require "alicloud.base.schema"
local server_clock = require "alicloud.call.server_clock"

local M = {}

---@class alicloud.rate_limit.Rate
---@field action number calls of one action in one region a second that the account has, unless the
---service data or `actions` knows better (40)
---@field actions table<string, number> the same for single actions by name, e.g. from Quota Center
---@field region number calls of all actions in one region a second, for those that only look; no
---document has the number (80)
---@field reserve number share of all these that is left to people at the console (0.25)

local DEFAULTS = { action = 40, region = 80, reserve = 0.25 }

local PER_SECOND = schema.rule("a number of calls a second from 0.001 to 100000", function(value)
  return type(value) == "number" and value >= 0.001 and value <= 100000
end)

local function is_limits(value)
  if type(value) ~= "table" then return false end
  for name, limit in pairs(value) do
    if type(name) ~= "string" or not PER_SECOND.test(limit) then return false end
  end
  return true
end

local SCHEMA = {
  action = PER_SECOND,
  actions = schema.rule("a table, by action, of calls a second from 0.001 to 100000",
    is_limits),
  region = PER_SECOND,
  reserve = schema.rule("a number from 0 to 0.95", function(value)
    return type(value) == "number" and value >= 0 and value <= 0.95
  end),
}

-- Codes that mean the rest of the minute when they come without a hint.
local MINUTE_CODES = { "^Throttling%.User$", "^BLOCK%.LimitedR" }
-- The code that means every action of the account.
local ACCOUNT_CODE = "Throttling.User"

local MINUTE = 60
-- Those who were blocked together come back spread over so many seconds.
local SPREAD = 2
-- What the clock's rounding leaves over is not worth a sleep.
local NOTHING = 1e-6

-- The last `count` moments that were booked, in a ring: the next one is a window after the oldest.
---@class alicloud.rate_limit.Window
---@field count integer
---@field seconds number its length
---@field moments table<integer, number> monotonic seconds
---@field place integer of the newest
---@field at number monotonic seconds of the newest look
---@field blocked_until number monotonic seconds before which nobody passes

--- The window of an action in a region.
---@class alicloud.rate_limit.Bucket: alicloud.rate_limit.Window
---@field all alicloud.rate_limit.Window of the region

---@class alicloud.rate_limit.Limiter
---@field rate alicloud.rate_limit.Rate
---@field regions table

--- Makes a limiter.
---@param given? alicloud.rate_limit.Rate|false false: none
---@return alicloud.rate_limit.Limiter|false|nil
---@return string? message
function M.new(given)
  if given == false then return false end
  local rate, message = schema.examine("rate", given, SCHEMA)
  if not rate then return nil, message end
  for name, value in pairs(DEFAULTS) do
    if rate[name] == nil then rate[name] = value end
  end
  return { rate = rate, regions = {} }
end

local function new_window(limit, reserve, now)
  local usable = limit * (1 - reserve)
  -- In a window of a second, so that no second of the server's clock sees more, wherever it begins.
  local count = math.max(math.floor(usable), 1)
  return { count = count, seconds = math.max(1, count / usable), moments = {}, place = 0, at = now,
    blocked_until = 0 }
end

local function limit_of(rate, plan)
  local operation = plan.data and plan.data.operations[plan.action]
  return rate.actions and rate.actions[plan.action] or operation and operation.per_second
    or rate.action
end

local function region_of(limiter, id, now)
  local rate = limiter.rate
  local region = { all = new_window(rate.region, rate.reserve, now), buckets = {} }
  limiter.regions[id] = region
  return region
end

--- The bucket of an action in a region.
---@param limiter alicloud.rate_limit.Limiter
---@param plan alicloud.plan
---@param now number monotonic seconds
---@return alicloud.rate_limit.Bucket
function M.bucket(limiter, plan, now)
  local id = plan.region or ""
  local region = limiter.regions[id] or region_of(limiter, id, now)
  local title = plan.title
  local bucket = region.buckets[title]
  if not bucket then
    bucket = new_window(limit_of(limiter.rate, plan), limiter.rate.reserve, now)
    bucket.all = region.all
    region.buckets[title] = bucket
  end
  return bucket
end

-- Books the next free moment, in the place of the oldest, which is given back with it.
local function book(window, now)
  -- A rehearsal that starts anew puts its clock back.
  if now < window.at then window.moments = {} end
  window.at = now
  local place = window.place % window.count + 1
  local oldest = window.moments[place]
  local moment = oldest and oldest + window.seconds or now
  if moment < now then moment = now end
  window.moments[place], window.place = moment, place
  return moment, oldest
end

local function give_back(window, oldest)
  window.moments[window.place] = oldest
  window.place = window.place - 1
end

-- Until when nobody may pass at all: the action is blocked, or readings of the whole region are.
local function blocked_until(bucket, urgent)
  local own, all = bucket.blocked_until, bucket.all.blocked_until
  return not urgent and all > own and all or own
end

-- Nil if the block lasts beyond the deadline.
local function outlast(bucket, urgent, loop, now, deadline)
  local left = blocked_until(bucket, urgent) - now
  while left > NOTHING do
    if now + left >= deadline then return nil, left end
    loop.sleep(left)
    now = loop.now()
    left = blocked_until(bucket, urgent) - now
  end
  return now
end

--- Takes a place for a call, after as long a wait as it takes.
---@param bucket alicloud.rate_limit.Bucket
---@param urgent boolean|nil whether it changes something
---@param loop alicloud.Loop
---@param now number monotonic seconds
---@param deadline number monotonic seconds
---@return number|nil waited seconds; nil if the wait would pass the deadline
---@return number? wait seconds that it would have taken
function M.take(bucket, urgent, loop, now, deadline)
  local began, all = now, bucket.all
  if blocked_until(bucket, urgent) - now > NOTHING then
    local left
    now, left = outlast(bucket, urgent, loop, now, deadline)
    if not now then return nil, left end
  end
  local moment, oldest = book(bucket, now)
  local common, commons_oldest = book(all, now)
  if not urgent and common > moment then
    moment = common
    bucket.moments[bucket.place] = common
  end
  local wait = moment - now
  if wait <= NOTHING then return now - began end
  if moment >= deadline then
    give_back(bucket, oldest)
    give_back(all, commons_oldest)
    return nil, wait
  end
  loop.sleep(wait)
  return loop.now() - began
end

local function refusal(wait)
  return {
    kind = "throttled",
    code = "Client.RateLimit",
    message = ("not sent: by the quota it waits %.1f s, and the deadline is before that")
      :format(wait),
    outcome = "not_sent",
    retryable = true,
    retry_class = "never",
    retry_after = wait,
    hint = "a longer deadline waits for it; the option rate sets the quota",
  }
end

--- Waits for the turn of a call, if the client keeps a rate.
---@param context alicloud.call.Context with a limiter
---@param plan alicloud.plan
---@param progress alicloud.call.Progress
---@return table? failure as core.read gives it, where the deadline is before its turn
function M.wait_turn(context, plan, progress)
  local loop, now = context.loop, context.loop.now()
  local bucket = M.bucket(context.limiter, plan, now)
  local waited, wait = M.take(bucket, plan.mutating, loop, now, progress.deadline)
  if not waited then return refusal(wait) end
  if waited > 0 then
    local tally = context.shared.tally
    tally.waited = tally.waited + waited
  end
end

local function means_minute(code)
  for _, pattern in ipairs(MINUTE_CODES) do
    if code and code:find(pattern) then return true end
  end
  return false
end

--- How long to stay away after a throttled answer: the server's wish; without one the rest of the
--- server's minute, if the code means that or the call was throttled before. Pure.
---@param failure table as core.read gives it
---@param times integer how often the call was throttled, this time included
---@param server_time number unix seconds
---@param random fun(): number
---@return number|nil seconds nil: nothing is known, take a delay of our own
function M.retry_after(failure, times, server_time, random)
  if failure.retry_after then return failure.retry_after end
  if times < 2 and not means_minute(failure.code) then return nil end
  return MINUTE - server_time % MINUTE + random() * SPREAD
end

--- Keeps everybody away from what has been throttled.
---@param bucket alicloud.rate_limit.Bucket
---@param code string of the throttled answer
---@param now number monotonic seconds
---@param seconds number
function M.block(bucket, code, now, seconds)
  local all = bucket.all
  bucket.blocked_until = math.max(bucket.blocked_until, now + seconds)
  if code == ACCOUNT_CODE then all.blocked_until = math.max(all.blocked_until, now + seconds) end
end

--- Counts an answer that said "too often", and keeps everybody away for as long as it means, which
--- is also what the caller is told.
---@param context alicloud.call.Context
---@param plan alicloud.plan
---@param progress alicloud.call.Progress
---@param failure table as core.read gives it; gets `retry_after`
function M.apply_throttle(context, plan, progress, failure)
  if failure.retry_class ~= "throttle" then return end
  local tally = context.shared.tally
  tally.throttles, progress.throttles = tally.throttles + 1, progress.throttles + 1
  local server_time = failure.date or server_clock.server_time(context)
  local wait = M.retry_after(failure, progress.throttles, server_time, context.runtime.random)
  failure.retry_after = wait
  if wait and context.limiter then
    local now = context.loop.now()
    M.block(M.bucket(context.limiter, plan, now), failure.code, now,
      math.min(wait, plan.policy.hint_cap))
  end
end

return M
