local core = require "alicloud.core"
local helper = require "spec.helper"
local rate_limit = require "alicloud.call.rate_limit"

local ok, refuse = helper.ok, helper.refuse
local retry_after = rate_limit.retry_after

-- Coroutines on a clock that jumps to the next one's waking.
local function scheduler()
  local self = { time = 0, sleeping = {}, order = 0 }

  function self.now() return self.time end

  function self.sleep(seconds)
    if not coroutine.isyieldable() then
      self.time = self.time + seconds
      return
    end
    self.order = self.order + 1
    self.sleeping[#self.sleeping + 1] = { at = self.time + seconds, order = self.order,
      task = coroutine.running() }
    coroutine.yield()
  end

  function self.spawn(at, work)
    self.order = self.order + 1
    self.sleeping[#self.sleeping + 1] = { at = at, order = self.order,
      task = coroutine.create(work) }
  end

  function self.run()
    while #self.sleeping > 0 do
      table.sort(self.sleeping, function(a, b)
        return a.at < b.at or a.at == b.at and a.order < b.order
      end)
      local next_one = table.remove(self.sleeping, 1)
      self.time = math.max(self.time, next_one.at)
      assert(coroutine.resume(next_one.task))
    end
  end

  return self
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

local function take(lim, one, loop, now, deadline)
  return rate_limit.take(rate_limit.bucket(lim, one, now), one.mutating, loop, now, deadline)
end

local function block(lim, one, code, now, seconds)
  rate_limit.block(rate_limit.bucket(lim, one, now), code, now, seconds)
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
      local loop, lim = scheduler(), limiter { region = 100000 }
      local one = plan { action = case[1], data = data }
      for _ = 1, 1000 do take(lim, one, loop, loop.now(), math.huge) end
      assert.equal((1000 - 1) // case[2], loop.now(), case[1])
    end
  end)

  it("lets an idle client burst without any wait, and never above the quota in a second", function()
    local loop, lim, passed = scheduler(), limiter(), {}
    local pass = passer(loop, lim, passed)
    for i = 1, 200 do pass(i) end
    for i = 1, 30 do assert.equal(0, passed[i].waited) end
    assert.is_true(passed[31].waited > 0)
    for i = 1, 170 do assert.is_true(passed[i + 30].at - passed[i].at >= 1) end
    assert.near(6, passed[200].at, 1e-6)
  end)

  it("is apart for each region, action and product", function()
    local loop, lim = scheduler(), limiter { action = 1, reserve = 0 }
    for _, fields in ipairs { {}, { region = "cn-beijing" }, { action = "DescribeRegions" },
      { product = "ecs" } } do
      assert.equal(0, take(lim, plan(fields), loop, 0, 100))
    end
    assert.is_true(take(lim, plan(), loop, 0, 100) > 0.9)
  end)

  it("follows what the quota center says of single actions", function()
    local loop, lim = scheduler(), limiter { actions = { DescribeRegions = 2 }, reserve = 0.5 }
    local one = plan { action = "DescribeRegions" }
    for _ = 1, 11 do take(lim, one, loop, loop.now(), math.huge) end
    assert.equal(10, loop.now())
  end)

  it("refuses a call whose wait would pass its deadline, and gives the moment back", function()
    local loop, lim = scheduler(), limiter { action = 1, reserve = 0 }
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
    local loop, lim = scheduler(), limiter { action = 1, reserve = 0 }
    loop.time = 5000
    take(lim, plan(), loop, loop.now(), math.huge)
    loop.time = 10
    assert.equal(0, take(lim, plan(), loop, loop.now(), math.huge))
    assert.equal(1, take(lim, plan(), loop, loop.now(), math.huge))
  end)
end)

