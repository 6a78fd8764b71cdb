-- A finalizer runs wherever a table is made, so also in the middle of the loop's own work.

local timers = require "alicloud.loop.timers"
local virtual = require "spec.loop.virtual"
local waiting = require "alicloud.loop.waiting"

local loop, control

before_each(function() loop, control = virtual.new() end)

local function finalize(fn)
  do local _ = setmetatable({}, { __gc = fn }) end
  collectgarbage()
  collectgarbage()
end

-- What a finalizer raises is lost.
local function raised_in_finalizer(fn)
  local ok, raised
  finalize(function() ok, raised = pcall(fn) end)
  assert.is_false(ok)
  return raised
end

-- As nobody waits, and as somebody does, who must not notice.
local function beside_nothing_and_tasks(name, body)
  it(name, body)
  it(name .. ", beside tasks", function()
    local other = loop.spawn(function() loop.sleep(5) return "other" end)
    loop.sleep(0)
    body()
    assert.equal("other", other:result())
  end)
  it(name .. ", in a scope", function() loop.scope(body, { timeout = 100 }) end)
end

describe("a finalizer outside of tasks", function()
  beside_nothing_and_tasks("cannot sleep", function()
    assert.equal("Client.CannotWait", raised_in_finalizer(function() loop.sleep(3) end).code)
    assert.equal(0, control.elapsed)
  end)

  beside_nothing_and_tasks("cannot wait for a pollable", function()
    local stepped = false
    local pollable = { wait = function() end, step = function() stepped = true end,
      pollfd = function() end, timeout = function() end, events = function() return "r" end }
    assert.equal("Client.CannotWait", raised_in_finalizer(function()
      loop.wait(pollable, loop.now() + 3)
    end).code)
    assert.is_false(stepped)
  end)

  it("cannot step the tasks, or wait for one; it may ask whether it has ended", function()
    local ran, done = false, nil
    local task = loop.spawn(function() ran = true end)
    assert.equal("Client.CannotWait", raised_in_finalizer(function() loop.step() end).code)
    assert.equal("Client.CannotWait", raised_in_finalizer(function() task:result() end).code)
    finalize(function() done = task:done() end)
    assert.is_false(done)
    assert.is_false(ran)
    assert.is_true(task:wait())
  end)

  it("is told from a program that has stopped the collector", function()
    collectgarbage "stop"
    local in_finalizer = waiting.in_finalizer()
    collectgarbage "restart"
    assert.is_false(in_finalizer)
    finalize(function() in_finalizer = waiting.in_finalizer() end)
    assert.is_true(in_finalizer)
  end)
end)

describe("a finalizer in the middle of the loop's work", function()
  before_each(function() collectgarbage "generational" end)

  after_each(function() collectgarbage "incremental" end)

  it("may start tasks and cancel them, and gets nobody's wait lost", function()
    local begun, ended = 0, 0
    local function litter()
      setmetatable({}, { __gc = function()
        begun = begun + 1
        pcall(loop.sleep, 0.01)
        loop.spawn_shared(function()
          loop.sleep(0.5)
          ended = ended + 1
        end)
        loop.spawn_shared(loop.sleep, 1000):cancel()
      end })
    end
    for i = 1, 300 do
      assert.equal(i, loop.scope(function()
        litter()
        local task = loop.spawn(function()
          litter()
          loop.sleep(0.25)
          return i
        end)
        return task:result()
      end, { timeout = 60 }))
    end
    loop.sleep(1)
    collectgarbage()
    loop.sleep(1)
    assert.is_true(begun >= 599)
    assert.equal(begun, ended)
  end)

  it("may set a timer beside the one that is being set", function()
    local set = timers.new(function() return false end)
    local wanted, taken = 0, 0
    local function add()
      wanted = wanted + 1
      set.add(wanted % 7, {})
    end
    for _ = 1, 20000 do
      setmetatable({}, { __gc = add })
      add()
    end
    collectgarbage()
    while set.take(7) do taken = taken + 1 end
    assert.equal(40000, wanted)
    assert.equal(wanted, taken)
  end)
end)
