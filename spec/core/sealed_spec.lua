-- Files with keys in them: what is no key becomes Lua values, keys become Secrets, and whatever is
-- wrong with a file, no word of it is repeated.
local core = require "alicloud.core"
local child = require "spec.child"
local scratch = require "spec.scratch"

local CANARY = "canary-secret-7f3a"

local function signature(secret)
  return core.sign { host = "h", access_key_id = "i", access_key_secret = secret,
    date = "2026-01-02T03:04:05Z", nonce = "n" }.signature
end

describe("a file with secrets", function()
  it("is read without becoming Lua text, and tells its permissions", function()
    local path = scratch.file(CANARY, nil, "640")
    local secret, mode = core.secret_from_file(path)
    assert.equal(#CANARY, secret:length())
    assert.equal(tonumber("640", 8), mode)
    assert.equal(signature(CANARY), signature(secret))
  end)

  it("may be empty", function()
    local path = scratch.file ""
    assert.equal(0, core.secret_from_file(path):length())
  end)

  it("is a process's own copy: a forked child that closes it takes it from nobody", function()
    local secret = core.secret(CANARY)
    assert.equal(0, child.run(function()
      assert(signature(secret) == signature(CANARY))
      secret:close()
    end))
    assert.equal(signature(CANARY), signature(secret))
  end)

  it("says what is wrong with it", function()
    assert.same({ nil, "no such file" }, { core.secret_from_file "/no/such/file" })
    assert.same({ nil, "no such file" }, { core.secret_from_file "" })
    assert.same({ nil, "it is not a regular file" }, { core.secret_from_file "/dev/null" })
    assert.same({ nil, "it is not a regular file" }, { core.secret_from_file "." })
    assert.same({ nil, "no such file" }, { core.secret_from_file "/dev/null/x" })
    local path = scratch.file(("x"):rep(1024 * 1024 + 1))
    assert.same({ nil, "it is too large" }, { core.secret_from_file(path) })
    assert.is_false(pcall(core.secret_from_file, "a\0b"))
  end)
end)

describe("unseal", function()
  it("gives keys as Secrets and the rest as values", function()
    local value = core.unseal('\xef\xbb\xbf{"list":[1,"x",null,true],"deep":{"key":"' .. CANARY
      .. '","id":"i"},"key":""}', "json", { "key" })
    assert.same({ 1, "x", core.null, true }, setmetatable(value.list, nil))
    assert.equal("i", value.deep.id)
    assert.equal(signature(CANARY), signature(value.deep.key))
    assert.is_nil(value.key)
  end)

  it("gives a key that is a long number as a Secret of its digits", function()
    local digits = "90071992544019925440993"
    local value = core.unseal(('{"key":%s,"short":{"key":-7},"real":{"key":%s.5},"id":%s}')
      :format(digits, digits, digits), "json", { "key" })
    assert.equal(signature(digits), signature(value.key))
    assert.same({ -7, "number", digits }, { value.short.key, type(value.real.key), value.id })
  end)

  it("takes its document from a Secret, which is closed by that", function()
    local document = core.secret('{"a":1}')
    assert.same({ a = 1 }, core.unseal(document, "json", {}))
    assert.equal(0, document:length())
    assert.is_false(pcall(core.unseal, document, "json", {}))
  end)

  it("reads sections; a comment is a line of its own or begins behind a blank", function()
    local value = core.unseal("lost = 1\r\n# note\n[default] # note\r\ntype: access_key ; note\n"
      .. " ; note\nkey=a#b;c = d \n\n[ two words ]\nempty =", "ini", { "key" })
    assert.equal("access_key", value.default.type)
    assert.equal(signature "a#b;c = d", signature(value.default.key))
    assert.same({ empty = "" }, value["two words"])
    assert.is_nil(value.lost)
    assert.same({}, core.unseal("", "ini", {}))
    assert.same({ a = {} }, core.unseal("[a]\nkey =", "ini", { "key" }))
    assert.same({ a = {} }, core.unseal("[a]\nkey = # note", "ini", { "key" }))
    assert.same({ a = { x = "1", y = "2" }, b = {} },
      core.unseal("[a]\nx=1\n[b]\n[a]\ny=2", "ini", {}))
  end)

  it("takes quotes around a value for no part of it, and names however they are written", function()
    for text, meant in pairs { ['"a b"'] = "a b", ["'a # b' # note"] = "a # b",
      ['"a" b'] = '"a" b', ['"'] = '"', ['""'] = "", ['"a'] = '"a', ["a'b'"] = "a'b'" } do
      assert.same({ s = { n = meant } }, core.unseal("[s]\nn = " .. text, "ini", {}))
    end
    for _, name in ipairs { "accessKeyId", "AccessKeyId", "ACCESS_KEY_ID", "access-key-id" } do
      assert.same({ s = { access_key_id = "i" } },
        core.unseal(("[s]\n%s = i"):format(name), "ini", {}))
    end
  end)

  it("says in which line a document is broken, and that JSON has no comments", function()
    for text, message in pairs {
      ['{\n // x\n"a":1}'] = "JSON: a comment, of which JSON has none, in line 2, at byte 4",
      ['# x\n{}'] = "JSON: a comment, of which JSON has none, in line 1, at byte 1",
      ['{"a":1,\r\n}'] = "JSON: malformed in line 2, at byte 10",
    } do
      assert.same({ nil, message }, { core.unseal(text, "json", {}) })
    end
    assert.same({ nil, "line 3 is neither [section] nor name = value" },
      { core.unseal("[a]\n\nx", "ini", {}) })
    assert.same({ nil, "line 2 opens a section and does not close it" },
      { core.unseal("\n[a] x", "ini", {}) })
    assert.same({ nil, "line 4 gives a value of its section a second time" },
      { core.unseal("[a]\nx =\nx=1\nX: 2", "ini", {}) })
  end)

  it("reads as decode does, but for the secrets", function()
    for _, text in ipairs { '{"a":1,"a":2}', '{"a":"x","b":{"k":"y","k":"z"}}', '{"k":"","k":"z"}',
      '{"k":null,"k":"z"}', '{"n":12,"m":-0.5,"b":9007199254740993,"h":99999999999999999999}',
      '{"a":[],"o":{},"l":[null,1,"\xff"],"n":null}', '{"\xff":1}', '{"\xff":1,"\xfe":1}',
      [[{"a":"\ud800\u0000"}]], '\xef\xbb\xbf{"a":1}', "{} x", '{"a":01}', ("["):rep(40) } do
      assert.same({ core.decode(text) }, { core.unseal(text, "json", {}) })
      assert.equal(core.decode(text) == nil, core.unseal(text, "json", { "k" }) == nil)
    end
  end)

  it("takes a secret as it was meant, or not at all", function()
    local function unsealed(text)
      return core.unseal('{"key":"' .. text .. '"}', "json", { "key" })
    end
    assert.equal(signature 'a/b"c\\é😀', signature(unsealed [[a\/b\u0022c\\\u00e9\ud83d\ude00]].key))
    assert.equal(signature "容", signature(unsealed "容".key))
    for _, text in ipairs { CANARY .. "\xff", "\xd5\xcb", [[a\u0000b]], [[\ud800]] } do
      assert.same({ nil, "key is no Unicode text" }, { unsealed(text) })
    end
    assert.same({ nil, "key holds a control character" }, { unsealed [[a\u000ab]] })
    assert.same({ nil, "key is longer than 65536 bytes" }, { unsealed(("x"):rep(65537)) })
    assert.equal(65536, unsealed(("x"):rep(65536)).key:length())
    -- No secret by its type or its place.
    assert.same({ key = { "a" }, deep = { { key = 7 } } },
      core.unseal('{"key":["a"],"deep":[{"key":7}]}', "json", { "key" }))
  end)

  it("keeps the bytes of an ini file", function()
    local value = core.unseal("\xef\xbb\xbf[a]\nkey = x\xffy\nname = \xff", "ini", { "key" })
    assert.equal(signature "x\xffy", signature(value.a.key))
    assert.equal("\xff", value.a.name)
  end)

  it("never quotes a broken document", function()
    local long = ('{"key":"%s"}'):format(("x"):rep(70000))
    for format, documents in pairs {
      json = { '{"key":"' .. CANARY, '{"key":"' .. CANARY .. '"} x', '["' .. CANARY .. '"]',
        '"' .. CANARY .. '"', '{"a":"' .. CANARY .. (" "):rep(1024 * 1024) .. '"}',
        CANARY, "", '{"key":"' .. CANARY .. '\\n"}', long, ("["):rep(40) },
      ini = { CANARY, "[" .. CANARY, "[a]\n" .. CANARY, "[a]\nkey = " .. CANARY .. "\1x" },
    } do
      for _, document in ipairs(documents) do
        local value, message = core.unseal(document, format, { "key" })
        assert.is_nil(value)
        assert.is_string(message)
        assert.is_nil(message:find(CANARY, 1, true))
      end
    end
  end)

  it("refuses misuse", function()
    assert.is_false(pcall(core.unseal, "{}", "yaml", {}))
    assert.is_false(pcall(core.unseal, "{}", "json"))
    assert.is_false(pcall(core.unseal, "{}", "json", { 1 }))
    assert.is_false(pcall(core.unseal, {}, "json", {}))
  end)
end)

describe("a program that gives secrets", function()
  local function run(argv, max)
    local process = assert(core.spawn(argv, max or 1000))
    local ends = core.monotonic() + 60
    while not process:step() do
      assert(core.monotonic() < ends, "it hangs")
      core.poll(process:pollfd(), "r", 0.02)
    end
    return process:result()
  end

  it("is run without a shell, and its output is a Secret", function()
    local output, code, signal = run { "printf", "%s", '{"key":"$HOME; x"}' }
    assert.equal(signature "$HOME; x",
      signature(core.unseal(output, "json", { "key" }).key))
    assert.same({ 0, nil }, { code, signal })
    assert.equal(0, (run { "true" }):length())
  end)

  it("has no input and tells how it ended", function()
    assert.equal(0, (run { "cat" }):length())
    assert.equal(3, (select(2, run { "sh", "-c", "exit 3" })))
    assert.equal(15, (select(3, run { "sh", "-c", "kill -15 $$" })))
  end)

  it("is killed when it writes too much, and when it is closed", function()
    assert.same({ nil, nil, 9 }, { run({ "yes" }, 100) })
    assert.equal(100, (run({ "printf", "%0100d", "1" }, 100)):length())
    assert.is_nil((run({ "printf", "%0101d", "1" }, 100)))
    local process = core.spawn({ "sh", "-c", "sleep 100 & echo $!; wait" }, 100)
    while process:pollfd() and not core.poll(process:pollfd(), "r", 5) do process:step() end
    process:step()
    process:close()
    process:close()
    assert.is_false(pcall(process.step, process))
    assert.is_false(pcall(process.result, process))
  end)

  it("finds nothing open but its three streams, whatever the host left open", function()
    local file <close> = assert(io.open("/etc/passwd"))
    -- The listing has a descriptor for what it lists. A preloaded library may open its own in every
    -- program, and the listing is to be without it.
    local _, code = run { "sh", "-c",
      'test "$(env -u LD_PRELOAD ls /proc/self/fd | wc -l)" = 4' }
    assert.equal(0, code)
    assert.equal("file", io.type(file))
  end)

  it("can wait for programs of its own where the host ignores the end of its children", function()
    local program = [[
      local core = require "alicloud.core"
      local process = assert(core.spawn({ "lua5.4", "-e", [=[
        local status = assert(io.open "/proc/self/status"):read "a"
        local ignored = tonumber(status:match "SigIgn:%s*(%x+)", 16)
        if ignored & (1 << 16) == 0 then io.write "default" end
      ]=] }, 100))
      while not process:step() do core.poll(process:pollfd(), "r", 0.02) end
      print((process:result():length()))
    ]]
    local path = scratch.file(program)
    local pipe = assert(io.popen(([[bash -c "trap '' CHLD; exec lua5.4 '%s' 2>&1"]]):format(path)))
    local said = pipe:read "a"
    pipe:close()
    assert.equal("7\n", said)
  end)

  it("is its process's own: a forked child can neither read nor end it", function()
    local word = scratch.path()
    local process = assert(core.spawn({ "sh", "-c",
      'echo ready; while ! test -e "$0"; do sleep 0.01; done', word }, 100))
    assert.is_true(core.poll(process:pollfd(), "r", 60))
    assert.equal(0, child.run(function()
      assert.error_matches(function() process:step() end, "the process that started it")
      assert.error_matches(function() process:result() end, "the process that started it")
      process:close()
      process:close()
      assert.error_matches(function() process:step() end, "closed")
    end))
    scratch.write(word, "")
    while not process:step() do core.poll(process:pollfd(), "r", 0.02) end
    local output, code, signal = process:result()
    assert.equal(6, output:length())
    assert.same({ 0, nil }, { code, signal })
  end)

  it("says why it cannot be started", function()
    assert.same({ nil, "no such program" }, { core.spawn({ "/no/such/program" }, 1) })
    assert.same({ nil, "no such program" }, { core.spawn({ "/etc/passwd/x" }, 1) })
    assert.same({ nil, "it is not a program that may be run" },
      { core.spawn({ "/etc/passwd" }, 1) })
    for _, wrong in ipairs { { {}, 1 }, { { 1 }, 1 }, { { "a\0b" }, 1 }, { { "a" }, 0 } } do
      assert.is_false(pcall(core.spawn, table.unpack(wrong)))
    end
  end)
end)
