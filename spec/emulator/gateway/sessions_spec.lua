-- Sessions from end to end: assumed, used, expired and renewed, in the process and over HTTP.
local alicloud = require "alicloud"
local core = require "alicloud.core"
local credentials = require "alicloud.credentials"
local emulator = require "alicloud.emulator"
local scratch = require "spec.scratch"
local server = require "alicloud.emulator.server"

local ROLE = "acs:ram::1000000000000001:role/dr-operator"

local function client_of(emu, given)
  given.transport, given.runtime = given.transport or emu.transport, given.runtime or emu.runtime
  given.region = "cn-shanghai"
  return alicloud.client(given)
end

local function source(emu)
  return credentials.static { access_key_id = emu.access_key_id,
    access_key_secret = emu.access_key_secret }
end

-- A client whose key may only assume the role.
local function assuming(emu, duration)
  return client_of(emu, { credentials = credentials.role { role_arn = ROLE, source = source(emu),
    duration = duration } })
end

local function end_all(emu)
  for _, session in ipairs(emu.sessions.list) do session.ends = 0 end
end

local function with_env(emu, env, files)
  local runtime = {}
  for name, value in pairs(emu.runtime) do runtime[name] = value end
  runtime.getenv = function(name) return env[name] end
  runtime.read_file = function(path) return (files or {})[path] end
  return runtime
end

local function read(client) return client:call("ebs:DescribeDiskReplicaGroups", {}) end

local function actions(emu)
  local list = {}
  for i, request in ipairs(emu:requests()) do list[i] = request.action end
  return list
end

