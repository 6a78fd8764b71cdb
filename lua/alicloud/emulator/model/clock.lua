--- One clock for the whole model: states, signature window, token memory and `Date` header.
-- Modes: manual moves only when told, poll also moves a step with each Describe, scaled runs
-- `speed` model seconds a second, real is the wall clock.

local core = require "alicloud.core"

local M = {}

---@alias alicloud.emulator.ClockMode "manual"|"poll"|"scaled"|"real"

local STANDS = { manual = true, poll = true }

---@class alicloud.emulator.Clock
---@field mode alicloud.emulator.ClockMode
---@field speed number  model seconds per second
---@field stands boolean  does not run by itself (manual and poll)
---@field step number|nil  model seconds per Describe, poll mode only
---@field base number  model time, unix seconds, at `origin`
---@field origin number  monotonic seconds of the machine
local Clock = {}
local clock_mt = { __name = "alicloud.emulator.Clock", __index = Clock }

local DAYS = { "Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed" }
local MONTHS = {
  "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
}

-- A manual clock starts here unless told otherwise, so that two runs give the same bytes.
local MANUAL_START = 1795316400 -- 2026-11-22T03:00:00Z

--- The last second with a year of four digits, 9999-12-31T23:59:59Z; the clock stops there.
M.LAST = 253402300799

--- Makes a clock.
---@param mode alicloud.emulator.ClockMode
---@param speed number  model seconds per second, scaled mode only
---@param start number|nil  unix seconds of the first instant
---@param step number|nil  model seconds per Describe, poll mode only
---@return alicloud.emulator.Clock
function M.new(mode, speed, start, step)
  local clock = setmetatable({ mode = mode, speed = mode == "scaled" and speed or 1,
    stands = STANDS[mode] or false, step = mode == "poll" and (step or 5) or nil }, clock_mt)
  clock:restart(start)
  return clock
end

--- Sets the clock to its start.
---@param start number|nil  unix seconds; nil: MANUAL_START if the clock stands, else the time now
function Clock:restart(start)
  self.base = start or self.stands and MANUAL_START or core.time()
  self.origin = self.stands and 0 or core.monotonic()
end

---@return number  model time, unix seconds with fraction
function Clock:now()
  if self.stands then return self.base end
  return math.min(self.base + (core.monotonic() - self.origin) * self.speed, M.LAST)
end

--- Whether the clock can move forward by that much without passing `LAST`.
---@param seconds number
---@return boolean
function Clock:can_advance(seconds)
  return type(seconds) == "number" and seconds >= 0 and self:now() + seconds <= M.LAST
end

--- Moves the clock forward, in every mode, but not past `LAST`.
---@param seconds number  model seconds, not negative
function Clock:advance(seconds)
  self.base = math.min(self.base + seconds, M.LAST)
end

--- How long it takes until the clock has moved by `seconds`.
---@param seconds number  model seconds
---@return number|nil  machine seconds; nil: the clock does not run by itself
function Clock:machine_seconds(seconds)
  if self.stands then return nil end
  return math.max(0, seconds) / self.speed
end

--- Lets model time pass: a manual clock jumps, the others make the caller wait.
---@param seconds number  model seconds
function Clock:sleep(seconds)
  if self.stands then
    self:advance(seconds)
    return
  end
  local wake = math.min(self:now() + seconds, M.LAST)
  while self:now() < wake do
    core.poll(nil, "r", (wake - self:now()) / self.speed)
  end
end

--- The `Date` header of an answer at a moment of model time.
---@param now number
---@return string
function Clock:date(now)
  local second = now // 1
  if second ~= self.date_second then
    self.date_second, self.date_text = second, M.http_date(now)
  end
  return self.date_text
end

--- IMF-fixdate of RFC 9110 §5.6.7, built here because `os.date` follows the host's locale.
---@param unix number
---@return string
function M.http_date(unix)
  local seconds = unix // 1 | 0
  local days, rest = seconds // 86400, seconds % 86400
  local year, month, day = core.iso8601(seconds):match("^(%d+)-(%d+)-(%d+)")
  return ("%s, %s %s %s %02d:%02d:%02d GMT"):format(
    DAYS[days % 7 + 1], day, MONTHS[tonumber(month)], year,
    rest // 3600, rest % 3600 // 60, rest % 60)
end

return M
