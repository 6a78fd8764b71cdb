-- The life of groups, pairs, drills, disks and instances: states, and the same bytes each time.

local caller = require "spec.emulator.caller"
local core = require "alicloud.core"
local life = require "spec.emulator.model.life"

local S, D = "cn-hangzhou", "cn-shanghai"
local ECS = { version = "2014-05-26" }

describe("a whole life", function()
  it("goes through the documented states, in both directions", function()
    local lived = life.live()
    assert.same({ "creating", "created", "initial_syncing", "normal",
      "failovering", "failovered", "reprotecting", "stopped", "syncing", "normal",
      "failovering", "failovered", "reprotecting", "stopped", "syncing", "normal",
      "stopping", "stopped" }, lived.seen)
    assert.equal("executed", lived.drill.Status)
    assert.equal("created", lived.drill.PairsInfo[1].DrillDiskStatus)
    assert.equal(0, lived.drills_left + lived.groups_left + lived.pairs_left)
  end)

  it("gives the same bytes twice, and others with another seed", function()
    local first, second = life.live(), life.live()
    assert.same(first.transcript, second.transcript)
    assert.same(first.probe.emu:ledger(), second.probe.emu:ledger())
    assert.are_not.same(first.transcript, life.live({ seed = 2 }).transcript)
  end)
end)

local function one(status, more)
  local about = { status = status, recover_point_age = status ~= "created" and 100 }
  for name, value in pairs(more or {}) do about[name] = value end
  return caller.new { world = caller.world(about) }
end

local function act(probe, action, region, more)
  local params = { RegionId = region, ReplicaGroupId = "pg-one" }
  for name, value in pairs(more or {}) do params[name] = value end
  return (probe:code(action, params))
end

-- The old primary still hangs on an instance that runs.
local function busy_world()
  local world = caller.world { status = "failovered", pairs = 1 }
  world.disks = { { id = "d-one-1-src", place = "cn-hangzhou/cn-hangzhou-g",
    instance = "i-old" } }
  world.instances = { { id = "i-old", place = "cn-hangzhou/cn-hangzhou-g" } }
  return world
end

