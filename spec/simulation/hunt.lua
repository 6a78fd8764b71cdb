-- Finds the first seed that kills each mutant: lua5.4 spec/simulation/hunt.lua LAST [NAME]. Prints
-- a line for each, and how far it got. With NAME only mutants whose name contains it. Mutants that
-- need a hostile option are tried without it as well, over as many seeds.

local lab = require "spec.simulation.lab"

local last = assert(math.tointeger(tonumber(arg[1] or "2000")))

for _, mutant in ipairs(require "spec.simulation.mutants") do
  if not arg[2] or mutant.name:find(arg[2], 1, true) then
    local seed, what = lab.first_killer(mutant, lab.range(1, last))
    print(("%-55s %6s  %s"):format(mutant.name, seed or "alive", what or ""))
    if seed and mutant.only then
      local other, how = lab.first_killer(mutant, lab.range(1, last), lab.all_but(mutant.only))
      print(("    without %s: %s %s"):format(mutant.only, other or "alive", how or ""))
    end
    io.stdout:flush()
  end
end
