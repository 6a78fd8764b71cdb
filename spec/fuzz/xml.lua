-- The XML errors of the gateway: what is quoted stands in the document, and only a whole document
-- proves anything. The input is "STATUS\n\n\nbody".

local support = require "spec.fuzz.support"

local check = support.check

local ENTITIES = { lt = "<", gt = ">", amp = "&", quot = '"', apos = "'" }

-- Whether an element of that name holds that text somewhere in the document.
local function holds(body, name, text)
  local open, close, from = "<" .. name .. "%s*>", "</" .. name .. "%s*>", 1
  while true do
    local _, start = body:find(open, from)
    local stop = start and body:find(close, start + 1)
    if not stop then return false end
    if body:sub(start + 1, stop - 1):gsub("&(%l+);", ENTITIES) == text then return true end
    from = start + 1
  end
end

return function(input)
  local status, head, body = support.split(input)
  if not status or not body:find "^[ \t\r\n]*<" then return end
  local facts = { status = status, body = body, headers = { date = head } }
  local outcome, fields = support.judge(facts, facts)
  check(outcome ~= "accepted", "XML is no success", body)
  -- What is no ASCII, and numbered characters, are not looked up here.
  if fields.kind == "api" and not body:find "[^\t-~]" and not body:find("&#", 1, true) then
    check(holds(body, "Code", fields.code), "Code", body, fields)
    for name, field in pairs { RequestId = "request_id", HostId = "host_id",
      Recommend = "recommend" } do
      check(fields[field] == nil or holds(body, name, fields[field]), field, body, fields)
    end
  end
  if outcome == "rejected" then
    local ends = body:match ".*()</Error%s*>"
    check(ends, "a document without its end", body)
    facts.body = body:sub(1, ends + 6)
    check(support.judge(facts, facts) == "unknown", "a part proves", facts)
  end
end
