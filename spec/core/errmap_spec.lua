-- The outcome classifier, row by row. An answer counts as accepted, rejected or not sent only
-- where that is proven; everything else is unknown.
local core = require "alicloud.core"
local ebs = require "alicloud.service.ebs"

local ID = "C123F94F-4E38-19AE-942A-A8D6F44F0000"

local function api_body(code, message)
  return core.encode { Code = code, Message = message or "text", RequestId = ID,
    HostId = "ebs.cn-shanghai.aliyuncs.com", Recommend = "https://example.com/diagnose" }
end

local function answer(status, body, headers)
  return { status = status, headers = headers or {}, body = body }
end

local function api(status, code, headers)
  return answer(status, api_body(code), headers)
end

describe("an accepted call", function()
  it("is a complete 2xx JSON object with a RequestId", function()
    local result, info = core.read(answer(200, '{"RequestId":"' .. ID .. '","Total":3}',
      { date = "Sun, 06 Nov 1994 08:49:37 GMT" }))
    assert.same({ RequestId = ID, Total = 3 }, result)
    assert.same({ status = 200, request_id = ID, date = 784111777, body_bytes = 62 }, info)
  end)

  it("may spell its request id the new way, and use any 2xx status", function()
    assert.is_table(core.read(answer(200, '{"requestId":"r"}')))
    assert.is_table(core.read(answer(202, '{"RequestId":"r"}')))
    assert.is_table(core.read(answer(200, '{"RequestId":"r"}',
      { ["content-encoding"] = "identity" })))
  end)

  it("has an id of whatever text", function()
    local function id_in(body) return select(2, core.read(answer(200, body))).request_id end
    assert.equal("1234", id_in '{"RequestId":"1234"}')
    assert.equal("-12", id_in ' {"requestId":"-12","A":[]}')
    assert.equal('a"', id_in [[{"RequestId":"a\u0022"}]])
    assert.equal("b", id_in '{"requestId":"b","RequestId":7}')
  end)
end)