describe("a session of the emulator", function()
  it("is assumed once and accepted by the other products", function()
    local emu = emulator.new()
    local client <close> = assuming(emu)
    assert(read(client))
    assert(read(client))
    local caller = assert(client:call("sts:GetCallerIdentity", {}, { endpoint = "sts.x" }))
    assert.matches("^acs:ram::%d+:assumed%-role/dr%-operator/credentials%-lua%-%d+$", caller.Arn)
    assert.equal("AssumedRoleUser", caller.IdentityType)
    assert.same({ "AssumeRole", "DescribeDiskReplicaGroups", "DescribeDiskReplicaGroups",
      "GetCallerIdentity" }, actions(emu))
  end)

  it("is renewed before it ends", function()
    local emu = emulator.new()
    local client <close> = assuming(emu, 900)
    for _ = 1, 6 do
      assert(read(client))
      emu:advance(300)
    end
    local assumed = 0
    for _, action in ipairs(actions(emu)) do
      assumed = assumed + (action == "AssumeRole" and 1 or 0)
    end
    assert.equal(2, assumed)
  end)

  it("that was ended early is renewed and the call made again, once", function()
    local emu = emulator.new()
    local client <close> = assuming(emu)
    assert(read(client))
    end_all(emu)
    local result = assert(read(client))
    assert.equal(2, alicloud.meta(result).attempts)
    assert.same({ "AssumeRole", "DescribeDiskReplicaGroups", "DescribeDiskReplicaGroups",
      "AssumeRole", "DescribeDiskReplicaGroups" }, actions(emu))
  end)

  it("that is refused again after renewal is refused for good", function()
    local emu = emulator.new()
    local client <close> = assuming(emu)
    emu:fault { match = { action = "DescribeDiskReplicaGroups" },
      effect = { error = { code = "InvalidSecurityToken.Expired" } } }
    local result, err = read(client)
    assert.is_nil(result)
    assert.equal("InvalidSecurityToken.Expired", err.code)
    assert.equal(2, err.attempts)
    assert.equal("final", err.stopped)
  end)

  it("ends and is renewed without the wire too", function()
    local emu = emulator.new { wire = false }
    local client <close> = assuming(emu)
    assert(read(client))
    end_all(emu)
    assert.equal(2, alicloud.meta(assert(read(client))).attempts)
    assert.equal(2, #emu.sessions.list)
  end)

  it("under a change keeps its ClientToken and happens once", function()
    local emu = emulator.new()
    local client <close> = assuming(emu)
    assert(read(client))
    end_all(emu)
    local result = assert(client:call("ebs:FailoverDiskReplicaGroup",
      { ReplicaGroupId = "pg-orders" }))
    assert.equal(2, alicloud.meta(result).attempts)
    assert.equal(1, #emu:ledger())
    local requests = emu:requests()
    assert.is_truthy(requests[#requests].token)
  end)

  it("is not renewed where keys were given by hand", function()
    local emu = emulator.new()
    local client <close> = client_of(emu, { access_key_id = "emulator",
      access_key_secret = "emulator-secret", security_token = "t" })
    emu:fault { match = { action = "DescribeDiskReplicaGroups" },
      effect = { error = { code = "InvalidSecurityToken.Expired" } } }
    local _, err = read(client)
    assert.equal(1, err.attempts)
  end)

  it("comes for the token of an OIDC provider", function()
    local emu = emulator.new { oidc_token = "jwt" }
    local files = { ["/token"] = "jwt\n" }
    local runtime = with_env(emu, { ALIBABA_CLOUD_ROLE_ARN = ROLE,
      ALIBABA_CLOUD_OIDC_PROVIDER_ARN = "acs:ram::1000000000000001:oidc-provider/k8s",
      ALIBABA_CLOUD_OIDC_TOKEN_FILE = "/token" }, files)
    local client <close> = client_of(emu, { runtime = runtime })
    assert(read(client))
    assert.equal("oidc_role_arn", client:identity().provider)
    files["/token"] = "other"
    emu:advance(3600)
    local _, err = read(client)
    assert.equal("AuthenticationFail.OIDCToken.Invalid", err.code)
  end)

  it("belongs to the tenant who assumed it, and ends with a reset", function()
    local emu = emulator.new { any_key = true }
    local client <close> = client_of(emu, { credentials = credentials.role { role_arn = ROLE,
      source = credentials.static { access_key_id = "mine", access_key_secret = "mine-secret" } } })
    assert(client:call("ebs:FailoverDiskReplicaGroup", { ReplicaGroupId = "pg-orders" }))
    assert.equal(0, #emu:ledger())
    assert.equal(1, #emu.tenants.mine:ledger())
    emu.tenants.mine:reset()
    local result = assert(read(client))
    assert.equal(2, alicloud.meta(result).attempts)
  end)

  it("needs its token, and its own", function()
    local emu = emulator.new()
    local owner <close> = client_of(emu, { credentials = source(emu) })
    local answer = assert(owner:call("sts:AssumeRole", { RoleArn = ROLE, RoleSessionName = "me" },
      { endpoint = "sts.x" })).Credentials
    for code, token in pairs { ["MissingSecurityToken"] = false,
      ["InvalidSecurityToken.MismatchWithAccessKey"] = "other" } do
      local client <close> = client_of(emu, { access_key_id = answer.AccessKeyId,
        access_key_secret = answer.AccessKeySecret, security_token = token or nil })
      local _, err = read(client)
      assert.equal(code, err.code)
    end
  end)

  it("is refused to a wish that is none", function()
    local emu = emulator.new()
    local client <close> = client_of(emu, { credentials = source(emu), retries = 0 })
    for _, params in ipairs { { RoleArn = "dr", RoleSessionName = "me" },
      { RoleArn = ROLE, RoleSessionName = "m" } } do
      local _, err = client:call("sts:AssumeRole", params, { endpoint = "sts.x" })
      assert.equal("InvalidParameter", err.code)
    end
  end)
end)

describe("calls at the same time", function()
  it("share one session, and one renewal of it", function()
    local emu = emulator.new()
    local listening <close> = assert(server.start(emu))
    local client <close> = alicloud.client { region = "cn-shanghai", endpoint = listening.url,
      runtime = with_env(emu, {}), loop = listening:loop(),
      credentials = credentials.role { role_arn = ROLE, source = source(emu) } }
    local function all()
      local started, attempts = {}, 0
      for i = 1, 5 do started[i] = client:start("ebs:DescribeDiskReplicaGroups", {}) end
      for _, operation in ipairs(started) do
        attempts = attempts + alicloud.meta(assert(operation:result())).attempts
      end
      return attempts
    end
    local function assumed()
      local count = 0
      for _, action in ipairs(actions(emu)) do
        count = count + (action == "AssumeRole" and 1 or 0)
      end
      return count
    end
    assert.equal(5, all())
    assert.equal(1, assumed())
    end_all(emu)
    assert.is_true(all() <= 10)
    assert.equal(2, assumed())
  end)

  it("wait for one program together, and others go on meanwhile", function()
    local count, go_on = scratch.file "", scratch.path()
    local emu = emulator.new()
    local client <close> = alicloud.client { region = "cn-shanghai", transport = emu.transport,
      credentials = credentials.external { command = { "sh", "-c",
        "echo x >>" .. count .. "; until test -e " .. go_on .. "; do sleep 0.02; done; printf '%s' "
        .. [['{"access_key_id":"emulator","access_key_secret":"emulator-secret"}']] } } }
    local started = {}
    for i = 1, 3 do started[i] = client:start("ebs:DescribeDiskReplicaGroups", {}) end
    for _ = 1, 4 do
      client.loop.sleep(0.01)
      assert.is_false(started[1]:done())
    end
    scratch.write(go_on, "")
    for _, operation in ipairs(started) do assert(operation:result()) end
    local file <close> = io.open(count)
    assert.equal("x\n", file:read("a"))
  end)
end)

describe("the metadata service of the emulator", function()
  local function over_http(options, work)
    local emu = emulator.new(options)
    local listening <close> = assert(server.start(emu))
    local runtime = with_env(emu, { ALIBABA_CLOUD_ENDPOINT = listening.url })
    local client <close> = alicloud.client { region = "cn-shanghai", runtime = runtime,
      loop = listening:loop(),
      credentials = credentials.default { metadata_endpoint = listening.url } }
    work(client, emu, listening)
  end

  it("gives the role's session over HTTP, which is accepted", function()
    for _, v1 in ipairs { true, false } do
      over_http({ ecs_role = "dr-role", imdsv1 = v1 }, function(client)
        assert(read(client))
        local about = client:identity()
        assert.equal("ecs_ram_role", about.provider)
        assert.is_true(about.expires_in > 21000)
        assert.equal(4, #about.tried)
      end)
    end
  end)

  it("is not there without a role", function()
    over_http({}, function(client)
      local _, err = read(client)
      assert.equal("Client.MissingCredentials", err.code)
      assert.equal(6, #err.tried)
    end)
  end)

  it("wants a token that it gave, where the old way is off", function()
    local emu = emulator.new { ecs_role = "r", imdsv1 = false }
    local function get(headers)
      return emu.transport.send { method = "GET", headers = headers,
        url = "http://100.100.100.200/latest/meta-data/ram/security-credentials/" }.status
    end
    assert.equal(403, get {})
    assert.equal(403, get { ["x-aliyun-ecs-metadata-token"] = "made up" })
    local token = emu.transport.send { method = "PUT",
      url = "http://100.100.100.200/latest/api/token",
      headers = { ["X-aliyun-ecs-metadata-token-ttl-seconds"] = "60" } }.body
    assert.equal(200, get { ["X-aliyun-ecs-metadata-token"] = token })
    emu:advance(61)
    assert.equal(403, get { ["x-aliyun-ecs-metadata-token"] = token })
    for _, ttl in ipairs { "0", "21601", "x" } do
      assert.equal(400, emu.transport.send { method = "PUT",
        url = "http://100.100.100.200/latest/api/token",
        headers = { ["x-aliyun-ecs-metadata-token-ttl-seconds"] = ttl } }.status)
    end
  end)

  it("has a credentials URI beside it", function()
    local emu = emulator.new()
    local listening <close> = assert(server.start(emu))
    local client <close> = alicloud.client { region = "cn-shanghai", endpoint = listening.url,
      runtime = with_env(emu, {}), loop = listening:loop(),
      credentials = credentials.uri { uri = listening.url .. "/credentials" } }
    assert(read(client))
    assert.equal("credential_uri", client:identity().provider)
  end)

  it("is not asked through a proxy, nor is a credentials URI in the clear", function()
    for _, case in ipairs {
      { credentials.ecs_role { endpoint = "http://metadata.invalid" }, false },
      { credentials.uri { uri = "http://127.0.0.1:1/credentials" }, false },
      { credentials.uri { uri = "https://uri.invalid/credentials" }, true },
    } do
      -- The emulator is no proxy; that it is asked at all is the point.
      local emu = emulator.new { ecs_role = "r" }
      local listening <close> = assert(server.start(emu))
      local client <close> = alicloud.client { region = "cn-shanghai", endpoint = listening.url,
        proxy = listening.url, runtime = with_env(emu, {}), loop = listening:loop(),
        credentials = case[1] }
      assert.is_nil((client:identity()))
      assert.equal(case[2], emu.request_log.total > 0)
    end
  end)

  it("is a thing of JSON and text that says it is an emulator", function()
    local emu = emulator.new { ecs_role = "r" }
    local answer = emu.transport.send { method = "GET", url = "http://x/credentials", headers = {} }
    assert.equal("alicloud-dr", answer.headers["x-emulator"])
    assert.equal("Success", core.decode(answer.body).Code)
  end)
end)
