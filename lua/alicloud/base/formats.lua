--- What names and durations may look like: one place for every layer and for the command.

local duration = require "alicloud.base.duration"
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

M.ID = schema.rule("an id of 1 to 64 letters, digits, '-', '_' or '.'", function(value)
  return type(value) == "string" and #value <= 64 and value:find("^[%w][%w_.%-]*$") ~= nil
end)

M.REGION = schema.rule("a region such as cn-shanghai", function(value)
  return type(value) == "string" and #value <= 64
    and value:find("^[a-z][a-z0-9%-]*[a-z0-9]$") ~= nil
end)

M.TOKEN = schema.rule("1 to 64 printable ASCII characters", function(value)
  return type(value) == "string" and #value >= 1 and #value <= 64
    and value:find("^[\x20-\x7e]+$") ~= nil
end)

M.INCIDENT = schema.rule("text of 1 to 256 bytes without control characters", function(value)
  return type(value) == "string" and #value >= 1 and #value <= 256 and not value:find("%c")
end)

return M
