-- A world is drawn from what a recording has seen: an emulator that is seeded with it shows every
-- field of the recorded groups and pairs again.

local alicloud = require "alicloud"
local core = require "alicloud.core"
local emulators = require "alicloud.emulator"
local reading = require "alicloud.conformance.recording.reading"
local noted = require "spec.conformance.noted"
local recorders = require "alicloud.conformance.recording.recorder"
local scratch = require "spec.scratch"
local worlds = require "alicloud.conformance.world"

local REGIONS = { "cn-hangzhou", "cn-shanghai" }

local WORLD = {
  regions = REGIONS,
  groups = {
    { id = "pg-001", name = "name-001", description = "name-002", pairs = 3, status = "normal",
      source = "cn-hangzhou/cn-hangzhou-g", destination = "cn-shanghai/cn-shanghai-b",
      recover_point_age = 432, rpo = 1800, bandwidth = 10240, tags = { team = "dr" },
      resource_group = "rg-001" },
    -- One that was reversed, whose pairs differ from it.
    { id = "pg-002", status = "failovered", source = "cn-shanghai/cn-shanghai-b",
      destination = "cn-hangzhou/cn-hangzhou-g", initial_source = "cn-hangzhou/cn-hangzhou-g",
      initial_destination = "cn-shanghai/cn-shanghai-b", rtc = true,
      pairs = { { id = "pair-004", name = "name-003", status_message = "text",
        source_disk = "d-001", destination_disk = "d-002", recover_point_age = 900 },
        { id = "pair-005", status = "failover_failed" } } },
    { id = "pg-003", status = "created", source = "cn-hangzhou/cn-hangzhou-h",
      destination = "cn-hangzhou/cn-hangzhou-i", pairs = 0, recover_point_age = false },
  },
  pairs = { { id = "pair-009", source = "cn-hangzhou/cn-hangzhou-g", status = "stopped",
    destination = "cn-shanghai/cn-shanghai-b", recover_point_age = 60, charge_type = "PREPAY",
    expired = 1795916400 } },
  disks = { { id = "d-001", place = "cn-shanghai/cn-shanghai-b", size = 20, instance = "i-001",
    device = "/dev/xvdb" } },
  instances = { { id = "i-001", place = "cn-shanghai/cn-shanghai-b", status = "Stopped" } },
}

-- Everything that an emulator shows of its groups and pairs, by region, site and id.
local function shown(emulator, transport, recorder)
  local client = alicloud.client { region = "cn-hangzhou", runtime = emulator.runtime,
    transport = transport or emulator.transport, access_key_id = "emulator",
    access_key_secret = "emulator-secret", recorder = recorder }
  local all = {}
  for _, region in ipairs(REGIONS) do
    for _, site in ipairs { "production", "backup" } do
      local groups = assert(client:call("DescribeDiskReplicaGroups", { Site = site },
        { region = region })).ReplicaGroups
      local pairs_of = assert(client:call("DescribeDiskReplicaPairs", { Site = site },
        { region = region })).ReplicaPairs
      for _, record in ipairs(groups) do
        all[region .. site .. record.ReplicaGroupId] = record
      end
      for _, record in ipairs(pairs_of) do
        all[region .. site .. record.ReplicaPairId] = record
      end
    end
    all[region .. "disks"] = assert(client:call("ecs:DescribeDisks", {
      DiskIds = core.encode { "d-001" } }, { region = region })).Disks
    all[region .. "instances"] = assert(client:call("ecs:DescribeInstances", {
      InstanceIds = core.encode { "i-001" } }, { region = region })).Instances
  end
  return all
end

local function by_id(list)
  local map = {}
  for _, record in ipairs(list) do map[record.ReplicaPairId or record.ReplicaGroupId] = record end
  return map
end

local function recorded(world)
  local emulator = emulators.new { world = world }
  local recorder = noted.new(emulator.transport, emulator.runtime.time)
  local all = shown(emulator, recorder.transport)
  return assert(reading.read(recorder:text(), "rec.jsonl")), all
end

local function count(value)
  local number = 0
  for _, each in pairs(value) do
    number = number + (type(each) == "table" and math.max(1, count(each)) or 1)
  end
  return number
end

