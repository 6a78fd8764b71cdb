-- The rate as a client keeps it: on its own clock, with other clients, in calls that are sent
-- again.

local core = require "alicloud.core"
local helper = require "spec.helper"

local ok, refuse = helper.ok, helper.refuse

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

  it("takes a slot for every attempt, and none for one that sends nothing", function()
    local rate = { actions = { DescribeRegions = 1 }, reserve = 0 }
    local lost = helper.broken("timeout", true)
    local client, transport, control = helper.client({ lost, lost, ok() }, { rate = rate })
    assert(client:call "DescribeRegions")
    assert.equal(3, #transport.requests)
    assert.is_true(control.elapsed >= 2)
    local asked, credentials = 0, {}
    function credentials.get()
      asked = asked + 1
      return asked > 5 and { access_key_id = "id", access_key_secret = "secret" } or nil
    end
    client, transport, control = helper.client({ ok() }, { rate = rate, credentials = credentials })
    for _ = 1, 5 do assert.equal("not_sent", select(2, client:call "DescribeRegions").outcome) end
    assert(client:call "DescribeRegions")
    assert.same({ 1, 0 }, { #transport.requests, control.elapsed })
  end)

  it("keeps no slot of what was given up before anything had left", function()
    for sent, elapsed in pairs { [false] = 0, [true] = 1 } do
      local client, _, control = helper.client({ helper.broken("cancelled", sent), ok() },
        { rate = { actions = { DescribeRegions = 1 }, reserve = 0 } })
      assert.is_nil((client:call("DescribeRegions", {}, { retries = 0 })))
      assert(client:call "DescribeRegions")
      assert.near(elapsed, control.elapsed, 1e-6)
    end
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

  it("tells how much it uses of the quota that it uses most", function()
    local client, _, control = helper.client(answers(9),
      { rate = { action = 100, actions = { DescribeRegions = 2 }, reserve = 0 } })
    assert.is_nil(client:rate_use())
    client:call "DescribeDiskReplicaGroups"
    client:call "DescribeRegions"
    local use = client:with({ timeout = 5 }):rate_use()
    assert.equal("ebs:DescribeRegions", use.action)
    assert.near(1, use.used, 1e-6)
    assert.near(2, use.allowed, 1e-6)
    control.elapsed = 2
    assert.equal(0, client:rate_use().used)
    -- Of processes that share the quota each has a part.
    client:share_rate { parts = 2, from = 0, ends = math.huge }
    assert.near(1, client:rate_use().allowed, 1e-6)
    assert.is_nil(client:with({ rate = false }):rate_use())
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

  describe("of a limit of 8 calls a second", function()
    local RATE = { actions = { DescribeRegions = 8 }, reserve = 0 }
    local ONCE = { retries = 0, deadline = 100 }

    -- What it lets pass after it was refused so often, and came back each time.
    local function after(refusal, times)
      local list = answers(9)
      for _ = 1, times do table.insert(list, 1, refusal) end
      local client, _, control = helper.client(list, { rate = RATE })
      for _ = 1, times do client:call("DescribeRegions", {}, ONCE) end
      assert(client:call("DescribeRegions", {}, ONCE))
      return client:rate_use().allowed, client, control
    end

    it("lets half pass each time that nothing of it passed, whether a wish came with it or not",
      function()
        for _, refusal in ipairs { refuse(429, "BLOCK.LimitedRquest"),
          refuse(400, "Throttling", { ["x-acs-retry-after"] = "9000" }) } do
          for times, allowed in ipairs { 4, 2, 1 } do
            assert.near(allowed, (after(refusal, times)), 1e-6)
          end
        end
      end)

    it("never lets less than one pass", function()
      assert.near(1, (after(refuse(429, "BLOCK.LimitedRquest"), 9)), 1e-6)
    end)

    it("lets all pass again after ten times the seconds of the last block", function()
      local _, client, control = after(refuse(400, "Throttling",
        { ["x-acs-retry-after"] = "9000" }), 1)
      local came_back = control.elapsed
      client.loop.sleep(89)
      assert(client:call "DescribeRegions")
      assert.near(4, client:rate_use().allowed, 1e-6)
      client.loop.sleep(came_back + 91 - control.elapsed)
      assert(client:call "DescribeRegions")
      assert.near(8, client:rate_use().allowed, 1e-6)
    end)

    it("shares what is left of it with others", function()
      local _, client = after(refuse(429, "BLOCK.LimitedRquest"), 1)
      client:share_rate { parts = 2, from = 0, ends = math.huge }
      assert.near(2, client:rate_use().allowed, 1e-6)
    end)
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
