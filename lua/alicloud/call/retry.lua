--- Decides whether there is another attempt, and when.
--
-- Pure: randomness and the remaining time are inputs. The rules: a total number of attempts and a
-- deadline both bound a call; delays have full jitter; a server's hint is a floor; a client-wide
-- budget stops a fleet of calls from hammering a service in trouble (the numbers are those of the
-- AWS SDKs); a mutating call whose outcome is unknown is sent again only under its ClientToken.

local schema = require "alicloud.base.schema"

local M = {}

---@class alicloud.retry.Policy
---@field attempts integer all attempts, the first included (3)
---@field base number seconds, longest first backoff after what certainly had no effect (0.2)
---@field throttle_base number the same after throttling (0.5)
---@field unknown_base number the same if the work may still be running (1)
---@field factor number growth per attempt (2)
---@field cap number seconds, longest delay of our own (20)
---@field hint_cap number seconds, longest hint of the server that is followed (60)
---@field budget integer tokens of the client-wide bucket (500)
---@field mend_only? boolean no retry but one that corrects nonce, clock or keys, see `M.probing`

local DEFAULTS = {
  attempts = 3,
  base = 0.2,
  throttle_base = 0.5,
  unknown_base = 1,
  factor = 2,
  cap = 20,
  hint_cap = 60,
  budget = 500,
}

local SCHEMA = {
  attempts = schema.integer(1, 100),
  base = schema.seconds(0, 3600),
  throttle_base = schema.seconds(0, 3600),
  unknown_base = schema.seconds(0, 3600),
  factor = schema.rule("a number from 1 to 10", function(value)
    return type(value) == "number" and value >= 1 and value <= 10
  end),
  cap = schema.seconds(0, 3600),
  hint_cap = schema.seconds(0, 3600),
  budget = schema.integer(0, 1000000),
}

-- Tokens that a retry takes out of the bucket. To correct a nonce, a clock or a session costs
-- nothing: it happens once. "window" is an attempt that had to leave by a moment and did not: it
-- never reached the service.
local COST = { transport = 14, server = 14, throttle = 5, pending = 5, nonce = 0, clock = 0,
  credentials = 0, window = 0 }

local ONCE = { nonce = true, clock = true, credentials = true }

--- Makes a policy from the client's options.
---@param overrides? table any subset of alicloud.retry.Policy
---@param retries? integer short for attempts = retries + 1
---@return alicloud.retry.Policy|nil
---@return string? message
function M.policy(overrides, retries)
  local policy, message = schema.examine("retry", overrides, SCHEMA)
  if not policy then return nil, message end
  for name, value in pairs(DEFAULTS) do
    if policy[name] == nil then policy[name] = value end
  end
  if retries then policy.attempts = retries + 1 end
  return policy
end

--- The policy of a call that asks whether the cloud is back: one attempt, no tokens of the bucket.
---@param policy alicloud.retry.Policy
---@return alicloud.retry.Policy
function M.probing(policy)
  local probing = {}
  for name, value in pairs(policy) do probing[name] = value end
  probing.attempts, probing.mend_only = 1, true
  return probing
end

---@class alicloud.retry.Bucket
---@field tokens number
---@field capacity number

---@param capacity number
---@return alicloud.retry.Bucket
function M.bucket(capacity)
  return { tokens = capacity, capacity = capacity }
end

--- Gives back tokens after a success: the cost of the call's last retry, or one if it needed none.
---@param bucket alicloud.retry.Bucket
---@param last_cost? number
function M.refund(bucket, last_cost)
  bucket.tokens = math.min(bucket.capacity, bucket.tokens + (last_cost or 1))
end

local function base_of(policy, question)
  if question.class == "throttle" then return policy.throttle_base end
  local running = question.class == "pending" or question.outcome == "unknown"
  if running then return policy.unknown_base end
  return policy.base
end

--- Seconds to wait before attempt n + 1.
---@param policy alicloud.retry.Policy
---@param question alicloud.retry.Question
---@return number
function M.delay(policy, question)
  if ONCE[question.class] then return 0 end
  local longest = base_of(policy, question) * policy.factor ^ (question.attempt - 1)
  local wait = question.random() * math.min(longest, policy.cap)
  return math.max(wait, math.min(question.hint or 0, policy.hint_cap))
end

---@class alicloud.retry.Question
---@field class string retry class of the failure
---@field outcome alicloud.Outcome
---@field attempt integer attempts so far, without those of class "window"
---@field mutating boolean
---@field token boolean whether the call carries a ClientToken
---@field resend "token"|"never" what the caller allows after an unknown outcome
---@field mended table<string, boolean> classes whose cause was corrected once already
---@field hint? number seconds, the delay that the server asked for
---@field remaining number seconds to the deadline
---@field random fun(): number

local function forbidden(policy, question)
  if not COST[question.class] or question.mended[question.class] then return "final" end
  local repeatable = question.token and question.resend == "token"
  if question.mutating and question.outcome == "unknown" and not repeatable then return "resend" end
  local mends = policy.mend_only and ONCE[question.class]
  local counts = question.class ~= "window" and not mends
  if counts and question.attempt >= policy.attempts then return "attempts" end
end

--- Decides about another attempt and takes its cost out of the bucket.
---@param policy alicloud.retry.Policy
---@param bucket alicloud.retry.Bucket
---@param question alicloud.retry.Question
---@return number|nil wait seconds
---@return number|string cost of the retry, or why there is none: "final" (it would not help),
--- "resend" (of unknown outcome, and without a token that the caller allows to be sent again),
--- "attempts", "deadline" or "budget" (they are used up)
function M.decide(policy, bucket, question)
  local reason = forbidden(policy, question)
  if reason then return nil, reason end
  local wait = M.delay(policy, question)
  if wait >= question.remaining then return nil, "deadline" end
  local cost = COST[question.class]
  if cost > bucket.tokens then return nil, "budget" end
  bucket.tokens = bucket.tokens - cost
  if ONCE[question.class] then question.mended[question.class] = true end
  return wait, cost
end

return M
