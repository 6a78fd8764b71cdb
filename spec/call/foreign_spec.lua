-- Foreign transports, providers and interceptors can do nothing to a call but fail it.

local core = require "alicloud.core"
local credentials = require "alicloud.credentials"
local errors = require "alicloud.base.error"
local helper = require "spec.helper"
local hostile = require "spec.hostile"

local function call(options)
  options.retries = 0
  local client = helper.client({}, options)
  local ok, result, err = pcall(client.call, client, "FailoverDiskReplicaGroup",
    { ReplicaGroupId = "pg-orders" })
  assert(tostring(client))
  return ok, result, err
end

local function assert_fails(options, outcome, name)
  local ok, result, err = call(options)
  assert.is_true(ok, name)
  assert.is_nil(result, name)
  assert.is_true(errors.is_error(err), name)
  assert.equal(outcome, err.outcome, name)
  assert.is_nil(tostring(err):find "%c", name)
  assert.is_string(core.encode { err.kind, err.code, err.message })
end

describe("a foreign transport", function()
  local WAYS = {
    raises = function(value) error(value, 0) end,
    ["returns nil and"] = function(value) return nil, value end,
    ["returns false and"] = function(value) return false, value end,
    ["returns"] = function(value) return value end,
    ["returns a message that is"] = function(value) return nil, { message = value } end,
    ["returns a detail that is"] = function(value) return nil, { detail = value } end,
    ["returns an error with"] = function(value) return nil, errors.new { message = value } end,
    ["fails with"] = function(value) return { failure = value } end,
    ["fails in detail with"] = function(value) return { failure = "timeout", detail = value } end,
    ["has a status that is"] = function(value) return { status = value, body = "{}" } end,
    ["has a body that is"] = function(value) return { status = 200, body = value } end,
    ["has headers that are"] = function(value)
      return { status = 500, headers = value, body = "{}" }
    end,
    ["has a header that is"] = function(value)
      return { status = 500, headers = { ["x-acs-request-id"] = value }, body = "{}" }
    end,
    ["has a header of"] = function(value)
      return { status = 500, headers = { ["x-acs-request-id"] = { value, value } }, body = "{}" }
    end,
  }

  it("leaves a change unknown, whatever it raises or returns", function()
    for how, way in pairs(WAYS) do
      for _, case in ipairs(hostile) do
        local transport = { send = function() return way(case[2]) end }
        assert_fails({ transport = transport }, "unknown", how .. " " .. case[1])
      end
    end
  end)

  it("that takes values leaves it unknown as well", function()
    local places = {
      function(value) return value end,
      function(value) return { result = value, request_id = "R", status = 200 } end,
      function(value) return { result = { Field = value }, request_id = "R", status = 200 } end,
      function(value) return { result = { List = { { value } } }, request_id = "R", status = 200 }
      end,
      function(value) return { result = {}, request_id = value, status = 200 } end,
      function(value) return { result = {}, request_id = "R", status = value } end,
      function(value) return { result = {}, request_id = "R", status = 200, date = value } end,
      function(value) return { err = value } end,
      function(value)
        return { err = { kind = "api", code = value, message = "m", outcome = "rejected" } }
      end,
      function(value)
        return { err = { kind = "api", code = "C", message = value, outcome = "rejected" } }
      end,
      function(value) return { err = { kind = "api", code = "C", message = "m", outcome = value } }
      end,
    }
    for number, place in ipairs(places) do
      for _, case in ipairs(hostile) do
        if type(case[2]) == "table" or type(case[2]) == "thread" then
          local transport = { send = error, perform = function() return place(case[2]) end }
          assert_fails({ transport = transport }, "unknown", number .. " " .. case[1])
        end
      end
    end
  end)

  it("is no longer asked for its functions by a call than the call lasts", function()
    local fine = true
    local transport = setmetatable({}, { __index = function()
      if not fine then error(hostile[1][2]) end
      return function() return helper.ok() end
    end })
    local client = helper.client({}, { transport = transport })
    fine = false
    local ok, result, err = pcall(client.call, client, "DescribeRegions")
    assert.is_true(ok)
    assert.is_nil(result)
    assert.equal("unknown", err.outcome)
  end)

  it("with a result that branches without an end is not followed", function()
    local result = {}
    result.a, result.b = result, result
    assert_fails({ transport = { send = error, perform = function()
      return { result = result, request_id = "R", status = 200 }
    end } }, "unknown")
  end)
end)

