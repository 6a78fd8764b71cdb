--- Finds the disks on the instances of a group that are not of the group. Stopping an instance
--- stops all that it serves, so disks of other groups are looked for before an instance is stopped.

local fields = require "alicloud.base.fields"
local formats = require "alicloud.base.formats"
local pages = require "alicloud.dr.read.pages"
local tables = require "alicloud.base.tables"

local M = {}

local PAGE = 100
local SITES = { "production", "backup" }

---@class alicloud.dr.Neighbour
---@field instance string
---@field disk string a disk on that instance which is not of the group
---@field pair string? the pair with that disk, on either side; nil: it is not replicated
---@field group string? the group of that pair; nil: it has none

local text = fields.text

-- The disks on an instance that are not of the group; system disks do not count.
local function foreign_disks(client, region, instance, own, options)
  local records, err = pages.all(client, "ecs:DescribeDisks",
    { RegionId = region, InstanceId = instance, MaxResults = PAGE }, options)
  if not records then return nil, err end
  local list = {}
  for _, record in ipairs(records) do
    local id = text(record.DiskId)
    if id and not own[id] and record.Type ~= "system" then
      list[#list + 1] = { instance = instance, disk = id }
    end
  end
  return list
end

local function pairs_by_disk(client, region, options)
  local by_disk = {}
  for _, site in ipairs(SITES) do
    local records, err = pages.all(client, "ebs:DescribeDiskReplicaPairs",
      { RegionId = region, Site = site, MaxResults = PAGE }, options)
    if not records then return nil, err end
    for _, record in ipairs(records) do
      for _, field in ipairs { "SourceDiskId", "DestinationDiskId" } do
        local disk = text(record[field])
        if disk then by_disk[disk] = record end
      end
    end
  end
  return by_disk
end

local function by_instance_and_disk(a, b)
  if a.instance ~= b.instance then return a.instance < b.instance end
  return a.disk < b.disk
end

--- The disks on some instances that are not of a group. Reads pairs only if there are such disks.
---@param client alicloud.Client
---@param region string of the instances
---@param instances string[]
---@param own table<string, true> the disks of the group
---@param deadline number? seconds for each list
---@return alicloud.dr.Neighbour[]|nil sorted by instance and disk
---@return alicloud.Error? err
function M.of(client, region, instances, own, deadline)
  local options, list = { region = region, deadline = deadline }, {}
  for _, instance in ipairs(instances) do
    local disks, err = foreign_disks(client, region, instance, own, options)
    if not disks then return nil, err end
    table.move(disks, 1, #disks, #list + 1, list)
  end
  if #list == 0 then return list end
  local by_disk, err = pairs_by_disk(client, region, options)
  if not by_disk then return nil, err end
  for _, neighbour in ipairs(list) do
    local record = by_disk[neighbour.disk] or {}
    neighbour.pair, neighbour.group = text(record.ReplicaPairId), text(record.ReplicaGroupId)
  end
  table.sort(list, by_instance_and_disk)
  return list
end

--- The instances with a disk of another group, or of a pair without one, except those in `named`.
---@param list alicloud.dr.Neighbour[]
---@param named string[]|string|nil instances that may be stopped all the same
---@return { words: string, instances: string[] }|nil nil if there are none
function M.shared(list, named)
  local allowed, parts, instances = tables.set(formats.ids(named)), {}, {}
  for _, neighbour in ipairs(list) do
    if neighbour.pair and not allowed[neighbour.instance] then
      parts[#parts + 1] = ("%s also has %s of %s"):format(neighbour.instance, neighbour.disk,
        neighbour.group or neighbour.pair)
      instances[neighbour.instance] = true
    end
  end
  return #parts > 0 and { words = table.concat(parts, ", "), instances = tables.keys(instances) }
    or nil
end

return M
