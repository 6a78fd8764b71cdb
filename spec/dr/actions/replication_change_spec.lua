-- What is on its way when a change of a group is asked for is waited for, and nothing else.

local after = require "spec.dr.after_lab"
local lab = require "spec.dr.lab"

-- What is shown of the disks of a region for some seconds.
local function disks_for(bench, seconds, at, change)
  local began = bench.emu:now()
  after.edit(bench, function(action, region, body)
    if action ~= "DescribeDisks" or region ~= at or bench.emu:now() >= began + seconds then
      return
    end
    for _, disk in ipairs(body.Disks.Disk) do change(disk) end
  end)
  return bench
end

local function detaching(instance)
  return function(disk) disk.Status, disk.InstanceId = "Detaching", instance end
end

local function takes(bench, least, verb, options)
  local began = bench.emu:now()
  local result, err = bench:run(verb, options)
  assert.is_table(result, tostring(err))
  assert.is_true(bench.emu:now() - began >= least)
  return result
end

describe("a change of a group waits", function()
  it("for the disks of the old side that are being detached", function()
    local bench = disks_for(after.open(), 60, lab.PRIMARY, detaching "i-old")
    assert.equal("reprotected", takes(bench, 60, "reprotect").outcome)
    assert.matches("d%-old%-1", bench:event("waiting").reason)
  end)

  it("for disks that are to be copied onto and are being detached", function()
    local bench = disks_for(after.new { status = "stopped" }, 60, lab.SECONDARY,
      detaching "i-new")
    assert.equal("started", takes(bench, 60, "start").outcome)
  end)

  it("for a status that ends by itself", function()
    local bench = after.new { status = "stopped" }
    bench:put "stopping"
    local shown
    after.edit(bench, function(action)
      if action ~= "DescribeDiskReplicaGroups" then return end
      shown = (shown or 0) + 1
      if shown == 6 then bench:put "stopped" end
    end)
    assert.equal("started", takes(bench, 5, "start").outcome)
  end)

  -- The group as its primary site shows it for some time.
  local function lagging(bench, status)
    local began = bench.emu:now()
    after.edit(bench, function(action, region, body)
      if action == "DescribeDiskReplicaGroups" and region == lab.PRIMARY
        and bench.emu:now() < began + 90 then
        for _, group in ipairs(body.ReplicaGroups) do group.Status = status end
      end
    end)
    return bench
  end

  it("for a site that lags behind the other one", function()
    local bench = lagging(after.open(), "normal")
    assert.equal("reprotected", takes(bench, 90, "reprotect").outcome)
    assert.equal(1, after.effects(bench, "ReprotectDiskReplicaGroup"))
    takes(lagging(after.new { status = "syncing" }, "stopped"), 90, "await_recovery_point")
    bench = after.new()
    local fenced = assert(bench:run "fence")
    takes(lagging(bench, "stopped"), 90, "unfence", { fenced = fenced })
    assert.equal("Running", bench.emu.world.instance_by_id["i-old"].status)
  end)

  it("for a synchronization after which it can be started", function()
    local bench = after.new { status = "stopped" }
    bench.client:must("StartDiskReplicaGroup", { ReplicaGroupId = after.ID, OneShot = true })
    assert.equal("started", takes(bench, 30, "start").outcome)
  end)

  it("but not for a group that is being deleted", function()
    for _, verb in ipairs { "start", "stop", "reprotect" } do
      local bench = after.open()
      bench:put "deleting"
      local began = bench.emu:now()
      local _, err = bench:run(verb)
      assert.equal("OperationDenied.InvalidStatus", err.code)
      assert.equal("not_sent", err.outcome)
      assert.is_true(bench.emu:now() - began < 20)
    end
  end)

  it("but not for disks that stay attached", function()
    local bench = disks_for(after.open(), 60, lab.PRIMARY, function(disk)
      disk.Status, disk.InstanceId = "In_use", "i-old"
    end)
    local began = bench.emu:now()
    local _, err = bench:run "reprotect"
    assert.equal("Client.OldSideInUse", err.code)
    assert.is_true(bench.emu:now() - began < 20)
    assert.same({}, bench:ledger())
  end)

  it("no longer than its timeout", function()
    local bench = disks_for(after.open(), math.huge, lab.PRIMARY, detaching "i-old")
    local _, err = bench:run("reprotect", { timeout = 90 })
    assert.equal("Client.OldSideInUse", err.code)
    assert.equal("not_sent", err.outcome)
    assert.same({}, bench:ledger())
  end)
end)

describe("fence waits", function()
  for _, status in ipairs { "Starting", "Pending" } do
    it("for an instance that is " .. status, function()
      local bench = after.new { status = "failovered" }
      local began = bench.emu:now()
      after.edit(bench, function(action, region, body)
        if action ~= "DescribeInstances" or region ~= lab.PRIMARY
          or bench.emu:now() >= began + 45 then return end
        for _, instance in ipairs(body.Instances.Instance) do instance.Status = status end
      end)
      assert.same({ "i-old" }, takes(bench, 45, "fence").stopped)
    end)
  end

  -- A restart is no stop, and a detaching may fail.
  for status, action in pairs { Stopping = "DescribeInstances", Detaching = "DescribeDisks" } do
    it("for what is " .. status .. ", and does itself what comes to nothing", function()
      local bench = after.new { status = "failovered" }
      local began = bench.emu:now()
      after.edit(bench, function(asked, region, body)
        if asked ~= action or region ~= lab.PRIMARY or bench.emu:now() >= began + 30 then return end
        local list = action == "DescribeDisks" and body.Disks.Disk or body.Instances.Instance
        for _, record in ipairs(list) do record.Status = status end
      end)
      local result = takes(bench, 30, "fence")
      assert.same({ "i-old" }, result.stopped)
      assert.same({ "d-old-1", "d-old-2" }, result.detached)
      assert.equal(1, after.effects(bench, "StopInstance"))
      assert.equal(2, after.effects(bench, "DetachDisk"))
    end)
  end

  it("a moment for what a list lacks", function()
    local bench = after.new { status = "failovered" }
    local began = bench.emu:now()
    after.edit(bench, function(action, region, body)
      if action == "DescribeDisks" and region == lab.PRIMARY and bench.emu:now() < began + 8 then
        table.remove(body.Disks.Disk)
      end
    end)
    assert.same({ "d-old-1", "d-old-2" }, takes(bench, 8, "fence").detached)
  end)
end)

describe("clear_drill", function()
  it("believes a list that lacks the drill only after some looks", function()
    local bench = after.new()
    local made = assert(bench:run "start_drill")
    local looks = 0
    after.edit(bench, function(action, _, body)
      if action ~= "DescribeReplicaGroupDrills" then return end
      looks = looks + 1
      if looks <= 2 then body.Drills = {} end
    end)
    local group = bench:group()
    assert.equal("cleared", assert(group:clear_drill(made.drill_id)).outcome)
    assert.equal("not_open", assert(group:clear_drill(made.drill_id)).outcome)
  end)
end)
