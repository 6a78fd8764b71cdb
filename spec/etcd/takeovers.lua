-- Many takeovers in a short time: a controller that is in the middle of dozens of failovers is
-- killed, or stands still until another one has ended them, at an append that chance chooses.
-- Arguments: the directory of the histories, how many takeovers, the first seed.
-- Prints faults × runs × takeovers × effects, with the seconds between a fault and the takeovers of
-- half of the runs and of all; and "takeovers: N passed, N failed", by runs.

local core = require "alicloud.core"
local invariants = require "spec.etcd.invariants"
local stages = require "spec.etcd.stage"
local worlds = require "spec.worlds"

local PATIENCE = 180
-- At once, of one controller; and the appends that they make together.
local RUNS, APPENDS = 40, 500
local WORLD = worlds.of_groups(RUNS)

local FAULTS = {
  { name = "killed before an append", signal = "KILL", when = "before" },
  { name = "killed behind an append", signal = "KILL", when = "after" },
  { name = "still before an append", signal = "STOP", when = "before" },
  { name = "still behind an append", signal = "STOP", when = "after" },
  { name = "killed, and etcd's leader, too", signal = "KILL", when = "after", leader = true },
}

local function items_of(account)
  local list = {}
  for i, group in ipairs(WORLD.groups) do
    list[i] = { run = account .. "." .. group.id, account = account, group = group.id }
  end
  return list
end

-- One fault of a batch: the controller that meets with it, and an account of its own.
local function begin(stage, n, fault, seed)
  local account = tostring(1000000 + n)
  -- Half of them meet a service that remembers no token.
  stage:switch(account, { hostile = { token_forget = (seed + n) % 2 == 0 } })
  local given = { items = items_of(account), at_once = RUNS, patience = PATIENCE,
    seed = seed, ttl = 5 }
  local trial = { fault = fault, account = account, given = given }
  given.trap = { signal = fault.signal, when = fault.when, nth = math.random(10, APPENDS) }
  trial.first = stage:controller("first-" .. account, given)
  return trial
end

local function strike(stage, trial)
  local first = trial.first
  if trial.second or not (first:ended() or first:stands()) then return end
  if trial.fault.leader then
    local leader = stage.cluster:leader()
    if leader then stage.cluster:kill(leader) end
    trial.killed = leader
  end
  trial.second = stage:controller("second-" .. trial.account, { items = trial.given.items,
    at_once = RUNS, patience = PATIENCE, seed = trial.given.seed, ttl = 5, standby = true })
end

local function advance(stage, trial)
  strike(stage, trial)
  local second = trial.second
  if trial.killed and second:tells '"try"' then
    stage.cluster:restart(trial.killed)
    trial.killed = nil
  end
  if second and second:ended() then trial.first:signal "CONT" end
  return second ~= nil and second:ended() and trial.first:ended()
end

local function all_ended(stage, trials)
  local ended = true
  for _, trial in ipairs(trials) do ended = advance(stage, trial) and ended end
  return ended
end

-- Runs that were gone on with by another controller than the one that had begun them.
local function taken_over(history, account)
  local owners, runs = {}, {}
  for _, event in ipairs(history) do
    local line = event.type == "record" and event.run:find(account, 1, true) == 1
      and core.decode(event.text)
    local record = line and line.event or {}
    if record.type == "attempt" then
      if owners[event.run] and owners[event.run] ~= record.owner then
        runs[event.run] = true
      end
      owners[event.run] = record.owner
    end
  end
  return runs
end

-- Seconds from the fault to the first record of whoever has taken over, into `list`.
local function add_waits(list, history, account, runs)
  local struck_at
  for _, event in ipairs(history) do
    if event.who == "first-" .. account and event.type == "struck" then struck_at = event.at end
    if event.who == "second-" .. account and event.type == "try" and runs[event.run] then
      list[#list + 1], runs[event.run] = event.at - struck_at, nil
    end
  end
end

local function new_row()
  return { runs = 0, takeovers = 0, effects = 0, waits = {} }
end

local function add(rows, fault, history, account)
  local row, runs = rows[fault.name] or new_row(), taken_over(history, account)
  rows[fault.name] = row
  row.runs = row.runs + RUNS
  for _ in pairs(runs) do row.takeovers = row.takeovers + 1 end
  add_waits(row.waits, history, account, runs)
  for _, event in ipairs(history) do
    if event.type == "ledger" and event.account == account then
      row.effects = row.effects + #event.effects
    end
  end
end

-- A batch: each fault once, all at a time.
local function batch(rows, directory, seed)
  math.randomseed(seed)
  local stage <close> = stages.start { cluster = { members = 3 }, world = WORLD }
  local trials = {}
  for n, fault in ipairs(FAULTS) do trials[n] = begin(stage, n, fault, seed) end
  local ended = stages.wait(PATIENCE + 20, function() return all_ended(stage, trials) end)
  stage:finish(0)
  local history = stage:history()
  stages.keep(history, ("%s/takeovers-%d.jsonl"):format(directory, seed))
  for _, trial in ipairs(trials) do add(rows, trial.fault, history, trial.account) end
  local violations = invariants.check(history)
  if not ended then table.insert(violations, 1, "controllers did not end") end
  for i = 1, math.min(#violations, 20) do
    io.write(("seed %d: %s\n"):format(seed, violations[i]))
  end
  return #violations
end

local function total(rows)
  local sum = new_row()
  for _, row in pairs(rows) do
    for _, name in ipairs { "runs", "takeovers", "effects" } do
      sum[name] = sum[name] + row[name]
    end
    table.move(row.waits, 1, #row.waits, #sum.waits + 1, sum.waits)
  end
  return sum
end

local function print_row(name, row)
  local waits = row.waits
  table.sort(waits)
  io.write(("%-30s %6d %10d %8d %6.1f %6.1f\n"):format(name, row.runs, row.takeovers, row.effects,
    waits[(#waits + 1) // 2] or 0, waits[#waits] or 0))
end

local directory, wanted, seed = arg[1], tonumber(arg[2]) or 1000, tonumber(arg[3]) or 1
local rows, failed = {}, 0
repeat
  failed = failed + batch(rows, directory, seed)
  seed = seed + 1
  io.write(("%d of %d takeovers\n"):format(total(rows).takeovers, wanted))
  io.flush()
until total(rows).takeovers >= wanted

io.write(("%-30s %6s %10s %8s %6s %6s\n"):format("fault", "runs", "takeovers", "effects", "half",
  "all"))
for _, fault in ipairs(FAULTS) do print_row(fault.name, rows[fault.name]) end
print_row("all", total(rows))
io.write(("takeovers: %d passed, %d failed\n"):format(total(rows).runs - failed, failed))
os.exit(failed == 0, true)
