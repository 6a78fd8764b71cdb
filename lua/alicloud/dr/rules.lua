--- What names and durations may look like, for every function of `alicloud.dr` and for the command.

local duration = require "alicloud.base.duration"
local option = require "alicloud.base.schema"

local M = {}

local function bound(value)
  return value < 1 and ("%g s"):format(value) or duration.format(value)
end

--- A duration, as seconds or as text.
---@param min number seconds
---@param max number seconds
---@return alicloud.options.Rule
function M.seconds(min, max)
  local allowed = ("%s, from %s to %s"):format(duration.ALLOWED, bound(min), bound(max))
  return option.rule(allowed, function(value)
    local parsed = duration.parse(value)
    return parsed ~= nil and parsed >= min and parsed <= max
  end)
end

--- The longest duration that is taken, in seconds.
M.YEAR = 366 * 86400

M.TIMEOUT = M.seconds(1, M.YEAR)
M.POLL = M.seconds(0.05, 300)
M.WINDOW = M.seconds(0, 3600)

M.ID = option.rule("an id of 1 to 64 letters, digits, '-', '_' or '.'", function(value)
  return type(value) == "string" and #value <= 64 and value:find("^[%w][%w_.%-]*$") ~= nil
end)

M.REGION = option.rule("a region such as cn-shanghai", function(value)
  return type(value) == "string" and #value <= 64
    and value:find("^[a-z][a-z0-9%-]*[a-z0-9]$") ~= nil
end)

M.TOKEN = option.rule("1 to 64 printable ASCII characters", function(value)
  return type(value) == "string" and #value >= 1 and #value <= 64
    and value:find("^[\x20-\x7e]+$") ~= nil
end)

M.INCIDENT = option.rule("text of 1 to 256 bytes without control characters", function(value)
  return type(value) == "string" and #value >= 1 and #value <= 256 and not value:find("%c")
end)

--- The metatable of every group object.
M.GROUP = { __name = "alicloud.dr.Group" }

--- Makes a group object from checked parts.
---@param client alicloud.Client
---@param id string
---@param region string
---@return alicloud.dr.Group
function M.new_group(client, id, region)
  return setmetatable({ client = client, id = id, region = region }, M.GROUP)
end

--- Raises unless a method was called on a group.
---@param group any
---@param level integer as for `error`
function M.demand_group(group, level)
  if getmetatable(group) == M.GROUP then return end
  error("dr.group: not a group; call its methods with a colon", level + 1)
end

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

return M
