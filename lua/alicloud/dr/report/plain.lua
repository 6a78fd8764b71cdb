--- Turns values of a journal into safe text for people: texts, times, durations.

local core = require "alicloud.core"
local duration = require "alicloud.base.duration"
local errors = require "alicloud.base.error"

local M = {}

--- Text from outside on one line, without control and invisible characters; cut if it is long.
---@param value any
---@param cap integer? bytes (600)
---@return string
function M.clean(value, cap)
  local text, most = errors.clean(tostring(value)), cap or 600
  if #text <= most then return text end
  return text:sub(1, (utf8.offset(text, 0, most + 1) or most + 1) - 1) .. "…"
end

-- The last second of the year 9999.
local LAST_TIME = 253402300799

---@param at number unix seconds
---@return string UTC, "2026-11-22 03:12:40 UTC"
function M.time(at)
  if at < 0 or at > LAST_TIME then return "at no time" end
  return (core.iso8601(math.floor(at)):gsub("T", " "):gsub("Z", " UTC"))
end

---@param seconds number
---@return string "52 s", "7m12s"; below a second with its fraction
function M.duration(seconds)
  if seconds > 0 and seconds < 1 then return ("%.2g s"):format(seconds) end
  return duration.format(math.max(0, seconds))
end

return M
