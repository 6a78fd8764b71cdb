local alicloud = require "alicloud"
local helper = require "spec.helper"

local ok = helper.ok
local GROUP = { ReplicaGroupId = "pg-orders" }

local function raised_by(given)
  return helper.raised(function()
    local client = alicloud.client(given)
    return client
  end)
end

describe("a client", function()
  it("cannot be changed once it is made", function()
    local client = helper.client {}
    local message = helper.raised(function() client.region = "cn-beijing" end)
    assert.matches("client/init_spec.lua:%d+: .*frozen %(\"region\"%)", message)
    assert.equal("cn-shanghai", client.region)
    assert.equal("alicloud.Client", getmetatable(client))
    assert.is_nil(next(client))
    assert.has_error(function() setmetatable(client, {}) end)
  end)

  it("keeps what it was given when the caller's table changes later", function()
    local endpoint = { ["cn-shanghai"] = "127.0.0.1:1" }
    local given = {
      region = "cn-shanghai", endpoint = endpoint, access_key_id = "i", access_key_secret = "s",
    }
    local client = alicloud.client(given)
    given.region, endpoint["cn-shanghai"] = "cn-beijing", "127.0.0.1:2"
    assert.equal("cn-shanghai", client.region)
    assert.equal("127.0.0.1:1", client:prepare("DescribeRegions").host)
  end)

  it("that observes begets none that changes something", function()
    local client, transport = helper.client({ ok() }, { mode = "observe" })
    local message = helper.raised(function() client:with { mode = "normal" } end)
    assert.matches('client/init_spec.lua:%d+: client:with: option mode: got "normal" of a client '
      .. 'that only observes; allowed: "observe"', message)
    local _, err = client:with({ timeout = 5 }):call("FailoverDiskReplicaGroup", GROUP)
    assert.equal("Client.ObserveMode", err.code)
    assert.equal(0, #transport.requests)
  end)

  it("shows its region and no more of its keys than four characters", function()
    assert.equal("alicloud.Client { region = cn-shanghai, credentials = static_ak …abcd, "
      .. "mode = normal }", tostring((helper.client {})))
    local text = tostring((helper.client({}, {
      access_key_secret = "canary", security_token = "canary", mode = "observe",
    })))
    assert.is_nil(text:find("canary", 1, true))
    assert.matches("mode = observe", text)
    assert.matches("credentials = provider", tostring((helper.client({}, {
      credentials = { get = function() end },
    }))))
  end)

  it("keeps no secret where Lua code can find it", function()
    local client = helper.client({}, { access_key_secret = "canary-secret" })
    local seen = {}
    local function search(value)
      if type(value) == "string" then assert.is_nil(value:find("canary-secret", 1, true)) end
      if seen[value] or type(value) ~= "table" and type(value) ~= "function" then return end
      seen[value] = true
      if type(value) == "table" then
        if value == package.loaded or value == _G or value == arg then return end
        for key, inner in next, value do
          search(key)
          search(inner)
        end
        return search(debug.getmetatable(value))
      end
      for i = 1, 255 do
        local name, inner = debug.getupvalue(value, i)
        if not name then break end
        search(inner)
      end
    end
    search(client)
    assert.is_truthy(seen[require("alicloud.credentials").choose], "the search went deep enough")
  end)

  it("takes its region from the environment if none is given", function()
    local runtime = helper.runtime { env = { ALIBABA_CLOUD_REGION_ID = "cn-beijing" } }
    assert.equal("cn-beijing", alicloud.client({ runtime = runtime }).region)
    assert.equal("cn-qingdao", alicloud.client({ runtime = runtime, region = "cn-qingdao" }).region)
    assert.is_nil(alicloud.client({ runtime = helper.runtime() }).region)
  end)

  it("signs with the environment's credentials if none are given", function()
    local runtime = helper.runtime {
      env = {
        ALIBABA_CLOUD_ACCESS_KEY_ID = "LTAIenv", ALIBABA_CLOUD_ACCESS_KEY_SECRET = "s",
        ALIBABA_CLOUD_SECURITY_TOKEN = "session",
      },
    }
    local signed = alicloud.client({ runtime = runtime, region = "r" }):prepare "DescribeRegions"
    assert.matches("Credential=LTAIenv,", signed.authorization)
    assert.equal("session", signed.headers["x-acs-security-token"])
  end)

  it("without credentials says what to set when they are needed, and not before", function()
    local client = alicloud.client { runtime = helper.runtime(), region = "cn-shanghai" }
    for _, method in ipairs { "call", "prepare" } do
      local result, err = client[method](client, "DescribeRegions")
      assert.is_nil(result)
      assert.equal("credentials", err.kind)
      assert.equal("not_sent", err.outcome)
      assert.matches("ALIBABA_CLOUD_ACCESS_KEY_ID", tostring(err))
    end
  end)
end)

describe("wrong configuration", function()
  it("raises at the caller, names field, value and allowed form", function()
    for _, case in ipairs {
      { { regoin = "x" }, 'alicloud.client: unknown option "regoin"; did you mean "region"?' },
      { { region = "cn shanghai" }, 'option region: got "cn shanghai"; allowed: a region id' },
      { { region = "" }, 'option region: got "" (empty string)' },
      { { region = 5 }, "option region: got 5 (number)" },
      { { endpoint = "host/path" }, 'option endpoint: got "host/path": it has a path' },
      { { endpoint = "a\nb" }, 'option endpoint: got "a\\nb": it has a control character' },
      { { endpoint = "" }, 'option endpoint: got "" (empty string): it is empty' },
      { { endpoint = "http://u:canary@h" }, 'option endpoint: got "http://***@h": it has user' },
      { { endpoint = { ["cn-x"] = "http://h" } }, "option endpoint, region cn-x: got" },
      { { endpoint = { ["cn-x"] = 5 } }, "it is not text" },
      { { endpoint = { "127.0.0.1:8080" } }, "option endpoint, key: got 1 (number); allowed: a r" },
      { { endpoint = { ["CN-X"] = "h" } }, 'option endpoint, key: got "CN-X"; allowed: a region' },
      { { endpoint = { ["cn-z"] = "a/b", ["cn-y"] = "b/c", ["cn-x"] = "c/d" } },
        "option endpoint, region cn-x: got" },
      { { resolve = { ["A.example"] = { "10.0.0.1" }, ["a.example"] = { "10.0.0.2" } } },
        'option resolve: host "a.example": given in two spellings' },
      { { timeout = 0 / 0 }, "option timeout: got" },
      { { deadline = -1 }, "option deadline: got -1 (number)" },
      { { retries = 1.5 }, "option retries: got 1.5" },
      { { retry = { base = "x" } }, 'retry: option base: got "x"' },
      { { mode = "dry" }, 'option mode: got "dry"; allowed: "normal" or "observe"' },
      { { network = "intranet" }, '"public" or "vpc"' },
      { { algorithm = "MD5" }, "option algorithm" },
      { { transport = {} }, "option transport: got a table; allowed: a table with a function" },
      { { loop = { wait = print } }, "option loop" },
      { { runtime = { now = print } }, 'runtime: unknown option "now"' },
      { { user_agent = "a\r\nb" }, "option user_agent" },
      { { product = "EBS" }, "option product" },
      { { access_key_id = "i" }, "access_key_id was given without access_key_secret" },
      { { access_key_secret = "s" }, "without access_key_id" },
      { { access_key_id = "i ", access_key_secret = "s" }, "option access_key_id" },
      { { credentials = "x" }, "option credentials" },
    } do
      local message = raised_by(case[1])
      assert.is_truthy(message:find(case[2], 1, true), message)
      assert.matches("client/init_spec.lua:%d+: alicloud.client: ", message)
      assert.is_nil(message:find("%c"))
    end
  end)

  it("never shows a secret", function()
    local message = raised_by { access_key_id = "i", access_key_secret = "canary secret" }
    assert.is_nil(message:find("canary", 1, true))
  end)

  it("in the environment is named by its variable", function()
    local runtime = helper.runtime { env = { ALIBABA_CLOUD_REGION_ID = "CN" } }
    assert.matches('ALIBABA_CLOUD_REGION_ID: got "CN"', raised_by { runtime = runtime })
  end)
end)

describe("a mistaken call", function()
  it("raises at the caller and sends nothing", function()
    local client, transport = helper.client { ok() }
    for _, method in ipairs { "call", "must", "prepare" } do
      local message = helper.raised(function()
        local result = client[method](client, "FailoverDiskReplicaGroup", { ReplicaGroupId = "" })
        return result
      end)
      assert.matches("client/init_spec.lua:%d+: ebs:FailoverDiskReplicaGroup: parameter", message)
    end
    assert.equal(0, #transport.requests)
  end)

  it("can be found out without raising", function()
    local client = helper.client {}
    local valid, message = client:validate("FailoverDiskReplicaGroup", { ReplicaGroupId = "" })
    assert.is_nil(valid)
    assert.matches("^ebs:FailoverDiskReplicaGroup: parameter ReplicaGroupId: got", message)
    assert.is_true(client:validate("FailoverDiskReplicaGroup", GROUP))
  end)

  it("with a dot in place of the colon is told so", function()
    local client = helper.client {}
    assert.matches("client/init_spec.lua:%d+: not a client", helper.raised(function()
      local result = client.call("DescribeRegions")
      return result
    end))
  end)
end)

describe("must", function()
  it("returns the result or raises the very error object", function()
    local client = helper.client { ok(), helper.refuse(404, "NoSuchResource") }
    assert.equal("REQ-OK", client:must("DescribeRegions").RequestId)
    local raised = helper.raised(client.must, client, "DescribeRegions")
    assert.is_true(alicloud.error.is_error(raised))
    assert.equal("NoSuchResource", raised.code)
  end)
end)

describe("prepare", function()
  it("signs what call would send, and sends nothing", function()
    local client, transport = helper.client({ ok() }, { mode = "observe" })
    local signed = client:prepare("FailoverDiskReplicaGroup", GROUP, { client_token = "t-1" })
    assert.equal(0, #transport.requests)
    assert.equal("ebs.cn-shanghai.aliyuncs.com", signed.host)
    assert.matches("\nClientToken=t%-1&RegionId=cn%-shanghai&ReplicaGroupId=pg%-orders\n",
      signed.canonical_request)
    assert.matches("^ACS3%-HMAC%-SHA256\n%x+$", signed.string_to_sign)
  end)

  it("signs by the algorithm of the client", function()
    for algorithm, pattern in pairs {
      ["ACS3-HMAC-SM3"] = "^ACS3%-HMAC%-SM3\n", ["HMAC-SHA1"] = "^POST&%%2F&",
    } do
      local client = helper.client({}, { algorithm = algorithm })
      assert.matches(pattern, client:prepare("DescribeRegions").string_to_sign)
    end
  end)

  it("names product and suffix in the user agent", function()
    local client = helper.client({}, { user_agent = "drill/7" })
    assert.matches("^AlibabaCloud %(Lua%) Lua/5%.%d Core/%S+ drill/7$",
      client:prepare("DescribeRegions").headers["user-agent"])
  end)
end)

describe("a derived client", function()
  it("differs in what was asked for and shares the rest", function()
    local client, transport = helper.client { ok(), ok() }
    local derived = client:with { region = "cn-beijing", timeout = 3 }
    assert.equal("cn-beijing", derived.region)
    assert.equal("cn-shanghai", client.region)
    derived:must "DescribeRegions"
    client:must "DescribeRegions"
    assert.equal("ebs.cn-beijing.aliyuncs.com", transport.requests[1].host)
    assert.equal(3, transport.requests[1].timeout)
    assert.equal("ebs.cn-shanghai.aliyuncs.com", transport.requests[2].host)
    assert.equal(10, transport.requests[2].timeout)
  end)

  it("may have other credentials or another mode", function()
    local client = helper.client { ok() }
    local derived = client:with { access_key_id = "LTAIother9999", access_key_secret = "s" }
    assert.matches("…9999", tostring(derived))
    assert.matches("Credential=LTAIother9999,", derived:prepare("DescribeRegions").authorization)
    local _, err = client:with({ mode = "observe" }):call("FailoverDiskReplicaGroup", GROUP)
    assert.equal("Client.ObserveMode", err.code)
    assert.is_truthy(client:call("FailoverDiskReplicaGroup", GROUP))
  end)

  it("counts its retries against the same budget", function()
    local client, transport = helper.client({}, { retry = { budget = 30 } })
    transport.send = function(request)
      transport.requests[#transport.requests + 1] = request
      return helper.broken("connect", false)
    end
    client:call "DescribeRegions"
    local _, err = client:with({ timeout = 1 }):call "DescribeRegions"
    assert.equal("budget", err.stopped)
    assert.equal(4, #transport.requests)
  end)

  it("with a new retry table forgets an old number of retries", function()
    local client, transport = helper.client({}, { retries = 0 })
    client:with({ retry = { attempts = 2 } }):call("DescribeRegions")
    assert.equal(1, #transport.requests)
    transport.requests = {}
    transport.send = function(request)
      transport.requests[#transport.requests + 1] = request
      return helper.broken("connect", false)
    end
    client:with({ retry = { attempts = 2 } }):call("DescribeRegions")
    assert.equal(2, #transport.requests)
  end)

  it("with another listener tells nobody else, and shares what was learnt", function()
    local told = {}
    local function witness(name)
      return { before = function() told[#told + 1] = name end, after = function() end }
    end
    local client = helper.client({}, { witness = witness "first", timeout = 7 })
    local own = client:with { witness = witness "second" }
    own:call("FailoverDiskReplicaGroup", GROUP)
    client:call("FailoverDiskReplicaGroup", GROUP)
    own:with({ caller = function() return "run" end }):call("FailoverDiskReplicaGroup", GROUP)
    own:with({ timeout = 5 }):call("FailoverDiskReplicaGroup", GROUP)
    assert.same({ "second", "first", "second", "second" }, told)
    assert.equal(client.loop, own.loop)
    own:close()
    assert.has_error(function() own:call("DescribeRegions") end, "the client is closed")
    assert.is_true(client:validate "DescribeRegions")
  end)

  it("checks its options at the caller", function()
    local client = helper.client {}
    assert.matches("client/init_spec.lua:%d+: client:with: unknown option", helper.raised(function()
      local derived = client:with { regoin = "x" }
      return derived
    end))
  end)
end)

describe("a closed client", function()
  it("refuses to work, as do those derived from it", function()
    local client = helper.client { ok() }
    local derived = client:with { timeout = 3 }
    client:close()
    client:close()
    for _, closed in ipairs { client, derived } do
      assert.matches("client/init_spec.lua:%d+: the client is closed", helper.raised(function()
        local result = closed:call "DescribeRegions"
        return result
      end))
    end
  end)

  it("leaves its parent open if it was derived", function()
    local client = helper.client { ok() }
    client:with({ timeout = 3 }):close()
    assert.is_truthy(client:call "DescribeRegions")
  end)

  it("closes at the end of its block", function()
    local outer
    do
      local client <close> = helper.client {}
      outer = client
    end
    assert.matches("the client is closed", helper.raised(outer.prepare, outer, "DescribeRegions"))
  end)
end)
