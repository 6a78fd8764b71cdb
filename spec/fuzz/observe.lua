-- Which requests a transport that observes lets through, beside a rule of its own. An input is a
-- query, header fields, an empty line and a body.

local core = require "alicloud.core"
local transport = require "alicloud.transport"
local support = require "spec.fuzz.support"

local READS = core.actions { "2021-07-30 DescribeRegions", "2014-05-26 DescribeDisks" }
local KNOWN = { ["2021-07-30 DescribeRegions"] = true, ["2014-05-26 DescribeDisks"] = true }

local observer = transport.new { observe = true, reads = READS, proxy = "none" }

local function decode(name)
  return (name:gsub("%%(%x%x)", function(digits) return string.char(tonumber(digits, 16)) end))
end

local function take_parameters(said, text)
  for part in text:gmatch "[^&;]+" do
    local name, value = part:match "^([^=]*)=?(.*)$"
    name = decode(name):lower()
    if said[name] then said[name][value] = true end
  end
end

local function only(values)
  local value = next(values)
  return next(values, value) == nil and value or nil
end

return function(input)
  local query, head, body = input:match "^([^\n]*)\n(.-)\n\n(.*)$"
  if not query then return end
  local headers, said = {}, { action = {}, version = {} }
  for name, value in head:gmatch "([^\n:]+):([^\n]*)" do headers[name] = value end
  for name, value in pairs(headers) do
    local field = name:lower():match "^x%-acs%-(%l+)$"
    if said[field] then said[field][value:match "^[ \t\r]*(.-)[ \t\r]*$"] = true end
  end
  take_parameters(said, query)
  take_parameters(said, body)
  local ok, submitted = pcall(observer.submit, observer, {
    method = "POST", url = "http://127.0.0.1:1/?" .. query, headers = headers, body = body,
    timeout = 1,
  })
  if not ok then return end
  local op <close> = submitted
  local refused = op:done() and op:result().failure == "refused"
  local action, version = only(said.action), only(said.version)
  local reads = action and version and KNOWN[version .. " " .. action] or false
  support.check(refused == not reads, "what reads", query, head, body)
end
