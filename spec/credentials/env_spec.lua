local core = require "alicloud.core"
local env = require "alicloud.credentials.env"
local helper = require "spec.helper"
local runtimes = require "alicloud.base.runtime"

local ID, SECRET = "ALIBABA_CLOUD_ACCESS_KEY_ID", "ALIBABA_CLOUD_ACCESS_KEY_SECRET"
local TOKEN = "ALIBABA_CLOUD_SECURITY_TOKEN"

local function provider(variables)
  return env.new { runtime = helper.runtime { env = variables } }
end

local function complaint(variables)
  local keys, err = provider(variables):get()
  assert.is_nil(keys)
  assert.equal("credentials", err.kind)
  assert.equal("not_sent", err.outcome)
  return err.message, err.hint
end

describe("the environment provider", function()
  it("reads a pair and an optional session token into sealed secrets", function()
    local keys = provider { [ID] = "LTAIabcd1234", [SECRET] = "s3cret", [TOKEN] = "tok" }:get()
    assert.equal("LTAIabcd1234", keys.access_key_id)
    assert.equal(6, keys.access_key_secret:length())
    assert.equal(3, keys.security_token:length())
    assert.equal("env", keys.provider)
    assert.is_nil(provider({ [ID] = "i", [SECRET] = "s", [TOKEN] = "" }):get().security_token)
  end)

  it("says exactly what to set when there is nothing", function()
    local message, hint = complaint {}
    assert.equal(ID .. " is not set", message)
    for _, name in ipairs { ID, SECRET, TOKEN, "access_key_id", "access_key_secret" } do
      assert.is_truthy(hint:find(name, 1, true))
    end
    assert.equal(message, (complaint { [ID] = "", [SECRET] = "" }))
  end)

  it("names the missing half of a pair", function()
    assert.equal(ID .. " is set, but " .. SECRET .. " is not", (complaint { [ID] = "i" }))
    assert.equal(SECRET .. " is set, but " .. ID .. " is not", (complaint { [SECRET] = "s" }))
  end)

  it("refuses a key id with a stray line break", function()
    assert.equal(ID .. " contains spaces or control characters",
      (complaint { [ID] = "LTAI\n", [SECRET] = "s" }))
  end)

  it("never shows a secret", function()
    local message, hint = complaint { [SECRET] = "canary" }
    assert.is_nil((message .. hint):find("canary", 1, true))
    assert.is_nil(provider({ [ID] = "i", [SECRET] = "canary" }):describe():find("canary", 1, true))
  end)

  it("stays with the identity it found, and looks again while it has none", function()
    local variables = {}
    local made = provider(variables)
    assert.is_nil((made:get()))
    variables[ID], variables[SECRET] = "first", "s"
    assert.equal("first", made:get().access_key_id)
    variables[ID] = "second"
    assert.equal("first", made:get().access_key_id)
  end)

  it("fetches secrets in C where the environment is the process's own", function()
    local asked = {}
    local real = core.secret_from_env
    finally(function() core.secret_from_env = real end)
    core.secret_from_env = function(name)
      asked[#asked + 1] = name
      return nil
    end
    env.new({ runtime = runtimes.new() }):get()
    assert.same({ SECRET }, asked)
  end)

  it("describes itself by the tail of the key id", function()
    assert.equal("env …1234", provider({ [ID] = "LTAIabcd1234" }):describe())
    assert.equal("env (not set)", provider({}):describe())
  end)
end)