describe("a foreign provider", function()
  local PLACES = {
    function(value) error(value, 0) end,
    function(value) return nil, value end,
    function(value) return value end,
    function(value) return { access_key_id = value, access_key_secret = "s" } end,
    function(value)
      return { access_key_id = "i", access_key_secret = value or setmetatable({}, {}) }
    end,
    function(value)
      return { access_key_id = "i", access_key_secret = "s", security_token = value or 7 }
    end,
  }

  local function provider(get)
    local function trap() error(hostile[1][2]) end
    return { get = get, describe = trap, explain = trap, hosts = trap, holds = trap, refuse = trap }
  end

  it("sends nothing, whatever it raises or returns", function()
    for number, place in ipairs(PLACES) do
      for _, case in ipairs(hostile) do
        local value = case[2]
        local is_text = type(value) == "string" and not value:find "%c" and number > 3
        if not is_text then
          assert_fails({ credentials = provider(function() return place(value) end) }, "not_sent",
            number .. " " .. case[1])
        end
      end
    end
  end)

  it("may hand out keys that were wiped, or are no keys", function()
    local wiped = core.secret "s"
    wiped:close()
    for _, secret in ipairs { wiped, io.stdout, core.null } do
      for _, name in ipairs { "access_key_secret", "security_token" } do
        local keys = { access_key_id = "i", access_key_secret = "s" }
        keys[name] = secret
        assert_fails({ credentials = provider(function() return keys end) }, "not_sent")
      end
    end
  end)

  it("may be an object that makes its fields up", function()
    local asked = 0
    local keys = setmetatable({}, { __index = function(_, name)
      asked = asked + 1
      if asked > 4 then error "asked again" end
      return ({ access_key_id = "i", access_key_secret = "s", provider = "vault" })[name]
    end })
    local client = helper.client({ helper.ok() }, { credentials = provider(function()
      return keys
    end) })
    assert(client:call "DescribeRegions")
  end)

  it("whose own call failed has sent nothing for us", function()
    local own = errors.new { kind = "timeout", code = "Client.Timeout", message = "lost",
      outcome = "unknown" }
    for _, err in ipairs { own, errors.new { kind = "credentials", message = "none" } } do
      assert_fails({ credentials = provider(function() return nil, err end) }, "not_sent")
    end
  end)

  it("that goes on for ever is left at the deadline of the call, in a chain too", function()
    local endless, client = {}, nil
    function endless.get() client.loop.sleep(1e6) end
    local chain = credentials.chain { endless, { get = function()
      return { access_key_id = "other", access_key_secret = "s" }
    end } }
    for _, given in ipairs { endless, chain } do
      local made, _, control = helper.client({ helper.ok() }, { credentials = given })
      client = made
      local result, err = client:call("DescribeRegions", {}, { deadline = 20 })
      assert.is_nil(result)
      assert.same({ "credentials", "not_sent" }, { err.kind, err.outcome })
      assert.near(20, control.elapsed, 1e-6)
    end
  end)

  it("that cannot wait where it is asked says so", function()
    local client
    client = helper.client({}, { credentials = { get = function() client.loop.sleep(1) end } })
    local told
    client.loop.spawn(function()
      (""):gsub("", function() told = select(2, client:call "DescribeRegions") end)
    end):result()
    assert.equal("Client.CannotWait", told.code)
    assert.equal("not_sent", told.outcome)
  end)

  it("is not asked about itself in vain", function()
    local client = helper.client({}, { credentials = provider(function()
      return { access_key_id = "LTAI0000abcd", access_key_secret = "s", provider = hostile[1][2] }
    end) })
    local about = assert(client:identity())
    assert.equal("a table that cannot be shown", about.provider)
    assert.truthy(client:dependencies())
    assert.matches("credentials = provider", tostring(client))
  end)

  it("in a chain gives way to the next one", function()
    for _, case in ipairs(hostile) do
      local client = helper.client({ helper.ok() }, { credentials = credentials.chain {
        provider(function() error(case[2], 0) end), provider(function() return case[2] end),
        { get = function() return { access_key_id = "i", access_key_secret = "s" } end } } })
      assert(client:call "DescribeRegions")
      client:close()
    end
  end)
end)

describe("a foreign interceptor", function()
  it("sends nothing where it raises or refuses, and changes nothing afterwards", function()
    for _, case in ipairs(hostile) do
      local value = case[2]
      assert_fails({ witness = { before = function() error(value, 0) end, after = error } },
        "not_sent", case[1])
      assert_fails({ witness = { before = function() return nil, value end, after = error } },
        "not_sent", case[1])
      local _, result = call { transport = { send = function() return helper.ok() end },
        witness = { before = function() return true end, after = function() error(value, 0) end } }
      assert.truthy(result)
    end
  end)
end)

describe("a client that is closed while a call of it waits", function()
  it("fails the call, which has sent nothing", function()
    local client, transport = helper.client({}, { rate = { region = 1, reserve = 0 } })
    local calls = {}
    for i = 1, 3 do calls[i] = client:start "DescribeRegions" end
    client:close()
    for i = 1, 3 do
      local result, err = calls[i]:result()
      assert.is_nil(result)
      assert.same({ "Client.Cancelled", "not_sent" }, { err.code, err.outcome })
    end
    assert.equal(0, #transport.requests)
  end)
end)
