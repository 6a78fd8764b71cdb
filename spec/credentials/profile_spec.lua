-- The two files in which people keep profiles.
local core = require "alicloud.core"
local credentials = require "alicloud.credentials"
local machines = require "spec.credentials"

local NOW = 1795317592
local FILE = "/home/op/.aliyun/config.json"
local ROLE = "acs:ram::123456789012:role/dr"
local KEYS = { access_key_id = "LTAIprofile0prf1", access_key_secret = "canary-profile" }

local answer = machines.answer

local function with(fields, base)
  local copy = {}
  for name, value in pairs(base or KEYS) do copy[name] = value end
  for name, value in pairs(fields) do copy[name] = value end
  return copy
end

local function machine_of(profiles, more)
  more = more or {}
  local env = { HOME = "/home/op" }
  for name, value in pairs(more.env or {}) do env[name] = value end
  local text = type(profiles) == "string" and profiles
    or core.encode { current = "one", profiles = core.array(profiles) }
  local files = { [FILE] = text }
  for name, value in pairs(more.files or {}) do files[name] = value end
  return machines.new { env = env, files = files, answers = more.answers,
    loop = more.loop }
end

local function ask(profiles, given, more)
  local machine = machine_of(profiles, more)
  local keys, err = machines.open(machine, credentials.profile(given)):get()
  return keys, err, machine.requests, machine
end

local function assumed(request)
  local secret = machines.members(1, NOW + 3600)
  return answer(200, { RequestId = "R", Credentials = secret }), request
end

