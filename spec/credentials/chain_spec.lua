-- Which provider wins, what is remembered of the others, and when it is decided anew.
local alicloud = require "alicloud"
local credentials = require "alicloud.credentials"
local errors = require "alicloud.base.error"
local helper = require "spec.helper"
local machines = require "spec.credentials"

local ENV = { ALIBABA_CLOUD_ACCESS_KEY_ID = "LTAIenv00env1", ALIBABA_CLOUD_ACCESS_KEY_SECRET = "s" }

local CONFIG = '{"current":"a","profiles":[{"name":"a","mode":"AK","access_key_id":"LTAIcli00cli1",'
  .. '"access_key_secret":"s"}]}'
local INI = "[default]\ntype = access_key\naccess_key_id = LTAIini00ini1\naccess_key_secret = s\n"

local function members(n) return machines.members(n, 1795317592 + 3600) end

-- A machine on which everything is set up, less what is named.
local function machine(without)
  local env = {
    HOME = "/home/op", ALIBABA_CLOUD_ACCESS_KEY_ID = "LTAIenv00env1",
    ALIBABA_CLOUD_ACCESS_KEY_SECRET = "s", ALIBABA_CLOUD_ROLE_ARN = "acs:ram::1:role/r",
    ALIBABA_CLOUD_OIDC_PROVIDER_ARN = "acs:ram::1:oidc-provider/p",
    ALIBABA_CLOUD_OIDC_TOKEN_FILE = "/token",
    ALIBABA_CLOUD_CREDENTIALS_URI = "http://127.0.0.1:1/credentials",
  }
  local files = { ["/token"] = "jwt", ["/home/op/.aliyun/config.json"] = CONFIG,
    ["/home/op/.alibabacloud/credentials"] = INI }
  local metadata = true
  for _, name in ipairs(without) do
    env[name], files[name] = nil, nil
    metadata = metadata and name ~= "metadata"
  end
  return machines.new { env = env, files = files, send = function(request)
    local url = request.url
    if url:find("sts", 1, true) then return machines.answer(200, { Credentials = members(2) }) end
    if url:find("127.0.0.1", 1, true) then return machines.answer(200, members(6)) end
    if not metadata then return { failure = "connect", sent = false } end
    if url:find("api/token", 1, true) then return machines.answer(200, "token") end
    if url:find("/$") then return machines.answer(200, "role") end
    local session = members(5)
    session.Code = "Success"
    return machines.answer(200, session)
  end }
end

local function winner(without)
  local keys, err = machines.open(machine(without), credentials.default()):get()
  return keys and keys.provider or err, keys and keys.access_key_id
end

