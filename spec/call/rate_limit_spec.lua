local helper = require "spec.helper"
local rate_limit = require "alicloud.call.rate_limit"
local schedulers = require "alicloud.loop.scheduler"
local slots = require "alicloud.call.slots"

local retry_after = rate_limit.retry_after

-- Tasks on a clock that jumps to the next one's waking.
local function virtual_loop()
  local clock = { time = 0 }
  local loop = schedulers.new { now = function() return clock.time end,
    sleep = function(seconds) clock.time = clock.time + seconds end }
  local tasks = {}

  -- Carries some work out at a moment.
  function loop.at(moment, work)
    tasks[#tasks + 1] = loop.spawn(function()
      loop.sleep(moment - loop.now())
      work()
    end)
  end

  function loop.run()
    for _, task in ipairs(tasks) do task:result() end
  end

  function loop.set(time) clock.time = time end

  return loop
end

local function plan(fields)
  local all = { product = "ebs", action = "DescribeDiskReplicaGroups", region = "cn-shanghai",
    mutating = false }
  for name, value in pairs(fields or {}) do all[name] = value end
  all.title = all.product .. ":" .. all.action
  return all
end

local CHANGE = { action = "FailoverDiskReplicaGroup", mutating = true }

local function limiter(given)
  return assert(rate_limit.new(given))
end

-- Lets one call pass, which is answered after `travel` seconds.
local function take(lim, one, loop, now, deadline, travel)
  local turn <close> = rate_limit.turn(lim, one, loop)
  local passed, wait = slots.take(turn, now, deadline)
  if not passed then return nil, wait end
  turn.holds = "sent"
  if travel then loop.sleep(travel) end
  return passed - now
end

local function block(lim, one, code, now, seconds)
  rate_limit.block(rate_limit.bucket(lim, one), code, now, seconds)
end

