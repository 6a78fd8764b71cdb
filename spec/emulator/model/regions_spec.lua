-- Regions that are down, silent or in trouble, in both mounts; keys with worlds of their own; the
-- clock that moves with each look; snapshots.

local alicloud = require "alicloud"
local caller = require "spec.emulator.caller"
local core = require "alicloud.core"
local emulator = require "alicloud.emulator"
local life = require "spec.emulator.model.life"
local raw_client = require "spec.server.raw_client"
local server = require "alicloud.emulator.server"

local S, D = "cn-hangzhou", "cn-shanghai"
local HOST = { host = "ebs.cn-hangzhou.aliyuncs.com" }

describe("a region in the process", function()
  it("refuses connections while it is down, and nobody else notices", function()
    local probe = caller.new()
    probe.emu:region(S, "down")
    local _, status, exchange = probe:call("DescribeDiskReplicaGroups", { RegionId = S }, HOST)
    assert.is_nil(status)
    assert.same({ "connect", false }, { exchange.failure, exchange.sent })
    assert.equal("ok", (probe:failover "pg-orders"))
    probe.emu:region(S, "up")
    assert.equal("ok", (probe:code("DescribeDiskReplicaGroups", { RegionId = S }, HOST)))
  end)

  it("lets callers wait for nothing while it is a black hole", function()
    local probe = caller.new()
    probe.emu:region(S, "blackhole")
    local began = probe.emu:now()
    local request = probe:sign("DescribeDiskReplicaGroups", { RegionId = S }, HOST)
    request.timeout = 7
    local exchange = probe.emu.transport.send(request)
    assert.same({ "timeout", true }, { exchange.failure, exchange.sent })
    assert.equal(7, probe.emu:now() - began)
  end)

  it("holds replication while it is dark", function()
    local probe = caller.new { world = caller.world() }
    probe.emu:advance(810)
    local before = probe:look("pg-one").LastRecoverPoint
    probe.emu:region(S, "blackhole")
    probe.emu:advance(5000)
    assert.equal(before, probe:look("pg-one").LastRecoverPoint)
    probe.emu:region(S, "up")
    probe.emu:advance(900)
    assert.equal(probe.emu:now(), probe:look("pg-one").LastRecoverPoint)
  end)

  it("lets a copy that could not begin go on when it is back", function()
    local probe = caller.new { world = caller.world { status = "stopped" } }
    probe.emu:region(S, "blackhole")
    assert.equal("ok", (probe:code("StartDiskReplicaGroup",
      { RegionId = D, ReplicaGroupId = "pg-one" })))
    probe.emu:advance(5000)
    assert.equal("syncing", probe:look("pg-one").Status)
    probe.emu:region(S, "up")
    probe.emu:advance(1000)
    assert.equal("normal", probe:look("pg-one").Status)
  end)

  it("makes changes that need it fail", function()
    local probe = caller.new { world = caller.world() }
    probe.emu:region(S, "down")
    probe:code("StopDiskReplicaGroup", { RegionId = D, ReplicaGroupId = "pg-one" })
    probe.emu:advance(10)
    assert.equal("stop_failed", probe:look("pg-one").Status)
    assert.equal("ok", (probe:failover "pg-one"))
    probe.emu:advance(40)
    probe:code("ReprotectDiskReplicaGroup", { RegionId = D, ReplicaGroupId = "pg-one" })
    probe.emu:advance(20)
    assert.equal("reprotect_failed", probe:look("pg-one").Status)
  end)

  it("does late what it accepted while it was overloaded, once", function()
    local probe = caller.new()
    probe.emu:region(D, "overloaded")
    assert.equal("RequestTimeout", (probe:failover("pg-orders", "t1")))
    assert.equal("LastTokenProcessing", (probe:failover("pg-orders", "t1")))
    probe.emu:advance(30)
    probe.emu:region(D, "up")
    assert.equal("ok", (probe:failover("pg-orders", "t1")))
    assert.equal(1, #probe.emu:ledger())
  end)

  it("is refused where it does not exist, or in a condition that does not", function()
    local emu = emulator.new()
    assert.error_matches(function() emu:region("cn-nowhere", "down") end, "cn%-nowhere")
    assert.error_matches(function() emu:region(S, "dwon") end, "did you mean \"down\"")
  end)
end)

describe("ports by region", function()
  local emu, listening
  before_each(function()
    emu = emulator.new()
    listening = assert(server.start(emu, { region_ports = true }))
  end)
  after_each(function() listening:close() end)

  local function client(more)
    local options = { region = D, endpoint = listening.endpoints, loop = listening:loop(),
      runtime = emu.runtime, access_key_id = emu.access_key_id, retries = 0,
      access_key_secret = emu.access_key_secret, timeout = 2, connect_timeout = 2 }
    for name, value in pairs(more or {}) do options[name] = value end
    return alicloud.client(options)
  end

  it("serve each region at its own, and all at the first", function()
    for _, region in ipairs { S, D } do
      local result, err = client { region = region }:call("DescribeDiskReplicaGroups", {})
      assert.is_table(result, tostring(err))
    end
    assert.is_table(client { endpoint = listening.url }:call("DescribeRegions"))
    assert.are_not.equal(listening.endpoints[S], listening.endpoints[D])
  end)

  it("are closed while the region is down, and come back where they were", function()
    local url = listening.endpoints[S]
    emu:region(S, "down")
    listening:step(0)
    local result, err = client { region = S }:call("DescribeDiskReplicaGroups", {})
    assert.is_nil(result)
    assert.same({ "network", "not_sent" }, { err.kind, err.outcome })
    assert.is_table(client():call("DescribeDiskReplicaGroups", {}))
    emu:region(S, "up")
    listening:step(0)
    assert.equal(url, listening.endpoints[S])
    assert.is_table(client { region = S }:call("DescribeDiskReplicaGroups", {}))
  end)

  it("take requests and never answer while the region is a black hole", function()
    emu:region(S, "blackhole")
    local port = math.tointeger(tonumber(listening.endpoints[S]:match(":(%d+)$")))
    local peer <close> = raw_client.connect(port, function() listening:step(0) end)
    peer:send("GET /?Action=DescribeRegions HTTP/1.1\r\nHost: x\r\n\r\n")
    for _ = 1, 50 do listening:step(0) end
    assert.equal("", peer.received)
    assert.equal(1, #listening.silent)
  end)

  it("are switched over HTTP", function()
    local peer <close> = raw_client.connect(listening.port, function() listening:step(0) end)
    local body = '{"region":"cn-hangzhou","state":"down"}'
    local head = "POST /_emulator/regions HTTP/1.1\r\nHost: localhost\r\nContent-Length: "
    peer:send(("%s%d\r\n\r\n%s"):format(head, #body, body))
    peer:until_true(function() return peer.received:find('"state":"down"', 1, true) end)
    assert.equal("down", emu:region(S))
  end)
end)

describe("a key", function()
  it("has a world of its own", function()
    local emu = emulator.new { keys = { second = "its-secret" } }
    local probe = setmetatable({ emu = emu, count = 0 }, getmetatable(caller.new()))
    assert.equal("ok", (probe:failover "pg-orders"))
    local keyed = { access_key_id = "second", access_key_secret = "its-secret" }
    local body = probe:call("DescribeDiskReplicaGroups", { RegionId = S, GroupIds = "pg-orders" },
      keyed)
    assert.equal("normal", body.ReplicaGroups[1].Status)
    assert.equal(1, #emu:ledger())
    assert.equal(0, #emu:of_key("second"):ledger())
  end)

  it("that nobody knows is refused, unless any is welcome", function()
    local keyed = { access_key_id = "third", access_key_secret = "third-secret" }
    local probe = caller.new()
    assert.equal("InvalidAccessKeyId.NotFound", (probe:code("DescribeRegions", {}, keyed)))
    local open = caller.new { any_key = true }
    assert.equal("ok", (open:code("DescribeRegions", {}, keyed)))
    keyed.access_key_secret = "wrong"
    assert.equal("SignatureDoesNotMatch", (open:code("DescribeRegions", {}, keyed)))
  end)
end)

describe("the clock that moves with each look", function()
  it("goes a step with every Describe, and with nothing else", function()
    local probe = caller.new { clock = "poll", step = 20, world = caller.world() }
    local began = probe.emu:now()
    probe:failover "pg-one"
    assert.equal(0, probe.emu:now() - began)
    probe:look "pg-one"
    probe:look "pg-one"
    assert.equal(40, probe.emu:now() - began)
    assert.equal("failovered", probe:look("pg-one").Status)
  end)
end)

describe("a snapshot", function()
  it("goes on where it was taken, with what was under way", function()
    local first = caller.new { world = life.WORLD }
    local places = { RegionId = S, SourceZoneId = "cn-hangzhou-g", DestinationRegionId = D,
      DestinationZoneId = "cn-shanghai-b", DiskId = "d-old", DestinationDiskId = "d-new" }
    local id = first:call("CreateDiskReplicaPair", places).ReplicaPairId
    first.emu:advance(5)
    first:code("StartDiskReplicaPair", { RegionId = S, ReplicaPairId = id })
    first.emu:advance(60)
    local kept = core.decode(core.encode(first.emu:snapshot()))
    local second = caller.new()
    assert(second.emu:reset(kept))
    assert.equal(first.emu:now(), second.emu:now())
    for _ = 1, 3 do
      assert.same(first.emu:snapshot(), second.emu:snapshot())
      first.emu:advance(40)
      second.emu:advance(40)
    end
    assert.equal("normal", second.emu:pair(id).status)
  end)
end)
