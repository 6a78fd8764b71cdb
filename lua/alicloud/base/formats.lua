--- Rules for names, ids and durations, for every layer and for the command.

local duration = require "alicloud.base.duration"
local moment = require "alicloud.base.moment"
local schema = require "alicloud.base.schema"

local M = {}

local function bound(value)
  return value < 1 and ("%g s"):format(value) or duration.format(value)
end

--- A duration, as seconds or as text.
---@param min number seconds
---@param max number seconds
---@return alicloud.schema.Rule
function M.seconds(min, max)
  local allowed = ("%s, from %s to %s"):format(duration.ALLOWED, bound(min), bound(max))
  return schema.rule(allowed, function(value)
    local parsed = duration.parse(value)
    return parsed ~= nil and parsed >= min and parsed <= max
  end)
end

--- The longest duration that is taken, in seconds.
M.YEAR = 366 * 86400

M.TIMEOUT = M.seconds(1, M.YEAR)
M.POLL = M.seconds(0.05, 300)
M.WINDOW = M.seconds(0, 3600)

local SHORT_OR_LONG = M.seconds(0, 30 * 86400)

--- How long an outage is outlasted; false: not at all.
M.PATIENCE = schema.rule("false, or " .. SHORT_OR_LONG.allowed, function(value)
  return value == false or SHORT_OR_LONG.test(value)
end)

M.UNIX_TIME = schema.rule("unix seconds", function(value)
  return type(value) == "number" and value >= 0 and value < 1e11
end)

--- A moment; see alicloud.base.moment.
M.MOMENT = schema.rule(moment.ALLOWED, moment.is)

--- Turns the durations of an options table into seconds.
---@param options table is changed
---@param defaults table<string, number|false> seconds; false: stays absent
---@return table options
function M.with_seconds(options, defaults)
  for name, default in pairs(defaults) do
    local value = options[name]
    options[name] = value ~= nil and duration.parse(value) or default or nil
  end
  return options
end

-- The same values are given over and over: the last one that passed is not tested again.
local function text(allowed, test)
  local passed
  return schema.rule(allowed, function(value)
    if type(value) ~= "string" then return false end
    if value ~= passed then
      if not test(value) then return false end
      passed = value
    end
    return true
  end)
end

local function grammar(allowed, longest, pattern)
  return text(allowed, function(value) return #value <= longest and value:find(pattern) end)
end

M.ID = grammar("an id of 1 to 64 letters, digits, '-', '_' or '.'", 64, "^[%w][%w_.%-]*$")

--- An instance that gets all disks, or one for each.
M.ATTACH = schema.rule("an instance id, or a table of them by disk id", function(value)
  if type(value) ~= "table" then return M.ID.test(value) end
  for disk, instance in pairs(value) do
    if not M.ID.test(disk) or not M.ID.test(instance) then return false end
  end
  return next(value) ~= nil
end)

--- Ids from a list, or from a text with commas between them.
---@param value any
---@return string[]|nil nil if one of them is not an id
function M.ids(value)
  local list = value
  if type(value) == "string" then
    list = {}
    for word in (value .. ","):gmatch("([^,]*),") do list[#list + 1] = word end
  end
  if type(list) ~= "table" then return nil end
  for _, id in ipairs(list) do
    if not M.ID.test(id) then return nil end
  end
  return list
end

M.IDS = schema.rule("a list of ids, or a text with commas between", function(value)
  return M.ids(value) ~= nil
end)

M.REGION = grammar("a region such as cn-shanghai", 64, "^[a-z][a-z0-9%-]*[a-z0-9]$")

-- A zone is its region and a letter, with a hyphen between unless the region ends in a digit:
-- cn-hangzhou-h, ap-southeast-1a. Source: DescribeRegions, Zones[].ZoneId.
local ZONES = { "^(%l[%l%d%-]*)%-%l$", "^(%l[%l%d%-]*%d)%l$" }

--- The region in which a place lies.
---@param place string a zone or a region
---@return string region
---@return string|nil zone nil: the place is a region
function M.region_of(place)
  for _, pattern in ipairs(ZONES) do
    local region = place:match(pattern)
    if region then return region, place end
  end
  return place
end

M.PLACE = schema.rule("a zone such as cn-hangzhou-h, or a region such as cn-shanghai",
  function(value) return M.REGION.test(value) and M.REGION.test((M.region_of(value))) end)

M.TOKEN = grammar("1 to 64 printable ASCII characters", 64, "^[\x20-\x7e]+$")

M.INCIDENT = grammar("text of 1 to 256 bytes without control characters", 256, "^%C+$")

-- Characters, not bytes; text that is not UTF-8 has no length.
local function has_length(value, min, max)
  local length = utf8.len(value)
  return length ~= nil and length >= min and length <= max
end

local function is_url(value)
  return value:find("^[Hh][Tt][Tt][Pp][Ss]?://") ~= nil
end

-- A letter is one of ASCII or anything beyond it, which is where the service allows Chinese.
local function name(allowed, pattern)
  return text(allowed, function(value)
    return has_length(value, 2, 128) and not is_url(value) and value:find(pattern)
  end)
end

--- Texts among the parameters of operations, as the service documents them. Ids are opaque: only
--- their alphabet and length are checked, so that a new id shape of the service does not lock
--- anybody out.
---@type table<string, alicloud.schema.Rule>
M.PARAMETER = {
  region = grammar("a region id such as cn-shanghai (lower-case letters, digits and hyphens)", 64,
    "^[a-z0-9%-]+$"),
  id = grammar("an id of 1-64 letters, digits, hyphens, underscores and dots", 64,
    "^[%w%-_%.]+$"),
  token = schema.rule("1-64 printable ASCII characters", M.TOKEN.test),
  text = grammar("text without control characters", 4096, "^%C*$"),
  name = name("2-128 letters, digits and : _ . - with a letter first, not http:// or https://",
    "^[%a\x80-\xff][%w\x80-\xff:_%.%-]*$"),
  group_name = name("2-128 letters, digits and : _ - with a letter first, not http:// or https://",
    "^[%a\x80-\xff][%w\x80-\xff:_%-]*$"),
  description = text("2-256 characters, not beginning with http:// or https://", function(value)
    return has_length(value, 2, 256) and not value:find("%c") and not is_url(value)
  end),
  tag_key = text("1-128 characters without http:// and https://, not beginning with aliyun or acs:",
    function(value)
      local lower = value:lower()
      return has_length(value, 1, 128) and not value:find("%c") and not lower:find("https?://")
        and not lower:find("^aliyun") and not lower:find("^acs:")
    end),
  tag_value = text("at most 128 characters without http:// and https://", function(value)
    return has_length(value, 0, 128) and not value:find("%c")
      and not value:lower():find("https?://")
  end),
}

return M
