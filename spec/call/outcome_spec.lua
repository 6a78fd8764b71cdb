-- What may be said of a call afterwards, over all of its attempts.
local helper = require "spec.helper"

local ok, refuse, broken = helper.ok, helper.refuse, helper.broken

local failover = helper.caller("FailoverDiskReplicaGroup", { ReplicaGroupId = "pg-orders" })
local read = helper.caller("DescribeRegions", {})

describe("the outcome of a change", function()
  it("is unknown if any attempt was, unless a later one succeeded", function()
    for _, first in ipairs {
      refuse(504, "RequestTimeout"), refuse(500, "InternalError"), broken("timeout", true),
      broken("closed", true), { status = 502, headers = {}, body = "<html>" },
      { status = 200, headers = {}, body = "" }, refuse(400, "SignatureNonceUsed"),
      refuse(403, "LastTokenProcessing"),
    } do
      for _, last in ipairs {
        refuse(403, "OperationDenied.InvalidStatus"), broken("tls", false),
        refuse(400, "IdempotentParameterMismatch"), refuse(404, "NoSuchResource"),
        refuse(400, "InvalidSecurityToken.Expired"),
      } do
        local result, err, requests = failover { first, last }
        assert.is_nil(result)
        assert.equal(2, #requests)
        assert.equal("unknown", err.outcome)
        assert.equal("unknown", err.cause.outcome)
        assert.is_truthy(err.hint:find(err.client_token, 1, true))
      end
      assert.is_truthy((failover { first, ok() }))
    end
  end)

  it("is unknown where the token was used before, unless all that was sent under it was refused",
    function()
      local mismatch = refuse(400, "IdempotentParameterMismatch")
      local given = { client_token = "tok-1" }
      local _, err, requests = failover({ mismatch }, given)
      assert.equal("unknown", err.outcome)
      assert.equal(1, #requests)
      assert.matches("^what was sent under this token %(tok%-1%) before may have been done: look",
        err.hint)
      assert.matches("other parameters need a new token$", err.hint)
      for _, case in ipairs {
        { refuse(403, "OperationDenied.InvalidStatus"), "rejected" },
        { refuse(400, "Throttling"), "rejected" },
        { ok(), "unknown" }, { refuse(504, "RequestTimeout"), "unknown" },
        { broken("connect", false), "unknown" },
      } do
        local client = helper.client({ case[1], mismatch, mismatch }, { retries = 0 })
        client:call("FailoverDiskReplicaGroup", { ReplicaGroupId = "pg-a" }, given)
        for _ = 1, 2 do
          err = select(2, client:call("FailoverDiskReplicaGroup", { ReplicaGroupId = "pg-b" },
            given))
          assert.equal(case[2], err.outcome)
        end
        if case[2] == "rejected" then
          assert.matches("before was refused, so nothing was done; other parameters", err.hint)
        end
      end
    end)

  it("stays unknown over a last attempt that was throttled or never left", function()
    for _, last in ipairs { refuse(429, "Throttling"), broken("connect", false) } do
      local _, err, requests = failover { refuse(504, "RequestTimeout"), last, last }
      assert.equal(3, #requests)
      assert.equal("unknown", err.outcome)
      assert.equal("attempts", err.stopped)
      assert.equal("unknown", err.cause.outcome)
      assert.equal("RequestTimeout", err.cause.cause.code)
    end
  end)

  it("is what the only attempt says", function()
    for _, case in ipairs {
      { refuse(403, "OperationDenied"), "rejected" }, { broken("tls", false), "not_sent" },
      { refuse(400, "Throttling"), "rejected" }, { refuse(500, "InternalError"), "unknown" },
    } do
      local _, err = failover({ case[1] }, { retries = 0 })
      assert.equal(case[2], err.outcome)
    end
  end)

  it("is reported at once, unsent again, to a caller who wants to look first", function()
    for _, answer in ipairs {
      refuse(504, "RequestTimeout"), broken("timeout", true), refuse(400, "SignatureNonceUsed"),
      refuse(403, "LastTokenProcessing"), { status = 200, headers = {}, body = "{" },
    } do
      local _, err, requests, control = failover({ answer, ok() }, { resend = "never" })
      assert.equal(1, #requests)
      assert.equal("unknown", err.outcome)
      assert.equal("resend", err.stopped)
      assert.same({}, control.sleeps)
    end
  end)

  it("still allows that caller a retry of what certainly had no effect", function()
    for _, answer in ipairs { broken("connect", false), refuse(400, "Throttling") } do
      local result, _, requests = failover({ answer, ok() }, { resend = "never" })
      assert.is_truthy(result)
      assert.equal(2, #requests)
    end
  end)

  it("that is unknown is never sent again without a token", function()
    local client, transport = helper.client { refuse(504, "RequestTimeout"), ok() }
    local _, err = client:call("DeleteSomething", { Id = "x" })
    assert.equal(1, #transport.requests)
    assert.equal("unknown", err.outcome)
    assert.equal("resend", err.stopped)
    assert.is_nil(err.client_token)
    assert.matches("it carries no ClientToken", err.hint)
  end)

  it("is not proved by a box on the way, whatever it asks for", function()
    local hint = { ["x-acs-retry-after"] = "100" }
    for _, foreign in ipairs { { 408, "" }, { 409, '{"x":1}' }, { 429, "" }, { 499, "<html>" },
      { 403, '{"Code":"Throttling"}' }, { 503, "" } } do
      local answer = { status = foreign[1], headers = hint, body = foreign[2] }
      local _, err, requests = failover({ answer, ok() }, { resend = "never" })
      assert.same({ 1, "unknown", "resend" }, { #requests, err.outcome, err.stopped })
      -- Under its token it may be asked for again, and readings are.
      local result, _, again = failover { answer, ok() }
      assert.equal("REQ-OK", result.RequestId)
      assert.equal(helper.query(again[1]).ClientToken, helper.query(again[2]).ClientToken)
      assert.truthy(read { answer, ok() })
      -- A proof of the last attempt says nothing of the first.
      _, err = failover { answer, refuse(403, "OperationDenied") }
      assert.equal("unknown", err.outcome)
    end
  end)

  it("of a reading is not made worse by an earlier attempt", function()
    local _, err = read { refuse(504, "RequestTimeout"), refuse(404, "NoSuchResource") }
    assert.equal("rejected", err.outcome)
  end)
end)

describe("the error of a call", function()
  it("carries who, where, how often, how long and under which token", function()
    local _, err, requests, control = failover {
      refuse(504, "RequestTimeout", nil, "R-1"), broken("timeout", true),
      refuse(500, "InternalError", nil, "R-3"),
    }
    assert.equal("ebs", err.product)
    assert.equal("FailoverDiskReplicaGroup", err.action)
    assert.equal("2021-07-30", err.version)
    assert.equal("cn-shanghai", err.region)
    assert.equal("ebs.cn-shanghai.aliyuncs.com", err.endpoint)
    assert.equal(3, err.attempts)
    assert.near(control.elapsed, err.elapsed, 1e-9)
    assert.same({ "R-1", "R-3" }, err.request_ids)
    assert.equal("R-3", err.request_id)
    assert.equal(helper.query(requests[1]).ClientToken, err.client_token)
    assert.equal("words of InternalError", err.message)
  end)

  it("has the service data's cure, or that of the more general code", function()
    local _, err = failover { refuse(404, "NoSuchResource") }
    assert.matches("^the wrong region is the usual cause", err.hint)
    _, err = failover({ refuse(403, "OperationDenied.SomethingNew") })
    assert.matches("^read the group and its pairs", err.hint)
    _, err = failover { refuse(400, "NeverHeardOf") }
    assert.is_nil(err.hint)
  end)

  it("never contains a secret", function()
    for _, answer in ipairs { refuse(400, "SignatureDoesNotMatch"), broken("timeout", true) } do
      local _, err = failover({ answer }, { retries = 0 }, {
        access_key_secret = "canary-secret", security_token = "canary-token",
      })
      local function search(value)
        if type(value) == "table" then
          for key, inner in pairs(value) do
            search(key)
            search(inner)
          end
        else
          assert.is_nil(tostring(value):find("canary", 1, true))
        end
      end
      search(err)
      assert.is_nil(tostring(err):find("canary", 1, true))
    end
  end)
end)
