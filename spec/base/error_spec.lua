local errors = require "alicloud.base.error"
local hostile = require "spec.hostile"

local function example(fields)
  local all = {
    kind = "api", code = "NoSuchResource", message = "The specified resource does not exist.",
    status = 404, request_id = "ABC", outcome = "rejected", attempts = 1,
    product = "ebs", action = "FailoverDiskReplicaGroup", hint = "ask the other region",
  }
  for name, value in pairs(fields or {}) do all[name] = value end
  return errors.new(all)
end

describe("an error", function()
  it("is one line with subject, code, status, words, facts and hint", function()
    assert.equal("ebs:FailoverDiskReplicaGroup NoSuchResource (404): The specified resource does "
      .. "not exist. [request_id=ABC outcome=rejected attempts=1] hint: ask the other region",
      tostring(example()))
  end)

  it("says no more than it knows", function()
    assert.equal("Client.Error: no message", tostring(errors.new {}))
  end)

  it("joins with text on either side", function()
    assert.equal("failed: Client.Error: x!", "failed: " .. errors.new { message = "x" } .. "!")
  end)

  it("matches code and kind by glob, and nothing by accident", function()
    local err = example { code = "Throttling.User", kind = "throttled" }
    assert.is_true(err:is("Throttling*"))
    assert.is_true(err:is("Nothing", "throttled"))
    assert.is_true(err:is("Throttling.User"))
    assert.is_false(err:is("Throttling"))
    assert.is_false(err:is("ThrottlingXUser"))
    assert.is_false(err:is("*.Api"))
    assert.is_false(err:is())
  end)

  it("treats every other character of a pattern as itself", function()
    for _, char in ipairs { "^", "$", "(", ")", "%", ".", "[", "]", "+", "-", "?" } do
      assert.is_true(example { code = "a" .. char .. "b" }:is("a" .. char .. "b"), char)
      assert.is_false(example { code = "ab", kind = "a_b" }:is("a" .. char .. "b"), char)
    end
  end)

  it("raises at the caller for a pattern that is not text", function()
    local ok, message = pcall(function() example():is({}) end)
    assert.is_false(ok)
    assert.matches("error_spec.lua:%d+: .*got a table", message)
  end)

  it("copies its fields, so that later changes of the source do not reach it", function()
    local source = { code = "A", message = "m" }
    local err = errors.new(source)
    source.code = "B"
    assert.equal("A", err.code)
  end)

  it("is told from other tables", function()
    assert.is_true(errors.is_error(example()))
    assert.is_false(errors.is_error({ code = "A", kind = "api" }))
    assert.is_false(errors.is_error(setmetatable({}, { __name = "alicloud.Error" })))
    assert.is_false(errors.is_error("text"))
    assert.is_false(errors.is_error(nil))
  end)

  it("locks its metatable", function()
    assert.equal("alicloud.Error", getmetatable(example()))
    assert.has_error(function() setmetatable(example(), {}) end)
  end)

  it("keeps control characters of the service off the terminal", function()
    local line = tostring(example { message = "a\27[2Jb\r\nc\0d\127e", hint = "\7" })
    assert.is_nil(line:find("%c"))
    assert.matches("a\\x1b%[2Jb\\nc\\x00d\\x7fe", line)
  end)

  it("masks a session token that the service echoes in the string to sign", function()
    for _, text in ipairs {
      "server string to sign is:POST&%2F&Format%3DJSON%26SecurityToken%3DCAIScanary%26Version",
      "string: a=b&SecurityToken=CAIScanary&c=d",
      "host:x\nx-acs-security-token:CAIScanary\nx-acs-version:1",
    } do
      local err = example { message = text, detail = text }
      assert.is_nil(tostring(err):find("CAIScanary", 1, true))
      assert.is_nil(err.message:find("CAIScanary", 1, true))
      assert.is_nil(err.detail:find("CAIScanary", 1, true))
    end
  end)

  it("masks an access key id in every spelling, but for the end that whoami shows", function()
    for _, id in ipairs { "LTAI5tCANARY00key1234", "STS.NTCANARYkey001234",
      "made-up_CANARY.1234" } do
      for _, text in ipairs {
        "server string to sign is:POST&%2F&AccessKeyId%3D" .. id .. "%26Action%3DX",
        "twice: POST&%252F&AccessKeyId%253D" .. id .. "%2526Action%253DX",
        "string: AccessKeyId=" .. id .. "&Action=X",
        "server CanonicalRequest is [POST\n/\n\nauthorization:ACS3-HMAC-SHA256 Credential="
          .. id .. ",SignedHeaders=host,Signature=00\nx-acs-accesskey-id:" .. id .. "\n]",
        'HTTP 200: {"Credentials":{"AccessKeyId": "' .. id .. '","Access',
        "access_key_id=" .. id,
      } do
        local err = example { message = text, detail = text }
        for _, shown in ipairs { err.message, err.detail, tostring(err) } do
          assert.is_nil(shown:find("CANARY", 1, true), shown)
          assert.is_truthy(shown:find("…1234", 1, true), shown)
        end
      end
    end
    for _, id in ipairs { "LTAI5tCANARY00key1234", "STS.NTCANARYkey001234" } do
      assert.equal("the key …1234 is unknown", errors.mask("the key " .. id .. " is unknown"))
    end
    for _, words in ipairs { "InvalidAccessKeyId.NotFound", "access_key_id: allowed: text",
      "MALTAIR", "LTAI" } do
      assert.equal(words, errors.mask(words))
    end
  end)

  it("masks what V3 repeats: the headers of the canonical request", function()
    local shown = errors.mask("server StringToSign is [ACS3-HMAC-SHA256\n00ff] server "
      .. "CanonicalRequest is [POST\n/\nRegionId=cn-shanghai\nhost:ebs\nx-acs-security-token:"
      .. "CANARY+/==\nx-acs-version:2021-07-30\n]")
    assert.is_nil(shown:find("CANARY", 1, true))
    assert.matches("x%-acs%-version:2021", shown)
  end)

  it("masks a session in the excerpt of an answer that was no use", function()
    local err = errors.new { kind = "decode", code = "Client.Malformed", message = "HTTP 200: "
      .. '{"Credentials":{"AccessKeySecret": "canary-one","SecurityToken":"canary+two","Access' }
    assert.is_nil(tostring(err):find("canary", 1, true))
    assert.matches('"SecurityToken":"%*%*%*","Access', err.message)
    err = errors.new { message = 'cut: "AccessKeySecret":"canary' }
    assert.is_nil(tostring(err):find("canary", 1, true))
  end)

  it("masks a token of any base64 text, to its end and no further, and every time", function()
    local once = "SecurityToken%3DTOKEN%252FCANARY%252Bx%253D%253D%26SignatureMethod%3DHMAC-SHA1"
    for _, text in ipairs {
      "server string to sign is:POST&%2F&Format%3DJSON%26" .. once,
      once .. " client: " .. once,
      once .. "%26" .. once,
      "SecurityToken%253DTOKEN%25252FCANARY%25252Bx%25253D%25253D%2526SignatureMethod",
      "SecurityToken%3dTOKEN%252FCANARY%252Bx%253D%253D",
      "SecurityToken=TOKEN%2FCANARY%2Bx%3D%3D&SignatureMethod=HMAC-SHA1",
      "x-acs-security-token:TOKEN/CANARY+x==\nSignatureMethod",
    } do
      local message = example { message = text }.message
      for _, part in ipairs { "TOKEN%", "CANARY", "253D%", "Bx" } do
        assert.is_nil(message:find(part, 1, true), message)
      end
      local _, before = text:gsub("SignatureMethod", "")
      local _, after = message:gsub("SignatureMethod", "")
      assert.equal(before, after, message)
    end
  end)

  it("cuts a message that would fill the screen", function()
    assert.is_true(#tostring(errors.new { message = ("x"):rep(100000) }) < 3000)
  end)
end)

describe("cleaning of text", function()
  it("leaves readable text alone, in any script", function()
    for _, text in ipairs { "plain", "ü – 云盘", "a\\n", "" } do
      assert.equal(text, errors.clean(text))
    end
  end)

  it("escapes C1 controls, separators and direction overrides in UTF-8", function()
    assert.equal("a\\xc2\\x9bb", errors.clean("a\u{9b}b"))
    assert.equal("a\\xe2\\x80\\xa8b", errors.clean("a\u{2028}b"))
    assert.equal("a\\xe2\\x80\\xaeb", errors.clean("a\u{202e}b"))
    assert.equal("a\\xe2\\x81\\xa6b", errors.clean("a\u{2066}b"))
  end)

  it("shows what nobody would see, and leaves alone what combines, and every script", function()
    for _, code in ipairs { 0xad, 0x34f, 0x61c, 0x115f, 0x180e, 0x200b, 0x200d, 0x200f, 0x2028,
      0x202a, 0x2060, 0x2064, 0x2069, 0x2800, 0x3164, 0xfe0f, 0xfeff, 0xffa0, 0xfff9, 0x1d173,
      0xe0001, 0xe0041, 0xe007f, 0xe0100 } do
      local text = errors.clean("a" .. utf8.char(code) .. "b")
      assert.matches("^a[\\xa-f%d]+b$", text)
      assert.is_true(errors.is_unseen(code))
    end
    for _, text in ipairs { "e\u{301}", "日本語 한국어 云盘", "العربية עברית", "हिन्दी", "a\u{a0}b",
      "✔ ⠋" } do
      assert.equal(text, errors.clean(text))
    end
  end)

  it("escapes each high byte of what is not UTF-8", function()
    assert.equal("a\\x9bb\\xff", errors.clean("a\x9bb\xff"))
  end)

  it("never lets a byte through that a terminal obeys, whatever the input", function()
    local random = require "spec.helper".generator(7)
    for _ = 1, 2000 do
      local bytes = {}
      for i = 1, 12 do bytes[i] = string.char(math.floor(random() * 256)) end
      local text = errors.clean(table.concat(bytes))
      assert.is_nil(text:find("%c"))
      assert.is_truthy(utf8.len(text))
      assert.is_nil(text:find("\xc2[\x80-\x9f]"))
    end
  end)
end)

describe("what others raise or return", function()
  it("is shown on one line of clean text, whatever it is", function()
    for _, case in ipairs(hostile) do
      local text = errors.text_of(case[2])
      assert.is_string(text, case[1])
      assert.is_nil(text:find "[%c]", case[1])
      assert.is_nil(text:find "0x%x%x%x", case[1])
      assert.truthy(utf8.len(text), case[1])
      assert.is_true(#text < 9000, case[1])
    end
  end)

  it("is shown by its own word where there is one", function()
    assert.equal("text", errors.text_of "text")
    assert.equal("7", errors.text_of(7))
    assert.equal("nil", errors.text_of(nil))
    assert.equal("a table", errors.text_of {})
    assert.equal("m", errors.text_of { message = "m" })
    assert.equal("said", errors.text_of(setmetatable({}, { __tostring = function()
      return "said"
    end })))
    assert.equal("a table that cannot be shown", errors.text_of(hostile[1][2]))
    assert.equal(tostring(example()), errors.text_of(example()))
    assert.equal("äää…", errors.text_of(("ä"):rep(9), 7))
  end)

  it("does not hide an interrupt", function()
    local ok, raised = pcall(errors.text_of, setmetatable({}, { __tostring = function()
      error("interrupted!", 0)
    end }))
    assert.same({ false, "interrupted!" }, { ok, raised })
  end)

  it("may be in any field of an error, which is shown nevertheless", function()
    for _, case in ipairs(hostile) do
      for _, field in ipairs { "kind", "code", "message", "detail", "status", "hint", "product",
        "action", "request_id", "outcome", "attempts" } do
        local err = example { [field] = case[2] }
        assert.is_string(err.kind)
        assert.is_string(err.code)
        assert.is_string(err.message)
        assert.is_string(tostring(err))
        assert.is_false(err:is "No.Such")
        err[field] = case[2]
        assert.is_string(tostring(err), field .. ": " .. case[1])
        assert.is_string(errors.text_of(err))
      end
    end
  end)
end)
