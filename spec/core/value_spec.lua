-- JSON to Lua values and back.
local core = require "alicloud.core"

describe("decode", function()
  it("keeps integers exact to 64 bits", function()
    local value = assert(core.decode [[{"a":9007199254740993,"b":-9223372036854775808,
      "c":9223372036854775807,"d":[1,{"e":9007199254740995}],"f":"12345","g":0}]])
    assert.equal(9007199254740993, value.a)
    assert.equal(math.mininteger, value.b)
    assert.equal(math.maxinteger, value.c)
    assert.equal(9007199254740995, value.d[2].e)
    assert.equal("12345", value.f)
    assert.equal("integer", math.type(value.g))
  end)

  it("gives integers over 64 bits as decimal text", function()
    assert.same({ "9223372036854775808", "-9223372036854775809" },
      setmetatable(core.decode "[9223372036854775808,-9223372036854775809]", nil))
  end)

  it("tells floats from integers by their spelling", function()
    local value = core.decode "[1,1.0,1e0,-0.5,1E2,99999999999999999999e5]"
    assert.equal("integer", math.type(value[1]))
    for i = 2, 6 do
      assert.equal("float", math.type(value[i]))
    end
    assert.equal(100.0, value[5])
  end)

  it("drops null in objects and keeps it in arrays", function()
    local value = core.decode '{"a":null,"b":[null,1],"c":{"d":null}}'
    assert.is_nil(value.a)
    assert.equal(core.null, value.b[1])
    assert.equal(1, value.b[2])
    assert.same({}, value.c)
    assert.equal(core.null, core.decode('{"a":null}', { keep_null = true }).a)
  end)

  it("reads lists of objects that are alike, and that are not", function()
    local text = '[{"a":1,"b":2},{"a":3,"b":4},{},{"c":{"d":[{"e":5}]}}]'
    assert.equal(text, core.encode(core.decode(text)))
  end)

  it("tells an empty array from an empty object", function()
    local value = core.decode '{"list":[],"map":{}}'
    assert.is_true(core.is_array(value.list))
    assert.is_false(core.is_array(value.map))
    assert.is_false(core.is_array "[]")
    assert.equal('{"list":[],"map":{}}', core.encode(value))
  end)

  it("carries UTF-8 and escapes to bytes", function()
    assert.equal("é😀\n\"\\/", core.decode [["\u00e9\ud83d\ude00\n\"\\\/"]])
    assert.equal("存储", core.decode '"存储"')
  end)

  it("gives text, with U+FFFD for what is none", function()
    for json, text in pairs {
      ["\xff"] = "?", ["\xc0\xaf"] = "??", ["\xed\xa0\x80"] = "???", ["\xf4\x90\x80\x80"] = "????",
      ["ok \xd5\xcb"] = "ok ??", ["\xe5\xae"] = "?", ["\xe5\xaex"] = "?x", ["\\u0000"] = "?",
      ["x\\u0000y"] = "x?y", ["\\ud800"] = "?", ["\\udc00\\ud800"] = "??",
      ["\\ud83d\\ud83d\\ude00"] = "?😀", ["\\ud83d\\u0041"] = "?A", ["容\xff灾"] = "容?灾",
      [("long enough for a word "):rep(3) .. "\x80"] = ("long enough for a word "):rep(3) .. "?",
    } do
      text = text:gsub("%?", "\u{fffd}")
      assert.equal(text, core.decode('"' .. json .. '"'))
      assert.same({ [text] = text }, core.decode('{"' .. json .. '":"' .. json .. '"}'))
    end
  end)

  it("never gives anything but text", function()
    for first = 0, 255 do
      for _, rest in ipairs { "", "\x80", "\x80\x80", "\x80\x80\x80", "a", "\xff" } do
        local value = core.decode('"' .. string.char(first) .. rest .. '"')
        assert.truthy(value == nil or utf8.len(value))
      end
    end
  end)

  it("passes over a byte order mark before the text", function()
    assert.same({ a = 1 }, core.decode '\xef\xbb\xbf {"a":1}')
  end)

  local refused = {
    { "nothing", "", "empty" },
    { "trailing garbage", '{"a":1}xyz', "byte 8" },
    { "a second document", "{} {}", "malformed" },
    { "a trailing NUL", "{}\0", "byte 3" },
    { "duplicate keys", '{"a":1,"a":2}', "duplicate key" },
    { "duplicate keys, one of them null", '{"a":null,"a":2}', "duplicate key" },
    { "duplicate keys deep inside", '{"x":[{"a":1,"a":1}]}', "duplicate key" },
    { "a raw control character", '{"a":"\27[31m"}', "raw control character" },
    { "an unknown escape", [["\x41"]], "unknown escape" },
    { "a leading zero", "[01]", "malformed number" },
    { "a bare point", "[1.]", "malformed number" },
    { "a leading point", "[.5]", "unexpected character" },
    { "a plus sign", "[+1]", "unexpected character" },
    { "an infinite number", "[1e999]", "out of range" },
    { "NaN", "[NaN]", "unexpected character" },
    { "a trailing comma", "[1,]", "malformed" },
    { "a missing colon", '{"a" 1}', "malformed" },
    { "single quotes", "{'a':1}", "unexpected character" },
    { "a comment", "{} // x", "a comment, of which JSON has none" },
    { "a comment of shells", "{ # x\n}", "a comment, of which JSON has none" },
    { "what begins no comment", "[1.//]", "malformed number" },
    { "a zero byte behind a value", "{}\0", "malformed" },
    { "a byte order mark alone", "\239\187\191", "malformed" },
    { "a byte order mark within", "[\239\187\191]", "unexpected character" },
    { "names that are the same text", '{"\xff":1,"\xfe":2}', "duplicate key" },
    { "a number of very many digits", ("9"):rep(64), "too many characters" },
    { "an open string", '{"a":"x', "not closed" },
    { "an open object", '{"a":1', "malformed" },
    { "capital literals", "[True]", "unexpected character" },
    { "a vertical tab between tokens", "[1,\v2]", "unexpected character" },
  }
  for _, row in ipairs(refused) do
    it("refuses " .. row[1], function()
      local value, message = core.decode(row[2])
      assert.is_nil(value)
      assert.truthy(message:find(row[3], 1, true), message)
    end)
  end

  it("takes 32 levels and refuses 33", function()
    local function nested(depth)
      return ("["):rep(depth) .. ("]"):rep(depth)
    end
    assert.is_table(core.decode(nested(32)))
    local value, message = core.decode(nested(33))
    assert.is_nil(value)
    assert.truthy(message:find("deep", 1, true), message)
    assert.is_nil((core.decode(("["):rep(100000))))
  end)

  it("refuses a text over the cap before it looks at it", function()
    local text = '"' .. ("x"):rep(1024 * 1024) .. '"'
    local value, message = core.decode(text)
    assert.is_nil(value)
    assert.truthy(message:find("limit", 1, true))
    assert.is_string(core.decode(text, { max_bytes = 2 * 1024 * 1024 }))
    assert.is_nil((core.decode("[1]", { max_bytes = 2 })))
  end)

  it("does not follow the locale's decimal comma", function()
    local before = os.setlocale(nil, "numeric")
    local found = os.setlocale("de_DE.UTF-8", "numeric") or os.setlocale("fr_FR.UTF-8", "numeric")
    local value = core.decode "[0.5]"
    local text = core.encode(0.5)
    os.setlocale(before, "numeric")
    assert.equal(0.5, value[1])
    assert.equal("0.5", text, found)
  end)

  it("survives every cut and every changed byte of a document", function()
    local text = '{"Groups":[{"Id":"pg-1","RPO":900,"At":1763800000123,"Ok":true,"N":null}]}'
    for i = 0, #text - 1 do
      assert.is_nil((core.decode(text:sub(1, i))))
      for _, byte in ipairs { 0, 34, 92, 91, 125, 48, 255 } do
        core.decode(text:sub(1, i) .. string.char(byte) .. text:sub(i + 2))
      end
    end
  end)
end)

