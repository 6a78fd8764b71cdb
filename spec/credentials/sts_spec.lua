-- Asking the token service: forms, endpoints and failures of AssumeRole and AssumeRoleWithOIDC.
local adapter = require "alicloud.net.adapter"
local core = require "alicloud.core"
local credentials = require "alicloud.credentials"
local helper = require "spec.helper"
local machines = require "spec.credentials"

local ROLE = "acs:ram::123456789012:role/dr"
local NOW = 1795317592

local answer = machines.answer

local function form(text)
  local fields = {}
  for name, value in text:gmatch("([^&=]+)=([^&]*)") do
    fields[core.percent_decode(name)] = core.percent_decode(value)
  end
  return fields
end

local function session_answer(headers)
  return answer(200, { RequestId = "R", Credentials = machines.members(1, NOW + 3600) }, headers)
end

local SOURCE = { access_key_id = "LTAIsource0src1", access_key_secret = "canary-source" }

local function assume(answers, given, env)
  local machine = machines.new { answers = answers, env = env or {} }
  local options = { role_arn = ROLE, source = credentials.static(SOURCE) }
  for name, value in pairs(given or {}) do options[name] = value end
  local provider = machines.open(machine, credentials.role(options))
  local keys, err = provider:get()
  return keys, err, machine.requests, provider, machine
end

