-- One of several processes that take a fleet: taker.lua STORE GROUPS WORKERS. Each has the emulator
-- in itself, on its virtual clock, so that what is measured is the store and ourselves. Prints the
-- items that it has ended, its calls of the cloud and of the store, and seconds by the wall.

local alicloud = require "alicloud"
local core = require "alicloud.core"
local dr = require "alicloud.dr"
local emulator = require "alicloud.emulator"
local etcd = require "alicloud.dr.store.etcd"

local store, count, workers = arg[1], math.tointeger(tonumber(arg[2])), math.tointeger(tonumber(
  arg[3]))

-- A listing of the emulator goes through all groups of the account, so they are in several.
local IN_ACCOUNT = 200

local calls, asked, items, clients, first = 0, 0, {}, {}, nil

local function emulator_of(account, size)
  local groups = {}
  for i = 1, size do
    local id = ("pg-%05d"):format(i)
    groups[i] = { id = id, pairs = 1, status = "normal", recover_point_age = 60,
      source = "cn-hangzhou/cn-hangzhou-g", destination = "cn-shanghai/cn-shanghai-b",
      failover_seconds = 40 }
    items[#items + 1] = { account = account, group = id, region = "cn-shanghai" }
  end
  local emu = emulator.new { wire = false,
    world = { regions = { "cn-hangzhou", "cn-shanghai" }, groups = groups } }
  first = first or emu
  emu.clock = first.clock
  return emu
end

local function client_of(emu)
  return alicloud.client { region = "cn-shanghai", runtime = first.runtime, rate = false,
    access_key_id = emu.access_key_id, access_key_secret = emu.access_key_secret,
    transport = { send = emu.transport.send, perform = function(request)
      calls = calls + 1
      return emu.transport.perform(request)
    end } }
end

for number = 1, math.ceil(count / IN_ACCOUNT) do
  local account = ("%06d"):format(100000 + number)
  local size = math.min(IN_ACCOUNT, count - (number - 1) * IN_ACCOUNT)
  clients[account] = client_of(emulator_of(account, size))
end

-- Counts what goes to the store.
local open = etcd.open
function etcd.open(options)
  local keys = open(options)
  local ask = keys.gateway.ask
  function keys.gateway.ask(...)
    asked = asked + 1
    return ask(...)
  end
  return keys
end

local playbook = dr.playbook("move", function(run)
  local group = run:group(run.params.group, { region = run.params.region })
  run:step("check", function() return group:precheck { max_rpo = "1h" } end)
  run:step("promote", { point_of_no_return = true }, function() return group:failover() end)
end)

-- Sessions are renewed by the virtual clock, and end by the real one.
local began_at = core.monotonic()
local fleet = assert(dr.fleet { store = store, name = "bench", loop = clients["100001"].loop,
  runtime = first.runtime, playbook = playbook, items = items, workers = workers, ttl = 600,
  client = function(account) return clients[account] end })
local result = assert(fleet:run())
fleet:close()
assert(result.done == count, result.done)
print(result.ran, calls, asked, core.monotonic() - began_at)
