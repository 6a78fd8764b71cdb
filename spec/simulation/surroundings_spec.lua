-- What is around a run and not as usual, one thing at a time: it passes and changes nothing, or the
-- run says why it does not begin.

local lab = require "spec.simulation.lab"

-- One run with one trouble, in a world in which all is well.
local function ending_of(path, trouble)
  local simulation, plan = lab.plan(path)
  local world = require "alicloud.simulation.discover".calm(plan.world)
  local rehearsal = simulation.judge({ seed = 1, world = world, assume = {}, incident = "INC-1",
    sides = require "alicloud.simulation.generate".sides_of(plan.world), troubles = { trouble } },
    plan)
  assert.same({}, rehearsal.violations)
  return rehearsal.ending, rehearsal.stage
end

local function hostile(name, value, lasts)
  return { kind = "hostile", name = name, change = { [name] = value }, lasts = lasts,
    from_start = true }
end

describe("a run goes on to its end", function()
  it("where nothing can be read for ten minutes, and changes go", function()
    for side, path in pairs { both = lab.MOVE, source = lab.PLANNED } do
      local trouble = { kind = "blips", side = side, lasts = 600, send = 1, after = false }
      assert.equal("completed", (ending_of(path, trouble)))
    end
  end)

  it("where lists do not know a pair yet", function()
    for _, case in ipairs { { lab.MOVE, "group" }, { lab.PLANNED, "pairs" },
      { lab.FAILBACK, "pairs" } } do
      local ending, stage = ending_of(case[1], hostile("membership", case[2], 40))
      assert.equal("completed", ending)
      assert.equal(1, #stage.processes)
    end
  end)

  it("where disks are on their way", function()
    for _, name in ipairs { "Creating", "Detaching" } do
      local trouble = { kind = "compute", name = name, lasts = 20, from_start = true }
      local ending, stage = ending_of(lab.PLANNED, trouble)
      assert.equal("completed", ending)
      assert.equal(1, #stage.processes)
    end
  end)

  it("where one look shows what was before the last reversal", function()
    for request = 1, 6 do
      local trouble = hostile("old_record", true, 1)
      trouble.from_start, trouble.request = nil, request
      assert.equal("completed", (ending_of(lab.MOVE, trouble)))
    end
  end)
end)

describe("a run does not begin", function()
  it("to fence a machine that serves another group", function()
    local ending, stage = ending_of(lab.PLANNED, { kind = "neighbours", from_start = true })
    assert.equal("Client.SharedInstance (not_sent)", ending)
    assert.equal(0, stage.changes)
  end)

  it("where both sides lie in one region and none was named", function()
    for _, turned in ipairs { false, true } do
      local ending, stage = ending_of(lab.MOVE,
        { kind = "places", from_start = true, turned = turned })
      assert.equal("Client.DirectionNeeded (not_sent)", ending)
      assert.equal(0, stage.changes)
    end
  end)

  it("without a recovery point that is a time", function()
    for how, code in pairs { absent = "Client.FirstSyncUnfinished",
      zero = "Client.FirstSyncUnfinished", empty = "Client.FirstSyncUnfinished",
      future = "Client.RecoveryPointUnclear",
      other_direction = "Client.RecoveryPointTooOld" } do
      local ending, stage = ending_of(lab.MOVE, hostile("recover_point_as", how, 100000))
      assert.equal(code .. " (not_sent)", ending)
      assert.equal(0, stage.changes)
    end
  end)
end)
