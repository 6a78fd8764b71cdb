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

  it("names the variable that holds what no key has in it, and the character", function()
    for value, flaw in pairs {
      ["canary\n"] = "ends in a line end (\\n)", ["canary\r\n"] = "ends in a line end (\\r)",
      ["canary "] = "ends in a blank", [" canary"] = "begins with a blank",
      ["can\tary"] = "holds a tab", ["canary\1"] = "ends in the control character 1",
      ["'canary'"] = "stands in quotes", ['"canary"'] = "stands in quotes",
      ["canary\xc2\xa0"] = "ends in a character that is not ASCII",
    } do
      for _, name in ipairs { ID, SECRET, TOKEN } do
        local variables = { [ID] = "i", [SECRET] = "s", [TOKEN] = "t" }
        variables[name] = value
        local message, hint = complaint(variables)
        assert.equal(name .. " " .. flaw, message)
        assert.is_truthy(hint:find(("export %s="):format(name), 1, true))
        assert.is_nil((message .. hint):find("canary", 1, true))
      end
    end
  end)

  it("says a command that mends the variable", function()
    local _, hint = complaint { [ID] = "i", [SECRET] = "s\r\n" }
    local command = hint:match "export .*"
    local pipe = io.popen(("%s='\"se cret\xc2\xa0\"\r\n'; %s; printf %%s \"$%s\""):format(SECRET,
      command, SECRET))
    assert.equal("secret", pipe:read "a")
    pipe:close()
  end)

  it("finds other names for what is not set", function()
    local function near(variables)
      return env.near_misses(helper.runtime { env = variables })
    end
    assert.same({}, near {})
    assert.same({}, near { [ID] = "i", ALICLOUD_ACCESS_KEY_ID = "canary" })
    assert.same({ { set = "ALICLOUD_ACCESS_KEY", counts = ID },
      { set = "ALICLOUD_SECRET_KEY", counts = SECRET } },
      near { ALICLOUD_ACCESS_KEY = "canary", ALICLOUD_SECRET_KEY = "canary" })
    assert.same({ { set = "SECURITY_TOKEN", counts = TOKEN } },
      near { [ID] = "i", [SECRET] = "s", SECURITY_TOKEN = "canary" })
    assert.same({ "ALIBABACLOUD_PROFILE is set, but the name that counts is "
      .. "ALIBABA_CLOUD_PROFILE" }, env.near_miss_words(near { ALIBABACLOUD_PROFILE = "p" }))
    assert.same({}, near { ACCESS_KEY = "of something else", SECRET_KEY = "x", PROFILE = "x" })
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
