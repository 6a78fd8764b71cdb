local credentials = require "alicloud.credentials"
local errors = require "alicloud.base.error"
local providers = require "alicloud.call.provider"
local helper = require "spec.helper"
local machines = require "spec.credentials"

local function choose(given)
  return credentials.choose(given, machines.new().settings)
end

local function refused(given)
  local provider, message = choose(given)
  assert.is_nil(provider)
  return message
end

describe("the choice of a provider", function()
  it("is the pair that was given, else the default chain", function()
    local keys = { access_key_id = "i", access_key_secret = "s" }
    assert.equal("static_ak", choose(keys):get().provider)
    assert.equal("static_ak", choose({ credentials = keys }):get().provider)
    assert.equal("default (not asked yet)", choose({}):describe())
  end)

  it("leaves a foreign provider alone and does not own it", function()
    local own = { get = function() end }
    local provider, owned = choose { credentials = own }
    assert.equal(own, provider)
    assert.is_false(owned)
  end)

  it("names the missing half of a pair", function()
    assert.equal("access_key_id was given without access_key_secret",
      refused { access_key_id = "i" })
    assert.matches("without access_key_id$", refused { access_key_secret = "s" })
    assert.matches("without access_key_id$", refused { security_token = "t" })
    assert.equal("access_key_id was given without access_key_secret",
      refused { credentials = { access_key_id = "i" } })
  end)

  it("takes nothing that would begin another header", function()
    local split = { access_key_id = "i\r\nX: y", access_key_secret = "s" }
    assert.equal("access_key_id: allowed: text without control characters", refused(split))
    local rows = { split, { access_key_id = "i", access_key_secret = "s", security_token = "t\n" } }
    for _, row in ipairs(rows) do
      local keys, err = providers.get { get = function() return row end }
      assert.is_nil(keys)
      assert.equal("Client.CredentialsProvider", err.code)
      local name, where = "access_key_id", "holds"
      if row.security_token then name, where = "security_token", "ends in" end
      assert.matches(("without control characters; its %s %s a line end"):format(name, where),
        err.message)
    end
  end)

  it("does not take the environment for a table that names nobody", function()
    assert.matches("^option credentials: got an empty table; allowed: ",
      refused { credentials = {} })
    assert.matches("credentials: got an empty table", helper.raised(helper.client, {},
      { credentials = {} }))
  end)

  it("is a spec, which the client opens and closes", function()
    local provider, owned = choose { credentials = credentials.env() }
    assert.is_true(owned)
    assert.equal("env (not set)", provider:describe())
    assert.equal("profile (not asked yet)", choose({ profile = "dr" }):describe())
  end)

  it("does not guess between two sources", function()
    assert.equal("profile and other credentials exclude each other",
      refused { profile = "dr", credentials = credentials.env() })
    assert.equal("profile and other credentials exclude each other",
      refused { profile = "dr", access_key_id = "i", access_key_secret = "s" })
    assert.equal("credentials and access_key_id exclude each other",
      refused { credentials = { get = print }, access_key_id = "i", access_key_secret = "s" })
  end)

  it("checks a table of keys like options", function()
    assert.matches('unknown option "access_key"; did you mean "access_key_id"?',
      refused { credentials = { access_key = "i" } }, 1, true)
    local message = refused { credentials = { access_key_id = "i", access_key_secret = "canary " } }
    assert.is_nil(message:find("canary", 1, true))
  end)
end)

describe("asking a provider", function()
  local function ask(get)
    return providers.get { get = get }
  end

  it("gives what it gives, secrets as text included", function()
    local keys = { access_key_id = "i", access_key_secret = "s" }
    assert.equal(keys, ask(function() return keys end))
  end)

  it("passes its error object on", function()
    local err = errors.new { kind = "credentials", message = "role not found" }
    local keys, got = ask(function() return nil, err end)
    assert.is_nil(keys)
    assert.equal(err, got)
  end)

  it("never crashes and never quotes what it got", function()
    for _, get in ipairs {
      function() error "canary" end,
      function() return "canary" end,
      function() return {} end,
      function() return { access_key_id = "i" } end,
      function() return { access_key_id = 5, access_key_secret = "canary" } end,
      function() return { access_key_id = "", access_key_secret = "canary" } end,
      function() return { access_key_id = "i", access_key_secret = "" } end,
      function()
        return { access_key_id = "i", access_key_secret = "canary", security_token = 5 }
      end,
      function() return nil end,
    } do
      local keys, err = ask(get)
      assert.is_nil(keys)
      assert.equal("credentials", err.kind)
      assert.equal("not_sent", err.outcome)
      assert.is_nil(tostring(err):find("canary", 1, true))
    end
  end)
end)

describe("what the constructors make", function()
  it("is checked at once, at the caller's line, without showing secrets", function()
    for _, case in ipairs {
      { 'credentials.profile: unknown option "nam"', function()
        credentials.profile { nam = "x" } end },
      { "credentials.role: option role_arn is missing", function() credentials.role {} end },
      { "credentials.role: option role_arn: got", function()
        credentials.role { role_arn = "dr" } end },
      { "credentials.role: option source: got", function()
        credentials.role { role_arn = "acs:ram::1:role/x", source = {} } end },
      { "credentials.role: option duration: got", function()
        credentials.role { role_arn = "acs:ram::1:role/x", duration = 899 } end },
      { "credentials.chain: allowed: a list", function() credentials.chain {} end },
      { "credentials.chain: item 2", function()
        credentials.chain { credentials.env(), "x" } end },
      { "credentials.external: option command: got a string %(not shown%)", function()
        credentials.external { command = "x 'canary" } end },
      { "credentials.uri: option uri", function() credentials.uri { uri = "ftp://x" } end },
      { "credentials.static: access_key_id was given without", function()
        credentials.static { access_key_id = "canary" } end },
    } do
      local message = helper.raised(case[2])
      assert.matches(case[1], message)
      assert.matches("init_spec.lua:%d+: ", message)
      assert.is_nil(message:find("canary", 1, true))
    end
  end)

  it("shows its kind and takes no changes", function()
    local spec = credentials.profile { name = "dr" }
    assert.equal("alicloud.credentials.profile", tostring(spec))
    assert.is_false(pcall(function() spec.name = "other" end))
  end)

  it("serves as many clients as it is given to", function()
    local spec = credentials.env()
    local machine = machines.new { env = { ALIBABA_CLOUD_ACCESS_KEY_ID = "i",
      ALIBABA_CLOUD_ACCESS_KEY_SECRET = "s" } }
    local one, other = machines.open(machine, spec), machines.open(machine, spec)
    assert.equal("i", one:get().access_key_id)
    one:close()
    assert.equal(1, other:get().access_key_secret:length())
  end)
end)
