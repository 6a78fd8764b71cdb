--- Limits how often a client calls, and how long it pauses when the service throttles it.
--
-- The quotas of the service are per account, region and action, and people at the console use the
-- same ones. So calls use only a part of each quota in any second, and changes do not wait behind
-- reads. The service blocks a call that is throttled again until the next full minute, and the
-- console with it: nothing is sent in that time.
--
-- An attempt takes a slot of its action and one of its region; alicloud.call.slots says for how
-- long. A change takes the slot of its region at once, and reads wait longer for theirs.
-- Source: the vendor's page on API throttling; the quota table of the replication API.

local schema = require "alicloud.base.schema"
local server_clock = require "alicloud.call.server_clock"
local slots = require "alicloud.call.slots"
local tables = require "alicloud.base.tables"

local M = {}

---@class alicloud.rate_limit.Rate
---@field action number quota of the account for one action in one region, calls a second, where
---neither `actions` nor the service data has another (40)
---@field actions table<string, number> the same for single actions by name, e.g. from Quota Center
---@field region number calls of all actions in one region a second; only reads wait for it. This is
---an assumption: no document has the number (80)
---@field reserve number share of each of these that is left to people at the console (0.25)

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

-- Codes that mean a block for the rest of the minute if they come without a hint.
local MINUTE_CODES = { "^Throttling%.User$", "^BLOCK%.LimitedR" }
-- The code that throttles every action of the account.
local ACCOUNT_CODE = "Throttling.User"

local MINUTE = 60
-- Seconds over which calls that were blocked together are spread when they start again (jitter).
local SPREAD = 2
-- After throttling the rate stays low for so many times as long as the block lasted, or so many
-- seconds if it was shorter: to try the full rate again costs others no more than such a part.
local PATIENCE = 10
-- Seconds between two checks whether a lapsed share was renewed.
local RECHECK = 0.25

---@class alicloud.rate_limit.Limiter
---@field rate alicloud.rate_limit.Rate
---@field regions table the slots of each region, by its id
---@field parts integer how many share the quota; this limiter uses one part
---@field share alicloud.rate_limit.Share? the time for which `parts` holds; nil: always

---@class alicloud.rate_limit.Share
---@field parts integer how many share the quota, this one included
---@field from number seconds of runtime.boottime before which nothing is sent
---@field ends number seconds of runtime.boottime from which on nothing is sent, unless renewed

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
      limit = limit, left = limit }
    region.buckets[title] = bucket
  end
  return bucket
end

--- Makes the turn of an attempt, which holds no slot yet; see alicloud.call.slots.
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

--- How much of the most used quota is used; if several are used alike, of the smallest.
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
  slots.resize(bucket.own, bucket.left / limiter.parts, limiter.rate.reserve, now)
end

--- Limits this client to its part of a shared quota. To renew the share, call it again.
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

-- Waits until its share of the quota holds: it has begun and has not lapsed.
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

--- Waits for the turn of an attempt, at most until the deadline.
---@param context alicloud.call.Context
---@param turn alicloud.slots.Turn
---@param deadline number monotonic seconds
---@return table? failure as core.read gives it, if the turn comes after the deadline
---@return number? passed_at monotonic seconds at which it came
function M.wait_turn(context, turn, deadline)
  local refused = await_share(context, deadline)
  if refused then return refused end
  local now, bucket = context.loop.now(), turn.pair
  if bucket.eased and now >= bucket.eased.ends then
    bucket.left, bucket.eased = bucket.limit, nil
    resize(context.limiter, bucket, now)
  end
  local passed, wait = slots.take(turn, now, deadline)
  if not passed then return refusal(wait) end
  if passed > now then
    local tally = context.shared.tally
    tally.waited = tally.waited + (passed - now)
  end
  return nil, passed
end

local function means_minute(code)
  for _, pattern in ipairs(MINUTE_CODES) do
    if code and code:find(pattern) then return true end
  end
  return false
end

--- Seconds to pause after a throttled answer: the server's hint; without one the rest of the
--- server's minute, if the code means that or the call was throttled before. Pure.
---@param failure table as core.read gives it
---@param times integer how often the call was throttled, this time included
---@param server_time number unix seconds
---@param random fun(): number
---@return number|nil seconds nil: neither is the case; the retry policy's own delay applies
function M.retry_after(failure, times, server_time, random)
  if failure.retry_after then return failure.retry_after end
  if times < 2 and not means_minute(failure.code) then return nil end
  return MINUTE - server_time % MINUTE + random() * SPREAD
end

local function block(window, moment)
  if window.blocked_until < moment then window.blocked_until = moment end
end

--- Blocks the action that was throttled, and the region, too, if the code means the account.
---@param bucket alicloud.slots.Pair
---@param code string of the throttled answer
---@param now number monotonic seconds
---@param seconds number
function M.block(bucket, code, now, seconds)
  block(bucket.own, now + seconds)
  if code == ACCOUNT_CODE then block(bucket.all, now + seconds) end
end

-- Lowers the rate so that people keep their share of what there is: of the calls that counted when
-- the first one was throttled, those that are not throttled are taken for the whole quota. One
-- second can mislead: so it is no less than a quarter of what it was, and half if none passed, as
-- where others had the action blocked.
local function ease(limiter, bucket, passed_at, now, seconds)
  local own, eased = bucket.own, bucket.eased
  -- Calls that were under way when the rate was lowered tell more of the same quota.
  if not eased or passed_at > eased.at then
    eased = { at = now, from = bucket.left,
      passed = math.floor(slots.used(own, now) * own.seconds + 0.5) }
    bucket.eased = eased
  end
  eased.passed = eased.passed - 1
  eased.ends = now + seconds + PATIENCE * math.max(seconds, 1)
  local least = eased.from / (eased.passed > 0 and 4 or 2)
  local passed = math.max(eased.passed, 1) * limiter.parts
  bucket.left = math.min(math.max(passed, least), eased.from)
  resize(limiter, bucket, now)
end

--- Counts a throttled answer, lowers the rate of its action, and blocks the action for as long as
--- the answer means. Other failures are left alone.
---@param context alicloud.call.Context
---@param plan alicloud.plan
---@param progress alicloud.call.Progress
---@param failure table as core.read gives it; its `retry_after` is set to the seconds of the block
function M.apply_throttle(context, plan, progress, failure)
  if failure.retry_class ~= "throttle" then return end
  local tally = context.shared.tally
  tally.throttles, progress.throttles = tally.throttles + 1, progress.throttles + 1
  local server_time = failure.date or server_clock.server_time(context)
  local wait = M.retry_after(failure, progress.throttles, server_time, context.runtime.random)
  failure.retry_after = wait
  if not context.limiter then return end
  local now, bucket = context.loop.now(), M.bucket(context.limiter, plan)
  local seconds = math.min(wait or 0, plan.policy.hint_cap)
  ease(context.limiter, bucket, progress.passed_at, now, seconds)
  M.block(bucket, failure.code, now, seconds)
end

return M
