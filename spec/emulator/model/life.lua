-- A whole life of a group, call by call: created, replicating, failed over, reversed, failed back,
-- rehearsed, and gone. Gives the transcript, byte for byte.

local caller = require "spec.emulator.caller"

local M = {}

local S, D = "cn-hangzhou", "cn-shanghai"
local ECS = { version = "2014-05-26" }

M.WORLD = {
  regions = { S, D },
  disks = {
    { id = "d-old", place = "cn-hangzhou/cn-hangzhou-g", instance = "i-old" },
    { id = "d-new", place = "cn-shanghai/cn-shanghai-b" },
  },
  instances = {
    { id = "i-old", place = "cn-hangzhou/cn-hangzhou-g" },
    { id = "i-new", place = "cn-shanghai/cn-shanghai-b", status = "Stopped" },
  },
}

local Life = {}
local life_mt = { __index = Life }

function Life:say(action, params, changes)
  local body, status, exchange = self.probe:call(action, params, changes)
  self.transcript[#self.transcript + 1] = ("%s %d %s"):format(action, status, exchange.body)
  assert(status == 200, self.transcript[#self.transcript])
  return body
end

function Life:group(region, site)
  local body = self:say("DescribeDiskReplicaGroups",
    { RegionId = region, Site = site, GroupIds = self.id })
  return body.ReplicaGroups[1]
end

function Life:act(action, region, more)
  local params = { RegionId = region, ReplicaGroupId = self.id }
  for name, value in pairs(more or {}) do params[name] = value end
  return self:say(action, params)
end

--- Lets time pass until the group has a status, and remembers the statuses on the way.
function Life:reach(status)
  for _ = 1, 200 do
    local group = self:group(D, "backup") or self:group(D, "production")
    if self.seen[#self.seen] ~= group.Status then self.seen[#self.seen + 1] = group.Status end
    if group.Status == status then return group end
    self.probe.emu:advance(4)
  end
  error("never became " .. status)
end

function Life:create()
  local places = { RegionId = S, SourceZoneId = "cn-hangzhou-g", DestinationRegionId = D,
    DestinationZoneId = "cn-shanghai-b" }
  self.id = self:say("CreateDiskReplicaGroup", places).ReplicaGroupId
  self:reach "created"
  places.DiskId, places.DestinationDiskId = "d-old", "d-new"
  self.pair = self:say("CreateDiskReplicaPair", places).ReplicaPairId
  self.probe.emu:advance(5)
  self:act("AddDiskReplicaPair", S, { ReplicaPairId = self.pair })
  self.probe.emu:advance(5)
  self:act("StartDiskReplicaGroup", S)
  self:reach "normal"
end

function Life:move_over()
  self:act("FailoverDiskReplicaGroup", D)
  self:reach "failovered"
  self:say("AttachDisk", { InstanceId = "i-new", DiskId = "d-new" }, ECS)
  self:say("StartInstance", { InstanceId = "i-new" }, ECS)
  self:say("DetachDisk", { InstanceId = "i-old", DiskId = "d-old" }, ECS)
  self.probe.emu:advance(20)
  self:act("ReprotectDiskReplicaGroup", D)
  self:reach "stopped"
  self:act("StartDiskReplicaGroup", D)
  self:reach "normal"
end

function Life:move_back()
  self:say("DetachDisk", { InstanceId = "i-new", DiskId = "d-new" }, ECS)
  self.probe.emu:advance(10)
  self:act("FailoverDiskReplicaGroup", S)
  self:reach "failovered"
  self:act("ReprotectDiskReplicaGroup", S)
  self:reach "stopped"
  self:act("StartDiskReplicaGroup", S)
  self:reach "normal"
end

function Life:rehearse()
  local drill = self:say("StartReplicaGroupDrill", { RegionId = D, GroupId = self.id }).DrillId
  self.probe.emu:advance(30)
  local one = { RegionId = D, GroupId = self.id, DrillId = drill }
  self.drill = self:say("DescribeReplicaGroupDrills", one).Drills[1]
  self:say("ClearReplicaGroupDrill", one)
  self.probe.emu:advance(15)
  self.drills_left = #self:say("DescribeReplicaGroupDrills", one).Drills
end

function Life:delete()
  self:act("StopDiskReplicaGroup", S)
  self:reach "stopped"
  self:act("RemoveDiskReplicaPair", S, { ReplicaPairId = self.pair })
  self.probe.emu:advance(5)
  self:say("DeleteDiskReplicaPair", { RegionId = S, ReplicaPairId = self.pair })
  self:act("DeleteDiskReplicaGroup", S)
  self.probe.emu:advance(5)
  self.groups_left = #self:say("DescribeDiskReplicaGroups", { RegionId = S }).ReplicaGroups
  self.pairs_left = #self:say("DescribeDiskReplicaPairs", { RegionId = S }).ReplicaPairs
end

--- Lives it.
---@param options table|nil  of `emulator.new`
function M.live(options)
  local given = { world = M.WORLD }
  for name, value in pairs(options or {}) do given[name] = value end
  local life = setmetatable({ probe = caller.new(given), transcript = {}, seen = {} }, life_mt)
  for _, chapter in ipairs { "create", "move_over", "move_back", "rehearse", "delete" } do
    life[chapter](life)
  end
  return life
end

return M
