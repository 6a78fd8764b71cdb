-- Deliberate mistakes. Each must be noticed by some seed; `seed` is one that did. `only` names the
-- hostile option without which nobody would notice, `names` the invariant where it must be that.
-- A mistake names a module, a function or constant as it is declared there, and what takes its
-- place; `original` is what was there (spec.simulation.mutated).

local list = {}

for _, part in ipairs { "journal", "sending", "judging", "telling", "many", "production",
  "bounds", "stopping", "controllers", "surroundings", "people" } do
  local mistakes = require("spec.simulation.mutants." .. part)
  table.move(mistakes, 1, #mistakes, #list + 1, list)
end

return list
