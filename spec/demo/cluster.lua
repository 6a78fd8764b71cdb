-- What `make cluster` shows: two controllers share one run in three members of etcd. The one that
-- leads is killed in the middle of a failover, and one of the members with it; the other one goes
-- on, and nothing is sent twice. Ends with 1 if anything is not so.
--
-- `lua spec/demo/cluster.lua brief` waits for no lease, which is ended by hand, and for no clock:
-- the failover ends once the heir has the run, however long that takes.
local clusters = require "spec.etcd.cluster"
local core = require "alicloud.core"
local posix = require "spec.posix"
local process = require "spec.process"
local scratch = require "spec.scratch"
local telling = require "spec.demo.telling"

local expect, heading, say = telling.expect, telling.heading, telling.say

local BRIEF = arg[1] == "brief"
-- How much faster than true the emulator's clock runs: the failover has to last until the heir
-- looks, or the reader sees no more of it. A brief one moves the clock itself, by so many seconds.
local SPEED, LASTS = BRIEF and 0 or 2, 60
-- Seconds for the longest that any step here may take on a busy machine.
local PATIENCE = 120

---@class spec.Controller  a process of `alicloud-dr` with a home of its own, as on another machine
---@field name string
---@field output string  so far
local Controller = {}
Controller.__index = Controller

local controllers = {}

local function tell(name, line) say(("%-4s | %s\n"):format(name, line)) end

local function start(name, line, place)
  say(("%-4s $ %s\n"):format(name, line))
  local log = scratch.file ""
  local command = ("exec env HOME='%s' USER='%s' ALICLOUD_DR_STORE='%s' %s %s >'%s' 2>&1"):format(
    scratch.directory(), name, place.store, place.emulator:environment(), line, log)
  local pid, pipe = posix.spawn { "sh", "-c", command }
  pipe:close()
  local controller = setmetatable({ name = name, pid = pid, log = log, output = "", shown = 0 },
    Controller)
  controllers[#controllers + 1] = controller
  return controller
end

-- Shows the lines that have come since.
function Controller:show()
  self.output = scratch.read(self.log)
  for line, behind in self.output:sub(self.shown + 1):gmatch "([^\n]*)\n()" do
    tell(self.name, line)
    self.last = behind
  end
  if self.last then self.shown, self.last = self.shown + self.last - 1, nil end
end

-- How it has ended, if it has.
function Controller:ended()
  if self.pid and not self.how then
    self.how, self.code = posix.wait(self.pid, true)
  end
  self:show()
  return self.how ~= nil
end

function Controller:kill()
  if self:ended() then return end
  posix.kill(self.pid, "KILL")
  self.how, self.code = posix.wait(self.pid)
  self:show()
end

-- Shows what all of them say until something is so.
local function wait_until(is_so)
  local limit = core.monotonic() + PATIENCE
  while core.monotonic() < limit do
    for _, controller in ipairs(controllers) do
      if not controller:ended() then controller:show() end
    end
    if is_so() then return true end
    core.poll(nil, "r", 0.05)
  end
  return false
end

local function failovers(emulator)
  local list = {}
  for _, effect in ipairs(emulator:ledger()) do
    if effect.action == "FailoverDiskReplicaGroup" then list[#list + 1] = effect end
  end
  return list
end

-- The lease of the lock of a run, as etcdctl wants it.
local function lease_of_lock(cluster)
  local lock = cluster:ctl("get", "--prefix", "/alicloud-dr/v1/runs/", "--write-out=json")
  for _, kv in ipairs(core.decode(lock).kvs) do
    if core.unbase64(kv.key):find "/lock$" then
      return ("%x"):format(math.tointeger(tonumber(kv.lease)))
    end
  end
end

local function a_follower(cluster)
  return cluster:leader() % #cluster.members + 1
end

local function run(name, line, place, expected)
  local controller = start(name, line, place)
  wait_until(function() return controller:ended() end)
  expect(("exit code %d"):format(expected),
    controller.how == "exit" and controller.code == expected)
end

local function kill_the_leader(cluster, leader)
  heading(3, "The controller that leads is killed, and a member of etcd with it",
    "SIGKILL: it says nothing to anybody. Its lock vanishes with its session, 15 seconds after "
    .. "its last\nsign of life.")
  local member = a_follower(cluster)
  leader:kill()
  tell("ada", "(killed)")
  cluster:kill(member)
  tell("etcd", ("(member %d killed)"):format(member))
  if BRIEF then
    tell("etcd", "(the session of the lock is ended by hand)")
    cluster:ctl("lease", "revoke", lease_of_lock(cluster))
  end
end

local function show_end(place, heir, killed_at)
  if BRIEF then
    wait_until(function() return heir.output:find "taken over" or heir:ended() end)
    place.emulator:advance(LASTS)
  end
  wait_until(function() return heir:ended() end)
  expect(("the other one finished, with exit code 0, %d s after the kill"):format(
    math.floor(core.monotonic() - killed_at + 0.5)), heir.how == "exit" and heir.code == 0)
  heading(4, "What is left", "The run as whoever comes later sees it, and what really happened.")
  run("ada", "alicloud-dr runs", place, 0)
  local effects = failovers(place.emulator)
  telling.show_ledger("The emulator's ledger:", effects)
  expect("pg-orders was failed over exactly once", #effects == 1)
  expect("no lock is left", lease_of_lock(place.cluster) == nil)
end

local LINE = "alicloud-dr run failover group=pg-orders --region cn-shanghai --mode ungraceful --yes"

local function tour(place)
  heading(1, "The primary region burns, and ada fails over",
    "The journal of her run is in etcd, of which three members run here. For both controllers:\n"
    .. "ALICLOUD_DR_STORE=" .. place.store)
  local leader = start("ada", LINE, place)
  wait_until(function() return leader.output:find("#failover", 1, true) or leader:ended() end)

  heading(2, "Bob does the same on another machine",
    "The run has a leader already, so his controller waits and says for whom.")
  local heir = start("bob", LINE .. " --standby", place)
  wait_until(function() return heir.output:find "standing by" or heir:ended() end)
  expect("bob stands by", heir.output:find "standing by" and not heir:ended())
  wait_until(function() return #failovers(place.emulator) > 0 or leader:ended() end)
  expect("the change has been sent", #failovers(place.emulator) == 1 and not leader:ended())

  local killed_at = core.monotonic()
  kill_the_leader(place.cluster, leader)
  show_end(place, heir, killed_at)
end

local function main()
  say("alicloud-dr in etcd. Everything below runs on this machine: three members of etcd, two ",
    "controllers, and\nan emulator whose clock ",
    BRIEF and "is moved by hand" or ("runs %d times as fast"):format(SPEED),
    ". No cloud account is involved.\n")
  local cluster <close> = clusters.start { members = 3 }
  local emulator <close> = process.start_emulator { speed = SPEED }
  local ok, problem = xpcall(tour, debug.traceback, { cluster = cluster, emulator = emulator,
    store = "etcd+" .. cluster.address .. "/alicloud-dr" })
  for _, controller in ipairs(controllers) do controller:kill() end
  if not ok then error(problem, 0) end
  return telling.finish "controllers"
end

os.exit(main(), true)
