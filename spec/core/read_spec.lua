-- What core.read tells of an answer that is no success: its fields, the wait that it asks for, and
-- whose fault a refused signature is.
local core = require "alicloud.core"
local answers = require "spec.core.answers"

local ID, answer, api, api_body = answers.ID, answers.answer, answers.api, answers.api_body

describe("the error of an answer", function()
  it("carries every field of the error body", function()
    local _, fields = core.read(answer(403, core.encode { Code = "Forbidden.Action",
      Message = "no", RequestId = ID, HostId = "h", Recommend = "https://x.example",
      AccessDeniedDetail = { AuthAction = "ebs:X", PolicyType = 3, List = { 1, 2 } } }))
    assert.equal("h", fields.host_id)
    assert.equal("https://x.example", fields.recommend)
    assert.equal("ebs:X", fields.access_denied_detail.AuthAction)
    assert.equal(3, fields.access_denied_detail.PolicyType)
    assert.equal(ID, fields.request_id)
  end)

  it("reads the other spelling of the fields", function()
    local _, fields = core.read(answer(404,
      '{"code":"NoSuchResource","message":"m","requestId":"r","hostId":"h"}'))
    assert.same({ "NoSuchResource", "m", "r", "h", "rejected" },
      { fields.code, fields.message, fields.request_id, fields.host_id, fields.outcome })
  end)

  it("unescapes an XML error", function()
    local _, fields = core.read(answer(400, '<?xml version="1.0"?>\n<Error><RequestId>r</RequestId>'
      .. "<HostId>h</HostId><Code>MissingParameter</Code><Message>&lt;a&gt; &amp;amp; b</Message>"
      .. "<Recommend>x</Recommend></Error>"))
    assert.same({ "MissingParameter", "<a> &amp; b", "r", "h", "x", "rejected" },
      { fields.code, fields.message, fields.request_id, fields.host_id, fields.recommend,
        fields.outcome })
  end)

  it("reads numbers where their meaning is plain", function()
    local _, fields = core.read(answer(400, '{"code":400,"message":17,"RequestId":"r"}'))
    assert.same({ "400", "17", "rejected" }, { fields.code, fields.message, fields.outcome })
  end)

  it("loses no answer over a byte, and passes none on that is no text", function()
    local result = core.read(answer(200, '{"RequestId":"r","Name":"\xd5\xcb \\ud800 \\u0000"}'))
    assert.equal("\u{fffd}\u{fffd} \u{fffd} \u{fffd}", result.Name)
    for _, body in ipairs { '{"Code":"A\xff","Message":"\xd5\xcb\\u0000","RequestId":"r\xff"}',
      "<Error><Code>A\xff</Code><Message>\xd5\xcb\xff</Message><RequestId>r\xff</RequestId>"
      .. "</Error>" } do
      local _, fields = core.read(answer(400, body))
      assert.same({ "A\u{fffd}", "\u{fffd}\u{fffd}\u{fffd}", "r\u{fffd}", "rejected" },
        { fields.code, fields.message, fields.request_id, fields.outcome })
    end
    local _, fields = core.read { failure = "other", detail = "\xd5\xcb" }
    assert.equal("\u{fffd}\u{fffd}", fields.detail)
    _, fields = core.read(answer(502, "", { ["x-acs-request-id"] = "\xff" }))
    assert.equal("\u{fffd}", fields.request_id)
  end)

  it("keeps the beginning of a message that is too long, and whole characters of it", function()
    local max = 65536
    for _, letter in ipairs { "m", "é", "容", "😀" } do
      for _, size in ipairs { max - 1, max, max + 1, max + 2, max + 3, 200000, 900000 } do
        local text = ("x"):rep(size % 4) .. letter:rep(size // #letter)
        local _, fields = core.read(answer(403,
          '{"Code":"Forbidden","RequestId":"r","Message":"' .. text .. '"}'))
        assert.equal("rejected", fields.outcome)
        assert.truthy(utf8.len(fields.message))
        local kept = fields.message:gsub("…$", "")
        assert.equal(text:sub(1, #kept), kept)
        assert.equal(#text <= max, kept == text)
        assert.is_true(kept == text or #kept > max - 8)
        assert.is_true(#fields.message <= max)
        assert.equal(kept ~= text, fields.message ~= kept)
      end
    end
  end)

  it("keeps other fields whole, however long they are", function()
    local long = ("x"):rep(100000)
    local _, fields = core.read(answer(403, core.encode { Code = "C" .. long,
      RequestId = "r" .. long, HostId = "h" .. long, Recommend = "w" .. long }))
    assert.same({ "C" .. long, "r" .. long, "h" .. long, "w" .. long },
      { fields.code, fields.request_id, fields.host_id, fields.recommend })
  end)

  it("is read whatever numbers there are in it", function()
    local function outcome(number)
      local _, fields = core.read(answer(403, '{"Code":"C","RequestId":"r","n":' .. number .. "}"))
      return fields.outcome
    end
    assert.equal("rejected", outcome("-" .. ("9"):rep(62)))
    assert.equal("rejected", outcome("0." .. ("3"):rep(61)))
    assert.equal("unknown", outcome(("9"):rep(64)))
  end)

  it("shows a short excerpt of a foreign body without its control bytes", function()
    local _, fields = core.read(answer(502, "<html>\27[2J" .. ("y"):rep(5000)))
    assert.truthy(fields.message:find("<html>\\x1b[2J", 1, true))
    assert.is_nil(fields.message:find "%c")
    assert.is_true(#fields.message < 300)
  end)

  it("cleans what the transport says as well", function()
    local _, fields = core.read { failure = "tls", sent = false, detail = "subject \27]0;x\7" }
    assert.is_nil(fields.message:find "%c")
  end)
end)

describe("AccessDeniedDetail", function()
  local function detail(more)
    local _, fields = core.read(answer(403,
      '{"Code":"NoPermission","RequestId":"r"' .. more .. "}"))
    return fields.access_denied_detail
  end

  it("is a value, in both spellings", function()
    assert.same({ A = 1, B = "\u{fffd}" }, detail ',"AccessDeniedDetail":{"A":1,"B":"\\u0000"}')
    assert.same({ A = 1 }, detail ',"accessDeniedDetail":{"A":1}')
    assert.is_nil(detail "")
    assert.is_nil(detail ',"AccessDeniedDetail":null')
  end)

  it("is left out where a number cannot be told", function()
    assert.is_nil(detail ',"AccessDeniedDetail":{"A":1e999}')
  end)
end)

describe("the wait that a server asks for", function()
  local function wait(headers)
    local _, fields = core.read(api(429, "Throttling.User", headers))
    return fields.retry_after
  end

  it("is x-acs-retry-after, in milliseconds", function()
    assert.equal(1.5, wait { ["x-acs-retry-after"] = "1500" })
    assert.equal(60.0, wait { ["x-acs-retry-after"] = "60000" })
  end)

  it("is the larger TimeLeft of the rate-limit headers otherwise", function()
    assert.equal(0.9, wait { ["x-ratelimit-user-api"] = "Limit:40,Remain:0,TimeLeft:812",
      ["x-ratelimit-user"] = "TimeLeft:900,Remain:0" })
    local _, pending = core.read(api(403, "LastTokenProcessing",
      { ["x-acs-retry-after"] = "500" }))
    assert.equal(0.5, pending.retry_after)
    assert.equal(2.0, wait { ["x-acs-retry-after"] = "2000", ["x-ratelimit-user"] = "TimeLeft:9" })
  end)

  it("is absent where the header is no number", function()
    for _, value in ipairs { "soon", "-1", "1.5", "", "99999999999999999999", "Wed, 21 Oct" } do
      assert.is_nil(wait { ["x-acs-retry-after"] = value })
    end
  end)
end)

describe("SignatureDoesNotMatch", function()
  local signed = { string_to_sign = "ACS3-HMAC-SHA256\n" .. ("ab"):rep(32),
    canonical_request = "POST\n/\n\nhost:h\n\nhost\nhash" }

  local function verdict(message, ours)
    local _, fields = core.read(answer(403, api_body("SignatureDoesNotMatch", message)), ours)
    return fields.verdict
  end

  it("blames the secret when the server signed the same string", function()
    assert.equal("wrong secret", verdict("Specified signature is not matched with our calculation."
      .. " server string to sign is:" .. signed.string_to_sign, signed))
    assert.equal("wrong secret", verdict("string to sign: ACS3-HMAC-SHA256 " .. ("ab"):rep(32),
      signed))
    assert.equal("wrong secret", verdict("canonical request: " .. signed.canonical_request,
      signed))
  end)

  it("takes a string to sign of one line as well", function()
    local one = { string_to_sign = "GET&%2F&A%3D1" }
    assert.equal("wrong secret", verdict("string to sign is:GET&%2F&A%3D1", one))
    assert.equal("our canonical string differs", verdict("server string to sign is:GET&%2F&", one))
  end)

  it("blames our canonical string when the server's is another", function()
    assert.equal("our canonical string differs", verdict("server StringToSign is [x]", signed))
    assert.equal("our canonical string differs", verdict("server CanonicalRequest is [x]", signed))
    assert.equal("our canonical string differs",
      verdict("server string to sign is:ACS3-HMAC-SHA256\n" .. ("cd"):rep(32), signed))
  end)

  it("blames nobody without evidence", function()
    assert.is_nil(verdict("The signature does not match.", signed))
    assert.is_nil(verdict("server string to sign is:x", nil))
  end)
end)

describe("read", function()
  it("reads as much as it is told to", function()
    local large = answer(200, '{"RequestId":"r","A":"' .. ("x"):rep(2000000) .. '"}')
    assert.is_nil((core.read(large)))
    assert.is_table(core.read(large, { max_bytes = 4000000 }))
    assert.is_false(pcall(core.read, large, { maxbytes = 1 }))
  end)

  it("takes numbers for headers, and no status that is none", function()
    local _, fields = core.read { status = 503, headers = { ["x-acs-retry-after"] = 500 } }
    assert.equal(0.5, fields.retry_after)
    for _, status in ipairs { -1, 1000 } do
      fields = select(2, core.read { status = status, headers = {}, body = '{"RequestId":"r"}' })
      assert.equal("Client.Malformed", fields.code)
    end
  end)

  it("refuses an operation that is closed, and leaves it so that it can be closed", function()
    local transport = require "alicloud.transport".new { proxy = "none" }
    local kept
    do
      local op <close> = transport:submit { method = "POST", url = "http://127.0.0.1:1/" }
      while not op:done() do transport:wait(0.1) transport:step() end
      for _, options in ipairs { { bogus = 1 }, { max_bytes = 0 }, 7 } do
        assert.is_false(pcall(core.read, op, options))
      end
      assert.equal("not_sent", select(2, core.read(op)).outcome)
      kept = op
    end
    local ok, message = pcall(core.read, kept)
    assert.is_false(ok)
    assert.truthy(message:find("closed", 1, true))
    transport:close()
  end)

  it("survives headers and bodies of odd types", function()
    assert.is_nil((core.read { status = 200, headers = "x", body = "" }))
    assert.is_nil((core.read { status = "x", headers = { date = {} }, body = "" }))
    assert.is_nil((core.read { status = 2 ^ 53, body = "{}" }))
    assert.is_false(pcall(core.read, { status = 200, body = {} }))
    assert.is_false(pcall(core.read, "x"))
  end)
end)
