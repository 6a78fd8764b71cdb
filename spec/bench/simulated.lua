-- Whole playbook runs per second of one core, in one process, with the journal on a simulated disk:
-- simulated.lua SECONDS RUNS. A run is a new world, a new client and a new disk, three steps, a
-- failover of SECONDS and the wait for every pair, on the virtual clock, as values. With SECONDS
-- "seeds" as `explore` does it, with troubles, crashes, resumes and the checks after them.

local lab = require "spec.simulation.lab"
local posix = require "spec.posix"

local seconds, runs = arg[1] or "52", math.tointeger(tonumber(arg[2] or "200"))

local simulation, plan = lab.plan()

local function calm()
  local world = require "alicloud.simulation.discover".calm(plan.world)
  world.groups[1].failover_seconds = tonumber(seconds)
  local stage = require "alicloud.simulation.stage".new({ seed = 1, world = world, troubles = {} },
    plan)
  local process = stage:process()
  assert(process.result and #stage.emu:ledger() == 1)
end

local function troubled(n)
  assert(#simulation.judge(simulation.case(plan, n), plan).violations == 0)
end

local run = seconds == "seeds" and troubled or calm
for n = 1, runs // 10 do run(n) end
local start = posix.usage()
for n = 1, runs do run(n) end
print(("%.0f"):format(runs / (posix.usage() - start)))
