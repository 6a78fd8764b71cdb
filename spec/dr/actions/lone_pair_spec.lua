-- A pair without a group is moved by the same verbs, with the operations of pairs.

local after = require "spec.dr.after_lab"
local desks = require "spec.cli.desk"
local lab = require "spec.dr.lab"
local scene = require "spec.playbooks.scene"

local ID = "pair-alone"
local OLD, NEW = "cn-hangzhou/cn-hangzhou-g", "cn-shanghai/cn-shanghai-b"

local function world_of(changes)
  local pair = { id = ID, name = "alone", status = "normal", recover_point_age = 432, source = OLD,
    destination = NEW, source_disk = "d-alone-old", destination_disk = "d-alone-new",
    failover_seconds = 20 }
  for name, value in pairs(changes or {}) do pair[name] = value end
  local world = after.world()
  world.pairs = { pair }
  world.disks[#world.disks + 1] = { id = "d-alone-old", place = OLD, instance = "i-alone" }
  world.instances[#world.instances + 1] = { id = "i-alone", place = OLD }
  world.disks[#world.disks + 1] = { id = "d-alone-new", place = NEW }
  return world
end

local function bench_of(changes, given)
  local all = { world = world_of(changes) }
  for name, value in pairs(given or {}) do all[name] = value end
  return lab.new(all)
end

local function run(bench, verb, options, at)
  local given = { id = ID, at = at }
  for name, value in pairs(options or {}) do given[name] = value end
  return bench:run(verb, given)
end

local function effects(bench)
  local list = {}
  for _, effect in ipairs(bench:ledger()) do list[#list + 1] = effect.action end
  return table.concat(list, " ")
end

describe("a pair without a group", function()
  it("is failed over alone, with its pre-check, token and figures", function()
    local bench = bench_of()
    local report = assert(bench:group(ID):precheck { max_rpo = "20m" })
    assert.is_true(report.ok)
    assert.equal("pair", report.snapshot.unit)
    local result = assert(run(bench, "failover", { max_rpo = "20m" }))
    assert.equal("failovered", result.outcome)
    assert.equal(432, result.rpo)
    assert.equal(1, #result.pairs)
    assert.equal("FailoverDiskReplicaPair", effects(bench))
    assert.equal(result.client_token, bench:ledger()[1].client_token)
    assert.equal("already_failovered", assert(run(bench, "failover")).outcome)
    assert.equal(1, #bench:ledger())
  end)

  it("is failed over once, whatever becomes of the answer", function()
    for name, effect in pairs(after.DOUBTFUL) do
      for _, when in ipairs { "before", "after" } do
        local bench = bench_of(nil, { faults = {
          after.fault("FailoverDiskReplicaPair", effect, when) } })
        local result = assert(run(bench, "failover"))
        assert.equal("failovered", result.outcome, name)
        assert.equal("FailoverDiskReplicaPair", effects(bench))
      end
    end
  end)

  it("may be failed over in any documented state but two, once it has a recovery point", function()
    for _, status in ipairs { "created", "initial_syncing", "stop_failed", "reprotect_failed" } do
      assert(run(bench_of { status = status }, "failover"))
    end
    local _, err = run(bench_of { status = "invalid" }, "failover")
    assert.equal("OperationDenied.InvalidStatus", err.code)
    _, err = run(bench_of { status = "initial_syncing", recover_point_age = false }, "failover")
    assert.equal("Client.FirstSyncUnfinished", err.code)
    assert.same({ "Client.FirstSyncUnfinished" }, err.forcible)
  end)

  it("is refused at its primary site, and where it is not listed", function()
    for region, code in pairs { ["cn-hangzhou"] = "OperationDenied.OperateNotAllowedForPrimary",
      ["cn-beijing"] = "NoSuchResource" } do
      local bench = bench_of(nil, { hostile = { permissive = true } })
      local _, err = run(bench, "failover", nil, region)
      assert.equal(code, err.code)
      assert.equal("", effects(bench))
    end
  end)

  it("that has one is told which, and nothing is sent", function()
    local bench = bench_of()
    for _, verb in ipairs { "failover", "stop", "reprotect" } do
      local _, err = bench:run(verb, { id = "pair-1" })
      assert.equal("NoSuchResource", err.code)
      assert.matches("pair%-1 is a pair of pg%-orders and moves with it", err.message)
    end
    assert.equal("", effects(bench))
  end)

  it("is stopped, synchronized, started, fenced, served, reversed and brought back", function()
    local bench = bench_of()
    assert.equal("fenced", assert(run(bench, "fence")).outcome)
    assert.equal("stopped", assert(run(bench, "stop")).outcome)
    assert.equal("synced", assert(run(bench, "start", { one_shot = true })).outcome)
    assert(run(bench, "failover"))
    assert.equal("serving", assert(run(bench, "serve", { attach = "i-new" })).outcome)
    assert.equal("reprotected", assert(run(bench, "reprotect")).outcome)
    local group = bench:group(ID)
    local back = assert(group:other_site())
    assert(back:fence())
    assert.equal("started", assert(group:start()).outcome)
    bench.emu:advance(60)
    assert(back:failover())
    for _, action in ipairs { "StopDiskReplicaPair", "StartDiskReplicaPair",
      "ReprotectDiskReplicaPair", "FailoverDiskReplicaPair" } do
      assert.is_truthy(effects(bench):find(action, 1, true), action)
    end
    assert.is_nil(effects(bench):find("ReplicaGroup", 1, true))
  end)

  it("has no drill of ours, and is told what to call", function()
    local _, err = run(bench_of(), "start_drill")
    assert.equal("OperationDenied", err.code)
    assert.matches("StartPairDrill", err.hint)
  end)

  it("is judged by readiness as a group is", function()
    local dr = require "alicloud.dr"
    local bench = bench_of()
    assert.equal("ok", dr.readiness({ bench:group(ID) }).verdict)
    bench = bench_of { status = "stopped" }
    assert.equal("warn", dr.readiness({ bench:group(ID) }).verdict)
  end)

  it("is moved by the ready playbook, from wherever its process died", function()
    local params = { group = ID, region = "cn-shanghai", attach = "i-new" }
    local stage = scene.stage(nil, { world = world_of() })
    local result = assert(scene.run("failover", stage, params))
    assert.equal("completed", result.status)
    assert.is_truthy(scene.effects(stage):find("FailoverDiskReplicaPair", 1, true))
    scene.kill_everywhere("failover", params, function()
      return scene.stage(nil, { world = world_of() })
    end, function(finished) assert.is_number(finished.marks.data_ready) end)
  end)

  it("is failed over at the command line", function()
    local ran, desk = desks.once({ world = world_of() }, "failover", ID, "--yes")
    assert.equal(0, ran.code, ran.out .. ran.err)
    assert.matches("pair%-alone .*1 pair ", ran.out)
    assert.equal("FailoverDiskReplicaPair", effects(desk))
  end)
end)