describe("encode", function()
  it("writes the same text for the same value", function()
    assert.equal('{"a":[1,2,null],"b":{"c":true},"d":"x\\n\\u001b\\"\\\\"}',
      core.encode { d = "x\n\27\"\\", b = { c = true }, a = { 1, 2, core.null } })
  end)

  it("writes numbers so that they read back as the same", function()
    for _, number in ipairs { 0, -1, math.maxinteger, math.mininteger, 0.1, 1 / 3, 1e300, -2.5e-10,
      100.0, 1763800000.25 } do
      local back = core.decode("[" .. core.encode(number) .. "]")[1]
      assert.equal(number, back)
      assert.equal(math.type(number), math.type(back))
    end
  end)

  it("keeps [] apart from {}", function()
    assert.equal("[]", core.encode(core.array()))
    assert.equal("{}", core.encode {})
    assert.equal('{"a":[]}', core.encode { a = core.array {} })
    assert.equal('{"a":[false,true]}', core.encode { a = { false, true } })
  end)

  local refused = {
    { "NaN", 0 / 0, "no such number" }, { "infinity", math.huge, "no such number" },
    { "a function", print, "function" }, { "holes", { 1, nil, 3 }, "holes" },
    { "names beside positions", { 1, a = 2 }, "both names and positions" },
    { "names in an array", core.array { a = 2 }, "both names and positions" },
    { "a boolean key", { [true] = 1 }, "key" },
    { "a foreign userdata", io.stdout, "userdata" },
  }
  for _, row in ipairs(refused) do
    it("refuses " .. row[1], function()
      local ok, message = pcall(core.encode, row[2])
      assert.is_false(ok)
      assert.truthy(message:find(row[3], 1, true), message)
    end)
  end

  it("writes text, with U+FFFD for what is none", function()
    for first = 0, 255 do
      for _, rest in ipairs { "", "\x80", "\x80\x80", "\x9f\xbf\xbf", "\xa0\x80", "a", "\xff" } do
        local bytes = string.char(first) .. rest
        local text = core.encode { bytes, { [bytes] = bytes } }
        assert.truthy(utf8.len(text))
        local back = core.decode(text)
        if utf8.len(bytes) and not bytes:find "\0" then assert.equal(bytes, back[1]) end
        assert.equal(back[1], back[2][back[1]])
      end
    end
    assert.equal('{"容":"灾"}', core.encode { ["容"] = "灾" })
    assert.equal('["\u{fffd}\u{fffd}|\u{fffd}"]', core.encode { "\xc0\xaf|\xe5\xae" })
  end)

  it("refuses names that would become one", function()
    for _, object in ipairs { { ["\xff"] = 1, ["\xfe"] = 2 },
      { ["\xff"] = 1, ["\u{fffd}"] = 2 } } do
      local ok, message = pcall(core.encode, object)
      assert.is_false(ok)
      assert.truthy(message:find("same text", 1, true), message)
    end
    assert.equal('{"\u{fffd}":1,"\u{fffd}\u{fffd}":2}',
      core.encode { ["\xff"] = 1, ["\xff\xff"] = 2 })
  end)

  it("sorts names by what is written", function()
    assert.equal('{"a":1,"\u{e000}":2,"\u{fffd}":3}',
      core.encode { ["\xc0"] = 3, ["\u{e000}"] = 2, a = 1 })
  end)

  it("refuses a table that holds itself", function()
    local loop = {}
    loop.loop = loop
    assert.is_false(pcall(core.encode, loop))
  end)
end)

