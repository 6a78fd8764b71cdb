-- Groups of several accounts failed over by one process at a time: accounts.lua ACCOUNTS GROUPS
-- PARALLEL. Each account has a client, an emulator, a journal and a run of the ready playbook
-- `fleet` of its own, and so many groups of three pairs; all are in one loop and on one virtual
-- clock. Prints the seconds that the slowest account took over its bound (its failover calls at
-- the rate of the limit, and one failover), the seconds themselves, the most MiB that this process
-- had, the emulators' included, and the milliseconds of CPU of a group.

local emulator = require "alicloud.emulator"
local many = require "spec.bench.many"

local accounts = math.tointeger(tonumber(arg[1] or "10"))
local count = math.tointeger(tonumber(arg[2] or "1000"))
local parallel = arg[3] or "1000"

local emulators, clients, tasks = {}, {}, {}
for i = 1, accounts do
  local emu = emulator.new { wire = false, seed = i,
    world = many.world(count, 3, ("pg-%d-"):format(i)) }
  if i > 1 then emu.clock = emulators[1].clock end
  emulators[i] = emu
  clients[i] = many.client(emu, emulators[1].runtime)
end

local clock, slowest = emulators[1].clock, 0
local began = clock:now()

local function move(client)
  many.move(client, count, parallel)
  slowest = math.max(slowest, clock:now() - began)
end

for i, client in ipairs(clients) do tasks[i] = clients[1].loop.spawn(move, client) end
for i, task in ipairs(tasks) do
  task:result()
  assert(#emulators[i]:ledger() == count)
end
print(("%.3f %.0f %.1f %.2f"):format(slowest / many.bound(count), slowest, many.resident(),
  os.clock() * 1e3 / (accounts * count)))
