-- What the command says about credentials: on an empty machine, with each kind, and with STS away.
local core = require "alicloud.core"
local desks = require "spec.cli.desk"
local scratch = require "spec.scratch"
local width = require "alicloud.cli.width"

local OFF = { ALIBABA_CLOUD_ECS_METADATA_DISABLED = "true", HOME = "/home/op" }
local KEYS = { ALIBABA_CLOUD_ACCESS_KEY_ID = "emulator",
  ALIBABA_CLOUD_ACCESS_KEY_SECRET = "emulator-secret" }

local function desk_with(env, given)
  given = given or {}
  given.env = env
  return desks.new(given)
end

describe("alicloud-dr whoami", function()
  it("explains an empty machine in one screen, exit code 2", function()
    local desk = desk_with(OFF)
    local ran = desk:run "whoami"
    assert.equal(2, ran.code)
    local _, lines = ran.out:gsub("\n", "")
    assert.is_true(lines <= 24)
    for _, part in ipairs {
      "tried     env +ALIBABA_CLOUD_ACCESS_KEY_ID is not set\n",
      "oidc_role_arn +ALIBABA_CLOUD_OIDC_PROVIDER_ARN, ALIBABA_CLOUD_OIDC_TOKEN_FILE, "
        .. "ALIBABA_CLOUD_ROLE_ARN are not set\n",
      "cli_profile +/home/op/.aliyun/config.json: no such file\n",
      "profile +/home/op/.alibabacloud/credentials: no such file\n",
      "ecs_ram_role +switched off by ALIBABA_CLOUD_ECS_METADATA_DISABLED\n",
      "credential_uri +ALIBABA_CLOUD_CREDENTIALS_URI is not set\n",
      "export ALIBABA_CLOUD_ACCESS_KEY_ID=", "aliyun configure",
    } do
      assert.matches(part, ran.out)
    end
    assert.equal("alicloud-dr: no credentials\n", ran.err)
    assert.same({}, desk:requests())
  end)

  it("says the same to a program", function()
    local ran = desk_with(OFF):run("whoami", "--json")
    assert.equal(2, ran.code)
    assert.equal(2, ran.object.exit)
    assert.equal("Client.MissingCredentials", ran.object.error.code)
    assert.equal(6, #ran.object.tried)
    assert.same({ provider = "env", reason = "ALIBABA_CLOUD_ACCESS_KEY_ID is not set",
      absent = true }, ran.object.tried[1])
  end)

  it("names provider, key and caller", function()
    local desk = desk_with(KEYS)
    local ran = desk:run "whoami"
    assert.equal(0, ran.code)
    assert.equal("  provider  env\n  key       …ator\n  caller    acs:ram::1000000000000001:"
      .. "user/emulator (RAMUser, account 1000000000000001)\n", ran.out)
    assert.equal("GetCallerIdentity", desk:requests()[1].action)
    local object = desk:run("whoami", "--json").object
    assert.same({ "env", "…ator", false }, { object.provider, object.key_id, object.temporary })
    assert.equal("RAMUser", object.caller.identity_type)
  end)

  it("asks nobody with --offline", function()
    local desk = desk_with(KEYS)
    local ran = desk:run("whoami", "--offline")
    assert.equal(0, ran.code)
    assert.is_nil(ran.out:find("caller", 1, true))
    assert.same({}, desk:requests())
  end)

  it("goes through with STS out of reach, and fails when STS refuses the key", function()
    local away = { send = function() return { failure = "timeout", sent = true } end }
    local ran = desk_with(KEYS, { transport = away }):run "whoami"
    assert.equal(0, ran.code)
    assert.matches("caller    unknown: no complete answer in time", ran.out)
    ran = desk_with({ ALIBABA_CLOUD_ACCESS_KEY_ID = "emulator",
      ALIBABA_CLOUD_ACCESS_KEY_SECRET = "canary-wrong" }):run("whoami")
    assert.equal(1, ran.code)
    assert.matches("unknown: Specified signature does not match", ran.out)
    assert.is_nil((ran.out .. ran.err):find("canary", 1, true))
  end)

  it("tells how long a session lasts, and who was passed over before", function()
    local env = { HOME = "/home/op",
      ALIBABA_CLOUD_CREDENTIALS_URI = "http://127.0.0.1/credentials" }
    local ran = desk_with(env):run "whoami"
    assert.equal(0, ran.code)
    assert.matches("provider  credential_uri\n", ran.out)
    assert.matches("key       …%x%x%x%x, a session that ends in 1h\n", ran.out)
    assert.matches("ecs_ram_role   no metadata service", ran.out)
    assert.matches("assumed%-role/from%-uri/emulator %(AssumedRoleUser", ran.out)
  end)

  it("warns of what is set up and does not work", function()
    local env = { HOME = "/home/op", ALIBABA_CLOUD_ACCESS_KEY_ID = "half",
      ALIBABA_CLOUD_CREDENTIALS_URI = "http://127.0.0.1/credentials" }
    local ran = desk_with(env):run("whoami", "--offline")
    assert.equal("alicloud-dr: warning: credentials: env does not work "
      .. "(ALIBABA_CLOUD_ACCESS_KEY_ID is set, but ALIBABA_CLOUD_ACCESS_KEY_SECRET is not); "
      .. "using credential_uri\n", ran.err)
  end)

  it("names variables that were meant for others, and never what is in them", function()
    local env = { HOME = "/home/op", ALIBABA_CLOUD_ECS_METADATA_DISABLED = "true",
      ALIYUN_ACCESS_KEY_ID = "canary", ALIYUN_ACCESS_KEY_SECRET = "canary" }
    local ran = desk_with(env):run "whoami"
    assert.equal(2, ran.code)
    assert.matches("not read  ALIYUN_ACCESS_KEY_ID is set, but the name that counts is "
      .. "ALIBABA_CLOUD_ACCESS_KEY_ID\n", ran.out)
    local object = desk_with(env):run("whoami", "--json").object
    assert.same({ set = "ALIYUN_ACCESS_KEY_ID", counts = "ALIBABA_CLOUD_ACCESS_KEY_ID" },
      object.near_misses[1])
    env = { SECURITY_TOKEN = "canary" }
    for name, value in pairs(KEYS) do env[name] = value end
    local found = desk_with(env):run("whoami", "--offline")
    assert.matches("not read  SECURITY_TOKEN is set, but the name that counts is "
      .. "ALIBABA_CLOUD_SECURITY_TOKEN\n", found.out)
    assert.is_nil((ran.out .. ran.err .. found.out):find("canary", 1, true))
  end)

  it("ends at a variable with a line end in it, and says how to set it", function()
    local env = { HOME = "/home/op", ALIBABA_CLOUD_ACCESS_KEY_ID = "emulator",
      ALIBABA_CLOUD_ACCESS_KEY_SECRET = "emulator-secret\n",
      ALIBABA_CLOUD_CREDENTIALS_URI = "http://127.0.0.1/credentials" }
    local ran = desk_with(env):run "whoami"
    assert.equal(2, ran.code)
    assert.matches("ALIBABA_CLOUD_ACCESS_KEY_SECRET ends in a line end %(\\n%)", ran.err)
    assert.matches("set it anew without that: export ALIBABA_CLOUD_ACCESS_KEY_SECRET=", ran.err)
    assert.is_nil(ran.out:find("One of these is enough", 1, true))
  end)

  it("looks only into the profile that is asked for", function()
    local path = scratch.file(core.encode { profiles = { { name = "dr", mode = "AK",
      access_key_id = "emulator", access_key_secret = "emulator-secret" } } }, ".json", "600")
    local desk = desk_with({ ALIBABA_CLOUD_CONFIG_FILE = path })
    local ran = desk:run("whoami", "--profile", "dr")
    assert.equal(0, ran.code)
    assert.matches("provider  cli_profile/static_ak\n", ran.out)
    ran = desk:run("whoami", "--profile", "other", "--json")
    assert.equal(2, ran.code)
    assert.equal(2, #ran.object.tried)
    ran = desk:run("status", "--profile", "dr", "--region", "cn-shanghai")
    assert.equal(0, ran.code)
  end)

  it("says what to do with a profile that does not work, in the columns that there are", function()
    local path = scratch.file(core.encode { profiles = { { name = "one", mode = "RsaKeyPair" },
      { name = "two", mode = "AK" } } }, ".json", "600")
    local env = { HOME = "/home/op", ALIBABA_CLOUD_ECS_METADATA_DISABLED = "true",
      ALIBABA_CLOUD_CONFIG_FILE = path }
    local ran = desk_with(env):run "whoami"
    assert.matches("it has no current profile\n +`aliyun configure switch %-%-profile NAME` makes "
      .. "one of them the current one: one, two\n", ran.out)
    ran = desk_with(env, { tty = true, columns = 80 }):run("whoami", "--profile", "three")
    assert.matches('no profile "three"; it has one, two profile', (ran.out:gsub("\n +", " ")))
    assert.matches("\n    aliyun configure %-%-profile dr", ran.out)
    env.ALIBABA_CLOUD_PROFILE = "one"
    ran = desk_with(env, { tty = true, columns = 80 }):run "whoami"
    assert.matches('unsupported mode "RsaKeyPair"', ran.out)
    assert.matches("supported are AK, ChainableRamRoleArn,", ran.out)
    for seen in ran.out:gmatch "[^\n]+" do
      assert.is_true(width.of(seen) <= 80, seen)
    end
  end)

  it("ends at a profile's name with a line end, also where there is no file", function()
    for _, off in ipairs { "false", "true" } do
      local env = { HOME = "/home/op", ALIBABA_CLOUD_CLI_PROFILE_DISABLED = off,
        ALIBABA_CLOUD_PROFILE = "dr\n",
        ALIBABA_CLOUD_CREDENTIALS_URI = "http://127.0.0.1/credentials" }
      local ran = desk_with(env):run("whoami", "--offline")
      assert.equal(2, ran.code)
      assert.matches("ALIBABA_CLOUD_PROFILE ends in a line end %(\\n%)", ran.err)
    end
  end)

  it("refuses a metadata endpoint that is none", function()
    local ran = desk_with(OFF):run("whoami", "--metadata-endpoint", "100.100.100.200")
    assert.equal(2, ran.code)
    assert.matches("^alicloud%-dr: %-%-metadata%-endpoint: got", ran.err)
  end)
end)
