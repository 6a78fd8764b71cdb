--- Disks that nobody replicates on instances whose other disks are replicated: after a failover
--- such an instance comes back without them.

local attachment = require "alicloud.dr.read.attachment"
local hosts = require "alicloud.dr.model.hosts"
local pages = require "alicloud.dr.read.pages"

local M = {}

local PAGE = 100
local DEADLINE = 15

-- Source disks of every pair that the region is the secondary site of, whatever group it is in.
local function read_protected(client, region)
  local records, err = pages.all(client, "ebs:DescribeDiskReplicaPairs",
    { RegionId = region, Site = "backup", MaxResults = PAGE }, { region = region })
  if not records then return nil, err.code end
  local set = {}
  for _, record in ipairs(records) do
    if type(record.SourceDiskId) == "string" then set[record.SourceDiskId] = true end
  end
  return set
end

--- Makes a reader that asks for the pairs of a region once, and only if it has to.
---@param client alicloud.Client
---@param region string
---@return fun(): table<string, boolean>|nil, string?
function M.protected(client, region)
  local known, set, fault = false, nil, nil
  return function()
    if not known then
      known, set, fault = true, read_protected(client, region)
    end
    return set, fault
  end
end

local function data_disks(client, region, instance)
  local records, err = pages.all(client, "ecs:DescribeDisks", { RegionId = region,
    InstanceId = instance, DiskType = "data", MaxResults = PAGE },
    { region = region, deadline = DEADLINE })
  if not records then return nil, err.code end
  local ids = {}
  for _, record in ipairs(records) do
    if type(record.DiskId) == "string" and record.Type ~= "system" then
      ids[#ids + 1] = record.DiskId
    end
  end
  table.sort(ids)
  return ids
end

local function own_disks(snapshot)
  local set = {}
  for _, pair in ipairs(snapshot.pairs) do
    if pair.source_disk then set[pair.source_disk] = true end
  end
  return set
end

local function add_unknown_to(found, ids, own, host)
  for _, id in ipairs(ids) do
    if not own[id] then found[#found + 1] = { disk = id, instance = host.id, name = host.name } end
  end
end

--- The disks of the source's instances that no pair replicates.
---@param client alicloud.Client
---@param snapshot alicloud.dr.Snapshot
---@param protected fun(): table<string, boolean>|nil, string? see `protected`
---@return { disk: string, instance: string, name: string? }[]|nil
---@return string? why it cannot be told
function M.of(client, snapshot, protected)
  local side = attachment.of_side_at_once(client, snapshot, "from")
  if side.err then return nil, side.why end
  local candidates, own = {}, own_disks(snapshot)
  for _, host in ipairs(hosts.of(side.disks)) do
    local ids, fault = data_disks(client:outlasting { seconds = 0 }, side.region, host.id)
    if not ids then return nil, ("disks of %s: %s"):format(host.id, fault) end
    add_unknown_to(candidates, ids, own, host)
  end
  if #candidates == 0 then return candidates end
  local set, fault = protected()
  if not set then return nil, "pairs: " .. fault end
  local found = {}
  for _, candidate in ipairs(candidates) do
    if not set[candidate.disk] then found[#found + 1] = candidate end
  end
  return found
end

return M
