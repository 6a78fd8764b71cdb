--- Random numbers from a seed: the same seed gives the same numbers, on every machine.

local M = {}

---@class alicloud.simulation.Random
---@field state integer
local Random = {}
Random.__index = Random

-- SplitMix64: neighbouring seeds give unrelated numbers.
local function mix(z)
  z = (z ~ (z >> 30)) * 0xBF58476D1CE4E5B9
  z = (z ~ (z >> 27)) * 0x94D049BB133111EB
  return z ~ (z >> 31)
end

---@param seed integer
---@return alicloud.simulation.Random
function M.new(seed)
  return setmetatable({ state = mix(seed) }, Random)
end

---@return number in [0, 1)
function Random:random()
  self.state = self.state + 0x9E3779B97F4A7C15
  return (mix(self.state) >> 11) / 2.0 ^ 53
end

---@param first integer
---@param last integer
---@return integer
function Random:between(first, last)
  return first + self:random() * (last - first + 1) // 1 | 0
end

---@param probability number
---@return boolean
function Random:chance(probability)
  return self:random() < probability
end

---@generic T
---@param list T[]
---@return T
function Random:pick(list)
  return list[self:between(1, #list)]
end

return M
