-- How the world moves with the model's clock.

local caller = require "spec.emulator.caller"
local core = require "alicloud.core"

local START = 1795316400

describe("a failover", function()
  local probe
  before_each(function()
    -- 3 pairs and the group itself share 40 seconds: one turns every 10.
    probe = caller.new { world = caller.world() }
    probe:failover "pg-one"
  end)

  it("turns the pairs one after the other, and the group last", function()
    local seen = {}
    for _ = 0, 4 do
      seen[#seen + 1] = table.concat(probe:pair_statuses "pg-one", " ")
        .. " / " .. probe:look("pg-one").Status
      probe.emu:advance(10)
    end
    assert.same({
      "failovering failovering failovering / failovering",
      "failovered failovering failovering / failovering",
      "failovered failovered failovering / failovering",
      "failovered failovered failovered / failovering",
      "failovered failovered failovered / failovered",
    }, seen)
  end)

  it("does not depend on who looks how often", function()
    probe.emu:advance(35)
    assert.same({ "failovered", "failovered", "failovered" }, probe:pair_statuses "pg-one")
    assert.equal("failovering", probe:look("pg-one").Status)
  end)

  it("keeps the recovery point that it had when it began", function()
    probe.emu:reset()
    probe.emu:advance(850)
    probe:failover "pg-one"
    probe.emu:advance(5000)
    assert.equal(START + 800, probe:look("pg-one").LastRecoverPoint)
  end)

  it("turns all pairs together, where that is assumed", function()
    probe = caller.new { world = caller.world(), assume = { pair_order = "together" } }
    probe:failover "pg-one"
    probe.emu:advance(29)
    assert.same({ "failovering", "failovering", "failovering" }, probe:pair_statuses "pg-one")
    probe.emu:advance(1)
    assert.same({ "failovered", "failovered", "failovered" }, probe:pair_statuses "pg-one")
    assert.equal("failovering", probe:look("pg-one").Status)
  end)
end)

describe("the recovery point", function()
  local function points(group, ...)
    local probe = caller.new { world = caller.world(group) }
    local all = {}
    for index, seconds in ipairs { ... } do
      probe.emu:advance(seconds)
      all[index] = (probe:look("pg-one").LastRecoverPoint or START) - START
    end
    return all
  end

  it("moves once per RPO while the group is normal", function()
    assert.same({ -100, -100, 800, 800, 1700 }, points({ rpo = 900 }, 0, 799, 1, 899, 1))
  end)

  it("stays when it is older than the RPO, until a whole cycle has passed", function()
    assert.same({ -3000, -3000, 900 }, points({ rpo = 900, recover_point_age = 3000 }, 0, 899, 1))
  end)

  it("stays while the group does not replicate", function()
    assert.same({ -100, -100 }, points({ status = "stopped" }, 0, 5000))
  end)

  it("does not appear by itself", function()
    assert.same({ 0, 0 }, points({ recover_point_age = false }, 0, 5000))
  end)

  it("is shared by the pairs that have none of their own", function()
    local probe = caller.new { world = caller.world { pairs = { {}, { recover_point_age = 7 } } } }
    probe.emu:advance(800)
    local body = probe:call("DescribeDiskReplicaPairs",
      { RegionId = "cn-shanghai", Site = "backup" })
    assert.equal(START + 800, body.ReplicaPairs[1].LastRecoverPoint)
    assert.equal(START - 7, body.ReplicaPairs[2].LastRecoverPoint)
  end)
end)

describe("the clock", function()
  it("moves on a manual clock only when told, or when a client sleeps", function()
    local emu = caller.new().emu
    assert.equal(START, emu:now())
    emu:advance(1.5)
    emu.runtime.sleep(2.5)
    assert.equal(START + 4, emu:now())
    assert.equal(START + 4, emu.runtime.time())
    assert.equal(emu.runtime.monotonic(), emu.runtime.time())
  end)

  it("refuses to go back", function()
    local emu = caller.new().emu
    for _, wrong in ipairs { -1, 0 / 0, "1" } do
      assert.error_matches(function() emu:advance(wrong) end, "at least 0")
    end
  end)

  it("runs faster than the machine's when scaled", function()
    local emu = caller.new({ clock = "scaled", speed = 1e6 }).emu
    -- In this order: the model has seen at least what passes on the machine from here on.
    local model = emu:now()
    local machine = core.monotonic()
    repeat until core.monotonic() > machine + 1e-4
    assert.is_true(emu:now() - model >= 100)
  end)
end)

describe("an emulator", function()
  it("goes back to its first instant", function()
    local probe = caller.new()
    local first = probe:call("DescribeRegions", {})
    probe.emu:fault { effect = { drop = true }, match = { action = "none" } }
    probe.emu:hostile { empty_list = true }
    probe:failover("pg-orders", "t")
    probe.emu:advance(100)
    assert.equal(2, probe.emu:reset())
    assert.equal(START, probe.emu:now())
    assert.equal(0, #probe.emu:ledger())
    assert.equal(0, #probe.emu:requests())
    assert.equal(0, #probe.emu.faults.rules)
    assert.equal("normal", probe.emu:group("pg-orders").status)
    probe.count = 0 -- the nonces are forgotten as well
    assert.same(first, (probe:call("DescribeRegions", {})))
    assert.equal("normal", probe:look("pg-orders").Status)
  end)

  it("keeps the rules that it was made with when it goes back", function()
    local probe = caller.new { faults = { { effect = { error = { code = "InternalError" } },
      match = { count = 1 } } } }
    assert.equal("InternalError", (probe:code("DescribeRegions", {})))
    assert.equal("ok", (probe:code("DescribeRegions", {})))
    probe.emu:reset()
    assert.equal("InternalError", (probe:code("DescribeRegions", {})))
  end)

  it("goes back to the tags that it was made with, whatever became of them", function()
    local world = caller.world { tags = { team = "a" } }
    local probe = caller.new { world = world }
    local function tags() return probe:look("pg-one").Tags end
    local shot = probe.emu:snapshot()
    assert.equal("ok", (probe:code("TagResources", { RegionId = "cn-hangzhou",
      ResourceType = "diskreplicagroup", ["ResourceId.1"] = "pg-one", ["Tag.1.Key"] = "team",
      ["Tag.1.Value"] = "b" })))
    assert.equal("b", tags()[1].TagValue)
    assert.same({ team = "a" }, shot.groups[1].tags)
    world.groups[1].tags.team, world.groups[1].source = "c", 7
    probe.emu:reset()
    assert.equal("a", tags()[1].TagValue)
  end)

  it("does not change the options that it was given", function()
    local options = { seed = 3 }
    local probe = caller.new(options)
    probe.emu:reset(caller.world())
    assert.same({ seed = 3 }, options)
    assert.is_table(probe.emu:group "pg-one")
  end)

  it("writes down its world so that another can go on from there", function()
    local world = dofile("lua/alicloud/emulator/demo.lua")
    world.groups[1].pairs = { { recover_point_age = 9 }, {}, { recover_point_age = 5 } }
    local probe = caller.new { world = world }
    probe:failover "pg-orders"
    probe.emu:advance(100)
    local second = caller.new { world = probe.emu:snapshot(), now = probe.emu:now() }
    assert.same(probe.emu:snapshot(), second.emu:snapshot())
    assert.same(probe:look "pg-orders", second:look "pg-orders")
    assert.same(probe:look "pg-fresh", second:look "pg-fresh")
    assert.equal(START - 9, second.emu:group("pg-orders").pairs[1].recover_point)
  end)

  -- Another emulator that goes on from what the first one wrote down, by way of JSON.
  local function go_on(probe)
    local text = core.encode(probe.emu:snapshot())
    local second = caller.new { world = core.decode(text), now = probe.emu:now() }
    assert.equal(text, core.encode(second.emu:snapshot()))
    return second
  end

  it("writes down a change that never ends", function()
    local probe = caller.new { world = caller.world() }
    probe.emu:fault { effect = { stuck = true }, match = { action = "FailoverDiskReplicaGroup" } }
    probe:failover "pg-one"
    local second = go_on(probe)
    second.emu:advance(86400 * 365)
    assert.equal("failovering", second.emu:group("pg-one").status)
    assert.equal("failovering", second.emu:group("pg-one").pairs[3].status)
    assert.equal("OperationDenied.InvalidStatus", (second:code("ReprotectDiskReplicaGroup",
      { RegionId = "cn-shanghai", ReplicaGroupId = "pg-one" })))
  end)

  it("writes down what was accepted and is not done yet", function()
    local probe = caller.new { world = caller.world() }
    probe.emu:fault { effect = { apply_late = 30, partial = 1 },
      match = { action = "FailoverDiskReplicaGroup" } }
    assert.equal("RequestTimeout", (probe:failover("pg-one", "one")))
    local request_id = probe.emu:requests()[1].request_id
    probe.emu:advance(10)
    local second = go_on(probe)
    assert.equal("LastTokenProcessing", (second:failover("pg-one", "one")))
    second.emu:advance(19)
    assert.equal(0, #second.emu:ledger())
    second.emu:advance(1)
    assert.equal(request_id, second.emu:ledger()[1].request_id)
    assert.equal("one", second.emu:ledger()[1].client_token)
    assert.equal("ok", (second:failover("pg-one", "one")))
    second.emu:advance(60)
    assert.equal("failover_failed", second.emu:group("pg-one").status)
    assert.equal(1, #second.emu:ledger())
    second.emu:reset()
    second.emu:advance(20)
    assert.equal(1, #second.emu:ledger())
  end)

  it("writes down the work of a request whose client has gone", function()
    local probe = caller.new { world = caller.world() }
    probe.emu:fault { effect = { delay = 90 }, match = { action = "FailoverDiskReplicaGroup" } }
    local exchange = probe:send(probe:sign("FailoverDiskReplicaGroup",
      { RegionId = "cn-shanghai", ReplicaGroupId = "pg-one" }))
    assert.equal("timeout", exchange.failure)
    local second = go_on(probe)
    second.emu:advance(29)
    assert.equal(0, #second.emu:ledger())
    second.emu:advance(1)
    assert.equal(1, #second.emu:ledger())
  end)

  it("does not begin with work that nobody can do", function()
    local world = caller.world()
    world.later = { { at = 1, action = "Nothing", version = "2021-07-30", request_id = "R",
      params = {} } }
    assert.has_error(function() caller.new { world = world } end,
      'emulator: later[1].action: no operation "Nothing" of version "2021-07-30"')
    world.later[1].params = nil
    assert.has_error(function() caller.new { world = world } end,
      "emulator: later[1].params: is required")
  end)

  it("keeps the latest ten thousand requests in its log", function()
    local log = require("alicloud.emulator.request_log").new()
    for _ = 1, 10002 do log:open({ params = {} }, 0) end
    local list = log:list()
    assert.equal(10000, #list)
    assert.equal(3, list[1].n)
    assert.equal(10002, list[10000].n)
  end)

  it("keeps a log of requests with what became of them", function()
    local probe = caller.new()
    probe:failover("pg-orders", "t1")
    probe:failover("pg-orders", "t1")
    probe:failover "nope"
    local first, second, third = table.unpack(probe.emu:requests())
    assert.equal("first", first.token)
    assert.is_true(first.effect)
    assert.equal(200, first.status)
    assert.equal("repeat", second.token)
    assert.is_nil(second.effect)
    assert.equal(first.request_id, second.request_id)
    assert.equal("NoSuchResource", third.code)
    assert.equal("V3", third.protocol)
  end)
end)
