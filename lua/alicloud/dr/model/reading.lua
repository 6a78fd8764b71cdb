--- Reads times in records of the service: unix seconds, milliseconds (by mistake), or RFC 3339. A
--- time that cannot be true is not corrected; it is reported as in doubt, which is not missing.

local fields = require "alicloud.base.fields"
local moment = require "alicloud.base.moment"
local schema = require "alicloud.base.schema"

local M = {}

-- Seconds by which two clocks of the service may differ.
local CLOCKS_DIFFER = 5
-- Smaller numbers are seconds (before the year 5138), others are milliseconds (after 1973).
local FIRST_MILLISECONDS = 1e11

local function is_absent(value)
  return value == nil or value == "" or fields.number(value) ~= nil and fields.number(value) <= 0
end

-- Whether a time is later than the moment of reading; false if that moment is not known.
local function is_ahead(seconds, read_at)
  return read_at ~= nil and seconds > read_at + CLOCKS_DIFFER
end

local function whole(seconds)
  return math.tointeger(math.floor(seconds))
end

--- Reads a time in the past, such as a recovery point.
---@param value any
---@param read_at number? the server's clock at the time of reading, unix seconds
---@return integer|nil moment unix seconds; nil if there is none, or it cannot be true
---@return string|nil doubt why it cannot be true
function M.moment(value, read_at)
  if is_absent(value) then return nil end
  local seconds = fields.number(value)
  if not seconds and type(value) == "string" then seconds = moment.from_rfc3339(value) end
  if not seconds or seconds == math.huge then
    local words = type(value) == "string" and ("%q"):format(value:sub(1, 40)) or schema.show(value)
    return nil, words .. " is no time"
  end
  if seconds >= FIRST_MILLISECONDS then seconds = seconds / 1000 end
  if seconds >= FIRST_MILLISECONDS or is_ahead(seconds, read_at) then
    return nil, ("%.0f lies in the future"):format(fields.number(value) or seconds)
  end
  return whole(seconds)
end

return M
