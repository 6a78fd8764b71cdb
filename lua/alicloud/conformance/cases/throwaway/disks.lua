--- Checks that the disks of a throwaway run may be overwritten, before anything is changed.

local errors = require "alicloud.base.error"
local labs = require "alicloud.conformance.lab"

local M = {}

local LIMIT_GIB = 40
local COUNT = 3

---@class alicloud.conformance.DiskPair
---@field source string
---@field destination string

local function call(probe, action, params)
  local answer, err = probe:call(action, params, { region = params.RegionId })
  if not answer then
    error(("%s in %s: %s"):format(action, params.RegionId, errors.text_of(err)), 0)
  end
  return answer
end

local function wanted_ids(disks)
  local ids, seen = {}, {}
  for _, pair in ipairs(disks) do
    for _, id in ipairs { pair.source, pair.destination } do
      if seen[id] then return nil, ("disk %s is named twice"):format(id) end
      seen[id] = true
      ids[#ids + 1] = id
    end
  end
  return ids
end

local function regions_of(probe, lab)
  local list, seen = { lab.region }, { [lab.region] = true }
  for _, region in ipairs(call(probe, "ebs:DescribeRegions", { RegionId = lab.region }).Regions) do
    if not seen[region.RegionId] then list[#list + 1] = region.RegionId end
    seen[region.RegionId] = true
  end
  return list
end

-- Looks in the region of the run first, in others only while a disk is missing.
local function find_disks(probe, lab, ids)
  local found, missing = {}, #ids
  for _, region in ipairs(regions_of(probe, lab)) do
    local list = call(probe, "ecs:DescribeDisks", { RegionId = region, DiskIds = ids })
    for _, disk in ipairs(list.Disks.Disk) do
      disk.RegionId = region
      if not found[disk.DiskId] then missing = missing - 1 end
      found[disk.DiskId] = disk
    end
    if missing == 0 then break end
  end
  for _, id in ipairs(ids) do
    if not found[id] then return nil, ("there is no disk %s in any region"):format(id) end
  end
  return found
end

local function is_attached(disk)
  local list = type(disk.Attachments) == "table" and disk.Attachments.Attachment
  return disk.Status ~= "Available" or labs.text(disk.InstanceId) ~= nil or list and #list > 0
end

local function kind_of(disk)
  return ("%s %s, %d GiB"):format(disk.Category, labs.text(disk.PerformanceLevel) or "", disk.Size)
end

local function snapshot_count(probe, disk)
  local answer = call(probe, "ecs:DescribeSnapshots",
    { RegionId = disk.RegionId, DiskId = disk.DiskId })
  return answer.TotalCount or #answer.Snapshots.Snapshot
end

local function disk_problem(probe, disk, like)
  local id = disk.DiskId
  if is_attached(disk) then return ("disk %s is attached (%s)"):format(id, disk.Status) end
  if disk.Type == "system" then return ("disk %s is a system disk"):format(id) end
  if disk.Size > LIMIT_GIB then
    return ("disk %s has %d GiB; at most %d"):format(id, disk.Size, LIMIT_GIB)
  end
  if kind_of(disk) ~= kind_of(like) then
    return ("disk %s is %s, disk %s is %s; all must be alike"):format(id, kind_of(disk),
      like.DiskId, kind_of(like))
  end
  if snapshot_count(probe, disk) > 0 then return ("disk %s has snapshots"):format(id) end
end

local function place(disk) return { region = disk.RegionId, zone = disk.ZoneId } end

local function sides(disks, found)
  local first = disks[1]
  local source, destination = place(found[first.source]), place(found[first.destination])
  for _, pair in ipairs(disks) do
    for side, at in pairs { source = source, destination = destination } do
      local disk = found[pair[side]]
      if disk.RegionId ~= at.region or disk.ZoneId ~= at.zone then
        return nil, ("disk %s is in %s; all %s disks must be in one zone"):format(pair[side],
          disk.ZoneId, side)
      end
    end
  end
  if source.region == destination.region then
    return nil, "both sides are in one region; what a side is called shows between regions only"
  end
  return source, destination
end

-- Looks for a pair with a disk of the run, among all pairs of the account at a region and site.
local function paired_disk(probe, region, site, found)
  local token
  repeat
    local answer = call(probe, "ebs:DescribeDiskReplicaPairs",
      { RegionId = region, Site = site, MaxResults = 100, NextToken = token })
    for _, pair in ipairs(answer.ReplicaPairs) do
      for _, id in ipairs { pair.SourceDiskId, pair.DestinationDiskId } do
        if found[id] then return ("disk %s is in pair %s"):format(id, pair.ReplicaPairId) end
      end
    end
    token = labs.text(answer.NextToken)
  until not token
end

local function examine(probe, lab, disks)
  local ids, problem = wanted_ids(disks)
  if not ids then return nil, problem end
  local found
  found, problem = find_disks(probe, lab, ids)
  if not found then return nil, problem end
  for _, id in ipairs(ids) do
    problem = disk_problem(probe, found[id], found[ids[1]])
    if problem then return nil, problem end
  end
  local source, destination = sides(disks, found)
  if not source then return nil, destination end
  for _, at in ipairs { source, destination } do
    for _, site in ipairs { "production", "backup" } do
      problem = paired_disk(probe, at.region, site, found)
      if problem then return nil, problem end
    end
  end
  return { source = source, destination = destination }
end

--- Checks the disks of a run and plans its life.
---@param probe alicloud.conformance.Probe
---@param lab table disks = list of { source, destination }, instance_source, instance_target
---@return alicloud.conformance.LabPlan|nil
---@return string? problem why the disks cannot be used; nothing was changed
function M.plan(probe, lab)
  local disks = lab.disks or {}
  if #disks ~= COUNT then
    return nil, ("the throwaway tier needs %d pairs of disks, got %d"):format(COUNT, #disks)
  end
  local places, problem = examine(probe, lab, disks)
  if not places then return nil, problem end
  local list = {}
  for i, pair in ipairs(disks) do
    list[i] = { source = pair.source, destination = pair.destination }
  end
  return { run = probe.client.runtime.random_hex(4), disks = list, source = places.source,
    destination = places.destination, instance_source = lab.instance_source,
    instance_target = lab.instance_target }
end

return M
