local helper = require "spec.helper"
local retry = require "alicloud.call.retry"

local CLASSES = { "transport", "server", "throttle", "pending", "nonce", "clock" }

local function question(given)
  local all = {
    class = "server", outcome = "rejected", attempt = 1, mutating = false, token = false,
    resend = "token", mended = {}, remaining = 60, random = function() return 0.5 end,
  }
  for name, value in pairs(given or {}) do all[name] = value end
  return all
end

local function decide(given, overrides, bucket)
  local policy = assert(retry.policy(overrides))
  return retry.decide(policy, bucket or retry.bucket(policy.budget), question(given))
end

describe("the retry policy", function()
  it("is three attempts from a bucket of five hundred unless told otherwise", function()
    local policy = retry.policy()
    assert.equal(3, policy.attempts)
    assert.equal(500, policy.budget)
    assert.equal(5, retry.policy({ attempts = 5 }).attempts)
    assert.equal(1, retry.policy({ attempts = 5 }, 0).attempts)
  end)

  it("refuses what it does not know", function()
    local policy, message = retry.policy { atempts = 3 }
    assert.is_nil(policy)
    assert.equal('retry: unknown option "atempts"; did you mean "attempts"?', message)
  end)
end)

describe("the delay", function()
  it("is drawn from zero to base times two to the power of the attempt", function()
    local policy = retry.policy()
    for _, given in ipairs {
      { base = 0.2, class = "transport", outcome = "not_sent" },
      { base = 0.5, class = "throttle", outcome = "rejected" },
      { base = 1, class = "server", outcome = "unknown" },
      { base = 1, class = "pending", outcome = "rejected" },
    } do
      for attempt = 1, 4 do
        given.attempt = attempt
        local function at(chance)
          given.random = function() return chance end
          return retry.delay(policy, question(given))
        end
        assert.equal(0, at(0))
        assert.near(given.base * 2 ^ (attempt - 1) * 0.999, at(0.999), 1e-9)
      end
    end
  end)

  it("never exceeds its cap, over ten thousand seeds", function()
    local policy = retry.policy { attempts = 100 }
    for seed = 1, 10000 do
      local random = helper.generator(seed)
      local attempt = 1 + math.floor(random() * 99)
      local base = random() < 0.5 and "unknown" or "not_sent"
      local wait = retry.delay(policy, question {
        outcome = base, attempt = attempt, random = random,
      })
      local longest = (base == "unknown" and 1 or 0.2) * 2.0 ^ (attempt - 1)
      assert.is_true(wait >= 0 and wait < math.min(20, longest))
    end
  end)

  it("is spread over its whole range, not around one value", function()
    local policy, low, high = retry.policy(), 0, 0
    for seed = 1, 1000 do
      local wait = retry.delay(policy, question {
        outcome = "unknown", random = helper.generator(seed),
      })
      if wait < 0.25 then low = low + 1 end
      if wait > 0.75 then high = high + 1 end
    end
    assert.is_true(low > 150 and low < 350)
    assert.is_true(high > 150 and high < 350)
  end)

  it("is at least what the server asks for, up to a minute", function()
    local policy = retry.policy()
    assert.equal(7, retry.delay(policy, question { class = "throttle", hint = 7 }))
    assert.equal(60, retry.delay(policy, question { class = "throttle", hint = 4000 }))
    assert.equal(0.25, retry.delay(policy, question { class = "throttle", hint = 0.1 }))
  end)

  it("is nothing where a nonce, a clock or a session was mended", function()
    assert.equal(0, (decide { class = "credentials" }))
    assert.equal(0, (decide { class = "nonce" }))
    assert.equal(0, (decide { class = "clock" }))
  end)
end)

describe("another attempt", function()
  it("is not made for what would not help", function()
    for _, class in ipairs { "never", "something new" } do
      local wait, reason = decide { class = class }
      assert.is_nil(wait)
      assert.equal("final", reason)
    end
  end)

  it("is not made when the attempts are used up", function()
    assert.is_truthy(decide { attempt = 2 })
    assert.same({ nil, "attempts" }, { decide { attempt = 3 } })
    assert.same({ nil, "attempts" }, { decide({ attempt = 1 }, { attempts = 1 }) })
  end)

  it("is not made for a change of unknown outcome without a token or against the caller's wish",
    function()
      local change = { mutating = true, outcome = "unknown" }
      for _, class in ipairs(CLASSES) do
        change.class = class
        change.token, change.resend = false, "token"
        assert.same({ nil, "resend" }, { decide(change) }, class)
        change.token, change.resend = true, "never"
        assert.same({ nil, "resend" }, { decide(change) }, class)
        change.resend = "token"
        assert.is_truthy(decide(change), class)
      end
    end)

  it("of a change that certainly had no effect needs no token", function()
    assert.is_truthy(decide { mutating = true, outcome = "not_sent", resend = "never" })
    assert.is_truthy(decide { mutating = true, outcome = "rejected", class = "throttle" })
  end)

  it("with a mended nonce or clock is made once", function()
    for _, class in ipairs { "nonce", "clock" } do
      local mended = {}
      assert.is_truthy(decide { class = class, mended = mended })
      assert.same({ nil, "final" }, { decide { class = class, mended = mended } })
    end
  end)

  it("is never begun at or after the deadline, over ten thousand seeds", function()
    local tried = 0
    for seed = 1, 10000 do
      local random = helper.generator(seed)
      local given = {
        class = CLASSES[1 + math.floor(random() * #CLASSES)],
        outcome = random() < 0.5 and "unknown" or "rejected",
        attempt = 1 + math.floor(random() * 3),
        remaining = random() * 4,
        hint = random() < 0.3 and random() * 90 or nil,
        random = random,
      }
      local wait, reason = decide(given, { attempts = 4 })
      if wait then
        tried = tried + 1
        assert.is_true(wait < given.remaining)
      else
        assert.equal("deadline", reason)
      end
    end
    assert.is_true(tried > 3000 and tried < 10000)
  end)
end)

describe("the budget", function()
  it("pays fourteen for trouble, five for throttling, nothing for mending", function()
    for class, cost in pairs {
      transport = 14, server = 14, throttle = 5, pending = 5, nonce = 0, clock = 0,
    } do
      local bucket = retry.bucket(500)
      local _, paid = decide({ class = class }, nil, bucket)
      assert.equal(cost, paid)
      assert.equal(500 - cost, bucket.tokens)
    end
  end)

  it("refuses a retry that it cannot pay, and takes nothing for it", function()
    local bucket = retry.bucket(13)
    assert.same({ nil, "budget" }, { decide({ class = "server" }, nil, bucket) })
    assert.equal(13, bucket.tokens)
    assert.is_truthy(decide({ class = "throttle" }, nil, bucket))
    assert.equal(8, bucket.tokens)
  end)

  it("gets back the last cost of a call that ended well, one for an easy one, never too much",
    function()
      local bucket = retry.bucket(500)
      bucket.tokens = 400
      retry.refund(bucket, 14)
      assert.equal(414, bucket.tokens)
      retry.refund(bucket)
      assert.equal(415, bucket.tokens)
      bucket.tokens = 499
      retry.refund(bucket, 14)
      assert.equal(500, bucket.tokens)
    end)

  it("stops a client whose service is down, after thirty-five retries", function()
    local bucket, retries = retry.bucket(500), 0
    while decide({ class = "server" }, nil, bucket) do retries = retries + 1 end
    assert.equal(35, retries)
  end)
end)
