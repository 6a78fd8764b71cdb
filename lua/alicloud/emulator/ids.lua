--- Identifiers and randomness from one seed: same seed and same order of questions, same answers.

local core = require "alicloud.core"

local unpack = string.unpack

local M = {}

local Ids = {}
local ids_mt = { __name = "alicloud.emulator.Ids", __index = Ids }

---@param seed integer
---@return alicloud.emulator.Ids
function M.new(seed)
  return setmetatable({ seed = seed, requests = 0, draws = 0, made = 0 }, ids_mt)
end

--- A RequestId as the service prints them: an upper-case UUID.
---@return string
function Ids:request_id()
  self.requests = self.requests + 1
  local digest = core.digest("SHA256", "request " .. self.seed .. " " .. self.requests)
  return ("%08X-%04X-%04X-%04X-%04X%08X"):format(unpack(">I4I2I2I2I2I4", digest))
end

--- The id of something that the model makes.
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

--- Draws and throws away.
function Ids:skip() self.draws = self.draws + 1 end

---@return number  in [0, 1)
function Ids:random()
  return tonumber(draw(self):sub(1, 13), 16) / 16 ^ 13
end

return M
