--- What happened: every request with its verdict, and the ledger of effects that really happened.
-- Tests believe the ledger, never what a client says of itself.

local M = {}

-- The ledger is the truth and loses nothing; the journal keeps this many of the latest requests.
local REQUEST_LIMIT = 10000
local NEAR_MISS_LIMIT = 100

local Journal = {}
local journal_mt = { __name = "alicloud.emulator.Journal", __index = Journal }

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
---@field by string|nil  "another operator" where no request of a client did it
---@field client_token string|nil
---@field request_id string

---@return alicloud.emulator.Journal
function M.new()
  return setmetatable({ effects = {}, requests = {}, total = 0, misses = {} }, journal_mt)
end

--- Writes an effect into the ledger.
---@param effect alicloud.emulator.Effect
function Journal:effect(effect)
  effect.n = #self.effects + 1
  self.effects[effect.n] = effect
  if self.listener then self.listener(effect) end
end

--- Starts the entry of a request; the verdict is written into it later.
---@param call alicloud.emulator.Call
---@param now number
---@return table entry
function Journal:open(call, now)
  local params = call.params
  self.total = self.total + 1
  local entry = {
    n = self.total, time = now, mount = call.mount, method = call.method, action = call.action,
    region = params.RegionId, site = params.Site,
    group = params.ReplicaGroupId or params.GroupId or params.GroupIds,
    pair = params.ReplicaPairId or params.PairId or params.PairIds,
    client_token = params.ClientToken, request_id = call.request_id, protocol = call.protocol,
  }
  self.requests[(self.total - 1) % REQUEST_LIMIT + 1] = entry
  return entry
end

--- The latest requests, oldest first.
---@return table[]
function Journal:list()
  local first = math.max(1, self.total - REQUEST_LIMIT + 1)
  local list = {}
  for n = first, self.total do list[#list + 1] = self.requests[(n - 1) % REQUEST_LIMIT + 1] end
  return list
end

--- Notes why a request was nearly right: a signature that differs, an id that is nearly known.
---@param call alicloud.emulator.Call
---@param code string
---@param detail string
---@param now number
function Journal:near_miss(call, code, detail, now)
  if #self.misses >= NEAR_MISS_LIMIT then table.remove(self.misses, 1) end
  self.misses[#self.misses + 1] = {
    time = now, action = call.action, request_id = call.request_id, code = code, detail = detail,
  }
end

return M
