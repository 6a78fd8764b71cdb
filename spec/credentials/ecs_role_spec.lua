-- The metadata service, request by request as the vendor's SDKs ask it.
local adapter = require "alicloud.net.adapter"
local credentials = require "alicloud.credentials"
local machines = require "spec.credentials"

local ROLES = "http://100.100.100.200/latest/meta-data/ram/security-credentials/"
local TOKEN_HEADER = "x-aliyun-ecs-metadata-token"
local NOW = 1795317592

local function session(n)
  local object = machines.members(n or 1, NOW + 21600)
  object.Code = "Success"
  return object
end

local answer = machines.answer

local function ask(answers, given, env)
  local machine = machines.new { answers = answers, env = env }
  local keys, err = machines.open(machine, credentials.ecs_role(given)):get()
  return keys, err, machine.requests, machine
end

describe("the instance role", function()
  it("is asked with a new token before each read", function()
    local keys, _, requests = ask { answer(200, "tok1"), answer(200, " dr-role \n"),
      answer(200, "tok2"), answer(200, session()) }
    assert.equal("STS.key1", keys.access_key_id)
    assert.equal("ecs_ram_role", keys.provider)
    local seen = {}
    for i, request in ipairs(requests) do
      seen[i] = { request.method, request.url, request.headers[TOKEN_HEADER],
        request.headers[TOKEN_HEADER .. "-ttl-seconds"], request.body }
    end
    assert.same({
      { "PUT", "http://100.100.100.200/latest/api/token", nil, "21600" },
      { "GET", ROLES, "tok1" },
      { "PUT", "http://100.100.100.200/latest/api/token", nil, "21600" },
      { "GET", ROLES .. "dr-role", "tok2" },
    }, seen)
  end)

  it("is never asked through a proxy, and has a second to connect", function()
    local machine = machines.new { answers = { answer(200, "tok"), answer(200, session()) } }
    local transport, builtin, ways = machine.settings.config.transport, adapter.builtin, {}
    machine.settings.config.transport = nil
    finally(function() adapter.builtin = builtin end)
    function adapter.builtin(way)
      ways[#ways + 1] = way
      return adapter.foreign(transport)
    end
    machines.open(machine, credentials.ecs_role { role_name = "r" }):get()
    assert.same({ { observe = false, connect_timeout = 1, proxy = "none" } }, ways)
    assert.equal(2, #machine.requests)
    for _, request in ipairs(machine.requests) do
      assert.is_true(request.plain_http)
      assert.is_false(request.mutating)
      assert.is_true(request.timeout <= 2)
    end
  end)

  it("needs no discovery when its name is given", function()
    for _, case in ipairs {
      { { role_name = "mine" } }, { nil, { ALIBABA_CLOUD_ECS_METADATA = "mine" } },
    } do
      local _, _, requests = ask({ answer(200, "tok"), answer(200, session()) }, case[1], case[2])
      assert.equal(2, #requests)
      assert.equal(ROLES .. "mine", requests[2].url)
    end
  end)

  it("goes on the old way without a token", function()
    for _, refusal in ipairs { answer(404, ""), answer(403, ""), answer(500, "x"),
      { failure = "timeout", sent = true } } do
      local keys, _, requests = ask({ refusal, answer(200, session()) }, { role_name = "r" })
      assert.is_truthy(keys)
      assert.equal(2, #requests)
      assert.is_nil(requests[2].headers[TOKEN_HEADER])
    end
  end)

  it("tries the old way once when a read with a token fails", function()
    local keys, _, requests = ask({ answer(200, "tok"), answer(403, ""), answer(200, session()) },
      { role_name = "r" })
    assert.is_truthy(keys)
    assert.equal("tok", requests[2].headers[TOKEN_HEADER])
    assert.is_nil(requests[3].headers[TOKEN_HEADER])
    keys, _, requests = ask({ answer(200, "tok"), answer(403, ""), answer(403, "") },
      { role_name = "r" })
    assert.is_nil(keys)
    assert.equal(3, #requests)
  end)

  it("does neither where the old way is switched off", function()
    for _, case in ipairs {
      { { role_name = "r", imdsv1 = false } },
      { { role_name = "r" }, { ALIBABA_CLOUD_IMDSV1_DISABLED = "True" } },
    } do
      local keys, err, requests = ask({ answer(404, "") }, case[1], case[2])
      assert.is_nil(keys)
      assert.matches("gave no token %(HTTP 404%), and IMDSv1 is switched off", err.message)
      assert.equal(1, #requests)
      keys, err, requests = ask({ answer(200, "tok"), answer(403, "") }, case[1], case[2])
      assert.is_nil(keys)
      assert.is_not_nil(err)
      assert.equal(2, #requests)
    end
  end)

  it("is absent where nobody answers, where there is no role, and where it is switched off",
    function()
      local _, err, requests = ask {}
      assert.is_true(err.absent)
      assert.matches("no metadata service at 100.100.100.200", err.message)
      assert.equal(1, #requests)
      _, err = ask { answer(200, "tok"), answer(404, "") }
      assert.is_true(err.absent)
      assert.equal("this ECS instance has no RAM role", err.message)
      _, err, requests = ask({}, nil, { ALIBABA_CLOUD_ECS_METADATA_DISABLED = "true" })
      assert.is_true(err.absent)
      assert.equal(0, #requests)
    end)

  it("refuses what is no session, and repeats none of it", function()
    local failed, early = session(), session()
    failed.Code = "Failed"
    early.Expiration = "soon"
    local half = session()
    half.SecurityToken = nil
    for _, body in ipairs { failed, early, half, "canary", '{"AccessKeySecret":"canary-s' } do
      local keys, err = ask({ answer(200, "tok"), answer(200, body) },
        { role_name = "r", imdsv1 = false })
      assert.is_nil(keys)
      assert.equal("credentials", err.kind)
      assert.is_nil(tostring(err):find("canary", 1, true))
    end
  end)

  it("takes neither a role name nor a token for a header or a path", function()
    local _, err, requests = ask({ answer(200, "t\r\nx: y"), answer(200, "../../x y") })
    assert.matches("without a role name", err.message)
    assert.is_nil(requests[2].headers[TOKEN_HEADER])
  end)

  it("can be somewhere else in tests", function()
    local _, _, requests = ask({ answer(200, "tok"), answer(200, session()) },
      { role_name = "r", endpoint = "http://127.0.0.1:8080" })
    assert.equal("http://127.0.0.1:8080/latest/api/token", requests[1].url)
    assert.equal("127.0.0.1:8080", requests[1].headers.host)
  end)
end)

describe("the credentials URI", function()
  local URI = "http://127.0.0.1:9/credentials?token=canary-uri"

  local function get(answers, env, given)
    local machine = machines.new { answers = answers, env = env }
    local keys, err = machines.open(machine, credentials.uri(given)):get()
    return keys, err, machine.requests, machine.warnings
  end

  it("is read with one GET", function()
    for _, members in ipairs { machines.members(1, NOW + 3600), session() } do
      local keys, _, requests = get({ answer(200, members) },
        { ALIBABA_CLOUD_CREDENTIALS_URI = URI })
      assert.equal("STS.key1", keys.access_key_id)
      assert.equal("credential_uri", keys.provider)
      assert.equal(1, #requests)
      assert.same({ "GET", URI }, { requests[1].method, requests[1].url })
    end
    local _, _, requests = get({ answer(200, session()) }, {}, { uri = "https://vault.example/x" })
    assert.equal("vault.example", requests[1].headers.host)
  end)

  it("is asked again after a passing failure", function()
    local keys, _, requests = get({ answer(503, ""), { failure = "closed", sent = true },
      answer(200, session()) }, { ALIBABA_CLOUD_CREDENTIALS_URI = URI })
    assert.is_truthy(keys)
    assert.equal(3, #requests)
  end)

  it("is absent when not set", function()
    local _, err = get({}, {})
    assert.is_true(err.absent)
    assert.equal("ALIBABA_CLOUD_CREDENTIALS_URI is not set", err.message)
  end)

  it("says what is wrong without quoting address or answer", function()
    local failed = session()
    failed.Code = "Failed"
    for _, reply in ipairs { answer(404, "canary"), answer(200, "canary"), answer(200, failed),
      answer(200, {}) } do
      local _, err = get({ reply, reply, reply }, { ALIBABA_CLOUD_CREDENTIALS_URI = URI })
      assert.equal("credentials", err.kind)
      assert.is_nil(tostring(err):find("canary", 1, true))
    end
    for _, uri in ipairs { "canary", "ftp://canary", "http://canary@host/", "http://h/canary x",
      "https://h/#canary", "https://canary\\host/", "https://h,canary/" } do
      local _, err, requests = get({}, { ALIBABA_CLOUD_CREDENTIALS_URI = uri })
      assert.matches("^ALIBABA_CLOUD_CREDENTIALS_URI", err.message)
      assert.is_nil(tostring(err):find("canary", 1, true))
      assert.equal(0, #requests)
    end
  end)

  it("says which key of an answer holds what no key has in it", function()
    for _, name in ipairs { "AccessKeyId", "AccessKeySecret", "SecurityToken" } do
      local members = session()
      members[name] = members[name] .. " "
      local keys, err = get({ answer(200, members) }, { ALIBABA_CLOUD_CREDENTIALS_URI = URI })
      assert.is_nil(keys)
      assert.equal(("the credentials URI: the answer's %s ends in a blank"):format(name),
        err.message)
    end
  end)

  it("is refused in the clear, but from this machine and link-local metadata", function()
    for _, host in ipairs { "far.example", "10.0.0.1", "127.evil.example", "169.254.evil.example",
      "127.0.0.1.evil.example", "localhost.evil.example", "[2001:db8::1]", "100.100.100.2000",
      "127.0.0.256", "127.0.0.08", "169.254.1.999", "169.254.0.0x1" } do
      local uri = "HTTP://" .. host .. ":80/canary"
      local keys, err, requests = get({}, { ALIBABA_CLOUD_CREDENTIALS_URI = uri })
      assert.is_nil(keys)
      assert.equal(0, #requests)
      assert.matches("^ALIBABA_CLOUD_CREDENTIALS_URI: got http:// and the host ", err.message)
      assert.is_truthy(err.message:find("allowed: https://", 1, true))
      assert.matches("on this machine", err.hint)
      assert.is_nil(tostring(err):find("canary", 1, true))
      err = select(2, get({}, {}, { uri = uri }))
      assert.matches("^credential_uri: got http:// ", err.message)
    end
    for _, uri in ipairs { "http://localhost/x", "http://127.8.0.1:1/x", "http://[::1]:80/x",
      "http://169.254.170.2/x", "http://100.100.100.200/x", "https://far.example/x" } do
      assert.is_truthy(get({ answer(200, session()) }, {}, { uri = uri }), uri)
    end
  end)
end)
