local blocking = require "alicloud.loop.blocking"
local helper = require "spec.helper"
local schedulers = require "alicloud.loop.scheduler"

local function new_loop()
  local runtime, control = helper.runtime()
  return schedulers.new(blocking.new(runtime)), control
end

-- Ends its operations when told; never has a descriptor.
local function fake_transport()
  local transport = { steps = 0, tickets = {} }
  function transport.pollfd() return nil end
  function transport.events() return "r" end
  function transport.timeout() return 0 end
  function transport.step() transport.steps = transport.steps + 1 end
  function transport.ended()
    for ticket, after in pairs(transport.tickets) do
      if transport.steps >= after then
        transport.tickets[ticket] = nil
        return ticket
      end
    end
  end
  return transport
end

local function operation(transport, after)
  local ticket = #transport.tickets + 1
  transport.tickets[ticket] = after
  return {
    done = function() return transport.steps >= after end,
    ticket = function() return ticket end,
  }
end

describe("tasks", function()
  it("are a plain loop while there are none", function()
    local loop, control = new_loop()
    loop.sleep(5)
    assert.same({ 5 }, control.sleeps)
    assert.equal(1005, loop.now())
  end)

  it("that sleep for no number of seconds stop nobody else", function()
    local loop = new_loop()
    local good = loop.spawn(function()
      loop.sleep(2)
      return "slept"
    end)
    for _, seconds in ipairs { 0 / 0, "x", {}, false } do
      local bad = loop.spawn(function() loop.sleep(seconds) end)
      assert.error_matches(function() bad:result() end, "a number of seconds expected, got")
      assert.error_matches(function() good:wait(seconds) end, "a number of seconds expected, got")
    end
    assert.equal("slept", good:result())
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

  it("close what their body had open when it raised", function()
    local loop = new_loop()
    local closed = false
    local task = loop.spawn(function()
      local _ <close> = setmetatable({}, { __close = function() closed = true end })
      loop.sleep(1)
      error("in the middle", 0)
    end)
    assert.is_true(task:wait())
    assert.is_true(closed)
    assert.error_matches(function() task:result() end, "in the middle")
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

  it("keep nothing of whoever waited in vain", function()
    local loop = new_loop()
    local task = loop.spawn(function() loop.sleep(1000) end)
    for _ = 1, 100 do task:wait(1) end
    assert.equal(0, #task.joiners)
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

  it("carry a coroutine of the body's own that waits, and hold nobody up", function()
    local loop = new_loop()
    local other = loop.spawn(function() loop.sleep(1) return loop.now() end)
    local function generate(seconds)
      return loop.spawn(function()
        local inner = loop.coroutine.wrap(function()
          loop.sleep(seconds)
          coroutine.yield(loop.now())
          loop.sleep(seconds)
          return loop.now()
        end)
        return inner(), inner()
      end)
    end
    local slow, quick = generate(50), generate(5)
    assert.same({ 1005, 1010 }, { quick:result() })
    assert.equal(1010, loop.now())
    assert.is_true(other:done())
    assert.equal(1001, other:result())
    assert.same({ 1050, 1100 }, { slow:result() })
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
    local result, err = waiting:result()
    assert.is_nil(result)
    assert.equal("cancelled", err.kind)
    assert.is_true(closed)
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

  it("at the end of a block that raised gives no raised value for an error", function()
    local loop = new_loop()
    local task
    pcall(function()
      local own <close> = loop.spawn(function() loop.sleep(100) end)
      task = own
      error "user code is wrong"
    end)
    assert.equal("cancelled", select(2, task:result()).kind)
  end)

  it("from inside ends it at its next wait", function()
    local loop = new_loop()
    local task, behind
    task = loop.spawn(function()
      task:cancel()
      behind = true
      loop.sleep(1)
      error "it went on"
    end)
    assert.equal("cancelled", select(2, task:result()).kind)
    assert.is_true(behind)
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
    local loop = schedulers.new(base)
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

  it("do not wait for what is done, since nobody will tell", function()
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

  it("let go of one that is going to be closed, and wake who waits for it", function()
    local loop = new_loop()
    local transport, ended = fake_transport(), false
    transport.pollfd = function() assert(not ended, "the transport is closed") end
    transport.step = transport.pollfd
    local task = loop.spawn(function()
      loop.wait(transport, loop.now() + 60,
        { done = function() return ended end, ticket = function() return 1 end })
      return "awake"
    end)
    task:wait(0)
    loop.step()
    assert.same({ transport }, loop.pollables())
    loop.release(transport)
    ended = true
    assert.same({}, loop.pollables())
    assert.equal("awake", task:result())
  end)

  it("are carried on by whoever only asks or yields, not kept from their answers", function()
    local loop = new_loop()
    local transport = fake_transport()
    local call = loop.spawn(function()
      loop.wait(transport, loop.now() + 60, operation(transport, 3))
      return "answer"
    end)
    local asking = loop.spawn(function()
      local asked = 0
      while not call:done() do
        asked = asked + 1
        assert(asked < 100, "the transport is never stepped")
      end
      return call:result()
    end)
    local yielding = loop.spawn(function()
      for _ = 1, 20 do coroutine.yield() end
      return transport.steps
    end)
    assert.equal("answer", asking:result())
    assert.is_true(yielding:result() >= 3)
  end)

  it("are not looked at one by one", function()
    local loop = new_loop()
    local transport, looks, log = fake_transport(), 0, {}
    local list = {}
    for i = 1, 10 do
      list[i] = loop.spawn(function()
        local op = operation(transport, 5 * i)
        local done = op.done
        function op.done()
          looks = looks + 1
          return done()
        end
        loop.wait(transport, loop.now() + 60, op)
        log[i] = transport.steps
      end)
    end
    for _, task in ipairs(list) do task:wait() end
    assert.same({ 5, 10, 15, 20, 25, 30, 35, 40, 45, 50 }, log)
    assert.equal(10, looks)
  end)

  it("have their own deadlines, whoever else waits for the same one", function()
    local runtime, control = helper.runtime()
    local base = blocking.new(runtime)
    function base.wait(_, deadline) base.sleep(deadline - base.now()) end
    local loop, transport, log = schedulers.new(base), fake_transport(), {}
    local list = {}
    for i, seconds in ipairs { 30, 10, 20, 10 } do
      list[i] = loop.spawn(function()
        loop.wait(transport, loop.now() + seconds, operation(transport, 1000))
        log[i] = control.elapsed
      end)
    end
    list[5] = loop.spawn(loop.wait, transport, loop.now() + 15, operation(transport, 1))
    for _, task in ipairs(list) do task:wait() end
    assert.same({ 30, 10, 20, 10 }, log)
  end)
end)

describe("tasks that a host steps", function()
  it("say when, and never wait", function()
    local loop, control = new_loop()
    assert.is_nil(loop.timeout())
    local log = {}
    loop.spawn(function()
      log[#log + 1] = "began"
      loop.sleep(5)
      log[#log + 1] = "slept"
    end)
    assert.equal(0, loop.timeout())
    loop.step()
    assert.same({ "began" }, log)
    assert.equal(5, loop.timeout())
    loop.step()
    control.elapsed = 4
    assert.equal(1, loop.timeout())
    control.elapsed = 7
    assert.equal(0, loop.timeout())
    loop.step()
    assert.same({ "began", "slept" }, log)
    assert.is_nil(loop.timeout())
    assert.same({}, control.sleeps)
  end)

  it("heed the clock of a transport", function()
    local loop = new_loop()
    local transport = fake_transport()
    transport.timeout = function() return 2 end
    loop.spawn(function() loop.wait(transport, loop.now() + 60, operation(transport, 2)) end)
    loop.step()
    assert.equal(2, loop.timeout())
    loop.step()
    loop.step()
    assert.is_nil(loop.timeout())
  end)
end)

describe("a sleep", function()
  it("tells the clock which interrupt is known, so that another one ends it", function()
    local runtime, told, signal = helper.runtime(), {}, nil
    local sleep = runtime.sleep
    function runtime.sleep(seconds, known)
      told[#told + 1] = tostring(known)
      -- It comes between the question and the sleep.
      if #told == 2 then signal = 2 end
      sleep(signal and known ~= signal and 0 or seconds)
    end
    function runtime.interrupted() return signal end
    local loop = schedulers.new(blocking.new(runtime))
    loop.sleep(1)
    loop.spawn(function()
      loop.scope(function() loop.sleep(5) end, { shield = true, timeout = 10 })
    end)
    assert.same({ false, "interrupted!" }, { pcall(loop.sleep, 30) })
    loop.scope(function() loop.sleep(3) end, { shield = true, timeout = 10 })
    assert.same({ "false", "false", "2" }, told)
  end)
end)
