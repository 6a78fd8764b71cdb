--- Calls that several cases make, and their evaluation.

local core = require "alicloud.core"
local services = require "alicloud.service"

local M = {}

--- An operation that no version of the product has.
M.MADE_UP_ACTION = "ebs:DescribeNothingOfThisKind"

--- An AccessKeyId that nobody has, in the form of one.
M.MADE_UP_KEY = "LTAI5tNobodyHasThisKey00"

--- The version of a product.
---@param product string
---@return string
function M.version(product)
  return services.data(product).version
end

--- Sends a request that bypasses the client, by `Probe:raw`. Raises if there is no answer.
---@param probe alicloud.conformance.Probe
---@param action string "product:Action"
---@param params table<string, string>
---@param changes? table of alicloud.conformance.RawRequest
---@return alicloud.conformance.Exchange
function M.raw(probe, action, params, changes)
  local request = { action = action, version = M.version(action:match "^(.-):"), params = params }
  for name, value in pairs(changes or {}) do request[name] = value end
  local exchange, reason = probe:raw(request)
  if not exchange then error(reason, 0) end
  return exchange
end

--- The error code of an exchange, else its HTTP status, as text.
---@param exchange alicloud.conformance.Exchange
---@return string
function M.word(exchange)
  return exchange.code or tostring(exchange.status)
end

--- Lists groups at a region.
---@param probe alicloud.conformance.Probe
---@param region string RegionId
---@param params table<string, string>
---@param host? string region whose host is asked
---@return table[]|nil groups nil: refused
---@return alicloud.conformance.Exchange
function M.groups(probe, region, params, host)
  local all = { RegionId = region }
  for name, value in pairs(params) do all[name] = value end
  local exchange = M.raw(probe, "ebs:DescribeDiskReplicaGroups", all, { region = host or region })
  if exchange.status ~= 200 or not exchange.json then return nil, exchange end
  return exchange.json.ReplicaGroups or {}, exchange
end

--- Whether a group is listed; NoSuchResource counts as not listed.
---@param probe alicloud.conformance.Probe
---@param region string
---@param site string|nil
---@param id string
---@return boolean|nil nil: refused for another reason
---@return alicloud.conformance.Exchange
function M.is_listed(probe, region, site, id)
  local groups, exchange = M.groups(probe, region, { Site = site, GroupIds = id })
  if not groups and exchange.code == "NoSuchResource" then return false, exchange end
  if not groups then return nil, exchange end
  for _, group in ipairs(groups) do
    if group.ReplicaGroupId == id then return true, exchange end
  end
  return false, exchange
end

--- The service's time, from the Date header.
---@param exchange alicloud.conformance.Exchange
---@return number|nil unix seconds
function M.date(exchange)
  return exchange.headers and exchange.headers.date and core.http_date(exchange.headers.date)
end

--- Makes a look that runs twice, and counts only if both give the same value.
---@param look fun(): any, string?
---@return fun(...): any, string?
function M.twice(look)
  return function(...)
    local first, text = look(...)
    if first == nil then return nil, text end
    local second, other = look(...)
    if first == second then return first, text end
    return nil, ("two looks differ: %s, then %s"):format(tostring(first),
      second == nil and tostring(other) or tostring(second))
  end
end

return M
