-- What `explore` does in a second of one core, in one process: explored.lua WHAT COUNT, of a ready
-- playbook and one group of three pairs. WHAT is
--   seeds     COUNT seeds of `failover`, and all that is checked after them
--   failover  `--exhaustive 1` of `failover` with fence=no
--   planned   the same of `planned`
-- Of these, one unit of COUNT is run, so that every kind of trouble has its share. Listing them and
-- loading the modules does not count. Prints seeds or runs a second, and how many there were.

local posix = require "spec.posix"
local ready = require "alicloud.playbooks"
local scratch = require "spec.scratch"
local simulation = require "alicloud.simulation"

local what, count = arg[1] or "seeds", math.tointeger(tonumber(arg[2] or "200"))

local PARAMS = {
  seeds = { max_rpo = "20m" },
  failover = { max_rpo = "20m", fence = "no" },
  planned = { max_rpo = "20m" },
}

local function plan_of(name, params)
  params.group, params.region = "pg-orders", "cn-shanghai"
  return assert(simulation.plan(assert(ready.load(name, scratch.read)),
    { region = params.region, params = params }))
end

local plan = plan_of(what == "planned" and "planned" or "failover", assert(PARAMS[what]))

local function seeds()
  local report = simulation.explore(plan, { first = 1, seeds = count })
  assert(report.harmed == 0)
  return count
end

local function troubles(exhaustive, about)
  local runs = 0
  for n = 1, #about.units, count do
    local report = exhaustive.single(about, n)
    assert(#report.harms == 0)
    runs = runs + report.runs
  end
  return runs
end

local measured = seeds
if what == "seeds" then
  simulation.explore(plan, { first = 1, seeds = count // 10 })
else
  -- Only here: an older version beside ours may not have it.
  local exhaustive = require "alicloud.simulation.exhaustive"
  local about = assert(exhaustive.open(plan))
  measured = function() return troubles(exhaustive, about) end
end
local start = posix.usage()
local runs = measured()
print(("%.0f %d"):format(runs / (posix.usage() - start), runs))
