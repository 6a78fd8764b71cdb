-- A long life with one call in ten given up: `cancels.lua CALLS`. Before it has begun, while it
-- waits for its turn, when its bytes have left; by itself, with its task, with its scope, by the
-- time that the scope has. Neither memory nor descriptors, tasks, timers or slots of the rate grow.
-- Needs nginx; reports "cancels: N passed, N failed".

local alicloud = require "alicloud"
local core = require "alicloud.core"
local growth = require "spec.soak.growth"
local random = require "alicloud.simulation.random"
local server = require "spec.bench.server"

local CALLS = math.tointeger(tonumber(arg[1] or "1000000"))
local QUARTERS, WIDTH, SHARE = 4, 40, 0.1

local at = server.start {}
local chance = random.new(1)

-- A server closes connections that nobody uses: a call that meets that is sent again.
local function new_client(url, rate)
  return alicloud.client { region = "cn-shanghai", endpoint = url, ca_file = at.ca_file,
    rate = rate, retries = 1, access_key_id = "id", access_key_secret = "secret" }
end

local plain = new_client(at.url, false)
-- One call in sixteen keeps its slot for a second.
local limited = new_client(at.url, { action = 400, region = 800, reserve = 0 })
local secure = new_client(at.tls, false)
local clients = { limited, secure, secure, secure }
for i = #clients + 1, 16 do clients[i] = plain end
local loop = plain.loop

local made, given_up, answered = 0, 0, 0

-- A call that was given up may have been answered before; an error of another kind is one too many.
local function count(result, err)
  made = made + 1
  if result then
    answered = answered + 1
  elseif err and (err.kind == "cancelled" or err.kind == "timeout") then
    given_up = given_up + 1
  else
    error(tostring(err), 0)
  end
end

local function call(client)
  return client:call("DescribeDiskReplicaGroups", {})
end

-- Who gives a call up: the first two have its future, then its task, then its scope.
local GIVE_UP = {}

function GIVE_UP.at_once(client)
  local operation = client:start("DescribeDiskReplicaGroups", {})
  operation:cancel()
  return operation:result()
end

function GIVE_UP.under_way(client)
  local operation = client:start("FailoverDiskReplicaGroup", { ReplicaGroupId = "pg-1" })
  operation:wait(0)
  operation:cancel()
  return operation:result()
end

function GIVE_UP.task(client)
  local task <close> = loop.spawn(call, client)
  loop.sleep(0)
  task:cancel()
  return task:result()
end

function GIVE_UP.scope(client)
  return loop.scope(function(scope)
    loop.spawn(function() scope:cancel() end)
    return call(client)
  end)
end

function GIVE_UP.timeout(client)
  return loop.scope(function() return call(client) end, { timeout = 0 })
end

function GIVE_UP.cleaning(client)
  local task <close> = loop.spawn(function()
    local _ <close> = setmetatable({}, { __close = function()
      count(loop.scope(function() return call(client) end, { shield = true, timeout = 60 }))
    end })
    return call(client)
  end)
  loop.sleep(0)
  task:cancel()
  return task:result()
end

local WAYS = { "at_once", "under_way", "task", "scope", "timeout", "cleaning" }

local function one()
  local client = chance:pick(clients)
  if not chance:chance(SHARE) then return count(call(client)) end
  return count(GIVE_UP[chance:pick(WAYS)](client))
end

local function round()
  loop.scope(function()
    for _ = 1, WIDTH do
      loop.spawn(function()
        for _ = 1, 25 do one() end
      end)
    end
  end)
end

local samples, began = {}, core.monotonic()
local scheduler = loop.spawn(function() end).scheduler
local left = 0
for i = 1, QUARTERS do
  repeat round() until made >= CALLS * i // QUARTERS
  growth.sample(samples, made)
  left = math.max(left, scheduler.alive, #scheduler.open, #loop.pollables())
end
local seconds = core.monotonic() - began
print(("%d calls, %d answered, %d given up, %.0f s, %.0f/s"):format(made, answered, given_up,
  seconds, made / seconds))
at.stop()

local passed, failed = growth.judge(samples, 1, WIDTH)
for what, holds in pairs { ["nothing is left on the loop"] = left == 0,
  ["a tenth was given up"] = given_up > made * SHARE / 2 } do
  if holds then passed = passed + 1 else failed = failed + 1 end
  if not holds then print("not so: " .. what) end
end
print(("cancels: %d passed, %d failed"):format(passed, failed))
os.exit(failed == 0, true)
