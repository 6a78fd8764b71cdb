-- The quotas of the emulator, and our own client under them.

local alicloud = require "alicloud"
local emulator = require "alicloud.emulator"

local function client_of(emu, overrides)
  local given = { region = "cn-shanghai", transport = emu.transport, runtime = emu.runtime,
    access_key_id = emu.access_key_id, access_key_secret = emu.access_key_secret }
  for name, value in pairs(overrides or {}) do given[name] = value end
  return alicloud.client(given)
end

local DRILLS = { PairId = "pair-1" }

-- The codes of so many calls in a row, counted.
local function codes_of(client, count, action, options)
  local codes = {}
  for _ = 1, count do
    local params = action == "DescribePairDrills" and DRILLS or {}
    local result, err = client:call(action, params, options)
    -- The world has no such pair; the quota has taken the request nevertheless.
    local code = (result or err.code == "NoSuchResource") and "ok" or err.code
    codes[code] = (codes[code] or 0) + 1
  end
  return codes
end

local BOLD = { rate = false, retries = 0 }

describe("the quota of the emulator", function()
  it("is off until it is switched on", function()
    local emu = emulator.new {}
    assert.same({ ok = 100 }, codes_of(client_of(emu, BOLD), 100, "DescribeRegions"))
  end)

  it("is the documented one for each action and region, and fills up with the next second",
    function()
      local emu = emulator.new { assume = { throttle = "second" } }
      local client = client_of(emu, BOLD)
      assert.same({ ok = 40, ["Throttling.Api"] = 10 }, codes_of(client, 50, "DescribeRegions"))
      assert.same({ ok = 10, ["Throttling.Api"] = 5 }, codes_of(client, 15, "DescribePairDrills"))
      assert.same({ ok = 10 }, codes_of(client, 10, "DescribeRegions", { region = "cn-hangzhou" }))
      emu:advance(1)
      assert.same({ ok = 40, ["Throttling.Api"] = 1 }, codes_of(client, 41, "DescribeRegions"))
    end)

  it("says how long in both documented headers", function()
    local emu = emulator.new { assume = { throttle = "second", throttle_limit = 1 } }
    emu:advance(0.25)
    local client = client_of(emu, BOLD)
    assert(client:call "DescribeRegions")
    local _, err = client:call "DescribeRegions"
    assert.equal("Throttling.Api", err.code)
    assert.equal(400, err.status)
    assert.equal("throttled", err.kind)
    assert.near(0.75, err.retry_after, 1e-9)
  end)

  it("can block the action until the next full minute, for whoever asks", function()
    local emu = emulator.new { assume = { throttle = "minute", throttle_limit = 2 } }
    emu:advance(20)
    local client = client_of(emu, BOLD)
    assert.same({ ok = 2, ["BLOCK.LimitedRequest"] = 3 }, codes_of(client, 5, "DescribeRegions"))
    assert.same({ ok = 1 }, codes_of(client, 1, "DescribeDiskReplicaGroups"))
    emu:advance(39.5)
    local _, err = client:call "DescribeRegions"
    assert.equal("BLOCK.LimitedRequest", err.code)
    assert.equal(429, err.status)
    assert.matches("Request was denied due to user flow control.", err.message, 1, true)
    emu:advance(0.5)
    assert(client:call "DescribeRegions")
  end)

  -- dew-serverless/acs-sdk-php has the first spelling, five times.
  it("spells the code of a blocked minute as it is told, and our client waits", function()
    for _, code in ipairs { "BLOCK.LimitedRequest", "BLOCK.LimitedRquest" } do
      local emu = emulator.new { assume = { throttle = "minute", throttle_limit = 1,
        block_code = code } }
      assert.same({ ok = 1, [code] = 1 }, codes_of(client_of(emu, BOLD), 2, "DescribeRegions"))
      local _, err = client_of(emu, BOLD):call "DescribeRegions"
      assert.same({ "throttled", "rejected" }, { err.kind, err.outcome })
      local client = client_of(emu, { deadline = 130 })
      assert(client:call "DescribeRegions")
      assert.is_true(client:stats().throttles <= 1)
    end
  end)

  it("does nothing of what it refuses", function()
    local emu = emulator.new { assume = { throttle = "minute", throttle_limit = 1 } }
    local client = client_of(emu, BOLD)
    client:call("DeleteDiskReplicaGroup", { ReplicaGroupId = "pg-empty" })
    local before = #emu:ledger()
    local _, err = client:call("DeleteDiskReplicaGroup", { ReplicaGroupId = "pg-empty" })
    assert.equal("rejected", err.outcome)
    assert.equal(before, #emu:ledger())
  end)

  it("starts anew with the emulator", function()
    local emu = emulator.new { assume = { throttle = "minute", throttle_limit = 1 } }
    local client = client_of(emu, BOLD)
    codes_of(client, 3, "DescribeRegions")
    emu:reset()
    assert(client:call "DescribeRegions")
  end)

  it("is never touched by our own rate, however many calls there are", function()
    for _, mode in ipairs { "second", "minute" } do
      local emu = emulator.new { assume = { throttle = mode } }
      local client = client_of(emu)
      assert.same({ ok = 300 }, codes_of(client, 300, "DescribeRegions"))
      assert.same({ ok = 60 }, codes_of(client, 60, "DescribePairDrills"))
      assert.equal(0, client:stats().throttles)
    end
  end)

  it("is shared with others, and our retries find the gap", function()
    for _, mode in ipairs { "second", "minute" } do
      local emu = emulator.new { assume = { throttle = mode, throttle_limit = 40 } }
      local other, client = client_of(emu, BOLD), client_of(emu, { deadline = 130 })
      for _ = 1, 20 do
        codes_of(other, 45, "DescribeRegions")
        assert(client:call "DescribeRegions")
      end
      -- One refusal each time, and not one request more that is refused.
      assert.is_true(client:stats().throttles <= 20)
      assert.equal(0, client:stats().requests - client:stats().successes)
    end
  end)
end)

describe("a skewed clock of the emulator", function()
  it("makes requests too old or too new, and tells the right time", function()
    for _, skew in ipairs { 7200, -7200 } do
      local emu, warnings = emulator.new { skew = skew }, {}
      emu.runtime.warn = function(message) warnings[#warnings + 1] = message end
      local client = client_of(emu)
      local result = assert(client:call "DescribeRegions")
      assert.equal(2, alicloud.meta(result).attempts)
      assert.near(emu:now(), alicloud.meta(result).server_time, 1)
      assert.equal(1, #warnings)
      assert.matches(skew > 0 and "2 h 0 min behind" or "2 h 0 min ahead", warnings[1])
    end
  end)

  it("does not change the age of a recovery point", function()
    for _, skew in ipairs { 7200, 0, -7200 } do
      local emu = emulator.new { skew = skew }
      local group = require("alicloud.dr").group(client_of(emu), "pg-orders")
      local snapshot = assert(group:observe())
      local age = require("alicloud.dr.model.snapshot").recover_point_age(snapshot)
      assert.near(emu:now() - snapshot.recover_point, age, 1.01)
    end
  end)

  it("is not excused behind a socket either", function()
    local emu = emulator.new { skew = 7200, clock = "real" }
    assert.equal("refuse", emu.settings.wall_clock)
    local core = require "alicloud.core"
    assert.near(core.time() + 7200, emu:now(), 5)
    assert.near(core.time(), emu.runtime.time(), 5)
  end)
end)

