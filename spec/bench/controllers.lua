-- What a run in etcd costs beside one in a file, by the wall: durable appends, and the time from
-- the death of a controller to the first record of the one that waits, with sessions as long as
-- they are by default: lua5.4 spec/bench/controllers.lua [ROUNDS]. Medians of that many processes.
-- And a fleet that four controllers take, once, of that many groups.

local clusters = require "spec.etcd.cluster"
local kill_sweep = require "spec.etcd.kill_sweep"
local rounds = require "spec.bench.rounds"
local scratch = require "spec.scratch"
local sessions = require "alicloud.dr.store.session"
local stages = require "spec.etcd.stage"

local count = math.tointeger(tonumber(arg[1] or "7"))
local APPENDS = "500"
local ITEMS, CONTROLLERS, WORKERS = 10000, 4, 50

local missing = clusters.missing()
if missing then
  print("a run in etcd: not measured, it " .. missing)
  return
end

local failures = 0

local function row(name, figure, unit, limit)
  local missed = limit and figure > limit
  print(("%-52s %10.2f %-6s %s"):format(name, figure, unit,
    limit and ("<= %.2f%s"):format(limit, missed and " MISSED" or "") or ""))
  if missed then failures = failures + 1 end
end

-- A process with a journal of its own.
local function appends(journal)
  return rounds.run({ "env", "XDG_STATE_HOME=" .. scratch.directory(), "lua5.4",
    "spec/bench/appends.lua", journal, APPENDS }).figures
end

-- They take turns, so that what else the machine does falls on all of them.
local function measured(places)
  local middle, slow = {}, {}
  for i in ipairs(places) do middle[i], slow[i] = {}, {} end
  for round = 1, count do
    for i, place in ipairs(places) do
      local figures = appends(place.journal:format(round))
      middle[i][round], slow[i][round] = figures[1], figures[2]
    end
  end
  for i, place in ipairs(places) do
    place.middle, place.slow = rounds.median(middle[i]), rounds.median(slow[i])
  end
end

local function durable_appends()
  local one <close> = clusters.start { members = 1 }
  local three <close> = clusters.start { members = 3 }
  local places = {
    { name = "file", journal = scratch.directory() .. "/%d.jsonl" },
    { name = "etcd of one member", journal = "etcd+" .. one.address .. "/alicloud-dr#%d" },
    { name = "etcd of three members", journal = "etcd+" .. three.address .. "/alicloud-dr#%d" },
  }
  measured(places)
  local limit = 10 * places[1].middle + 2
  for i, place in ipairs(places) do
    row("durable append, " .. place.name, place.middle, "ms", i > 1 and limit)
    row(("durable append, %s, 99 of 100"):format(place.name), place.slow, "ms")
  end
end

-- The longest is a session that was renewed just before, an election, and as long again.
local function takeovers()
  local stage <close> = stages.start { cluster = { members = 3 } }
  local swept = kill_sweep.run(stage, { 2, 5, 8 }, { ttl = sessions.TTL, patience = 120 })
  assert(#swept.violations == 0, swept.violations[1])
  local times = swept.takeovers
  row(("takeover, median of %d"):format(#times), times[(#times + 1) // 2], "s")
  row(("takeover, longest of %d"):format(#times), times[#times], "s", sessions.TTL + 5)
end

-- Four processes take one fleet, each with the emulator in itself: what is measured is the store
-- and ourselves.
local function fleet()
  local cluster <close> = clusters.start { members = 1 }
  local jobs, ran, calls, asked, longest = {}, 0, 0, 0, 0
  for i = 1, CONTROLLERS do
    jobs[i] = assert(io.popen(("lua5.4 spec/bench/taker.lua etcd+%s/alicloud-dr %d %d"):format(
      cluster.address, ITEMS, WORKERS)))
  end
  for _, job in ipairs(jobs) do
    local one, own_calls, own_asked, seconds = job:read("n", "n", "n", "n")
    assert(job:close() and seconds, "a controller of the fleet has failed")
    ran, calls, asked = ran + one, calls + own_calls, asked + own_asked
    longest = math.max(longest, seconds)
  end
  assert(ran == ITEMS, ran)
  local title = ("fleet of %d, %d controllers"):format(ITEMS, CONTROLLERS)
  row(title .. ", calls of the cloud", calls / longest, "/s")
  row(title .. ", calls of etcd", asked / ITEMS, "/item", 40)
end

print(("medians of %d processes each, by the wall"):format(count))
print(("%-52s %10s %-6s %s"):format("", "measured", "", "wanted"))
durable_appends()
takeovers()
fleet()
os.exit(failures == 0, true)