-- Lets one call pass and notes when.
local function passer(loop, lim, passed)
  return function(name, fields, patience)
    local waited, wait = take(lim, plan(fields), loop, loop.now(),
      loop.now() + (patience or 3600))
    passed[#passed + 1] = { name = name, at = loop.now(), waited = waited, wait = wait }
  end
end

local function names_of(passed)
  local names = {}
  for i, one in ipairs(passed) do names[i] = one.name end
  return table.concat(names, " ")
end

describe("the rate of calls", function()
  it("is three quarters of the documented quota, per action and region", function()
    local data = require "alicloud.service.ebs"
    for _, case in ipairs {
      { "FailoverDiskReplicaGroup", 30 }, { "DescribePairDrills", 7 },
      { "StartPairDrill", 7 }, { "SomethingElse", 30 },
    } do
      local loop, lim = virtual_loop(), limiter { region = 100000 }
      local one = plan { action = case[1], data = data }
      for _ = 1, 1000 do take(lim, one, loop, loop.now(), math.huge) end
      assert.near((1000 - 1) // case[2], loop.now(), 1e-5, case[1])
    end
  end)

  it("lets an idle client burst without any wait, and never above the quota in a second", function()
    local loop, lim, passed = virtual_loop(), limiter(), {}
    local pass = passer(loop, lim, passed)
    for i = 1, 200 do pass(i) end
    for i = 1, 30 do assert.equal(0, passed[i].waited) end
    assert.is_true(passed[31].waited > 0)
    for i = 1, 170 do assert.is_true(passed[i + 30].at - passed[i].at >= 1) end
    assert.near(6, passed[200].at, 1e-6)
  end)

  it("is apart for each region, action and product", function()
    local loop, lim = virtual_loop(), limiter { action = 1, reserve = 0 }
    for _, fields in ipairs { {}, { region = "cn-beijing" }, { action = "DescribeRegions" },
      { product = "ecs" } } do
      assert.equal(0, take(lim, plan(fields), loop, 0, 100))
    end
    assert.is_true(take(lim, plan(), loop, 0, 100) > 0.9)
  end)

  it("follows what the quota center says of single actions", function()
    local loop, lim = virtual_loop(), limiter { actions = { DescribeRegions = 2 }, reserve = 0.5 }
    local one = plan { action = "DescribeRegions" }
    for _ = 1, 11 do take(lim, one, loop, loop.now(), math.huge) end
    assert.near(10, loop.now(), 1e-5)
  end)

  it("refuses a call whose wait would pass its deadline, and gives the moment back", function()
    local loop, lim = virtual_loop(), limiter { action = 1, reserve = 0 }
    assert.equal(0, take(lim, plan(), loop, 0, 10))
    local waited, wait = take(lim, plan(), loop, 0, 0.5)
    assert.is_nil(waited)
    assert.near(1, wait, 1e-6)
    assert.equal(0, loop.now())
    assert.near(1, (take(lim, plan(), loop, 0, 10)), 1e-6)
  end)

  it("names what is wrong with the option", function()
    for _, case in ipairs {
      { { action = 0 }, "option action: got 0 %(number%); allowed: a number of calls a second" },
      { { reserve = 1 }, "option reserve: got 1 %(number%); allowed: a number from 0 to 0.95" },
      { { actions = { A = "x" } }, "option actions: got a table; allowed: a table, by action" },
      { { acton = 1 }, 'unknown option "acton"; did you mean "action"%?' },
    } do
      local made, message = rate_limit.new(case[1])
      assert.is_nil(made)
      assert.matches(case[2], message)
    end
    assert.is_false(rate_limit.new(false))
  end)
end)

describe("a rehearsal that starts anew", function()
  it("does not wait for the moments of the one before", function()
    local loop, lim = virtual_loop(), limiter { action = 1, reserve = 0 }
    loop.set(5000)
    take(lim, plan(), loop, loop.now(), math.huge)
    loop.set(10)
    assert.equal(0, take(lim, plan(), loop, loop.now(), math.huge))
    assert.near(1, take(lim, plan(), loop, loop.now(), math.huge), 1e-5)
  end)
end)

describe("over sixty seeds", function()
  -- One call: it arrives somewhere on its way, and is answered or given up.
  local function travel(loop, lim, calls, call, seconds)
    local turn <close> = rate_limit.turn(lim, plan(call.fields), loop)
    assert(slots.take(turn, loop.now(), math.huge))
    calls[#calls + 1] = call
    call.sent, turn.holds = loop.now(), "sent"
    loop.sleep(seconds[1])
    call.arrived = loop.now()
    loop.sleep(seconds[2])
  end

  -- Calls of two actions, polls and changes, at random moments; every fifth is given up.
  local function rehearse(random)
    local loop, calls = virtual_loop(), {}
    local quota = { action = 4 + math.floor(random() * 20), reserve = random() * 0.9 }
    quota.region = quota.action * (0.5 + random())
    local lim = limiter(quota)
    for i = 1, 120 do
      local poll = { action = random() < 0.5 and "DescribeA" or "DescribeB" }
      local call = { number = i, fields = random() < 0.2 and CHANGE or poll, at = random() * 6 }
      local seconds = { random() * 0.5, random() * 0.5 }
      local lasts = random() < 0.2 and random() * 3
      loop.at(call.at, function()
        local task = loop.spawn(travel, loop, lim, calls, call, seconds)
        if lasts then loop.at(call.at + lasts, function() task:cancel() end) end
      end)
    end
    loop.run()
    loop.sleep(200)
    return calls, quota
  end

  -- The quota is judged by who counts in windows that begin anywhere.
  local function most_in_a_second(calls, name, counts)
    local moments, most, first = {}, 0, 1
    for _, call in ipairs(calls) do
      if call[name] and counts(call) then moments[#moments + 1] = call[name] end
    end
    table.sort(moments)
    for last, moment in ipairs(moments) do
      while moment - moments[first] >= 1 do first = first + 1 end
      most = math.max(most, last - first + 1)
    end
    return most
  end

  local function is(action)
    return function(call) return call.fields.action == action end
  end

  local function polls(call) return call.fields ~= CHANGE end

  it("no second sees more than its part of the quota, at sending and at arrival", function()
    for seed = 1, 60 do
      local calls, quota = rehearse(helper.generator(seed))
      assert.is_true(#calls > 80, seed)
      for _, moment in ipairs { "sent", "arrived" } do
        local function fits(limit, counts)
          local usable = math.max(1, math.floor(limit * (1 - quota.reserve)))
          assert.is_true(most_in_a_second(calls, moment, counts) <= usable, seed)
        end
        fits(quota.action, is "DescribeA")
        fits(quota.action, is "DescribeB")
        fits(quota.action, is(CHANGE.action))
        fits(quota.region, polls)
      end
    end
  end)

  it("each kind keeps its order", function()
    for seed = 1, 60 do
      local calls, newest = rehearse(helper.generator(seed)), {}
      for _, call in ipairs(calls) do
        local kind = call.fields.action
        assert.is_true(call.at >= (newest[kind] or 0), seed)
        newest[kind] = call.at
      end
    end
  end)
end)

describe("callers that wait at the same time", function()
  it("pass in the order in which they came", function()
    local loop, lim, passed = virtual_loop(), limiter { region = 10, reserve = 0 }, {}
    local pass = passer(loop, lim, passed)
    for i = 1, 40 do loop.at(i / 1000, function() pass(i) end) end
    loop.run()
    for i = 1, 40 do assert.equal(i, passed[i].name) end
    assert.near(3.01, passed[40].at, 1e-6)
  end)

  it("let a change go first, and make room for it afterwards", function()
    local loop, lim, passed = virtual_loop(), limiter { region = 10, reserve = 0 }, {}
    local pass = passer(loop, lim, passed)
    for i = 1, 30 do loop.at(i / 1000, function() pass("r" .. i) end) end
    loop.at(0.5, function() pass("change", CHANGE) end)
    loop.at(0.6, function() pass "late" end)
    loop.run()
    assert.equal("change", passed[11].name)
    assert.equal(0.5, passed[11].at)
    -- The others come in their order; the one that came after the change does so a moment later.
    local expected = {}
    for i = 1, 30 do expected[i] = "r" .. i end
    assert.equal(table.concat(expected, " ") .. " late", (names_of(passed):gsub("change ", "")))
    assert.near(3.002, passed[32].at, 1e-6)
  end)

  it("among changes pass in their order too", function()
    local loop, lim, passed = virtual_loop(), limiter { action = 4, reserve = 0 }, {}
    local pass = passer(loop, lim, passed)
    for i = 1, 12 do loop.at(i / 1000, function() pass(i, CHANGE) end) end
    loop.run()
    for i = 1, 12 do assert.equal(i, passed[i].name) end
    assert.near(2.004, passed[12].at, 1e-6)
  end)

  it("leave the line when they are cancelled, without waiting for anything", function()
    local loop, lim, passed = virtual_loop(), limiter { region = 1, reserve = 0 }, {}
    local pass = passer(loop, lim, passed)
    pass "first"
    local tasks = {}
    for i = 1, 300 do tasks[i] = loop.spawn(pass, i) end
    loop.sleep(0.5)
    for i = 1, 300 do if i ~= 200 then tasks[i]:cancel() end end
    pass "last"
    assert.equal("first 200 last", names_of(passed))
    assert.near(2, loop.now(), 1e-5)
  end)

  it("are refused when their deadline comes before an answer, and before a moment that is known",
    function()
      local loop, lim, passed = virtual_loop(), limiter { region = 1, reserve = 0 }, {}
      loop.at(0, function() take(lim, plan(), loop, loop.now(), 100, 7) end)
      for i = 1, 3 do loop.at(0.1, function() passer(loop, lim, passed)(i, {}, 5) end) end
      loop.run()
      for i = 1, 3 do
        assert.is_nil(passed[i].waited)
        assert.is_true(passed[i].wait >= 1)
        assert.is_true(passed[i].at <= 5.1 + 1e-6)
      end
      assert.near(8, loop.now() + take(lim, plan(), loop, loop.now(), 100), 1e-5)
    end)

  it("are so many as there are, in no more steps for each", function()
    local looks, loop = 0, virtual_loop()
    local now = loop.now
    function loop.now()
      looks = looks + 1
      return now()
    end
    local lim, passed = limiter { action = 1000, region = 1000, reserve = 0 }, {}
    for i = 1, 10000 do loop.spawn(passer(loop, lim, passed), i) end
    loop.sleep(9.9)
    assert.equal(10000, #passed)
    for i = 1, 10000 do assert.equal(i, passed[i].name) end
    assert.is_true(looks < 10 * 10000, looks)
  end)
end)

describe("a slot", function()
  it("is kept for a second after the answer, however long that took", function()
    local loop, lim = virtual_loop(), limiter { action = 1, reserve = 0 }
    take(lim, plan(), loop, loop.now(), 100, 7)
    assert.near(1, take(lim, plan(), loop, loop.now(), 100), 1e-5)
    local first = loop.spawn(take, lim, plan(), loop, loop.now(), 100, 7)
    local second = loop.spawn(take, lim, plan(), loop, loop.now(), 100)
    first:result()
    assert.near(9, second:result(), 1e-5)
  end)

  it("is kept by a call that is given up after it was sent, and not by one before", function()
    for sent, expected in pairs { [true] = 1, [false] = 0 } do
      local loop, lim = virtual_loop(), limiter { action = 1, reserve = 0 }
      local call = loop.spawn(function()
        local turn <close> = rate_limit.turn(lim, plan(), loop)
        slots.take(turn, loop.now(), 100)
        if sent then turn.holds = "sent" end
        loop.sleep(50)
      end)
      loop.sleep(5)
      call:cancel()
      assert.near(expected, take(lim, plan(), loop, loop.now(), 100), 1e-5)
      assert.near(5 + expected, loop.now(), 1e-5)
    end
  end)

  it("that nobody gives back is free after the deadline of its call", function()
    local loop, lim = virtual_loop(), limiter { action = 1, reserve = 0 }
    local thrown_away = coroutine.wrap(function()
      local turn <close> = rate_limit.turn(lim, plan(), loop)
      slots.take(turn, 0, 60)
      coroutine.yield()
    end)
    thrown_away()
    local waited = take(lim, plan(), loop, 0, 1000)
    assert.is_true(waited > 60 and waited < 80)
  end)
end)

describe("a change", function()
  local READ = { action = CHANGE.action, mutating = false }

  it("does not wait for readings of its action that were given up, but for its own kind",
    function()
      local loop, lim, passed = virtual_loop(), limiter { action = 8 }, {}
      local calls = {}
      for i = 1, 6 do
        calls[i] = loop.spawn(take, lim, plan(READ), loop, 0, 100, 50)
      end
      loop.sleep(0.1)
      for i = 1, 6 do calls[i]:cancel() end
      for i = 1, 3 do loop.at(0.1, function() passer(loop, lim, passed)(i, CHANGE) end) end
      loop.run()
      assert.near(0.1, passed[2].at, 1e-6)
      assert.near(1.1, passed[3].at, 1e-6)
    end)

  it("goes before the readings that wait for the same slots", function()
    local loop, lim, passed = virtual_loop(), limiter { action = 2, reserve = 0 }, {}
    local pass = passer(loop, lim, passed)
    for i = 1, 6 do loop.at(i / 1000, function() pass("r" .. i, READ) end) end
    loop.at(0.5, function() pass("change", CHANGE) end)
    loop.run()
    assert.equal("r1 r2 change r3 r4 r5 r6", names_of(passed))
    assert.near(1.001, passed[3].at, 1e-5)
  end)
end)

describe("after a throttled answer", function()
  local function half() return 0.5 end

  it("the server's wish counts", function()
    assert.equal(7, retry_after({ code = "Throttling.User", retry_after = 7 }, 1, 30, half))
    assert.equal(7, retry_after({ code = "Throttling", retry_after = 7 }, 3, 30, half))
  end)

  it("without a wish some codes mean the rest of the server's minute", function()
    for _, code in ipairs { "Throttling.User", "BLOCK.LimitedRquest", "BLOCK.LimitedRequest" } do
      assert.equal(31, retry_after({ code = code }, 1, 1795317570, half))
      assert.equal(61, retry_after({ code = code }, 1, 1795317540, half))
    end
  end)

  it("others do when they come again", function()
    for _, code in ipairs { "Throttling", "Throttling.Api", "Rejected.Throttling" } do
      assert.is_nil(retry_after({ code = code }, 1, 1795317570, half))
      assert.equal(31, retry_after({ code = code }, 2, 1795317570, half))
    end
  end)

  it("nobody else calls the action before its time, and the account's code stops all readings",
    function()
      local loop, lim = virtual_loop(), limiter()
      block(lim, plan(), "BLOCK.LimitedRquest", 0, 20)
      assert.equal(0, take(lim, plan { action = "DescribeRegions" }, loop, 0, 100))
      assert.equal(0, take(lim, plan { region = "cn-beijing" }, loop, 0, 100))
      assert.same({ nil, 20 }, { take(lim, plan(), loop, 0, 10) })
      assert.equal(20, (take(lim, plan(), loop, 0, 100)))
      block(lim, plan(), "Throttling.User", 20, 30)
      assert.equal(0, take(lim, plan(CHANGE), loop, 20, 100))
      assert.equal(30, (take(lim, plan { action = "DescribeRegions" }, loop, 20, 100)))
    end)

  -- How many calls pass at once after so many of all that may were throttled, each time: the first
  -- at once, the others a second after one another.
  local function passing(throttled, parts)
    local loop, lim = virtual_loop(), limiter { action = 16 * parts }
    rate_limit.share(lim, { parts = parts, from = 0, ends = math.huge }, 0)
    local context = { limiter = lim, shared = { tally = { throttles = 0 } },
      runtime = { random = half }, loop = loop }
    local one, counts = plan { policy = { hint_cap = 60 } }, {}
    for i, times in ipairs(throttled) do
      loop.set(100 * i)
      for _ = 1, counts[i - 1] or 12 do take(lim, one, loop, loop.now(), math.huge) end
      for late = 0, times - 1 do
        loop.set(100 * i + late)
        rate_limit.apply_throttle(context, one, { throttles = 0, passed_at = 100 * i },
          { retry_class = "throttle", code = "BLOCK.LimitedRquest", date = 1795317600 + late })
      end
      counts[i] = rate_limit.bucket(lim, one).own.count
    end
    return counts
  end

  it("three quarters of what passed are used, at least a quarter, half if none passed", function()
    for parts = 1, 3 do
      assert.same({ 8 }, passing({ 1 }, parts))
      assert.same({ 6, 3, 1 }, passing({ 4, 2, 1 }, parts))
      assert.same({ 3 }, passing({ 11 }, parts))
      assert.same({ 6, 3 }, passing({ 12, 6 }, parts))
    end
  end)
end)
