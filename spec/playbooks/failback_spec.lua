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

  it("is refused for a group that is not failed over", function()
    local stage = scene.stage { old = false }
    local _, err = run(stage)
    assert.equal("OperationDenied.InvalidStatus", err.code)
    assert.equal("", scene.effects(stage))
  end)

  it("goes on wherever it was killed", function()
    local kills = scene.kill_everywhere("failback", PARAMS, open_stage, function(result, stage)
      assert.equal(0, result.rpo)
      assert.equal("normal normal normal", scene.settled(stage))
    end)
    assert.is_true(kills > 100, kills)
  end)
end)
