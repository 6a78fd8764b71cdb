-- A client behind a real proxy: Debian's tinyproxy. 0.0.0.0 is this machine too, but not loopback,
-- which no proxy is asked for.

local alicloud = require "alicloud"
local net_options = require "alicloud.net.options"
local posix = require "spec.posix"
local proxies = require "alicloud.net.proxy"
local server_module = require "spec.server"
local behaviour = require "spec.server.behaviour"
local exchange = require "spec.server.exchange"
local tinyproxy = require "spec.server.tinyproxy"
local nginx = require "spec.server.nginx"
local tls = require "spec.server.tls"
local transport = require "alicloud.transport"
local scratch = require "spec.scratch"
local sorted = require "alicloud.base.tables"

local VARIABLES = { "http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy",
  "ALL_PROXY", "no_proxy", "NO_PROXY", "SSL_CERT_DIR" }

describe("a client behind tinyproxy", function()
  local dir, good, front, open, guarded

  setup(function()
    dir = scratch.directory()
    good = tls.authority(dir, "good")
    local certificate = good:issue("front", { san = "IP:0.0.0.0,DNS:front.spec.test" })
    front = nginx.start(dir, { { name = "front.spec.test", certificate = certificate } })
    open = tinyproxy.start(dir, { connect = front.port })
    guarded = tinyproxy.start(dir, { connect = front.port, user = "ops", password = "canary" })
  end)

  teardown(function()
    for _, daemon in ipairs { guarded, open, front } do daemon:close() end
  end)

  after_each(function()
    for _, name in ipairs(VARIABLES) do posix.setenv(name, nil) end
  end)

  local function client_of(given)
    local options = {
      region = "cn-shanghai", access_key_id = "spec", access_key_secret = "spec-secret",
      endpoint = "0.0.0.0:" .. front.port, ca_file = good.file, retries = 0, connect_timeout = 60,
    }
    for key, value in pairs(given or {}) do options[key] = value end
    return alicloud.client(options)
  end

  local function ask(given)
    local client <close> = client_of(given)
    return client:call("DescribeRegions")
  end

  it("reaches its endpoint through the tunnel, by option", function()
    assert.is_string(assert(ask { proxy = "127.0.0.1:" .. open.port }).RequestId)
  end)

  it("changes things through the tunnel too", function()
    local client <close> = client_of { proxy = "127.0.0.1:" .. open.port }
    assert(client:call("FailoverDiskReplicaGroup", { ReplicaGroupId = "pg-1" }))
  end)

  it("reaches the proxy at a pinned address", function()
    local host = "proxy.spec.test:" .. open.port
    assert.is_string(assert(ask { proxy = host, resolve = { [host] = { "127.0.0.1" } } }).RequestId)
  end)

  it("honours the environment, unless the host is excepted", function()
    posix.setenv("https_proxy", ("http://127.0.0.1:%d"):format(server_module.closed_port()))
    local result, err = ask()
    assert.is_nil(result)
    assert.equal("Client.Proxy", err.code)
    assert.equal("not_sent", err.outcome)
    posix.setenv("no_proxy", "0.0.0.0")
    assert.is_string(assert(ask()).RequestId)
    posix.setenv("no_proxy", nil)
    posix.setenv("https_proxy", "http://127.0.0.1:" .. open.port)
    assert.is_string(assert(ask()).RequestId)
  end)

  it("goes without it where the options say so", function()
    posix.setenv("https_proxy", ("http://127.0.0.1:%d"):format(server_module.closed_port()))
    assert.is_string(assert(ask { proxy = "none" }).RequestId)
    assert.is_string(assert(ask { no_proxy = "0.0.0.0" }).RequestId)
  end)

  it("trusts the roots that the environment names", function()
    local function trusted()
      local client <close> = alicloud.client { region = "cn-shanghai", access_key_id = "spec",
        access_key_secret = "spec-secret", endpoint = "0.0.0.0:" .. front.port, retries = 0 }
      local result, err = client:call("DescribeRegions")
      return result ~= nil or err.code
    end
    assert.equal("Client.TLS.Untrusted", trusted())
    for _, name in ipairs { "ALIBABA_CLOUD_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE" } do
      posix.setenv(name, good.file)
      assert.is_true(trusted(), name)
      posix.setenv(name, nil)
    end
    posix.setenv("SSL_CERT_DIR", "/nonexistent:" .. good.path)
    assert.is_true(trusted())
  end)

  it("names the proxy and where that came from in whatever stops a request on its way", function()
    for _, proxy in ipairs { "http://127.0.0.1:" .. server_module.closed_port(),
      "http://127.0.0.1:" .. guarded.port, "https://127.0.0.1:" .. open.port,
      "http://proxy.invalid:1" } do
      posix.setenv("https_proxy", proxy)
      local _, err = ask()
      assert.equal("not_sent", err.outcome)
      assert.is_true(err:is "Client.Proxy*", err.code)
      assert.is_truthy(err.message:find("; the proxy is " .. proxy .. " (https_proxy)", 1, true),
        err.message)
    end
    posix.setenv("https_proxy", nil)
    local _, err = ask { proxy = "127.0.0.1:" .. open.port, endpoint = "0.0.0.0:1" }
    assert.is_truthy(err.message:find("(option proxy)", 1, true))
    _, err = ask { endpoint = "0.0.0.0:1" }
    assert.is_nil(err.message:find("proxy", 1, true))
  end)

  it("is told when the proxy refuses the tunnel: status, host, nothing sent", function()
    local result, err = ask { proxy = "127.0.0.1:" .. open.port, endpoint = "0.0.0.0:1" }
    assert.is_nil(result)
    assert.equal("Client.Proxy.Refused", err.code)
    assert.equal("not_sent", err.outcome)
    assert.is_false(err.retryable)
    assert.matches("HTTP 403 to a CONNECT to 0%.0%.0%.0:1", err.message)
    assert.is_truthy(err.hint:find("no_proxy", 1, true))
  end)

  it("shows the proxy who it is, and nobody else", function()
    local at = "@127.0.0.1:" .. guarded.port
    assert.is_string(assert(ask { proxy = "http://ops:canary" .. at }).RequestId)
    posix.setenv("https_proxy", "http://ops:canary" .. at)
    assert.is_string(assert(ask()).RequestId)
    posix.setenv("https_proxy", nil)
    for _, proxy in ipairs { "127.0.0.1:" .. guarded.port, "http://ops:canaries" .. at,
      "http://canary:ops" .. at } do
      local client <close> = client_of { proxy = proxy }
      local result, err = client:call("FailoverDiskReplicaGroup", { ReplicaGroupId = "pg-1" })
      assert.is_nil(result)
      assert.equal("Client.Proxy.Refused", err.code)
      assert.equal("not_sent", err.outcome)
      -- This one says 401 to a wrong password.
      assert.matches("HTTP 40[17] ", err.message)
      for name, value in pairs(err) do
        assert.is_nil(tostring(value):find("canar", 1, true), name)
      end
      assert.is_nil((tostring(err) .. tostring(client)):find("canar", 1, true))
    end
  end)
end)

