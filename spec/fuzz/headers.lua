-- The header block as our transport hands it over, beside a reader of lines written here.

local core = require "alicloud.core"
local support = require "spec.fuzz.support"

local check = support.check

-- The one value of each name; false where a name comes twice.
local function parse(block)
  local values = {}
  for line in (block .. "\n"):gmatch "([^\n]*)\n" do
    local name, value = line:match "^([^:]*):(.*)$"
    if name then
      name = name:lower()
      value = value:match "^[ \t\r]*(.-)[ \t\r]*$"
      values[name] = values[name] == nil and value
    end
  end
  return values
end

local function number(value)
  return value and #value <= 9 and value:find "^%d+$" and tonumber(value) / 1000 or 0
end

local function wish(headers)
  if number(headers["x-acs-retry-after"]) > 0 then return number(headers["x-acs-retry-after"]) end
  local longest = 0
  for _, name in ipairs { "x-ratelimit-user-api", "x-ratelimit-user" } do
    local left = headers[name] and headers[name]:match "TimeLeft:(%d*)"
    longest = math.max(longest, number(left))
  end
  return longest
end

return function(input)
  local status, block, body = support.split(input)
  if not status then return end
  local headers = parse(block)
  local outcome, fields = support.judge(op(status, block, body), { status = status, body = body })
  check(fields.date == (headers.date and core.http_date(headers.date) or nil), "date", block)
  local encoding = headers["content-encoding"]
  if encoding == false or encoding and encoding ~= "" and encoding:lower() ~= "identity" then
    check(outcome ~= "accepted", "an encoding was overlooked", block)
  end
  if outcome ~= "accepted" and not body:lower():find("requestid", 1, true) then
    local id = headers["x-acs-request-id"]
    if id and not id:find "[^ -~]" then
      check((fields.request_id or "") == id, "request id", block, fields)
    end
    if id == nil then check(fields.request_id == nil, "an id from nowhere", block, fields) end
  end
  if status == 429 and outcome ~= "accepted" then
    check((fields.retry_after or 0) == wish(headers), "the wish to wait", block, fields)
  end
  -- Headers tell whether and when to ask again, never what has happened.
  if not encoding and encoding ~= false then
    check(outcome == support.judge(op(status, "", body), { status = status, body = body }),
      "headers decide the outcome", block, body)
  end
end
