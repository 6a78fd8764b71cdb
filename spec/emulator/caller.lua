--- Calls into an emulator, below the client: what the specs of the model are written with. They are
-- signed, or with the emulator's option `wire = false` handed over as values.

local core = require "alicloud.core"
local emulator = require "alicloud.emulator"

local M = {}

local Caller = {}
local caller_mt = { __index = Caller }

--- Makes an emulator and a caller for it.
---@param options table|nil  of `emulator.new`
function M.new(options)
  local emu = emulator.new(options)
  return setmetatable({ emu = emu, count = 0 }, caller_mt)
end

--- Signs a request for the emulator's clock and key.
---@param action string
---@param params table<string, string>
---@param changes table|nil  fields of `core.sign` that differ
function Caller:sign(action, params, changes)
  self.count = self.count + 1
  local request = {
    algorithm = "ACS3-HMAC-SHA256", method = "POST", host = "ebs.cn-shanghai.aliyuncs.com",
    action = action, version = "2021-07-30", query = params,
    access_key_id = self.emu.access_key_id, access_key_secret = self.emu.access_key_secret,
    date = core.iso8601(self.emu:now()), nonce = ("nonce-%d"):format(self.count),
  }
  for name, value in pairs(changes or {}) do request[name] = value end
  return core.sign(request)
end

--- Sends a request and reads the JSON body.
---@return table exchange
---@return table|nil body
function Caller:send(request)
  local exchange = self.emu.transport.send(request)
  return exchange, exchange.body and core.decode(exchange.body)
end

-- Hands a request over; what comes back as a table is written as the wire would have it.
local function perform(emu, action, params, changes)
  local request = {
    product = "ebs", action = action, version = "2021-07-30", params = params, method = "POST",
    host = "ebs.cn-shanghai.aliyuncs.com", access_key_id = emu.access_key_id, timeout = 10,
  }
  for name, value in pairs(changes or {}) do request[name] = value end
  local answer = emu.transport.perform(request)
  if not answer.result then return answer, answer.body and core.decode(answer.body) end
  return { status = answer.status, body = core.encode(answer.result) }, answer.result
end

---@return table|nil body
---@return integer|nil status
---@return table exchange
function Caller:call(action, params, changes)
  if self.emu.transport.perform then
    local exchange, body = perform(self.emu, action, params, changes)
    return body, exchange.status, exchange
  end
  local exchange, body = self:send(self:sign(action, params, changes))
  return body, exchange.status, exchange
end

--- The error code of a call, or "ok".
function Caller:code(action, params, changes)
  local body, status = self:call(action, params, changes)
  return body and body.Code or "ok", status
end

--- Fails a group over in cn-shanghai; gives the code or "ok".
function Caller:failover(group, token, region)
  return self:code("FailoverDiskReplicaGroup",
    { RegionId = region or "cn-shanghai", ReplicaGroupId = group, ClientToken = token })
end

--- A group as its secondary region shows it.
function Caller:look(group)
  local body = self:call("DescribeDiskReplicaGroups",
    { RegionId = "cn-shanghai", Site = "backup", GroupIds = group })
  return body.ReplicaGroups[1]
end

--- Statuses of the pairs of a group, in order.
function Caller:pair_statuses(group)
  local body = self:call("DescribeDiskReplicaPairs",
    { RegionId = "cn-shanghai", Site = "backup", ReplicaGroupId = group })
  local statuses = {}
  for index, pair in ipairs(body.ReplicaPairs) do statuses[index] = pair.Status end
  return statuses
end

--- A world with one group, for the specs that need a particular one.
---@param group table  fields that differ
function M.world(group)
  local about = { id = "pg-one", source = "cn-hangzhou/cn-hangzhou-g", pairs = 3,
    destination = "cn-shanghai/cn-shanghai-b", failover_seconds = 40, recover_point_age = 100 }
  for name, value in pairs(group or {}) do about[name] = value end
  return { groups = { about } }
end

return M
