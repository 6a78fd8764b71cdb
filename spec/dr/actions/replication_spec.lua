-- Start, stop, one-shot synchronization and the wait for a recovery point.

local after = require "spec.dr.after_lab"
local lab = require "spec.dr.lab"

local START, STOP = "StartDiskReplicaGroup", "StopDiskReplicaGroup"

local function refused(bench, verb, options, code)
  local result, err = bench:run(verb, options)
  assert.is_nil(result)
  assert.equal(code, err.code)
  assert.equal("not_sent", err.outcome)
  assert.same({}, bench:requests(START))
  assert.same({}, bench:requests(STOP))
  return err
end

describe("start", function()
  it("waits until group and pairs replicate, asking where the data comes from", function()
    local bench = after.new { status = "stopped" }
    local result = assert(bench:run "start")
    assert.equal("started", result.outcome)
    assert.equal(lab.PRIMARY, result.region)
    assert.equal("syncing syncing syncing", after.truth(bench))
    assert.equal("already_started", assert(bench:run "start").outcome)
    assert.equal(1, after.effects(bench, START))
  end)

  -- What becomes of the first disk that is copied onto between the look at it and the call.
  local function with_late_disk(change)
    local bench = after.new { status = "stopped" }
    local emu, send, begun = bench.emu, bench.emu.transport.send, false
    local disk = emu.world.disk_by_id["d-new-1"]
    bench.client = bench.client:with { transport = { send = function(request)
      if request.action == START and not begun then
        begun = true
        change(emu, disk)
      end
      return send(request)
    end } }
    return bench
  end

  for _, options in ipairs { {}, { one_shot = true, incident = "INC-7" } } do
    it("waits for a disk that was free at the look, and is on its way at the call", function()
      local bench = with_late_disk(function(emu, disk)
        disk.status = "Creating"
        emu:later(emu:now() + 40, function() disk.status = "Available" end)
      end)
      local result = assert(bench:run("start", options))
      assert.equal(options.one_shot and "synced" or "started", result.outcome)
      assert.equal(1, after.effects(bench, START))
      local sends = bench:requests(START)
      assert.is_true(#sends > 1 and sends[1].client_token ~= sends[2].client_token)
    end)
  end

  it("does not wait for a disk that somebody has attached since the look", function()
    local bench = with_late_disk(function(emu, disk)
      disk.status, disk.instance = "In_use", emu.world.instance_by_id["i-new"]
    end)
    local _, err = bench:run "start"
    assert.equal("OperationDenied.StandbyDeviceAttached", err.code)
    assert.equal("rejected", err.outcome)
    assert.equal(1, #bench:requests(START))
  end)

  it("asks the other site under another token if the first does not serve the group", function()
    local world = after.world { status = "stopped" }
    local group = world.groups[1]
    group.source, group.destination = group.destination, group.source
    group.initial_source, group.initial_destination = group.destination, group.source
    world.disks = nil
    for _, pair in ipairs(group.pairs) do
      pair.source_disk, pair.destination_disk = pair.destination_disk, pair.source_disk
    end
    local bench = lab.new { world = world, assume = { group_home = "initial" } }
    local result = assert(bench:run "start")
    local sends = bench:requests(START)
    assert.equal(2, #sends)
    assert.equal(lab.SECONDARY, sends[1].region)
    assert.equal(lab.PRIMARY, result.region)
    assert.not_equal(sends[1].client_token, sends[2].client_token)
    assert.equal(1, after.effects(bench, START))
  end)

  it("is refused in a state from which it is not documented", function()
    for _, status in ipairs { "failovered", "stopping", "manual_syncing", "invalid" } do
      refused(after.new { status = status }, "start", nil, "OperationDenied.InvalidStatus")
    end
    refused(after.new { status = "normal" }, "start", { one_shot = true },
      "OperationDenied.InvalidStatus")
  end)

  it("is refused, with names, while disks that would be overwritten are attached", function()
    local world = after.world { status = "stopped" }
    world.disks[3] = { id = "d-new-2", place = "cn-shanghai/cn-shanghai-b", instance = "i-new" }
    local err = refused(lab.new { world = world }, "start", nil,
      "OperationDenied.StandbyDeviceAttached")
    assert.matches("d%-new%-2 on i%-new %(standby, Stopped%)", err.message)
  end)

  it("leaves the check to the service where the disks cannot be read", function()
    local bench = after.new({ status = "stopped" }, { faults = {
      after.fault("DescribeDisks", lab.answer("Forbidden", 403), "before", 99) } })
    local result = assert(bench:run "start")
    assert.is_false(result.standby.known)
  end)

  for name, effect in pairs(after.DOUBTFUL) do
    for _, when in ipairs { "before", "after" } do
      it(("happens once: %s %s the work"):format(name, when), function()
        for verb, status in pairs { start = "stopped", stop = "normal" } do
          local action = verb == "start" and START or STOP
          local bench = after.new({ status = status },
            { faults = { after.fault(action, effect, when) } })
          assert(bench:run(verb))
          local sends = bench:requests(action)
          assert.equal(when == "before" and 2 or 1, #sends)
          assert.equal(sends[1].client_token, sends[#sends].client_token)
          assert.equal(1, after.effects(bench, action))
        end
      end)
    end
  end
end)

describe("a one-shot synchronization", function()
  it("ends with a newer recovery point of group and pairs", function()
    local bench = after.new { status = "stopped" }
    local result = assert(bench:run("start", { one_shot = true }))
    assert.equal("synced", result.outcome)
    assert.is_true(result.recover_point >= math.floor(result.server_time))
    assert.equal("stopped stopped stopped", after.truth(bench))
  end)

  it("is not done while only the group says so", function()
    local bench = after.new { status = "stopped" }
    local result = assert(bench:run("start", { one_shot = true, on = { accepted = function()
      bench.emu:later(bench.emu:now() + 5, function()
        bench.emu:group(after.ID).status = "stopped"
      end)
    end } }))
    assert.is_true(result.elapsed >= 60)
  end)

  it("that ends without a newer recovery point is no success", function()
    local bench = after.new { status = "stopped" }
    local _, err = bench:run("start", { one_shot = true, on = { state = function()
      bench.emu:later(bench.emu:now() + 5, function() bench:put "stopped" end)
    end } })
    assert.equal("Client.Superseded", err.code)
  end)
end)

describe("stop", function()
  it("waits until group and pairs are stopped", function()
    local bench = after.new()
    assert.equal("stopped", assert(bench:run "stop").outcome)
    assert.equal("stopped stopped stopped", after.truth(bench))
    assert.equal("already_stopped", assert(bench:run "stop").outcome)
    assert.equal(1, after.effects(bench, STOP))
  end)

  it("tells when the service could not", function()
    local bench = after.new()
    local _, err = bench:run("stop", { on = { accepted = function()
      bench:put "stop_failed"
    end } })
    assert.equal("Client.ChangeFailed", err.code)
    assert.equal("accepted", err.outcome)
  end)

  it("asks the other region where the first is dark, and says that it is not known", function()
    local bench = after.new()
    bench.emu:region(lab.PRIMARY, "down")
    local _, err = bench:run "stop"
    assert.equal("Client.ChangeFailed", err.code)
    assert.equal(lab.SECONDARY, err.region)
    assert.equal(1, after.effects(bench, STOP))
    bench = after.new { status = "stopped" }
    bench.emu:region(lab.PRIMARY, "down")
    assert.equal("unknown", assert(bench:run "stop").other_site)
  end)

  it("is refused after a failover", function()
    refused(after.new { status = "failovered" }, "stop", nil, "OperationDenied.InvalidStatus")
  end)
end)

describe("sync_now", function()
  it("stops, synchronizes once, and holds the recovery point against the call", function()
    local bench = after.new()
    local result = assert(bench:run "sync_now")
    assert.equal("synced", result.outcome)
    assert.equal("stopped", result.stop.outcome)
    assert.is_true(result.verified)
    assert.is_true(result.recover_point >= math.floor(result.server_time))
    local failover = assert(bench:failover())
    assert.is_true(failover.rpo <= 5)
  end)

  it("does not take a synchronization of somebody else for its own", function()
    local bench = after.new { status = "stopped", rpo = 60 }
    bench.client:must(START, { ReplicaGroupId = after.ID, OneShot = true, RegionId = lab.PRIMARY })
    bench.emu:advance(35)
    local began = bench.emu:now()
    local result = assert(bench:run "sync_now")
    assert.is_false(result.joined)
    assert.is_true(result.server_time >= began)
  end)

  it("waits for the service's limit, which passes by itself", function()
    local bench = after.new()
    local first = assert(bench:run "sync_now")
    local second = assert(bench:run "sync_now")
    assert.is_true(second.server_time - first.server_time >= 450)
    local waiting = bench:event "waiting"
    assert.equal("OperationDenied.ManualSyncLimit", waiting.code)
    assert.matches("450 s", waiting.reason)
    assert.is_true(waiting.left > 600)
    local effects = 0
    for _, effect in ipairs(bench:ledger()) do
      if effect.action == "StartDiskReplicaGroup" then effects = effects + 1 end
    end
    assert.equal(2, effects)
  end)

  it("tells the service's limit as a refusal when there is no time left", function()
    local bench = after.new()
    assert(bench:run "sync_now")
    local _, err = bench:run("sync_now", { timeout = 100 })
    assert.equal("OperationDenied.ManualSyncLimit", err.code)
    assert.equal("rejected", err.outcome)
  end)
end)

describe("await_recovery_point", function()
  it("waits for all of group and pairs, and sends nothing", function()
    local bench = after.new()
    local began = bench.emu:now()
    local result = assert(bench:run "await_recovery_point")
    assert.equal("recovery_point", result.outcome)
    assert.is_true(result.recover_point > began)
    assert.is_true(result.elapsed > 400)
    assert.equal(0, result.attempts)
  end)

  it("does not take a new point of the group for one of each pair", function()
    local world = after.world()
    world.groups[1].pairs[2].recover_point_age = 5000
    world.groups[1].pairs[2].source_disk = "d-other"
    local bench = lab.new { world = world }
    local pair = bench.emu:pair "pair-2"
    pair.own_recover_point, pair.next_cycle, pair.halted = true, nil, true
    local _, err = bench:run("await_recovery_point", { timeout = 1200,
      newer_than = math.floor(bench.emu:now()) - 600 })
    assert.equal("Client.ChangeTimeout", err.code)
    assert.equal("not_sent", err.outcome)
  end)

  it("gives up where nothing flows, or when the direction changes", function()
    local bench = after.new { status = "stopped" }
    local _, err = bench:run "await_recovery_point"
    assert.equal("Client.Superseded", err.code)
    bench = after.new()
    _, err = bench:run("await_recovery_point", { on = { state = function()
      bench:reverse "normal"
    end } })
    assert.equal("Client.Superseded", err.code)
    assert.matches("direction", err.message)
  end)
end)

describe("options of changes", function()
  it("are refused at the caller's level, before anything is read", function()
    local wrong = {
      { "reprotect", { reverse = "yes" }, "option reverse" },
      { "reprotect", { old_side = "free" }, "option old_side" },
      { "reprotect", { revers = true }, 'did you mean "reverse"' },
      { "start", { one_shot = 1 }, "option one_shot" }, { "stop", { timeout = 0 }, "timeout" },
      { "sync_now", { continue = { intent = { client_token = "x" }, doubtful = true } },
        "and verb stop or start" },
      { "await_recovery_point", { newer_than = "now" }, "option newer_than" },
      { "drill", { check = 5 }, "option check" }, { "fence", { force = 1 }, "option force" },
      { "serve", {}, "option attach" }, { "serve", { attach = {} }, "option attach" },
      { "failback", {}, "option to" }, { "failback", { to = "X" }, "option to" },
      { "start_drill", { client_token = "" }, "option client_token" },
    }
    for _, case in ipairs(wrong) do
      local bench = after.new()
      local group = bench:group()
      local ok, message = pcall(function() group[case[1]](group, case[2]) end)
      assert.is_false(ok, case[1])
      assert.matches(case[3], message, 1, true)
      assert.matches("^spec/dr/actions/replication_spec%.lua:%d+: ", message)
      assert.same({}, bench:requests())
      assert.error_matches(function() group[case[1]] {} end, "with a colon")
    end
    local group = after.new():group()
    assert.error_matches(function() group:clear_drill "a b" end, "drill id: got")
  end)
end)
