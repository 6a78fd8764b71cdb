-- Hostile behaviour: each switch changes exactly what it says, and is off at first.

local switches = require "alicloud.emulator.switches"
local caller = require "spec.emulator.caller"
local emulator = require "alicloud.emulator"

describe("hostile", function()
  local function probe_with(hostile)
    return caller.new { world = caller.world(), hostile = hostile }
  end

  it("pair_ids gives one element with commas", function()
    assert.same({ "pair-one-1,pair-one-2,pair-one-3" },
      probe_with({ pair_ids = "comma" }):look("pg-one").PairIds)
  end)

  it("group_ahead lets the group say failovered before its pairs", function()
    local probe = probe_with { group_ahead = true }
    probe:failover "pg-one"
    probe.emu:advance(10)
    assert.equal("failovered", probe:look("pg-one").Status)
    assert.same({ "failovering", "failovering", "failovering" }, probe:pair_statuses "pg-one")
    probe.emu:advance(30)
    assert.same({ "failovered", "failovered", "failovered" }, probe:pair_statuses "pg-one")
  end)

  it("group_ahead lets the group say stopped before its pairs", function()
    local probe = probe_with { group_ahead = true }
    probe:call("StopDiskReplicaGroup", { RegionId = "cn-shanghai", ReplicaGroupId = "pg-one" })
    probe.emu:advance(10)
    assert.equal("stopped", probe:look("pg-one").Status)
    assert.same({ "stopping", "stopping", "stopping" }, probe:pair_statuses "pg-one")
    probe.emu:advance(12)
    assert.same({ "stopped", "stopped", "stopping" }, probe:pair_statuses "pg-one")
    probe.emu:advance(6)
    assert.same({ "stopped", "stopped", "stopped" }, probe:pair_statuses "pg-one")
  end)

  it("empty_list empties every list", function()
    local probe = probe_with { empty_list = true }
    assert.is_nil(probe:look "pg-one")
    assert.same({}, probe:pair_statuses "pg-one")
  end)

  it("short_list loses the end of a list, and PairNumber still tells", function()
    local probe = probe_with { short_list = 1 }
    assert.equal(2, #probe:pair_statuses "pg-one")
    probe.emu:hostile { short_list = 0 }
    assert.equal(3, probe:look("pg-one").PairNumber)
  end)

  it("stale_read shows the past, and catches up", function()
    local probe = probe_with { stale_read = 15 }
    probe:failover "pg-one"
    probe.emu:advance(14)
    assert.equal("normal", probe:look("pg-one").Status)
    assert.same({ "normal", "normal", "normal" }, probe:pair_statuses "pg-one")
    probe.emu:advance(1)
    assert.equal("failovering", probe:look("pg-one").Status)
    probe.emu:advance(39)
    assert.equal("failovering", probe:look("pg-one").Status)
    probe.emu:advance(1)
    assert.equal("failovered", probe:look("pg-one").Status)
  end)

  it("unknown_status replaces failovering with a new word", function()
    local probe = probe_with { unknown_status = "quiescing" }
    probe:failover "pg-one"
    assert.equal("quiescing", probe:look("pg-one").Status)
    assert.equal("quiescing", probe:pair_statuses("pg-one")[1])
    probe.emu:advance(40)
    assert.equal("failovered", probe:look("pg-one").Status)
  end)

  it("pair_ids and pair_count_off let a group name no pair, and count them wrong", function()
    local group = probe_with({ pair_ids = "empty", pair_count_off = 1 }):look "pg-one"
    assert.same({}, group.PairIds)
    assert.equal(4, group.PairNumber)
  end)

  it("recover_point_as spells the recovery point otherwise", function()
    local function points(how)
      local probe = probe_with { recover_point_as = how }
      return probe:look("pg-one").LastRecoverPoint, probe.emu:now()
    end
    local seconds = points "seconds"
    assert.equal(("%d"):format(seconds), (points "text"))
    assert.equal(seconds * 1000, (points "milliseconds"))
    local point, now = points "future"
    assert.equal(now // 1 + 600, point)
    assert.is_nil((points "group_absent"))
    assert.is_nil((points "absent"))
    assert.equal(0, (points "zero"))
    assert.equal("", (points "empty"))
    assert.matches("^%d+%-%d%d%-%d%dT[%d:]+Z$", (points "rfc3339"))
    assert.equal(seconds - 7200, (points "other_direction"))
  end)

  it("old_record shows what was before the last reversal, at the site where it was", function()
    local probe = probe_with { old_record = true }
    local function listed(site)
      local answer = probe:call("DescribeDiskReplicaGroups", { RegionId = "cn-shanghai",
        Site = site, GroupIds = "pg-one" })
      return answer.ReplicaGroups[1]
    end
    assert.is_nil(listed "backup")
    local group = listed "production"
    assert.equal("failovered", group.Status)
    assert.equal("cn-hangzhou", group.DestinationRegionId)
    local pair = probe:call("DescribeDiskReplicaPairs", { RegionId = "cn-shanghai",
      Site = "production", ReplicaGroupId = "pg-one" }).ReplicaPairs[1]
    assert.same({ "failovered", "cn-hangzhou" }, { pair.Status, pair.DestinationRegion })
    assert.matches("%-src$", pair.DestinationDiskId)
  end)

  it("membership lets the last pair be unknown to the pair list, or to its group", function()
    for who, expected in pairs { agrees = { 3, 3, 3 }, pairs = { 3, 3, 2 }, group = { 2, 2, 3 } } do
      local probe = probe_with { membership = who }
      local group = probe:look "pg-one"
      assert.same(expected, { group.PairNumber, #group.PairIds, #probe:pair_statuses "pg-one" })
    end
  end)

  it("odd_look shows one look the other way round", function()
    local probe, seen = probe_with { odd_look = 3 }, {}
    for i = 1, 6 do seen[i] = probe:look("pg-one").DestinationRegionId end
    assert.same({ "cn-shanghai", "cn-shanghai", "cn-hangzhou", "cn-shanghai", "cn-shanghai",
      "cn-shanghai" }, seen)
  end)

  it("mixed_pairs shows the last pair one state further, and refuses the failover", function()
    local probe = probe_with { mixed_pairs = true }
    assert.same({ "normal", "normal", "syncing" }, probe:pair_statuses "pg-one")
    assert.equal("OperationDenied.PairGroupStatusConflict", (probe:failover "pg-one"))
    probe.emu:hostile { mixed_pairs = false }
    assert.equal("ok", (probe:failover "pg-one"))
  end)

  it("permissive accepts a failover in the wrong region, and the ledger says where", function()
    local probe = probe_with { permissive = true }
    assert.equal("ok", (probe:failover("pg-one", nil, "cn-hangzhou")))
    assert.equal("cn-hangzhou", probe.emu:ledger()[1].region)
  end)
end)

describe("assumed", function()
  it("first_full_sync can be waived", function()
    local world = caller.world { recover_point_age = false }
    local probe = caller.new { world = world, assume = { first_full_sync = "allow" } }
    assert.equal("ok", (probe:failover "pg-one"))
  end)

  it("wrong_side can be an unknown group", function()
    local probe = caller.new { assume = { wrong_side = "not_found" } }
    assert.equal("NoSuchResource", (probe:failover("pg-orders", nil, "cn-hangzhou")))
  end)

  it("mixed_failover_states can be a conflict", function()
    local probe = caller.new { assume = { mixed_failover_states = "conflict" } }
    probe:failover "pg-orders"
    probe.emu:advance(14)
    assert.equal("OperationDenied.PairGroupStatusConflict", (probe:failover "pg-orders"))
  end)

  it("describe_unknown can be an error", function()
    local probe = caller.new { assume = { describe_unknown = "not_found" } }
    assert.equal("NoSuchResource", (probe:code("DescribeDiskReplicaGroups",
      { RegionId = "cn-shanghai", Site = "backup", GroupIds = "pg-orders,nope" })))
    assert.equal("pg-orders", probe:look("pg-orders").ReplicaGroupId)
  end)

  it("token_mismatch can give the first answer", function()
    local probe = caller.new { assume = { token_mismatch = "first" } }
    probe:failover("pg-orders", "t")
    assert.equal("ok", (probe:failover("pg-payments", "t")))
    assert.equal(1, #probe.emu:ledger())
  end)

  it("token_pending can be accepted", function()
    local probe = caller.new { assume = { token_pending = "accept" } }
    probe.emu:fault { match = { nth = 1 }, effect = { apply_late = 30 } }
    probe:failover("pg-orders", "t")
    assert.equal("ok", (probe:failover("pg-orders", "t")))
    assert.equal(0, #probe.emu:ledger())
  end)

  it("statuses and codes of the gateway can differ", function()
    local probe = caller.new { assume = { signature_status = 403, access_key_status = 400,
      unknown_action = "InvalidAction.NotFound", default_format = "XML", time_window = 60,
      wall_clock = "refuse" } }
    local function exchange_of(changes, action)
      local request = probe:sign(action or "DescribeRegions", {}, changes)
      request.headers.accept = nil
      return probe.emu.transport.send(request)
    end
    assert.equal(403, exchange_of({ access_key_secret = "x" }).status)
    assert.equal(400, exchange_of({ access_key_id = "x" }).status)
    assert.truthy(exchange_of({}, "Nope").body:find("InvalidAction.NotFound", 1, true))
    assert.truthy(exchange_of({}).body:find("^<%?xml"))
    local stale = probe:sign("DescribeRegions", {})
    probe.emu:advance(61)
    assert.truthy(probe.emu.transport.send(stale).body:find("InvalidTimeStamp.Expired", 1, true))
  end)
end)

describe("the switches", function()
  it("all have a text, a default that is allowed, and a name of their own", function()
    local names = {}
    for _, switch in ipairs(switches.all) do
      assert.is_nil(names[switch.name])
      names[switch.name] = true
      assert.is_true(#switch.text > 20)
      local own = { [switch.name] = switch.default }
      assert.same(own, (switches.apply({}, own, switch.kind)))
    end
  end)

  it("are listed where they are assumed", function()
    local count = 0
    for _, switch in ipairs(emulator.assumptions()) do
      assert.equal("assumed", switch.kind)
      count = count + 1
    end
    assert.is_true(count >= 15)
  end)

  it("answer a slip with the nearest name or value", function()
    local emu = emulator.new()
    assert.error_matches(function() emu:hostile { permisive = true } end,
      'did you mean "permissive"')
    assert.error_matches(function() emu:assume { wrong_side = "notfound" } end,
      'did you mean "not_found"')
    assert.error_matches(function() emu:assume { token_lifetime = -1 } end, "at least 0")
    assert.error_matches(function() emulator.new { hostile = { x = 1 } } end, "unknown field")
  end)

  it("are read from a command line", function()
    assert.same({ stale_read = 30 }, switches.parse("stale_read=30", "hostile"))
    assert.same({ permissive = true }, switches.parse("permissive", "hostile"))
    assert.same({ wrong_side = "not_found" }, switches.parse("wrong_side=not_found", "assumed"))
    local changes, problem = switches.parse("stale_read=soon", "hostile")
    assert.is_nil(changes)
    assert.truthy(problem:find("stale_read: must be number", 1, true))
  end)
end)
