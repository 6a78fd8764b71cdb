-- Pre-checks of many groups: each says what a pre-check of its own says, by reads that are shared.

local dr = require "alicloud.dr"
local lab = require "spec.dr.lab"
local region = require "spec.dr.read.region"

local every_group, world = region.every_group, region.world

-- Three groups of which nothing is odd, and more for the laboratory.
local function three(given)
  local all = { world = world { { id = "pg-a" }, { id = "pg-b" }, { id = "pg-c" } } }
  for name, value in pairs(given or {}) do all[name] = value end
  return lab.new(all)
end

local function check(bench, options)
  return dr.precheck(every_group(bench), options)
end

describe("dr.precheck", function()
  it("takes the calls of a few pages for a thousand groups", function()
    local groups = {}
    for i = 1, 1000 do groups[i] = { id = ("pg-%04d"):format(i), pairs = 3 } end
    local bench = lab.new { world = world(groups) }
    local list = every_group(bench)
    local before = #bench:requests()
    local report = dr.precheck(list, { max_rpo = "20m" })
    assert.same({ true, "ok", 1000 }, { report.ok, report.verdict, #report.lines })
    -- 2 pages of groups and 6 of pairs.
    assert.equal(8, #bench:requests() - before)
  end)

  it("says the same of each as a pre-check of its own", function()
    local bench, groups = region.mixed(30)
    local list, seen = every_group(bench), {}
    local report = dr.precheck(list, { max_rpo = "1h" })
    for i, line in ipairs(report.lines) do
      local alone = assert(list[i]:precheck { max_rpo = "1h" })
      seen[line.verdict] = true
      assert.same({ alone.ok, alone.verdict, groups[i].id },
        { line.ok, line.verdict, line.group_id })
      for place, finding in ipairs(alone.findings) do
        local own = line.report.findings[place]
        assert.same({ finding.id, finding.verdict, finding.code },
          { own.id, own.verdict, own.code })
      end
    end
    assert.same({ ok = true, block = true }, seen)
    assert.same({ false, "block" }, { report.ok, report.verdict })
  end)

  it("looks again only at what stands against a failover, and together", function()
    local bench = lab.new { world = world { { id = "pg-a" }, { id = "pg-b", status = "created" },
      { id = "pg-c", status = "created" } } }
    local list, told = every_group(bench), {}
    local before, began = #bench:requests(), bench.emu.runtime.monotonic()
    local report = dr.precheck(list, { progress = function(event) told[#told + 1] = event end })
    assert.same({ true, false, false },
      { report.lines[1].ok, report.lines[2].ok, report.lines[3].ok })
    assert.equal("OperationDenied.InvalidStatus", report.lines[2].code)
    assert.matches("^status created", report.lines[2].fact)
    assert.equal(4, #bench:requests() - before)
    assert.same({ 1, "settling", "pg-b", 2, 3 }, { #told, told[1].event, told[1].group_id,
      told[1].waiting, told[1].count })
    assert.is_true(bench.emu.runtime.monotonic() - began < 10)
  end)

  it("does not list all pairs of a region again for two of its groups", function()
    local groups = {}
    for i = 1, 300 do
      groups[i] = { id = ("pg-%03d"):format(i), pairs = 16, status = i < 3 and "created" or nil }
    end
    local bench = lab.new { world = world(groups) }
    local list, again = every_group(bench), nil
    local before = #bench:requests()
    dr.precheck(list, { progress = function() again = #bench:requests() end })
    -- A page of groups, and ten of pairs; then the two together, and each alone.
    assert.same({ 11, 2 + 2 * 2 }, { again - before, #bench:requests() - again })
  end)

  it("waits for lists that lag, and no longer than for one group", function()
    local bench = three()
    bench:cut_pair_lists()
    bench.short_pairs = 1
    local list, told = every_group(bench), {}
    local report = dr.precheck(list, { progress = function(event)
      told[#told + 1] = event.group_id
      bench.short_pairs = 0
    end })
    assert.same({ { "pg-c" }, true }, { told, report.ok })
    bench.short_pairs = 1
    local began = bench.emu.runtime.monotonic()
    report = dr.precheck(list)
    assert.equal("Client.PairSetIncomplete", report.lines[3].code)
    local took = bench.emu.runtime.monotonic() - began
    assert.is_true(took >= 120 and took < 140, took)
  end)

  it("tells of a group that has vanished since it was listed, and of the others", function()
    local bench = three()
    local list = every_group(bench)
    list[2] = dr.group(bench.client, "pg-gone")
    local report = dr.precheck(list)
    assert.same({ true, false, true },
      { report.lines[1].ok, report.lines[2].ok, report.lines[3].ok })
    assert.equal("NoSuchResource", report.lines[2].code)
  end)

  it("tells what could not be read, and is never ok because of it", function()
    local bench = three()
    local list = every_group(bench)
    -- The listing, and the first of those that are read alone.
    bench.emu:fault { match = { action = "DescribeDiskReplicaPairs", count = 2 },
      effect = lab.answer("Forbidden", 403) }
    local report = dr.precheck(list)
    assert.same({ "unknown", "Forbidden", "ok", "ok" }, { report.lines[1].verdict,
      report.lines[1].code, report.lines[2].verdict, report.lines[3].verdict })
    assert.equal("Forbidden", report.lines[1].err.code)
    assert.same({ false, "unknown" }, { report.ok, report.verdict })
  end)

  it("finds out once for all that nobody answers", function()
    local bench = three()
    local list = every_group(bench)
    bench.emu:region(lab.SECONDARY, "down")
    local before = bench.client:stats().requests
    local report = dr.precheck(list)
    for _, line in ipairs(report.lines) do
      assert.same({ "unknown", "network" }, { line.verdict, line.err.kind })
    end
    assert.equal("unknown", report.verdict)
    assert.equal(2, bench.client:stats().requests - before)
  end)

  it("counts the loss to one moment for all", function()
    local bench = three()
    local report = check(bench, { max_rpo = "4m" })
    assert.equal("Client.RecoveryPointTooOld", report.lines[3].code)
    assert.is_true(check(bench, { max_rpo = "4m", outage_at = "2m" }).ok)
  end)

  it("is not ok where there is no group", function()
    local report = dr.precheck {}
    assert.same({ false, "block", 0 }, { report.ok, report.verdict, #report.lines })
  end)

  it("refuses what is no group, and options that it does not know", function()
    local bench = three()
    assert.error_matches(function() dr.precheck { "pg-a" } end, "dr.group: not a group")
    assert.error_matches(function() check(bench, { max_drill_age = "1d" }) end,
      "dr.precheck: .*max_drill_age")
    assert.error_matches(function() check(bench, { max_rpo = "soon" }) end, "max_rpo")
  end)

  it("sends nothing that changes anything", function()
    local bench = lab.new { world = world { { id = "pg-a" }, { id = "pg-b", status = "created" } } }
    check(bench, { max_rpo = "1m" })
    for _, request in ipairs(bench:requests()) do assert.matches("^Describe", request.action) end
  end)
end)
