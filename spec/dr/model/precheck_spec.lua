local lab = require "spec.dr.lab"
local service = require "alicloud.service.ebs"

local function finding(report, id)
  for _, entry in ipairs(report.findings) do
    if entry.id == id then return entry end
  end
  error("no finding " .. id)
end

local function check(given, options)
  local bench = lab.new(given)
  local report = assert(bench:group(nil, given and given.at):precheck(options))
  assert.same({}, bench:sends())
  return report, bench
end

local function blocks(report)
  local codes = {}
  for _, entry in ipairs(report.findings) do
    if entry.verdict == "block" then codes[#codes + 1] = entry.code end
  end
  return codes
end

local DENIED = "OperationDenied."

describe("the pre-check", function()
  it("passes a group that may be failed over, with the facts it read", function()
    local report = check({}, { max_rpo = "20m" })
    assert.is_true(report.ok)
    assert.equal("ok", report.verdict)
    assert.same({}, blocks(report))
    assert.equal("RPO 7m12s ≤ 20m", finding(report, "rpo").fact)
    assert.equal("status normal", finding(report, "status").fact)
  end)

  it("has exactly one finding for every documented code of the failover call", function()
    local report = check()
    local count = {}
    for _, entry in ipairs(report.findings) do count[entry.code] = (count[entry.code] or 0) + 1 end
    local documented = service.operations.FailoverDiskReplicaGroup.errors
    assert.equal(13, #documented)
    for _, code in ipairs(documented) do assert.equal(1, count[code], code) end
  end)

  it("gives a cure from the service data to every documented code that blocks", function()
    local report = check { group = { status = "created", pairs = 0, recover_point_age = false } }
    for _, entry in ipairs(report.findings) do
      if entry.verdict == "block" and entry.code:find("^OperationDenied") then
        assert.equal(service.errors[entry.code].cure, entry.cure)
      end
    end
  end)

  it("lets permission stand as unknown: no read can tell, and it does not block", function()
    local report = check()
    for _, id in ipairs { "permission", "action_permission", "operation", "internal", "timeout" } do
      assert.equal("unknown", finding(report, id).verdict)
      assert.is_true(finding(report, id).only_call)
    end
  end)

  it("accepts the nine documented states and no other word", function()
    local legal = { "manual_syncing", "syncing", "normal", "stopping", "stop_failed", "stopped",
      "failovering", "failover_failed", "failovered" }
    local others = { "creating", "created", "create_failed", "initial_syncing", "reprotecting",
      "reprotect_failed", "deleting", "deleted", "delete_failed", "invalid" }
    for _, status in ipairs(legal) do
      local report = check { group = { status = status } }
      assert.equal("ok", finding(report, "status").verdict, status)
    end
    for _, status in ipairs(others) do
      local report = check { group = { status = status } }
      assert.equal("block", finding(report, "status").verdict, status)
      assert.equal(DENIED .. "InvalidStatus", finding(report, "status").code)
    end
  end)

  it("blocks a word it does not know", function()
    local report = check { group = { status = "failovering" }, hostile = {
      unknown_status = "levitating" } }
    assert.equal("block", finding(report, "status").verdict)
    assert.matches("levitating", finding(report, "status").fact)
  end)

  it("foresees NoPairInGroup, and takes no comfort from what holds for no pair", function()
    local report = check { group = { pairs = 0 } }
    assert.equal(DENIED .. "NoPairInGroup", blocks(report)[1])
    for _, id in ipairs { "pair_states", "zones", "membership", "first_sync" } do
      assert.equal("unknown", finding(report, id).verdict, id)
    end
  end)

  it("foresees PairGroupStatusConflict and names the pairs", function()
    local report = check { group = { pairs = { {}, { id = "pair-odd", status = "stopped" } } } }
    assert.same({ DENIED .. "PairGroupStatusConflict" }, blocks(report))
    assert.equal("group normal, but pair-odd is stopped", finding(report, "pair_states").fact)
  end)

  it("foresees PairGroupAZoneConflict and names the pairs", function()
    local report = check { group = { pairs = { {},
      { id = "pair-odd", destination = "cn-shanghai/cn-shanghai-e" } } } }
    assert.same({ DENIED .. "PairGroupAZoneConflict" }, blocks(report))
    assert.matches("pair%-odd goes cn%-hangzhou/g → cn%-shanghai/e", finding(report, "zones").fact)
  end)

  it("foresees PairInAnotherGroup and names the pairs", function()
    local bench = lab.new()
    local record = { ReplicaGroupId = lab.ID, Status = "normal", PairNumber = 1,
      PairIds = { "pair-1" }, SourceRegionId = "cn-hangzhou", DestinationRegionId = "cn-shanghai",
      LastRecoverPoint = 1 }
    local snapshot = require("alicloud.dr.model.snapshot").new(record, { {
      ReplicaPairId = "pair-1", Status = "normal", ReplicaGroupId = "pg-other",
      SourceRegion = "cn-hangzhou", DestinationRegion = "cn-shanghai", LastRecoverPoint = 1,
    } }, { region = "cn-shanghai", site = "backup", read_at = bench.emu:now() })
    local report = require("alicloud.dr.model.precheck").evaluate(snapshot)
    assert.same({ DENIED .. "PairInAnotherGroup" }, blocks(report))
    assert.equal("pair-1 belongs to pg-other", finding(report, "membership").fact)
  end)

  it("foresees the wrong side and says which region to ask", function()
    local report = check { at = lab.PRIMARY }
    assert.equal(DENIED .. "OperateNotAllowedForPrimary", blocks(report)[1])
    assert.equal("cn-hangzhou is the primary site of pg-orders; fail over in cn-shanghai",
      finding(report, "direction").fact)
  end)

  it("foresees NoSuchResource, and then claims to know nothing else", function()
    for _, answer in ipairs { "empty", "not_found" } do
      local report = check { at = "cn-beijing", assume = { describe_unknown = answer } }
      assert.same({ "NoSuchResource" }, blocks(report))
      assert.equal("unknown", finding(report, "status").verdict)
      assert.equal("unknown", finding(report, "direction").verdict)
    end
  end)

  it("blocks while the first full sync has not ended, for the group or for one pair", function()
    local never = check { group = { status = "stopped", recover_point_age = false } }
    assert.equal("block", finding(never, "first_sync").verdict)
    local one = check { group = { pairs = { {}, { id = "pair-new", recover_point_age = false } } } }
    assert.same({ "Client.FirstSyncUnfinished" }, blocks(one))
    assert.matches("pair%-new", finding(one, "first_sync").fact)
  end)

  it("measures the age of the oldest pair against the limit", function()
    local group = { pairs = { {}, { id = "pair-late", recover_point_age = 1201 } } }
    local report = check({ group = group }, { max_rpo = 1200 })
    assert.same({ "Client.RecoveryPointTooOld" }, blocks(report))
    -- Of the second look, which comes three seconds after the first.
    assert.equal("RPO 20m04s > 20m (pair-late)", finding(report, "rpo").fact)
    assert.is_true(check({ group = group }, { max_rpo = 1201 }).ok)
    assert.is_true(check({ group = group }).ok)
  end)

  it("measures by the server's clock, not by ours", function()
    local bench = lab.new { assume = { time_window = 10000 } }
    local ahead = bench.client:with { runtime = setmetatable({
      time = function() return bench.emu:now() + 3600 end,
    }, { __index = bench.emu.runtime }) }
    local group = require("alicloud.dr").group(ahead, lab.ID, { region = lab.SECONDARY })
    assert.equal("RPO 7m12s ≤ 20m", finding(assert(group:precheck { max_rpo = "20m" }), "rpo").fact)
  end)

  it("does not pass when the age was limited and cannot be told", function()
    local snapshots = require "alicloud.dr.model.snapshot"
    local precheck = require "alicloud.dr.model.precheck"
    local pair = { ReplicaPairId = "pair-1", Status = "normal", ReplicaGroupId = lab.ID,
      SourceRegion = "a", DestinationRegion = "b", LastRecoverPoint = 5 }
    local snapshot = snapshots.new({ ReplicaGroupId = lab.ID, Status = "normal", PairNumber = 1,
      PairIds = { "pair-1" }, SourceRegionId = "a", DestinationRegionId = "b",
      LastRecoverPoint = 5 }, { pair }, { region = "b", site = "backup", read_at = nil })
    local limited = precheck.evaluate(snapshot, { max_rpo = 60 })
    assert.is_false(limited.ok)
    assert.equal("unknown", limited.verdict)
    local obstacle = precheck.first_obstacle(limited)
    assert.equal("Client.ServerTimeUnknown", obstacle.code)
    assert.matches("Date header", obstacle.cure)
    assert.is_true(precheck.evaluate(snapshot).ok)
  end)

  it("blocks when the lists of group and pairs do not agree", function()
    local bench = lab.new { hostile = { short_list = 1 } }
    -- The group list of one would vanish altogether, so only the pair list is cut.
    local send = bench.emu.transport.send
    local client = bench.client:with { transport = { send = function(request)
      bench.emu:hostile { short_list = request.action == "DescribeDiskReplicaPairs" and 1 or 0 }
      return send(request)
    end } }
    local group = require("alicloud.dr").group(client, lab.ID, { region = lab.SECONDARY })
    local report = assert(group:precheck())
    assert.same({ "Client.PairSetIncomplete" }, blocks(report))
    assert.equal("the group counts 3 pairs, the pair list holds 2",
      finding(report, "pair_set").fact)
  end)

  local function told(change)
    local bench = lab.new()
    local record = { ReplicaGroupId = lab.ID, Status = "normal", PairNumber = 2,
      PairIds = { "pair-1", "pair-2" }, SourceRegionId = "cn-hangzhou",
      DestinationRegionId = "cn-shanghai", LastRecoverPoint = 1000, RPO = "900" }
    local pair_records = {}
    for i = 1, 2 do
      pair_records[i] = { ReplicaPairId = "pair-" .. i, Status = "normal", LastRecoverPoint = 1000,
        ReplicaGroupId = lab.ID, SourceRegion = "cn-hangzhou", DestinationRegion = "cn-shanghai" }
    end
    change(record, pair_records)
    local snapshot = require("alicloud.dr.model.snapshot").new(record, pair_records,
      { region = "cn-shanghai", site = "backup", read_at = 1400 })
    return require("alicloud.dr.model.precheck").evaluate(snapshot, { max_rpo = 600 }), bench
  end

  it("takes what one record leaves out and the other tells", function()
    for _, change in ipairs {
      function(group) group.LastRecoverPoint = nil end,
      function(group) group.LastRecoverPoint = 0 end,
      function(group) group.LastRecoverPoint = 99999 end,
      function(group) group.PairIds = {} end,
      function(group) group.PairIds = nil end,
      function(group) group.PairIds = "pair-1,pair-2" end,
      function(group) group.PairIds = { "pair-1", "pair-2", "pair-1" } end,
      function(_, pairs_) pairs_[3] = pairs_[2] end,
      function(group) group.PairNumber = nil end,
      function(group) group.PairNumber = 3 end,
      function(group) group.PairNumber = "2" end,
      function(_, pairs_) pairs_[1].ReplicaGroupId = nil end,
      function(_, pairs_) pairs_[1].SourceRegion, pairs_[1].DestinationRegion = nil, nil end,
      function(_, pairs_) pairs_[2].LastRecoverPoint = "1000" end,
      function(_, pairs_) for i = 1, 2 do pairs_[i].SourceZoneId = "cn-hangzhou-g" end end,
      function(group, pairs_)
        group.SourceRegionId = nil
        for _, each in ipairs(pairs_) do each.DestinationZoneId = "cn-shanghai-b" end
      end,
      function(group, pairs_) group.SourceZoneId, pairs_[1].SourceZoneId = "z-1", "z-1" end,
    } do
      local report = told(change)
      assert.is_true(report.ok, report.findings and
        (require("alicloud.dr.model.precheck").first_obstacle(report) or {}).fact)
      assert.equal("RPO 6m40s ≤ 10m", finding(report, "rpo").fact)
      assert.equal(900, report.snapshot.declared_rpo)
    end
    local report = told(function(group, pairs_)
      pairs_[2].SourceZoneId, group.LastRecoverPoint, group.PairNumber = "z-1", nil, 3
    end)
    assert.equal("z-1", report.snapshot.from.zone)
    assert.equal("z-1", report.snapshot.pairs[1].from.zone)
    assert.matches("the group itself gives none", finding(report, "first_sync").fact)
    assert.matches("the group counts 3, but names the 2", finding(report, "pair_set").fact)
  end)

  it("refuses a group that leaves its zone out where its pairs do not agree on one", function()
    local report = told(function(_, pairs_)
      pairs_[1].SourceZoneId, pairs_[2].SourceZoneId = "z-1", "z-2"
    end)
    assert.same({ DENIED .. "PairGroupAZoneConflict" }, blocks(report))
    report = told(function(group, pairs_)
      group.DestinationRegionId = nil
      for _, each in ipairs(pairs_) do each.SourceRegion = "cn-beijing" end
    end)
    assert.is_false(report.ok)
  end)

  it("takes a recovery point that cannot be for none, and for no loss of nothing", function()
    for _, change in ipairs {
      function(_, pairs_) pairs_[2].LastRecoverPoint = 5000 end,
      function(_, pairs_) pairs_[2].LastRecoverPoint = "soon" end,
      function(group, pairs_)
        group.LastRecoverPoint, pairs_[1].LastRecoverPoint = 5000, 5000
        pairs_[2].LastRecoverPoint = 5000
      end,
      function(group, pairs_) group.LastRecoverPoint, pairs_[1].LastRecoverPoint = 5000, nil end,
    } do
      local report = told(change)
      assert.is_false(report.ok)
      assert.is_nil(report.snapshot.recover_point)
      for _, id in ipairs { "first_sync", "rpo" } do
        assert.equal("unknown", finding(report, id).verdict)
        assert.equal("Client.RecoveryPointUnclear", finding(report, id).code)
      end
    end
  end)

  it("doubts a recovery point that may be from before a reversal", function()
    local function reversed(status, point, terms)
      local record = { ReplicaGroupId = lab.ID, Status = status, PairNumber = 1,
        PairIds = { "pair-1" }, SourceRegionId = "b", DestinationRegionId = "a",
        PrimaryRegion = "b", StandbyRegion = "a", LastRecoverPoint = point }
      if terms ~= "unturned" then record.PrimaryRegion, record.StandbyRegion = "a", "b" end
      local snapshot = require("alicloud.dr.model.snapshot").new(record, { {
        ReplicaPairId = "pair-1", Status = status, ReplicaGroupId = lab.ID, SourceRegion = "b",
        DestinationRegion = "a", LastRecoverPoint = point } },
        { region = "a", site = "backup", read_at = 10000 })
      return finding(require("alicloud.dr.model.precheck").evaluate(snapshot,
        type(terms) == "table" and terms or nil), "first_sync").verdict
    end
    for _, status in ipairs { "stopped", "syncing", "manual_syncing", "stopping", "stop_failed" } do
      assert.equal("unknown", reversed(status, 8000), status)
      assert.equal("ok", reversed(status, 8000, "unturned"), status)
      assert.equal("ok", reversed(status, 8000, { synced_since = 7999 }), status)
      assert.equal("unknown", reversed(status, 8000, { synced_since = 8001 }), status)
      -- A failover and a reversal fit into half a minute.
      assert.equal("unknown", reversed(status, 9970), status)
      assert.equal("ok", reversed(status, 9990), status)
    end
    for _, status in ipairs { "normal", "failovering", "failovered", "failover_failed" } do
      assert.equal("ok", reversed(status, 8000), status)
    end
  end)

  it("is not called ready after a reversal while nothing was copied back", function()
    for i = 1, 4 do
      local bench, started = lab.new { group = { recover_point_age = 5 } }, i % 2 == 0
      assert(bench:failover())
      if i > 2 then bench.emu:advance(600) end
      assert(bench:run("reprotect", { old_side = "unknown" }))
      if started then assert(bench:run("start")) end
      local report = assert(bench:group(nil, lab.PRIMARY):precheck())
      assert.is_false(report.ok)
      assert.equal("Client.FirstSyncUnfinished",
        require("alicloud.dr.model.precheck").first_obstacle(report).code)
      if not started then assert(bench:run("start")) end
      bench.emu:advance(60)
      assert.is_true(assert(bench:group(nil, lab.PRIMARY):precheck()).ok)
    end
  end)

  it("reads a group whose ids come as one comma-separated element", function()
    assert.is_true(check({ hostile = { pair_ids = "comma" } }).ok)
  end)

  it("reads all pages of a long pair list", function()
    local bench = lab.new { group = { pairs = 17 } }
    local pages = 0
    local client = bench.client:with { transport = { send = function(request)
      -- A service that gives out smaller pages than asked for.
      request.url = request.url:gsub("MaxResults=%d+", "MaxResults=5")
      if request.action == "DescribeDiskReplicaPairs" then pages = pages + 1 end
      return bench.emu.transport.send(request)
    end } }
    bench.emu.auth = "off"
    local group = require("alicloud.dr").group(client, lab.ID, { region = lab.SECONDARY })
    local report = assert(group:precheck())
    assert.equal("17/17 pairs read", finding(report, "pair_set").fact)
    assert.equal(4, pages)
  end)

  it("sees a group between two zones of one region from the zone that is meant", function()
    local zones = { source = "cn-hangzhou/cn-hangzhou-g",
      destination = "cn-hangzhou/cn-hangzhou-h" }
    local function at(side)
      local group = require("alicloud.dr").group(lab.new({ group = zones }).client, lab.ID,
        { region = "cn-hangzhou", to = side })
      return assert(group:precheck())
    end
    local report = at "cn-hangzhou-h"
    assert.is_true(report.ok)
    assert.equal("backup", report.snapshot.site)
    assert.matches("^cn%-hangzhou/g → cn%-hangzhou/h: cn%-hangzhou%-h is the secondary site",
      finding(report, "direction").fact)
    assert.same({ DENIED .. "OperateNotAllowedForPrimary" }, blocks(at "cn-hangzhou-g"))
    assert.same({ "Client.DirectionNeeded" }, blocks(at(nil)))
    assert.same({ "Client.DirectionNeeded" }, blocks(at "cn-hangzhou"))
    assert.same({ "Client.UnknownSide" }, blocks(at "cn-hangzhou-k"))
  end)

  it("follows the current direction after a reverse, whatever Site means by then", function()
    for _, meaning in ipairs { "current", "initial" } do
      local group = { source = "cn-shanghai/cn-shanghai-b",
        destination = "cn-hangzhou/cn-hangzhou-g", initial_source = "cn-hangzhou/cn-hangzhou-g",
        initial_destination = "cn-shanghai/cn-shanghai-b" }
      local given = { group = group, assume = { site_direction = meaning }, at = lab.PRIMARY }
      local report = check(given)
      assert.is_true(report.ok, meaning)
      assert.is_true(report.snapshot.reversed)
      given.at = lab.SECONDARY
      assert.equal(DENIED .. "OperateNotAllowedForPrimary", blocks(check(given))[1])
    end
  end)

  it("raises on options that are not what they should be, naming field, value and form", function()
    local group = lab.new():group()
    local wrong = { { max_rpo = "soon" }, { max_rpo = -1 }, { max_rpo = 0 / 0 }, { max_rpo = {} } }
    for _, options in ipairs(wrong) do
      assert.error_matches(function() group:precheck(options) end,
        "option max_rpo: got .*; allowed: seconds")
    end
    assert.error_matches(function() group:precheck { maxrpo = 5 } end, 'did you mean "max_rpo"')
  end)

  it("hands on a read error without inventing a report", function()
    local bench = lab.new { faults = { { match = { action = "DescribeDiskReplicaGroups" },
      effect = { error = { code = "Forbidden", status = 403 } } } } }
    local report, err = bench:group():precheck()
    assert.is_nil(report)
    assert.equal("Forbidden", err.code)
  end)
end)