describe("the default chain", function()
  it("goes in the vendor's order", function()
    local without, order = {}, {
      { "default/env", "LTAIenv00env1", "ALIBABA_CLOUD_ACCESS_KEY_ID",
        "ALIBABA_CLOUD_ACCESS_KEY_SECRET" },
      { "default/oidc_role_arn", "STS.key2", "ALIBABA_CLOUD_OIDC_TOKEN_FILE" },
      { "default/cli_profile/static_ak", "LTAIcli00cli1", "/home/op/.aliyun/config.json" },
      { "default/profile/static_ak", "LTAIini00ini1", "/home/op/.alibabacloud/credentials" },
      { "default/ecs_ram_role", "STS.key5", "metadata" },
      { "default/credential_uri", "STS.key6", "ALIBABA_CLOUD_CREDENTIALS_URI" },
    }
    for _, step in ipairs(order) do
      assert.same({ step[1], step[2] }, { winner(without) })
      table.move(step, 3, #step, #without + 1, without)
    end
    local err = winner(without)
    assert.equal("Client.MissingCredentials", err.code)
    assert.equal(6, #err.tried)
  end)

  it("says how to make the profile that was asked for, and nothing of other ways", function()
    local runtime = helper.runtime { env = { HOME = "/home/op" } }
    local client = alicloud.client { runtime = runtime, region = "cn-shanghai", profile = "dr" }
    local _, err = client:call "DescribeRegions"
    assert.equal("Client.MissingCredentials", err.code)
    assert.matches("aliyun configure %-%-profile", err.hint)
    assert.is_nil(err.hint:find("ACCESS_KEY", 1, true))
  end)

  it("leaves the switched off out", function()
    local bench = machines.new { env = { ALIBABA_CLOUD_CLI_PROFILE_DISABLED = "TRUE",
      ALIBABA_CLOUD_ECS_METADATA_DISABLED = "true\r\n", HOME = "/home/op" },
      files = { ["/home/op/.aliyun/config.json"] = CONFIG } }
    local keys, err = machines.open(bench, credentials.default()):get()
    assert.is_nil(keys)
    assert.equal("switched off by ALIBABA_CLOUD_CLI_PROFILE_DISABLED", err.tried[3].reason)
    assert.equal("switched off by ALIBABA_CLOUD_ECS_METADATA_DISABLED", err.tried[5].reason)
    assert.same({}, bench.requests)
  end)

  it("tells of a switch that has no effect, and not of one that is off", function()
    local name = "ALIBABA_CLOUD_CLI_PROFILE_DISABLED"
    for word, warned in pairs { ["1"] = true, yes = true, ["0"] = false, ["false"] = false } do
      local bench = machines.new { env = { [name] = word, HOME = "/home/op",
        ALIBABA_CLOUD_ECS_METADATA_DISABLED = "true" } }
      local _, err = machines.open(bench, credentials.default()):get()
      assert.equal("/home/op/.aliyun/config.json: no such file", err.tried[3].reason)
      assert.same({ warned and ('%s: got "%s", which has no effect; allowed: true'):format(name,
        word) or nil }, bench.warnings)
    end
  end)

  it("remembers who was tried and why each was passed over", function()
    local bench = machine { "ALIBABA_CLOUD_ACCESS_KEY_SECRET", "ALIBABA_CLOUD_OIDC_TOKEN_FILE",
      "ALIBABA_CLOUD_ROLE_ARN", "ALIBABA_CLOUD_OIDC_PROVIDER_ARN" }
    local provider = machines.open(bench, credentials.default())
    assert.equal("default (not asked yet)", provider:describe())
    assert(provider:get())
    local about = provider:explain()
    assert.equal("cli_profile/static_ak", about.provider)
    assert.equal("…cli1", about.key_id)
    assert.same({ "env", "oidc_role_arn" }, { about.tried[1].provider, about.tried[2].provider })
    assert.is_false(about.tried[1].absent)
    assert.is_true(about.tried[2].absent)
    -- Half a key is a mistake of somebody, an empty place is not.
    assert.equal(1, #bench.warnings)
    assert.matches("env does not work %(ALIBABA_CLOUD_ACCESS_KEY_ID is set, but", bench.warnings[1])
  end)

  it("ends at a variable that cannot be read: nobody else is asked in the place of whom it meant",
    function()
      for _, case in ipairs {
        { "ALIBABA_CLOUD_ACCESS_KEY_ID", "env" }, { "ALIBABA_CLOUD_ACCESS_KEY_SECRET", "env" },
        { "ALIBABA_CLOUD_ROLE_ARN", "oidc_role_arn", "ALIBABA_CLOUD_ACCESS_KEY_ID",
          "ALIBABA_CLOUD_ACCESS_KEY_SECRET" },
        { "ALIBABA_CLOUD_OIDC_TOKEN_FILE", "oidc_role_arn", "ALIBABA_CLOUD_ACCESS_KEY_ID",
          "ALIBABA_CLOUD_ACCESS_KEY_SECRET" },
        { "ALIBABA_CLOUD_PROFILE", "cli_profile", "ALIBABA_CLOUD_ACCESS_KEY_ID",
          "ALIBABA_CLOUD_ACCESS_KEY_SECRET", "ALIBABA_CLOUD_ROLE_ARN",
          "ALIBABA_CLOUD_OIDC_PROVIDER_ARN", "ALIBABA_CLOUD_OIDC_TOKEN_FILE" },
      } do
        local bench = machine { table.unpack(case, 3) }
        bench.env[case[1]] = (bench.env[case[1]] or "a") .. "\n"
        local keys, err = machines.open(bench, credentials.default()):get()
        assert.is_nil(keys)
        assert.equal(("%s: %s ends in a line end (\\n)"):format(case[2], case[1]), err.message)
        assert.equal(case[2], err.tried[#err.tried].provider)
        assert.same({}, bench.requests)
      end
    end)

  it("names variables by whose names others were meant, where it finds nobody", function()
    local bench = machines.new { env = { ALIBABA_CLOUD_ECS_METADATA_DISABLED = "true",
      ALICLOUD_ACCESS_KEY_ID = "canary", ALICLOUD_ACCESS_KEY_SECRET = "canary" } }
    local _, err = machines.open(bench, credentials.default()):get()
    for _, name in ipairs { "ACCESS_KEY_ID", "ACCESS_KEY_SECRET" } do
      assert.is_truthy(err.message:find(("ALICLOUD_%s is set, but the name that counts is "
        .. "ALIBABA_CLOUD_%s"):format(name, name), 1, true))
    end
    assert.is_nil(tostring(err):find("canary", 1, true))
  end)

  it("goes on behind a file that nobody has filled in, without a warning", function()
    local bench = machine { "ALIBABA_CLOUD_ACCESS_KEY_ID", "ALIBABA_CLOUD_ACCESS_KEY_SECRET",
      "ALIBABA_CLOUD_ROLE_ARN", "ALIBABA_CLOUD_OIDC_PROVIDER_ARN", "ALIBABA_CLOUD_OIDC_TOKEN_FILE" }
    bench.files["/home/op/.aliyun/config.json"] = '{"current":"default","profiles":[{"name":'
      .. '"default","mode":"AK","access_key_id":"","access_key_secret":"","language":"en"}]}'
    local provider = machines.open(bench, credentials.default())
    assert.equal("LTAIini00ini1", provider:get().access_key_id)
    assert.same({}, bench.warnings)
    assert.equal('profile "default": it has no keys', provider:explain().tried[3].reason)
  end)

  it("pins on success only", function()
    local bench = machines.new { env = { ALIBABA_CLOUD_ECS_METADATA_DISABLED = "true" } }
    local provider = machines.open(bench, credentials.default())
    assert.is_nil((provider:get()))
    for name, value in pairs(ENV) do bench.env[name] = value end
    assert.equal("LTAIenv00env1", provider:get().access_key_id)
    bench.env.ALIBABA_CLOUD_ACCESS_KEY_ID = nil
    assert.equal("LTAIenv00env1", provider:get().access_key_id)
  end)
end)

describe("a chain of one's own", function()
  local function provider_of(name, results)
    local made = { asked = 0 }
    function made.get()
      made.asked = made.asked + 1
      local result = results[math.min(made.asked, #results)]
      if result == "raise" then error "canary" end
      if not result then
        return nil, errors.new { kind = "credentials", message = name .. " has none" }
      end
      return { access_key_id = name, access_key_secret = "s", provider = name }
    end
    return made
  end

  it("asks only the winner from then on, failing or not", function()
    local first, second = provider_of("first", { false }), provider_of("second", { true, false })
    local chain = machines.open(machines.new(), credentials.chain { first, second })
    assert.equal("second", chain:get().access_key_id)
    local keys, err = chain:get()
    assert.is_nil(keys)
    assert.equal("second has none", err.message)
    assert.same({ 1, 2 }, { first.asked, second.asked })
  end)

  it("survives one that raises", function()
    local chain = machines.open(machines.new(),
      credentials.chain { provider_of("bad", { "raise" }), provider_of("good", { true }) })
    assert.equal("good", chain:get().access_key_id)
    assert.is_nil(chain:explain().tried[1].reason:find("canary", 1, true))
  end)

  it("does not pass over one for whom a call had no time to wait", function()
    local bench, slow = machines.new(), {}
    function slow.get(_, patience)
      if patience > 20 then return { access_key_id = "slow", access_key_secret = "s" } end
      bench.runtime.sleep(patience)
      return nil, errors.new { kind = "credentials", message = "too slow" }
    end
    local chain = machines.open(bench, credentials.chain { slow, provider_of("good", { true }) })
    local keys, err = chain:get(20)
    assert.is_nil(keys)
    assert.equal("too slow", err.message)
    assert.equal("slow", chain:get(21).access_key_id)
  end)

  it("gives the same table for the same keys, so that a refusal can be traced", function()
    local bench = machines.new { env = ENV }
    local chain = machines.open(bench, credentials.chain { credentials.env() })
    assert.equal(chain:get(), chain:get())
    assert.equal("chain/env", chain:get().provider)
    assert.is_false(chain:refuse(chain:get()))
  end)

  it("closes what it opened and nothing else", function()
    local own = credentials.static { access_key_id = "i", access_key_secret = "s" }
    local chain = machines.open(machines.new(), credentials.chain { own })
    local keys = chain:get()
    chain:close()
    assert.equal(1, keys.access_key_secret:length())
  end)
end)

describe("whom credentials depend on", function()
  local ROLE = "acs:ram::123456789012:role/dr"

  local function hosts(spec, given)
    local bench = machines.new(given)
    local list = machines.open(bench, spec):hosts()
    assert.same({}, bench.requests)
    return list
  end

  it("is told by each provider without asking anybody", function()
    assert.same({ "100.100.100.200" }, hosts(credentials.ecs_role()))
    assert.same({}, hosts(credentials.ecs_role(),
      { env = { ALIBABA_CLOUD_ECS_METADATA_DISABLED = "true" } }))
    assert.same({ "vault.example:8200" },
      hosts(credentials.uri { uri = "https://vault.example:8200/x?token=canary" }))
    assert.same({}, hosts(credentials.uri()))
    assert.same({}, hosts(credentials.oidc()))
    assert.same({ "sts.cn-hangzhou.aliyuncs.com" }, hosts(credentials.role { role_arn = ROLE,
      sts_region = "cn-hangzhou", source = credentials.env() }))
    assert.same({ "sts.aliyuncs.com", "100.100.100.200" }, hosts(credentials.role {
      role_arn = ROLE, source = credentials.ecs_role() }))
    assert.same({}, hosts(credentials.external { command = "no-such-program" }))
  end)

  it("of the default chain is everybody up to the first that has keys by itself", function()
    assert.same({}, hosts(credentials.default(), { env = ENV }))
    assert.same({ "100.100.100.200" }, hosts(credentials.default(), {}))
    local files = { ["/home/op/.aliyun/config.json"] = CONFIG }
    assert.same({}, hosts(credentials.default(), { env = { HOME = "/home/op" }, files = files }))
  end)

  it("is part of what a client depends on", function()
    local client <close> = require "alicloud".client { region = "cn-shanghai",
      credentials = credentials.role { role_arn = ROLE, sts_region = "cn-hangzhou",
        source = credentials.static { access_key_id = "i", access_key_secret = "s" } } }
    local found
    for _, needed in ipairs(client:dependencies()) do
      if needed.purpose == "credentials" then found = needed.host .. " " .. needed.region end
    end
    assert.equal("sts.cn-hangzhou.aliyuncs.com cn-hangzhou", found)
  end)
end)
