--- The ledger of effects that really happened. Tests judge a client by the ledger, never by the
-- client's own report. No effect is ever removed.

local M = {}

---@class alicloud.emulator.Effect
---@field n integer  1, 2, … in order of time
---@field time number  model time, unix seconds
---@field action string
---@field group string|nil
---@field pair string|nil
---@field drill string|nil
---@field instance string|nil
---@field disk string|nil
---@field region string|nil  RegionId of the request
---@field from string|nil  region/zone that was production
---@field to string|nil  region/zone of the other side
---@field status string  status before the effect
---@field by string|nil  "another operator" for an effect of an event; nil: of a client's request
---@field client_token string|nil
---@field request_id string

---@class alicloud.emulator.Ledger
---@field list alicloud.emulator.Effect[]  oldest first
---@field listener (fun(effect: alicloud.emulator.Effect))|nil  called with each new effect
local Ledger = {}
local ledger_mt = { __name = "alicloud.emulator.Ledger", __index = Ledger }

---@return alicloud.emulator.Ledger
function M.new() return setmetatable({ list = {} }, ledger_mt) end

--- Writes an effect down.
---@param effect alicloud.emulator.Effect  without `n`, which is given here
function Ledger:record(effect)
  effect.n = #self.list + 1
  self.list[effect.n] = effect
  if self.listener then self.listener(effect) end
end

return M
