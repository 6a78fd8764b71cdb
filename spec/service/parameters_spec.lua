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

local function text(format)
  return { type = "string", format = format }
end

local PAIR = { Key = { type = "string", format = "tag_key", required = true },
  Value = text "tag_value" }
local REGION = "a region id such as cn-shanghai (lower-case letters, digits and hyphens)"
local ID = "an id of 1-64 letters, digits, hyphens, underscores and dots"
local IDS = "1-100 ids, comma-separated text or a list"
local JSON_IDS = "a list of at most 100 ids, or its JSON text"
local NAME = "2-128 letters, digits and : _ . - with a letter first, not http:// or https://"
local TAG = "1-128 characters without http:// and https://, not beginning with aliyun or acs:"

-- Rule, value, what the message says was given, and is allowed.
local REFUSED = {
  { text "region", "Cn", '"Cn"', REGION }, { text "region", 5, "5 (number)", REGION },
  { text "id", "a b", '"a b"', ID }, { text "id", "", '"" (empty string)', ID },
  { text "token", "ä", '"ä"', "1-64 printable ASCII characters" },
  { text(), "a\n", '"a\\n"', "text without control characters" },
  { text "name", "1", '"1"', NAME }, { text "group_name", "a.b", '"a.b"', (NAME:gsub(" %.", "")) },
  { text "description", "x", '"x"', "2-256 characters, not beginning with http:// or https://" },
  { text "tag_key", "acs:x", '"acs:x"', TAG },
  { text "tag_value", "http://", '"http://"',
    "at most 128 characters without http:// and https://" },
  { { type = "string", values = { "a", "b" } }, "c", '"c"', "a or b" },
  { { type = "string", values = { "a", "b" } }, 1, "1 (number)", "a or b" },
  { { type = "integer" }, "x", '"x"', "an integer" },
  { { type = "integer" }, 1 / 0, "inf (number)", "an integer" },
  { { type = "integer", min = 1 }, 0, "0 (number)", "an integer of at least 1" },
  { { type = "integer", min = 1, max = 5 }, "6", '"6"', "an integer from 1 to 5" },
  { { type = "integer", values = { 900, 180 } }, 5, "5 (number)", "900 or 180" },
  { { type = "boolean" }, "yes", '"yes"', "true or false" },
  { { type = "ids" }, 5, "5 (number)", IDS }, { { type = "ids" }, {}, "a table", IDS },
  { { type = "ids" }, { a = 1 }, "a table", IDS },
  { { type = "ids" }, { [2] = "a" }, "a table", IDS },
  { { type = "ids" }, "a,,b", '"" (empty string) in the list', IDS .. ", each " .. ID },
  { { type = "ids" }, { "a", 5 }, "5 (number) in the list", IDS .. ", each " .. ID },
  { { type = "ids", max_items = 2 }, "a,b,c", "3 ids", "1-2 ids, comma-separated text or a list" },
  { { type = "json_ids" }, "x", '"x"', JSON_IDS },
  { { type = "json_ids" }, { a = "x" }, "a table", JSON_IDS },
  { { type = "json_ids" }, '["a b"]', '"a b" in the list', JSON_IDS .. ", each " .. ID },
  { { type = "json_ids", max_items = 1 }, { "a", "b" }, "2 ids",
    "a list of at most 1 ids, or its JSON text" },
  { { type = "list" }, "x", '"x"', "a list of at most 100" },
  { { type = "list" }, { a = 1 }, "a table", "a list of at most 100" },
  { { type = "list" }, { [2] = "x" }, "a table", "a list of at most 100" },
  { { type = "list", max_items = 2 }, { 1, 2, 3 }, "3 elements", "a list of at most 2" },
  { { type = "list", required = true }, {}, "a table", "a list of 1-100" },
  { { type = "map", fields = PAIR }, 5, "5 (number)", "a map of Key, Value" },
}

describe("a refusal", function()
  it("names the parameter, what was given and what is allowed", function()
    for _, case in ipairs(REFUSED) do
      assert.same({ nil, ("parameter P: got %s; allowed: %s"):format(case[3], case[4]) },
        { rules.check("P", case[1], case[2]) })
    end
  end)

  it("of fields names first what nobody knows, then the first field", function()
    local function refused(values)
      local ok, message = rules.check_fields(PAIR, values)
      assert.is_nil(ok)
      return message
    end
    assert.equal('unknown parameter "Kay"; did you mean "Key"?', refused { Kay = "x", Value = 5 })
    assert.equal("unknown parameter 1 (number)", refused { "x", Zed = 1 })
    assert.equal("parameter Key is required", refused { Value = 5 })
    assert.equal("parameter Key is required", refused { Key = alicloud.null })
    assert.equal('parameter Key: got "" (empty string); allowed: ' .. TAG,
      refused { Key = "", Value = 5 })
    assert.is_true(rules.check_fields(PAIR, { Key = "k", Value = alicloud.null }))
  end)
end)