describe("a world from a recording", function()
  it("shows every field of the recorded groups and pairs again", function()
    local recording, before = recorded(WORLD)
    local world, notes = worlds.of(recording)
    assert(world, notes)
    assert.same({}, notes)
    local after = shown(emulators.new { world = world, now = world.now })
    for key, record in pairs(before) do assert.same(record, after[key], key) end
    assert.equal(count(before), count(after))
    assert.is_true(count(before) > 96)
  end)

  it("does so from a redacted file, under the names of that", function()
    local emulator = emulators.new { world = WORLD }
    local path = scratch.directory() .. "/seen.jsonl"
    local recorder = assert(recorders.open(path, { now = emulator.runtime.time }))
    shown(emulator, nil, recorder)
    recorder:close()
    local recording, fields = assert(reading.open(path)), 0
    assert.equal(0, recording.dropped)
    local world = assert(worlds.of(recording))
    local seeded = emulators.new { world = world, now = world.now }
    local client = alicloud.client { region = "cn-hangzhou", runtime = seeded.runtime,
      transport = seeded.transport, access_key_id = "emulator",
      access_key_secret = "emulator-secret" }
    for _, exchange in ipairs(recording.exchanges) do
      local answer = exchange.product == "ebs" and client:call(exchange.action, exchange.params,
        { region = exchange.region })
      for _, name in ipairs { "ReplicaGroups", "ReplicaPairs" } do
        local recorded_list = exchange.response.json[name]
        if recorded_list then
          assert.same(by_id(recorded_list), by_id(answer[name]))
          fields = fields + count(recorded_list)
        end
      end
    end
    assert.is_true(fields > 96)
  end)

  it("can be moved to another time, with all its moments", function()
    local recording, before = recorded(WORLD)
    local ended = recording.exchanges[#recording.exchanges].at
    local world = assert(worlds.of(recording, ended + 86400))
    assert.is_nil(world.now)
    local after = shown(emulators.new { world = world, now = ended + 86400 })
    local key = "cn-shanghaibackuppg-001"
    assert.equal(86400, after[key].LastRecoverPoint - before[key].LastRecoverPoint)
    key = "cn-shanghaibackuppair-009"
    assert.equal(86400, after[key].ExpiredTime - before[key].ExpiredTime)
  end)

  it("keeps a status that nobody knew, which is legal for nothing", function()
    local world, notes = worlds.of(assert(reading.read(noted.text {
      noted.exchange(1, "DescribeDiskReplicaGroups", { RegionId = "cn-shanghai" }, {
        ReplicaGroups = { { ReplicaGroupId = "pg-001", Status = "resyncing", PairIds = {
          "pair-001,pair-002" }, SourceRegionId = "cn-hangzhou",
          SourceZoneId = "cn-hangzhou-g", DestinationRegionId = "cn-shanghai",
          DestinationZoneId = "cn-shanghai-b", LastRecoverPoint = 1795316400000 } } }) }, "r")))
    assert(world, notes)
    assert.same({ "pg-001 has the status resyncing, which the emulator does not know",
      "of pair-001 no more is known than its id", "of pair-002 no more is known than its id" },
      notes)
    assert.equal(1795316400, world.groups[1].recover_point)
    local emulator = emulators.new { world = world }
    local client = alicloud.client { region = "cn-shanghai", runtime = emulator.runtime,
      transport = emulator.transport, access_key_id = "emulator",
      access_key_secret = "emulator-secret" }
    local group = assert(client:call("DescribeDiskReplicaGroups", { Site = "backup" }))
      .ReplicaGroups[1]
    assert.equal("resyncing", group.Status)
    assert.equal(2, group.PairNumber)
    local _, err = client:call("FailoverDiskReplicaGroup", { ReplicaGroupId = "pg-001" })
    assert.equal("OperationDenied.InvalidStatus", err.code)
    local again = emulators.new { world = emulator:snapshot() }
    assert.equal("resyncing", again.world.groups[1].status)
  end)

  it("takes the last record of each, and a pair's own word for its group", function()
    local function pair(n, group)
      return noted.exchange(n, "DescribeDiskReplicaPairs", { RegionId = "cn-shanghai" }, {
        ReplicaPairs = { { ReplicaPairId = "pair-001", Status = "normal", ReplicaGroupId = group,
          SourceRegion = "cn-hangzhou", SourceZoneId = "cn-hangzhou-g",
          DestinationRegion = "cn-shanghai", DestinationZoneId = "cn-shanghai-b" } } })
    end
    local function draw(list) return worlds.of(assert(reading.read(noted.text(list), "r"))) end
    local world, notes = draw { pair(1, ""), pair(2, "pg-001") }
    assert.same({ "pg-001 was never described; it is drawn from its pair pair-001" }, notes)
    assert.equal("pair-001", world.groups[1].pairs[1].id)
    world = draw { pair(1, "pg-001"), pair(2, "") }
    assert.equal("pair-001", world.pairs[1].id)
    assert.equal(0, #world.groups)
  end)

  it("is refused where nothing was described", function()
    local world, err = worlds.of(assert(reading.read(noted.text {
      noted.exchange(1, "DescribeRegions", { RegionId = "cn-shanghai" }, {}) }, "rec.jsonl")))
    assert.is_nil(world)
    assert.matches("^rec.jsonl: no group or pair", err.message)
  end)
end)

describe("a world file", function()
  it("may name statuses that the model does not know, and no others are taken", function()
    local group = { id = "pg-1", source = "cn-a/cn-a-a", destination = "cn-b/cn-b-a",
      status = "resyncing" }
    assert.matches("status: must be one of", emulators.world_problem { groups = { group } })
    assert.is_nil(emulators.world_problem { groups = { group }, statuses = { "resyncing" } })
    assert.matches("statuses%[1%]", emulators.world_problem { groups = {}, statuses = { "a b" } })
  end)
end)
