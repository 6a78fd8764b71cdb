--- Identifiers and randomness from one seed: same seed and same order of questions, same answers.

local core = require "alicloud.core"

local M = {}

local Ids = {}
local ids_mt = { __name = "alicloud.emulator.Ids", __index = Ids }

---@param seed integer
---@return alicloud.emulator.Ids
function M.new(seed)
  return setmetatable({ seed = seed, requests = 0, draws = 0 }, ids_mt)
end

--- A RequestId as the service prints them: an upper-case UUID.
---@return string
function Ids:request_id()
  self.requests = self.requests + 1
  local hex = core.sha256(("request %d %d"):format(self.seed, self.requests)):upper()
  return ("%s-%s-%s-%s-%s"):format(
    hex:sub(1, 8), hex:sub(9, 12), hex:sub(13, 16), hex:sub(17, 20), hex:sub(21, 32))
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

---@return number  in [0, 1)
function Ids:random()
  return tonumber(draw(self):sub(1, 13), 16) / 16 ^ 13
end

return M
