--- Makes the smallest RAM policy that allows a list of calls, on their resources in their regions.

local core = require "alicloud.core"
local services = require "alicloud.service"
local tables = require "alicloud.base.tables"

local M = {}

---@class alicloud.simulation.MadeCall
---@field product string
---@field action string
---@field params table<string, any>
---@field region string

---@class alicloud.simulation.Policy
---@field document { Version: string, Statement: table[] } the policy, in the form of RAM
---@field inferred string[] actions whose resource no page of the vendor names
---@field unknown string[] calls that this library does not describe, or with unusual resource names

-- The resource of a call. A list operation names resources in a filter only, and RAM checks all of
-- them, so absent parameters become "*". nil for an unusual name: "*" as one must not permit all.
local function fill(template, call)
  local is_plain = true
  local resource = template:gsub("{(%w+)}", function(name)
    local value = name == "regionId" and call.region or name ~= "accountId" and call.params[name]
    if not value then return "*" end
    value = tostring(value)
    is_plain = is_plain and value:find "^[%w_.-]+$" ~= nil
    return value
  end)
  return is_plain and resource or nil
end

local function names_of(set)
  return core.array(tables.keys(set))
end

local function note(found, action, resource)
  found[action] = found[action] or {}
  found[action][resource] = true
end

-- If the documentation has a pattern for one resource beside the one for all, the policy has both,
-- so that people can remove the broader one. The former has the ids that the calls have named.
local function note_named(found, ram, call)
  local param = ram.also and ram.also:match "{(%w+)}$"
  local ids = param and call.params[param:gsub("^Replica(%u%l+)Id$", "%1Ids")]
  if not ids then return end
  for id in tostring(ids):gmatch "[^,%s]+" do
    local resource = fill(ram.also, { region = call.region, params = { [param] = id } })
    if resource then note(found, ram.action, resource) end
  end
end

local function describe(call)
  local data = services.data(call.product)
  return data and data.operations[call.action] or nil
end

-- Actions with the same resources share a statement.
local function statements(found)
  local by_resources, keys = {}, {}
  for action, resources in pairs(found) do
    local list = names_of(resources)
    local key = table.concat(list, "\n")
    if not by_resources[key] then
      by_resources[key], keys[#keys + 1] = { resources = list, actions = {} }, key
    end
    by_resources[key].actions[action] = true
  end
  table.sort(keys)
  local list = core.array {}
  for i, key in ipairs(keys) do
    list[i] = { Effect = "Allow", Action = names_of(by_resources[key].actions),
      Resource = by_resources[key].resources }
  end
  return list
end

--- Makes the policy.
---@param calls alicloud.simulation.MadeCall[]
---@return alicloud.simulation.Policy
function M.of(calls)
  local found, inferred, unknown = {}, {}, {}
  for _, call in ipairs(calls) do
    local operation = describe(call)
    local resource = operation and fill(operation.ram.resource, call)
    if resource then
      note(found, operation.ram.action, resource)
      note_named(found, operation.ram, call)
      if operation.ram.inferred then inferred[operation.ram.action] = true end
    else
      unknown[("%s:%s"):format(call.product, call.action)] = true
    end
  end
  return { document = { Version = "1", Statement = statements(found) },
    inferred = names_of(inferred), unknown = names_of(unknown) }
end

return M
