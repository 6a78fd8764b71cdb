-- The ready playbook for the way back.

local scene = require "spec.playbooks.scene"

local PARAMS = { group = "pg-orders", region = "cn-shanghai", attach = "i-old" }

local function open_stage() return scene.failed_over(false) end

local function run(stage, more)
  local params = {}
  for name, value in pairs(PARAMS) do params[name] = value end
  for name, value in pairs(more or {}) do params[name] = value end
  return stage:run(scene.load "failback", { params = params })
end

describe("the playbook failback", function()
  it("brings the service back without loss, and protects it as before", function()
    local stage = open_stage()
    local result = assert(run(stage))
    assert.equal("completed", result.status)
    assert.equal(0, result.rpo)
    assert.equal("normal normal normal", scene.settled(stage))
    local seen = assert(stage.bench:group():look())
    assert.equal("cn-hangzhou", seen.from.region)
    assert.equal("cn-shanghai", seen.to.region)
    assert.matches("FailoverDiskReplicaGroup AttachDisk AttachDisk ReprotectDiskReplicaGroup "
      .. "StartDiskReplicaGroup$", scene.effects(stage))
  end)

  it("is refused, with names, while disks of the old side are attached or run", function()
    for status, words in pairs { Running = "d%-old%-1 on i%-old %(orders, Running%)",
      Stopped = "d%-old%-1 on i%-old %(orders, Stopped%)" } do
      local stage = scene.failed_over(status)
      local _, err = run(stage)
      assert.matches(words, err.message)
      assert.equal("", scene.effects(stage))
    end
  end)

  it("is refused for another region than the group has", function()
    local stage = open_stage()
    local _, err = run(stage, { to = "cn-beijing" })
    assert.matches("to: got cn%-beijing; the other site of pg%-orders is cn%-hangzhou", err.message)
    assert.equal("", scene.effects(stage))
  end)

  it("suggests the group that a mistyped id may mean", function()
    local _, err = run(open_stage(), { group = "pg-order" })
    assert.equal('pg-order is on neither site of cn-shanghai; did you mean "pg-orders"?',
      err.message)
  end)

  it("does nothing for a group that is back, or was never away", function()
    local stage = scene.stage { old = false }
    local result = assert(run(stage))
    assert.equal("completed", result.status)
    assert.equal("already_there", result.outcome)
    assert.is_nil(result.rto)
    assert.equal("", scene.effects(stage))
    assert.matches("pg%-orders is at cn%-hangzhou already .* nothing was done", scene.notes(stage))
  end)

  it("serves and protects what another run has brought back", function()
    local stage = open_stage()
    local params = { group = "pg-orders", region = "cn-shanghai" }
    assert(stage.bench.client:call("ebs:ReprotectDiskReplicaGroup",
      { RegionId = "cn-shanghai", ReplicaGroupId = "pg-orders" }))
    stage.bench.emu:advance(600)
    assert(stage.bench.client:call("ebs:FailoverDiskReplicaGroup",
      { RegionId = "cn-hangzhou", ReplicaGroupId = "pg-orders" }, { region = "cn-hangzhou" }))
    stage.bench.emu:advance(600)
    for i = 1, 2 do
      assert(stage.bench.client:call("ecs:DetachDisk",
        { InstanceId = "i-new", DiskId = "d-new-" .. i }, { region = "cn-shanghai" }))
    end
    stage.bench.emu:advance(60)
    local result = assert(stage:run(scene.load "failback", { params = params }))
    assert.is_nil(result.outcome)
    assert.equal("normal normal normal", scene.settled(stage))
    assert.matches("DetachDisk ReprotectDiskReplicaGroup StartDiskReplicaGroup$",
      scene.effects(stage))
  end)

  it("goes on wherever it was killed", function()
    local kills = scene.kill_everywhere("failback", PARAMS, open_stage, function(result, stage)
      assert.equal(0, result.rpo)
      assert.equal("normal normal normal", scene.settled(stage))
    end, 4)
    assert.is_true(kills > 100, kills)
  end)
end)
