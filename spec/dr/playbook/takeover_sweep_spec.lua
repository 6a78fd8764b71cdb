-- Two controllers over one shared store: one stops or is held up at each point of its way, the
-- other waits for the run and goes on with it. The group is moved once.

local journals = require "alicloud.dr.journal"
local memory = require "alicloud.dr.store.memory"
local memory_keys = require "alicloud.dr.store.memory_keys"
local stages = require "spec.dr.playbook.stage"
local stores = require "alicloud.dr.store.shared"

local FAILOVER = "FailoverDiskReplicaGroup"

-- A stage with a store that both controllers reach.
local function new_stage(txn)
  local stage = stages.new()
  local client = stage.bench.client
  stage.loop, stage.txn = client.loop, txn
  stage.world = memory_keys.world { now = client.runtime.boottime }
  return stage
end

-- What a process has begun on its loop does not go on when it has stopped: each has a clock, and so
-- a loop, of its own.
local function client_of(stage)
  local runtime = {}
  for name, value in pairs(stage.bench.emu.runtime) do runtime[name] = value end
  runtime.monotonic = function() return stage.bench.emu.runtime.monotonic() end
  return stage.bench.client:with { runtime = runtime }
end

local function open(stage, client, name, faults)
  local keys = memory_keys.open(stage.world, { name = name, loop = client.loop, txn = stage.txn,
    faults = faults })
  return stores.open { keys = keys, run = "run", name = "store#run", prefix = "/dr",
    loop = client.loop, runtime = client.runtime }, keys
end

local function events_of(stage)
  return assert(journals.read(assert(open(stage, stage.bench.client, "reader"):load()))).events
end

-- What holds whatever has happened.
local function check(stage, result, err, where)
  assert.is_nil(err, where)
  assert.equal("completed", result.status, where)
  assert.equal(1, #stage.bench:ledger(), where)
  local tokens, fence = {}, 0
  for _, event in ipairs(events_of(stage)) do
    if event.type == "call" then tokens[event.client_token] = true end
    if event.type == "attempt" then
      assert.is_true(event.fence > fence, where)
      fence = event.fence
    end
  end
  local token = next(tokens)
  assert.is_nil(next(tokens, token), where)
end

-- One controller stops at a call of the store, the other takes over.
local function stop_at(txn, n, fault)
  local stage = new_stage(txn)
  local client = client_of(stage)
  local store, keys = open(stage, client, "first", function(call)
    return call.n == n and fault
  end)
  local ok, raised = pcall(stage.run, stage, stage:move(), { client = client, store = store,
    requester = "first" })
  local stopped = keys.stopped
  assert(ok or raised == memory.CRASH, raised)
  client = client_of(stage)
  local result, err = stage:run(stage:move(), { client = client,
    store = open(stage, client, "second"), requester = "second", standby = "5m" })
  check(stage, result, err, ("%s at call %d"):format(fault, n))
  return stopped
end

describe("a controller that stops", function()
  for _, txn in ipairs { true, false } do
    it(("is followed by another at each call of the store, %s transactions"):format(
      txn and "with" or "without"), function()
      local points = 0
      for _, fault in ipairs { "crash", "crash_after" } do
        local n = 1
        while stop_at(txn, n, fault) do n, points = n + 1, points + 1 end
      end
      assert.is_true(points > 30, points)
    end)
  end
end)

-- A whole process that is held up: nothing of it goes on, and it hears nothing.
local function hold_up(stage, point, seconds, act)
  local loop, held = stage.loop, false
  local function pause(what)
    if what ~= point or act.was_held then return end
    held, act.was_held = true, true
    loop.sleep(seconds)
    held = false
  end
  return pause, function() return held and "unreachable" end
end

-- The first is held up, the second waits for the run from the beginning.
local function race(point, seconds)
  local stage, act = new_stage(true), {}
  local pause, faults = hold_up(stage, point, seconds, act)
  local client = stage.bench.client
  local send = stage.bench.emu.transport.send
  local slow = client:with { transport = { send = function(request)
    if request.action == FAILOVER then pause "wire" end
    return send(request)
  end } }
  local first, second
  stage.loop.scope(function()
    stage.loop.spawn(function()
      first = table.pack(stage:run(stage:move(), { client = slow, requester = "first",
        store = open(stage, client, "first", faults),
        progress = function(event) pause(event.type) end }))
    end)
    stage.loop.sleep(0.01)
    stage.loop.spawn(function()
      second = table.pack(stage:run(stage:move(), { client = client, requester = "second",
        store = open(stage, client, "second"), standby = "10m" }))
    end)
  end)
  return stage, first, second
end

describe("a controller that is held up", function()
  for _, point in ipairs { "attempt", "step_begin", "intent", "call", "wire", "answer", "outcome",
    "step_end", "finished" } do
    it(("at %q is stopped when it goes on, or has done it"):format(point), function()
      for _, seconds in ipairs { 3, 12, 20, 45, 200 } do
        local stage, first, second = race(point, seconds)
        local where = ("%s for %d s"):format(point, seconds)
        check(stage, second[1], second[2], where)
        if first[2] then
          assert.matches("^Client%.Journal%w+$", first[2].code, where)
          assert.is_string(first[2].hint, where)
        end
        assert.is_true(#stage.bench:sends() <= 2, where)
      end
    end)
  end
end)
