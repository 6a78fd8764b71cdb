local endpoint = require "alicloud.net.endpoint"

local function none() return nil end

local function resolve(want, env)
  want.product = want.product or "ebs"
  want.getenv = env and function(name) return env[name] end or none
  return endpoint.resolve(want)
end

describe("an endpoint as written", function()
  it("is https, but for this very machine", function()
    for text, expected in pairs {
      ["ebs.cn-shanghai.aliyuncs.com"] = "https://ebs.cn-shanghai.aliyuncs.com",
      ["EBS.cn-shanghai.aliyuncs.com:8443"] = "https://ebs.cn-shanghai.aliyuncs.com:8443",
      ["https://127.0.0.1:1"] = "https://127.0.0.1:1",
      ["http://127.0.0.1:65535"] = "http://127.0.0.1:65535",
      ["127.0.0.1:8080"] = "http://127.0.0.1:8080",
      ["localhost"] = "http://localhost",
      ["http://[::1]:80"] = "http://[::1]:80",
      ["HTTPS://[2001:db8::1]:443"] = "https://[2001:db8::1]:443",
    } do
      local parsed = assert(endpoint.parse(text))
      assert.equal(expected, parsed.scheme .. "://" .. parsed.host)
    end
  end)

  it("is refused with its own reason", function()
    for text, reason in pairs {
      [""] = "it is empty",
      ["https://"] = "the host is missing",
      [":80"] = "the host is missing",
      ["host/path"] = "it has a path",
      ["http://127.0.0.1:80/"] = "it has a path",
      ["host\\x"] = "it has a path",
      ["user:pw@host"] = "it has user information",
      ["host?a=b"] = "it has a query",
      ["host#f"] = "it has a fragment",
      ["ho st"] = "it has a space",
      ["host\r\nX: y"] = "it has a control character",
      ["host\0"] = "it has a control character",
      ["host:0"] = "the port is not in 1-65535",
      ["host:65536"] = "the port is not in 1-65535",
      ["host:"] = "the port is not in 1-65535",
      ["host:1x"] = "the port is not in 1-65535",
      ["host:999999999999999999999"] = "the port is not in 1-65535",
      ["a..b"] = "it has an empty label",
      ["-a.b"] = "a label begins or ends with a hyphen",
      [("a"):rep(64) .. ".b"] = "a label is longer than 63 characters",
      [("a."):rep(130) .. "b"] = "the host is longer than 253 characters",
      ["hö.st"] = "the host has a character other than letters, digits, dots and hyphens",
      ["[::1"] = "the IPv6 address is malformed",
      ["[zz]"] = "the IPv6 address is malformed",
      ["[]"] = "the IPv6 address is malformed",
      ["[1:2:3]"] = "the IPv6 address is malformed",
      ["[1.2.3.4]"] = "the IPv6 address is malformed",
      ["ftp://host"] = "the scheme is neither http nor https",
      ["http://host"] =
        "plain HTTP is for loopback addresses; plain_http = true allows it elsewhere",
      ["http://127.0.0.1.example.com"] =
        "plain HTTP is for loopback addresses; plain_http = true allows it elsewhere",
      -- A resolver is asked for such a name.
      ["http://127.0.0.256:80"] =
        "plain HTTP is for loopback addresses; plain_http = true allows it elsewhere",
    } do
      local parsed, why = endpoint.parse(text)
      assert.is_nil(parsed, text)
      assert.equal(reason, why, text)
    end
  end)

  it("that is refused is shown without user and password", function()
    for text, shown in pairs {
      ["https://h.example"] = '"https://h.example"', ["h/x"] = '"h/x"',
      ["http://u:canary@h.example"] = '"http://***@h.example"',
      ["u:can@ary@h.example:1"] = '"***@h.example:1"', ["u:can/ary@h"] = '"***@h"',
      ["x:///u:canary@h"] = '"x://***@h"', ["a-b://u:canary@h"] = '"***@h"',
    } do
      assert.equal(("x: got %s: why; allowed: host[:port] with optional http:// or https://")
        :format(shown), endpoint.refusal("x", text, "why"))
    end
    assert.matches("^x: got 3 %(number%): why;", endpoint.refusal("x", 3, "why"))
    local _, message = endpoint.resolve { product = "ebs", endpoint = "http://u:canary@127.0.0.1" }
    assert.equal('option endpoint: got "http://***@127.0.0.1": it has user information; allowed: '
      .. "host[:port] with optional http:// or https://", message)
  end)

  it("may be plain HTTP elsewhere only by permission, which does not change the default", function()
    assert.equal("http", endpoint.parse("http://host", true).scheme)
    assert.equal("https", endpoint.parse("host", true).scheme)
  end)

  it("is taken apart into host and port", function()
    assert.equal("h.example", endpoint.without_port "h.example:1")
    assert.equal("[::1]", endpoint.without_port "[::1]:1")
    assert.is_nil(endpoint.authority_fault "[2001:db8::1]:443")
    assert.equal("it has a path", endpoint.authority_fault "http://h.example")
  end)

  it("is believed about the time only over https or on this machine", function()
    assert.is_true(endpoint.parse("https://host").secure)
    assert.is_true(endpoint.parse("http://127.1.2.3").secure)
    assert.is_false(endpoint.parse("http://host", true).secure)
  end)
end)

