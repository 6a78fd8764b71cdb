-- Many seeds: lua5.4 spec/simulation/soak.lua FIRST SEEDS. Of twenty seeds two are spent on two
-- groups at a time or a fleet, two on a group between two zones, one on a move that stops
-- production and the way back, one on drills, the others on a group between two regions.
-- Prints every violation with its troubles; the exit code says whether there was one.

local lab = require "spec.simulation.lab"
local posix = require "spec.posix"

local first = assert(math.tointeger(tonumber(arg[1])))
local seeds = assert(math.tointeger(tonumber(arg[2])))
-- Hardly anything outlives its seed.
collectgarbage "generational"

local began, harmed, done = posix.usage(), 0, 0

local function explore(path, from, count)
  local simulation, plan = lab.plan(path)
  local report = simulation.explore(plan, { first = from, seeds = count })
  for _, harm in ipairs(report.violations) do
    print(("%s seed %d: %s (%s: %s)"):format(path, harm.seed, harm.what,
      table.concat(harm.only, ","), table.concat(harm.troubles, "; ")))
  end
  harmed, done = harmed + report.harmed, done + report.seeds
  return report
end

-- Of forty seeds, one beside the other.
local SHARES = { { lab.ZONES, 4 }, { lab.TWO, 2 }, { lab.FLEET, 2 }, { lab.PLANNED, 1 },
  { lab.FAILBACK, 1 }, { lab.DRILL, 2 } }
local next_seed = first
for _, share in ipairs(SHARES) do
  local count = seeds * share[2] // 40
  explore(share[1], next_seed, count)
  next_seed = next_seed + count
end
local report = explore(lab.MOVE, next_seed, first + seeds - next_seed)
local seconds = posix.usage() - began
print(("%d seeds from %d on, %d with a violation, %d completed, %d crashes, %.0f s of one core, "
  .. "%.0f/s"):format(done, first, harmed, report.endings.completed or 0, report.crashes, seconds,
  done / seconds))
os.exit(harmed == 0)
