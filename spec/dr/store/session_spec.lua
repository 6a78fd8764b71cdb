-- The session of a process in a shared store: what renews it, under each loop, and how it ends.

local uv = require "spec.kept" "luv"
local blocking = require "alicloud.loop.blocking"
local child = require "spec.child"
local cqueues = require "cqueues"
local guard = require "alicloud.base.guard"
local memory_keys = require "alicloud.dr.store.memory_keys"
local runtimes = require "alicloud.base.runtime"
local schedulers = require "alicloud.loop.scheduler"
local sessions = require "alicloud.dr.store.session"
local virtual = require "spec.loop.virtual"

-- Each runs a body as a program does that has such a loop.
local LOOPS = {
  blocking = function(body)
    body(schedulers.new(blocking.new(runtimes.new())))
  end,
  task = function(body)
    local loop = schedulers.new(blocking.new(runtimes.new()))
    loop.spawn(body, loop):result()
  end,
  cqueues = function(body)
    local controller = cqueues.new()
    controller:wrap(body, require("alicloud.loop.cqueues").new())
    assert(controller:loop(20))
  end,
  luv = function(body)
    local ok, err
    coroutine.wrap(function() ok, err = pcall(body, require("alicloud.loop.luv").new()) end)()
    uv.run()
    assert(ok, err)
  end,
}

-- A store and a process on a clock that goes as the session sleeps: a few milliseconds stand for
-- each of its pauses, so that nothing depends on how busy the machine is.
local function stage_on(loop)
  local stage = { clock = 1000, renewals = 0 }
  local function now() return stage.clock end
  local slow = setmetatable({ sleep = function(seconds)
    loop.sleep(0.002)
    stage.clock = stage.clock + seconds
  end }, { __index = loop })
  stage.world = memory_keys.world { now = now }
  stage.looker = memory_keys.open(stage.world)
  stage.keys = memory_keys.open(stage.world, { name = "store", loop = slow,
    faults = function(call)
      if call.op == "renew" then stage.renewals = stage.renewals + 1 end
      return stage.fault
    end })
  stage.session = assert(sessions.open(stage.keys, { loop = slow, runtime = { boottime = now } }))
  assert(stage.keys:create("lock", "", stage.session.id))
  return stage
end

-- Waits for what other tasks bring about.
local function until_true(loop, what)
  local ends = loop.now() + 20
  while not what() do
    assert(loop.now() < ends, "it never came")
    loop.sleep(0.001)
  end
end

