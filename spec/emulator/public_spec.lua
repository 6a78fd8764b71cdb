-- Behaviours that public sources show or lean towards. Each case names its source, and what the
-- switch beside it changes.

local alicloud = require "alicloud"
local core = require "alicloud.core"
local caller = require "spec.emulator.caller"
local schema = require "alicloud.emulator.model.world_schema"

local S, D = "cn-hangzhou", "cn-shanghai"
local RPC = { algorithm = "HMAC-SHA1" }

local function with(fields, more)
  local all = {}
  for name, value in pairs(fields) do all[name] = value end
  for name, value in pairs(more) do all[name] = value end
  return all
end

-- Source: help.aliyun.com/zh/vod/calling-methods (RPC: 31 minutes, XML);
-- alibabacloud.com/help/en/doc-detail/2593177.htm (V3: 15 minutes).
describe("the two signatures", function()
  local function verdict(probe, age, changes)
    local date = core.iso8601(probe.emu:now() - age)
    return (probe:code("DescribeRegions", {}, with(changes, { date = date })))
  end

  local function new(assume)
    return caller.new { assume = with({ wall_clock = "refuse" }, assume or {}) }
  end

  it("are good for 15 and for 31 minutes", function()
    local probe = new()
    for _, side in ipairs { 1, -1 } do
      assert.equal("ok", verdict(probe, side * 900, {}))
      assert.equal("InvalidTimeStamp.Expired", verdict(probe, side * 901, {}))
      assert.equal("ok", verdict(probe, side * 1860, RPC))
      assert.equal("InvalidTimeStamp.Expired", verdict(probe, side * 1861, RPC))
    end
  end)

  it("have a switch each", function()
    local probe = new { time_window = 60, time_window_rpc = 120 }
    assert.equal("InvalidTimeStamp.Expired", verdict(probe, 61, {}))
    assert.equal("ok", verdict(probe, 120, RPC))
    assert.equal("InvalidTimeStamp.Expired", verdict(probe, 121, RPC))
  end)

  it("keep a nonce as long as the longer of the two", function()
    local probe = new()
    local first = core.iso8601(probe.emu:now() + 1860)
    local request = probe:sign("DescribeRegions", {}, with(RPC, { date = first }))
    assert.equal(200, probe:send(request).status)
    for _ = 1, 6 do
      probe.emu:advance(619)
      assert.equal("ok", (probe:code("DescribeRegions", {})))
    end
    assert.equal("SignatureNonceUsed", select(2, probe:send(request)).Code)
  end)

  it("do not decide what the client is answered: it asks for JSON", function()
    for _, algorithm in ipairs { "ACS3-HMAC-SHA256", "HMAC-SHA1" } do
      local emu = caller.new { assume = { default_format = "XML" } }.emu
      local client = alicloud.client { region = D, transport = emu.transport,
        runtime = emu.runtime, algorithm = algorithm, access_key_id = emu.access_key_id,
        access_key_secret = emu.access_key_secret }
      assert.is_table(assert(client:call("ebs:DescribeRegions", {})).Regions)
    end
  end)

  local function format_of(assume, changes)
    local probe = caller.new { assume = assume }
    local query = changes.algorithm and { Format = "" } or {}
    local request = probe:sign("DescribeRegions", query, changes)
    request.headers.accept = nil
    return probe.emu.transport.send(request).headers["content-type"]:match "^%a+/(%a+)"
  end

  it("are answered in JSON and in XML, if nobody asks for a format", function()
    assert.equal("json", format_of(nil, {}))
    assert.equal("xml", format_of(nil, RPC))
    assert.equal("xml", format_of({ default_format = "XML" }, {}))
    assert.equal("json", format_of({ default_format_rpc = "JSON" }, RPC))
  end)
end)

-- Source: aliyun/terraform-provider-alicloud, resource_alicloud_ebs_disk_replica_pair_test.go:
-- pairs are created, never started, and destroyed within five minutes.
describe("a pair that was never started", function()
  local function world()
    return { regions = { { id = S, zones = { "cn-hangzhou-g" } } }, disks = {
      { id = "d-a", place = "cn-hangzhou/cn-hangzhou-g" },
      { id = "d-b", place = "cn-shanghai/cn-shanghai-b" } } }
  end

  local function created(assume)
    local probe = caller.new { world = world(), assume = assume }
    local made = probe:call("CreateDiskReplicaPair", { RegionId = S, DiskId = "d-a",
      SourceZoneId = "cn-hangzhou-g", DestinationRegionId = D, DestinationDiskId = "d-b",
      DestinationZoneId = "cn-shanghai-b" })
    probe.emu:advance(10)
    return probe, { RegionId = S, ReplicaPairId = made.ReplicaPairId }
  end

  local function count(probe, question)
    local listed = probe:call("DescribeDiskReplicaPairs",
      { RegionId = S, PairIds = question.ReplicaPairId })
    return #listed.ReplicaPairs, listed.ReplicaPairs[1] and listed.ReplicaPairs[1].Status
  end

  it("can be deleted", function()
    local probe, question = created()
    assert.equal("created", select(2, count(probe, question)))
    assert.equal("ok", (probe:code("DeleteDiskReplicaPair", question)))
    probe.emu:advance(10)
    assert.equal(0, (count(probe, question)))
  end)

  it("cannot, where delete_created refuses", function()
    local probe, question = created { delete_created = "refuse" }
    assert.equal("OperationDenied.InvalidStatus",
      (probe:code("DeleteDiskReplicaPair", question)))
  end)
end)

