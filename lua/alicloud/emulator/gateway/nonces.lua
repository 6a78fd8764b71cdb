--- Refuses requests that are too old, too new, or seen before.

local core = require "alicloud.core"
local errors = require "alicloud.emulator.gateway.errors"

local M = {}

local refuse = errors.refuse

-- Nonces are kept in two generations. A generation ends after twice the time window, or at this
-- many nonces, which bounds memory while a manual clock stands still.
local GENERATION_LIMIT = 65536

---@class alicloud.emulator.Nonces
---@field young table<string, boolean>  by key and nonce, of the current generation
---@field old table<string, boolean>  of the generation before
---@field count integer  number of nonces in `young`
---@field began number|nil  model time at which this generation began
local Nonces = {}
local nonces_mt = { __name = "alicloud.emulator.Nonces", __index = Nonces }

---@return alicloud.emulator.Nonces
function M.new()
  return setmetatable({ young = {}, old = {}, count = 0, began = nil }, nonces_mt)
end

local function within(date, now, window) return date >= now - window and date <= now + window end

--- Checks the time that a request says it was signed at.
---@param date string|nil
---@param now number  model time
---@param window number  seconds on both sides of the clock
---@param wall_counts boolean  true: a date near the machine's own time is accepted, too
---@return alicloud.emulator.Refusal|nil
function M.check_date(date, now, window, wall_counts)
  local unix = date and core.parse_iso8601(date)
  if not unix then return refuse("InvalidTimeStamp.Format") end
  if within(unix, now, window) then return nil end
  -- A client with the machine's clock cannot follow a model clock that stands or runs faster.
  if wall_counts and within(unix, core.time(), window) then return nil end
  local refusal = refuse("InvalidTimeStamp.Expired")
  refusal.near_miss = ("%s is further than %g s from the model's clock, %s%s"):format(date, window,
    core.iso8601(now // 1 | 0), wall_counts and ", and from the machine's own" or "")
  return refusal
end

local function turn_generation(self, now, window)
  if now - self.began < 2 * window and self.count < GENERATION_LIMIT then return end
  self.old, self.young, self.count, self.began = self.young, {}, 0, now
end

--- Records a nonce, and refuses one that was used before.
---@param key_id string
---@param nonce string|nil
---@param now number
---@param window number  the longest time window: seconds on both sides of the clock
---@return alicloud.emulator.Refusal|nil
function Nonces:take(key_id, nonce, now, window)
  if not nonce or nonce == "" then
    return errors.missing "SignatureNonce"
  end
  self.began = self.began or now
  local mark = key_id .. "\n" .. nonce
  if self.young[mark] or self.old[mark] then return refuse("SignatureNonceUsed") end
  turn_generation(self, now, window)
  self.young[mark] = true
  self.count = self.count + 1
  return nil
end

return M
