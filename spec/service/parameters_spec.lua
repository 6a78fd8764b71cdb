local alicloud = require "alicloud"
local rules = require "alicloud.service.parameters"

local function verdict(rule, value)
  local ok, message = rules.check("P", rule, value)
  if ok then return true end
  assert.is_truthy(message:find("parameter P", 1, true) == 1, message)
  assert.is_truthy(message:find("; allowed: ", 1, true)
    or message:find(" is required", 1, true) or message:find("unknown", 1, true), message)
  return false
end

local function all(rule, accepted, refused)
  for _, value in ipairs(accepted) do assert.is_true(verdict(rule, value), tostring(value)) end
  for _, value in ipairs(refused) do assert.is_false(verdict(rule, value), tostring(value)) end
end

describe("a rule for", function()
  it("names counts characters, not bytes, and wants a letter first", function()
    all({ type = "string", format = "name" },
      { "ab", "订单", "a:_.-9", ("订"):rep(128), "httpd" },
      { "a", "订", ("订"):rep(129), "1a", "-a", "a b", "a\n", "http://a", "hTTps://a", "\xff\xfe" })
    all({ type = "string", format = "group_name" }, { "a:_-9" }, { "a.b" })
  end)

  it("descriptions refuses links at the beginning only", function()
    all({ type = "string", format = "description" },
      { "ab", "see http://x", ("x"):rep(256), "two words" },
      { "a", ("x"):rep(257), "https://x", "a\0b" })
  end)

  it("tags refuses what belongs to the vendor, and links anywhere", function()
    all({ type = "string", format = "tag_key" }, { "k", "my aliyun", ("k"):rep(128) },
      { "", "aliyun", "Aliyun-x", "acs:x", "ACS:x", "xhttp://", ("k"):rep(129) })
    all({ type = "string", format = "tag_value" }, { "", "v" }, { "a https://b", ("v"):rep(129) })
  end)

  it("words compares as told", function()
    all({ type = "string", values = { "one", "Two" } }, { "one", "Two" }, { "One", "two", "" })
    all({ type = "string", values = { "one" }, any_case = true }, { "ONE" }, { "ones" })
  end)

  it("numbers knows bounds and lists", function()
    all({ type = "integer", min = 1, max = 5 }, { 1, 5, 3.0, "4" }, { 0, 6, 1.5, "x", "9", true })
    all({ type = "integer", values = { 900 } }, { 900, "900", 900.0 }, { 180, "180", {} })
    all({ type = "integer" }, { -1, 1 << 40 }, { 1 / 0, "" })
    assert.equal("an integer of at least 3", rules.allowed { type = "integer", min = 3 })
    assert.equal("900", rules.allowed { type = "integer", values = { 900 } })
  end)

  it("booleans takes their text too", function()
    all({ type = "boolean" }, { true, false, "true", "false" }, { 1, "yes", "True", "" })
  end)

  it("lists checks every element by its path", function()
    local rule = {
      type = "list", max_items = 2,
      items = { type = "map", fields = {
        Key = { type = "string", format = "tag_key", required = true, doc = "" },
        Value = { type = "string", format = "tag_value", doc = "" },
      } },
    }
    all(rule, { {}, { { Key = "k" } }, { alicloud.null, { Key = "k", Value = "" } } },
      { { 1 }, { { Key = "k" }, {} }, { {}, {}, {} }, { a = 1 }, "x", { [2] = {} } })
    local _, message = rules.check("Tag", rule, { { Key = "k" }, { Key = "k", Value = 5 } })
    assert.equal("parameter Tag.2.Value: got 5 (number); allowed: at most 128 characters without "
      .. "http:// and https://", message)
    _, message = rules.check("Tag", rule, { {} })
    assert.equal("parameter Tag.1.Key is required", message)
    _, message = rules.check("Tag", rule, { { Key = "k", Valu = "v" } })
    assert.equal('unknown parameter "Tag.1.Valu"; did you mean "Value"?', message)
    rule.required = true
    _, message = rules.check("Tag", rule, {})
    assert.equal("parameter Tag: got a table; allowed: a list of 1-2", message)
  end)

  it("what parameters ask of each other takes the default for the value", function()
    local operation = {
      params = {
        Kind = { type = "string", values = { "a", "b" }, default = "b" },
        Number = { type = "integer", min = 1 }, All = { type = "boolean" },
      },
      depends = {
        { on = "Kind", is = "a", need = "Number" }, { on = "Kind", is = "b", refuse = "Number" },
        { on = "All", is = true, refuse = "Kind" },
      },
    }
    local function check(values) return rules.check_dependencies(operation, values) end
    assert.is_true(check {})
    assert.is_true(check { Kind = "a", Number = 1 })
    assert.is_true(check { Kind = "b", Number = alicloud.null })
    assert.same({ nil, "parameter Number is required with Kind = a; allowed: an integer of at "
      .. "least 1" }, { check { Kind = "a" } })
    assert.same({ nil, "parameter Number: got 3 (number); allowed: nothing with Kind = b" },
      { check { Number = 3 } })
    assert.is_nil(check { Kind = "a", Number = 1, All = "true" })
  end)
end)