-- { what, exchange, outcome, kind, code, retry class }
local ROWS = {
  -- Below HTTP: whether a byte left decides.
  { "refused connection", { failure = "connect", sent = false }, "not_sent", "network",
    "Client.Connect", "transport" },
  { "unresolved name", { failure = "resolve", sent = false }, "not_sent", "network",
    "Client.Resolve", "transport" },
  { "proxy that fails", { failure = "proxy", sent = false }, "not_sent", "network",
    "Client.Proxy", "transport" },
  { "proxy that refuses", { failure = "proxy_refused", sent = false }, "not_sent", "network",
    "Client.Proxy.Refused", "never" },
  { "no handshake", { failure = "tls", sent = false }, "not_sent", "tls", "Client.TLS", "never" },
  { "expired certificate", { failure = "tls_expired", sent = false }, "not_sent", "tls",
    "Client.TLS.Expired", "never" },
  { "future certificate", { failure = "tls_not_yet_valid", sent = false }, "not_sent", "tls",
    "Client.TLS.NotYetValid", "never" },
  { "untrusted certificate", { failure = "tls_untrusted", sent = false }, "not_sent", "tls",
    "Client.TLS.Untrusted", "never" },
  { "another's certificate", { failure = "tls_wrong_host", sent = false }, "not_sent", "tls",
    "Client.TLS.WrongHost", "never" },
  { "connect timeout", { failure = "timeout", sent = false }, "not_sent", "timeout",
    "Client.Timeout", "transport" },
  { "timeout after sending", { failure = "timeout", sent = true }, "unknown", "timeout",
    "Client.Timeout", "transport" },
  { "reset after sending", { failure = "receive", sent = true }, "unknown", "network",
    "Client.Receive", "transport" },
  { "cut while sending", { failure = "send", sent = true }, "unknown", "network", "Client.Send",
    "transport" },
  { "close without an answer", { failure = "closed", sent = true }, "unknown", "network",
    "Client.Closed", "transport" },
  { "close with a complete-looking body",
    { failure = "closed", sent = true, status = 200, body = '{"RequestId":"r"}' }, "unknown",
    "network", "Client.Closed", "transport" },
  { "garbage instead of HTTP", { failure = "malformed", sent = true }, "unknown", "decode",
    "Client.Malformed", "transport" },
  { "endless body", { failure = "too_large", sent = true }, "unknown", "limit",
    "Client.TooLarge", "never" },
  { "cancel before sending", { failure = "cancelled", sent = false }, "not_sent", "cancelled",
    "Client.Cancelled", "never" },
  { "cancel after sending", { failure = "cancelled", sent = true }, "unknown", "cancelled",
    "Client.Cancelled", "never" },
  { "observe mode", { failure = "refused", sent = false }, "not_sent", "cancelled",
    "Client.ObserveMode", "never" },
  { "failure of an unknown name", { failure = "gremlins", sent = false }, "not_sent", "network",
    "Client.Transport", "transport" },
  { "failure without a word about sending", { failure = "other" }, "unknown", "network",
    "Client.Transport", "transport" },
  { "sent = nil, which is doubt", { failure = "connect" }, "unknown", "network",
    "Client.Connect", "transport" },
  { "exchange without status or failure", {}, "unknown", "decode", "Client.Malformed",
    "transport" },
  -- 2xx that proves nothing.
  { "200 with an empty body", answer(200, ""), "unknown", "decode", "Client.Malformed",
    "transport" },
  { "200 cut inside the object", answer(200, '{"RequestId":"' .. ID), "unknown", "decode",
    "Client.Malformed", "transport" },
  { "200 without RequestId", answer(200, "{}"), "unknown", "decode", "Client.Malformed",
    "transport" },
  { "200 with an empty RequestId", answer(200, '{"RequestId":""}'), "unknown", "decode",
    "Client.Malformed", "transport" },
  { "200 with a RequestId that is no string", answer(200, '{"RequestId":7}'), "unknown",
    "decode", "Client.Malformed", "transport" },
  { "200 with a RequestId of more digits than a number has",
    answer(200, '{"RequestId":' .. ("7"):rep(40) .. "}"), "unknown", "decode", "Client.Malformed",
    "transport" },
  { "200 with RequestId in other letter case", answer(200, '{"requestid":"r"}'), "unknown",
    "decode", "Client.Malformed", "transport" },
  { "200 with RequestId in the header only",
    answer(200, "{}", { ["x-acs-request-id"] = ID }), "unknown", "decode", "Client.Malformed",
    "transport" },
  { "200 with a RequestId of blanks", answer(200, [[{"RequestId":" \t\u007f"}]]), "unknown",
    "decode", "Client.Malformed", "transport" },
  { "200 with two RequestIds", answer(200, '{"RequestId":"a","RequestId":"b"}'), "unknown",
    "decode", "Client.Malformed", "transport" },
  { "200 with a duplicate key deep inside", answer(200, '{"RequestId":"a","G":{"S":1,"S":2}}'),
    "unknown", "decode", "Client.Malformed", "transport" },
  { "200 with trailing garbage", answer(200, '{"RequestId":"a"}x'), "unknown", "decode",
    "Client.Malformed", "transport" },
  { "200 with HTML of a captive portal", answer(200, "<html>pay here</html>"), "unknown",
    "decode", "Client.Malformed", "transport" },
  { "200 with a JSON array", answer(200, '[{"RequestId":"a"}]'), "unknown", "decode",
    "Client.Malformed", "transport" },
  { "200 in an encoding that was not asked for",
    answer(200, '{"RequestId":"a"}', { ["content-encoding"] = "gzip" }), "unknown", "decode",
    "Client.Malformed", "transport" },
  { "204", answer(204, ""), "unknown", "decode", "Client.Malformed", "transport" },
  -- Neither success nor error.
  { "302 to another host", answer(302, "", { location = "https://evil.example/" }), "unknown",
    "http", "Client.HttpStatus", "never" },
  { "302 with a RequestId", answer(302, '{"RequestId":"a"}'), "unknown", "http",
    "Client.HttpStatus", "never" },
  { "999", answer(999, '{"RequestId":"a"}'), "unknown", "http", "Client.HttpStatus", "never" },
  { "100 as the last word", answer(100, ""), "unknown", "http", "Client.HttpStatus", "never" },
  -- 4xx: rejected needs Code and RequestId in JSON.
  { "403 of the service", api(403, "OperationDenied.InvalidStatus"), "rejected", "api",
    "OperationDenied.InvalidStatus", "never" },
  { "404 of the service", api(404, "NoSuchResource"), "rejected", "api", "NoSuchResource",
    "never" },
  { "403 with HTML", answer(403, "<html>proxy</html>"), "unknown", "http",
    "Client.HttpStatus", "never" },
  { "403 without RequestId", answer(403, '{"Code":"Forbidden"}'), "unknown", "api", "Forbidden",
    "never" },
  { "403 without Code", answer(403, '{"RequestId":"r"}'), "unknown", "http",
    "Client.HttpStatus", "never" },
  { "403 with a number as Code", answer(403, '{"Code":1,"RequestId":"r"}'), "rejected", "api",
    "1", "never" },
  { "403 with a Code that is no word", answer(403, '{"Code":true,"RequestId":"r"}'), "unknown",
    "http", "Client.HttpStatus", "never" },
  { "403 with a Code of blanks", answer(403, '{"Code":" \\n","RequestId":"r"}'), "unknown", "http",
    "Client.HttpStatus", "never" },
  { "403 with a RequestId of blanks", answer(403, '{"Code":"Forbidden","RequestId":" "}'),
    "unknown", "api", "Forbidden", "never" },
  { "403 with a number as RequestId", answer(403, '{"Code":"Forbidden","RequestId":7}'),
    "unknown", "api", "Forbidden", "never" },
  { "403 with two Codes", answer(403, '{"Code":"A","Code":"B","RequestId":"r"}'), "unknown",
    "http", "Client.HttpStatus", "never" },
  { "403 with another name given twice",
    answer(403, '{"Code":"A","RequestId":"r","x":{"a":1,"a":2}}'), "unknown", "http",
    "Client.HttpStatus", "never" },
  { "403 with a byte order mark", answer(403, '\xef\xbb\xbf{"Code":"Forbidden","RequestId":"r"}'),
    "rejected", "api", "Forbidden", "never" },
  { "403 in XML", answer(403, "<Error><RequestId>x</RequestId><Code>Forbidden</Code></Error>"),
    "rejected", "api", "Forbidden", "never" },
  { "403 in XML that is cut", answer(403, "<Error><RequestId>x</RequestId><Code>Forbidden</Code>"),
    "unknown", "http", "Client.HttpStatus", "never" },
  { "403 in XML with two Codes", answer(403, "<Error><RequestId>x</RequestId><Code>A</Code>"
    .. "<Code>B</Code></Error>"), "unknown", "http", "Client.HttpStatus", "never" },
  { "403 with what the service would say, compressed by somebody",
    answer(403, '{"Code":"Forbidden","RequestId":"r"}', { ["content-encoding"] = "br" }),
    "unknown", "api", "Forbidden", "never" },
  { "409 of the service", api(409, "Conflict"), "rejected", "api", "Conflict", "never" },
  { "408 with a code of no rule", api(408, "Odd"), "unknown", "api", "Odd", "transport" },
  { "499 with a code of no rule", api(499, "Odd"), "unknown", "api", "Odd", "transport" },
  { "408 of a box that asks to wait", answer(408, "", { ["x-acs-retry-after"] = "100" }),
    "unknown", "throttled", "Client.HttpStatus", "throttle" },
  { "409 of a box that asks to wait", answer(409, '{"x":1}', { ["x-acs-retry-after"] = "100" }),
    "unknown", "throttled", "Client.HttpStatus", "throttle" },
  { "499 of a box that asks to wait", answer(499, "<html>", { ["x-acs-retry-after"] = "100" }),
    "unknown", "throttled", "Client.HttpStatus", "throttle" },
  { "answer to what never left",
    { sent = false, status = 200, headers = {}, body = '{"RequestId":"r"}' }, "unknown", "decode",
    "Client.Malformed", "transport" },
  { "408 of a proxy", answer(408, ""), "unknown", "http", "Client.HttpStatus", "transport" },
  { "407 of a proxy", answer(407, ""), "unknown", "http", "Client.HttpStatus", "never" },
  -- 5xx: never a proof, well-formed or not.
  { "500 InternalError", api(500, "InternalError"), "unknown", "api", "InternalError", "server" },
  { "502 without body", answer(502, ""), "unknown", "http", "Client.HttpStatus", "server" },
  { "503 ServiceUnavailable", api(503, "ServiceUnavailable"), "unknown", "api",
    "ServiceUnavailable", "server" },
  { "504 RequestTimeout", api(504, "RequestTimeout"), "unknown", "api", "RequestTimeout",
    "server" },
  { "504 with HTML", answer(504, "<html>504</html>"), "unknown", "http", "Client.HttpStatus",
    "server" },
  { "500 with a code of no rule", api(500, "Whatever"), "unknown", "api", "Whatever", "server" },
  { "503 with a wait", api(503, "ServiceUnavailable", { ["x-acs-retry-after"] = "1500" }),
    "unknown", "throttled", "ServiceUnavailable", "throttle" },
  -- Throttling by code, status and header.
  { "400 Throttling", api(400, "Throttling"), "rejected", "throttled", "Throttling", "throttle" },
  { "400 Throttling.User", api(400, "Throttling.User"), "rejected", "throttled",
    "Throttling.User", "throttle" },
  { "429 BLOCK.LimitedRquest", api(429, "BLOCK.LimitedRquest"), "rejected", "throttled",
    "BLOCK.LimitedRquest", "throttle" },
  { "429 BLOCK.LimitedRequest", api(429, "BLOCK.LimitedRequest"), "rejected", "throttled",
    "BLOCK.LimitedRequest", "throttle" },
  { "Rejected.Throttling", api(400, "Rejected.Throttling"), "rejected", "throttled",
    "Rejected.Throttling", "throttle" },
  { "429 without a body", answer(429, ""), "unknown", "throttled", "Client.HttpStatus",
    "throttle" },
  { "429 without a RequestId", answer(429, '{"Code":"Throttling"}'), "unknown", "throttled",
    "Throttling", "throttle" },
  { "400 with x-acs-retry-after", api(400, "Odd", { ["x-acs-retry-after"] = "10" }), "rejected",
    "throttled", "Odd", "throttle" },
  { "400 with a retry-after of 0", api(400, "Odd", { ["x-acs-retry-after"] = "0" }), "rejected",
    "api", "Odd", "never" },
  -- Codes that mean more than their status.
  { "LastTokenProcessing", api(403, "LastTokenProcessing"), "unknown", "api",
    "LastTokenProcessing", "pending" },
  { "OperationConflict", api(409, "OperationConflict"), "rejected", "api", "OperationConflict",
    "pending" },
  { "SignatureNonceUsed", api(400, "SignatureNonceUsed"), "unknown", "api",
    "SignatureNonceUsed", "nonce" },
  { "InvalidTimeStamp.Expired", api(400, "InvalidTimeStamp.Expired"), "rejected", "api",
    "InvalidTimeStamp.Expired", "clock" },
  { "IllegalTimestamp", api(400, "IllegalTimestamp"), "rejected", "api", "IllegalTimestamp",
    "clock" },
  { "InvalidSecurityToken.Expired", api(403, "InvalidSecurityToken.Expired"), "rejected", "api",
    "InvalidSecurityToken.Expired", "credentials" },
  { "InvalidSecurityToken.Malformed", api(400, "InvalidSecurityToken.Malformed"), "rejected",
    "api", "InvalidSecurityToken.Malformed", "credentials" },
  { "IdempotentParameterMismatch", api(400, "IdempotentParameterMismatch"), "rejected", "api",
    "IdempotentParameterMismatch", "never" },
  { "400 UnknownError", api(400, "UnknownError"), "unknown", "api", "UnknownError", "server" },
  { "408 RequestTimeout", api(408, "RequestTimeout"), "unknown", "api", "RequestTimeout",
    "server" },
  { "400 InternalError", api(400, "InternalError"), "unknown", "api", "InternalError",
    "server" },
  { "LastTokenProcessing with a wait",
    api(403, "LastTokenProcessing", { ["x-acs-retry-after"] = "500" }), "unknown", "api",
    "LastTokenProcessing", "pending" },
  { "SignatureNonceUsed as 429", api(429, "SignatureNonceUsed"), "unknown", "api",
    "SignatureNonceUsed", "nonce" },
  { "408 RequestTimeout with a wait",
    api(408, "RequestTimeout", { ["x-acs-retry-after"] = "500" }), "unknown", "throttled",
    "RequestTimeout", "throttle" },
  { "InvalidAccessKeyId.NotFound", api(404, "InvalidAccessKeyId.NotFound"), "rejected", "api",
    "InvalidAccessKeyId.NotFound", "never" },
  { "IncompleteSignature", api(400, "IncompleteSignature"), "rejected", "api",
    "IncompleteSignature", "never" },
}

