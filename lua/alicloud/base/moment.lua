--- Reads moments as people write them: unix seconds, RFC 3339 with any offset, or a duration, which
--- means that long ago. A duration becomes a moment only by a clock, and the caller knows by which.

local core = require "alicloud.core"
local duration = require "alicloud.base.duration"

local M = {}

--- What a message says after "allowed:".
M.ALLOWED = 'unix seconds, a time such as "2026-11-22T03:12:40Z" or "2026-11-22T11:12:40+08:00", '
  .. 'or so long ago, e.g. "70m"'

-- Unix seconds, from 2001 to 5138. Smaller numbers are durations, larger ones milliseconds.
local FIRST, LAST = 1e9, 1e11
local LONGEST = 366 * 86400

local function unix(value)
  return value >= FIRST and value < LAST and value or nil
end

local DATE = "^(%d%d%d%d%-%d%d%-%d%d)[Tt ](%d%d:%d%d:%d%d)(%.?%d*)([Zz+-].*)$"

-- Seconds east of Greenwich.
local function offset_of(zone)
  if zone == "Z" or zone == "z" then return 0 end
  local sign, hours, minutes = zone:match "^([+-])(%d%d):(%d%d)$"
  if not sign or tonumber(hours) > 23 or tonumber(minutes) > 59 then return nil end
  local seconds = tonumber(hours) * 3600 + tonumber(minutes) * 60
  return sign == "+" and seconds or -seconds
end

--- Reads a time as RFC 3339 writes it.
---@param text string
---@return number|nil unix seconds
---Source: RFC 3339, section 5.6.
function M.from_rfc3339(text)
  local day, clock, part, zone = text:match(DATE)
  if not day or part == "." or part ~= "" and part:sub(1, 1) ~= "." then return nil end
  local offset, whole = offset_of(zone), core.parse_iso8601(day .. "T" .. clock .. "Z")
  if not offset or not whole then return nil end
  return whole - offset + (part ~= "" and tonumber("0" .. part) or 0)
end

--- Reads a moment.
---@param value any
---@return number|nil at unix seconds; nil for a duration
---@return number|nil ago seconds; both are nil if it is no moment
function M.parse(value)
  if type(value) == "number" then return unix(value) end
  if type(value) ~= "string" or #value > 40 then return nil end
  if value:find "^%d+%.?%d*$" then return unix(tonumber(value)) end
  local at = M.from_rfc3339(value)
  if at then return unix(at) end
  local ago = duration.parse(value)
  return nil, ago and ago <= LONGEST and ago or nil
end

--- Whether a value is a moment.
---@param value any
---@return boolean
function M.is(value)
  local at, ago = M.parse(value)
  return at ~= nil or ago ~= nil
end

--- The moment that a value means.
---@param value any
---@param now number|nil unix seconds by the clock that counts
---@return number|nil unix seconds; nil if it is no moment, or a duration without a clock
function M.resolve(value, now)
  local at, ago = M.parse(value)
  return at or ago and now and now - ago or nil
end

return M
