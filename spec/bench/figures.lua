-- CPU time of the emulator, of rehearsals in one process, of long journals and of loading a
-- service, with what is wanted of them: lua5.4 spec/bench/figures.lua [ROUNDS]. Medians of
-- processes of their own.

local rounds = require "spec.bench.rounds"

local count = math.tointeger(tonumber(arg[1] or "7"))

local function measure(...)
  return rounds.run({ "lua5.4", ... }).figures
end

-- The median of every figure that the program prints.
local function medians(...)
  local columns = {}
  for _ = 1, count do
    for index, figure in ipairs(measure(...)) do
      columns[index] = columns[index] or {}
      table.insert(columns[index], figure)
    end
  end
  for index, column in ipairs(columns) do columns[index] = rounds.median(column) end
  return columns
end

local function row(name, figure, unit, wanted)
  print(("%-52s %10.2f %-6s %s"):format(name, figure, unit, wanted or ""))
end

print(("medians of %d processes each, CPU time"):format(count))
print(("%-52s %10s %-6s %s"):format("", "measured", "", "wanted"))
for _, connections in ipairs { "1", "8" } do
  row(("emulator over HTTP, verified failover, %s connection%s"):format(connections,
      connections == "1" and "" or "s"),
    medians("spec/bench/emulated.lua", "2000", connections)[1], "us")
end
for _, mount in ipairs { "wire", "values" } do
  local how = mount == "wire" and "signed and verified" or "as values"
  row("failover of 52 s in process, " .. how,
    medians("spec/bench/rehearsed.lua", "52", "300", mount)[1], "runs/s")
  row("failover open at first look, " .. how,
    medians("spec/bench/rehearsed.lua", "0", "1000", mount)[1], "runs/s")
end
local journal = medians("spec/bench/journal.lua")
row("journal of 10,000 records, read and checked", journal[1], "ms", "<= 300")
row("journal of 10,000 records, resumed", journal[2], "ms", "<= 300")
row("journal of 10,000 records, reported in HTML", journal[3], "ms", "<= 1000")
for _, seconds in ipairs { "52", "0" } do
  row(("playbook with journal, failover of %s s"):format(seconds),
    medians("spec/bench/simulated.lua", seconds, "200")[1], "runs/s")
end
row("seeds of troubles, crashes, resumes and checks",
  medians("spec/bench/simulated.lua", "seeds", "300")[1], "runs/s")
for _, service in ipairs { "ebs", "ecs" } do
  local loaded = medians("spec/bench/loaded.lua", service)
  row("service " .. service .. " loaded", loaded[1], "ms", "<= 5")
  row("service " .. service .. " in memory", loaded[2], "KiB", "<= 1024")
end
-- Its clock is virtual: one process tells as much as seven.
for _, primary in ipairs { "up", "dark" } do
  local name = ("1000 groups, primary site %s, "):format(primary)
  local fleet = measure("spec/bench/fleet.lua", "1000", "200", "3", primary)
  row(name .. "time over bound", fleet[1], "", "<= 1.06")
  row(name .. "virtual time", fleet[2], "s")
  row(name .. "in memory", fleet[3], "MiB", "<= 60")
  row(name .. "calls of a group", fleet[4], "", "<= 1.3")
  row(name .. "CPU of a group", fleet[5], "ms", "<= 2")
end
local accounts = measure("spec/bench/accounts.lua", "10", "1000", "1000")
row("10 accounts of 1000 groups, slowest over its bound", accounts[1], "", "<= 1.10")
row("10 accounts of 1000 groups, in memory", accounts[3], "MiB", "<= 350")
row("10 accounts of 1000 groups, CPU of a group", accounts[4], "ms", "<= 2")
