-- Fault rules: which request they meet, and what they do to it.

local caller = require "spec.emulator.caller"

local ERROR = { error = { code = "InternalError" } }

describe("a fault rule", function()
  local probe
  before_each(function() probe = caller.new() end)

  local function codes(count, group, token)
    local all = {}
    for index = 1, count do all[index] = (probe:failover(group or "pg-orders", token)) end
    return table.concat(all, " ")
  end

  it("fires on every request that fits, without limits", function()
    probe.emu:fault { effect = ERROR }
    assert.equal("InternalError InternalError", codes(2))
  end)

  it("fires on the nth request that fits", function()
    probe.emu:fault { match = { nth = 2 }, effect = ERROR }
    assert.equal("ok InternalError ok", codes(3))
  end)

  it("counts requests that another rule answered", function()
    probe.emu:fault { match = { nth = 1 }, effect = ERROR }
    probe.emu:fault { match = { nth = 2 }, effect = { error = { code = "RequestTimeout" } } }
    assert.equal("InternalError RequestTimeout ok", codes(3))
  end)

  it("fires on every so many requests, and only so often", function()
    probe.emu:fault { match = { every = 2, count = 2 }, effect = ERROR }
    assert.equal("ok InternalError ok InternalError ok ok", codes(6))
  end)

  it("yields to the first rule that fires", function()
    probe.emu:fault { match = { count = 1 }, effect = { error = { code = "Forbidden" } } }
    probe.emu:fault { effect = ERROR }
    assert.equal("Forbidden InternalError", codes(2))
  end)

  it("fits by action, region, group and use of the token", function()
    probe.emu:fault { match = { action = "FailoverDiskReplicaGroup", region = "cn-shanghai",
      group = "pg-payments", token = "repeat" }, effect = ERROR }
    assert.equal("ok ok", codes(2, "pg-orders", "a"))
    assert.equal("ok InternalError", codes(2, "pg-payments", "b"))
    assert.equal("ok", (probe:code("DescribeRegions", {})))
  end)

  it("is met by verified requests alone", function()
    local rule = probe.emu:fault { effect = ERROR }
    assert.equal("SignatureDoesNotMatch",
      (probe:code("DescribeRegions", {}, { access_key_secret = "wrong" })))
    assert.equal(0, rule.seen)
  end)

  it("is named in the log", function()
    probe.emu:fault { name = "bad day", effect = ERROR }
    codes(1)
    assert.equal("bad day", probe.emu:requests()[1].fault)
  end)

  it("is refused with the field that is wrong", function()
    for problem, rule in pairs {
      ['match.actoin: unknown field, did you mean "action"'] =
        { match = { actoin = "x" }, effect = ERROR },
      ["effect: is required"] = { match = {} },
      ["effect.error.code: is required"] = { effect = { error = {} } },
      ['effect.dorp: unknown field, did you mean "drop"'] = { effect = { dorp = true } },
      ['when: must be one of "before", "after", got "befor", did you mean "before"'] =
        { when = "befor", effect = ERROR },
      ["match.nth: must be at least 1, got 0"] = { match = { nth = 0 }, effect = ERROR },
    } do
      local ok, message = pcall(function() probe.emu:fault(rule) end)
      assert.is_false(ok)
      assert.truthy(message:find(problem, 1, true), message)
    end
  end)
end)

