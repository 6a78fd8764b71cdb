--- Formats times for a screen, in the time zone of this process. Files, JSON and messages of the
--- library have UTC.

local core = require "alicloud.core"

local M = {}

--- A moment in the zone of this process.
---@param unix number
---@return string "2026-11-22 11:12:40 +08:00"
function M.moment(unix)
  local text = os.date("%Y-%m-%d %H:%M:%S %z", math.floor(unix)) --[[@as string]]
  return (text:gsub("([+-]%d%d)(%d%d)$", "%1:%2"))
end

--- The time of day of a moment, in the zone of this process.
---@param unix number
---@return string "11:12:40"
function M.clock(unix)
  return os.date("%H:%M:%S", math.floor(unix)) --[[@as string]]
end

--- An RFC 3339 time, in the zone of this process; any other value as it is.
---@param text any the note of a lock may hold anything
---@return string
function M.noted(text)
  local unix = type(text) == "string" and core.parse_iso8601(text)
  return unix and M.moment(unix) or tostring(text)
end

--- Replaces the UTC times in a text, as reports have them, by times of this zone.
---@param text string
---@return string
function M.shown(text)
  return (text:gsub("(%d%d%d%d%-%d%d%-%d%d) (%d%d:%d%d:%d%d) UTC", function(day, time)
    local unix = core.parse_iso8601(day .. "T" .. time .. "Z")
    return unix and M.moment(unix)
  end))
end

return M