describe("a profile of config.json", function()
  it("is the one asked for, the environment's, or the current one", function()
    local profiles = { with { name = "one", mode = "AK" },
      with { name = "two", mode = "AK", access_key_id = "LTAItwo" } }
    assert.equal("LTAIprofile0prf1", ask(profiles).access_key_id)
    assert.equal("LTAItwo", ask(profiles, { name = "two" }).access_key_id)
    local more = { env = { ALIBABA_CLOUD_PROFILE = "two" } }
    assert.equal("LTAItwo", ask(profiles, nil, more).access_key_id)
    assert.equal("LTAIprofile0prf1", ask(profiles, { name = "one" }, more).access_key_id)
  end)

  it("lies where option, environment or home say", function()
    local text = core.encode { current = "x",
      profiles = { with { name = "x", access_key_id = "LTAIelsewhere" } } }
    local more = { files = { ["/else.json"] = text } }
    assert.equal("LTAIelsewhere", ask({}, { file = "/else.json" }, more).access_key_id)
    more.env = { ALIBABA_CLOUD_CONFIG_FILE = "/else.json" }
    assert.equal("LTAIelsewhere", ask({}, nil, more).access_key_id)
    local _, err = ask({}, nil, { env = { HOME = "" } })
    assert.is_true(err.absent)
    assert.matches("HOME is not set", err.message)
  end)

  it("of mode AK or StsToken holds the keys", function()
    local keys = ask { with { name = "one", mode = "AK" } }
    assert.equal("cli_profile/static_ak", keys.provider)
    assert.equal(#KEYS.access_key_secret, keys.access_key_secret:length())
    assert.is_nil(keys.security_token)
    keys = ask { with { name = "one", mode = "StsToken", sts_token = "tok" } }
    assert.equal("cli_profile/static_sts", keys.provider)
    assert.equal(3, keys.security_token:length())
  end)

  it("of mode RamRoleArn is assumed with its own keys", function()
    local keys, _, requests = ask({ with { name = "one", mode = "RamRoleArn", ram_role_arn = ROLE,
      ram_session_name = "desk", expired_seconds = 900, sts_region = "cn-beijing",
      enable_vpc = true, policy = "{}", external_id = "ext" } }, nil, { answers = { assumed } })
    assert.equal("cli_profile/ram_role_arn/static_ak", keys.provider)
    assert.equal("https://sts-vpc.cn-beijing.aliyuncs.com/", requests[1].url)
    for _, part in ipairs { "DurationSeconds=900", "RoleSessionName=desk", "ExternalId=ext",
      "Policy=%%7B%%7D" } do
      assert.matches(part, requests[1].body)
    end
  end)

  it("of mode ChainableRamRoleArn is assumed with another profile, however long the row", function()
    local profiles = {
      with({ name = "one", mode = "ChainableRamRoleArn", source_profile = "two",
        ram_role_arn = ROLE .. "1" }, {}),
      with({ name = "two", mode = "ChainableRamRoleArn", source_profile = "three",
        ram_role_arn = ROLE .. "2" }, {}),
      with { name = "three", mode = "AK" },
    }
    local keys, _, requests = ask(profiles, nil, { answers = { assumed, assumed } })
    assert.equal("cli_profile/ram_role_arn/ram_role_arn/static_ak", keys.provider)
    assert.matches("role%%2Fdr2", requests[1].body)
    assert.matches("role%%2Fdr1", requests[2].body)
    assert.equal("canary-token-1", requests[2].headers["x-acs-security-token"])
  end)

  it("that leads back to itself is refused", function()
    local function link(name, source)
      return { name = name, mode = "ChainableRamRoleArn", source_profile = source,
        ram_role_arn = ROLE }
    end
    local _, err, requests = ask { link("one", "two"), link("two", "three"), link("three", "two") }
    assert.matches("in a circle: one → two → three → two", err.message)
    assert.equal(0, #requests)
    _, err = ask { link("one", "one") }
    assert.matches("in a circle: one → one", err.message)
    _, err = ask { link("one", "nobody") }
    assert.matches('has no profile "nobody"', err.message)
    assert.is_nil(err.absent)
  end)

  it("of mode EcsRamRole, OIDC or CredentialsURI goes there", function()
    local session = machines.members(1, NOW + 3600)
    session.Code = "Success"
    local keys, _, requests = ask({ { name = "one", mode = "EcsRamRole", ram_role_name = "r" } },
      nil, { answers = { answer(200, "tok"), answer(200, session) } })
    assert.equal("cli_profile/ecs_ram_role", keys.provider)
    assert.matches("security%-credentials/r$", requests[2].url)

    keys, _, requests = ask({ { name = "one", mode = "OIDC", ram_role_arn = ROLE,
      oidc_provider_arn = "acs:ram::123456789012:oidc-provider/p", oidc_token_file = "/token",
      ram_session_name = "pod" } }, nil, { answers = { assumed }, files = { ["/token"] = "jwt" } })
    assert.equal("cli_profile/oidc_role_arn", keys.provider)
    assert.matches("RoleSessionName=pod", requests[1].body)

    keys, _, requests = ask({ { name = "one", mode = "CredentialsURI",
      credentials_uri = "http://localhost:1/x" } }, nil, { answers = { answer(200, session) } })
    assert.equal("cli_profile/credential_uri", keys.provider)
    assert.equal("http://localhost:1/x", requests[1].url)
    local _, err = ask({ { name = "one", mode = "CredentialsURI",
      credentials_uri = "http://localhost:1/x" } }, nil,
      { env = { ALIBABA_CLOUD_DISABLE_EXTERNAL_PROCESS = "true" } })
    assert.matches("switched off by ALIBABA_CLOUD_DISABLE_EXTERNAL_PROCESS", err.message)
  end)

  it("of mode External runs its program", function()
    local keys = ask({ { name = "one", mode = "External", process_command =
      [[printf '{"mode":"AK","access_key_id":"LTAIx","access_key_secret":"s"}']] } },
      nil, { loop = machines.real_loop() })
    assert.equal("cli_profile/external", keys.provider)
    assert.equal("LTAIx", keys.access_key_id)
  end)

  it("of another mode says which modes there are", function()
    for _, mode in ipairs { "RsaKeyPair", "BearerToken", "Anonymous" } do
      local _, err = ask { { name = "one", mode = mode } }
      assert.equal("Client.UnsupportedMode", err.code)
      assert.equal(('profile "one": unsupported mode "%s"'):format(mode), err.message)
      assert.matches("AK, ChainableRamRoleArn, CloudSSO, CredentialsURI, EcsRamRole, External, "
        .. "OAuth, OIDC", err.hint)
    end
  end)

  it("that is incomplete is not completed from elsewhere", function()
    local env = { ALIBABA_CLOUD_ACCESS_KEY_ID = "LTAIenv", ALIBABA_CLOUD_ACCESS_KEY_SECRET = "s" }
    for _, entry in ipairs {
      { mode = "AK" }, { mode = "AK", access_key_id = "i", access_key_secret = "" },
      { mode = "AK", access_key_id = "", access_key_secret = "canary" },
      { mode = "AK", access_key_id = "i j", access_key_secret = "canary" },
      { mode = "StsToken", access_key_id = "i", access_key_secret = "canary" },
      { mode = "RamRoleArn", access_key_id = "i", access_key_secret = "canary" },
      { mode = "RamRoleArn", access_key_id = "i", access_key_secret = "canary",
        ram_role_arn = "dr" },
      { mode = "RamRoleArn", access_key_id = "i", access_key_secret = "canary",
        ram_role_arn = ROLE, expired_seconds = 60 },
      { mode = "ChainableRamRoleArn", ram_role_arn = ROLE }, { mode = "External" },
      { mode = "External", process_command = "x 'y" }, { mode = "AK", access_key_secret = 5 },
    } do
      entry.name = "one"
      local keys, err, requests = ask({ entry }, nil, { env = env })
      assert.is_nil(keys)
      assert.matches('^profile "one": ', err.message)
      assert.is_nil(tostring(err):find("canary", 1, true))
      assert.equal(0, #requests)
    end
  end)

  it("never quotes a file that is broken", function()
    for _, text in ipairs {
      '{"current":"one","profiles":[{"name":"one","access_key_secret":"canary', "canary",
      '["canary"]', '{"profiles":"canary"}', '{"current":"one","profiles":["canary"]}',
      '{"current":"one","profiles":[{"name":"one","access_key_secret":"canary\\u0001"}]}', "",
    } do
      local keys, err = ask(text)
      assert.is_nil(keys)
      assert.is_nil(tostring(err):find("canary", 1, true))
      assert.is_truthy(err.message:find(FILE, 1, true) or err.message:find("profile"))
    end
  end)

  it("is read again when the service refuses keys that were in it", function()
    local machine = machine_of { with { name = "one", mode = "StsToken", sts_token = "t" } }
    local provider = machines.open(machine, credentials.profile())
    local keys = provider:get()
    assert.is_false(provider:refuse(keys))
    machine.files[FILE] = core.encode { current = "one", profiles = { with { name = "one",
      mode = "StsToken", sts_token = "t2", access_key_id = "STS.next" } } }
    assert.equal(keys, provider:get())
    assert.is_true(provider:refuse(keys))
    assert.equal("STS.next", provider:get().access_key_id)
  end)
end)

describe("a session that the vendor's tool keeps in a profile", function()
  local function profile(n, ends)
    return with { name = "one", mode = "OAuth", access_key_id = "STS.n" .. n, sts_token = "t",
      sts_expiration = ends }
  end

  local function put(machine, entry)
    machine.files[FILE] = core.encode { current = "one", profiles = { entry } }
  end

  it("is read anew when it is due, and when the service refuses it", function()
    local machine = machine_of { profile(1, NOW + 3600) }
    local provider = machines.open(machine, credentials.profile())
    assert.equal("cli_profile/oauth", provider:get().provider)
    put(machine, profile(2, NOW + 7200))
    assert.equal("STS.n1", provider:get().access_key_id)
    machine.control.elapsed = 3000
    assert.equal("STS.n2", provider:get().access_key_id)
    put(machine, profile(3, NOW + 9000))
    assert.is_true(provider:refuse(provider:get()))
    assert.equal("STS.n3", provider:get().access_key_id)
  end)

  it("ends when RFC 3339 says so, too", function()
    local machine = machine_of { profile(1, core.iso8601(NOW + 3600)) }
    local keys = assert(machines.open(machine, credentials.profile()):get())
    assert.equal(NOW + 3600, keys.expiration)
  end)

  it("is used to its end while nobody renews it, and then the command is named", function()
    local machine = machine_of { profile(1, NOW + 3600) }
    local provider = machines.open(machine, credentials.profile())
    assert(provider:get())
    machine.control.elapsed = 3590
    assert.equal("STS.n1", provider:get().access_key_id)
    machine.control.elapsed = 3620
    local keys, err = provider:get()
    assert.is_nil(keys)
    assert.matches("has ended", err.message)
    assert.matches("`aliyun sts GetCallerIdentity %-%-profile one` renews it", err.message)
  end)
end)

describe("a client's option profile", function()
  it("looks in both files and nowhere else", function()
    local ini = "[backup]\ntype = access_key\naccess_key_id = LTAIini\naccess_key_secret = s\n"
    local machine = machine_of({ with { name = "one" } }, {
      files = { ["/home/op/.alibabacloud/credentials"] = ini },
      env = { ALIBABA_CLOUD_ACCESS_KEY_ID = "i", ALIBABA_CLOUD_ACCESS_KEY_SECRET = "s",
        ALIBABA_CLOUD_CLI_PROFILE_DISABLED = "true" } })
    for name, id in pairs { one = "LTAIprofile0prf1", backup = "LTAIini" } do
      local provider = credentials.choose({ profile = name }, machine.settings)
      assert.equal(id, provider:get().access_key_id)
    end
    local keys, err = credentials.choose({ profile = "none" }, machine.settings):get()
    assert.is_nil(keys)
    assert.equal(2, #err.tried)
    assert.equal(0, #machine.requests)
  end)
end)

describe("a section of the ini file", function()
  local INI = "/home/op/.alibabacloud/credentials"

  local function read(text, given, more)
    more = more or {}
    more.files = more.files or { [INI] = text }
    local machine = machine_of({}, more)
    local keys, err = machines.open(machine, credentials.ini(given)):get()
    return keys, err, machine.requests
  end

  local BASE = "type = access_key\naccess_key_id = LTAIini\naccess_key_secret = canary#x;y\n"

  it("is default, or the one named", function()
    local text = "# note\n[default]\n" .. BASE .. "[other]\n" .. BASE:gsub("LTAIini", "LTAIother")
    local keys = read(text)
    assert.equal("profile/static_ak", keys.provider)
    assert.equal(#"canary#x;y", keys.access_key_secret:length())
    assert.equal("LTAIother", read(text, { name = "other" }).access_key_id)
    assert.equal("LTAIother",
      read(text, nil, { env = { ALIBABA_CLOUD_PROFILE = "other" } }).access_key_id)
  end)

  it("lies in one of three places", function()
    local text = "[default]\n" .. BASE
    assert.is_truthy((read(nil, nil, { files = { [INI .. ".ini"] = text } })))
    assert.is_truthy((read(nil, { file = "/x" }, { files = { ["/x"] = text } })))
    assert.is_truthy((read(nil, nil, { files = { ["/x"] = text },
      env = { ALIBABA_CLOUD_CREDENTIALS_FILE = "/x" } })))
    local _, err = read(nil, nil, { files = {} })
    assert.is_true(err.absent)
    assert.equal(INI .. ": no such file", err.message)
  end)

  it("may be a role", function()
    local session = machines.members(1, NOW + 3600)
    session.Code = "Success"
    local keys = read("[default]\ntype=ecs_ram_role\nrole_name=r\n", nil,
      { answers = { answer(200, "tok"), answer(200, session) } })
    assert.equal("profile/ecs_ram_role", keys.provider)
    local requests, _
    keys, _, requests = read("[default]\n" .. BASE:gsub("access_key\n", "ram_role_arn\n", 1)
      .. "role_arn=" .. ROLE .. "\nrole_session_name=desk\n", nil, { answers = { assumed } })
    assert.equal("profile/ram_role_arn/static_ak", keys.provider)
    assert.matches("RoleSessionName=desk", requests[1].body)
    keys = read("[default]\ntype=oidc_role_arn\nrole_arn=" .. ROLE .. "\noidc_token_file_path=/t\n"
      .. "oidc_provider_arn=acs:ram::123456789012:oidc-provider/p\n", nil,
      { answers = { assumed }, files = { ["/t"] = "jwt", [INI] = "[default]\ntype=oidc_role_arn\n"
        .. "role_arn=" .. ROLE .. "\noidc_token_file_path=/t\n"
        .. "oidc_provider_arn=acs:ram::123456789012:oidc-provider/p\n" } })
    assert.equal("profile/oidc_role_arn", keys.provider)
  end)

  it("names all that a role takes, or is refused", function()
    local function role(line)
      return "[default]\n" .. BASE:gsub("access_key\n", "ram_role_arn\n", 1) .. "role_arn=" .. ROLE
        .. "\n" .. line
    end
    local _, _, requests = read(role "duration_seconds=900\nexternal_id=ext\nenable_vpc=true\n"
      .. "sts_region=cn-beijing\n", nil, { answers = { assumed } })
    assert.equal("https://sts-vpc.cn-beijing.aliyuncs.com/", requests[1].url)
    for _, part in ipairs { "DurationSeconds=900", "ExternalId=ext" } do
      assert.matches(part, requests[1].body)
    end
    local _, err = read(role "duration_seconds = an hour\n")
    assert.matches('duration: got "an hour"', err.message)
  end)

  it("says what is wrong and quotes nothing of it", function()
    for _, text in ipairs { "canary", "[default]\ncanary=canary\ncanary=canary", "[default\ncanary",
      "[default]\ncanary",
      "[default]\ntype = access_key\naccess_key_secret = canary\n",
      "[default]\ntype = rsa_key_pair\naccess_key_secret = canary\n",
      "[default]\naccess_key_secret = canary\n", "[other]\naccess_key_secret = canary\n" } do
      local keys, err = read(text)
      assert.is_nil(keys)
      assert.is_nil(tostring(err):find("canary", 1, true))
    end
    local _, err = read("[default]\ntype = rsa_key_pair\n")
    assert.equal("Client.UnsupportedMode", err.code)
  end)
end)
