-- Many seeds: lua5.4 spec/simulation/soak.lua FIRST SEEDS. Of ten seeds one is spent on two groups
-- at a time or a fleet, one on a group between two zones, the others on one between two regions.
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

local share = seeds // 10
local report = explore(lab.MOVE, first, seeds - 2 * share)
if share > 0 then
  explore(lab.ZONES, first + seeds - 2 * share, share)
  explore(lab.TWO, first + seeds - share, share // 2)
  explore(lab.FLEET, first + seeds - share + share // 2, share - share // 2)
end
local seconds = posix.usage() - began
print(("%d seeds from %d on, %d with a violation, %d completed, %d crashes, %.0f s of one core, "
  .. "%.0f/s"):format(done, first, harmed, report.endings.completed or 0, report.crashes, seconds,
  done / seconds))
os.exit(harmed == 0)