describe("a call that was not accepted", function()
  for _, row in ipairs(ROWS) do
    local what, exchange, outcome, kind, code, class = table.unpack(row)
    it(("is %s after: %s"):format(outcome, what), function()
      local result, fields = core.read(exchange)
      assert.is_nil(result)
      assert.same({ outcome, kind, code, class, class ~= "never" }, { fields.outcome,
        fields.kind, fields.code, fields.retry_class, fields.retryable })
      assert.is_string(fields.message)
    end)
  end

  it("is never accepted, whatever a 5xx says", function()
    for status = 500, 599 do
      local result, fields = core.read(answer(status, '{"RequestId":"r"}'))
      assert.is_nil(result)
      assert.equal("unknown", fields.outcome)
    end
  end)

  it("is unknown at every cut of a good answer, headers kept", function()
    local body = '{"RequestId":"' .. ID .. '"}'
    for n = 0, #body - 1 do
      local result, fields = core.read(answer(200, body:sub(1, n),
        { ["x-acs-request-id"] = ID }))
      assert.is_nil(result)
      assert.equal("unknown", fields.outcome)
      assert.equal(ID, fields.request_id)
    end
  end)

  local failover_errors = ebs.operations.FailoverDiskReplicaGroup.errors

  it("is described for the thirteen documented codes of the failover", function()
    assert.equal(13, #failover_errors)
  end)

  for _, code in ipairs(failover_errors) do
    it("keeps the documented code verbatim: " .. code, function()
      local documented = ebs.errors[code]
      local _, fields = core.read(answer(documented.status, api_body(code, documented.message)))
      assert.equal(code, fields.code)
      assert.equal(documented.message, fields.message)
      assert.equal(documented.status >= 500 and "unknown" or "rejected", fields.outcome)
    end)
  end

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
      _, fields = core.read { status = status, headers = {}, body = '{"RequestId":"r"}' }
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
