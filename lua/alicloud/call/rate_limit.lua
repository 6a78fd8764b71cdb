--- How often a client may ask, and how long it stays away once it was told that it asked too often.
--
-- The quotas of the service are per account, region and action, and people at the console use the
-- same ones: so no second sees more than a part of the quota from us, and a call that changes
-- something does not wait for those that only look. A call that is throttled again is blocked until
-- the next full minute, and so is the console: nothing is sent then.
--
-- An attempt takes a slot of its action, and one of its region: alicloud.call.slots says for how
-- long. A change has one of its region at once, and those that only look make room for it.
-- Source: the vendor's page on API throttling; the quota table of the replication API.

local schema = require "alicloud.base.schema"
local server_clock = require "alicloud.call.server_clock"
local slots = require "alicloud.call.slots"
local tables = require "alicloud.base.tables"

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
-- Who is blocked again within a minute of coming back sends more than others leave of the quota. He
-- sends half as much from then on, half again each time, until so many seconds have passed after
-- the last block: trying again at the full rate may cost two minutes of every twelve.
local EASED = 600
-- Seconds after which it is asked again whether a share that has lapsed was renewed.
local RECHECK = 0.25

---@class alicloud.rate_limit.Limiter
---@field rate alicloud.rate_limit.Rate
---@field regions table
---@field parts integer so many share the quota; this one has one part
---@field share alicloud.rate_limit.Share? when that is known to be so; nil: always

---@class alicloud.rate_limit.Share
---@field parts integer how many share the quota, this one included
---@field from number seconds of runtime.boottime before which nothing is sent
---@field ends number the same, from which on nothing is, unless it is renewed

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
  return { rate = rate, regions = {}, parts = 1 }
end

local function limit_of(rate, plan)
  local operation = plan.data and plan.data.operations[plan.action]
  return rate.actions and rate.actions[plan.action] or operation and operation.per_second
    or rate.action
end

local function region_of(limiter, id)
  local rate = limiter.rate
  local region = { all = slots.new(rate.region / limiter.parts, rate.reserve), buckets = {} }
  limiter.regions[id] = region
  return region
end

--- The bucket of an action in a region.
---@param limiter alicloud.rate_limit.Limiter
---@param plan alicloud.plan
---@return alicloud.slots.Pair
function M.bucket(limiter, plan)
  local id = plan.region or ""
  local region = limiter.regions[id] or region_of(limiter, id)
  local title = plan.title
  local bucket = region.buckets[title]
  if not bucket then
    local limit = limit_of(limiter.rate, plan)
    bucket = { own = slots.new(limit / limiter.parts, limiter.rate.reserve), all = region.all,
      limit = limit, divisor = 1 }
    region.buckets[title] = bucket
  end
  return bucket
end

--- A turn of an attempt, which holds nothing yet; see alicloud.call.slots.
---@param limiter alicloud.rate_limit.Limiter
---@param plan alicloud.plan
---@param loop alicloud.loop.Loop
---@return alicloud.slots.Turn
function M.turn(limiter, plan, loop)
  return slots.turn(M.bucket(limiter, plan), plan.mutating, loop)
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

---@class alicloud.rate_limit.Use
---@field action string e.g. "ebs:FailoverDiskReplicaGroup"
---@field region string
---@field used number calls a second
---@field allowed number calls a second that this limiter lets pass

--- How much is used of the quota that is used most; of several, of the smallest.
---@param limiter alicloud.rate_limit.Limiter
---@param now number monotonic seconds
---@return alicloud.rate_limit.Use|nil nil: nothing was called yet
function M.use(limiter, now)
  local most, share
  for _, id in ipairs(tables.keys(limiter.regions)) do
    local buckets = limiter.regions[id].buckets
    for _, title in ipairs(tables.keys(buckets)) do
      local own = buckets[title].own
      local used, allowed = slots.used(own, now), own.count / own.seconds
      local part = used / allowed
      if not most or part > share or part == share and allowed < most.allowed then
        share = part
        most = { action = title, region = id, used = used, allowed = allowed }
      end
    end
  end
  return most
end

local function resize(limiter, bucket, now)
  slots.resize(bucket.own, bucket.limit / bucket.divisor / limiter.parts, limiter.rate.reserve, now)
end

--- Takes a part of the quota that others have the rest of. It is renewed by the same call.
---@param limiter alicloud.rate_limit.Limiter
---@param share alicloud.rate_limit.Share
---@param now number monotonic seconds
function M.share(limiter, share, now)
  limiter.share = share
  if limiter.parts == share.parts then return end
  limiter.parts = share.parts
  local rate = limiter.rate
  for _, region in pairs(limiter.regions) do
    slots.resize(region.all, rate.region / share.parts, rate.reserve, now)
    for _, bucket in pairs(region.buckets) do resize(limiter, bucket, now) end
  end
end

-- Waits until the part that it has of the quota is known.
local function await_share(context, deadline)
  local limiter = context.limiter
  while limiter.share do
    local now, share = context.runtime.boottime(), limiter.share
    if now >= share.from and now < share.ends then return nil end
    local left = now < share.from and share.from - now or RECHECK
    if context.loop.now() + left >= deadline then return refusal(left) end
    context.loop.sleep(left)
  end
end

--- Waits for the turn of an attempt.
---@param context alicloud.call.Context
---@param turn alicloud.slots.Turn
---@param deadline number monotonic seconds
---@return table? failure as core.read gives it, where the deadline is before its turn
function M.wait_turn(context, turn, deadline)
  local refused = await_share(context, deadline)
  if refused then return refused end
  local now, bucket = context.loop.now(), turn.pair
  if bucket.eased_until and now >= bucket.eased_until then
    bucket.divisor, bucket.eased_until = 1, nil
    resize(context.limiter, bucket, now)
  end
  local passed, wait = slots.take(turn, now, deadline)
  if not passed then return refusal(wait) end
  if passed > now then
    local tally = context.shared.tally
    tally.waited = tally.waited + (passed - now)
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

local function block(window, moment)
  if window.blocked_until < moment then window.blocked_until = moment end
end

--- Keeps everybody away from what has been throttled.
---@param bucket alicloud.slots.Pair
---@param code string of the throttled answer
---@param now number monotonic seconds
---@param seconds number
function M.block(bucket, code, now, seconds)
  block(bucket.own, now + seconds)
  if code == ACCOUNT_CODE then block(bucket.all, now + seconds) end
end

-- To be called before a block of a minute is noted.
local function ease(limiter, bucket, now, seconds)
  local own = bucket.own
  -- Of those that were under way together, the first one tells.
  if now < own.blocked_until then return end
  local soon = own.blocked_until > 0 and now < own.blocked_until + MINUTE
  if not soon and not bucket.eased_until then return end
  bucket.eased_until = now + seconds + EASED
  if own.count == 1 then return end
  bucket.divisor = bucket.divisor * 2
  resize(limiter, bucket, now)
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
  local hint = failure.retry_after
  local wait = M.retry_after(failure, progress.throttles, server_time, context.runtime.random)
  failure.retry_after = wait
  if wait and context.limiter then
    local now, bucket = context.loop.now(), M.bucket(context.limiter, plan)
    local seconds = math.min(wait, plan.policy.hint_cap)
    if not hint then ease(context.limiter, bucket, now, seconds) end
    M.block(bucket, failure.code, now, seconds)
  end
end

return M
