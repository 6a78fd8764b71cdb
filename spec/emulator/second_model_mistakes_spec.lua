-- Mistakes in the emulator's own code: the second reading finds each out within a few walks.

local check = require "spec.emulator.second_model.check"
local mutated = require "spec.simulation.mutated"

local EMULATOR = "alicloud.emulator."
local GROUPS, PAIRS = EMULATOR .. "operations.groups", EMULATOR .. "operations.pairs"
local FAILOVER, MEMBERSHIP = EMULATOR .. "operations.failover", EMULATOR .. "operations.membership"
local DRILLS, FIND = EMULATOR .. "operations.drills", EMULATOR .. "operations.find"
local STATE, TRANSITIONS = EMULATOR .. "model.state", EMULATOR .. "model.transitions"
local VIEWS = EMULATOR .. "model.views"

-- A list of states with one more, or with one less.
local function with(field, state, is)
  local place = field == "" and "original" or "original." .. field
  return ("(function() %s.%s = %s return original end)()"):format(place, state, is or "true")
end

-- What is wrong, where, the mistake, and the name of the difference that shows it.
local MISTAKES = {
  { "a group is stopped in its first copy", GROUPS, "LEGAL", with("stop", "initial_syncing"),
    "accepted" },
  { "a group is started after a failover", GROUPS, "LEGAL", with("start", "failovered"),
    "accepted" },
  { "a group is deleted while it replicates", GROUPS, "LEGAL", with("delete", "normal"),
    "accepted" },
  { "a pair that replicates is not stopped", PAIRS, "LEGAL", with("stop", "normal", "nil"),
    "refused" },
  { "no failover after a stop that failed", FAILOVER, "GROUP_LEGAL",
    with("", "stop_failed", "nil"), "refused" },
  { "an invalid pair fails over", FAILOVER, "PAIR_ILLEGAL", "{}", "accepted" },
  { "a pair joins in any state", MEMBERSHIP, "check_add_status", "function() return nil end",
    "accepted" },
  { "a reversal turns nothing", TRANSITIONS, "state.acts.reverse", "function() end",
    "direction" },
  { "a cancelled failover turns all", TRANSITIONS, "M.reprotect",
    "function(world, unit, now, _, ...) return original(world, unit, now, true, ...) end",
    "direction" },
  { "a reversal turns the sides of creation", TRANSITIONS, "swap", [[function(record)
      original(record)
      record.initial_source, record.initial_destination = record.source, record.destination
    end]], "initial sides" },
  { "a recovery point ten minutes ahead", TRANSITIONS, "new_point",
    "function(unit, at) return original(unit, at + 600) end", "point ahead" },
  { "a stop takes the latest point back", STATE, "M.freeze", "function() end", "at once" },
  { "a stop ends in failovered", TRANSITIONS, "M.stop", [[function(world, unit, ...)
      original(world, unit, ...)
      for _, step in ipairs(unit.transition.steps) do step.status = "failovered" end
    end]], "step" },
  { "a drill is ready and cleared at once", DRILLS, "state.acts.drill_done",
    [[function(world, drill) original(world, drill) drill.status = "clearing" end]], "step" },
  { "any side will do", FIND, "M.wrong_side", "function() return nil end", "condition" },
  { "a code of another table", FAILOVER, "check_status",
    [[function(...) return original(...) and refuse "OperationDenied.GroupHasPair" end]], "code" },
  { "one-time copies as often as one likes", GROUPS, "M.check_start",
    [[function(emu, params, now, unit, legal)
      unit.last_one_shot = nil
      return original(emu, params, now, unit, legal)
    end]], "condition" },
  { "cycles of a site that is dark", STATE, "M.show_cycle", [[function(unit, ...)
      local halted = unit.halted
      unit.halted = nil
      original(unit, ...)
      unit.halted = halted
    end]], "point of a cycle" },
  { "the point of one pair for all", MEMBERSHIP, "state.acts.join", [[function(world, pair)
      local group = world.group_by_id[pair.joining]
      original(world, pair)
      if group then group.recover_point = group.recover_point or pair.recover_point end
    end]], "point" },
  { "Primary* that shows the side of now", VIEWS, "M.pair", [[function(...)
      local shown = original(...)
      shown.PrimaryRegion = shown.SourceRegion
      return shown
    end]], "shown" },
}

-- The helpers hold the emulator that they were loaded with.
local HELPERS = { "spec.emulator.caller", "spec.emulator.second_model.history",
  "spec.emulator.second_model.walk" }

local function with_helpers(body)
  local before = {}
  for _, name in ipairs(HELPERS) do
    before[name], package.loaded[name] = package.loaded[name], nil
  end
  local found = body(require(HELPERS[2]), require(HELPERS[3]))
  for _, name in ipairs(HELPERS) do package.loaded[name] = before[name] end
  return found
end

-- Most need one or two; what needs a chain of calls takes some hundred.
local WALKS = 700

local function first_walk(edits, wanted, walks)
  return mutated.with(edits, function()
    return with_helpers(function(history, walk)
      for seed = 1, walks or WALKS do
        for _, one in ipairs(history.record(function() walk.walk(seed) end)) do
          for _, difference in ipairs(check.check(one)) do
            if wanted[difference.name] then return seed end
          end
        end
      end
      return false
    end)
  end)
end

describe("a mistake in the emulator is found out:", function()
  for _, mistake in ipairs(MISTAKES) do
    local what, module, name, value, finds = table.unpack(mistake)
    it(what, function()
      local edit = { module = module, name = name, value = value }
      assert.is_number(first_walk({ edit }, { [finds] = true }))
    end)
  end

  it("none where none was made", function()
    local names = {}
    for _, mistake in ipairs(MISTAKES) do names[mistake[5]] = true end
    assert.is_false(first_walk({}, names, 60))
  end)
end)
