-- The outcome classifier, row by row. An answer counts as accepted, rejected or not sent only
-- where that is proven; everything else is unknown.
local core = require "alicloud.core"
local ebs = require "alicloud.service.ebs"
local answers = require "spec.core.answers"

local ID, answer, api, api_body = answers.ID, answers.answer, answers.api, answers.api_body

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

describe("an error of the service in a status that it does not use", function()
  it("is not said to lack what it has", function()
    local _, failure = core.read(answer(302, '{"RequestId":"r","Code":"c"}'))
    assert.equal("unknown", failure.outcome)
    assert.matches("^HTTP 302 with an error, which the service sends with 4xx or 5xx: {",
      failure.message)
    _, failure = core.read(answer(302, '{"RequestId":"r"}'))
    assert.matches("^HTTP 302 with a JSON object that has no RequestId or Code", failure.message)
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
  { "no handshake with the proxy", { failure = "proxy_tls", sent = false }, "not_sent", "network",
    "Client.Proxy.TLS", "never" },
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
  { "200 with more nested than is read", answer(200, '{"RequestId":"a","X":'
    .. ("["):rep(2000) .. ("]"):rep(2000) .. "}"), "unknown", "limit", "Client.TooLarge", "never" },
  { "503 with more nested than is read", answer(503, '{"RequestId":"a","X":' .. ("["):rep(2000)),
    "unknown", "http", "Client.HttpStatus", "server" },
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
  { "IdempotentProcessing", api(403, "IdempotentProcessing"), "unknown", "api",
    "IdempotentProcessing", "pending" },
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

  it("has the words of a refusal whatever type and spelling they have", function()
    for _, row in ipairs {
      { '{"RequestId":"r","Code":404,"Message":5}', "404", "5" },
      { '\xef\xbb\xbf{"requestId":"r","code":"E","message":"m","Message":null}', "E", "m" },
      { '{"requestId":"r","code":404.0,"message":["m"]}', "404",
        '{"requestId":"r","code":404.0,"message":["m"]}' },
      { "<Error><Code>E</Code><RequestId>r</RequestId></Error>", "E",
        "<Error><Code>E</Code><RequestId>r</RequestId></Error>" },
    } do
      local _, fields = core.read(answer(400, row[1]))
      assert.same({ "rejected", "r", row[2], row[3] }, { fields.outcome, fields.request_id,
        fields.code, fields.message })
    end
  end)

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
end)
