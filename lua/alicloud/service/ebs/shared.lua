--- What the operations of block storage share: parameters and errors.
--
-- Units: RPO in seconds, recovery points in unix seconds, bandwidth in Kbit/s.

local paging = require "alicloud.service.common.paging"

local M = {}

--- A copy of a table with some fields changed or added.
---@param rule table
---@param changes? table
---@return table copy
function M.merged(rule, changes)
  local copy = {}
  for name, value in pairs(rule) do copy[name] = value end
  for name, value in pairs(changes or {}) do copy[name] = value end
  return copy
end

local function region(doc)
  return { type = "string", format = "region", required = true, doc = doc }
end

local function id(doc)
  return { type = "string", format = "id", required = true, doc = doc }
end

local function tags(doc)
  return { type = "list", max_items = 20, doc = doc, items = { type = "map", fields = {
    Key = { type = "string", format = "tag_key", doc = "tag key" },
    Value = { type = "string", format = "tag_value", doc = "tag value" },
  } } }
end

M.params = {
  region = region "region to ask; the endpoint follows it",
  source_region = region "region of the primary disks, where production runs",
  destination_region = region "region of the secondary disks now: after a reverse, the other one",
  pair_region = region "region of the primary or of the secondary disk",
  group_region = region "region of the group, which is its production region",
  resource_region = region "region of the resource",

  source_zone = id "zone of the primary disks",
  target_region = region "region of the secondary disks; may be the same, in another zone",
  target_zone = id "zone of the secondary disks",
  pair = id "the pair",
  group = id "the group",
  drill = id "the drill, as its start call named it",
  one_drill = { type = "string", format = "id", doc = "only this drill" },
  resource_group = { type = "string", format = "id", doc = "resource group" },

  token = {
    type = "string", format = "token",
    doc = "idempotency token; one per intent, made when absent; other parameters need another one, "
      .. "after a refusal, too",
  },

  pair_name = { type = "string", format = "name", doc = "name of the pair" },
  group_name = { type = "string", format = "group_name", doc = "name of the group" },
  name_filter = { type = "string", format = "text", doc = "part of the name" },
  description = { type = "string", format = "description", doc = "what it is for" },
  rpo = { type = "integer", values = { 900 }, unit = "s", doc = "recovery point objective" },
  bandwidth = {
    type = "integer", min = 0, unit = "Kbit/s", doc = "not open for public use",
  },
  rtc = { type = "boolean", default = false, doc = "replication time control" },
  one_shot = {
    type = "boolean", default = false,
    doc = "one synchronisation now, then stop; once in half an RPO (450 s)",
  },
  reverse = {
    type = "boolean", default = true,
    doc = "false cancels the failover: the next sync overwrites what the secondary has "
      .. "written since",
  },

  site = {
    type = "string", values = { "production", "backup" }, default = "production",
    doc = "which site the region is in the wanted records",
  },
  tag_filter = tags "resources that carry all these tags",
  new_tags = tags "tags of the new resource",

  next_token = paging.next_token,
}

--- A copy of a parameter's rule with some fields changed.
---@param name string a name in `params`
---@param changes table
---@return table rule
function M.with(name, changes)
  return M.merged(M.params[name], changes)
end

-- The five codes of every operation. Source: error tables of the published metadata, 2024-07-30.
local EVERYWHERE = {
  "Forbidden", "Forbidden.Action", "NoSuchResource", "InternalError", "RequestTimeout",
}

-- Codes of drills and tags, a newer layer of the service with an error table of its own.
local YOUNGER = {
  "InvalidParameter", "InvalidParameter.Conflict", "InvalidParameter.Format", "MissingParameter",
  "InvalidAccountStatus.NotEnoughBalance", "LastTokenProcessing", "NoPermission.SLR",
  "OperationDenied", "InvalidApi.NotFound",
}

local function joined(...)
  local list = {}
  for _, part in ipairs { ... } do
    for _, code in ipairs(part) do list[#list + 1] = code end
  end
  return list
end

--- The codes of an operation: its own, then those that every operation has.
---@param own? string[]
---@return string[]
function M.errors(own)
  return joined(own or {}, EVERYWHERE)
end

--- The same for drills, tags and resource groups: adds the codes of their layer.
---@param own? string[]
---@return string[]
function M.younger_errors(own)
  return joined(own or {}, YOUNGER, EVERYWHERE)
end

--- The same for operations on pairs and groups: adds the two general refusals.
---@param own? string[]
---@return string[]
function M.denials(own)
  return joined({ "OperationDenied", "OperationDenied.InvalidStatus" }, own or {}, EVERYWHERE)
end

return M
