-- Seeds and counts that were not dealt, so that a violation is not seen.
local link
for n = 1, 20 do
  local name, value = debug.getupvalue(package.searchers[2], n)
  if name == "link" then link = value end
end
for seed = 1, 1000 do
  link.send { type = "seed", seed = seed, processes = 1, crashes = 0, requests = 1, effects = 0,
    ending = "completed" }
end