describe("what JSON can hold", function()
  local function nested(tables)
    local root = {}
    local inner = root
    for _ = 2, tables do inner.a = {}; inner = inner.a end
    return root
  end

  it("is known without anything foreign that runs", function()
    for _, value in ipairs { "a", 1, 0.5, true, { a = { 1, core.null }, [7] = core.array {} } } do
      assert.is_true(core.is_json(value))
    end
    local trap = setmetatable({}, { __index = error, __pairs = error, __len = error })
    for _, value in ipairs { print, trap, { { trap } }, { [1.5] = 1 }, { [{}] = 1 } } do
      assert.is_false(core.is_json(value))
    end
    assert.is_false(core.is_json(nil))
  end)

  it("has bounds", function()
    assert.is_true(core.is_json(nested(64)))
    assert.is_false(core.is_json(nested(65)))
    local many = {}
    for i = 1, 1000000 do many[i] = 1 end
    assert.is_true(core.is_json(many))
    many[#many + 1] = 1
    assert.is_false(core.is_json(many))
  end)

  local function copy_of(value)
    return core.plain_copy(value, { a = false, b = false, key = true, ["\xff"] = false }, "-")
  end

  it("is copied with secrets hidden", function()
    local given = { a = { 1, "x", { b = 0.5 } }, b = core.array {}, key = print }
    local copy = copy_of(given)
    assert.equal('{"a":[1,"x",{"b":0.5}],"b":[],"key":"-"}', core.encode(copy))
    assert.is_nil(copy_of { b = setmetatable({ a = 1 }, { __name = "X" }) }.key)
    copy.a[1] = 2
    assert.equal(1, given.a[1])
    assert.is_true(core.is_array(copy.a) and core.is_array(copy.b))
  end)

  it("is copied with names that the metatable of the others judges", function()
    local asked = {}
    local secrets = setmetatable({ a = false }, { __index = function(_, name)
      asked[#asked + 1] = name
      return name == "key"
    end })
    local copy = core.plain_copy({ a = { key = 1 }, [""] = 2 }, secrets, "-")
    assert.same({ a = { key = "-" }, [""] = 2 }, copy)
    table.sort(asked)
    assert.same({ "", "key" }, asked)
  end)

  it("is not copied where anything is odd", function()
    local round = {}
    round.a = round
    for _, value in ipairs { { a = "\xff" }, { a = "a\0" }, { a = print }, { a = core.null },
      { 1, core.null }, { unknown = 1 }, { [2] = 1 }, { 1, a = 2 }, { [1.5] = 2 },
      { a = math.huge }, { a = 0 / 0 }, { ["\xff"] = 1 }, round, nested(21),
      { a = setmetatable({}, { __index = { b = 1 } }) },
      { a = setmetatable({}, { __pairs = next }) },
      { a = setmetatable({}, { __metatable = "mine" }) } } do
      assert.is_nil(copy_of(value))
    end
    assert.is_table(copy_of(nested(20)))
    assert.has_error(function() core.plain_copy({}, nil, "-") end)
    assert.has_error(function() core.plain_copy({}) end)
  end)
end)
