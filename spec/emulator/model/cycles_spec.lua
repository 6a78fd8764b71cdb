-- Recovery points tell of cycles that ended: not of one that a dark site stopped, nor of those of
-- another record.

local caller = require "spec.emulator.caller"

local S, D = "cn-hangzhou", "cn-shanghai"
local SOURCE, DESTINATION = S .. "/cn-hangzhou-g", D .. "/cn-shanghai-b"

describe("a cycle that a dark site interrupts", function()
  local probe, seen

  local function look()
    local group = probe.emu:group "pg-one"
    seen[#seen + 1] = group.status
    return probe:look("pg-one").LastRecoverPoint
  end

  before_each(function()
    local world = caller.world { recover_point_age = 0, pairs = 1 }
    world.timings = { cycle_sync = 100 }
    probe, seen = caller.new { world = world }, {}
  end)

  it("does not begin and does not end while the site is dark", function()
    probe.emu:region(S, "blackhole")
    local point = look()
    for _ = 1, 5 do
      probe.emu:advance(425)
      assert.equal(point, look())
    end
    assert.same({ "normal", "normal", "normal", "normal", "normal", "normal" }, seen)
  end)

  it("goes on where it was cut short, and ends with a point of its own", function()
    probe.emu:advance(850)
    local point = look()
    probe.emu:region(S, "blackhole")
    probe.emu:advance(5000)
    assert.equal(point, look())
    probe.emu:region(S, "up")
    probe.emu:advance(99)
    assert.equal(point, look())
    probe.emu:advance(1)
    assert.equal(probe.emu:now(), look())
    assert.same({ "syncing", "syncing", "syncing", "normal" }, seen)
  end)
end)

describe("a pair that joins a group", function()
  local function joined(group, pair)
    local world = caller.world(group)
    pair.id, pair.source, pair.destination, pair.status = "pair-new", SOURCE, DESTINATION,
      "stopped"
    world.pairs = { pair }
    local probe = caller.new { world = world }
    local question = { RegionId = S, ReplicaGroupId = "pg-one", ReplicaPairId = "pair-new" }
    assert.equal("ok", (probe:code("AddDiskReplicaPair", question)))
    probe.emu:advance(5)
    return probe, question
  end

  local function points(probe)
    local body = probe:call("DescribeDiskReplicaPairs",
      { RegionId = D, Site = "backup", ReplicaGroupId = "pg-one" })
    local list = {}
    for index, pair in ipairs(body.ReplicaPairs) do
      list[index] = pair.LastRecoverPoint or "none"
    end
    return list
  end

  it("gives its recovery point to no member that was never copied", function()
    local probe = joined({ status = "stopped", pairs = 1, recover_point_age = false },
      { recover_point_age = 60 })
    assert.same({ "none", probe.emu:now() - 65 }, points(probe))
    assert.equal("OperationDenied.InvalidStatus", (probe:failover "pg-one"))
  end)

  it("gives it to a group that has no other", function()
    local probe = joined({ status = "stopped", pairs = 0, recover_point_age = false },
      { recover_point_age = 60 })
    assert.equal(probe.emu:now() - 65, probe:look("pg-one").LastRecoverPoint)
    assert.equal("ok", (probe:failover "pg-one"))
  end)

  it("keeps its point until the group's first cycle ends, however long it waited", function()
    local probe = joined({ status = "stopped", pairs = 1, recover_point_age = 60 },
      { recover_point_age = 60 })
    local before = points(probe)
    probe.emu:advance(5000)
    probe:code("StartDiskReplicaGroup", { RegionId = S, ReplicaGroupId = "pg-one" })
    assert.same(before, points(probe))
    probe.emu:advance(30)
    assert.same({ probe.emu:now(), probe.emu:now() }, points(probe))
  end)
end)
