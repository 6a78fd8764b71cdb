-- An answer's bytes, as a peer may send them, through libcurl and our transport. The input is the
-- answer; a line "---" begins what is sent as the trailer fields of a chunked answer instead.

local socket = require "socket"
local support = require "spec.fuzz.support"
local transport = require "alicloud.transport"

local check = support.check

local listener = assert(socket.bind("127.0.0.1", 0))
listener:settimeout(0)
local _, port = listener:getsockname()
local peer

local function hang_up()
  if peer then peer:close() end
  peer = nil
end

-- Answers the one request, in two parts, and closes. True when that is done. Never waits: the
-- client is in the same thread.
local function serve(answer)
  if not peer then
    peer = listener:accept()
    if peer then peer:settimeout(0) end
    return false
  end
  local line, problem = peer:receive "*l"
  if problem == "timeout" or line and line ~= "" then return false end
  peer:send(answer:sub(1, #answer // 2))
  peer:send(answer:sub(#answer // 2 + 1))
  hang_up()
  return true
end

-- Sends it and judges what comes of it.
local function judge(answer)
  local client <close> = transport.new { connect_timeout = 5 }
  local op <close> = client:submit { method = "GET", headers = {}, timeout = 5, mutating = true,
    url = ("http://127.0.0.1:%d/"):format(port), plain_http = true }
  local answered
  while not op:done() do
    answered = answered or serve(answer)
    client:step()
  end
  hang_up()
  local result = op:result()
  check(result.sent, "it was sent", answer)
  local facts = { status = result.status or 0, failure = result.failure, sent = true,
    body = result.body or "" }
  local outcome, fields = support.judge(op, facts)
  return outcome, fields, facts
end

-- A whole answer in chunks, with that for trailer fields.
local function chunked(body, trailer)
  return ("HTTP/1.1 403 Forbidden\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n%s\r\n")
    :format(#body, body, trailer)
end

return function(input)
  local body, trailer = input:match "^(.-)\n%-%-%-\n(.*)$"
  if not body or body == "" then
    local outcome = judge(input)
    check(outcome ~= "accepted" or input:find "^HTTP/1%.[01] ", "whose answer is it", input)
    return
  end
  -- A trailer is never a header: without it, everything is the same.
  trailer = trailer:gsub("[^\n -~]", ""):gsub("^\n+", ""):gsub("\n+", "\r\n")
    :gsub("[^\n]$", "%0\r\n")
  local outcome, fields, facts = judge(chunked(body, trailer))
  if facts.failure then return end
  local expected, wanted = judge(chunked(body, ""))
  check(outcome == expected and support.same(fields, wanted), "a trailer counts", fields, wanted)
end
