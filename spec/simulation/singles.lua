-- Which mistakes one trouble can show: lua5.4 spec/simulation/singles.lua FIRST STEP [NAME]. Runs
-- every single trouble for each mistake about moving one group, beginning with number FIRST, in two
-- calm worlds, and prints a line for each; the last one counts. With NAME only mistakes whose name
-- contains it.

local lab = require "spec.simulation.lab"

local first = assert(math.tointeger(tonumber(arg[1] or "1")))
local step = assert(math.tointeger(tonumber(arg[2] or "1")))
-- Hardly anything outlives its run.
collectgarbage "generational"

local found, alive, n = 0, 0, 0

local function try(mutant)
  local all = 0
  for _, status in ipairs { "normal", "failover_failed" } do
    local what, runs = lab.first_single(mutant, status)
    all = all + runs
    if what then
      found = found + 1
      return print(("%-60s %6d  %s"):format(mutant.name, all, what:sub(1, 100)))
    end
  end
  alive = alive + 1
  print(("%-60s %6d  alive: it takes two troubles, or another world"):format(mutant.name, all))
end

for _, mutant in ipairs(require "spec.simulation.mutants") do
  -- What is about many groups, or needs another playbook, is for seeds.
  if not mutant.playbook and (not arg[3] or mutant.name:find(arg[3], 1, true)) then
    n = n + 1
    if n >= first and (n - first) % step == 0 then
      try(mutant)
      io.stdout:flush()
    end
  end
end
print(("singles: %d found, %d alive"):format(found, alive))
