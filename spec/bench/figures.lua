-- CPU time of the emulator, of rehearsals and explorations in one process, of long journals and of
-- loading a service, with what is wanted of them: lua5.4 spec/bench/figures.lua [ROUNDS [OTHER]].
-- Fails if one of them misses that.
-- Medians of processes of their own. OTHER is a checkout of another version, built in its build/:
-- its figures stand beside ours, from processes that took turns with ours, and the ratio of ours to
-- them, the median over the rounds. What the other one does not have is left out.

local rounds = require "spec.bench.rounds"

local count = math.tointeger(tonumber(arg[1] or "7"))
local other = arg[2]

-- The programs are ours, what they measure is the other's.
local function elsewhere(words)
  local here, lua = os.getenv "LUA_CPATH" or ";", other .. "/lua/"
  local all = { "env", ("LUA_PATH=./?.lua;%s?.lua;%s?/init.lua;;"):format(lua, lua),
    ("LUA_CPATH=%s/build/?.so;%s"):format(other, here) }
  return table.move(words, 1, #words, #all + 1, all)
end

---@class bench.Figure
---@field ours number
---@field other number?
---@field ratio number?

-- The median of every figure that a program prints, of so many processes.
local function medians(times, ...)
  local words, ours, others, ratios = { "lua5.4", ... }, {}, {}, {}
  local function note(columns, index, figure)
    columns[index] = columns[index] or {}
    table.insert(columns[index], figure)
  end
  local has_other = other ~= nil
  for _ = 1, times do
    local mine, ok, run = rounds.run(words).figures, false, nil
    if has_other then ok, run = pcall(rounds.run, elsewhere(words)) end
    has_other = ok
    for index, figure in ipairs(mine) do
      note(ours, index, figure)
      if ok and run.figures[index] then
        note(others, index, run.figures[index])
        note(ratios, index, figure / run.figures[index])
      end
    end
  end
  local figures = {}
  for index, column in ipairs(ours) do
    figures[index] = { ours = rounds.median(column),
      other = has_other and rounds.median(others[index]) or nil,
      ratio = has_other and rounds.median(ratios[index]) or nil }
  end
  return figures
end

local function measure(...) return medians(count, ...) end

local missed = 0

local function row(name, figure, unit, wanted)
  local beside, good = "", not wanted or rounds.meets(figure.ours, wanted)
  if not good then missed = missed + 1 end
  if other then
    beside = figure.other and ("%10.2f %6.2f "):format(figure.other, figure.ratio)
      or ("%18s"):format ""
  end
  print(("%-52s %10.2f %s%-6s %s%s"):format(name, figure.ours, beside, unit, wanted or "",
    good and "" or ", missed"))
  io.flush()
end

print(("medians of %d processes each, CPU time"):format(count))
print(("%-52s %10s %s%-6s %s"):format("", "measured",
  other and ("%10s %6s "):format("other", "ratio") or "", "", "wanted"))
for _, connections in ipairs { "1", "8" } do
  local one = connections == "1"
  row(("emulator over HTTP, verified failover, %s connection%s"):format(connections,
      one and "" or "s"),
    measure("spec/bench/emulated.lua", "2000", connections)[1], "us", not one and "<= 60" or nil)
end
for _, mount in ipairs { "wire", "values" } do
  local how = mount == "wire" and "signed and verified" or "as values"
  row("failover of 52 s in process, " .. how,
    measure("spec/bench/rehearsed.lua", "52", "300", mount)[1], "runs/s")
  row("failover open at first look, " .. how,
    measure("spec/bench/rehearsed.lua", "0", "1000", mount)[1], "runs/s")
end
local journal = measure("spec/bench/journal.lua")
row("journal of 10,000 records, read and checked", journal[1], "ms", "<= 300")
row("journal of 10,000 records, resumed", journal[2], "ms", "<= 300")
row("journal of 10,000 records, reported in HTML", journal[3], "ms", "<= 1000")
for _, seconds in ipairs { "52", "0" } do
  row(("playbook with journal, failover of %s s"):format(seconds),
    measure("spec/bench/simulated.lua", seconds, "200")[1], "runs/s")
end
row("seeds of troubles, crashes, resumes and checks",
  measure("spec/bench/simulated.lua", "seeds", "300")[1], "seeds/s", ">= 460")
local function explored(name, unit, wanted, ...)
  row(name, measure("spec/bench/explored.lua", ...)[1], unit, wanted)
end
explored("explore failover, seeds", "seeds/s", ">= 350", "seeds", "100")
explored("explore failover fence=no, --exhaustive 1", "runs/s", nil, "failover", "20")
explored("explore planned, --exhaustive 1", "runs/s", nil, "planned", "200")
for _, service in ipairs { "ebs", "ecs" } do
  local loaded = measure("spec/bench/loaded.lua", service)
  row("service " .. service .. " loaded", loaded[1], "ms", "<= 5")
  row("service " .. service .. " in memory", loaded[2], "KiB", "<= 1024")
end
-- Its clock is virtual: one process tells as much as seven.
for _, primary in ipairs { "up", "dark" } do
  local name = ("1000 groups, primary site %s, "):format(primary)
  local fleet = medians(1, "spec/bench/fleet.lua", "1000", "200", "3", primary)
  row(name .. "time over bound", fleet[1], "", "<= 1.06")
  row(name .. "virtual time", fleet[2], "s")
  row(name .. "in memory", fleet[3], "MiB", "<= 60")
  row(name .. "calls of a group", fleet[4], "", "<= 1.3")
  row(name .. "CPU of a group", fleet[5], "ms", "<= 2")
end
local accounts = medians(1, "spec/bench/accounts.lua", "10", "1000", "1000")
row("10 accounts of 1000 groups, slowest over its bound", accounts[1], "", "<= 1.10")
row("10 accounts of 1000 groups, in memory", accounts[3], "MiB", "<= 350")
row("10 accounts of 1000 groups, CPU of a group", accounts[4], "ms", "<= 2")
rounds.end_well(missed)
