-- The groups of a fleet: who is meant, who is ready, and who is left out.

local core = require "alicloud.core"
local fleets = require "spec.playbooks.fleet_lab"
local scene = require "spec.playbooks.scene"
local stages = require "spec.dr.playbook.stage"

local stage_of, run, moved = fleets.stage, fleets.run, fleets.moved

-- Faults of one group are met by looks at it alone, as of groups that come one after the other.
describe("the groups of a fleet", function()
  it("leaves out what is not ready and names it, with the command for later", function()
    for _, status in ipairs { "initial_syncing", "reprotecting", "invalid", "created" } do
      local stage = stage_of(12, { [7] = { status = status } })
      local result = assert(run(stage))
      assert.equal(11, moved(stage))
      assert.equal("completed_with_exceptions", result.status)
      assert.equal(1, #result.exceptions)
      assert.matches("^pg%-07 was left out: .*later: alicloud%-dr run failover group=pg%-07 "
        .. "region=cn%-shanghai max_rpo=3600s$", result.exceptions[1])
      local outcomes = stage:state().steps["what remains"].result.groups
      assert.matches("^left out: ", outcomes["pg-07"])
      assert.equal("failovered", outcomes["pg-08"])
    end
  end)

  it("leaves out what has vanished, cannot be read or is held by another run", function()
    local stage = stage_of(4, nil, { faults = { {
      match = { action = "DescribeDiskReplicaPairs", group = "pg-03", count = 100000 },
      effect = { error = { code = "Forbidden", status = 403 } } } } })
    local other = stage.disk:open "other"
    assert(other:lease("group pg-02", { owner = "someone", host = "there", pid = 1 }))
    local result = assert(run(stage, { groups = "pg-01,pg-02,pg-03,pg-04,pg-99",
      parallel = 1 }))
    assert.equal(2, moved(stage))
    assert.equal(3, #result.exceptions)
    local text = table.concat(result.exceptions, "\n")
    assert.matches("pg%-02 was left out: Client", text)
    assert.matches("pg%-03 was left out: Forbidden", text)
    assert.matches("pg%-99 was left out: ", text)
  end)

  it("suggests one that it has listed anyway for one that is not there", function()
    local requests = {}
    for id, meant in pairs { nobody = "", ["pg-0x"] = '; did you mean "pg%-03"%?' } do
      local stage = stage_of(3)
      local result = assert(run(stage, { groups = "pg-01,pg-02," .. id }))
      assert.matches("is on neither site of cn%-shanghai" .. meant .. "; later: ",
        result.exceptions[1])
      requests[#requests + 1] = #stage.bench:requests()
    end
    assert.equal(requests[1], requests[2])
  end)

  it("suggests one for the only one, which is not there, by a listing of its own", function()
    for id, meant in pairs { ["pg-0"] = '; did you mean "pg-01"?', nobody = "" } do
      local _, err = run(stage_of(1), { groups = id })
      assert.equal(("none of 1 groups can be failed over; first: %s: %s is on neither site of "
        .. "cn-shanghai%s"):format(id, id, meant), err.message)
    end
  end)

  it("does not wait for that listing", function()
    local faults = {}
    for nth = 5, 20 do
      faults[#faults + 1] = { match = { action = "DescribeDiskReplicaGroups", nth = nth },
        effect = { drop = true } }
    end
    local stage = stage_of(1, nil, { faults = faults })
    local began = stage.bench.emu:now()
    local _, err = run(stage, { groups = "pg-0" })
    assert.equal("NoSuchResource", err.code)
    assert.is_nil(err.message:find("mean", 1, true))
    assert.is_true(stage.bench.emu:now() - began < 10)
  end)

  it("refuses all beside names", function()
    for _, groups in ipairs { "all,pg-01", "pg-01,all" } do
      local stage = stage_of(2)
      local _, err = run(stage, { groups = groups })
      assert.matches("^groups: got all beside names; ", err.message)
      assert.equal(0, moved(stage))
    end
  end)

  it("does not wait ten minutes for one that cannot be read while others can", function()
    local stage = stage_of(6, nil, { faults = { {
      match = { action = "DescribeDiskReplicaGroups", group = "pg-03", count = 1000000 },
      effect = { error = { code = "InternalError", status = 500 } } } } })
    local result = assert(run(stage, { parallel = 1 }))
    assert.equal(5, moved(stage))
    assert.matches("pg%-03 was left out: Client.StepTimeout: it could not be read, while others "
      .. "could, for 60 s; later: ", result.exceptions[1])
    assert.equal(1, #result.exceptions)
    local waited = stage:events("intent")[1].at - stage:events("run")[1].at
    assert.is_true(waited >= 120 and waited < 180, waited)
  end)

  -- Its looks go on for longer than others take, and each of them can be read.
  it("says why one is not ready that is looked at for two minutes", function()
    local stopped = { [3] = { pairs = { {}, { status = "stopped" } } } }
    for _, parallel in ipairs { 1, 4 } do
      local stage = stage_of(4, stopped)
      local result = assert(run(stage, { parallel = parallel }))
      assert.equal(3, moved(stage))
      assert.equal(1, #result.exceptions)
      assert.matches("pg%-03 was left out: OperationDenied.PairGroupStatusConflict: group normal, "
        .. "but %S+ is stopped; ", result.exceptions[1])
      assert.is_nil(scene.statuses(stage)["once more pg-03/check"])
    end
    local plan = require("alicloud.dr.playbook.dry_run").run(scene.load "fleet", {
      client = stage_of(4, stopped).bench.client,
      params = { groups = "all", region = "cn-shanghai" } })
    assert.is_nil(plan.stopped)
    local refused = {}
    for _, step in ipairs(plan.steps) do
      if step.failed or step.effect == "refused" then refused[#refused + 1] = step end
    end
    assert.same({ 1, "ready pg-03/check" }, { #refused, refused[1].key })
    assert.matches("PairGroupStatusConflict: group normal", refused[1].note)
  end)

  it("waits for one that can be read again after a minute", function()
    local stage = stage_of(6, nil, { faults = { {
      match = { action = "DescribeDiskReplicaGroups", group = "pg-03", count = 14 },
      effect = { error = { code = "InternalError", status = 500 } } } } })
    local result = assert(run(stage, { parallel = 1 }))
    assert.equal(6, moved(stage))
    assert.equal("completed", result.status)
    assert.equal("done", scene.statuses(stage)["once more pg-03/check"])
  end)

  it("waits for a cloud that is dark, and moves all when it is back", function()
    for _, first in ipairs { 1, 6 } do
      local stage = stage_of(6)
      stage.bench.emu:later(stage.bench.emu:now() + 300, function()
        stage.bench.emu:region("cn-shanghai", "up")
      end)
      local seen = 0
      if first == 1 then stage.bench.emu:region("cn-shanghai", "failing") end
      local result = assert(run(stage, { parallel = 2 }, { progress = function(event)
        seen = seen + (event.type == "step_end" and 1 or 0)
        if seen == first and first > 1 then
          stage.bench.emu:region("cn-shanghai", "failing")
        end
      end }))
      assert.equal("completed", result.status)
      assert.equal(6, moved(stage))
    end
  end)

  it("names a recovery point that will do, where it was too old", function()
    local stage = stage_of(3, { [2] = { recover_point_age = 9000 } })
    local result = assert(run(stage))
    assert.matches("pg%-02 was left out: Client.RecoveryPointTooOld: .*max_rpo=14400s$",
      result.exceptions[1])
  end)

  it("does nothing with a group that stands there already, and says so", function()
    local there = { source = "cn-shanghai/cn-shanghai-b",
      destination = "cn-hangzhou/cn-hangzhou-g" }
    local stage = stage_of(3, { there })
    local result = assert(run(stage, { groups = "pg-01,pg-02,pg-03", canary = "pg-02" }))
    assert.equal("completed", result.status)
    assert.equal(2, moved(stage))
    assert.matches("stands there already, nothing was done: pg%-01", scene.notes(stage))
    stage = stage_of(2, { there, there })
    assert.equal("completed", assert(run(stage, { groups = "pg-01,pg-02" })).status)
    assert.equal(0, moved(stage))
  end)

  it("is approved for the groups that are ready", function()
    local stage = stage_of(3, { fleets.BROKEN })
    -- Nobody approves, and the gate closes.
    local key = core.ed25519_public(("ab"):rep(32))
    assert.is_nil((run(stage, { approvers = "dba" }, { approvers = { dba = key } })))
    local asked = {}
    for i, group in ipairs(stage:events("gate_open")[1].decision.groups) do asked[i] = group.id end
    assert.same({ "pg-02", "pg-03" }, asked)
  end)

  it("moves groups between zones to the side that is said, and asks for it", function()
    local g, h = "cn-hangzhou/cn-hangzhou-g", "cn-hangzhou/cn-hangzhou-h"
    local away = { source = "cn-shanghai/cn-shanghai-b", destination = g }
    for _, to in ipairs { "cn-hangzhou-h", "" } do
      local stage = stage_of(4, { { source = g, destination = h }, { source = h, destination = g },
        { source = g, destination = h }, away })
      local result = assert(run(stage, { region = "cn-hangzhou", to = to ~= "" and to or nil }))
      local text = table.concat(result.exceptions, "\n")
      if to == "" then
        assert.equal(1, moved(stage))
        assert.matches("pg%-01 was left out: Client.DirectionNeeded: .*to=ZONE", text)
      else
        assert.equal(2, moved(stage))
        assert.matches("stands there already, nothing was done: pg%-02", scene.notes(stage))
        assert.matches("reprotect %S+ %-%-region cn%-hangzhou %-%-to cn%-hangzhou%-h",
          scene.notes(stage))
        assert.matches("pg%-04 was left out: Client.UnknownSide: .* region=cn%-hangzhou max_rpo",
          text)
      end
    end
  end)

  it("moves pairs without a group as well", function()
    local world = { regions = { "cn-hangzhou", "cn-shanghai" }, groups = { { id = "pg-01",
      pairs = 2, status = "normal", recover_point_age = 60, failover_seconds = 20,
      source = "cn-hangzhou/cn-hangzhou-g", destination = "cn-shanghai/cn-shanghai-b" } },
      pairs = {}, disks = {} }
    for i = 1, 3 do
      world.pairs[i] = { id = "pair-alone-" .. i, name = "alone", failover_seconds = 20,
        recover_point_age = i == 3 and 9000 or 60, status = "normal",
        source = "cn-hangzhou/cn-hangzhou-g", destination = "cn-shanghai/cn-shanghai-b",
        source_disk = "d-old-" .. i, destination_disk = "d-new-" .. i }
      table.insert(world.disks, { id = "d-old-" .. i, place = "cn-hangzhou/cn-hangzhou-g" })
      table.insert(world.disks, { id = "d-new-" .. i, place = "cn-shanghai/cn-shanghai-b" })
    end
    local stage = stages.new { world = world }
    local result = assert(run(stage, { tier = "1:alone" }))
    assert.equal("FailoverDiskReplicaPair FailoverDiskReplicaPair FailoverDiskReplicaGroup",
      scene.effects(stage))
    assert.matches("^pair%-alone%-3 was left out: .*group=pair%-alone%-3", result.exceptions[1])
  end)

  it("stops before anything if none is ready", function()
    local stage = stage_of(3, { fleets.BROKEN, fleets.BROKEN, fleets.BROKEN })
    local _, err = run(stage)
    assert.equal("OperationDenied.InvalidStatus", err.code)
    assert.matches("none of 3 groups can be failed over; first: pg%-01: ", err.message)
    assert.equal("not_sent", err.outcome)
    assert.equal(0, moved(stage))
  end)

  it("looks again at what was left out when it is resumed", function()
    local stage = stage_of(4, { [4] = fleets.BROKEN }, { faults = { fleets.forbidden "pg-01" } })
    local _, err = run(stage)
    assert.equal("Forbidden", err.code)
    stage.bench.emu.world.group_by_id["pg-04"].status = "normal"
    for _, pair in ipairs(stage.bench.emu.world.group_by_id["pg-04"].pairs) do
      pair.status = "normal"
    end
    assert(run(stage))
    assert.equal(4, moved(stage))
  end)
end)
