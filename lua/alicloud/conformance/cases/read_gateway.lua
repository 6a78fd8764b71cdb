--- Observes what the gateway answers before any operation runs: signatures, keys, names, dates,
--- formats.

local ask = require "alicloud.conformance.ask"
local verdicts = require "alicloud.conformance.verdicts"

local LIST = "ebs:DescribeDiskReplicaGroups"

local function region_of(lab) return { RegionId = lab.region } end

-- Sends a request with a made-up secret and key; `key_id` nil: with the real AccessKeyId.
local function refused(probe, lab, protocol, key_id)
  local keys = probe.keys()
  if not key_id and not keys then error("no keys are at hand without asking for them", 0) end
  return ask.raw(probe, LIST, region_of(lab), { protocol = protocol, secret = "not-the-secret",
    key_id = key_id or keys.access_key_id })
end

local function status_of(code, key_id)
  return function(probe, lab)
    local status
    for _, protocol in ipairs { "V3", "RPC" } do
      local exchange = refused(probe, lab, protocol, key_id)
      if exchange.code ~= code then
        return nil, ("%s was answered with %s"):format(protocol, ask.word(exchange))
      end
      if status and status ~= exchange.status then
        return ("%d and %d"):format(status, exchange.status), "V3 and RPC differ"
      end
      status = exchange.status
    end
    return status, ("%s comes with HTTP %d"):format(code, status)
  end
end

local function unknown_action(probe, lab)
  local exchange = ask.raw(probe, ask.MADE_UP_ACTION, region_of(lab))
  if exchange.status < 400 then return nil, "it was answered with " .. exchange.status end
  return exchange.code, ("a made-up action gives %s (%d)"):format(ask.word(exchange),
    exchange.status)
end

local function shape_of(exchange)
  local first = exchange.body:match "^%s*(.)"
  return first == "<" and "XML" or first == "{" and "JSON" or nil
end

local function format_v3(probe, lab)
  local exchange = ask.raw(probe, LIST, region_of(lab), { accept = false })
  return shape_of(exchange), "V3 without Accept is answered in "
    .. (shape_of(exchange) or "neither")
end

-- The signer of the real key always sends Format, so the format of a refused request is observed.
local function format_rpc(probe, lab)
  local exchange = ask.raw(probe, LIST, region_of(lab), { protocol = "RPC", accept = false,
    key_id = ask.MADE_UP_KEY, secret = "not-the-secret" })
  return shape_of(exchange), "RPC without Format and Accept is refused in "
    .. (shape_of(exchange) or "neither")
end

local EXPIRED = { ["InvalidTimeStamp.Expired"] = true, ["IllegalTimestamp"] = true }
local MARGIN, LONGEST = 60, 2 * 86400
-- Windows in seconds that a service is likely to have.
local ROUND = { 15, 30, 60, 120, 300, 600, 900, 1800, 1860, 3600, 7200, 21600, 43200, 86400 }

-- Makes a function that tells whether a request of an age is accepted, by the service's own clock.
local function taker(probe, lab, protocol, sign)
  local date = ask.date(ask.raw(probe, LIST, region_of(lab), { protocol = protocol }))
  if not date then error("the answers have no Date, so ages cannot be told", 0) end
  return function(age)
    local exchange = ask.raw(probe, LIST, { RegionId = lab.region, MaxResults = "1" },
      { protocol = protocol, at = date, age = sign * age, format = "JSON" })
    date = ask.date(exchange) or date
    if EXPIRED[exchange.code] then return false end
    if exchange.status == 200 then return true end
    error("a dated request was answered with " .. ask.word(exchange), 0)
  end
end

local function rounded(low, high)
  for _, value in ipairs(ROUND) do
    if value >= low and value <= high then return value end
  end
  return (low + high) // 2 | 0
end

local function bracket(takes, assumed)
  local low, high = 0, assumed - MARGIN
  if high <= 0 or takes(high) then
    low, high = math.max(high, 0), assumed + MARGIN
    if not takes(high) then return low, high end
    while takes(high) do
      low, high = high, high * 2
      if low >= LONGEST then return nil end
    end
  end
  while high - low > math.max(10, low * 0.05) do
    local middle = (low + high) // 2
    if takes(middle) then low = middle else high = middle end
  end
  return low, high
end

local function window_of(probe, lab, protocol, assumed)
  local values = {}
  for side, sign in pairs { past = 1, future = -1 } do
    local low, high = bracket(taker(probe, lab, protocol, sign), assumed)
    if low and low < assumed and high > assumed then
      values[side] = assumed
    else
      values[side] = low and rounded(low, high) or LONGEST
    end
  end
  -- The emulator also accepts the machine's own time, so its window into the past seems longer.
  return math.min(values.past, values.future), ("%s: %d s into the past, %d s into the future")
    :format(protocol, values.past, values.future)
end

local function window(name, protocol)
  return { name = name, look = function(probe, lab)
    return window_of(probe, lab, protocol, verdicts.switch(name).default)
  end }
end

local function refuses_region(exchange)
  return exchange.code == "InvalidOperation.NotSupportedEndpoint"
end

local function has_one_host(probe, lab, product)
  return probe.endpoint(product, lab.region).host == probe.endpoint(product, lab.other).host
end

-- Asks this side's host for the records of the other side.
local function endpoint_region(probe, lab)
  if has_one_host(probe, lab, "ebs") then return nil, "one endpoint serves all regions here" end
  local id = lab.group.ReplicaGroupId
  local site = lab.other == lab.destination and "backup" or "production"
  if not ask.is_listed(probe, lab.other, site, id) then
    return nil, "the other region itself does not list the group"
  end
  local groups, exchange = ask.groups(probe, lab.other, { Site = site, GroupIds = id }, lab.region)
  if refuses_region(exchange) then return "match", "refused with " .. exchange.code end
  if not groups then return exchange.code, "refused with " .. ask.word(exchange) end
  if #groups > 0 then return "ignore", "the records of the other region are given" end
  return "empty list", "an empty list, as if there were no groups"
end

local function ecs_endpoint_region(probe, lab)
  if has_one_host(probe, lab, "ecs") then return nil, "one endpoint serves all regions here" end
  local exchange = ask.raw(probe, "ecs:DescribeDisks", { RegionId = lab.other, PageSize = "10" },
    { region = lab.region })
  if refuses_region(exchange) then return "match", "refused with " .. exchange.code end
  if exchange.status == 200 then return "ignore", "ECS answers for the other region" end
  return nil, "ECS answered with " .. ask.word(exchange)
end

return {
  { name = "signature_status", look = status_of("SignatureDoesNotMatch") },
  { name = "access_key_status", look = status_of("InvalidAccessKeyId.NotFound", ask.MADE_UP_KEY) },
  { name = "unknown_action", look = ask.twice(unknown_action) },
  { name = "default_format", look = ask.twice(format_v3) },
  { name = "default_format_rpc", look = ask.twice(format_rpc) },
  window("time_window", "V3"),
  window("time_window_rpc", "RPC"),
  { name = "endpoint_region", needs = { "group", "other" }, look = endpoint_region },
  { name = "ecs_endpoint_region", needs = { "group", "other" }, look = ecs_endpoint_region },
}