-- Source: help.aliyun.com/document_detail/354205.html: shut the secondary's instance down, or
-- detach the disk.
describe("an attached secondary disk", function()
  local function start(assume, status)
    local world = caller.world { status = "stopped", pairs = 1 }
    world.disks = { { id = "d-one-1-dst", place = "cn-shanghai/cn-shanghai-b", instance = "i-1" } }
    world.instances = { { id = "i-1", place = "cn-shanghai/cn-shanghai-b", status = status } }
    return (caller.new { world = world, assume = assume }:code("StartDiskReplicaGroup",
      { RegionId = D, ReplicaGroupId = "pg-one" }))
  end

  it("stands against a start, whatever its instance does", function()
    assert.equal("OperationDenied.StandbyDeviceAttached", start(nil, "Running"))
    assert.equal("OperationDenied.StandbyDeviceAttached", start(nil, "Stopped"))
  end)

  it("does not where its instance is stopped, if standby_attached says so", function()
    local assume = { standby_attached = "running" }
    assert.equal("OperationDenied.StandbyDeviceAttached", start(assume, "Running"))
    assert.equal("ok", start(assume, "Stopped"))
  end)
end)

describe("an answer without something", function()
  local function groups(assume, more)
    local world = caller.world { pairs = 0 }
    world.groups[2] = caller.world({ id = "pg-two", pairs = 1 }).groups[1]
    return caller.new { world = world, assume = assume }:call("DescribeDiskReplicaGroups",
      with({ RegionId = D, Site = "backup" }, more or {}))
  end

  -- Source: resource_alicloud_ebs_disk_replica_group.go of the provider, which waits until PairIds
  -- is there.
  it("has an empty list of pairs, or with empty_pair_ids none", function()
    assert.same({}, groups().ReplicaGroups[1].PairIds)
    local list = groups({ empty_pair_ids = "absent" }).ReplicaGroups
    assert.is_nil(list[1].PairIds)
    assert.same({ "pair-two-1" }, list[2].PairIds)
  end)

  -- Source: alibabacloud.com/help, DescribeLensMonitorDisks: not returned when there is no more.
  it("has an empty NextToken, or with last_token none", function()
    assert.equal("", groups().NextToken)
    assert.is_nil(groups({ last_token = "absent" }).NextToken)
    local first = groups({ last_token = "absent" }, { MaxResults = "1" })
    assert.matches("^%x+$", first.NextToken)
    local probe = caller.new { assume = { last_token = "absent" } }
    for _, question in ipairs { { "DescribeReplicaGroupDrills", { RegionId = D,
      GroupId = "pg-orders" } }, { "DescribeDisks", { RegionId = D, MaxResults = "100" },
      { version = "2014-05-26", host = "ecs.cn-shanghai.aliyuncs.com" } } } do
      local body, status = probe:call(table.unpack(question))
      assert.equal(200, status)
      assert.is_nil(body.NextToken)
    end
  end)
end)

-- Source: alibabacloud.com/help, DescribeDiskReplicaGroups (2026), parameter Site: the records and
-- the status information at the asked site.
describe("the status at a site that was dark", function()
  local function statuses(assume)
    local probe = caller.new { world = caller.world { failover_seconds = 10 }, assume = assume }
    local seen = {}
    local function look()
      local here = { RegionId = S, GroupIds = "pg-one" }
      local body = probe:call("DescribeDiskReplicaGroups", here)
      local listed = probe:call("DescribeDiskReplicaPairs", { RegionId = S })
      seen[#seen + 1] = body.ReplicaGroups[1].Status .. " " .. listed.ReplicaPairs[1].Status .. " "
        .. probe:look("pg-one").Status
    end
    look()
    probe.emu:region(S, "blackhole")
    probe.emu:advance(1)
    probe:failover "pg-one"
    probe.emu:advance(300)
    look()
    probe.emu:region(S, "up")
    probe.emu:advance(29)
    look()
    probe.emu:advance(1)
    look()
    return seen
  end

  it("is that of the other one", function()
    assert.same({ "normal normal normal", "failovered failovered failovered",
      "failovered failovered failovered", "failovered failovered failovered" }, statuses())
  end)

  it("is what it knew last, and for half a minute more, where each has its own", function()
    assert.same({ "normal normal normal", "normal normal failovered", "normal normal failovered",
      "failovered failovered failovered" }, statuses { site_status = "own" })
  end)

  it("goes on after a snapshot", function()
    local probe = caller.new { world = caller.world { failover_seconds = 10 },
      assume = { site_status = "own" } }
    probe.emu:region(S, "down")
    probe.emu:advance(20)
    probe.emu:region(S, "up")
    local about = probe.emu:snapshot().regions[1]
    assert.is_number(about.dark_since)
    assert.equal(about.dark_since + 20, about.back_at)
    assert.is_number(probe.emu:reset(probe.emu:snapshot()))
  end)
end)

-- Source: aliyun/terraform-provider-alicloud, time limits of its resources ebs_disk_replica_pair,
-- ebs_disk_replica_group and ebs_replica_group_drill, and the waits of their tests.
describe("the durations", function()
  it("are within the limits of those who wait for the real service", function()
    local limits = { create = 300, delete = 300, drill = 300, clear = 300, initial_sync = 1200,
      reprotect = 1200 }
    for name, limit in pairs(limits) do
      assert.is_true(schema.TIMINGS[name] <= limit, name)
    end
    assert.is_true(caller.new({ world = { groups = { { id = "pg-a", source = "a/b",
      destination = "c/d" } } } }).emu:group("pg-a").failover_seconds <= 1200)
  end)
end)
