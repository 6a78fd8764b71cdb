-- Sums up what gcov saw of the files whose every branch is to be taken: `coverage.lua DIRECTORY`,
-- where the directory holds FILE.gcov of each, made with -b -c. An open branch fails unless
-- open_branches.lua gives the reason why nothing takes it.

local OPEN = dofile "spec/c/open_branches.lua"

local function trim(text)
  return text:match "^%s*(.-)%s*$"
end

-- Calls visit(function, source line, number, branches, open ones) for each line with branches.
local function lines_of(path, visit)
  local name, source, number, all, open
  local function finish()
    if all and all > 0 then visit(name, source, number, all, open) end
    all, open = 0, 0
  end
  for line in io.lines(path) do
    local taken = line:match "^branch +%d+ (.+)$"
    if taken then
      all = all + 1
      if taken == "never executed" or taken:find "^taken 0" then open = open + 1 end
    elseif line:find "^function " then
      finish()
      name = line:match "^function (%S+)"
    elseif not line:find "^call " then
      finish()
      number, source = line:match "^ *[^:]+: *(%d+):(.*)$"
    end
  end
  finish()
end

-- Why the open branches of a line may be, and how many.
local function idiom_of(source)
  for text, reason in pairs(OPEN.idioms) do
    if source:find(text, 1, true) then return { nil, nil, reason, most = 2 } end
  end
end

local failed, passed, total, taken = 0, 0, 0, 0
local directory = assert(arg[1], "usage: coverage.lua DIRECTORY")
for _, file in ipairs(OPEN.files) do
  local known, all_here, open_here, unlisted = {}, 0, 0, 0
  for _, entry in ipairs(OPEN[file] or {}) do known[entry[1] .. "\n" .. entry[2]] = entry end
  lines_of(("%s/%s.gcov"):format(directory, file), function(name, source, number, all, open)
    all_here, open_here = all_here + all, open_here + open
    if open == 0 then return end
    local entry = known[name .. "\n" .. trim(source)] or idiom_of(source)
    if entry and open <= (entry.most or open) then
      entry.seen = true
      print(("  %s:%d %s: %d open: %s"):format(file, number, name, open, entry[3]))
    else
      unlisted = unlisted + 1
      print(("  %s:%d %s: %d open and not explained: %s"):format(file, number, name, open,
        trim(source)))
    end
  end)
  for _, entry in ipairs(OPEN[file] or {}) do
    if not entry.seen then print(("  %s %s: explained, but taken"):format(file, entry[1])) end
  end
  print(("%s: %d of %d branches taken"):format(file, all_here - open_here, all_here))
  total, taken = total + all_here, taken + all_here - open_here
  if unlisted == 0 and all_here > 0 then passed = passed + 1 else failed = failed + 1 end
end
print(("%.1f %% of %d branches"):format(100 * taken / total, total))
print(("branch coverage: %d passed, %d failed"):format(passed, failed))
os.exit(failed == 0)
