-- Error mapping: an exchange as a table, as other transports give it. The input is
-- "STATUS FAILURE SENT\nheader lines\n\nbody"; "-" is no failure, "no" is not sent.

local core = require "alicloud.core"
local support = require "spec.fuzz.support"

local check = support.check

return function(input)
  local status, head, body = support.split(input)
  if not status then return end
  local failure, sent = input:match "^%d+ ([%w_]+) ?([^\n]*)\n"
  local headers = {}
  for name, value in head:gmatch "([%w-]+): ([^\n]*)" do headers[name:lower()] = value end
  local exchange = { status = status, headers = headers, body = body, failure = failure,
    sent = sent ~= "no", detail = head }
  local outcome, fields = support.judge(exchange, exchange)

  -- The same from a table that a later transport filled with more, and with less.
  exchange.headers = nil
  if not headers["content-encoding"] then
    check(outcome == support.judge(exchange, exchange), "headers decide the outcome", exchange)
  end

  -- A part of a proof proves nothing.
  local proven = outcome == "accepted" or outcome == "rejected"
  if proven and body:find "^[ \t\r\n]*{" then
    exchange.body = body:match "^(.*)[^ \t\r\n][ \t\r\n]*$"
    check(support.judge(exchange, exchange) == "unknown", "a part proves", exchange)
  end

  -- A failure below HTTP overrules whatever had arrived.
  exchange.body, exchange.failure, exchange.sent = body, "closed", true
  check(support.judge(exchange, exchange) == "unknown", "a cut answer proves", exchange)

  -- What the server says that it would have signed is only looked for.
  local message = fields.message or ""
  local _, judged = core.read({ status = status, body = body },
    { string_to_sign = message:sub(1, 40) .. "\n" .. message, canonical_request = message })
  check(judged.verdict == nil or type(judged.verdict) == "string", "verdict", judged)
end
