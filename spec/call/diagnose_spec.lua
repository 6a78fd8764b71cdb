local core = require "alicloud.core"
local errors = require "alicloud.base.error"
local helper = require "spec.helper"

local ok, refuse, broken = helper.ok, helper.refuse, helper.broken

local HERE, THERE = "ebs.cn-shanghai.aliyuncs.com", "ebs.cn-beijing.aliyuncs.com"

-- A cloud of which each host has its own answer.
local function client_of(here, there, overrides)
  local asked = {}
  local transport = { send = function(request)
    asked[#asked + 1] = request
    if request.host == HERE then return here end
    return there or broken("resolve", false)
  end }
  local given = { transport = transport, retries = 0 }
  for name, value in pairs(overrides or {}) do given[name] = value end
  local client, _, control = helper.client({}, given)
  return client, asked, control
end

local function diagnose(here, there, overrides)
  local client, asked, control = client_of(here, there, overrides)
  local _, err = client:call "DescribeDiskReplicaGroups"
  return client:diagnose(err), err, asked, control
end

local HTML = { status = 502, headers = {}, body = "<html>bad gateway</html>" }

describe("the front door", function()
  it("tells a region, the network, the names and the whole cloud apart by a second region",
    function()
      local symptoms = {
        dns = broken("resolve", false), unreachable = broken("timeout", true),
        refused = broken("connect", false), failing = refuse(503, "ServiceUnavailable"),
        gateway = HTML, key = refuse(404, "InvalidAccessKeyId.NotFound"), open = ok(),
        forbidden = refuse(403, "Forbidden.RAM"),
      }
      for _, case in ipairs {
        { "dns", "open", "region" }, { "dns", "dns", "dns" }, { "dns", "unreachable", "network" },
        { "dns", "failing", "account" },
        { "unreachable", "open", "region" }, { "unreachable", "forbidden", "region" },
        { "unreachable", "unreachable", "network" }, { "refused", "refused", "network" },
        { "refused", "dns", "network" }, { "unreachable", "failing", "account" },
        { "failing", "open", "region" }, { "failing", "forbidden", "region" },
        { "failing", "failing", "account" }, { "gateway", "gateway", "account" },
        { "failing", "unreachable", "account" }, { "failing", "key", "account" },
        { "key", "key", "key" }, { "key", "open", "region" }, { "key", "failing", "account" },
      } do
        local name = case[1] .. " here, " .. case[2] .. " there"
        local found, err, asked = diagnose(symptoms[case[1]], symptoms[case[2]])
        assert.equal(case[3], found.cause, name)
        assert.equal(found.sentence, err.hint, name)
        assert.equal("cn-beijing", found.asked, name)
        assert.equal(2, #asked, name)
        assert.equal(THERE, asked[2].host)
        assert.equal("DescribeRegions", asked[2].action)
        assert.equal(found.cause ~= "key", found.passes, name)
      end
    end)

  it("asks nobody where the error tells enough", function()
    for _, case in ipairs {
      { refuse(400, "InvalidTimeStamp.Expired"), "clock", false },
      { refuse(400, "Throttling.User"), "throttling", true },
      { refuse(429, "BLOCK.LimitedRquest"), "throttling", true },
      { broken("tls", false), "tls", false }, { broken("proxy", false), "proxy", false },
      { broken("proxy_refused", false), "proxy", false },
      { broken("proxy_tls", false), "proxy", false },
      { broken("tls_expired", false), "tls", false },
      { refuse(404, "NoSuchResource"), "answer", false },
      -- A server that says so of a long request is not out.
      { { status = 413, headers = {}, body = "<html>" }, "answer", false },
      { { status = 414, headers = {}, body = "<html>" }, "answer", false },
      { { status = 431, headers = {}, body = "<html>" }, "answer", false },
      { refuse(403, "Forbidden.RAM"), "answer", false },
    } do
      local found, err, asked = diagnose(case[1], ok())
      assert.equal(case[2], found.cause)
      assert.equal(case[3], found.passes)
      assert.equal(1, #asked, case[2])
      assert.is_nil(found.asked)
      if err.hint then assert.equal(err.hint, found.sentence) end
    end
  end)

  it("does not call a key bad that has worked in this process", function()
    local bad = refuse(404, "InvalidAccessKeyId.NotFound")
    local answers = { ok(), bad, bad }
    local client = helper.client(answers, { retries = 0 })
    assert(client:call "DescribeRegions")
    local _, err = client:call "DescribeRegions"
    local found = client:diagnose(err)
    assert.equal("account", found.cause)
    assert.is_true(found.passes)
    assert.matches("the key is not to blame", err.hint)
  end)

  it("keeps the cure of the code where that says more", function()
    local _, err = diagnose(refuse(404, "InvalidAccessKeyId.NotFound"),
      refuse(404, "InvalidAccessKeyId.NotFound"))
    assert.matches("^the credentials are refused in every region.*; check the key id", err.hint)
    local client = client_of(ok())
    local before = err.hint
    client:diagnose(err)
    assert.equal(before, err.hint)
    _, err = diagnose(refuse(400, "InvalidTimeStamp.Expired"))
    assert.matches("^set the clock", err.hint)
  end)

  it("takes missing credentials for what they are", function()
    local client, asked = client_of(ok(), ok(), { credentials = { get = function() end } })
    local _, err = client:call "DescribeRegions"
    local found = client:diagnose(err)
    assert.equal("answer", found.cause)
    assert.is_false(found.passes)
    assert.equal(0, #asked)
  end)

  it("names the region that is out and the one that answers", function()
    local found = diagnose(broken("connect", false), ok())
    assert.matches("^cn%-shanghai is out, cn%-beijing answers", found.sentence)
    assert.equal("open", found.answer)
  end)

  it("asks the region that the caller chose, one that has an endpoint, or none at all", function()
    local down = broken("connect", false)
    local found = diagnose(down, ok(), { second_region = "eu-central-1" })
    assert.equal("eu-central-1", found.asked)
    found = diagnose(down, ok(), { endpoint = { ["cn-shanghai"] = HERE, ["cn-wulanchabu"] = "x" } })
    assert.equal("cn-wulanchabu", found.asked)
    found = diagnose(down, ok(), { failed_region = "cn-beijing" })
    assert.equal("ap-southeast-1", found.asked)
    local client, asked = client_of(down, down, { network = "vpc" })
    local _, err = client:call "DescribeRegions"
    assert.is_nil(client:diagnose(err).asked)
    assert.equal(1, #asked)
    found = diagnose(refuse(503, "ServiceUnavailable"), ok(),
      { endpoint = { ["cn-shanghai"] = HERE } })
    assert.is_nil(found.asked)
    assert.equal("region", found.cause)
    assert.matches("it may be the whole cloud", found.sentence)
  end)

  it("does not ask the same host twice and call it two opinions", function()
    for failure, cause in pairs { connect = "network", resolve = "dns" } do
      local client, asked = client_of(broken(failure, false), ok(), { endpoint = HERE })
      local _, err = client:call "DescribeRegions"
      local found = client:diagnose(err)
      assert.equal(cause, found.cause)
      assert.equal(1, #asked)
      assert.matches("ebs%.cn%-shanghai%.aliyuncs%.com cannot be .*; no second region was",
        err.hint)
    end
  end)

  it("sends the question once, with little time, and nothing of the retry budget", function()
    local client, asked = client_of(broken("connect", false), broken("connect", false),
      { retries = 5, retry = { budget = 14 } })
    local _, err = client:call("DescribeRegions", {}, { retries = 0 })
    client:diagnose(err)
    assert.equal(2, #asked)
    assert.is_true(asked[2].timeout <= 5)
    -- The budget still has its one retry.
    _, err = client:call "DescribeRegions"
    assert.equal(2, err.attempts)
    assert.equal("budget", err.stopped)
  end)

  it("has a wait policy for each cause that passes", function()
    local throttled = diagnose(refuse(400, "Throttling", { ["x-acs-retry-after"] = "45000" }))
    assert.equal(45, throttled.pause)
    local account = diagnose(refuse(503, "ServiceUnavailable"), refuse(503, "ServiceUnavailable"))
    local region = diagnose(refuse(503, "ServiceUnavailable"), ok())
    assert.is_true(account.pause > region.pause)
    assert.is_true(account.longest > region.longest)
    assert.is_nil(diagnose(refuse(404, "NoSuchResource")).pause)
  end)

  it("diagnoses errors only", function()
    local client = client_of(ok())
    assert.matches("client:diagnose: got nothing; allowed: an error of a call",
      helper.raised(function() client:diagnose() end))
    local own = errors.new { kind = "state", code = "Client.WaitFailed" }
    assert.equal("answer", client:diagnose(own).cause)
  end)

  it("never sends anything that changes something", function()
    local client, asked = client_of(refuse(503, "ServiceUnavailable"), ok())
    local _, err = client:call("FailoverDiskReplicaGroup", { ReplicaGroupId = "pg-orders" })
    client:diagnose(err)
    for i = 2, #asked do assert.is_false(asked[i].mutating, core.encode(asked[i].headers)) end
  end)
end)
