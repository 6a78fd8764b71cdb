local credentials = require "alicloud.credentials"
local errors = require "alicloud.error"
local helper = require "spec.helper"

local function choose(given)
  return credentials.choose(given, (helper.runtime()))
end

local function refused(given)
  local provider, message = choose(given)
  assert.is_nil(provider)
  return message
end

describe("the choice of a provider", function()
  it("is the pair that was given, else the environment", function()
    local keys = { access_key_id = "i", access_key_secret = "s" }
    assert.equal("static_ak", choose(keys):get().provider)
    assert.equal("static_ak", choose({ credentials = keys }):get().provider)
    assert.equal("env (not set)", choose({}):describe())
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

  it("does not take the environment for a table that names nobody", function()
    assert.matches("^option credentials: got an empty table; allowed: ",
      refused { credentials = {} })
    assert.matches("credentials: got an empty table", helper.raised(helper.client, {},
      { credentials = {} }))
  end)

  it("does not guess between two sources", function()
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
    return credentials.get { get = get }
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
