local blocking = require "alicloud.loop.blocking"
local helper = require "spec.helper"
local tasks = require "alicloud.loop.tasks"

local function new_loop()
  local runtime, control = helper.runtime()
  return tasks.new(blocking.new(runtime)), control
end

-- Ends its operations when told; never has a descriptor.
local function fake_transport()
  local transport = { steps = 0 }
  function transport.pollfd() return nil end
  function transport.events() return "r" end
  function transport.timeout() return 0 end
  function transport.step() transport.steps = transport.steps + 1 end
  return transport
end

local function operation(transport, after)
  return { done = function() return transport.steps >= after end }
end

describe("tasks", function()
  it("are a plain loop while there are none", function()
    local loop, control = new_loop()
    loop.sleep(5)
    assert.same({ 5 }, control.sleeps)
    assert.equal(1005, loop.now())
  end)

  it("sleep at the same time, and wake in the order of the clock", function()
    local loop, control = new_loop()
    local log = {}
    local function body(name, seconds)
      loop.sleep(seconds)
      log[#log + 1] = name .. "@" .. control.elapsed
      return name
    end
    local slow, quick = loop.spawn(body, "slow", 30), loop.spawn(body, "quick", 10)
    assert.equal("slow", slow:result())
    assert.equal("quick", quick:result())
    assert.same({ "quick@10", "slow@30" }, log)
    assert.equal(30, control.elapsed)
  end)

  it("go on while something outside of them sleeps, and not longer", function()
    local loop, control = new_loop()
    local ticks = 0
    local task = loop.spawn(function()
      for _ = 1, 10 do
        loop.sleep(1)
        ticks = ticks + 1
      end
    end)
    loop.sleep(4.5)
    assert.equal(4.5, control.elapsed)
    assert.equal(4, ticks)
    task:wait()
    assert.equal(10, ticks)
  end)

  it("give every result, nils included, and take arguments with nils", function()
    local loop = new_loop()
    local task = loop.spawn(function(...) return select("#", ...), ... end, nil, 2, nil)
    assert.same({ n = 4, 3, nil, 2, nil }, table.pack(task:result()))
  end)

  it("raise in result what their body raised", function()
    local loop = new_loop()
    local raised = {}
    local task = loop.spawn(function() error(raised) end)
    task:wait()
    local ok, err = pcall(task.result, task)
    assert.is_false(ok)
    assert.equal(raised, err)
    assert.is_true(task:done())
  end)

  it("wait for each other", function()
    local loop = new_loop()
    local first = loop.spawn(function() loop.sleep(3) return "first" end)
    local second = loop.spawn(function() return first:result() .. " and second" end)
    assert.equal("first and second", second:result())
  end)

  it("wait no longer than they are told", function()
    local loop, control = new_loop()
    local task = loop.spawn(function() loop.sleep(10) end)
    assert.is_false(task:wait(4))
    assert.equal(4, control.elapsed)
    assert.is_true(task:wait(100))
    assert.equal(10, control.elapsed)
  end)

  it("refuse to wait for themselves, and say when nothing can ever end", function()
    local loop = new_loop()
    local self_waiting
    self_waiting = loop.spawn(function() return self_waiting:wait() end)
    assert.has_error(function() self_waiting:result() end, "a task cannot wait for its own end")
    local left, right
    left = loop.spawn(function() right:wait() end)
    right = loop.spawn(function() left:wait() end)
    assert.error_matches(function() left:wait() end, "every task waits for another one")
  end)

  it("go on by asking alone", function()
    local loop, control = new_loop()
    local task = loop.spawn(function() loop.sleep(2) return "here" end)
    assert.is_false(task:done())
    assert.is_false(task:done())
    control.elapsed = 2
    assert.is_true(task:done())
    assert.equal("here", task:result())
  end)

  it("let a body yield by itself", function()
    local loop = new_loop()
    local log = {}
    local function body(name)
      for i = 1, 2 do
        log[#log + 1] = name .. i
        coroutine.yield()
      end
    end
    local a, b = loop.spawn(body, "a"), loop.spawn(body, "b")
    a:wait()
    b:wait()
    assert.same({ "a1", "b1", "a2", "b2" }, log)
  end)

  it("hold a coroutine of the body's own up, not the thread", function()
    local loop = new_loop()
    local other = loop.spawn(function() loop.sleep(1) return loop.now() end)
    local task = loop.spawn(function()
      local inner = coroutine.wrap(function()
        loop.sleep(5)
        coroutine.yield(loop.now())
      end)
      return inner()
    end)
    assert.equal(1005, task:result())
    assert.is_true(other:done())
    assert.equal(1001, other:result())
  end)
end)

describe("cancelling a task", function()
  it("closes what it had open, and tells who waits", function()
    local loop = new_loop()
    local closed = false
    local task = loop.spawn(function()
      local _ <close> = setmetatable({}, { __close = function() closed = true end })
      loop.sleep(100)
    end)
    local waiting = loop.spawn(function() return task:result() end)
    loop.sleep(1)
    assert.is_true(task:cancel())
    assert.is_true(closed)
    local result, err = waiting:result()
    assert.is_nil(result)
    assert.equal("cancelled", err.kind)
    assert.is_false(task:cancel())
    assert.equal(1001, loop.now())
  end)

  it("works before it has begun, and at the end of a block", function()
    local loop = new_loop()
    local began = false
    do
      local _ <close> = loop.spawn(function() began = true end)
    end
    loop.sleep(1)
    assert.is_false(began)
  end)

  it("is refused from inside", function()
    local loop = new_loop()
    local task
    task = loop.spawn(function() task:cancel() end)
    assert.error_matches(function() task:result() end, "a running task cannot be cancelled")
  end)
end)

describe("tasks over a transport", function()
  it("step it once for all and wake whose operation is done", function()
    local loop = new_loop()
    local transport, log = fake_transport(), {}
    local function body(name, after)
      loop.wait(transport, loop.now() + 60, operation(transport, after))
      log[#log + 1] = name .. transport.steps
    end
    local list = { loop.spawn(body, "c", 3), loop.spawn(body, "a", 1), loop.spawn(body, "b", 2) }
    for _, task in ipairs(list) do task:wait() end
    assert.same({ "a1", "b2", "c3" }, log)
    assert.same({}, loop.pollables())
  end)

  it("wait for several of them at once", function()
    local asked
    local runtime = helper.runtime()
    local base = blocking.new(runtime)
    local real = base.wait
    base.wait = function(pollable, deadline)
      asked = pollable:pollfd()
      return real(pollable, deadline)
    end
    local loop = tasks.new(base)
    local function body(transport)
      transport.pollfd = function() return nil end
      loop.wait(transport, loop.now() + 60, operation(transport, 1))
    end
    local left, right = fake_transport(), fake_transport()
    local list = { loop.spawn(body, left), loop.spawn(body, right) }
    for _, task in ipairs(list) do task:wait() end
    assert.same({}, asked)
    assert.same({ 1, 1 }, { left.steps, right.steps })
  end)

  it("look before they wait, since a closed transport has ended its operations", function()
    local loop = new_loop()
    local transport = fake_transport()
    transport.pollfd = function() error("the transport is closed") end
    transport.step = transport.pollfd
    local task = loop.spawn(function()
      loop.wait(transport, loop.now() + 60, { done = function() return true end })
      return "awake"
    end)
    assert.equal("awake", task:result())
  end)
end)
