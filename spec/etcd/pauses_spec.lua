-- A controller that stands still on its way to a failover, for longer than its session lives, and
-- goes on when another one has done it: at each place of the way, with a service that remembers
-- tokens and with one that has forgotten them. One effect, always.

local invariants = require "spec.etcd.invariants"
local stages = require "spec.etcd.stage"

local ACTION, GROUP = "FailoverDiskReplicaGroup", "pg-orders"
local CALL = '"type":"call"'

-- What is loaded before the C library stands still in the moment of the send.
local function at_send()
  return { "PAUSED_SEND=" .. ACTION,
    ("LD_PRELOAD=%s %s/spec/paused_send.so"):format(os.getenv "LD_PRELOAD" or "",
      os.getenv "ALICLOUD_BUILD" or "build") }
end

-- How many requests arrive is what tells the places apart. In the last one nothing of ours can stop
-- the bytes any more.
local PLACES = {
  { name = "before the intent is written", requests = 1,
    trap = { signal = "STOP", when = "before", record = CALL } },
  { name = "between the intent and the check", requests = 1,
    trap = { signal = "STOP", when = "after", record = CALL } },
  { name = "between the check and the kernel", requests = 2, environment = at_send },
}

local MEMORIES = {
  { name = "a service that remembers tokens", switches = {} },
  { name = "a service that has forgotten them", switches = { hostile = { token_forget = true } } },
}

-- The histories of some controllers alone.
local function stops_of(history, who)
  local codes = {}
  for _, event in ipairs(history) do
    if event.type == "stopped" and event.who == who then codes[event.code] = true end
  end
  return codes
end

local ACCOUNTS = setmetatable({}, { __index = function(_, name)
  return ("1000%d000%d"):format(name:match "m(%d)p(%d)")
end })

-- All trials at once: each has an account, and so a world, of its own, and two controllers.
local function begin(stage, place, memory, name)
  local account = ACCOUNTS[name]
  stage:switch(account, memory.switches)
  local items = { { run = name, account = account, group = GROUP } }
  local first = stage:controller("first-" .. name, { items = items, trap = place.trap,
    environment = place.environment and place.environment() })
  -- The first is to lose its session; the second has one that outlives a store that is slow.
  return first, function()
    return stage:controller("second-" .. name, { items = items, ttl = 15 })
  end
end

local function each_trial(act)
  for m, memory in ipairs(MEMORIES) do
    for p, place in ipairs(PLACES) do act(("m%dp%d"):format(m, p), place, memory) end
  end
end

-- The first stands still, the second takes over and finishes, the first goes on.
local function pause_all(stage)
  local firsts, takers, seconds = {}, {}, {}
  each_trial(function(name, place, memory)
    firsts[name], takers[name] = begin(stage, place, memory, name)
  end)
  for name, first in pairs(firsts) do
    assert.is_true(stages.wait(90, function() return first:stands() end), name)
    seconds[name] = takers[name]()
  end
  for name, second in pairs(seconds) do
    assert.is_true(stages.wait(120, function() return second:ended() end), name)
    firsts[name]:signal "CONT"
  end
  assert.is_true(stage:finish(60))
  return stage:history()
end

if stages.missing() then
  pending "controllers that stand still"
  return
end

describe("a controller that stands still on its way to a failover", function()
  local stage, history

  lazy_setup(function()
    stage = stages.start()
    history = pause_all(stage)
  end)

  lazy_teardown(function() stage:close() end)

  it("makes no second effect, and leaves a journal in which all is true", function()
    assert.same({}, invariants.check(history))
  end)

  each_trial(function(name, place, memory)
    it(("%s, with %s, finds that it was taken over"):format(place.name, memory.name), function()
      assert.is_true(stops_of(history, "first-" .. name)["Client.JournalLost"])
      assert.is_nil(stops_of(history, "second-" .. name)["Client.JournalLost"])
      assert.equal(place.requests, stage:requests(ACCOUNTS[name], ACTION))
    end)
  end)
end)
