--- Identifiers and random numbers from a seed: same seed and same calls, same values.

local core = require "alicloud.core"

-- 2^64 divided by the golden ratio, odd.
local GOLDEN = 0x9E3779B97F4A7C15

local M = {}

---@class alicloud.emulator.Ids
---@field seed integer
---@field first integer  mixed from the seed
---@field requests integer  RequestIds made so far
---@field draws integer  random numbers drawn so far
---@field made integer  resource ids made so far
local Ids = {}
local ids_mt = { __name = "alicloud.emulator.Ids", __index = Ids }

-- splitmix64: a counter becomes 64 bits that look random. Every request draws
-- two, so that this must be cheap; nothing here needs to be secret.
local function mix(counter)
  local z = counter * GOLDEN
  z = (z ~ z >> 30) * 0xBF58476D1CE4E5B9
  z = (z ~ z >> 27) * 0x94D049BB133111EB
  return z ~ z >> 31
end

---@param seed integer
---@return alicloud.emulator.Ids
function M.new(seed)
  return setmetatable({ seed = seed, first = mix(seed), requests = 0, draws = 0, made = 0 }, ids_mt)
end

--- A RequestId as the service prints them: an upper-case UUID.
---@return string
function Ids:request_id()
  self.requests = self.requests + 1
  local high = mix(self.first + 2 * self.requests)
  local low = mix(self.first + 2 * self.requests + 1)
  return ("%08X-%04X-%04X-%04X-%012X"):format(high >> 32, high >> 16 & 0xFFFF, high & 0xFFFF,
    low >> 48, low & 0xFFFFFFFFFFFF)
end

--- Makes the id of a new resource.
---@param prefix string  as "pg-" or "pair-cn-"
---@return string
function Ids:resource(prefix)
  self.made = self.made + 1
  return prefix .. core.sha256(("resource %d %d"):format(self.seed, self.made)):sub(1, 16)
end

local function draw(self)
  self.draws = self.draws + 1
  return core.sha256(("draw %d %d"):format(self.seed, self.draws))
end

--- Hex text of `bytes` seeded bytes; serves nonces and tokens of clients on the virtual runtime.
---@param bytes integer
---@return string
function Ids:random_hex(bytes)
  local parts, length = {}, 0
  while length < bytes * 2 do
    parts[#parts + 1] = draw(self)
    length = length + 64
  end
  return table.concat(parts):sub(1, bytes * 2)
end

--- Draws a random number and discards it.
function Ids:skip() self.draws = self.draws + 1 end

---@return number  in [0, 1)
function Ids:random()
  return tonumber(draw(self):sub(1, 13), 16) / 16 ^ 13
end

return M