for _, kind in ipairs { "blocking", "task", "cqueues", "luv" } do
  describe("a session under the loop " .. kind, function()
    it("is renewed while something else waits", function()
      LOOPS[kind](function(loop)
        local stage = stage_on(loop)
        until_true(loop, function() return stage.renewals >= 20 end)
        assert.is_nil(stage.session:lost())
        assert.is_truthy(stage.looker:get "lock")
        assert.is_true(stage.session.held_until > 1060)
        stage.session:close()
      end)
    end)

    it("ends when it is closed, and nothing goes on", function()
      LOOPS[kind](function(loop)
        local stage = stage_on(loop)
        until_true(loop, function() return stage.renewals >= 2 end)
        local told = 0
        stage.session:on_lost(function() told = told + 1 end)
        stage.session:close()
        stage.session:close()
        assert.is_false((stage.looker:get "lock"))
        local renewals = stage.renewals
        loop.sleep(0.02)
        assert.same({ renewals, 0 }, { stage.renewals, told })
        assert.is_nil(stage.session:lost())
        assert.same({}, loop.pollables())
      end)
    end)

    it("is lost at its own deadline when nobody answers, and says so once", function()
      LOOPS[kind](function(loop)
        local stage = stage_on(loop)
        local told = {}
        stage.session:on_lost(function(err) told[#told + 1] = { err, stage.clock } end)
        stage.fault = "unreachable"
        until_true(loop, function() return told[1] end)
        local err, at = told[1][1], told[1][2]
        assert.equal("Client.JournalLost", err.code)
        assert.equal("not_sent", err.outcome)
        assert.matches("could not be renewed in time", err.message)
        assert.matches("cannot be reached", err.message)
        assert.is_true(at >= 1014 and at < 1015, at)
        -- The store still keeps it, as its clock began later.
        assert.is_truthy(stage.looker:get "lock")
        stage.fault = nil
        loop.sleep(0.02)
        assert.equal(1, #told)
        assert.equal(err, stage.session:lost())
        stage.session:close()
      end)
    end)

    it("is lost at once when the store says that it is gone", function()
      LOOPS[kind](function(loop)
        local stage = stage_on(loop)
        local told
        stage.session:on_lost(function(err) told = err end)
        stage.world:expire()
        until_true(loop, function() return told end)
        assert.equal("Client.JournalLost", told.code)
        assert.is_true(stage.clock < 1014)
        stage.session:close()
      end)
    end)
  end)
end

-- Where time moves only as it is waited for.
local function stage_in_time(overrides)
  local loop, control = virtual.new(overrides)
  local function now() return 1000 + control.elapsed end
  local stage = { loop = loop, control = control, calls = 0 }
  stage.world = memory_keys.world { now = now }
  stage.keys = memory_keys.open(stage.world, { name = "store", loop = loop,
    faults = function(call)
      stage.calls = stage.calls + 1
      if stage.faults then return stage.faults(call) end
    end })
  stage.session = assert(sessions.open(stage.keys, { loop = loop, runtime = { boottime = now } }))
  return stage
end

describe("a session", function()
  it("is renewed at least every four seconds, and sooner after a failure", function()
    local stage = stage_in_time()
    stage.loop.sleep(60)
    assert.is_true(stage.calls >= 15 and stage.calls <= 18, stage.calls)
    local calls = stage.calls
    stage.faults = function() return "unreachable" end
    stage.loop.sleep(8)
    assert.is_true(stage.calls - calls >= 8)
    stage.faults = nil
    stage.loop.sleep(60)
    assert.is_nil(stage.session:lost())
    stage.session:close()
  end)

  it("counts from before the question, however late the answer is", function()
    local stage = stage_in_time()
    stage.faults = function(call) return call.op == "renew" and "late_answer", 3 end
    stage.loop.sleep(6)
    assert.is_true(stage.session.held_until <= 1000 + stage.control.elapsed + 14 - 3)
    stage.session:close()
  end)

  it("is lost when computing has taken longer than it lives, before anybody is asked", function()
    local stage = stage_in_time()
    stage.loop.sleep(1)
    local calls = stage.calls
    stage.control.elapsed = stage.control.elapsed + 14
    assert.equal("Client.JournalLost", stage.session:lost().code)
    assert.equal(calls, stage.calls)
    stage.loop.sleep(60)
    assert.equal(calls, stage.calls)
    stage.session:close()
  end)

  it("does not come back by an answer that arrives after its end", function()
    local stage = stage_in_time()
    stage.faults = function(call) return call.op == "renew" and "late_answer", 20 end
    stage.loop.sleep(14)
    assert.equal("Client.JournalLost", stage.session:lost().code)
    stage.faults = nil
    stage.loop.sleep(30)
    assert.equal("Client.JournalLost", stage.session:lost().code)
    stage.session:close()
  end)

  it("survives a store that takes no writes", function()
    local stage = stage_in_time()
    stage.faults = function() return "full" end
    stage.loop.sleep(100)
    assert.is_nil(stage.session:lost())
    stage.session:close()
  end)

  it("tells all who listen, though one of them fails", function()
    local stage = stage_in_time()
    local told = {}
    stage.session:on_lost(function() error "broken" end)
    stage.session:on_lost(function() told[#told + 1] = true end)
    stage.world:expire()
    stage.loop.sleep(5)
    assert.equal(1, #told)
    stage.session:close()
  end)

  it("is not renewed by a child that was forked", function()
    local stage = stage_in_time()
    stage.loop.sleep(1)
    assert.equal(0, child.run(function()
      local calls = stage.calls
      stage.loop.sleep(10)
      return stage.calls - calls
    end))
    stage.loop.sleep(10)
    assert.is_nil(stage.session:lost())
    stage.session:close()
  end)

  it("is not a forked child's, which neither has it nor ends it", function()
    local stage = stage_in_time()
    assert.equal(0, child.run(function()
      local err = stage.session:lost()
      local calls = stage.calls
      stage.session:close()
      local is_right = err and err.code == "Client.JournalLost"
        and err.message:find("parent process", 1, true) and stage.calls == calls
      return is_right and 0 or 1
    end))
    assert.is_nil(stage.session:lost())
    stage.session:close()
  end)

  it("goes on while a task that waits beside it is cancelled", function()
    local stage = stage_in_time()
    local loop = stage.loop
    local waits = loop.spawn(function() loop.sleep(1000) end)
    loop.sleep(1)
    waits:cancel()
    guard.call(function() waits:result() end)
    local nothing = loop.scope(function() loop.sleep(100) end, { timeout = 5 })
    assert.is_nil(nothing)
    loop.sleep(60)
    assert.is_nil(stage.session:lost())
    stage.session:close()
  end)

  it("goes on while what was interrupted clears up", function()
    local signal
    local stage = stage_in_time { interrupted = function() return signal end }
    local loop = stage.loop
    local ok, raised = pcall(loop.scope, function()
      loop.sleep(1)
      signal = "INT"
      loop.sleep(1)
    end)
    assert.is_false(ok)
    assert.is_true(guard.is_stop(raised))
    assert.is_true((loop.scope(function()
      loop.sleep(100)
      return true
    end, { shield = true, timeout = 200 })))
    assert.is_nil(stage.session:lost())
    stage.session:close()
    signal = nil
    loop.sleep(1)
    assert.is_nil(loop.timeout())
  end)

  it("is ended in the store by whoever is interrupted", function()
    local signal
    local stage = stage_in_time { interrupted = function() return signal end }
    assert(stage.keys:create("lock", "", stage.session.id))
    stage.faults = function(call) return call.op == "revoke" and "late", 1 end
    local ok, raised = pcall(stage.loop.scope, function()
      local _ <close> = setmetatable({}, { __close = function() stage.session:close() end })
      signal = "INT"
      stage.loop.sleep(1)
    end)
    assert.is_false(ok)
    assert.is_true(guard.is_stop(raised))
    signal = nil
    assert.is_false((stage.keys:get "lock"))
  end)

  it("is given up where the store does not answer, in bounded time", function()
    local stage = stage_in_time()
    stage.faults = function(call) return call.op == "revoke" and "late", 1000 end
    local began = stage.control.elapsed
    stage.session:close()
    assert.is_true(stage.control.elapsed - began <= 10)
  end)

  it("goes on when the task that has opened it ends", function()
    local loop, control = virtual.new()
    local function now() return 1000 + control.elapsed end
    local keys = memory_keys.open(memory_keys.world { now = now })
    local session = loop.spawn(function()
      return loop.scope(function()
        return sessions.open(keys, { loop = loop, runtime = { boottime = now } })
      end)
    end):result()
    loop.sleep(60)
    assert.is_nil(session:lost())
    session:close()
  end)
end)