describe("over sixty seeds", function()
  -- Calls of two actions, polls and changes, at random moments; the quota is judged by who counts
  -- in windows that begin anywhere.
  local function rehearse(random)
    local loop, passed = scheduler(), {}
    local quota = { action = 4 + math.floor(random() * 20), reserve = random() * 0.9 }
    quota.region = quota.action * (0.5 + random())
    local lim = limiter(quota)
    local pass = passer(loop, lim, passed)
    for i = 1, 120 do
      local change = random() < 0.2
      local poll = { action = random() < 0.5 and "DescribeA" or "DescribeB" }
      local fields = change and CHANGE or poll
      local at = random() * 6
      loop.spawn(at, function() pass({ i, fields.action, at = at }, fields) end)
    end
    loop.run()
    return passed, quota
  end

  local function most_in_a_second(passed, counts)
    local most = 0
    for i = 1, #passed do
      local count = 0
      for j = i, #passed do
        if passed[j].at >= passed[i].at + 1 - 1e-9 then break end
        if counts(passed[j].name) then count = count + 1 end
      end
      if counts(passed[i].name) then most = math.max(most, count) end
    end
    return most
  end

  it("no second sees more than its part of the quota, and each kind keeps its order", function()
    for seed = 1, 60 do
      local passed, quota = rehearse(helper.generator(seed))
      local usable = math.max(1, quota.action * (1 - quota.reserve))
      local newest = {}
      for _, action in ipairs { "DescribeA", "DescribeB", CHANGE.action } do
        assert.is_true(most_in_a_second(passed, function(name) return name[2] == action end)
          <= usable + 1e-9, seed)
      end
      table.sort(passed, function(a, b) return a.name.at < b.name.at end)
      for _, one in ipairs(passed) do
        local kind = one.name[2]
        -- Who shares a moment may wake in any order: a sleep is rounded.
        assert.is_true(one.at >= (newest[kind] or 0) - 1e-9, seed)
        newest[kind] = one.at
      end
      assert.equal(120, #passed)
    end
  end)
end)

describe("callers that wait at the same time", function()
  it("pass in the order in which they came", function()
    local loop, lim, passed = scheduler(), limiter { region = 10, reserve = 0 }, {}
    local pass = passer(loop, lim, passed)
    for i = 1, 40 do loop.spawn(i / 1000, function() pass(i) end) end
    loop.run()
    for i = 1, 40 do assert.equal(i, passed[i].name) end
    assert.near(3.01, passed[40].at, 1e-6)
  end)

  it("let a change go first, and make room for it afterwards", function()
    local loop, lim, passed = scheduler(), limiter { region = 10, reserve = 0 }, {}
    local pass = passer(loop, lim, passed)
    for i = 1, 30 do loop.spawn(i / 1000, function() pass("r" .. i) end) end
    loop.spawn(0.5, function() pass("change", CHANGE) end)
    loop.spawn(0.6, function() pass "late" end)
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
    local loop, lim, passed = scheduler(), limiter { action = 4, reserve = 0 }, {}
    local pass = passer(loop, lim, passed)
    for i = 1, 12 do loop.spawn(i / 1000, function() pass(i, CHANGE) end) end
    loop.run()
    for i = 1, 12 do assert.equal(i, passed[i].name) end
    assert.near(2.004, passed[12].at, 1e-6)
  end)

  it("are not held up by one who is never woken again, or whose sleep is interrupted", function()
    local loop, lim = scheduler(), limiter { region = 1, reserve = 0 }
    take(lim, plan(), loop, 0, 100)
    local interrupted = { now = loop.now, sleep = function() error("interrupted!", 0) end }
    local fine, raised = pcall(take, lim, plan(), interrupted, 0, 100)
    assert.is_false(fine)
    assert.equal("interrupted!", raised)
    local never = coroutine.create(take)
    coroutine.resume(never, lim, plan(), { now = loop.now, sleep = coroutine.yield }, 0, 100)
    assert.equal(0, take(lim, plan(CHANGE), loop, 0, 100))
    assert.equal(4, take(lim, plan(), loop, 0, 100))
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
      local loop, lim = scheduler(), limiter()
      block(lim, plan(), "BLOCK.LimitedRquest", 0, 20)
      assert.equal(0, take(lim, plan { action = "DescribeRegions" }, loop, 0, 100))
      assert.equal(0, take(lim, plan { region = "cn-beijing" }, loop, 0, 100))
      assert.same({ nil, 20 }, { take(lim, plan(), loop, 0, 10) })
      assert.equal(20, (take(lim, plan(), loop, 0, 100)))
      block(lim, plan(), "Throttling.User", 20, 30)
      assert.equal(0, take(lim, plan(CHANGE), loop, 20, 100))
      assert.equal(30, (take(lim, plan { action = "DescribeRegions" }, loop, 20, 100)))
    end)
end)

describe("a client", function()
  local function answers(count)
    local list = {}
    for i = 1, count do list[i] = ok() end
    return list
  end

  it("waits for its turn on its own clock, and tells how long", function()
    local client, transport, control = helper.client(answers(90))
    for _ = 1, 90 do assert(client:call "DescribeRegions") end
    assert.equal(90, #transport.requests)
    assert.near(2, control.elapsed, 1e-6)
    assert.near(2, client:stats().waited, 1e-6)
  end)

  it("signs after the wait, not before", function()
    local client, transport = helper.client(answers(2),
      { rate = { actions = { DescribeRegions = 0.1 }, reserve = 0 } })
    client:call "DescribeRegions"
    assert(client:call "DescribeRegions")
    assert.equal("2026-11-22T03:19:52Z", transport.requests[1].headers["x-acs-date"])
    assert.equal("2026-11-22T03:20:02Z", transport.requests[2].headers["x-acs-date"])
  end)

  it("lets many tasks wait at a time, in order, and a change before the polls", function()
    local order = {}
    local client, _, control = helper.client({}, {
      rate = { action = 1000, actions = { DescribeRegions = 1000 }, region = 10, reserve = 0 },
      transport = { send = function(request)
        order[#order + 1] = request.action
        return ok()
      end },
    })
    local started = {}
    for i = 1, 30 do started[i] = client:start "DescribeRegions" end
    started[31] = client:start("FailoverDiskReplicaGroup", { ReplicaGroupId = "pg-orders" })
    for i = 1, 31 do assert(started[i]:result()) end
    local at
    for i, action in ipairs(order) do if action:find "^Failover" then at = i end end
    assert.equal(11, at)
    assert.near(2, control.elapsed, 1e-6)
  end)

  it("shares its rate with those derived from it, unless they have their own", function()
    local client, _, control = helper.client(answers(9),
      { rate = { action = 1, region = 1, reserve = 0 } })
    client:call "DescribeRegions"
    assert(client:with({ timeout = 5 }):call "DescribeRegions")
    assert.near(1, control.elapsed, 1e-6)
    for _ = 1, 5 do assert(client:with({ rate = false }):call "DescribeRegions") end
    assert.near(1, control.elapsed, 1e-6)
  end)

  it("does not send what would have to wait past its deadline", function()
    local client, transport = helper.client(answers(9),
      { rate = { actions = { DescribeRegions = 0.01 }, reserve = 0 } })
    client:call "DescribeRegions"
    local result, err = client:call "DescribeRegions"
    assert.is_nil(result)
    assert.equal("Client.RateLimit", err.code)
    assert.equal("throttled", err.kind)
    assert.equal("not_sent", err.outcome)
    assert.near(100, err.retry_after, 1e-6)
    assert.is_true(err.retryable)
    assert.equal(1, #transport.requests)
  end)

  it("refuses a rate that is none", function()
    assert.matches("option rate: got true %(boolean%); allowed: false or a table",
      helper.raised(function() helper.client({}, { rate = true }) end))
    assert.matches("rate: option action: got %-1", helper.raised(function()
      helper.client({}, { rate = { action = -1 } })
    end))
  end)

  it("waits out a blocked minute of the server's clock, not of its own", function()
    local client, transport, control = helper.client({
      refuse(429, "BLOCK.LimitedRquest", { date = "Sun, 22 Nov 2026 03:19:20 GMT" }), ok(),
    }, { skew = 7 })
    assert(client:call "DescribeRegions")
    assert.equal(2, #transport.requests)
    assert.is_true(control.elapsed >= 40 and control.elapsed <= 42)
    assert.equal(1, client:stats().throttles)
  end)

  it("sends nothing of a blocked action until then, in any call", function()
    local client, transport, control = helper.client { refuse(429, "BLOCK.LimitedRquest"), ok(),
      ok() }
    local _, err = client:call("DescribeRegions", {}, { retries = 0 })
    assert.is_true(err.retry_after >= 8 and err.retry_after <= 10)
    _, err = client:call("DescribeRegions", {}, { deadline = 5 })
    assert.equal("Client.RateLimit", err.code)
    assert.equal(1, #transport.requests)
    assert(client:call "DescribeDiskReplicaGroups")
    assert.equal(0, control.elapsed)
    assert(client:call "DescribeRegions")
    assert.is_true(control.elapsed >= 8)
  end)

  it("knows each documented way of saying it", function()
    for _, answer in ipairs {
      refuse(400, "Throttling"), refuse(400, "Throttling.User"), refuse(400, "Throttling.Api"),
      refuse(400, "Rejected.Throttling"), refuse(429, "BLOCK.LimitedRquest"),
      refuse(429, "SomethingElse"), refuse(403, "Forbidden", { ["x-acs-retry-after"] = "500" }),
      refuse(400, "Throttling", { ["x-ratelimit-user-api"] = "Limit:40,Remain:0,TimeLeft:900" }),
      refuse(400, "Throttling", { ["x-ratelimit-user"] = "Remain:0,TimeLeft:900" }),
    } do
      local client, transport = helper.client { answer, ok() }
      assert(client:call "DescribeRegions", core.encode(answer))
      assert.equal(2, #transport.requests)
      assert.equal(1, client:stats().throttles)
    end
  end)

  it("waits for the longest of the headers", function()
    local client, _, control = helper.client { refuse(400, "Throttling", {
      ["x-ratelimit-user-api"] = "Remain:0,TimeLeft:900",
      ["x-ratelimit-user"] = "Remain:0,TimeLeft:4000" }), ok() }
    assert(client:call "DescribeRegions")
    assert.is_true(control.elapsed >= 4)
  end)
end)
