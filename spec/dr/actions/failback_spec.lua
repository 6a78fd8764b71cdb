-- The way back, step by step or in one call, and again after it broke off.

local after = require "spec.dr.after_lab"
local alicloud = require "alicloud"
local lab = require "spec.dr.lab"

local ORDER = { "reprotect", "start", "catch_up", "stop_service", "fence", "sync", "failover",
  "serve", "protect", "restart" }

local BACK = { to = lab.PRIMARY }

local function with(more)
  local options = { to = lab.PRIMARY }
  for name, value in pairs(more) do options[name] = value end
  return options
end

local function assert_home(bench)
  local group = bench.emu:group(after.ID)
  assert.equal(lab.PRIMARY, group.source.region)
  assert.equal(lab.SECONDARY, group.destination.region)
  assert.equal(1, after.effects(bench, "FailoverDiskReplicaGroup"))
  assert.equal(2, after.effects(bench, "ReprotectDiskReplicaGroup"))
end

describe("failback", function()
  it("reverses, catches up, stops, synchronizes, switches and protects again", function()
    local bench, stopped = after.open(), 0
    local result = assert(bench:run("failback", with { stop = function(context)
      stopped = stopped + 1
      assert.is_table(context.steps.catch_up)
    end, attach = "i-old" }))
    assert.equal("failed_back", result.outcome)
    assert.same(ORDER, result.order)
    assert.equal(1, stopped)
    assert.is_true(result.steps.failover.rpo <= 5)
    assert.equal("serving", result.steps.serve.outcome)
    assert_home(bench)
  end)

  it("finds its work done when it is called again", function()
    local bench = after.open()
    assert(bench:run("failback", BACK))
    local requests = #bench:ledger()
    assert.equal("already_failed_back", assert(bench:run("failback", BACK)).outcome)
    assert.equal(requests, #bench:ledger())
  end)

  it("finds a machine that is not there before anything is changed", function()
    local bench = after.open()
    local _, err = bench:run("failback", with { attach = "i-typo" })
    assert.equal("InvalidInstanceId.NotFound", err.code)
    assert.equal("check", err.step)
    assert.same({}, bench:ledger())
  end)

  it("is refused while the old disks are attached, with names, nothing sent", function()
    local bench = after.new { status = "failovered" }
    local result, err = bench:run("failback", BACK)
    assert.is_nil(result)
    assert.equal("check", err.step)
    assert.equal("Client.OldSideInUse", err.code)
    assert.matches("d%-old%-1 on i%-old", err.message)
    assert.same({}, bench:ledger())
  end)

  it("is refused in a direction that the group does not have", function()
    for _, to in ipairs { lab.SECONDARY, "cn-beijing" } do
      local bench = after.open()
      local result, err = bench:run("failback", { to = to })
      assert.is_nil(result)
      assert.equal("Client.WrongDirection", err.code)
      assert.equal("not_sent", err.outcome)
      assert.same({}, bench:ledger())
    end
  end)

  it("does not switch when the service was not stopped", function()
    for _, stop in ipairs { function() return false end, function() return nil, "busy" end,
      function() error "no" end } do
      local bench = after.open()
      local _, err = bench:run("failback", with { stop = stop })
      assert.equal("Client.ServiceNotStopped", err.code)
      assert.equal("stop_service", err.step)
      assert.equal(0, after.effects(bench, "FailoverDiskReplicaGroup"))
    end
  end)

  it("goes on where it broke off, whatever the step", function()
    for i, action in ipairs { "ReprotectDiskReplicaGroup", "StartDiskReplicaGroup",
      "FailoverDiskReplicaGroup" } do
      local bench = after.open { faults = {
        after.fault(action, lab.answer("Forbidden", 403), "before") } }
      local options = with { sync = i < 3 }
      local _, err = bench:run("failback", options)
      assert.equal("Forbidden", err.code, action)
      assert.equal("failed_back", assert(bench:run("failback", options)).outcome)
      assert_home(bench)
    end
  end)

  -- A laboratory in which the service runs at the new side.
  local function served(faults)
    local world = after.world { status = "failovered", old = false }
    for i = 1, 2 do
      world.disks[#world.disks + 1] = { id = "d-new-" .. i, instance = "i-new",
        place = "cn-shanghai/cn-shanghai-b" }
    end
    world.instances[2].status = "Running"
    return lab.new { world = world, faults = faults }
  end

  local function refuse(action, nth)
    return { match = { action = action, nth = nth or 1 }, effect = lab.answer("Forbidden", 403) }
  end

  it("brings back what it has stopped if the switch does not come", function()
    for _, fault in ipairs { refuse("DetachDisk", 2), refuse "StopDiskReplicaGroup",
      refuse "FailoverDiskReplicaGroup" } do
      local bench, restarted = served { fault }, 0
      local options = with { stop = function() end, restart = function()
        restarted = restarted + 1
        assert.equal("Running", bench.emu.world.instance_by_id["i-new"].status)
      end, attach = "i-old" }
      local _, err = bench:run("failback", options)
      assert.equal("Forbidden", err.code)
      assert.is_true(err.rolled_back, err.production_down)
      assert.equal(1, restarted)
      for i = 1, 2 do
        assert.equal("i-new", bench.emu.world.disk_by_id["d-new-" .. i].instance)
      end
      bench.emu:advance(3600)
      assert.equal("failed_back", assert(bench:run("failback", options)).outcome)
      assert.equal("Running", bench.emu.world.instance_by_id["i-old"].status)
    end
  end)

  it("says that production is down if that cannot be brought back", function()
    local bench = served { refuse "FailoverDiskReplicaGroup", refuse "StartInstance" }
    local _, err = bench:run("failback", BACK)
    assert.is_false(err.rolled_back)
    assert.matches("cn%-shanghai was stopped", err.production_down)
    bench = served { after.fault("FailoverDiskReplicaGroup",
      { error = { status = 500, code = "InternalError" } }, "before", 1000) }
    _, err = bench:run("failback", BACK)
    assert.is_nil(err.rolled_back)
    assert.matches("not served in cn%-hangzhou yet", err.production_down)
    assert.equal(0, after.effects(bench, "AttachDisk"))
  end)

  it("goes on after the switch with what is left to do", function()
    local bench = after.open { faults = { { match = { action = "ReprotectDiskReplicaGroup",
      nth = 2 }, effect = lab.answer("Forbidden", 403) } } }
    local _, err = bench:run("failback", BACK)
    assert.equal("protect", err.step)
    local result = assert(bench:run("failback", BACK))
    assert.same({ "failover", "serve", "protect", "restart" }, result.order)
    assert.equal("already_failovered", result.steps.failover.outcome)
    assert_home(bench)
  end)

  it("asks before each step", function()
    local bench, asked = after.open(), {}
    local _, err = bench:run("failback", with { confirm = function(step)
      asked[#asked + 1] = step
      return step ~= "failover"
    end })
    assert.equal("Client.NotConfirmed", err.code)
    assert.equal("failover", asked[#asked])
    assert.equal(0, after.effects(bench, "FailoverDiskReplicaGroup"))
  end)

  it("can be done step by step", function()
    local bench = after.open()
    local group = bench:group()
    local back = assert(group:other_site())
    assert.equal(lab.PRIMARY, back.region)
    assert(group:reprotect())
    local start = assert(group:start())
    assert(group:await_recovery_point { newer_than = start.server_time })
    assert(back:fence())
    assert(group:sync_now())
    assert(back:failover())
    assert(back:reprotect())
    assert(back:start())
    assert_home(bench)
  end)

  it("ends with an error object of the step, not with a raise", function()
    local bench = after.open { faults = {
      after.fault("DescribeDiskReplicaGroups", { drop = true }, "before", 99) } }
    local result, err = bench:run("failback", BACK)
    assert.is_nil(result)
    assert.is_true(alicloud.error.is_error(err))
  end)
end)
