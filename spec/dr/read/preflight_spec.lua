-- What stands against a whole move is found before its first change.

local after = require "spec.dr.after_lab"
local helper = require "spec.helper"
local lab = require "spec.dr.lab"

local OLD, NEW = "cn-hangzhou/cn-hangzhou-g", "cn-shanghai/cn-shanghai-b"

local function look(bench, options)
  local report = assert(bench:group():preflight(options))
  assert.same({}, bench:ledger())
  return report
end

-- The first finding that stands against it.
local function obstacle(report)
  for _, finding in ipairs(report.findings) do
    if finding.verdict == "block" then return finding end
  end
end

local function refused(bench, options, code, words)
  local report = look(bench, options)
  assert.is_false(report.ok)
  local found = obstacle(report)
  assert.equal(code, found.code)
  assert.matches(words, found.fact)
  return found
end

local function planned(more)
  local options = { move = "planned", attach = "i-new" }
  for name, value in pairs(more or {}) do options[name] = value end
  return options
end

-- Another group has a disk on the machine that writes, and a third disk there is of no pair.
local function shared_world()
  local world = after.world()
  world.groups[2] = { id = "pg-bills", source = OLD, destination = NEW, status = "normal",
    recover_point_age = 60, pairs = { { source_disk = "d-bills" } } }
  for _, id in ipairs { "d-bills", "d-log" } do
    world.disks[#world.disks + 1] = { id = id, place = OLD, instance = "i-old" }
  end
  return world
end

describe("a preflight", function()
  it("of a way back takes no odd look for the direction, whichever it is", function()
    for odd = 1, 3 do
      local bench = after.open()
      bench.emu:hostile { odd_look = odd }
      assert.is_true(look(bench, { move = "failback", attach = "i-old" }).ok)
    end
  end)

  it("has nothing against a move of a group that is well", function()
    local report = look(after.new(), planned { max_rpo = "1h" })
    assert.is_true(report.ok)
    assert.same({}, report.notes)
    assert.is_true(look(after.new(), { move = "failover", attach = "i-new" }).ok)
    assert.is_true(look(after.open(), { move = "failback", attach = "i-old" }).ok)
  end)

  it("finds an instance that is not there, not there but here, elsewhere or locked", function()
    local near = refused(after.new(), planned { attach = "i-nwe" }, "InvalidInstanceId.NotFound",
      'i%-nwe is not listed in cn%-shanghai; did you mean "i%-new"%?')
    assert.matches("attach=", near.cure)
    refused(after.new(), planned { attach = "i-old" }, "InvalidInstanceId.NotFound",
      "i%-old is in cn%-hangzhou, the side that is left")
    refused(after.new(), planned { attach = "i-elsewhere" }, "ResourcesNotInSameZone",
      "i%-elsewhere is in cn%-shanghai%-e, the disks are in cn%-shanghai%-b")
    local world = after.world()
    world.instances[2].locked = true
    refused(lab.new { world = world }, planned(), "InstanceLockedForSecurity", "i%-new is locked")
  end)

  it("finds a disk that the side has not, and one that another instance has", function()
    refused(after.new(), planned { attach = { ["d-nwe-1"] = "i-new" } }, "InvalidDiskId.NotFound",
      'd%-nwe%-1 is no disk of the side that takes over; did you mean "d%-new%-1"%?')
    local world = after.world { status = "failovered", old = false }
    world.disks[3] = { id = "d-new-1", place = NEW, instance = "i-elsewhere" }
    refused(lab.new { world = world }, { move = "failover", attach = "i-new" },
      "InvalidDisk.InUse", "d%-new%-1 is on i%-elsewhere, not on i%-new")
  end)

  it("waits a minute for a failover after which a failback can begin", function()
    for _, seconds in ipairs { 40, 400 } do
      local bench = after.open()
      local began = bench.emu:now()
      after.edit(bench, function(action, _, body)
        local is_over = bench.emu:now() >= began + seconds
        local groups = action == "DescribeDiskReplicaGroups" and body.ReplicaGroups or {}
        for _, group in ipairs(groups) do
          group.Status = is_over and group.Status or "failovering"
        end
      end)
      assert.equal(seconds == 40, look(bench, { move = "failback", attach = "i-old" }).ok)
      assert.is_true(bench.emu:now() - began < 80)
    end
  end)

  it("believes no single look that shows a status from which a failback cannot begin", function()
    local bench, shown = after.open(), 0
    after.edit(bench, function(action, _, body)
      if action ~= "DescribeDiskReplicaGroups" or not body.ReplicaGroups[1] then return end
      shown = shown + 1
      if shown == 2 then body.ReplicaGroups[1].Status = "failovering" end
    end)
    assert.is_true(look(bench, { move = "failback", attach = "i-old" }).ok)
  end)

  it("judges the status for every step to come", function()
    for _, status in ipairs { "failovered", "failover_failed" } do
      refused(after.new { status = status, old = false }, planned(),
        "OperationDenied.InvalidStatus", "status " .. status .. ", but a planned move stops repl")
      assert.is_true(look(after.open(), { move = "failover" }).ok)
    end
    refused(after.new(), { move = "failback" }, "OperationDenied.InvalidStatus",
      "status normal, but a failback begins after a failover")
    assert.is_true(look(after.new { status = "stopped", old = false }, planned()).ok)
  end)

  it("refuses to copy onto disks that are attached", function()
    local world = after.world()
    world.disks[3] = { id = "d-new-1", place = NEW, instance = "i-new" }
    refused(lab.new { world = world }, planned(), "OperationDenied.StandbyDeviceAttached",
      "d%-new%-1 on i%-new")
    refused(after.new { status = "failovered" }, { move = "failback" }, "Client.OldSideInUse",
      "d%-old%-1 on i%-old")
  end)

  it("names whoever else is on an instance to be stopped, and wants a word for it", function()
    local bench = lab.new { world = shared_world() }
    local found = refused(bench, planned(), "Client.SharedInstance",
      "^i%-old also has d%-bills of pg%-bills, and would be stopped$")
    assert.matches("stop_shared=i%-old", found.cure)
    local report = look(bench, planned { stop_shared = { "i-old" } })
    assert.is_true(report.ok)
    assert.matches("not replicated, so not at the other side: d%-log on i%-old", report.notes[1])
    assert.matches("pg%-bills; stopped all the same", report.notes[2])
    -- A failover tries to fence, and is not held up.
    report = look(bench, { move = "failover" })
    assert.is_true(report.ok)
    assert.matches("pg%-bills, and so is not stopped", report.notes[2])
    refused(bench, { move = "failover", fence = "must" }, "Client.SharedInstance", "pg%-bills")
  end)

  it("is not held up by an old side that is dark, unless that has to be fenced", function()
    local dark = { events = { { at = 0, region = "cn-hangzhou", state = "blackhole" } } }
    local bench = after.new(nil, dark)
    local before = bench.client.loop.now()
    local report = look(bench, { move = "failover", old_side_for = "5s" })
    assert.is_true(report.ok)
    assert.matches("cn%-hangzhou could not be asked about the disks.*as far as it answers",
      report.notes[1])
    assert.is_true(bench.client.loop.now() - before < 6)
    assert.is_true(look(bench, { move = "failover", fence = "no" }).ok)
    assert.is_false(look(bench, { move = "failover", fence = "must" }).ok)
    assert.is_false(look(bench, planned()).ok)
  end)

  it("finds that reading instances is not permitted, before anything needs it", function()
    local faults = { after.fault("DescribeInstances", { error = { code = "Forbidden.RAM",
      status = 403 } }, "before", 99) }
    refused(after.new(nil, { faults = faults }), { move = "failover", attach = "i-new" },
      "Forbidden.RAM", "cn%-shanghai could not be asked about i%-new")
  end)

  it("waits for what passes, and tells it", function()
    local report = look(after.new { old = "Stopping" }, planned())
    assert.is_true(report.ok)
    assert.matches("i%-old is Stopping; it is waited for", report.notes[1])
  end)

  it("tells of drills that are open", function()
    local bench = after.new()
    assert(bench.client:call("ebs:StartReplicaGroupDrill", { GroupId = lab.ID }))
    local report = assert(bench:group():preflight { move = "failover" })
    assert.is_true(report.ok)
    assert.matches("open drills: drill %S+ is open: 2 pay%-as%-you%-go disks", report.notes[1])
  end)

  it("says what it is to be asked with", function()
    local group = after.new():group()
    assert.matches("option move: got nothing; allowed: \"failover\" or \"planned\"",
      helper.raised(group.preflight, group, {}))
    assert.matches('unknown option "fense"; did you mean "fence"',
      helper.raised(group.preflight, group, { move = "failover", fense = "no" }))
  end)
end)

describe("a fence", function()
  it("stops no instance that others use, unless it is named", function()
    local bench = lab.new { world = shared_world() }
    local _, err = bench:run "fence"
    assert.equal("Client.SharedInstance", err.code)
    assert.matches("i%-old also has d%-bills of pg%-bills", err.message)
    assert.same({}, bench:ledger())
    assert.equal("fenced", assert(bench:run("fence", { stop_shared = { "i-old" } })).outcome)
  end)
end)
