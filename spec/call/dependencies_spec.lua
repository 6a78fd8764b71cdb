local dependencies = require "alicloud.call.dependencies"
local helper = require "spec.helper"

local ok = helper.ok

-- Keys that come from some hosts.
local function provider(...)
  local hosts = { ... }
  return {
    get = function() return { access_key_id = "i", access_key_secret = "s" } end,
    hosts = function() return hosts end,
  }
end

local function by_host(list)
  local map = {}
  for _, dependency in ipairs(list) do map[dependency.host] = dependency end
  return map
end

describe("a host's region", function()
  it("is told by its name, if by anything", function()
    for host, region in pairs {
      ["ebs.cn-shanghai.aliyuncs.com"] = "cn-shanghai",
      ["ebs-vpc.cn-shanghai.aliyuncs.com"] = "cn-shanghai",
      ["ebs.cn-zhengzhou-jva.aliyuncs.com:443"] = "cn-zhengzhou-jva",
      ["ecs-cn-hangzhou.aliyuncs.com"] = "cn-hangzhou",
      ["sts.ap-southeast-1.aliyuncs.com"] = "ap-southeast-1",
      ["bucket.oss-cn-beijing.aliyuncs.com"] = "cn-beijing",
      ["EBS.EU-CENTRAL-1.ALIYUNCS.COM"] = "eu-central-1",
    } do
      assert.equal(region, dependencies.region_of(host), host)
    end
    for _, host in ipairs { "sts.aliyuncs.com", "ecs-vpc.aliyuncs.com", "proxy.example",
      "cn-shanghai.example.com", "127.0.0.1:8080", "ebs.cn-shanghai.aliyuncs.com.evil.example" } do
      assert.is_nil(dependencies.region_of(host), host)
    end
  end)

  it("is asked of the host alone: what could be a secret is left out", function()
    for address, host in pairs {
      ["http://user:pa55@proxy.example:3128/"] = "proxy.example:3128",
      ["https://hooks.example/robot/send?access_token=t0ken"] = "hooks.example",
      ["sts.cn-hangzhou.aliyuncs.com"] = "sts.cn-hangzhou.aliyuncs.com",
      ["socks5h://[::1]:1080"] = "[::1]:1080",
      ["user:p@ss@proxy.example"] = "proxy.example",
    } do
      assert.equal(host, dependencies.host_of(address), address)
    end
  end)
end)

describe("the list of dependencies", function()
  it("has every host: endpoints, credentials, proxy, hooks, and where it lies", function()
    local client, transport = helper.client({}, {
      credentials = provider("sts.cn-hangzhou.aliyuncs.com", "100.100.100.200"),
      proxy = "http://u:p@proxy.example:3128", failed_region = "cn-hangzhou",
    })
    local list = client:dependencies { regions = { "cn-shanghai", "cn-hangzhou" },
      products = { "ebs", "ecs" }, hooks = { "https://oapi.example/robot?access_token=x" } }
    local map = by_host(list)
    local function check(host, purpose, place, region, failed)
      local one = assert(map[host], host)
      assert.same({ purpose, place, region, failed },
        { one.purpose, one.place, one.region, one.failed })
    end
    check("ebs.cn-shanghai.aliyuncs.com", "endpoint", "region", "cn-shanghai", false)
    check("ebs.cn-hangzhou.aliyuncs.com", "endpoint", "region", "cn-hangzhou", true)
    check("sts.cn-hangzhou.aliyuncs.com", "credentials", "region", "cn-hangzhou", true)
    check("100.100.100.200", "credentials", "instance", nil, false)
    check("proxy.example:3128", "proxy", "unknown", nil, false)
    check("oapi.example", "hook", "unknown", nil, false)
    assert.equal("cn-shanghai", map["ebs.cn-shanghai.aliyuncs.com"].serves)
    assert.equal("pattern", map["ebs.cn-shanghai.aliyuncs.com"].source)
    assert.equal(8, #list)
    assert.equal(0, #transport.requests)
  end)

  it("without options is about the client's own region and product", function()
    local client = helper.client({}, { env = { https_proxy = "http://10.0.0.9:3128" } })
    local list = client:dependencies()
    assert.equal(2, #list)
    assert.equal("ebs.cn-shanghai.aliyuncs.com", list[1].host)
    assert.equal("10.0.0.9:3128", list[2].host)
    assert.is_false(list[1].failed)
    assert.equal(1, #helper.client({}, { proxy = "none",
      env = { https_proxy = "http://10.0.0.9:3128" } }):dependencies())
  end)

  it("takes a host that was given for a region to be there, and loopback for this machine",
    function()
      local client = helper.client({}, { failed_region = "cn-hangzhou", endpoint = {
        ["cn-hangzhou"] = "ebs.internal.example", ["cn-shanghai"] = "127.0.0.1:8080" } })
      local map = by_host(client:dependencies { regions = { "cn-hangzhou", "cn-shanghai" } })
      assert.equal("cn-hangzhou", map["ebs.internal.example"].region)
      assert.is_true(map["ebs.internal.example"].failed)
      assert.equal("machine", map["127.0.0.1:8080"].place)
      assert.is_false(map["127.0.0.1:8080"].failed)
    end)

  it("names what is wrong with its options", function()
    local client = helper.client {}
    for _, case in ipairs {
      { { regions = "cn-shanghai" }, "option regions: got \"cn%-shanghai\"; allowed: a list of" },
      { { regions = { "CN" } }, "option regions: got a table; allowed: a list of region ids" },
      { { hook = {} }, 'unknown option "hook"; did you mean "hooks"%?' },
    } do
      assert.matches("client:dependencies: " .. case[2],
        helper.raised(function() client:dependencies(case[1]) end))
    end
  end)
end)

describe("a client that knows which region has failed", function()
  it("refuses to depend on it, by name, and says what to do", function()
    for _, case in ipairs {
      { {}, { region = "cn-hangzhou" }, "ebs%.cn%-hangzhou%.aliyuncs%.com %(endpoint%)",
        "endpoint: call the other site" },
      { { credentials = provider "sts.cn-hangzhou.aliyuncs.com" }, {},
        "sts%.cn%-hangzhou%.aliyuncs%.com %(credentials%)", "credentials: take credentials" },
      { { proxy = "http://proxy.cn-hangzhou.aliyuncs.com:3128" }, {},
        "proxy%.cn%-hangzhou%.aliyuncs%.com:3128 %(proxy%)", "proxy: take a proxy elsewhere" },
    } do
      case[1].failed_region = "cn-hangzhou"
      local client, transport = helper.client({ ok() }, case[1])
      local result, err = client:call("DescribeDiskReplicaGroups", {}, case[2])
      assert.is_nil(result)
      assert.equal("Client.FailedRegion", err.code)
      assert.equal("not_sent", err.outcome)
      assert.is_false(err.retryable)
      assert.matches(case[3], err.message)
      assert.matches(case[4], err.hint)
      assert.equal(0, err.attempts)
      assert.equal(0, #transport.requests)
    end
  end)

  it("calls every other region", function()
    local client, transport = helper.client({ ok() }, { failed_region = "cn-hangzhou",
      credentials = provider "sts.cn-shanghai.aliyuncs.com" })
    assert(client:call "DescribeDiskReplicaGroups")
    assert.equal(1, #transport.requests)
  end)

  it("can be derived from one that does not", function()
    local client = helper.client { ok() }
    local careful = client:with { failed_region = "cn-shanghai" }
    local _, err = careful:call "DescribeRegions"
    assert.equal("Client.FailedRegion", err.code)
    assert(client:call "DescribeRegions")
  end)
end)
