-- Which steps have begun again that were finished.

local repeated = require "alicloud.simulation.repeated"

local function begins(step, more)
  local event = { type = "step_begin", step = step }
  for name, value in pairs(more or {}) do event[name] = value end
  return event
end

local function ends(step, ok) return { type = "step_end", step = step, ok = ok } end

local FENCE = { marks = "old_side_fenced", renewed = true }
local OPENS = { no_return = true }

describe("a step that was finished", function()
  it("is not begun again, unless it had failed or was undone", function()
    assert.same({ "a" }, repeated.of { begins "a", ends("a", true), begins "a" })
    assert.same({}, repeated.of { begins "a", ends("a", false), begins "a" })
    assert.same({}, repeated.of { begins "a", ends("a", true),
      { type = "undo_begin", step = "a" }, begins "a" })
  end)

  it("may be one that others may have undone, until its group is opened", function()
    local again = { begins("fence", FENCE), ends("fence", true), begins("promote", OPENS),
      ends("promote", false), begins("fence", FENCE), ends("fence", true) }
    assert.same({}, repeated.of(again))
    assert.same({ "fence" }, repeated.of { begins "fence", ends("fence", true), begins "fence" })
    again[#again + 1] = begins("promote", OPENS)
    again[#again + 1] = ends("promote", true)
    assert.same({}, repeated.of(again))
    again[#again + 1] = begins("fence", FENCE)
    assert.same({ "fence" }, repeated.of(again))
  end)

  it("is judged by its own branch, and a stop of production never is a look", function()
    assert.same({}, repeated.of { begins("b/promote", OPENS), ends("b/promote", true),
      begins("a/fence", FENCE), ends("a/fence", true), begins("a/fence", FENCE) })
    local stops = { marks = "old_side_fenced", renewed = true, stops_production = true }
    assert.same({ "fence" }, repeated.of { begins("fence", stops), ends("fence", true),
      begins("fence", stops) })
  end)
end)
