-- What may be said of an effect, over the whole product of what an exchange can be. The core has a
-- table of rules of which the first that fits decides; here stands what is right, as conditions
-- that do not depend on an order. Where the two disagree one of them is wrong.
local core = require "alicloud.core"

local NONE = {}

-- A failure below HTTP by its name; NONE is a complete answer.
local FAILURES = { NONE, "resolve", "connect", "proxy", "proxy_refused", "proxy_tls", "send",
  "receive", "closed", "timeout", "too_late", "malformed", "tls", "tls_expired",
  "tls_not_yet_valid",
  "tls_untrusted", "tls_wrong_host", "too_large", "request_too_large", "cancelled", "refused",
  "other", "nobody's word" }

local STATUSES = { 0, 100, 200, 201, 204, 206, 299, 300, 301, 304, 399, 400, 401, 403, 404, 407,
  408, 409, 410, 415, 422, 429, 451, 498, 499, 500, 501, 502, 503, 504, 599, 600, 999 }

local function json(text) return { text = text, form = "json" } end

-- `id` and `code` are what a careful person reads in a complete document; `form` is nil where there
-- is none.
local BODIES = {
  empty = { text = "" },
  blank = { text = " \r\n" },
  html = { text = "<html>Code RequestId</html>" },
  text = { text = "Code: x RequestId: y" },
  array = { text = '[{"Code":"Denied","RequestId":"r"}]' },
  string = { text = '"RequestId"' },
  cut = { text = '{"Code":"Denied","RequestId":"r"' },
  garbage_behind = { text = '{"Code":"Denied","RequestId":"r"}}' },
  two_codes = { text = '{"Code":"Denied","Code":"Denied","RequestId":"r"}' },
  two_ids = { text = '{"Code":"Denied","RequestId":"r","RequestId":"r"}' },
  two_of_another = { text = '{"Code":"Denied","RequestId":"r","x":[{"y":1,"y":1}]}' },
  nothing = json '{}',
  id = json '{"RequestId":"r"}',
  id_lower = json '{"requestId":"r"}',
  id_mixed = json '{"requestID":"r","request_id":"r","REQUESTID":"r","Code":"Denied"}',
  id_number = json '{"RequestId":12}',
  id_number_of_an_error = json '{"RequestId":12,"Code":"Denied"}',
  id_of_digits = json '{"RequestId":"12"}',
  id_long_number = json('{"RequestId":' .. ("7"):rep(40) .. "}"),
  id_empty = json '{"RequestId":"","Code":"Denied"}',
  id_blank = json '{"RequestId":" \\t","Code":"Denied"}',
  id_null = json '{"RequestId":null,"Code":"Denied"}',
  id_deep = json '{"Error":{"RequestId":"r","Code":"Denied"}}',
  code = json '{"Code":"Denied"}',
  code_empty = json '{"RequestId":"r","Code":""}',
  code_blank = json '{"RequestId":"r","Code":"  "}',
  code_null = json '{"RequestId":"r","Code":null}',
  code_true = json '{"RequestId":"r","Code":true}',
  code_fraction = json '{"RequestId":"r","Code":4.5}',
  denied = json '{"RequestId":"r","Code":"Denied"}',
  denied_mark = json '\xef\xbb\xbf{"RequestId":"r","Code":"Denied"}',
  denied_lower = json '{"requestId":"r","code":"Denied"}',
  denied_number = json '{"RequestId":"r","Code":400}',
  denied_bytes = json '{"RequestId":"r\xff","Code":"Denied\\u0000","Message":"\xd5\xcb"}',
  throttling = json '{"RequestId":"r","Code":"Throttling.User"}',
  throttling_nobody = json '{"Code":"Throttling.User"}',
  blocked = json '{"RequestId":"r","Code":"BLOCK.LimitedRquest"}',
  internal = json '{"RequestId":"r","Code":"InternalError"}',
  invoke = json '{"RequestId":"r","Code":"InternalInvokeError"}',
  unavailable = json '{"RequestId":"r","Code":"ServiceUnavailable.Now"}',
  timed_out = json '{"RequestId":"r","code":"RequestTimeout"}',
  unknown_error = json '{"RequestId":"r","Code":"UnknownError"}',
  processing = json '{"RequestId":"r","Code":"LastTokenProcessing"}',
  nonce = json '{"RequestId":"r","Code":"SignatureNonceUsed"}',
  xml = { text = "<?xml version='1.0'?><Error><Code>Denied</Code><RequestId>r</RequestId></Error>",
    form = "xml" },
  xml_internal = { text = "<Error><RequestId>r</RequestId><Code>Internal&#x45;rror</Code></Error>",
    form = "xml" },
  xml_without_id = { text = "<Error><Code>Denied</Code></Error>", form = "xml" },
  xml_blank_id = { text = "<Error><Code>Denied</Code><RequestId> </RequestId></Error>",
    form = "xml" },
  xml_cut = { text = "<Error><Code>Denied</Code><RequestId>r</RequestId>" },
  xml_behind = { text = "<Error><Code>Denied</Code><RequestId>r</RequestId></Error><x/>" },
  xml_twice = { text = "<Error><Code>a</Code><Code>Denied</Code><RequestId>r</RequestId></Error>" },
  xml_success = { text = "<XResponse><Code>Denied</Code><RequestId>r</RequestId></XResponse>" },
  xml_deep = { text = "<Error><X><Code>Denied</Code><RequestId>r</RequestId></X></Error>" },
}

