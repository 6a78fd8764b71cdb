--- Simulates the changes of a plan. A change that a plan does not send is applied here, at once and
--- always with success; later answers of the service are changed to show its effect. So a verb, and
--- the playbook after it, continue as in a run.

local tables = require "alicloud.base.tables"

local M = {}

---@class alicloud.dr.Imagined
---@field now number unix seconds by the server's clock, of the newest answer
---@field groups table<string, table> changed fields of groups, by id
---@field pairs table<string, table> changed fields of pairs without a group, by id
---@field disks table<string, { instance: string, is_attached: boolean }[]> changes by disk, in
---order
---@field instances table<string, table> changed fields of instances, by id
---@field drills table<string, table> by id of the drill
---@field point integer unix seconds, the newest simulated recovery point
---@field drill_count integer
---@field members table<string, table[]> records of the pairs of groups, as they were read
local Imagined = {}
Imagined.__index = Imagined

---@return alicloud.dr.Imagined
function M.new()
  return setmetatable({ now = 0, groups = {}, pairs = {}, disks = {}, instances = {}, drills = {},
    members = {}, drill_count = 0, point = 0 }, Imagined)
end

local function put(records, id, fields)
  records[id] = tables.merged(records[id], fields)
end

-- Changes a group, or a pair without a group. The pairs of a group show the fields of the group.
local function put_unit(world, params, fields)
  if params.ReplicaGroupId then put(world.groups, params.ReplicaGroupId, fields) end
  if params.ReplicaPairId then put(world.pairs, params.ReplicaPairId, fields) end
  return {}
end

local function unit_of(world, params)
  return world.groups[params.ReplicaGroupId] or world.pairs[params.ReplicaPairId] or {}
end

local function failover(world, params)
  return put_unit(world, params, { Status = "failovered" })
end

local function reprotect(world, params)
  local turned = unit_of(world, params).turned == true
  if params.ReverseReplicate ~= false then turned = not turned end
  return put_unit(world, params, { Status = "stopped", turned = turned })
end

-- Each recovery point is newer than the call, and than the one before it.
local function start(world, params)
  world.point = math.max(world.point + 1, math.ceil(world.now) + 1)
  return put_unit(world, params, { Status = params.OneShot == true and "stopped" or "normal",
    LastRecoverPoint = world.point })
end

local function stop(world, params)
  return put_unit(world, params, { Status = "stopped" })
end

local function start_drill(world, params)
  world.drill_count = world.drill_count + 1
  local id = ("drill-planned-%d"):format(world.drill_count)
  local disks = {}
  for i, pair in ipairs(world.members[params.GroupId] or {}) do
    disks[i] = { PairId = pair.ReplicaPairId, DrillDiskStatus = "created",
      DrillDiskId = ("d-planned-%d-%d"):format(world.drill_count, i) }
  end
  world.drills[id] = { DrillId = id, GroupId = params.GroupId, Status = "executed",
    StartAt = math.floor(world.now), PairsInfo = disks }
  return { DrillId = id }
end

local function clear_drill(world, params)
  world.drills[params.DrillId] = { GroupId = params.GroupId, gone = true }
  return {}
end

