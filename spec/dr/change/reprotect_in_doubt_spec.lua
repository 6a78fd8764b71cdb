-- A reprotection whose end nobody has seen, and the other way to reprotect after it in the same
-- run: it is gone on with as what it was.

local after = require "spec.dr.after_lab"
local stages = require "spec.dr.playbook.stage"

local REPROTECT = "ReprotectDiskReplicaGroup"

-- One way, whose end is not seen, and then the other one.
local function both_ways(reverse)
  local stage = stages.new { world = after.world { status = "failovered", old = false } }
  local emu = stage.bench.emu
  local _, err = stage:run(function(run)
    local group = run:group(after.ID, { region = "cn-shanghai" })
    run:step("one way", { on_error = "continue" }, function()
      emu:hostile { stale_read = 9 }
      return group:reprotect { reverse = reverse, timeout = 1 }
    end)
    run:step("the other", function()
      emu:hostile { stale_read = 0 }
      return group:reprotect { reverse = not reverse }
    end)
  end, { incident = "INC-7" })
  return stage, err
end

describe("a reprotection whose end was not seen", function()
  it("comes to its own end before the other way is decided", function()
    for _, reverse in ipairs { true, false } do
      local stage, err = both_ways(reverse)
      assert.same({ "false unknown", "true reprotected" }, stage:outcomes())
      assert.equal(reverse, stage:events("intent")[1].reverse)
      assert.equal(1, after.effects(stage.bench, REPROTECT))
      -- What stands is not what was asked for.
      assert.equal("not_sent", err.outcome)
      assert.equal("stopped stopped stopped", after.truth(stage.bench))
    end
  end)
end)