describe("AssumeRole", function()
  it("is a signed POST with its parameters in the form", function()
    local keys, _, requests = assume({ session_answer() }, {
      session_name = "desk-7", duration = 900, external_id = "ext", policy = '{\n"a":1}' })
    assert.equal("STS.key1", keys.access_key_id)
    assert.equal("ram_role_arn/static_ak", keys.provider)
    local request = requests[1]
    assert.same({ "POST", "https://sts.aliyuncs.com/" }, { request.method, request.url })
    assert.equal("AssumeRole", request.headers["x-acs-action"])
    assert.equal("2015-04-01", request.headers["x-acs-version"])
    assert.equal("static_ak", request.headers["x-acs-credentials-provider"])
    assert.equal("application/x-www-form-urlencoded", request.headers["content-type"])
    assert.matches("^ACS3%-HMAC%-SHA256 Credential=LTAIsource0src1,SignedHeaders=.*"
      .. "x%-acs%-credentials%-provider", request.headers.authorization)
    assert.same({ RoleArn = ROLE, RoleSessionName = "desk-7", DurationSeconds = "900",
      ExternalId = "ext", Policy = '{ "a":1}' }, form(request.body))
  end)

  it("has the vendor's defaults", function()
    local _, _, requests = assume { session_answer() }
    local fields = form(requests[1].body)
    assert.equal("3600", fields.DurationSeconds)
    assert.equal("credentials-lua-1795317592000", fields.RoleSessionName)
    _, _, requests = assume({ session_answer() }, nil, { ALIBABA_CLOUD_ROLE_SESSION_NAME = "me" })
    assert.equal("me", form(requests[1].body).RoleSessionName)
  end)

  it("carries the token of a source that is a session itself", function()
    local keys, _, requests = assume({ session_answer() }, {
      source = credentials.static { access_key_id = "STS.first", access_key_secret = "s",
        security_token = "first-token" } })
    assert.equal("ram_role_arn/static_sts", keys.provider)
    assert.equal("first-token", requests[1].headers["x-acs-security-token"])
  end)

  it("takes its source from the default chain unless told", function()
    local machine = machines.new { answers = { session_answer() }, env = {
      ALIBABA_CLOUD_ACCESS_KEY_ID = "LTAIenv", ALIBABA_CLOUD_ACCESS_KEY_SECRET = "s" } }
    local keys = machines.open(machine, credentials.role { role_arn = ROLE }):get()
    assert.equal("ram_role_arn/env", keys.provider)
    assert.equal("default/env", machine.requests[1].headers["x-acs-credentials-provider"])
  end)

  it("goes to the endpoint that option, environment and region say", function()
    for _, case in ipairs {
      { "https://sts.aliyuncs.com/" },
      { "https://sts.cn-shanghai.aliyuncs.com/", { sts_region = "cn-shanghai" } },
      { "https://sts-vpc.cn-shanghai.aliyuncs.com/",
        { sts_region = "cn-shanghai", sts_vpc = true } },
      { "https://sts-vpc.cn-beijing.aliyuncs.com/", nil,
        { ALIBABA_CLOUD_STS_REGION = "cn-beijing", ALIBABA_CLOUD_VPC_ENDPOINT_ENABLED = "true" } },
      { "https://sts.example/", nil, { ALIBABA_CLOUD_STS_ENDPOINT = "sts.example" } },
      { "https://own.example/", { sts_endpoint = "own.example" },
        { ALIBABA_CLOUD_ENDPOINT_STS = "sts.example" } },
      -- An emulator on this machine is the token service as well; another product's host is not.
      { "http://127.0.0.1:8080/", nil, { ALIBABA_CLOUD_ENDPOINT = "http://127.0.0.1:8080" } },
      { "https://sts.aliyuncs.com/", nil, { ALIBABA_CLOUD_ENDPOINT = "ebs.x.aliyuncs.com" } },
    } do
      local _, _, requests = assume({ session_answer() }, case[2], case[3])
      assert.equal(case[1], requests[1].url)
    end
    local _, err = assume({}, nil, { ALIBABA_CLOUD_STS_REGION = "x/y" })
    assert.matches("^ALIBABA_CLOUD_STS_REGION: ", err.message)
    _, err = assume({}, nil, { ALIBABA_CLOUD_ENDPOINT_STS = "http://far.example" })
    assert.matches("^ALIBABA_CLOUD_ENDPOINT_STS: ", err.message)
  end)

  it("is asked for on the client's way to the network, also where the client only observes",
    function()
      local machine = machines.new { answers = { session_answer() } }
      local transport, builtin, ways = machine.settings.config.transport, adapter.builtin, {}
      machine.settings.mode = "observe"
      machine.settings.config = { mode = "observe", ca_file = "/roots.pem", connect_timeout = 60 }
      finally(function() adapter.builtin = builtin end)
      function adapter.builtin(way)
        ways[#ways + 1] = way
        return adapter.foreign(transport)
      end
      local spec = credentials.role { role_arn = ROLE, source = credentials.static(SOURCE) }
      assert.is_table(machines.open(machine, spec):get())
      assert.same({ { ca_file = "/roots.pem", connect_timeout = 5 } }, ways)
    end)

  it("counts the session's life from the service's clock", function()
    -- This machine is a day ahead; the session is good all the same.
    local ends = core.iso8601(NOW - 86400 + 3600)
    local keys = assume { answer(200, { RequestId = "R", Credentials = {
      AccessKeyId = "STS.k", AccessKeySecret = "s", SecurityToken = "t", Expiration = ends } },
      { date = os.date("!%a, %d %b %Y %H:%M:%S GMT", NOW - 86400) }) }
    assert.is_truthy(keys)
  end)

  it("tells why it was refused, and whose fault an unusable source is", function()
    local _, err = assume { helper.refuse(403, "NoPermission") }
    assert.same({ "credentials", "NoPermission", "not_sent", 403 },
      { err.kind, err.code, err.outcome, err.status })
    assert.equal("AssumeRole: words of NoPermission", err.message)
    assert.matches("trust policy", err.hint)
    _, err = assume({}, { source = { get = function() return nil end } })
    assert.matches("provider gave nothing", err.message)
  end)

  it("shows nothing of an answer that it cannot use", function()
    for _, reply in ipairs {
      answer(200, { Credentials = machines.members(1, NOW + 3600) }),
      answer(200, '{"RequestId":"R","Credentials":{"AccessKeySecret":"canary-secret-1","Acc'),
      answer(200, { RequestId = "R", Credentials = { AccessKeySecret = "canary-secret-1" } }),
    } do
      local keys, err = assume { reply, reply, reply }
      assert.is_nil(keys)
      assert.is_nil(tostring(err):find("canary", 1, true))
      for _, value in pairs(err) do
        assert.is_nil(tostring(value):find("canary", 1, true))
      end
    end
  end)

  it("closes what it opened, and leaves the source that was lent", function()
    local source = credentials.static(SOURCE)
    local keys, _, _, provider = assume({ session_answer() }, { source = source })
    provider:close()
    assert.equal(0, keys.access_key_secret:length())
    assert.equal(#SOURCE.access_key_secret, source:get().access_key_secret:length())
  end)
end)

describe("AssumeRoleWithOIDC", function()
  local ENV = { ALIBABA_CLOUD_ROLE_ARN = ROLE, ALIBABA_CLOUD_OIDC_TOKEN_FILE = "/run/token",
    ALIBABA_CLOUD_OIDC_PROVIDER_ARN = "acs:ram::123456789012:oidc-provider/k8s" }

  local function ask(answers, env, given, files)
    local machine = machines.new { answers = answers, env = env or ENV,
      files = files or { ["/run/token"] = "jwt.canary+/=\n" } }
    local provider = machines.open(machine, credentials.oidc(given))
    local keys, err = provider:get()
    return keys, err, machine.requests, machine, provider
  end

  it("is an unsigned POST, common parameters in the query, the token in the form",
    function()
      local keys, _, requests = ask { session_answer() }
      assert.equal("oidc_role_arn", keys.provider)
      local request = requests[1]
      assert.equal("POST", request.method)
      assert.matches("^https://sts%.aliyuncs%.com/%?", request.url)
      assert.same({ Action = "AssumeRoleWithOIDC", Version = "2015-04-01", Format = "JSON",
        Timestamp = core.iso8601(NOW) }, helper.query(request))
      assert.same({ RoleArn = ROLE, OIDCToken = "jwt.canary+/=", DurationSeconds = "3600",
        OIDCProviderArn = ENV.ALIBABA_CLOUD_OIDC_PROVIDER_ARN,
        RoleSessionName = "credentials-lua-1795317592000" }, form(request.body))
      assert.equal("application/x-www-form-urlencoded", request.headers["content-type"])
      for name in pairs(request.headers) do
        assert.is_nil(name:find("^x%-acs") or name:find("^authorization"))
      end
    end)

  it("reads the token anew each time", function()
    local _, _, requests, machine, provider = ask { session_answer(), session_answer() }
    machine.files["/run/token"] = "second"
    machine.control.elapsed = 3000
    provider:get()
    assert.equal("second", form(requests[2].body).OIDCToken)
  end)

  it("takes options before the environment", function()
    local _, _, requests = ask({ session_answer() }, ENV, { session_name = "pod", duration = 900,
      policy = "{}", role_arn = ROLE .. "2", sts_region = "cn-beijing" })
    local fields = form(requests[1].body)
    assert.same({ "pod", "900", "{}", ROLE .. "2" },
      { fields.RoleSessionName, fields.DurationSeconds, fields.Policy, fields.RoleArn })
    assert.matches("^https://sts%.cn%-beijing%.aliyuncs%.com/", requests[1].url)
  end)

  it("is absent unless all three variables are set, and names the missing", function()
    local _, err, requests = ask({}, { ALIBABA_CLOUD_ROLE_ARN = ROLE })
    assert.is_true(err.absent)
    assert.equal("ALIBABA_CLOUD_OIDC_PROVIDER_ARN, ALIBABA_CLOUD_OIDC_TOKEN_FILE are not set",
      err.message)
    assert.equal(0, #requests)
    _, err = ask({}, ENV, nil, {})
    assert.matches("^the OIDC token file /run/token: ", err.message)
    assert.matches("see `ls %-lL /run/token`", err.hint)
  end)

  it("says that the token file is empty, and asks nobody", function()
    for _, text in ipairs { "", "\n", " \r\n" } do
      local _, err, requests = ask({}, ENV, nil, { ["/run/token"] = text })
      assert.equal("the OIDC token file /run/token is empty", err.message)
      assert.matches("the kubelet writes it", err.hint)
      assert.equal(0, #requests)
    end
  end)

  it("says which variable holds what no name has in it, and asks nobody", function()
    for _, name in ipairs { "ALIBABA_CLOUD_ROLE_ARN", "ALIBABA_CLOUD_OIDC_PROVIDER_ARN",
      "ALIBABA_CLOUD_OIDC_TOKEN_FILE", "ALIBABA_CLOUD_ROLE_SESSION_NAME" } do
      local env = { ALIBABA_CLOUD_ROLE_SESSION_NAME = "pod" }
      for variable, value in pairs(ENV) do env[variable] = value end
      env[name] = env[name] .. "\n"
      local _, err, requests = ask({}, env)
      assert.equal(name .. " ends in a line end (\\n)", err.message)
      assert.is_true(err.ends_chain)
      assert.equal(0, #requests)
    end
  end)

  it("is asked again after a passing failure, and not after a refusal", function()
    local keys, _, requests = ask { answer(502, ""), session_answer() }
    assert.is_truthy(keys)
    assert.equal(2, #requests)
    local _, err
    _, err, requests = ask { helper.refuse(400, "AuthenticationFail.OIDCToken.Expired") }
    assert.equal("AuthenticationFail.OIDCToken.Expired", err.code)
    assert.equal("REQ-400", err.request_id)
    assert.equal(1, #requests)
  end)

  it("repeats neither the token nor a session in an error", function()
    for _, reply in ipairs {
      answer(400, { Code = "X", Message = "bad token jwt.canary+/= given", RequestId = "R" }),
      answer(400, "jwt.canary+/="), answer(200, { Credentials = { AccessKeyId = "canary" } }),
      answer(200, "canary"),
    } do
      local keys, err = ask { reply }
      assert.is_nil(keys)
      assert.is_nil(tostring(err):find("canary", 1, true))
    end
  end)
end)