-- Keeps attachments and detachments in their order; they are applied to records that are read.
local function move_disk(is_attached)
  return function(world, params)
    local moves = world.disks[params.DiskId] or {}
    world.disks[params.DiskId] = moves
    moves[#moves + 1] = { instance = params.InstanceId, is_attached = is_attached }
    return {}
  end
end

local function power(status)
  return function(world, params)
    put(world.instances, params.InstanceId, { Status = status })
    return {}
  end
end

local CHANGES = {
  ["ebs:FailoverDiskReplicaGroup"] = failover, ["ebs:FailoverDiskReplicaPair"] = failover,
  ["ebs:ReprotectDiskReplicaGroup"] = reprotect, ["ebs:ReprotectDiskReplicaPair"] = reprotect,
  ["ebs:StartDiskReplicaGroup"] = start, ["ebs:StartDiskReplicaPair"] = start,
  ["ebs:StopDiskReplicaGroup"] = stop, ["ebs:StopDiskReplicaPair"] = stop,
  ["ebs:StartReplicaGroupDrill"] = start_drill, ["ebs:ClearReplicaGroupDrill"] = clear_drill,
  ["ecs:AttachDisk"] = move_disk(true), ["ecs:DetachDisk"] = move_disk(false),
  ["ecs:StartInstance"] = power "Running", ["ecs:StopInstance"] = power "Stopped",
}

--- Simulates a change.
---@param operation string e.g. "ebs:FailoverDiskReplicaGroup"
---@param params table
---@return table|nil answer nil: this operation is not simulated
function Imagined:change(operation, params)
  local change = CHANGES[operation]
  return change and change(self, params) or nil
end

local SIDES = {
  { "SourceRegionId", "DestinationRegionId" }, { "SourceRegion", "DestinationRegion" },
  { "SourceZoneId", "DestinationZoneId" }, { "SourceDiskId", "DestinationDiskId" },
}

local function show_unit(record, fields)
  if not fields then return end
  record.Status = fields.Status or record.Status
  record.LastRecoverPoint = fields.LastRecoverPoint or record.LastRecoverPoint
  if not fields.turned then return end
  for _, names in ipairs(SIDES) do
    local one, other = names[1], names[2]
    record[one], record[other] = record[other], record[one]
  end
end

local function show_groups(world, list)
  for _, record in ipairs(list) do show_unit(record, world.groups[record.ReplicaGroupId]) end
end

local function show_pairs(world, list, params)
  local group = params.ReplicaGroupId
  if group then
    local before = params.NextToken and world.members[group] or {}
    world.members[group] = table.move(list, 1, #list, #before + 1, before)
  end
  for _, record in ipairs(list) do
    show_unit(record, world.groups[record.ReplicaGroupId] or world.pairs[record.ReplicaPairId])
  end
end

local function show_drills(world, list, params)
  for i = #list, 1, -1 do
    local known = world.drills[list[i].DrillId]
    if known and known.gone then table.remove(list, i) end
  end
  for _, id in ipairs(tables.keys(world.drills)) do
    local drill = world.drills[id]
    if drill.GroupId == params.GroupId and not drill.gone then list[#list + 1] = drill end
  end
end

local function hosts_of(record)
  local set, inner = {}, type(record.Attachments) == "table" and record.Attachments.Attachment
  for _, entry in ipairs(type(inner) == "table" and inner or {}) do
    if entry.InstanceId then set[entry.InstanceId] = true end
  end
  if record.InstanceId and record.InstanceId ~= "" then set[record.InstanceId] = true end
  return set
end

local function show_disk(record, moves)
  local set, list = hosts_of(record), {}
  for _, move in ipairs(moves) do set[move.instance] = move.is_attached or nil end
  for i, instance in ipairs(tables.keys(set)) do list[i] = { InstanceId = instance } end
  record.InstanceId = #list == 1 and list[1].InstanceId or ""
  record.Attachments = { Attachment = list }
  record.Status = #list > 0 and "In_use" or "Available"
end

-- Adds the destination disks of groups that were opened by the plan: the service need not list such
-- disks before a failover.
local function add_opened(world, list, params)
  local wanted = tables.set(type(params.DiskIds) == "table" and params.DiskIds or nil)
  for _, record in ipairs(list) do wanted[record.DiskId] = nil end
  for group, members in pairs(world.members) do
    local is_open = (world.groups[group] or {}).Status == "failovered"
    for _, pair in ipairs(is_open and members or {}) do
      if wanted[pair.DestinationDiskId] and pair.DestinationRegion == params.RegionId then
        list[#list + 1] = { DiskId = pair.DestinationDiskId, Status = "Available",
          ZoneId = pair.DestinationZoneId }
      end
    end
  end
end

local function show_disks(world, list, params)
  add_opened(world, list, params)
  for _, record in ipairs(list) do
    local moves = world.disks[record.DiskId]
    if moves then show_disk(record, moves) end
  end
end

local function show_instances(world, list)
  for _, record in ipairs(list) do
    local fields = world.instances[record.InstanceId]
    if fields then record.Status = fields.Status end
  end
end

local READS = {
  ["ebs:DescribeDiskReplicaGroups"] = { "ReplicaGroups", show_groups },
  ["ebs:DescribeDiskReplicaPairs"] = { "ReplicaPairs", show_pairs },
  ["ebs:DescribeReplicaGroupDrills"] = { "Drills", show_drills },
  ["ecs:DescribeDisks"] = { "Disks.Disk", show_disks },
  ["ecs:DescribeInstances"] = { "Instances.Instance", show_instances },
}

--- Changes an answer of the service to what it would be after the simulated changes.
---@param operation string
---@param params table
---@param answer table changed in place
---@param server_time number? unix seconds
function Imagined:show(operation, params, answer, server_time)
  self.now = math.max(self.now, server_time or 0)
  local read = READS[operation]
  local list = read and tables.at(answer, read[1])
  if type(list) == "table" then read[2](self, list, params) end
end

return M