describe("an effect", function()
  local probe
  before_each(function() probe = caller.new() end)

  local function failover(token)
    return probe:call("FailoverDiskReplicaGroup",
      { RegionId = "cn-shanghai", ReplicaGroupId = "pg-orders", ClientToken = token })
  end

  it("before applying leaves the world alone; after applying it does not", function()
    probe.emu:fault { match = { nth = 1 }, when = "before",
      effect = { error = { code = "RequestTimeout" } } }
    probe.emu:fault { match = { nth = 2 }, when = "after",
      effect = { error = { code = "RequestTimeout" } } }
    assert.equal("RequestTimeout", failover().Code)
    assert.equal(0, #probe.emu:ledger())
    local body, status = failover()
    assert.equal("RequestTimeout", body.Code)
    assert.equal(504, status)
    assert.equal("The request is timeout, please try again later.", body.Message)
    assert.equal(1, #probe.emu:ledger())
  end)

  it("drop closes the connection, before or after the work", function()
    probe.emu:fault { match = { nth = 1 }, effect = { drop = true } }
    probe.emu:fault { match = { nth = 2 }, when = "after", effect = { drop = true } }
    for expected = 0, 1 do
      local _, _, exchange = failover()
      assert.equal("closed", exchange.failure)
      assert.is_true(exchange.sent)
      assert.equal(expected, #probe.emu:ledger())
    end
  end)

  it("throttles with the headers that clients look at", function()
    probe.emu:fault { match = { nth = 1 },
      effect = { error = { code = "Throttling.User", retry_after = 1.5 } } }
    probe.emu:fault { match = { nth = 2 },
      effect = { error = { code = "BLOCK.LimitedRquest", retry_after_ms = 700 } } }
    local body, status, exchange = failover()
    assert.equal("Throttling.User", body.Code)
    assert.equal(400, status)
    assert.equal("1500", exchange.headers["x-acs-retry-after"])
    assert.truthy(exchange.headers["x-ratelimit-user-api"]:find("TimeLeft:1500", 1, true))
    body, status, exchange = failover()
    assert.equal("BLOCK.LimitedRquest", body.Code)
    assert.equal(429, status)
    assert.equal("700", exchange.headers["x-acs-retry-after"])
  end)

  it("may have any code, status and message", function()
    probe.emu:fault { effect = { error = { code = "My.Code", status = 418, message = "tea" } } }
    local body, status = failover()
    assert.equal("My.Code", body.Code)
    assert.equal("tea", body.Message)
    assert.equal(418, status)
  end)

  it("delay before lets the work wait, delay after only the answer", function()
    for when, expected in pairs { before = 20, after = 0 } do
      probe = caller.new()
      probe.emu:fault { when = when, effect = { delay = 20 } }
      local start = probe.emu:now()
      assert.is_nil(failover().Code)
      assert.equal(20, probe.emu:now() - start)
      assert.equal(expected, probe.emu:ledger()[1].time - start)
    end
  end)

  it("delay beyond the client's patience is a timeout, and the work is done anyway", function()
    probe.emu:fault { when = "before", effect = { delay = 90 } }
    local request = probe:sign("FailoverDiskReplicaGroup",
      { RegionId = "cn-shanghai", ReplicaGroupId = "pg-orders" })
    request.timeout = 30
    local start = probe.emu:now()
    local exchange = probe.emu.transport.send(request)
    assert.equal("timeout", exchange.failure)
    assert.is_true(exchange.sent)
    assert.equal(30, probe.emu:now() - start)
    assert.equal(0, #probe.emu:ledger())
    probe.emu:advance(60)
    assert.equal(90, probe.emu:ledger()[1].time - start)
  end)

  it("stuck never ends the failover", function()
    probe.emu:fault { effect = { stuck = true }, match = { action = "FailoverDiskReplicaGroup" } }
    failover()
    probe.emu:advance(1e6)
    assert.equal("failovering", probe:look("pg-orders").Status)
    assert.equal("failovering", probe:pair_statuses("pg-orders")[1])
  end)

  it("partial fails the pairs it names, and so the group", function()
    probe.emu:fault { effect = { partial = { "pair-orders-2" } },
      match = { action = "FailoverDiskReplicaGroup" } }
    failover()
    probe.emu:advance(60)
    assert.same({ "failovered", "failover_failed", "failovered" }, probe:pair_statuses "pg-orders")
    assert.equal("failover_failed", probe:look("pg-orders").Status)
  end)

  it("apply_late answers with a timeout, shows the old state, and works afterwards", function()
    probe.emu:fault { effect = { apply_late = 25 }, match = { nth = 1 } }
    local body, status = failover "t"
    assert.equal("RequestTimeout", body.Code)
    assert.equal(504, status)
    probe.emu:advance(24)
    assert.equal("normal", probe:look("pg-orders").Status)
    probe.emu:advance(1)
    assert.equal("failovering", probe:look("pg-orders").Status)
    assert.equal(body.RequestId, probe.emu:ledger()[1].request_id)
    assert.equal(1795316425, probe.emu:ledger()[1].time)
  end)

  it("apply_late happens in the order of time, also while only a client waits", function()
    probe.emu:fault { effect = { apply_late = 30 }, match = { nth = 1 } }
    probe.emu:fault { effect = { apply_late = 10 }, match = { nth = 2 } }
    probe:failover("pg-orders", "a")
    probe:failover("pg-payments", "b")
    probe.emu.runtime.sleep(20)
    assert.equal("failovering", probe:look("pg-payments").Status)
    assert.equal("normal", probe:look("pg-orders").Status)
    probe.emu.runtime.sleep(20)
    local first, second = table.unpack(probe.emu:ledger())
    assert.equal("pg-payments", first.group)
    assert.equal(20, second.time - first.time)
  end)

  it("apply_late can lose its answer, and is refused where the work would be", function()
    probe.emu:fault { effect = { apply_late = 25, drop = true }, match = { nth = 1 } }
    probe.emu:fault { effect = { apply_late = 25 }, match = { nth = 2 } }
    local _, _, exchange = failover "t"
    assert.equal("closed", exchange.failure)
    assert.equal("NoSuchResource", (probe:failover "nope"))
    probe.emu:advance(25)
    assert.equal(1, #probe.emu:ledger())
  end)
end)
