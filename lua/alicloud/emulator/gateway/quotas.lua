--- The quotas of the account: how many requests of one action one region takes in a second. Off
--- unless the switch `throttle` says otherwise.
-- It shares no code with the client's rate limit, so that neither can hide an error of the other.

local errors = require "alicloud.emulator.gateway.errors"
local regions = require "alicloud.emulator.model.regions"

local M = {}

-- Requests a second, by account, region and action. Source: the quota table of the product.
local USUAL = 40
local OTHERS = {
  StartPairDrill = 10, StartReplicaGroupDrill = 10, DescribePairDrills = 10,
  DescribeReplicaGroupDrills = 10, ClearPairDrill = 10, ClearReplicaGroupDrill = 10,
  ChangeResourceGroup = 25,
}

--- How many calls of an action one region accepts in a second.
---@param settings table<string, any> values of the switches
---@param action string
---@return number
function M.limit(settings, action)
  if settings.throttle_limit > 0 then return settings.throttle_limit end
  return OTHERS[action] or USUAL
end

local function quota_of(emu, call)
  local region = regions.of(emu.world, call)
  local key = ("%s %s:%s"):format(region and region.id or "", call.product, call.action)
  local quota = emu.quotas[key]
  if not quota then
    quota = { second = -1, count = 0, blocked_until = 0 }
    emu.quotas[key] = quota
  end
  return quota
end

-- A refusal until the next second, with the headers that say how long to wait.
local function for_a_second(limit, now)
  local refusal = errors.refuse("Throttling.Api")
  local wait = ("%d"):format(math.max(1, math.ceil((now // 1 + 1 - now) * 1000)))
  refusal.headers = {
    ["x-acs-retry-after"] = wait,
    ["x-ratelimit-user-api"] = ("Limit:%d,Remain:0,TimeLeft:%s"):format(math.ceil(limit), wait),
  }
  return refusal
end

--- Counts a request, and refuses it when it exceeds its quota.
---@param emu alicloud.emulator.Emulator
---@param call alicloud.emulator.Call
---@param now number  model time
---@return alicloud.emulator.Refusal|nil
function M.take(emu, call, now)
  local settings = emu.settings
  if settings.throttle == "off" then return nil end
  local quota, limit = quota_of(emu, call), M.limit(settings, call.action)
  if now < quota.blocked_until then return errors.refuse(settings.block_code) end
  if quota.second ~= now // 1 then quota.second, quota.count = now // 1, 0 end
  quota.count = quota.count + 1
  if quota.count <= limit then return nil end
  if settings.throttle == "second" then return for_a_second(limit, now) end
  quota.blocked_until = (now // 60 + 1) * 60
  return errors.refuse(settings.block_code)
end

return M
