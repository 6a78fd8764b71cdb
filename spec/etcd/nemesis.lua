-- Four controllers share the groups of three accounts, and everything goes wrong that a seed deals:
-- controllers and members of etcd are killed and stand still, networks part, disks are full,
-- answers are lost. Afterwards what must hold is judged from the history, which is kept.
-- Arguments: the directory of the histories, how many seeds, the first one, and the name of one
-- setting.
-- Reports "nemesis: N passed, N failed".

local core = require "alicloud.core"
local faults = require "spec.etcd.faults"
local invariants = require "spec.etcd.invariants"
local lossy = require "spec.etcd.lossy"
local networks = require "spec.etcd.network"
local scratch = require "spec.scratch"
local stages = require "spec.etcd.stage"
local worlds = require "spec.worlds"

local SECONDS = tonumber(os.getenv "NEMESIS_SECONDS") or 40
-- What has begun is ended: whoever is in doubt looks for a quarter of a minute.
local CALM = 120
local ACCOUNTS, CONTROLLERS, AT_ONCE = { "1000001", "1000002", "1000003" }, 4, 4
-- Of each account, so many that they are not done before everything has gone wrong.
local WORLD = worlds.of_groups(math.ceil(SECONDS / 2))
-- Elections take seconds, so a session lives some.
local TIMES = { ttl = 5, send_window = 2, exchange = 3, at_once = AT_ONCE }

local function why_no_disk()
  if os.execute "d=$(mktemp -d) && mount -t tmpfs -o size=1m none $d 2>/dev/null && umount $d"
  then return nil end
  return "needs root, and mounts of its own"
end

-- What a seed is played in: how the cluster is made, and what may befall its members.
local SETTINGS = {
  { name = "members", faults = { "kill_member", "stop_leader", "stop_followers", "compact" } },
  { name = "answers", cluster = { auth = true, flags = { "--auth-token-ttl=3" } },
    lossy = { swallow = 0.03, mute = 0.01, cut = 0.02, refuse = 0.02, late = 0.03 },
    faults = { "stop_leader" } },
  { name = "network", missing = networks.missing, network = true,
    faults = { "cut_leader", "cut_member" } },
  { name = "space", cluster = { quota = 16 * 1024 * 1024 }, faults = { "no_space", "compact" } },
  { name = "disk", missing = why_no_disk, disk = true, faults = { "full_disk" } },
  { name = "restore", faults = { "restore" } },
}