describe("the rules for proxies", function()
  local server

  before_each(function()
    server = server_module.new(behaviour.answer_and_close(
      "HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n", "fin"))
  end)

  after_each(function()
    server:close()
    for _, name in ipairs(VARIABLES) do posix.setenv(name, nil) end
  end)

  -- { scheme, host, variables (true: the proxy), option no_proxy }
  local rows = {
    { "https", "a.invalid", {} },
    { "https", "a.invalid", { https_proxy = true } },
    { "https", "a.invalid", { HTTPS_PROXY = true } },
    { "https", "a.invalid", { http_proxy = true } },
    { "https", "a.invalid", { ALL_PROXY = true } },
    { "http", "a.invalid", { http_proxy = true } },
    { "http", "a.invalid", { HTTP_PROXY = true } },
    { "http", "a.invalid", { all_proxy = true } },
    { "https", "a.invalid", { https_proxy = "", all_proxy = true } },
    { "https", "a.b.invalid", { https_proxy = true, no_proxy = "b.invalid" } },
    { "https", "a.b.invalid", { https_proxy = true, NO_PROXY = ".b.invalid" } },
    { "https", "a.b.invalid", { https_proxy = true, no_proxy = "x, A.B.INVALID" } },
    { "https", "ab.invalid", { https_proxy = true, no_proxy = "b.invalid" } },
    { "https", "a.invalid", { https_proxy = true, no_proxy = "*" } },
    { "https", "a.invalid", { https_proxy = true, no_proxy = "a.invalid" }, "b.invalid" },
    { "https", "a.invalid", { https_proxy = true }, "a.invalid" },
    { "https", "0.0.0.0:1", { https_proxy = true, no_proxy = "0.0.0.0/8" } },
    { "https", "0.0.0.0:1", { https_proxy = true, no_proxy = "1.0.0.0/8" } },
    { "https", "127.0.0.1:1", { https_proxy = true } },
  }
  for _, row in ipairs(rows) do
    local scheme, host, env, no_proxy = table.unpack(row)
    local names = table.concat(sorted.keys(env), " ")
    it(("are ours as libcurl has them: %s://%s %s"):format(scheme, host, names),
      function()
        local function value_of(name) return env[name] == true and server.url or env[name] end
        for name in pairs(env) do posix.setenv(name, value_of(name)) end
        local client <close> = transport.new { no_proxy = no_proxy }
        exchange.call(server, client, exchange.request(scheme .. "://" .. host,
          { plain_http = true, timeout = 2 }))
        local expected = proxies.of { scheme = scheme, host = host, no_proxy = no_proxy,
          getenv = value_of }
        assert.equal(expected ~= nil, #server.connections > 0)
      end)
  end

  -- { host, no_proxy, whether it is asked directly }
  local spellings = {
    { "a.b.invalid", "*.b.invalid", true },
    { "a.b.invalid", "https://a.b.invalid:443/", true },
    { "a.b.invalid", "x\tB.invalid. y", true },
    { "a.b.invalid", "*x.invalid b.invalid:80", false },
    { "0.0.0.0:1", "0.0.0.0/0", true },
    { "0.0.0.0:1", "0.*", false },
  }
  for _, row in ipairs(spellings) do
    local host, no_proxy, direct = table.unpack(row)
    it(("have exceptions as libcurl takes them: %s %q"):format(host, no_proxy), function()
      local env = { https_proxy = server.url, no_proxy = no_proxy }
      posix.setenv("https_proxy", server.url)
      posix.setenv("no_proxy", no_proxy)
      local function getenv(name) return env[name] end
      local client <close> = transport.new(net_options.settings({}, getenv))
      exchange.call(server, client, exchange.request("https://" .. host, { timeout = 2 }))
      assert.equal(direct, #server.connections == 0)
      assert.equal(direct, proxies.of { scheme = "https", host = host, getenv = getenv } == nil)
    end)
  end
end)
