-- Readiness of many groups: one line each, and never ok because nothing was read.

local after = require "spec.dr.after_lab"
local dr = require "alicloud.dr"
local lab = require "spec.dr.lab"
local readiness = require "alicloud.dr.read.readiness"
local region = require "spec.dr.read.region"

local world = region.world

local function judge(bench, options)
  local list = region.every_group(bench)
  return dr.readiness(list, options), list
end

local function one(group, options)
  group.id = "pg-a"
  local bench = lab.new { world = world { group } }
  local report = judge(bench, options)
  return report.lines[1], report, bench
end

describe("dr.group_ids", function()
  it("reads every page, of one site or of both", function()
    local groups = {}
    for i = 1, 130 do groups[i] = { id = ("pg-%03d"):format(i), pairs = 1 } end
    groups[131] = { id = "pg-back", pairs = 1, source = "cn-shanghai/cn-shanghai-b",
      destination = "cn-hangzhou/cn-hangzhou-g" }
    local bench = lab.new { world = world(groups) }
    assert.equal(130, #assert(dr.group_ids(bench.client, { site = "backup" })))
    assert.same({ "pg-back" }, dr.group_ids(bench.client, { site = "production" }))
    assert.equal(131, #assert(dr.group_ids(bench.client)))
    assert.same({}, bench:requests "DescribeDiskReplicaPairs")
  end)

  it("refuses a wrong filter, and tells a failure", function()
    local bench = lab.new()
    assert.error_matches(function() dr.group_ids(bench.client, { site = "spare" }) end,
      "option site")
    bench.emu:region(lab.SECONDARY, "down")
    local ids, err = dr.group_ids(bench.client)
    assert.is_nil(ids)
    assert.equal("network", err.kind)
  end)
end)

describe("dr.readiness", function()
  it("is ok for a group that could be failed over now", function()
    local line, report = one({}, { max_rpo = "20m" })
    assert.equal("ok", line.verdict)
    assert.equal(0, report.exit)
    assert.equal(300, math.floor(line.age))
    assert.matches("^ok    pg%-a  cn%-hangzhou/g → cn%-shanghai/b  normal  RPO 5m$",
      readiness.describe(line))
  end)

  it("fails where a failover would be refused or lose too much", function()
    local cases = {
      { { recover_point_age = 3000 }, "Client.RecoveryPointTooOld" },
      { { status = "created", recover_point_age = false }, "OperationDenied.InvalidStatus" },
      { { pairs = 0 }, "OperationDenied.NoPairInGroup" },
      { { pairs = { {}, { status = "stopped" } } }, "OperationDenied.PairGroupStatusConflict" },
    }
    for _, case in ipairs(cases) do
      local line, report = one(case[1], { max_rpo = "20m" })
      assert.equal("fail", line.verdict)
      assert.equal(2, report.exit)
      assert.equal(case[2], line.code)
    end
  end)

  it("warns where it would be taken, but nobody can be content", function()
    local cases = {
      { { status = "stopped" }, "Client.NotProtected", "replication is stopped" },
      { { status = "failovered" }, "Client.NotProtected", "reprotect" },
      { { recover_point_age = 2500 }, "Client.RecoveryPointTooOld", "declared RPO 15m" },
    }
    for _, case in ipairs(cases) do
      local line, report = one(case[1])
      assert.equal("warn", line.verdict)
      assert.equal(1, report.exit)
      assert.equal(case[2], line.code)
      assert.matches(case[3], readiness.describe(line))
    end
  end)

  it("warns of a drill that was forgotten", function()
    local bench = after.new()
    assert(bench:run "start_drill")
    assert.equal("ok", judge(bench, { max_drill_age = "1h" }).verdict)
    bench.emu:advance(7200)
    local report = judge(bench, { max_drill_age = "1h" })
    assert.equal("warn", report.verdict)
    assert.equal("Client.DrillOpen", report.lines[1].code)
    assert.matches("2 pay%-as%-you%-go disks are billed", readiness.describe(report.lines[1]))
  end)

  it("tells that it could not tell, and goes on with the next", function()
    local bench = lab.new { world = world { { id = "pg-a" }, { id = "pg-b" } } }
    local _, list = judge(bench)
    -- What could not be read together is read alone.
    bench.emu:fault { match = { action = "DescribeDiskReplicaPairs", count = 2 },
      effect = lab.answer("Forbidden", 403) }
    local report = dr.readiness(list)
    assert.equal("unknown", report.lines[1].verdict)
    assert.equal("Forbidden", report.lines[1].code)
    assert.equal("ok", report.lines[2].verdict)
    assert.same({ "unknown", 3 }, { report.verdict, report.exit })
    bench.emu:fault { match = { action = "DescribeDiskReplicaPairs", count = 2 },
      effect = lab.answer("Forbidden", 403) }
    report = dr.readiness({ list[1], list[2] }, { max_rpo = "1m" })
    assert.same({ "fail", 2 }, { report.verdict, report.exit })
  end)

  it("warns of a data disk that nothing replicates on an instance whose others are", function()
    local all = after.world()
    all.disks[3] = { id = "d-forgotten", place = "cn-hangzhou/cn-hangzhou-g", instance = "i-old" }
    all.disks[4] = { id = "d-system", place = "cn-hangzhou/cn-hangzhou-g", instance = "i-old",
      type = "system" }
    local bench = lab.new { world = all }
    local report = judge(bench)
    assert.same({ "warn", "Client.NotProtected" }, { report.verdict, report.lines[1].code })
    assert.equal(1, #report.lines[1].unprotected)
    assert.matches("disk d%-forgotten of i%-old %(orders%) is not replicated",
      readiness.describe(report.lines[1]))
  end)

  it("counts a disk that another group replicates, and asks for it once", function()
    local all = after.world { pairs = { { id = "pair-1", source_disk = "d-old-1",
      destination_disk = "d-new-1" } } }
    all.groups[2] = after.world({ id = "pg-b", pairs = { { id = "pair-2",
      source_disk = "d-old-2", destination_disk = "d-new-2" } } }).groups[1]
    local bench = lab.new { world = all }
    local report = judge(bench)
    assert.equal("ok", report.verdict)
    assert.same({}, report.lines[1].unprotected)
  end)

  it("does not depend on a side that cannot be looked at, and says so", function()
    local bench = after.new()
    bench.emu:region(lab.PRIMARY, "down")
    local report = judge(bench)
    assert.equal("ok", report.verdict)
    assert.matches("cn%-hangzhou could not be asked", report.lines[1].untold)
  end)

  it("does not call a side that was read in part free of such disks", function()
    local bench = after.new()
    local of = bench.emu.world
    for i = #of.instances, 1, -1 do
      if of.instances[i].id == "i-old" then table.remove(of.instances, i) end
    end
    of.instance_by_id["i-old"] = nil
    local line = judge(bench).lines[1]
    assert.is_nil(line.unprotected)
    assert.equal("instance i-old is not listed in cn-hangzhou", line.untold)
  end)

  it("covers a late pair that has no group", function()
    local all = after.world()
    all.pairs = { { id = "pair-lone", status = "normal", recover_point_age = 7200, rpo = 900,
      source = "cn-hangzhou/cn-hangzhou-g", destination = "cn-shanghai/cn-shanghai-b",
      source_disk = "d-lone-1", destination_disk = "d-lone-2" } }
    local bench = lab.new { world = all }
    local ids = assert(dr.group_ids(bench.client, { site = "backup", lone_pairs = true }))
    local list = {}
    for i, id in ipairs(ids) do list[i] = dr.group(bench.client, id) end
    local report = dr.readiness(list)
    assert.equal("warn", report.verdict)
    local line = report.lines[1].group_id == "pair-lone" and report.lines[1] or report.lines[2]
    assert.equal("Client.RecoveryPointTooOld", line.code)
  end)

  it("fails when there is nothing to judge, and for a group that is not there", function()
    assert.equal(2, dr.readiness({}).exit)
    local bench = lab.new()
    local report = dr.readiness { dr.group(bench.client, "pg-nowhere") }
    assert.equal("NoSuchResource", report.lines[1].code)
    assert.equal("fail", report.verdict)
  end)

  it("reads together what it can, and says the same of each as of one alone", function()
    local bench = region.mixed(40)
    local report, list = judge(bench, { max_rpo = "1h" })
    local together, verdicts = #bench:requests() - 1, {}
    for i, group in ipairs(list) do
      local alone = dr.readiness({ group }, { max_rpo = "1h" }).lines[1]
      local line = report.lines[i]
      verdicts[line.verdict] = true
      assert.same({ alone.verdict, alone.code, alone.reasons, alone.open_drills, alone.untold },
        { line.verdict, line.code, line.reasons, line.open_drills, line.untold })
      assert.same(alone.unprotected, line.unprotected)
      alone.snapshot.request_id, line.snapshot.request_id = nil, nil
      assert.same(alone.snapshot, line.snapshot)
    end
    assert.same({ ok = true, warn = true, fail = true }, verdicts)
    local drills = #bench:requests "DescribeReplicaGroupDrills" // 2
    -- Two pages of the region, what names disks by the hundred, and drills, which have no list.
    assert.is_true(together - drills <= 6, together - drills)
  end)

  it("asks for the data disks of an instance once, whatever groups have disks on it", function()
    local all = after.world { pairs = { { id = "pair-1", source_disk = "d-old-1",
      destination_disk = "d-new-1" } } }
    all.groups[2] = after.world({ id = "pg-b", pairs = { { id = "pair-2",
      source_disk = "d-old-2", destination_disk = "d-new-2" } } }).groups[1]
    local bench = lab.new { world = all }
    assert.equal("ok", judge(bench).verdict)
    assert.same({ 2, 1 }, { #bench:requests "DescribeDisks", #bench:requests "DescribeInstances" })
  end)

  it("asks each account for what its own groups have", function()
    local all = after.world()
    all.disks[3] = { id = "d-forgotten", place = "cn-hangzhou/cn-hangzhou-g", instance = "i-old" }
    local own, other = lab.new { world = after.world() }, lab.new { world = all }
    local report = dr.readiness { own:group(after.ID), other:group(after.ID) }
    assert.same({ "ok", "warn" }, { report.lines[1].verdict, report.lines[2].verdict })
  end)

  it("judges many with the pairs that their groups do not know yet", function()
    local bench = lab.new { world = world { { id = "pg-a" }, { id = "pg-b" } },
      hostile = { membership = "group" } }
    local report = judge(bench)
    for _, line in ipairs(report.lines) do assert.equal(2, #line.snapshot.pairs) end
  end)

  it("asks alone where the service refuses the disks of many", function()
    local all = after.world()
    all.groups[2] = after.world({ id = "pg-b", pairs = { { id = "pair-9",
      source_disk = "d-old-9", destination_disk = "d-new-9" } } }).groups[1]
    local bench = lab.new { world = all }
    bench.emu:fault { match = { action = "DescribeDisks", count = 1 },
      effect = lab.answer("InvalidDiskIds.ValueNotSupported", 400) }
    local report = judge(bench)
    for _, line in ipairs(report.lines) do assert.is_nil(line.untold) end
    -- All, each group, and what else the one instance has.
    assert.equal(1 + 2 + 1, #bench:requests "DescribeDisks")
  end)

  it("asks a region that is out of reach once for all", function()
    local bench = lab.new { world = world { { id = "pg-a" }, { id = "pg-b" }, { id = "pg-c" } } }
    judge(bench)
    bench.emu:region(lab.PRIMARY, "down")
    local before = bench.emu.runtime.time()
    local report = judge(bench)
    for _, line in ipairs(report.lines) do assert.matches("could not be asked", line.untold) end
    assert.is_true(bench.emu.runtime.time() - before <= 20)
  end)

  it("finds out with one look after the listing that nobody answers for its groups", function()
    local bench = lab.new { world = world { { id = "pg-a" }, { id = "pg-b" }, { id = "pg-c" } } }
    local _, list = judge(bench)
    bench.emu:region(lab.SECONDARY, "down")
    local before = bench.client:stats().requests
    for _, line in ipairs(dr.readiness(list).lines) do
      assert.same({ "unknown", "network" }, { line.verdict, line.err.kind })
    end
    assert.equal(2, bench.client:stats().requests - before)
  end)

  it("tells how far it is, from the beginning to the last group", function()
    local bench = lab.new { world = world { { id = "pg-a", status = "created" }, { id = "pg-b" } } }
    local told = {}
    judge(bench, { progress = function(event) told[#told + 1] = event end })
    assert.same({ { event = "judged", done = 0, failed = 0, count = 2 },
      { event = "judged", done = 1, failed = 1, count = 2 },
      { event = "judged", done = 2, failed = 1, count = 2 } }, told)
    assert.equal("ok", judge(bench, { progress = error }).lines[2].verdict)
  end)

  it("sends nothing that changes anything", function()
    local bench = lab.new { world = world { { id = "pg-a" }, { id = "pg-b", status = "stopped" } } }
    judge(bench, { max_rpo = "1m" })
    for _, request in ipairs(bench:requests()) do assert.matches("^Describe", request.action) end
  end)
end)