describe("the endpoint of a call", function()
  local env = {
    ALIBABA_CLOUD_ENDPOINT_EBS = "product.example",
    ALIBABA_CLOUD_ENDPOINT = "any.example",
  }

  it("is the option, the product's variable, the general one or the pattern", function()
    local function host(want, variables) return assert(resolve(want, variables)).host end
    assert.equal("option.example", host({ endpoint = "option.example", region = "r" }, env))
    assert.equal("product.example", host({ region = "r" }, env))
    assert.equal("any.example", host({ region = "r", product = "ecs" }, env))
    assert.equal("ebs.r-1.aliyuncs.com", host({ region = "r-1" }, { ALIBABA_CLOUD_ENDPOINT = "" }))
  end)

  it("says where it came from", function()
    assert.equal("ALIBABA_CLOUD_ENDPOINT_EBS", resolve({ region = "r" }, env).source)
    assert.equal("option", resolve({ endpoint = "h" }).source)
    assert.equal("pattern", resolve({ region = "r" }).source)
  end)

  it("may be given for one region, the others keep theirs", function()
    local by_region = { ["cn-shanghai"] = "127.0.0.1:1" }
    assert.equal("127.0.0.1:1", resolve({ endpoint = by_region, region = "cn-shanghai" }).host)
    assert.equal("ebs.cn-beijing.aliyuncs.com",
      resolve({ endpoint = by_region, region = "cn-beijing" }).host)
  end)

  it("has a form for private networks", function()
    assert.equal("ebs-vpc.r.aliyuncs.com", resolve({ region = "r", network = "vpc" }).host)
    assert.equal("x.r.example", resolve({
      region = "r", patterns = { public = "x.%s.example" },
    }).host)
  end)

  it("is in the network of the option, else of the environment", function()
    local function network(given, value)
      return endpoint.network(given, function(name)
        return name == "ALIBABA_CLOUD_ENDPOINT_TYPE" and value or nil
      end)
    end
    assert.equal("public", network())
    assert.equal("public", network(nil, ""))
    assert.equal("vpc", network(nil, "vpc"))
    assert.equal("public", network("public", "vpc"))
    local none_found, message = network(nil, "inner")
    assert.is_nil(none_found)
    assert.matches("ALIBABA_CLOUD_ENDPOINT_TYPE: got \"inner\"", message)
  end)

  it("knows the regions whose public host breaks the pattern", function()
    local patterns = {
      public = "p.%s.example", vpc = "v.%s.example", exceptions = { odd = "p-odd.example" },
    }
    local function host(region, network)
      return resolve({ region = region, network = network, patterns = patterns }).host
    end
    assert.equal("p-odd.example", host "odd")
    assert.equal("p.even.example", host "even")
    assert.equal("v.odd.example", host("odd", "vpc"))
  end)

  it("needs a region that is one", function()
    local none_found, message = resolve {}
    assert.is_nil(none_found)
    assert.equal("no region: set the option region or ALIBABA_CLOUD_REGION_ID", message)
    for _, region in ipairs { "", "cn shanghai", "CN", "a.b", "x/y", "a\n", ("a"):rep(65) } do
      local found, why = resolve { region = region }
      assert.is_nil(found)
      assert.matches("^region: got .* allowed: a region id", why)
    end
  end)

  it("names the variable that holds a wrong one", function()
    local found, message = resolve({ region = "r" }, { ALIBABA_CLOUD_ENDPOINT = "a b" })
    assert.is_nil(found)
    assert.equal('ALIBABA_CLOUD_ENDPOINT: got "a b": it has a space; allowed: '
      .. "host[:port] with optional http:// or https://", message)
  end)
end)
