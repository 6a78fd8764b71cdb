-- Fencing the old side and serving on the new one: done by looking, refused by name, two finish
-- lines.

local after = require "spec.dr.after_lab"
local lab = require "spec.dr.lab"

local function calls(bench)
  local list = {}
  for _, effect in ipairs(bench:ledger()) do
    list[#list + 1] = ("%s %s"):format(effect.action, effect.disk or effect.instance)
  end
  return list
end

local function refused(bench, verb, options, code)
  local result, err = bench:run(verb, options)
  assert.is_nil(result)
  assert.equal(code, err.code)
  assert.equal("not_sent", err.outcome)
  assert.same({}, bench:ledger())
  return err
end

describe("fence", function()
  it("stops the instances of the old side and detaches its disks, once", function()
    local bench = after.new { status = "failovered" }
    local result = assert(bench:run "fence")
    assert.equal("fenced", result.outcome)
    assert.same({ "i-old" }, result.stopped)
    assert.same({ "d-old-1", "d-old-2" }, result.detached)
    assert.same({ "StopInstance i-old", "DetachDisk d-old-1", "DetachDisk d-old-2" }, calls(bench))
    assert.is_number(result.data_ready_at)
    assert.is_true(result.old_side_fenced_at > result.data_ready_at)
    assert.equal(3, #result.request_ids)
    assert.equal("already_fenced", assert(bench:run "fence").outcome)
    assert.equal(3, #calls(bench))
  end)

  it("reads all disks of a group, and of a machine, however many they are", function()
    local world = after.world()
    world.groups[1].pairs, world.disks = {}, {}
    for i = 1, 17 do
      local old = ("d-many-%02d"):format(i)
      world.groups[1].pairs[i] = { source_disk = old, destination_disk = old .. "-new" }
      world.disks[i] = { id = old, place = "cn-hangzhou/cn-hangzhou-g", instance = "i-old" }
    end
    world.disks[18] = { id = "d-z", place = "cn-hangzhou/cn-hangzhou-g", instance = "i-old" }
    world.pairs = { { id = "pair-z", source = "cn-hangzhou/cn-hangzhou-g", source_disk = "d-z",
      destination = "cn-shanghai/cn-shanghai-b", status = "normal" } }
    local bench = lab.new { world = world }
    local err = refused(bench, "fence", nil, "Client.SharedInstance")
    assert.matches("i%-old also has d%-z of pair%-z", err.message)
    assert.equal(17, #assert(bench:run("fence", { stop_shared = "i-old" })).detached)
  end)

  it("stops and detaches all of a disk that is attached to several", function()
    local world = after.world { status = "failovered" }
    world.disks[2].more_instances = { "i-old-2", "i-old-3" }
    for i = 2, 3 do
      world.instances[#world.instances + 1] = { id = "i-old-" .. i, name = "orders " .. i,
        place = world.disks[2].place, status = i == 2 and "Stopped" or "Running" }
    end
    local bench = lab.new { world = world }
    local asked
    refused(bench, "fence", { confirm = function(plan) asked = plan end }, "Client.NotConfirmed")
    assert.same({ "i-old", "i-old-3" }, { asked.stop[1].id, asked.stop[2].id })
    local result = assert(bench:run "fence")
    assert.same({ "i-old", "i-old-3" }, result.stopped)
    assert.same({ "d-old-1", "d-old-2" }, result.detached)
    assert.same({ "StopInstance i-old", "StopInstance i-old-3", "DetachDisk d-old-1",
      "DetachDisk d-old-2", "DetachDisk d-old-2", "DetachDisk d-old-2" }, calls(bench))
  end)

  it("is not done while one of several instances runs, and says which", function()
    local world = after.world { status = "failovered", old = "Stopped" }
    world.disks[1].more_instances = { "i-old-2" }
    world.instances[#world.instances + 1] = { id = "i-old-2", name = "other",
      place = world.disks[1].place, status = "Running" }
    local bench = lab.new { world = world }
    local serving = assert(bench:run("serve", { attach = "i-new" }))
    assert.is_false(serving.old_side_fenced)
    for _, demanded in ipairs { "stopped", "unknown" } do
      local result, err = bench:run("reprotect", { old_side = demanded })
      assert.is_nil(result)
      assert.equal("Client.OldSideInUse", err.code)
      assert.matches("d%-old%-1 on i%-old %(orders, Stopped%) and i%-old%-2 %(other, Running%)$",
        err.message)
    end
    world.instances[#world.instances] = nil
    refused(lab.new { world = world }, "fence", nil, "Client.OldSideUnknown")
  end)

  it("stops when somebody attaches the disk to one more instance meanwhile", function()
    local world = after.world { status = "failovered", old = "Stopped" }
    world.disks[1].more_instances = { "i-old-2" }
    world.instances[#world.instances + 1] = { id = "i-old-2", place = world.disks[1].place,
      status = "Stopped" }
    local bench = lab.new { world = world, faults = {
      after.fault("DetachDisk", { error = { status = 504, code = "RequestTimeout" } }) } }
    bench.emu:later(bench.emu:now() + 1, function()
      bench.emu.world.disk_by_id["d-old-1"].more_instances = { "i-old-2", "i-elsewhere" }
    end)
    local result, err = bench:run "fence"
    assert.is_nil(result)
    assert.matches("i%-elsewhere", tostring(err))
    assert.equal(0, after.effects(bench, "DetachDisk"))
  end)

  it("waits for a detach that is under way, and goes on with the other instances", function()
    local world = after.world { status = "failovered", old = "Stopped" }
    world.disks[1].status, world.disks[1].more_instances = "Detaching", { "i-old-2" }
    world.instances[#world.instances + 1] = { id = "i-old-2", place = world.disks[1].place,
      status = "Stopped" }
    local bench = lab.new { world = world }
    bench.emu:later(bench.emu:now() + 5, function()
      local disk = bench.emu.world.disk_by_id["d-old-1"]
      disk.status, disk.instance, disk.more_instances = "In_use", "i-old-2", nil
    end)
    local result = assert(bench:run "fence")
    assert.same({ "d-old-1", "d-old-2" }, result.detached)
    assert.is_true(result.elapsed < 60, result.elapsed)
  end)

  it("can leave the disks where they are", function()
    local bench = after.new()
    local result = assert(bench:run("fence", { detach = false }))
    assert.same({}, result.detached)
    assert.is_nil(result.data_ready_at)
    assert.same({ "StopInstance i-old" }, calls(bench))
  end)

  it("asks before anything is stopped", function()
    local bench, asked = after.new(), nil
    refused(bench, "fence", { confirm = function(plan) asked = plan end }, "Client.NotConfirmed")
    assert.equal("i-old", asked.stop[1].id)
    assert.equal(2, #asked.detach)
  end)

  it("does not call a side fenced of which nothing is known", function()
    local bench = after.new { status = "failovered" }
    bench.emu:region(lab.PRIMARY, "down")
    local err = refused(bench, "fence", nil, "Client.OldSideUnknown")
    assert.is_nil(err.old_side_fenced_at)
    local world = after.world { status = "failovered" }
    world.instances[1] = nil
    table.remove(world.instances, 1)
    refused(lab.new { world = { regions = world.regions, groups = world.groups,
      disks = world.disks } }, "fence", nil, "Client.OldSideUnknown")
  end)

  it("is refused at the primary site", function()
    refused(after.new(), "fence", { at = lab.PRIMARY },
      "OperationDenied.OperateNotAllowedForPrimary")
  end)

  it("tells how far it got when a disk cannot be detached", function()
    local bench = after.new(nil, { faults = {
      { match = { action = "DetachDisk", nth = 2 }, effect = lab.answer("Forbidden", 403) } } })
    local _, err = bench:run "fence"
    assert.equal("Forbidden", err.code)
    assert.equal("rejected", err.outcome)
    assert.same({ "i-old" }, err.done_so_far.stopped)
    assert.same({ "d-old-1" }, err.done_so_far.detached)
  end)

  it("believes only the look at the end: somebody may have attached a disk again", function()
    local world = after.world()
    -- Its second disk is detached from one instance after the other, when the first one is free.
    world.disks[2].more_instances = { "i-old-2" }
    world.instances[#world.instances + 1] = { id = "i-old-2", place = world.disks[2].place,
      status = "Stopped" }
    local bench = lab.new { world = world }
    bench.emu:later(bench.emu:now() + 36, function()
      local disk = bench.emu.world.disk_by_id["d-old-1"]
      assert.equal("Available", disk.status)
      disk.status, disk.instance = "In_use", "i-old"
    end)
    local result, err = bench:run "fence"
    assert.is_nil(result)
    assert.equal("Client.FenceUndone", err.code)
    assert.matches("d%-old%-1 on i%-old", err.message)
    assert.same({ "d-old-1", "d-old-2" }, err.done_so_far.detached)
  end)
end)

describe("one look at disks that is of before", function()
  -- The disks as they were at first are shown once more, after so many looks at them.
  local function stale_after(looks, changes)
    local bench = after.new(changes)
    local first, count = nil, 0
    after.edit(bench, function(action, region, body)
      if action ~= "DescribeDisks" or region ~= lab.PRIMARY then return end
      first, count = first or body.Disks, count + 1
      if count == looks then body.Disks = first end
    end)
    return bench, function() return count end
  end

  it("does not end a fence", function()
    local bench, count = stale_after(math.huge)
    assert(bench:run "fence")
    for looks = 2, count() do
      bench = stale_after(looks)
      local result, err = bench:run "fence"
      assert.is_table(result, ("%d: %s"):format(looks, tostring(err)))
      assert.equal(3, #calls(bench))
    end
  end)

  it("does not end an unfence", function()
    local bench, count = stale_after(math.huge)
    local fenced = assert(bench:run "fence")
    local before = count()
    assert(bench:run("unfence", { fenced = fenced }))
    for looks = before + 1, count() do
      bench = stale_after(looks)
      fenced = assert(bench:run "fence")
      local result, err = bench:run("unfence", { fenced = fenced })
      assert.is_table(result, ("%d: %s"):format(looks, tostring(err)))
      assert.equal("Running", bench.emu.world.instance_by_id["i-old"].status)
      assert.equal("i-old", bench.emu.world.disk_by_id["d-old-2"].instance)
    end
  end)

  it("does not show a service as up that is not", function()
    local bench, shown = after.open(), {}
    after.edit(bench, function(action, region, body)
      if region ~= lab.SECONDARY or shown[action] then return end
      shown[action] = true
      for _, disk in ipairs(action == "DescribeDisks" and body.Disks.Disk or {}) do
        disk.Status, disk.InstanceId = "In_use", "i-new"
      end
      for _, host in ipairs(action == "DescribeInstances" and body.Instances.Instance or {}) do
        host.Status = "Running"
      end
    end)
    assert.equal("serving", assert(bench:run("serve", { attach = "i-new" })).outcome)
    assert.equal("Running", bench.emu.world.instance_by_id["i-new"].status)
  end)

  it("does not show a side as fenced that is not", function()
    local bench = after.new()
    local count = 0
    after.edit(bench, function(action, region, body)
      if action ~= "DescribeDisks" or region ~= lab.PRIMARY then return end
      count = count + 1
      if count > 1 then return end
      for _, disk in ipairs(body.Disks.Disk) do disk.Status, disk.InstanceId = "Available", "" end
    end)
    local result = assert(bench:run "fence")
    assert.equal("fenced", result.outcome)
    assert.equal(3, #calls(bench))
    assert.equal("i-old", result.before[1].instance)
  end)
end)

describe("serve", function()
  it("attaches every secondary disk and starts the instance, once", function()
    local bench = after.open()
    local result = assert(bench:run("serve", { attach = "i-new" }))
    assert.equal("serving", result.outcome)
    assert.same({ "d-new-1", "d-new-2" }, result.attached)
    assert.same({ "i-new" }, result.started)
    assert.is_number(result.data_ready_at)
    assert.is_true(result.old_side_fenced)
    assert.equal("already_serving", assert(bench:run("serve", { attach = "i-new" })).outcome)
    assert.same({ "AttachDisk d-new-1", "AttachDisk d-new-2", "StartInstance i-new" },
      calls(bench))
  end)

  it("takes a disk that is attached to several, if the wanted instance is one of them", function()
    local world = after.world { status = "failovered", old = false }
    for i = 1, 2 do
      world.disks[#world.disks + 1] = { id = "d-new-" .. i, place = world.groups[1].destination,
        instance = "i-new", more_instances = { "i-third" } }
    end
    world.instances[#world.instances + 1] = { id = "i-third", place = world.groups[1].destination }
    local bench = lab.new { world = world }
    local result = assert(bench:run("serve", { attach = "i-third" }))
    assert.equal("already_serving", result.outcome)
    world.disks[3].instance = "i-third"
    world.disks[3].more_instances = { "i-fourth" }
    world.instances[#world.instances + 1] = { id = "i-fourth", place = world.disks[3].place }
    local err = refused(lab.new { world = world }, "serve", { attach = "i-new" },
      "InvalidDisk.InUse")
    assert.matches("d%-new%-1 on i%-fourth %(i%-fourth, Running%) and i%-third .*, not on i%-new$",
      err.message)
  end)

  it("follows a mapping, and names the disks that it leaves out", function()
    local bench = after.open()
    local result = assert(bench:run("serve", { attach = { ["d-new-2"] = "i-new" },
      start = false }))
    assert.same({ "d-new-1" }, result.unmapped)
    assert.same({ "AttachDisk d-new-2" }, calls(bench))
  end)

  it("tells apart an old side that is not fenced and one that is not known", function()
    local bench = after.new { status = "failovered" }
    assert.is_false(assert(bench:run("serve", { attach = "i-new" })).old_side_fenced)
    bench = after.new { status = "failovered" }
    bench.emu:region(lab.PRIMARY, "down")
    local result = assert(bench:run("serve", { attach = "i-new" }))
    assert.is_nil(result.old_side_fenced)
    assert.is_false(result.old_side.known)
  end)

  it("takes disks from a machine that is stopped, and from no other", function()
    local bench = after.open()
    local _, err = bench:run("serve", { attach = "i-sold-out" })
    assert.equal("OperationDenied.NoStock", err.code)
    local result = assert(bench:run("serve", { attach = "i-new" }))
    assert.same({ "d-new-1", "d-new-2" }, result.attached)
    assert.same({ "i-new" }, result.started)
    local others = bench:group()
    local _, in_use = others:serve { attach = "i-sold-out" }
    assert.equal("InvalidDisk.InUse", in_use.code)
  end)

  it("is refused before anything is sent", function()
    refused(after.new(), "serve", { attach = "i-new" }, "OperationDenied.InvalidStatus")
    refused(after.open(), "serve", { attach = { ["d-new-3"] = "i-new" } },
      "InvalidDiskId.NotFound")
    refused(after.open(), "serve", { attach = "i-nobody" }, "InvalidInstanceId.NotFound")
    refused(after.open(), "serve", { attach = "i-elsewhere" }, "ResourcesNotInSameZone")
    local world = after.world { status = "failovered" }
    world.disks[3] = { id = "d-new-2", place = "cn-shanghai/cn-shanghai-b",
      instance = "i-elsewhere" }
    local err = refused(lab.new { world = world }, "serve", { attach = "i-new" },
      "InvalidDisk.InUse")
    assert.matches("d%-new%-2 on i%-elsewhere", err.message)
  end)
end)

describe("calls without a token", function()
  local CALLS = { AttachDisk = "serve", StartInstance = "serve", StopInstance = "fence",
    DetachDisk = "fence" }

  for action, verb in pairs(CALLS) do
    for name, effect in pairs(after.DOUBTFUL) do
      for _, when in ipairs { "before", "after" } do
        it(("have one effect: %s, %s %s the work"):format(action, name, when), function()
          local bench = after.new({ status = "failovered" },
            { faults = { after.fault(action, effect, when) } })
          assert(bench:run(verb, verb == "serve" and { attach = "i-new" } or nil))
          local expected = (action == "AttachDisk" or action == "DetachDisk") and 2 or 1
          assert.equal(expected, after.effects(bench, action))
        end)
      end
    end

    it(("have one effect when it comes late: %s"):format(action), function()
      for _, seconds in ipairs { 3, 14, 40 } do
        local bench = after.new({ status = "failovered" },
          { faults = { after.fault(action, { apply_late = seconds }) } })
        assert(bench:run(verb, verb == "serve" and { attach = "i-new" } or nil))
        bench.emu:advance(500)
        local expected = (action == "AttachDisk" or action == "DetachDisk") and 2 or 1
        assert.equal(expected, after.effects(bench, action))
      end
    end)
  end
end)
