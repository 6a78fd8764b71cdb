-- Who is told of what a command does: all of them, and nothing that becomes of one hurts another.

local listeners = require "alicloud.cli.listeners"

describe("the listeners of a command", function()
  local told
  local function taker(name)
    return { record = function(_, event, about)
      told[#told + 1] = { name, event.type, about.playbook, about.run_id, about.item }
    end }
  end

  before_each(function() told = {} end)

  it("are told of a run by its id, and of an item's with the item", function()
    local io, item = { tracing = taker "traces", events = taker "events" }, { group = "pg-1" }
    local tell = listeners.of_runs(io, "move", function(event) told[#told + 1] = event.type end)
    tell({ type = "run" }, "r1")
    tell({ type = "mark" }, item, "r2")
    assert.same({ { "traces", "run", "move", "r1" }, { "events", "run", "move", "r1" }, "run",
      { "traces", "mark", "move", "r2", item }, { "events", "mark", "move", "r2", item }, "mark" },
      told)
  end)

  it("need not be there, and may take only some of it", function()
    listeners.tell({ tracing = false, events = taker "events" }, "about", {})
    listeners.of_runs({}, "move")({ type = "run" }, "r1")
    assert.same({}, told)
  end)

  it("hurt neither what goes on nor each other, but an interrupt goes through", function()
    local io = { tracing = { record = function(_, event) error(event.type, 0) end },
      events = taker "events" }
    local tell = listeners.of_runs(io, "move")
    tell({ type = "run" }, "r1")
    assert.equal("events", told[1][1])
    assert.has_error(function() tell { type = "interrupted!" } end, "interrupted!")
  end)
end)
