-- One synchronization whose end nobody has seen, and what comes after it in the same run: it is
-- gone on with as what it was, and nobody says that it did nothing who cannot tell.

local after = require "spec.dr.after_lab"
local stages = require "spec.dr.playbook.stage"

local START = "StartDiskReplicaGroup"

-- Replication is stopped; a step that fails has it started again.
local function new()
  return stages.new { world = after.world { status = "stopped", old = false } }
end

local function playbook(options)
  return function(run)
    local group = run:group(after.ID, { region = "cn-shanghai" })
    run:step("stopped", { undo = function() return group:start {} end }, function() return true end)
    run:step("sync", function()
      options.one_shot = true
      return group:start(options)
    end)
  end
end

describe("a synchronization whose end was not seen", function()
  it("comes to its end before replication is started again", function()
    local stage = new()
    local _, err = stage:run(playbook { timeout = 10 })
    assert.equal("Client.ChangeTimeout", err.code)
    assert.is_true(err.rolled_back)
    assert.same({ "false unknown", "true synced", "true started" }, stage:outcomes())
    assert.equal("syncing syncing syncing", after.truth(stage.bench))
    assert.equal(2, after.effects(stage.bench, START))
  end)

  it("is not called one that did nothing where no recovery point tells of it", function()
    -- Those of the other direction are older than the one that it was decided by.
    for _, shown in ipairs { "future", "other_direction" } do
      local stage = new()
      local emu = stage.bench.emu
      local options = { progress = function(event)
        if event.event == "accepted" then emu:hostile { recover_point_as = shown } end
      end }
      local _, err = stage:run(playbook(options), { incident = "INC-7" })
      assert.equal("Client.Superseded", err.code, shown)
      assert.equal("unknown", err.outcome)
      assert.same({ "false unknown", "false unknown" }, stage:outcomes())
      emu:hostile { recover_point_as = "seconds" }
      assert.equal("completed", assert(stage:run(playbook {}, { incident = "INC-7" })).status)
      assert.equal(1, after.effects(stage.bench, START))
    end
  end)

  it("is looked for where its recovery point was unreadable before it, too", function()
    for _, shown in ipairs { "future", "absent", "empty" } do
      local stage = new()
      stage.bench.emu:hostile { recover_point_as = shown }
      local _, err = stage:run(playbook {}, { incident = "INC-7" })
      assert.equal("unknown", err.outcome, shown)
      assert.same({ "false unknown", "false unknown" }, stage:outcomes())
    end
  end)
end)

describe("a start whose end was not seen", function()
  it("is over once replication was stopped, and does not stand for the synchronization", function()
    local stage, synced = new(), nil
    local emu = stage.bench.emu
    local _, err = stage:run(function(run)
      local group = run:group(after.ID, { region = "cn-shanghai" })
      run:step("start", { on_error = "continue" }, function()
        emu:hostile { stale_read = 9 }
        return group:start { timeout = 1 }
      end)
      run:step("stop", function()
        emu:hostile { stale_read = 0 }
        return group:stop {}
      end)
      synced = run:step("sync", function() return group:start { one_shot = true } end)
    end, { incident = "INC-7" })
    assert.is_nil(err)
    assert.same({ "false unknown", "true stopped", "false accepted", "true synced" },
      stage:outcomes())
    assert.equal(2, after.effects(stage.bench, START))
    assert.is_true(synced.recover_point >= math.floor(synced.server_time))
  end)
end)
