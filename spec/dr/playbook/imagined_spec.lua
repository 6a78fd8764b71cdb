-- What a plan's changes would have made of what is read.

local imagined = require "alicloud.dr.playbook.imagined"

local function groups(world)
  local answer = { ReplicaGroups = { { ReplicaGroupId = "pg-1", Status = "normal",
    LastRecoverPoint = 100, SourceRegionId = "a", DestinationRegionId = "b" },
    { ReplicaGroupId = "pg-2", Status = "normal" } } }
  world:show("ebs:DescribeDiskReplicaGroups", {}, answer, 1000.5)
  return answer.ReplicaGroups[1], answer.ReplicaGroups[2]
end

local function pairs_of(world)
  local answer = { ReplicaPairs = { { ReplicaPairId = "pair-1", ReplicaGroupId = "pg-1",
    Status = "normal", SourceRegion = "a", DestinationRegion = "b", SourceDiskId = "d-a",
    DestinationDiskId = "d-b", DestinationZoneId = "b-1" } } }
  world:show("ebs:DescribeDiskReplicaPairs", { ReplicaGroupId = "pg-1" }, answer)
  return answer.ReplicaPairs[1]
end

local function disk(world, id, record)
  local answer = { Disks = { Disk = { record } } }
  world:show("ecs:DescribeDisks", { RegionId = "b", DiskIds = { id } }, answer)
  return answer.Disks.Disk[1]
end

describe("an imagined world", function()
  local world

  before_each(function() world = imagined.new() end)

  local function change(operation, params)
    return world:change(operation, params)
  end

  it("shows a group and its pairs after a change, and no other", function()
    groups(world)
    assert.same({}, change("ebs:FailoverDiskReplicaGroup", { ReplicaGroupId = "pg-1" }))
    local one, other = groups(world)
    assert.same({ "failovered", "normal" }, { one.Status, other.Status })
    assert.equal("failovered", pairs_of(world).Status)
  end)

  it("turns the sides, and turns them back", function()
    for _, expected in ipairs { "b", "a" } do
      change("ebs:ReprotectDiskReplicaGroup", { ReplicaGroupId = "pg-1", ReverseReplicate = true })
      assert.equal(expected, groups(world).SourceRegionId)
      assert.equal(expected, pairs_of(world).SourceRegion)
    end
    change("ebs:ReprotectDiskReplicaGroup", { ReplicaGroupId = "pg-1", ReverseReplicate = false })
    assert.equal("a", groups(world).SourceRegionId)
    assert.equal("stopped", groups(world).Status)
  end)

  it("has a newer recovery point after each synchronization", function()
    groups(world)
    local points = {}
    for i, one_shot in ipairs { true, false } do
      change("ebs:StartDiskReplicaGroup", { ReplicaGroupId = "pg-1", OneShot = one_shot })
      points[i] = groups(world).LastRecoverPoint
      assert.equal(one_shot and "stopped" or "normal", groups(world).Status)
    end
    assert.is_true(points[1] > 1000.5 and points[2] > points[1])
  end)

  it("moves disks in the order of the calls", function()
    local function at(instance) return { InstanceId = instance, DiskId = "d-1" } end
    change("ecs:DetachDisk", at "i-1")
    local seen = disk(world, "d-1", { DiskId = "d-1", Status = "In_use", InstanceId = "i-1" })
    assert.same({ "Available", "" }, { seen.Status, seen.InstanceId })
    change("ecs:AttachDisk", at "i-2")
    seen = disk(world, "d-1", { DiskId = "d-1", Status = "In_use", InstanceId = "i-1" })
    assert.same({ "In_use", "i-2" }, { seen.Status, seen.InstanceId })
    seen = disk(world, "d-1", { DiskId = "d-1", Status = "In_use", InstanceId = "",
      Attachments = { Attachment = { { InstanceId = "i-1" }, { InstanceId = "i-3" } } } })
    assert.same({ { InstanceId = "i-2" }, { InstanceId = "i-3" } }, seen.Attachments.Attachment)
    change("ecs:StopInstance", { InstanceId = "i-2" })
    local answer = { Instances = { Instance = { { InstanceId = "i-2", Status = "Running" } } } }
    world:show("ecs:DescribeInstances", {}, answer)
    assert.equal("Stopped", answer.Instances.Instance[1].Status)
  end)

  it("lists disks that a failover opens, where the service has not listed them", function()
    pairs_of(world)
    assert.is_nil(disk(world, "d-b"))
    change("ebs:FailoverDiskReplicaGroup", { ReplicaGroupId = "pg-1" })
    assert.same({ DiskId = "d-b", Status = "Available", ZoneId = "b-1" }, disk(world, "d-b"))
  end)

  it("has a drill with a disk for each pair until it is cleared", function()
    pairs_of(world)
    local id = change("ebs:StartReplicaGroupDrill", { GroupId = "pg-1" }).DrillId
    local answer = { Drills = {} }
    world:show("ebs:DescribeReplicaGroupDrills", { GroupId = "pg-1" }, answer)
    assert.same({ id, "pair-1" }, { answer.Drills[1].DrillId,
      answer.Drills[1].PairsInfo[1].PairId })
    change("ebs:ClearReplicaGroupDrill", { GroupId = "pg-1", DrillId = id })
    world:show("ebs:DescribeReplicaGroupDrills", { GroupId = "pg-1" }, answer)
    assert.same({}, answer.Drills)
  end)

  it("does not know what other changes do", function()
    assert.is_nil(change("ebs:DeleteDiskReplicaGroup", { ReplicaGroupId = "pg-1" }))
  end)
end)