local function items()
  local list = {}
  for _, account in ipairs(ACCOUNTS) do
    for _, group in ipairs(WORLD.groups) do
      list[#list + 1] = { run = account .. "." .. group.id, account = account, group = group.id }
    end
  end
  return list
end

---@class spec.NemesisRun
---@field stage spec.Stage
---@field network? spec.Network
---@field proxy? spec.Lossy
---@field restored? boolean an older state was put back
---@field disk? string mounted directory
---@field living spec.StagedController[]
---@field random fun(n: integer): integer
local Run = {}
Run.__index = Run

-- Each seed has a chance of its own, whatever else draws.
local function generator(seed)
  local state = seed * 2654435761 % 2 ^ 32 // 1 | 0
  return function(n)
    state = (state * 1103515245 + 12345) % 0x80000000
    return (state >> 8) % n + 1
  end
end

local function start_controller(run, who)
  return run.stage:controller(who, { items = items(), seed = run.random(1000000),
    patience = SECONDS + CALM, ttl = TIMES.ttl, send_window = TIMES.send_window,
    exchange = TIMES.exchange, at_once = TIMES.at_once })
end

--- Begins another controller on the machine of one that has died.
---@param controller spec.StagedController
function Run:replace(controller)
  local machine, nth = controller.who:match "^([^.]*)%.?(%d*)$"
  local other = start_controller(self, ("%s.%d"):format(machine, (tonumber(nth) or 1) + 1))
  for i, each in ipairs(self.living) do
    if each == controller then self.living[i] = other end
  end
end

local function mount_disk()
  local path = scratch.directory()
  assert(os.execute(("mount -t tmpfs -o size=150m none '%s'"):format(path)))
  return path
end

local function open(setting, seed)
  local run = setmetatable({ random = generator(seed), living = {} }, Run)
  if setting.network then run.network = networks.start(3) end
  if setting.disk then run.disk = mount_disk() end
  local cluster = { members = 3, hosts = run.network and run.network.hosts, directory = run.disk }
  for name, value in pairs(setting.cluster or {}) do cluster[name] = value end
  run.stage = stages.start { cluster = cluster, world = WORLD, speed = 20 }
  if setting.lossy then
    run.proxy = lossy.start(run.stage.cluster.address, { rates = setting.lossy, seed = seed })
    run.stage.address = run.proxy.address
  end
  for i = 1, CONTROLLERS do run.living[i] = start_controller(run, "c" .. i) end
  return run
end

-- The proxy was forked and has all that is open here: the emulator ends once nobody holds its
-- input.
function Run:close()
  if self.proxy then self.proxy:close() end
  self.stage:close()
  if self.network then self.network:close() end
  if self.disk then os.execute(("umount -l '%s'"):format(self.disk)) end
end

Run.__close = Run.close

-- One fault after the other, of some: a track of its own, so that members and controllers suffer at
-- the same time, but never two members unless one fault is about them.
local function new_track(run, kinds, names)
  return { run = run, kinds = kinds, names = names, next_at = core.boottime() + 1 }
end

local function end_fault(track)
  local fault, what = track.fault, track.what
  track.fault, track.what = nil, nil
  if fault and fault.over then fault.over(track.run, what) end
  track.next_at = core.boottime() + track.run.random(20) / 10
end

local function begin_fault(track)
  local run = track.run
  local name = track.names[run.random(#track.names)]
  run.stage:tell { type = "fault", name = name }
  track.fault = track.kinds[name]
  track.what = track.fault.begin(run)
  if track.what == nil then track.fault = nil end
  track.next_at = core.boottime() + (track.fault and track.fault.seconds or 1)
end

local function advance(track)
  if core.boottime() < track.next_at then return end
  if track.fault then end_fault(track) else begin_fault(track) end
end

local function all_ended(run)
  for _, controller in ipairs(run.living) do
    if not controller:ended() then return false end
  end
  return true
end

local function harass(run, setting)
  local tracks = { new_track(run, faults.MEMBERS, setting.faults),
    new_track(run, faults.CONTROLLERS, { "kill_controller", "stop_controller" }) }
  stages.wait(SECONDS, function()
    for _, track in ipairs(tracks) do advance(track) end
    return all_ended(run)
  end)
  for _, track in ipairs(tracks) do end_fault(track) end
  if run.proxy then run.proxy:be_calm(true) end
end

-- Whoever has seen that an older state was put back does nothing more with that store. People who
-- have looked begin again: machines that kept a longer copy of a run refuse that run, and the
-- others go on with it.
local function settle(run)
  local ended = stages.wait(CALM, function() return all_ended(run) end)
  if not (ended and run.restored) then return ended end
  for i = 1, CONTROLLERS do run:replace(run.living[i]) end
  return stages.wait(CALM, function() return all_ended(run) end)
end

local function count(history, type, name)
  local n = 0
  for _, event in ipairs(history) do
    if event.type == type and (not name or event.name == name) then n = n + 1 end
  end
  return n
end

-- Whose attempt follows that of somebody else.
local function takeovers(history)
  local n = 0
  for _, event in ipairs(history) do
    local line = event.type == "record" and core.decode(event.text) or {}
    local record = line.event or {}
    if record.type == "attempt" and record.n > 1 then n = n + 1 end
  end
  return n
end

local function effects(history)
  local n = 0
  for _, event in ipairs(history) do
    if event.type == "ledger" then n = n + #event.effects end
  end
  return n
end

local function play(setting, seed, directory)
  local run <close> = open(setting, seed)
  harass(run, setting)
  local ended = settle(run)
  if not ended then run.stage:tell { type = "incomplete" } end
  run.stage:finish(0)
  local history = run.stage:history()
  stages.keep(history, ("%s/%s-%d.jsonl"):format(directory, setting.name, seed))
  local violations = invariants.check(history)
  if not ended then table.insert(violations, 1, "controllers did not end") end
  local line = "%s, seed %d: %d faults, %d controllers, %d takeovers, %d effects of %d groups\n"
  io.write(line:format(setting.name, seed, count(history, "fault"), count(history, "ended"),
    takeovers(history), effects(history), count(history, "item")))
  return violations
end

local directory, seeds, first, only = arg[1], tonumber(arg[2]) or 6, tonumber(arg[3]) or 1, arg[4]
local passed, failed = 0, 0

local function setting_of(seed)
  for _, setting in ipairs(SETTINGS) do
    if setting.name == only then return setting end
  end
  return SETTINGS[(seed - 1) % #SETTINGS + 1]
end

for seed = first, first + seeds - 1 do
  local setting = setting_of(seed)
  local missing = setting.missing and setting.missing()
  if missing then
    io.write(("%s, seed %d: left out: %s\n"):format(setting.name, seed, missing))
  else
    local violations = play(setting, seed, directory)
    for i = 1, math.min(#violations, 20) do io.write("  ", violations[i], "\n") end
    if violations[1] then failed = failed + 1 else passed = passed + 1 end
  end
  io.flush()
end

io.write(("nemesis: %d passed, %d failed\n"):format(passed, failed))
os.exit(failed == 0 and passed > 0, true)