describe("a group", function()
  it("is stopped again after a one-shot, with a new recovery point", function()
    local probe = one "stopped"
    assert.equal("ok", act(probe, "StartDiskReplicaGroup", S, { OneShot = "true" }))
    assert.equal("manual_syncing", probe.emu:group("pg-one").status)
    probe.emu:advance(60)
    assert.equal("stopped", probe.emu:group("pg-one").status)
    assert.equal(probe.emu:now(), probe.emu:group("pg-one").recover_point)
  end)

  it("may have another one-shot when more than half an RPO has passed", function()
    local probe = one "stopped"
    act(probe, "StartDiskReplicaGroup", S, { OneShot = "true" })
    probe.emu:advance(450)
    assert.equal("OperationDenied.ManualSyncLimit",
      act(probe, "StartDiskReplicaGroup", S, { OneShot = "true" }))
    probe.emu:advance(1)
    assert.equal("ok", act(probe, "StartDiskReplicaGroup", S, { OneShot = "true" }))
  end)

  it("drops the cycle in flight when it is stopped", function()
    local probe = one "normal"
    probe.emu:advance(700)
    act(probe, "StopDiskReplicaGroup", S)
    probe.emu:advance(2000)
    assert.equal(probe.emu:now() - 2700 - 100, probe:look("pg-one").LastRecoverPoint)
  end)

  it("keeps its direction when the failover is cancelled", function()
    local probe = one "failovered"
    assert.equal("ok", act(probe, "ReprotectDiskReplicaGroup", D, { ReverseReplicate = "false" }))
    probe.emu:advance(20)
    local seen = probe:look "pg-one"
    assert.equal("stopped", seen.Status)
    assert.equal(S, seen.SourceRegionId)
  end)

  it("swaps its sides and its disks when it is reversed, and keeps those of creation", function()
    local probe = one "failovered"
    act(probe, "ReprotectDiskReplicaGroup", D)
    probe.emu:advance(20)
    local body = probe:call("DescribeDiskReplicaPairs", { RegionId = D, ReplicaGroupId = "pg-one" })
    local pair = body.ReplicaPairs[1]
    assert.same({ D, S, S, D }, { pair.SourceRegion, pair.DestinationRegion, pair.PrimaryRegion,
      pair.StandbyRegion })
    assert.equal("d-one-1-dst", pair.SourceDiskId)
  end)

  it("shows syncing in the copying part of each cycle, where that part has a length", function()
    local world = caller.world { recover_point_age = 0 }
    world.timings = { cycle_sync = 100 }
    local probe = caller.new { world = world }
    local seen = {}
    for index, seconds in ipairs { 1, 798, 2, 98, 2, 798, 2 } do
      probe.emu:advance(seconds)
      seen[index] = probe:look("pg-one").Status
    end
    assert.same({ "normal", "normal", "syncing", "syncing", "normal", "normal", "syncing" }, seen)
  end)

  it("between two zones of one region has both records there, told apart by Site", function()
    local probe = one("normal", { destination = "cn-hangzhou/cn-hangzhou-h" })
    for _, site in ipairs { "production", "backup" } do
      local body = probe:call("DescribeDiskReplicaGroups", { RegionId = S, Site = site })
      assert.equal(1, #body.ReplicaGroups)
      assert.equal(site, body.ReplicaGroups[1].Site)
    end
    assert.equal("ok", act(probe, "FailoverDiskReplicaGroup", S))
    probe.emu:advance(50)
    assert.equal("ok", act(probe, "ReprotectDiskReplicaGroup", S))
    probe.emu:advance(20)
    assert.equal("cn-hangzhou-h", probe.emu:group("pg-one").source.zone)
  end)
end)

describe("membership", function()
  it("shows a little later than the answer, both ways", function()
    local world = caller.world { status = "stopped", pairs = 1 }
    world.pairs = { { id = "pair-new", status = "stopped", recover_point_age = 50,
      source = "cn-hangzhou/cn-hangzhou-g", destination = "cn-shanghai/cn-shanghai-b" } }
    local probe = caller.new { world = world }
    local counts = {}
    local function count() counts[#counts + 1] = probe:look("pg-one").PairNumber end
    act(probe, "AddDiskReplicaPair", S, { ReplicaPairId = "pair-new" })
    count()
    probe.emu:advance(5)
    count()
    act(probe, "RemoveDiskReplicaPair", S, { ReplicaPairId = "pair-new" })
    count()
    probe.emu:advance(5)
    count()
    assert.same({ 1, 2, 2, 1 }, counts)
  end)
end)

describe("disks and instances", function()
  it("keep a reversal waiting until the old primary is stopped or detached", function()
    local probe = caller.new { world = busy_world() }
    assert.equal("OperationDenied", act(probe, "ReprotectDiskReplicaGroup", D))
    assert.equal("ok", probe:code("StopInstance", { InstanceId = "i-old" }, ECS))
    assert.equal("OperationDenied", act(probe, "ReprotectDiskReplicaGroup", D))
    probe.emu:advance(15)
    assert.equal("ok", act(probe, "ReprotectDiskReplicaGroup", D))
    probe.emu:advance(20)
    assert.equal("OperationDenied.StandbyDeviceAttached", act(probe, "StartDiskReplicaGroup", D))
  end)

  it("refuse what ECS refuses, each code from its cause", function()
    local world = caller.world { pairs = 1 }
    local place = "cn-shanghai/cn-shanghai-b"
    world.instances = { { id = "i-run", place = place },
      { id = "i-off", place = place, status = "Stopped" },
      { id = "i-locked", place = place, locked = true },
      { id = "i-sold", place = place, status = "Stopped", no_stock = true },
      { id = "i-wait", place = place, status = "Starting" }, { id = "i-full", place = place },
      { id = "i-far", place = "cn-hangzhou/cn-hangzhou-g" } }
    world.disks = { { id = "d-free", place = place }, { id = "d-new", place = place,
      status = "Creating" }, { id = "d-used", place = place, instance = "i-run" },
      { id = "d-root", place = place, type = "system" },
      { id = "d-going", place = place, instance = "i-run", status = "Detaching" },
      { id = "d-coming", place = place, instance = "i-run", status = "Attaching" },
      { id = "d-wait", place = place, instance = "i-wait" } }
    for number = 1, 64 do
      table.insert(world.disks, { id = "d-many-" .. number, place = place, instance = "i-full" })
    end
    local expected = {
      { "AttachDisk", "InvalidInstanceId.NotFound", "i-none", "d-free" },
      { "AttachDisk", "InvalidDiskId.NotFound", "i-run", "d-none" },
      { "AttachDisk", "InvalidDisk.InUse", "i-off", "d-used" },
      { "AttachDisk", "IncorrectDiskStatus", "i-run", "d-new" },
      { "AttachDisk", "ResourcesNotInSameZone", "i-far", "d-free" },
      { "AttachDisk", "DiskError", "i-run", "d-one-1-dst" },
      { "AttachDisk", "InstanceLockedForSecurity", "i-locked", "d-free" },
      { "AttachDisk", "IncorrectInstanceStatus", "i-run", "d-root" },
      { "AttachDisk", "IncorrectInstanceStatus", "i-wait", "d-free" },
      { "AttachDisk", "InstanceDiskLimitExceeded", "i-full", "d-free" },
      { "DetachDisk", "InvalidDisk.AlreadyDetached", "i-run", "d-free" },
      { "DetachDisk", "DependencyViolation", "i-off", "d-used" },
      { "DetachDisk", "IncorrectDiskStatus", "i-run", "d-going" },
      { "DetachDisk", "IncorrectDiskStatus", "i-run", "d-coming" },
      { "DetachDisk", "IncorrectInstanceStatus", "i-wait", "d-wait" },
      { "DetachDisk", "InvalidDiskId.NotFound", "i-run", "d-none" },
      { "StartInstance", "IncorrectInstanceStatus", "i-run" },
      { "StartInstance", "OperationDenied.NoStock", "i-sold" },
      { "StopInstance", "IncorrectInstanceStatus", "i-off" },
      { "StopInstance", "InvalidInstanceId.NotFound", "i-none" },
    }
    local probe = caller.new { world = world }
    for _, row in ipairs(expected) do
      local code = probe:code(row[1], { InstanceId = row[3], DiskId = row[4] }, ECS)
      assert.equal(row[2], code, table.concat(row, " "))
    end
    assert.equal("DryRunOperation",
      (probe:code("StartInstance", { InstanceId = "i-off", DryRun = "true" }, ECS)))
    assert.same({}, probe.emu:ledger())
  end)

  it("take a disk as long as there is room for it", function()
    local place = "cn-shanghai/cn-shanghai-b"
    local world = caller.world { pairs = 1 }
    world.instances = { { id = "i-full", place = place } }
    world.disks = { { id = "d-free", place = place }, { id = "d-next", place = place } }
    for number = 1, 63 do
      table.insert(world.disks, { id = "d-many-" .. number, place = place, instance = "i-full" })
    end
    local probe = caller.new { world = world }
    local function attach(disk)
      return (probe:code("AttachDisk", { InstanceId = "i-full", DiskId = disk }, ECS))
    end
    assert.equal("ok", attach "d-free")
    assert.equal("InstanceDiskLimitExceeded", attach "d-next")
    assert.equal("ok",
      (probe:code("DetachDisk", { InstanceId = "i-full", DiskId = "d-many-7" }, ECS)))
    assert.equal("InstanceDiskLimitExceeded", attach "d-next")
    probe.emu:advance(10)
    assert.equal("ok", attach "d-next")
  end)

  it("are listed by id, status and page, and move through their states", function()
    local probe = caller.new()
    probe:code("StartInstance", { InstanceId = "i-orders-sh" }, ECS)
    local function state()
      local body = probe:call("DescribeInstances", { RegionId = D,
        InstanceIds = core.encode(core.array { "i-orders-sh" }) }, ECS)
      return body.Instances.Instance[1].Status
    end
    assert.equal("Starting", state())
    probe.emu:advance(15)
    assert.equal("Running", state())
    local body = probe:call("DescribeDisks", { RegionId = S, InstanceId = "i-orders-hz",
      PageSize = "2" }, { version = ECS.version, host = "ecs.cn-hangzhou.aliyuncs.com" })
    assert.same({ 2, 3 }, { #body.Disks.Disk, body.TotalCount })
    assert.equal("In_use", body.Disks.Disk[1].Status)
  end)
end)

describe("an assumption that is switched", function()
  it("lets a reversal pass while the old primary is busy", function()
    local probe = caller.new { world = busy_world(), assume = { busy_primary = "allow" } }
    assert.equal("ok", act(probe, "ReprotectDiskReplicaGroup", D))
  end)

  it("lets a pair be deleted at either side", function()
    local world = { pairs = { { id = "pair-a", source = "cn-hangzhou/cn-hangzhou-g",
      destination = "cn-shanghai/cn-shanghai-b", status = "stopped" } } }
    local probe = caller.new { world = world }
    local question = { RegionId = D, ReplicaPairId = "pair-a" }
    assert.equal("OperationDenied", (probe:code("DeleteDiskReplicaPair", question)))
    probe.emu:assume { delete_side = "either" }
    assert.equal("ok", (probe:code("DeleteDiskReplicaPair", question)))
  end)

  it("takes the ClientToken of drill and tag operations for nothing", function()
    for value, ids in pairs { heed = 1, ignore = 2 } do
      local probe = caller.new { world = caller.world { pairs = 1 },
        assume = { token_everywhere = value } }
      local question = { RegionId = D, GroupId = "pg-one", ClientToken = "same" }
      local seen, count = {}, 0
      for _ = 1, 2 do
        local id = probe:call("StartReplicaGroupDrill", question).DrillId
        if id and not seen[id] then seen[id], count = true, count + 1 end
        probe.emu:advance(60)
      end
      assert.equal(ids, count)
      assert.equal(ids, #probe.emu:ledger())
      assert.equal("ok", (probe:failover("pg-one", "token")))
      assert.equal("ok", (probe:failover("pg-one", "token")))
      assert.equal(ids + 1, #probe.emu:ledger())
    end
  end)

  it("says when a secondary disk can be attached", function()
    for value, expected in pairs {
      idle = { normal = "DiskError", stopped = "ok", failovered = "ok" },
      failovered = { normal = "DiskError", stopped = "DiskError", failovered = "ok" },
      any = { normal = "ok", stopped = "ok", failovered = "ok" },
    } do
      for status, code in pairs(expected) do
        local world = caller.world { status = status, pairs = 1 }
        world.instances = { { id = "i-new", place = "cn-shanghai/cn-shanghai-b" } }
        local probe = caller.new { world = world, assume = { attach_secondary = value } }
        assert.equal(code, (probe:code("AttachDisk",
          { InstanceId = "i-new", DiskId = "d-one-1-dst" }, ECS)), value .. " " .. status)
      end
    end
  end)
end)

describe("a drill", function()
  it("cannot be cleared while it runs, and stays when its disk is attached", function()
    local world = caller.world { pairs = 1 }
    world.instances = { { id = "i-test", place = "cn-shanghai/cn-shanghai-b" } }
    local probe = caller.new { world = world }
    local drill = probe:call("StartReplicaGroupDrill", { RegionId = D, GroupId = "pg-one" }).DrillId
    local one_drill = { RegionId = D, GroupId = "pg-one", DrillId = drill }
    local function look() return probe:call("DescribeReplicaGroupDrills", one_drill).Drills[1] end
    assert.equal("OperationDenied.InvalidStatus", (probe:code("ClearReplicaGroupDrill", one_drill)))
    probe.emu:advance(30)
    local disk = look().PairsInfo[1].DrillDiskId
    assert.equal("ok", (probe:code("AttachDisk", { InstanceId = "i-test", DiskId = disk }, ECS)))
    probe.emu:advance(5)
    probe:code("ClearReplicaGroupDrill", one_drill)
    assert.equal("clearing", look().Status)
    probe.emu:advance(15)
    assert.equal("clear_failed", look().Status)
    probe:code("DetachDisk", { InstanceId = "i-test", DiskId = disk }, ECS)
    probe.emu:advance(10)
    assert.equal("ok", (probe:code("ClearReplicaGroupDrill", one_drill)))
    probe.emu:advance(15)
    assert.is_nil(look())
    assert.equal("normal", probe:look("pg-one").Status)
  end)
end)
