local options = require "alicloud.base.schema"

local SCHEMA = {
  region = options.text,
  deadline = options.seconds(0, 60),
  retries = options.integer(0, 9),
  mode = options.choice("normal", "observe"),
  plain = options.boolean,
  progress = options.callable,
  access_key_secret = options.secret,
}

local function complaint(given)
  local copy, message = options.examine("where", given, SCHEMA)
  assert.is_nil(copy)
  return message
end

describe("options", function()
  it("are copied, and absent ones are an empty table", function()
    local given = { region = "r" }
    local copy = options.examine("where", given, SCHEMA)
    assert.same(given, copy)
    assert.not_equal(given, copy)
    assert.same({}, options.examine("where", nil, SCHEMA))
  end)

  it("must be a table", function()
    assert.equal('where: options: got "x"; allowed: a table', complaint("x"))
  end)

  it("that are unknown are answered with the nearest known name", function()
    assert.equal('where: unknown option "regoin"; did you mean "region"?',
      complaint { regoin = 1 })
    assert.equal('where: unknown option 1 (number)', complaint { "region" })
  end)

  it("that are unknown cost no more each where there are many", function()
    local function cost_of(count)
      local given, units = {}, 0
      for i = 1, count do given["unknown" .. i] = true end
      debug.sethook(function() units = units + 1 end, "", 100)
      complaint(given)
      debug.sethook()
      return units
    end
    assert.is_true(cost_of(800) < 10 * cost_of(200))
  end)

  it("of the wrong kind are named with value and allowed form", function()
    assert.equal("where: option retries: got 1.5 (number); allowed: an integer from 0 to 9",
      complaint { retries = 1.5 })
    assert.equal('where: option mode: got "look"; allowed: "normal" or "observe"',
      complaint { mode = "look" })
    assert.equal("where: option progress: got true (boolean); allowed: a function",
      complaint { progress = true })
    assert.equal("where: option plain: got a table; allowed: true or false",
      complaint { plain = {} })
  end)

  it("show NaN by its name, and nothing of a secret", function()
    assert.equal("NaN (number)", options.show(0 / 0))
    assert.equal("NaN (number)", options.show(-(0 / 0)))
    local _, message = options.examine("x", { key = "canary " }, { key = options.secret })
    assert.equal("x: option key: got a string (not shown); allowed: text without spaces or "
      .. "control characters", message)
  end)

  it("take numbers only inside their bounds, and never NaN", function()
    assert.is_truthy(options.examine("where", { deadline = 60, retries = 9.0 }, SCHEMA))
    for _, wrong in ipairs { -0.1, 60.1, 0 / 0, 1 / 0, "5" } do
      assert.matches("option deadline: got", complaint { deadline = wrong })
    end
    for _, wrong in ipairs { -1, 10, 0 / 0, 2 ^ 70 } do
      assert.matches("option retries: got", complaint { retries = wrong })
    end
  end)

  it("never show a secret, however wrong it is", function()
    local message = complaint { access_key_secret = "canary secret\n" }
    assert.is_nil(message:find("canary"))
    assert.matches("access_key_secret", message)
  end)

  it("are complained about in the same order every time", function()
    for _ = 1, 20 do
      assert.matches("option deadline", complaint { retries = -1, deadline = -1, mode = "x" })
    end
  end)

  it("raise at the level of the public function's caller", function()
    local function public(given)
      local copy = options.check("public", given, SCHEMA)
      return copy
    end
    local ok, message = pcall(function()
      local result = public { nope = 1 }
      return result
    end)
    assert.is_false(ok)
    assert.matches("^[^:]*schema_spec.lua:%d+: public: unknown option", message)
  end)
end)

describe("a shown value", function()
  it("is one short, quoted, escaped line", function()
    assert.equal('"" (empty string)', options.show(""))
    assert.equal('"a\\x1bb"', options.show("a\27b"))
    assert.equal("nothing", options.show(nil))
    assert.equal("a table", options.show({}))
    assert.equal("7 (number)", options.show(7))
    assert.is_true(#options.show(("x"):rep(1000)) < 100)
  end)
end)
