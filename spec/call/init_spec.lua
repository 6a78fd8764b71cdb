local alicloud = require "alicloud"
local core = require "alicloud.core"
local helper = require "spec.helper"

local ok, refuse, broken = helper.ok, helper.refuse, helper.broken

local GROUP = { ReplicaGroupId = "pg-orders" }

local failover = helper.caller("FailoverDiskReplicaGroup", GROUP)
local read = helper.caller("DescribeRegions", {})

local function nonce(request)
  return request.headers["x-acs-signature-nonce"]
end

describe("a call that goes well", function()
  it("is one signed request and a plain table", function()
    local result, err, requests = failover { ok() }
    assert.is_nil(err)
    assert.equal("REQ-OK", result.RequestId)
    assert.equal(1, #requests)
    local request = requests[1]
    assert.equal("POST", request.method)
    assert.equal("ebs.cn-shanghai.aliyuncs.com", request.host)
    assert.equal(request.host, request.headers.host)
    assert.equal("FailoverDiskReplicaGroup", request.headers["x-acs-action"])
    assert.equal("2021-07-30", request.headers["x-acs-version"])
    assert.equal("2026-11-22T03:19:52Z", request.headers["x-acs-date"])
    assert.matches("^ACS3%-HMAC%-SHA256 Credential=LTAIexample0000abcd,",
      request.headers.authorization)
    assert.is_true(request.mutating)
    assert.equal("FailoverDiskReplicaGroup", request.action)
    local query = helper.query(request)
    assert.equal("pg-orders", query.ReplicaGroupId)
    assert.equal("cn-shanghai", query.RegionId)
    assert.equal(32, #query.ClientToken)
  end)

  it("is refused before anything is sent, once and for good, where it is too large", function()
    local client, transport = helper.client {}
    for _, action in ipairs { "foo:DescribeThings", "foo:ChangeThings" } do
      local result, err = client:call(action, { Text = ("x"):rep(5 << 20) },
        { version = "2020-01-01" })
      assert.is_nil(result)
      assert.equal("Client.RequestTooLarge", err.code)
      assert.equal("limit", err.kind)
      assert.equal("not_sent", err.outcome)
      assert.is_false(err.retryable)
      assert.equal(1, err.attempts)
      assert.truthy(err.message:find("url is larger than 4194304 bytes", 1, true), err.message)
      assert.is_string(err.hint)
    end
    assert.equal(0, #transport.requests)
    local prepared, err = client:prepare("foo:DescribeThings", { Text = ("x"):rep(5 << 20) },
      { version = "2020-01-01" })
    assert.is_nil(prepared)
    assert.equal("Client.RequestTooLarge", err.code)
  end)

  it("carries parameters in the body where the operation wants a form", function()
    for _, algorithm in ipairs { "ACS3-HMAC-SHA256", "ACS3-HMAC-SM3", "HMAC-SHA1" } do
      local client, transport = helper.client({ helper.ok() }, { algorithm = algorithm })
      assert(client:call("DescribeUserTagValues", { TagKey = "a b&c", TagFilterValue = "ü" }))
      local request = transport.requests[1]
      local sent = helper.query { url = "?" .. request.body }
      assert.equal("a b&c", sent.TagKey)
      assert.equal("ü", sent.TagFilterValue)
      assert.equal("cn-shanghai", sent.RegionId)
      assert.is_nil(helper.query(request).TagKey)
      assert.equal("application/x-www-form-urlencoded", request.headers["content-type"])
    end
  end)

  it("tells the rest on demand", function()
    local result, _, requests = failover {
      broken("connect", false), ok({}, { date = "Sun, 22 Nov 2026 03:19:52 GMT" }),
    }
    local meta = alicloud.meta(result)
    assert.equal("REQ-OK", meta.request_id)
    assert.equal(200, meta.status)
    assert.equal(2, meta.attempts)
    assert.equal(helper.NOW, meta.server_time)
    assert.equal(helper.query(requests[2]).ClientToken, meta.client_token)
    assert.same({ "REQ-OK" }, meta.request_ids)
    assert.is_true(meta.elapsed > 0 and meta.elapsed < 0.2)
    assert.equal("ebs.cn-shanghai.aliyuncs.com", meta.endpoint)
    assert.is_nil(alicloud.meta {})
  end)

  it("gives the attempt the time of its kind, and never more than the deadline", function()
    local _, _, requests = failover { ok() }
    assert.equal(30, requests[1].timeout)
    _, _, requests = read { ok() }
    assert.equal(10, requests[1].timeout)
    _, _, requests = read({ ok() }, { deadline = 4 })
    assert.equal(4, requests[1].timeout)
  end)
end)

describe("a further attempt", function()
  it("has the same token and parameters, but its own nonce, date and signature", function()
    local _, _, requests = failover { refuse(504, "RequestTimeout"), refuse(500, "InternalError"),
      ok() }
    assert.equal(3, #requests)
    local seen = {}
    for _, request in ipairs(requests) do
      assert.equal(requests[1].url, request.url)
      assert.is_nil(seen[nonce(request)])
      assert.is_nil(seen[request.headers.authorization])
      seen[nonce(request)], seen[request.headers.authorization] = true, true
    end
    assert.is_nil(requests[1].headers["x-acs-retry-attempts"])
    assert.equal("1", requests[2].headers["x-acs-retry-attempts"])
    assert.equal("2", requests[3].headers["x-acs-retry-attempts"])
    assert.matches("x%-acs%-retry%-delay", requests[3].headers.authorization)
  end)

  it("follows trouble, never a final answer", function()
    for _, case in ipairs {
      { broken("resolve", false), 2 }, { broken("connect", false), 2 },
      { broken("timeout", true), 2 }, { refuse(503, "ServiceUnavailable"), 2 },
      { refuse(400, "Throttling.User"), 2 }, { refuse(429, "BLOCK.LimitedRquest"), 2 },
      { broken("tls", false), 1 }, { refuse(404, "NoSuchResource"), 1 },
      { refuse(403, "OperationDenied"), 1 }, { refuse(400, "InvalidParameter"), 1 },
      { refuse(400, "SignatureDoesNotMatch"), 1 }, { { status = 302, headers = {}, body = "" }, 1 },
      { refuse(400, "InvalidSecurityToken.Expired"), 1 },
    } do
      local _, _, requests = failover { case[1], ok() }
      assert.equal(case[2], #requests, core.encode(case[1]))
    end
  end)

  it("waits at least as long as the service asks", function()
    local result, _, _, control = read {
      refuse(429, "Throttling", { ["x-acs-retry-after"] = "7500" }), ok(),
    }
    assert.is_truthy(result)
    assert.same({ 7.5 }, control.sleeps)
  end)

  it("is not waited for when the deadline would pass; the wish is reported", function()
    local result, err, requests, control = read({
      refuse(429, "Throttling", { ["x-acs-retry-after"] = "30000" }), ok(),
    }, { deadline = 20 })
    assert.is_nil(result)
    assert.equal("deadline", err.stopped)
    assert.equal(30, err.retry_after)
    assert.is_true(err.retryable)
    assert.equal(1, #requests)
    assert.same({}, control.sleeps)
  end)

  it("is not made with retries = 0, whatever happened", function()
    for _, answer in ipairs {
      refuse(504, "RequestTimeout"), broken("connect", false), refuse(400, "SignatureNonceUsed"),
      refuse(400, "Throttling"),
    } do
      local _, err, requests = read({ answer, ok() }, { retries = 0 })
      assert.equal(1, #requests)
      assert.equal(1, err.attempts)
      assert.equal("attempts", err.stopped)
    end
  end)

  it("is not made when the client's budget is empty", function()
    local client, transport = helper.client({}, { retry = { budget = 20 } })
    transport.send = function(request)
      transport.requests[#transport.requests + 1] = request
      return broken("connect", false)
    end
    local _, err = client:call "DescribeRegions"
    assert.equal(2, #transport.requests)
    assert.equal("budget", err.stopped)
    _, err = client:call "DescribeRegions"
    assert.equal(3, #transport.requests)
    assert.equal("budget", err.stopped)
    assert.equal("Client.Connect", err.code)
  end)

  it("that succeeds gives its cost back to the budget", function()
    local down, answers = broken("connect", false), {}
    for i = 1, 10 do answers[2 * i - 1], answers[2 * i] = down, ok() end
    local client = helper.client(answers, { retry = { budget = 20 } })
    for _ = 1, 10 do assert.is_truthy(client:call "DescribeRegions") end
  end)

  it("with a new nonce follows a refused nonce once", function()
    local result, _, requests, control = read { refuse(400, "SignatureNonceUsed"), ok() }
    assert.is_truthy(result)
    assert.not_equal(nonce(requests[1]), nonce(requests[2]))
    assert.same({}, control.sleeps)
    local _, err
    _, err, requests = read { refuse(400, "SignatureNonceUsed"), refuse(400, "SignatureNonceUsed"),
      ok() }
    assert.equal(2, #requests)
    assert.equal("final", err.stopped)
  end)
end)

describe("a wrong clock", function()
  local DATE = { date = "Sun, 22 Nov 2026 03:19:52 GMT" }

  it("is mended once from the server's Date, and stays mended", function()
    local client, transport = helper.client({ refuse(400, "InvalidTimeStamp.Expired", DATE), ok(),
      ok() }, { skew = -7200 })
    assert.is_truthy(client:call "DescribeRegions")
    assert.is_truthy(client:with({ timeout = 5 }):call "DescribeRegions")
    assert.equal("2026-11-22T01:19:52Z", transport.requests[1].headers["x-acs-date"])
    assert.equal("2026-11-22T03:19:52Z", transport.requests[2].headers["x-acs-date"])
    assert.equal("2026-11-22T03:19:52Z", transport.requests[3].headers["x-acs-date"])
  end)

  it("is told of once, with the skew, and again only when it changes", function()
    local expired, warnings = refuse(400, "InvalidTimeStamp.Expired", DATE), {}
    local client, _, control = helper.client({ expired, ok(), ok(), expired, ok() },
      { skew = -7200, warnings = warnings })
    assert(client:call "DescribeRegions")
    assert(client:call "DescribeRegions")
    assert.equal(1, #warnings)
    assert.matches("^the clock of this machine is 2 h 0 min behind %(by ebs%.cn%-shanghai%.",
      warnings[1])
    -- Somebody sets it right, and a bit too far.
    control.skew = 90
    assert(client:call "DescribeRegions")
    assert.equal(2, #warnings)
    assert.matches("is 1 min 30 s ahead", warnings[2])
  end)

  it("is told to Lua's own warn by default, which stays silent until it is switched on", function()
    local runtime = require("alicloud.base.runtime").new()
    assert.has_no_error(function() runtime.warn "@on is no control message here" end)
  end)

  it("is not mended twice in one call", function()
    local expired = refuse(400, "InvalidTimeStamp.Expired", DATE)
    local _, err, requests = read({ expired, expired, ok() }, nil, { skew = -7200 })
    assert.equal(2, #requests)
    assert.equal("final", err.stopped)
    assert.equal("rejected", err.outcome)
  end)

  it("is not mended without a Date, by more than a day, or over open HTTP", function()
    for _, case in ipairs {
      { {}, {} },
      { DATE, { skew = 86400 + 60 } },
      { DATE, { skew = -7200, endpoint = "http://10.0.0.1", plain_http = true } },
    } do
      local _, err, requests = read(
        { refuse(400, "InvalidTimeStamp.Expired", case[1]), ok() }, nil, case[2])
      assert.equal(1, #requests)
      assert.equal("final", err.stopped)
    end
  end)

  it("that stays refused is shown beside the server's, and neither is called wrong", function()
    local expired = refuse(400, "InvalidTimeStamp.Expired", DATE)
    local _, err = read({ expired }, nil, { skew = 2 * 86400 })
    assert.equal("it is 2026-11-24T03:19:52Z here and 2026-11-22T03:19:52Z at the server: set the "
      .. "clock that is wrong (chronyc tracking, timedatectl) and repeat", err.hint)
    for _, case in ipairs { { {}, 86400 * 2 }, { DATE, 0 } } do
      expired = refuse(400, "InvalidTimeStamp.Expired", case[1])
      err = select(2, read({ expired, expired }, nil, { skew = case[2] }))
      assert.matches("^set the clock %(", err.hint)
    end
  end)
end)

describe("credentials that fail", function()
  it("end the call before anything is sent", function()
    local client, transport = helper.client({ ok() }, { credentials = { get = function() end } })
    local result, err = client:call("FailoverDiskReplicaGroup", GROUP)
    assert.is_nil(result)
    assert.equal("credentials", err.kind)
    assert.equal("not_sent", err.outcome)
    assert.equal(0, #transport.requests)
    assert.equal("ebs", err.product)
  end)

  it("after an unknown outcome leave it unknown", function()
    local asked = 0
    local client, transport = helper.client({ refuse(504, "RequestTimeout"), ok() }, {
      credentials = {
        get = function()
          asked = asked + 1
          if asked > 1 then return nil end
          return { access_key_id = "i", access_key_secret = "s" }
        end,
      },
    })
    local _, err = client:call("FailoverDiskReplicaGroup", GROUP)
    assert.equal("credentials", err.kind)
    assert.equal("unknown", err.outcome)
    assert.equal(1, #transport.requests)
  end)

  it("that take the whole deadline leave nothing sent", function()
    local client, transport, control
    client, transport, control = helper.client({ ok() }, {
      credentials = {
        get = function()
          control.elapsed = control.elapsed + 61
          return { access_key_id = "i", access_key_secret = "s" }
        end,
      },
    })
    local _, err = client:call("FailoverDiskReplicaGroup", GROUP)
    assert.equal("timeout", err.kind)
    assert.equal("not_sent", err.outcome)
    assert.equal(0, #transport.requests)
  end)
end)

describe("observe mode", function()
  it("refuses changes before signing, and lets readings through", function()
    local asked = 0
    local client, transport = helper.client({ ok() }, {
      mode = "observe",
      credentials = {
        get = function()
          asked = asked + 1
          return { access_key_id = "i", access_key_secret = "s" }
        end,
      },
    })
    for _, call in ipairs {
      { "FailoverDiskReplicaGroup", GROUP }, { "DeleteAnything", {} }, { "DescribeAnything", {} },
      { "DeleteAnything", {}, { mutating = false } },
      { "DescribeRegions", {}, { version = "2099-01-01" } },
      { "FailoverDiskReplicaGroup", GROUP, { version = "2099-01-01", mutating = false } },
      { "other:DescribeRegions", {}, { version = "2021-07-30", mutating = false } },
      { "sts:AssumeRole", { RoleArn = "acs:ram::1:role/r", RoleSessionName = "s" } },
    } do
      local result, err = client:call(table.unpack(call))
      assert.is_nil(result)
      assert.equal("Client.ObserveMode", err.code)
      assert.equal("not_sent", err.outcome)
      assert.equal(0, err.attempts)
    end
    assert.equal(0, asked)
    assert.equal(0, #transport.requests)
    assert.is_truthy(client:call "DescribeRegions")
  end)

  it("does not look at the service data again once it was asked", function()
    local client, transport = helper.client({ ok(), ok() }, { mode = "observe" })
    assert.is_truthy(client:call "DescribeRegions")
    local operation = require("alicloud.service.ebs").operations.FailoverDiskReplicaGroup
    operation.mutating, operation.ram.level = false, "get"
    finally(function() operation.mutating, operation.ram.level = true, "write" end)
    local _, err = client:call("FailoverDiskReplicaGroup", GROUP)
    assert.equal("Client.ObserveMode", err.code)
    assert.equal(1, #transport.requests)
  end)
end)
