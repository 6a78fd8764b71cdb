--- Finds disks that no pair replicates on instances whose other disks are replicated. After a
--- failover such an instance would come back without them.

local hosts = require "alicloud.dr.model.hosts"
local pages = require "alicloud.dr.read.pages"

local M = {}

-- Source: DescribeDiskReplicaPairs and DescribeDisks, MaxResults.
local LONGEST_PAGE, PAGE = 500, 100
local DEADLINE = 15

-- The source disks of every pair that has its secondary site in the region, of any group.
local function read_protected(client, region)
  local records, err = pages.all(client, "ebs:DescribeDiskReplicaPairs",
    { RegionId = region, Site = "backup", MaxResults = LONGEST_PAGE }, { region = region })
  if not records then return nil, err.code end
  local set = {}
  for _, record in ipairs(records) do
    if type(record.SourceDiskId) == "string" then set[record.SourceDiskId] = true end
  end
  return set
end

---@class alicloud.dr.ProtectionReader reads once, and only on demand, what many groups need
---@field client alicloud.Client
---@field region string of the secondary site
---@field pairs alicloud.Task? the task that reads the pairs, for all groups
---@field disks table<string, alicloud.Task> the tasks that read disks, by region and instance
local Reader = {}
Reader.__index = Reader

--- Makes a reader for the groups of a region.
---@param client alicloud.Client
---@param region string
---@return alicloud.dr.ProtectionReader
function M.reader(client, region)
  return setmetatable({ client = client, region = region, disks = {} }, Reader)
end

-- The set of disks that pairs of the region replicate; or nil and a code.
function Reader:protected()
  self.pairs = self.pairs or self.client.loop.spawn(read_protected, self.client, self.region)
  return self.pairs:result()
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

-- The ids of the data disks of an instance; or nil and a code.
function Reader:data_disks(region, instance)
  local key = region .. "/" .. instance
  self.disks[key] = self.disks[key]
    or self.client.loop.spawn(data_disks, self.client:outlasting { seconds = 0 }, region, instance)
  return self.disks[key]:result()
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
---@param reader alicloud.dr.ProtectionReader
---@param snapshot alicloud.dr.Snapshot
---@param side alicloud.dr.SideUse of its source
---@return { disk: string, instance: string, name: string? }[]|nil
---@return string? why it is not known
function M.of(reader, snapshot, side)
  if not side.known then return nil, side.why end
  local candidates, own = {}, own_disks(snapshot)
  for _, host in ipairs(hosts.of(side.disks)) do
    local ids, fault = reader:data_disks(side.region, host.id)
    if not ids then return nil, ("disks of %s: %s"):format(host.id, fault) end
    add_unknown_to(candidates, ids, own, host)
  end
  if #candidates == 0 then return candidates end
  local set, fault = reader:protected()
  if not set then return nil, "pairs: " .. fault end
  local found = {}
  for _, candidate in ipairs(candidates) do
    if not set[candidate.disk] then found[#found + 1] = candidate end
  end
  return found
end

return M