-- What is in the bodies, each named once: those with an id that is text, and with a code.
local WITH_ID, CODES = {}, {}
for name in ([[ id id_lower id_of_digits code_empty code_blank code_null code_true code_fraction
  denied denied_mark denied_lower denied_number denied_bytes throttling blocked internal invoke
  unavailable timed_out unknown_error processing nonce xml xml_internal ]]):gmatch "%S+" do
  WITH_ID[name] = true
end
for name in ([[ id_mixed id_number_of_an_error id_empty id_blank id_null code denied denied_mark
  denied_lower denied_number denied_bytes throttling throttling_nobody blocked xml xml_without_id
  xml_blank_id ]]):gmatch "%S+" do
  CODES[name] = "proves"
end
for name in ([[ internal invoke unavailable timed_out unknown_error processing nonce
  xml_internal ]]):gmatch "%S+" do
  CODES[name] = "leaves doubt"
end

local HEADERS = {
  none = {},
  date = { date = "Sun, 06 Nov 1994 08:49:37 GMT" },
  wait = { ["x-acs-retry-after"] = "500" },
  no_wait = { ["x-acs-retry-after"] = "soon" },
  quota = { ["x-ratelimit-user-api"] = "Limit:40,Remain:0,TimeLeft:812" },
  id = { ["x-acs-request-id"] = "r" },
  plain = { ["content-encoding"] = "Identity" },
  compressed = { ["content-encoding"] = "gzip" },
}

local function is_among(status, low, high) return status >= low and status <= high end

-- What is right. No two of the first three can hold at once.
local function right(sent, failure, status, name, headers)
  local body, encoding = BODIES[name], headers["content-encoding"]
  local answered = failure == NONE and status ~= 0 and sent ~= false
    and (encoding == nil or encoding == "Identity")
  local of_service = body.form and WITH_ID[name]
  if answered and is_among(status, 200, 299) and of_service and body.form == "json" then
    return "accepted"
  end
  if answered and is_among(status, 400, 499) and status ~= 408 and status ~= 499 and of_service
    and CODES[name] == "proves" then
    return "rejected"
  end
  -- Without a status there is no answer, whatever the transport calls it.
  if sent == false and (failure ~= NONE or status == 0) then return "not_sent" end
  return "unknown"
end

-- `nil` and what is no boolean are doubt: something may have been sent.
local SENT = { true, false, NONE, "no" }

local function exchange(sent, failure, status, name, headers)
  local made = { status = status, headers = headers, body = BODIES[name].text }
  if sent ~= NONE then made.sent = sent end
  if failure ~= NONE then made.failure = failure end
  return made
end

local function judged(...)
  local result, fields = core.read(exchange(...))
  return result and "accepted" or fields.outcome, fields
end

-- After a failure one body of each shape is enough: nothing is read from it.
local SHAPES = { empty = "", html = "", array = "", cut = "", two_ids = "", nothing = "", id = "",
  code = "", denied = "", throttling = "", internal = "", xml = "" }

local function each(sent, failures, visit)
  for _, failure in ipairs(failures) do
    for _, status in ipairs(STATUSES) do
      for name in pairs(failure == NONE and BODIES or SHAPES) do
        for title, headers in pairs(HEADERS) do
          visit(sent, failure, status, name, headers, title)
        end
      end
    end
  end
end

local function show(sent, failure, status, name, title)
  return ("sent %s, failure %s, status %d, body %s, headers %s"):format(
    sent == NONE and "not told" or tostring(sent), failure == NONE and "none" or failure, status,
    name, title)
end

describe("the verdict", function()
  for _, sent in ipairs(SENT) do
    it("is what is right: sent " .. (sent == NONE and "not told" or tostring(sent)), function()
      local wrong, seen = {}, {}
      each(sent, FAILURES, function(_, failure, status, name, headers, title)
        local outcome = judged(sent, failure, status, name, headers)
        seen[outcome] = true
        local expected = right(sent, failure, status, name, headers)
        if outcome ~= expected and #wrong < 5 then
          wrong[#wrong + 1] = ("%s: %s, expected %s"):format(
            show(sent, failure, status, name, title), outcome, expected)
        end
      end)
      assert.same({}, wrong)
      assert.is_true(seen.unknown)
      assert.equal(sent == false, seen.not_sent == true)
      assert.equal(sent ~= false, seen.accepted == true and seen.rejected == true)
    end)
  end

  it("is the same whatever the headers ask for", function()
    local at_ease = {}
    each(true, { NONE }, function(sent, failure, status, name, headers, title)
      if title == "compressed" then return end
      local key = status .. name
      local outcome = judged(sent, failure, status, name, headers)
      assert.equal(at_ease[key] or outcome, outcome, show(sent, failure, status, name, title))
      at_ease[key] = outcome
    end)
  end)

  it("comes with another attempt where the service asks for one, and when", function()
    for _, status in ipairs { 400, 403, 408, 409, 429, 499, 500, 503 } do
      for name in pairs(BODIES) do
        local _, fields = judged(true, NONE, status, name, HEADERS.wait)
        assert.is_true(fields.retryable)
        assert.equal(0.5, fields.retry_after)
        local own = name == "processing" and "pending" or name == "nonce" and "nonce"
        assert.equal(own or "throttle", fields.retry_class)
        _, fields = judged(true, NONE, status, name, HEADERS.no_wait)
        assert.is_nil(fields.retry_after)
      end
    end
    local _, fields = judged(true, NONE, 429, "empty", HEADERS.quota)
    assert.same({ "unknown", "throttle", 0.812 },
      { fields.outcome, fields.retry_class, fields.retry_after })
  end)
end)
