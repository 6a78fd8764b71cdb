-- A client against a real TLS front: Debian's nginx with the certificates of a bad day.

local alicloud = require "alicloud"
local exchange = require "spec.server.exchange"
local helper = require "spec.helper"
local nginx = require "spec.server.nginx"
local scratch = require "spec.scratch"
local tls = require "spec.server.tls"
local transport = require "alicloud.transport"

describe("a client and nginx", function()
  local dir, good, front, certificates
  local names = { "good", "expired", "early", "stranger", "wrong", "mutual" }

  setup(function()
    dir = scratch.directory()
    good = tls.authority(dir, "good")
    local other = tls.authority(dir, "other")
    local function san(name) return { san = ("DNS:%s.spec.test"):format(name) } end
    local expired, early = san "expired", san "early"
    expired.to, early.from = -1, 1
    certificates = {
      good = good:issue("good", san "good"),
      expired = good:issue("expired", expired),
      early = good:issue("early", early),
      stranger = other:issue("stranger", san "stranger"),
      wrong = good:issue("wrong", san "somebody-else"),
      mutual = good:issue("mutual", san "mutual"),
      client = good:issue("client", san "client"),
      foreign = other:issue("foreign", san "client"),
    }
    local hosts = {}
    for i, name in ipairs(names) do
      hosts[i] = { name = name .. ".spec.test", certificate = certificates[name],
        extra = "ssl_session_cache shared:spec:1m; add_header x-spec-resumed $ssl_session_reused;" }
    end
    hosts[#hosts].extra = ("%s ssl_verify_client on; ssl_client_certificate %s;")
      :format(hosts[#hosts].extra, good.file)
    front = nginx.start(dir, hosts)
  end)

  teardown(function() front:close() end)

  -- No resolver knows these names, so every call here goes to a pinned address.
  local function client_of(name, given)
    local options = {
      region = "cn-shanghai", access_key_id = "spec", access_key_secret = "spec-secret",
      endpoint = ("%s.spec.test:%d"):format(name, front.port), ca_file = good.file,
      resolve = { [name .. ".spec.test"] = { "127.0.0.1" } }, proxy = "none",
      runtime = { getenv = function() end },
    }
    for key, value in pairs(given or {}) do options[key] = value end
    return alicloud.client(options)
  end

  local function ask(name, given)
    local client <close> = client_of(name, given)
    return client:call("DescribeRegions")
  end

  it("agree over a name that only the certificate and the pin know", function()
    assert.is_string(assert(ask "good").RequestId)
  end)

  it("keep a connection for reads, and never for a failover", function()
    local client <close> = transport.new { ca_file = good.file, proxy = "none",
      resolve = { ["good.spec.test"] = { "127.0.0.1" } } }
    local url = "https://good.spec.test:" .. front.port
    for _, mutating in ipairs { false, false, true, true, false } do
      local result = exchange.call(nil, client, exchange.request(url, { mutating = mutating }))
      assert.equal("accepted", (exchange.outcome(result)), result.detail)
    end
    local totals = client:stats()
    assert.equal(5, totals.requests)
    assert.equal(3, totals.connections)
    assert.equal(2, totals.reused)
  end)

  for _, row in ipairs {
    { "expired", "Expired", "has expired", "clock" },
    { "early", "NotYetValid", "is not valid yet", "clock" },
    { "stranger", "Untrusted", "nobody trusted vouches", "ca_file" },
    { "wrong", "WrongHost", "for another host", "endpoint" },
  } do
    it("part at once over a certificate: " .. row[3], function()
      local result, err = ask(row[1])
      assert.is_nil(result)
      assert.equal("Client.TLS." .. row[2], err.code)
      assert.equal("tls", err.kind)
      assert.equal("not_sent", err.outcome)
      assert.is_false(err.retryable)
      assert.equal(1, err.attempts)
      assert.is_truthy(err.message:find(row[3], 1, true), err.message)
      assert.is_truthy(err.message:find(row[1] .. ".spec.test:" .. front.port, 1, true))
      assert.is_truthy(err.hint:find(row[4], 1, true))
      if row[1] == "stranger" then assert.is_truthy(err.message:find(good.file, 1, true)) end
    end)
  end

  it("know each other where both sides show a certificate", function()
    local key = certificates.client:gsub("%.pem$", ".key")
    local cert = certificates.client:gsub("%.pem$", ".crt")
    assert.is_string(assert(ask("mutual", { client_cert = certificates.client })).RequestId)
    assert.is_string(assert(ask("mutual", { client_cert = cert, client_key = key })).RequestId)
  end)

  it("do not where the client shows none or another's", function()
    for _, given in ipairs { {}, { client_cert = certificates.foreign } } do
      local result, err = ask("mutual", given)
      assert.is_nil(result)
      -- nginx answers this over the connection, so the request has left.
      assert.equal("unknown", err.outcome)
      assert.equal(400, err.status)
      assert.matches("certificate", err.message)
    end
  end)

  -- Mutating, so that every call makes a connection of its own.
  local function meet(client, name)
    local url = ("https://%s.spec.test:%d"):format(name, front.port)
    local result = exchange.call(nil, client, exchange.request(url, { mutating = true }))
    return result.failure or result.status, result.headers and result.headers["x-spec-resumed"]
  end

  it("resume a session, but none that a client of other trust or another key has made", function()
    local function new(given)
      given.ca_file, given.proxy = given.ca_file or good.file, "none"
      given.resolve = {}
      for _, name in ipairs(names) do given.resolve[name .. ".spec.test"] = { "127.0.0.1" } end
      return transport.new(given)
    end
    local known <close> = new { client_cert = certificates.client }
    local stranger <close> = new { ca_file = dir .. "/other/ca.pem" }
    local foreign <close> = new { client_cert = certificates.foreign }
    for round = 1, 3 do
      for _, name in ipairs { "good", "mutual" } do
        assert.same({ 200, round == 1 and "." or "r" }, { meet(known, name) })
        assert.equal("tls_untrusted", (meet(stranger, name)))
      end
      assert.same({ 200, round == 1 and "." or "r" }, { meet(foreign, "good") })
      assert.equal(400, (meet(foreign, "mutual")))
    end
  end)

  it("do not meet with a client certificate that cannot be read", function()
    local sealed = dir .. "/sealed.key"
    assert(os.execute(("openssl ec -aes128 -passout pass:x -in '%s' -out '%s' 2>/dev/null")
      :format(good.key, sealed)))
    for _, given in ipairs { { client_cert = dir .. "/missing.pem" },
      { client_cert = certificates.client, client_key = sealed } } do
      local result, err = ask("mutual", given)
      assert.is_nil(result)
      assert.equal("tls", err.kind)
      assert.equal("not_sent", err.outcome)
      assert.is_truthy(err.message:find("mutual.spec.test", 1, true))
    end
  end)

  it("do not meet without a resolver or a pin, and the error says how to", function()
    local result, err = ask("good", { resolve = {}, retries = 0 })
    assert.is_nil(result)
    assert.equal("Client.Resolve", err.code)
    assert.equal("not_sent", err.outcome)
    assert.is_truthy(tostring(err):find("good.spec.test", 1, true))
    assert.is_truthy(err.hint:find("resolve = {", 1, true))
  end)

  it("go on over the next address when the first one refuses", function()
    local pins = { ["good.spec.test"] = { "::1", "127.0.0.9", "127.0.0.1" } }
    assert.is_string(assert(ask("good", { resolve = pins })).RequestId)
  end)

  it("part for good when the client is closed", function()
    local client
    do
      local scoped <close> = client_of "good"
      client = scoped
      assert(client:call("DescribeRegions"))
    end
    assert.matches("the client is closed", helper.raised(client.call, client, "DescribeRegions"))
  end)
end)
