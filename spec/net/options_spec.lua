local alicloud = require "alicloud"
local helper = require "spec.helper"

local function client_of(given, env)
  return (helper.client({}, {
    env = env, proxy = given.proxy, no_proxy = given.no_proxy, ca_file = given.ca_file,
    client_cert = given.client_cert, client_key = given.client_key, resolve = given.resolve,
    endpoint = given.endpoint, network = given.network,
  }))
end

local function complaint(given, env)
  return helper.raised(function() return client_of(given, env) end)
end

describe("the network of a client", function()
  it("tells endpoint, proxy, roots and pinned addresses", function()
    local client = client_of({ resolve = { ["EBS.cn-shanghai.aliyuncs.com"] = { "192.0.2.1" } } },
      { https_proxy = "http://ops:canary@p.example:3128" })
    local network = assert(client:network())
    assert.equal("ebs.cn-shanghai.aliyuncs.com", network.endpoint.host)
    assert.same({ url = "http://ops:***@p.example:3128", host = "p.example:3128",
      source = "https_proxy" }, network.proxy)
    assert.equal("system", network.trust.source)
    assert.same({ ["ebs.cn-shanghai.aliyuncs.com"] = { "192.0.2.1" } }, network.resolve)
    assert.equal("ecs.cn-shanghai.aliyuncs.com", client:network("ecs").endpoint.host)
  end)

  it("follows the options, also those of a derived client", function()
    local client = client_of({ proxy = "http://p.example:1", ca_file = "/roots.pem",
      client_cert = "/cert.pem" }, { https_proxy = "http://other.example" })
    local network = client:network()
    assert.equal("option proxy", network.proxy.source)
    assert.same({ ca_file = "/roots.pem", source = "option" }, network.trust)
    assert.equal("/cert.pem", network.client_cert)
    assert.is_nil(client:with { proxy = "none" }:network().proxy)
    assert.is_nil(client:with { no_proxy = "aliyuncs.com" }:network().proxy)
  end)

  it("keeps pinned addresses when the caller's table changes later", function()
    local list = { "192.0.2.1" }
    local client = client_of { resolve = { ["a.example"] = list } }
    list[1] = "192.0.2.2"
    assert.same({ "192.0.2.1" }, client:network().resolve["a.example"])
  end)

  it("says that there is no endpoint without a region", function()
    local client = alicloud.client { access_key_id = "i", access_key_secret = "s",
      runtime = { getenv = function() end } }
    local network, message = client:network()
    assert.is_nil(network)
    assert.matches("no region", message)
  end)

  it("is that of the private network by option or by environment", function()
    local env = { ALIBABA_CLOUD_ENDPOINT_TYPE = "vpc" }
    local vpc, public = "ebs-vpc.cn-shanghai.aliyuncs.com", "ebs.cn-shanghai.aliyuncs.com"
    assert.equal(vpc, client_of({}, env):network().endpoint.host)
    assert.equal(vpc, client_of({ network = "vpc" }):network().endpoint.host)
    assert.equal(public, client_of({ network = "public" }, env):network().endpoint.host)
    assert.matches('ALIBABA_CLOUD_ENDPOINT_TYPE: got "inner"; allowed: "public" or "vpc"',
      complaint({}, { ALIBABA_CLOUD_ENDPOINT_TYPE = "inner" }))
  end)
end)

describe("an option of the network", function()
  it("is refused with host, value and what is allowed", function()
    for message, resolve in pairs {
      ['host "h.example": got "1.2.3"; allowed: a list of IPv4 or IPv6 addresses'] =
        { ["h.example"] = { "1.2.3" } },
      ['host "h.example": got an empty list; allowed: a list of IPv4 or IPv6 addresses'] =
        { ["h.example"] = {} },
      ['host "h.example": got "1.2.3.4"; allowed: a list of IPv4 or IPv6 addresses'] =
        { ["h.example"] = "1.2.3.4" },
      ['host "127.0.0.1": it needs no resolver; allowed: a host name, or name:port'] =
        { ["127.0.0.1"] = { "192.0.2.1" } },
      -- Plain HTTP is allowed to it because it is this machine.
      ['host "localhost": it needs no resolver; allowed: a host name, or name:port'] =
        { localhost = { "192.0.2.1" } },
      ['host "127.1": it needs no resolver'] = { ["127.1"] = { "192.0.2.1" } },
      ['host "0x7F.1:80": it needs no resolver'] = { ["0x7F.1:80"] = { "192.0.2.1" } },
      ['host "a.Localhost": it needs no resolver'] = { ["a.Localhost"] = { "192.0.2.1" } },
      ['host "h/x": it has a path; allowed: a host name, or name:port'] =
        { ["h/x"] = { "192.0.2.1" } },
      ['a host is 1 (number); allowed: a host name, or name:port'] = { { "192.0.2.1" } },
    } do
      local text = complaint { resolve = resolve }
      assert.is_truthy(text:find("option resolve: " .. message, 1, true), message)
    end
  end)

  it("is not shown where it may hold a password", function()
    local message = complaint { proxy = "http://ops:can ary@p.example" }
    assert.matches("option proxy: got a string %(not shown%); allowed: ", message)
    assert.is_nil(message:find("ary", 1, true))
  end)

  it("is refused where it would be of no use", function()
    assert.matches("option client_key: it is of use with the option client_cert only",
      complaint { client_key = "/key.pem" })
    assert.matches("option no_proxy", complaint { no_proxy = "a;b" })
  end)
end)
