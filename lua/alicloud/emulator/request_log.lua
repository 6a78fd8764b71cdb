--- The log of the latest requests with their outcomes, and of the near misses among them.

local M = {}

local REQUEST_LIMIT = 10000
local NEAR_MISS_LIMIT = 100

---@class alicloud.emulator.RequestEntry
---@field n integer  1, 2, … in order of arrival
---@field time number  model time, unix seconds
---@field mount "in-process"|"http"
---@field method string
---@field action string|nil
---@field region string|nil
---@field site string|nil
---@field group string|nil
---@field pair string|nil
---@field client_token string|nil
---@field request_id string  of the answer; where a token repeats an answer, of its first request
---@field protocol "V3"|"RPC"
---@field token "first"|"repeat"|nil  whether the token was seen before
---@field fault string|nil  name of the fault rule that fired
---@field effect boolean|nil  true: the request changed the world
---@field status integer|nil  of the answer
---@field code string|nil  of the error, or "dropped"

---@class alicloud.emulator.NearMiss
---@field time number  model time, unix seconds
---@field action string|nil
---@field request_id string
---@field code string
---@field detail string

---@class alicloud.emulator.RequestLog
---@field total integer  requests so far
---@field requests alicloud.emulator.RequestEntry[]  ring buffer of the latest
---@field near_misses alicloud.emulator.NearMiss[]  the latest, oldest first
local RequestLog = {}
local log_mt = { __name = "alicloud.emulator.RequestLog", __index = RequestLog }

---@return alicloud.emulator.RequestLog
function M.new()
  return setmetatable({ requests = {}, total = 0, near_misses = {} }, log_mt)
end

--- Adds the entry of a request; its outcome is written into it later.
---@param call alicloud.emulator.Call
---@param now number
---@return alicloud.emulator.RequestEntry
function RequestLog:open(call, now)
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
---@return alicloud.emulator.RequestEntry[]
function RequestLog:list()
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
function RequestLog:add_near_miss(call, code, detail, now)
  if #self.near_misses >= NEAR_MISS_LIMIT then table.remove(self.near_misses, 1) end
  self.near_misses[#self.near_misses + 1] = {
    time = now, action = call.action, request_id = call.request_id, code = code, detail = detail,
  }
end

return M
