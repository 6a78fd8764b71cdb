--- Durations as people write them (`20m`, `1h30m`, `90s`) and as the library keeps them: seconds.

local M = {}

local UNITS = { d = 86400, h = 3600, m = 60, s = 1 }

--- What a message says after "allowed:".
M.ALLOWED = 'seconds, or a text such as "90s", "20m", "1h30m"'

-- More digits than this, in days, are more seconds than an integer holds.
local MOST_DIGITS = 12

local function parse_units(text)
  local total, last, rest = 0, math.huge, text
  while rest ~= "" do
    local digits, unit, after = rest:match("^(%d+)([dhms])(.*)$")
    if not digits or #digits > MOST_DIGITS or UNITS[unit] >= last then return nil end
    total, last, rest = total + tonumber(digits) * UNITS[unit], UNITS[unit], after
  end
  return total
end

--- Reads a duration.
---@param value any seconds (finite, not negative) or text
---@return number|nil seconds nil if it is not a duration
function M.parse(value)
  if type(value) == "number" then
    return value >= 0 and value < math.huge and value or nil
  end
  if type(value) ~= "string" or value == "" or #value > 20 then return nil end
  if value:find("^%d+%.?%d*$") then return tonumber(value) end
  return parse_units(value)
end

--- Writes a duration for people: `52 s`, `7m12s`, `20m`, `1h05m`, `3d4h`.
---@param seconds number
---@return string
function M.format(seconds)
  local whole = math.floor(seconds + 0.5)
  if whole < 60 then return ("%d s"):format(whole) end
  if whole < 3600 then
    local minutes, left = whole // 60, whole % 60
    return left == 0 and ("%dm"):format(minutes) or ("%dm%02ds"):format(minutes, left)
  end
  local minutes = whole // 60
  if minutes < 1440 then
    local left = minutes % 60
    return left == 0 and ("%dh"):format(minutes // 60) or ("%dh%02dm"):format(minutes // 60, left)
  end
  local hours = minutes // 60
  local left = hours % 24
  return left == 0 and ("%dd"):format(hours // 24) or ("%dd%dh"):format(hours // 24, left)
end

--- Writes a limit as it was set: like `format`, but below a minute with the part of a second.
---@param seconds number
---@return string
function M.limit(seconds)
  return seconds < 60 and ("%g s"):format(seconds) or M.format(seconds)
end

--- The end of a message about a limit that was overrun because code could not be interrupted.
---@param seconds number by which it was overrun
---@return string
function M.overrun(seconds)
  return (": its time passed while code ran that could not be interrupted, for %s more"):format(
    M.format(seconds))
end

--- Writes elapsed time as a clock: `00:41`, `1:02:03`.
---@param seconds number
---@return string
function M.clock(seconds)
  local whole = math.max(0, math.floor(seconds))
  if whole < 3600 then return ("%02d:%02d"):format(whole // 60, whole % 60) end
  return ("%d:%02d:%02d"):format(whole // 3600, whole // 60 % 60, whole % 60)
end

return M
