-- Groups of several accounts failed over by one process at a time: accounts.lua ACCOUNTS GROUPS
-- PARALLEL. Each account has a client, an emulator, a journal and a run of the ready playbook
-- `fleet` of its own, and so many groups of three pairs; all are in one loop and on one virtual
-- clock. Prints the seconds that the slowest account took over its bound (its failover calls at
-- the rate of the limit, and one failover), the seconds themselves, the most MiB that this process
-- had, the emulators' included, and the milliseconds of CPU of a group.

local alicloud = require "alicloud"
local dr = require "alicloud.dr"
local emulator = require "alicloud.emulator"
local ready = require "alicloud.playbooks"
local scratch = require "spec.scratch"

local accounts = math.tointeger(tonumber(arg[1] or "10"))
local count = math.tointeger(tonumber(arg[2] or "1000"))
local parallel = arg[3] or "1000"
-- Of 40 calls a second of one action a quarter is left to people.
local ACTION, SECONDS = 30, 52

local function read_file(path)
  local file <close>, message = io.open(path, "rb")
  if not file then return nil, message end
  return file:read "a"
end

local function resident()
  return tonumber(read_file("/proc/self/status"):match("VmHWM:%s+(%d+)")) / 1024
end

local function world_of(account)
  local groups = {}
  for i = 1, count do
    groups[i] = { id = ("pg-%d-%04d"):format(account, i), pairs = 3, status = "normal",
      recover_point_age = 60, failover_seconds = SECONDS,
      source = "cn-hangzhou/cn-hangzhou-g", destination = "cn-shanghai/cn-shanghai-b" }
  end
  return { regions = { "cn-hangzhou", "cn-shanghai" }, groups = groups }
end

local emulators, clients = {}, {}
for i = 1, accounts do
  local emu = emulator.new { wire = false, seed = i, world = world_of(i) }
  if i > 1 then emu.clock = emulators[1].clock end
  emulators[i] = emu
  clients[i] = alicloud.client { region = "cn-shanghai", transport = emu.transport,
    runtime = emulators[1].runtime, access_key_id = emu.access_key_id,
    access_key_secret = emu.access_key_secret }
end

local fleet = assert(ready.load("fleet", read_file))
local clock, slowest, tasks = emulators[1].clock, 0, {}
local began = clock:now()

local function move(client)
  local result = assert(dr.run(fleet, { client = client,
    journal = scratch.directory() .. "/fleet.jsonl", params = { groups = "all",
      region = "cn-shanghai", parallel = parallel, max_groups = count, canary = 0 } }))
  slowest = math.max(slowest, clock:now() - began)
  return result
end

local loop = clients[1].loop
for i, client in ipairs(clients) do tasks[i] = loop.spawn(move, client) end
for i, task in ipairs(tasks) do
  assert(task:result().status == "completed" and #emulators[i]:ledger() == count)
end
local bound = (count - 1) / ACTION + SECONDS
print(("%.3f %.0f %.1f %.2f"):format(slowest / bound, slowest, resident(),
  os.clock() * 1e3 / (accounts * count)))
