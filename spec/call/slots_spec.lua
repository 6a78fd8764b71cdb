local child = require "spec.child"
local schedulers = require "alicloud.loop.scheduler"
local slots = require "alicloud.call.slots"

local function virtual_loop()
  local time = 0
  return schedulers.new { now = function() return time end,
    sleep = function(seconds) time = time + seconds end }
end

-- Takes a slot of a window, after as long a wait as it takes.
local function enter(window, loop, urgent, deadline)
  local pair = { own = window, all = slots.new(1e5, 0) }
  local turn = slots.turn(pair, urgent, loop)
  local now, wait = slots.take(turn, loop.now(), deadline or 1000)
  return now and turn, wait
end

local function leave(turn, used)
  if used then turn.holds = "sent" end
  local _ <close> = turn
end

describe("the slots of a quota", function()
  it("are whole ones, and one of them serves for less than one a second", function()
    for _, case in ipairs { { 40, 0.25, 30, 1 }, { 10, 0.25, 7, 1 }, { 0.5, 0, 1, 2 },
      { 1, 0.75, 1, 4 } } do
      local window = slots.new(case[1], case[2])
      assert.equal(case[3], window.count)
      assert.near(case[4], window.seconds, 1e-6)
    end
  end)

  it("tell how long somebody waits who comes now", function()
    local loop, window, turns = virtual_loop(), slots.new(3, 0), {}
    local function estimate() return slots.estimate(window, false, loop.now()) end
    for i = 1, 3 do
      assert.equal(0, estimate())
      turns[i] = enter(window, loop)
    end
    -- Under way: they may be answered at once.
    assert.near(1, estimate(), 1e-6)
    loop.sleep(10)
    assert.near(1, estimate(), 1e-6)
    leave(turns[1], true)
    loop.sleep(0.4)
    assert.near(0.6, estimate(), 1e-6)
    leave(turns[2], true)
    leave(turns[3], false)
    assert.equal(0, estimate())
  end)

  it("tell it of those who stand in line, too", function()
    local loop, window, told = virtual_loop(), slots.new(3, 0), {}
    local tasks = {}
    for i = 1, 12 do
      tasks[i] = loop.spawn(function()
        told[i] = slots.estimate(window, false, loop.now())
        local turn = enter(window, loop)
        assert.near(told[i], loop.now(), 1e-6)
        leave(turn, true)
      end)
    end
    for i = 1, 12 do tasks[i]:result() end
    for i = 1, 12 do assert.near((i - 1) // 3, told[i], 1e-6) end
  end)

  it("that changes take are waited for afterwards, by those that only look", function()
    local loop, region = virtual_loop(), slots.new(2, 0)
    local function take(urgent)
      local turn <close> = slots.turn({ own = slots.new(9, 0), all = region }, urgent, loop)
      slots.take(turn, loop.now(), 100)
      turn.holds = "sent"
    end
    for _ = 1, 4 do
      take(true)
      loop.sleep(0.1)
    end
    assert.near(0.8, slots.estimate(region, false, loop.now()), 1e-6)
    take(false)
    assert.near(1.2, loop.now(), 1e-6)
  end)

  it("are waited for until the deadline, where nobody answers", function()
    local loop, window = virtual_loop(), slots.new(1, 0)
    local first = enter(window, loop)
    local turn, wait = enter(window, loop, false, 7)
    assert.is_nil(turn)
    assert.is_true(wait >= 1)
    assert.equal(7, loop.now())
    leave(first, false)
    assert.truthy(enter(window, loop))
    assert.equal(7, loop.now())
  end)

  it("that the parent of a process holds, and its line, are not the child's", function()
    local loop, window = virtual_loop(), slots.new(1, 0)
    local tasks = {}
    for i = 1, 3 do
      tasks[i] = loop.spawn(function()
        local turn = enter(window, loop)
        loop.sleep(100)
        leave(turn, true)
      end)
    end
    loop.sleep(1)
    assert.equal(0, child.run(function()
      leave(enter(window, loop), true)
      enter(window, loop)
      return loop.now() < 3 and 0 or 1
    end))
    for i = 1, 3 do tasks[i]:result() end
    assert.near(302, loop.now(), 1e-6)
  end)

  it("become fewer or more while they are taken, and nobody in line is forgotten", function()
    local loop, window, log = virtual_loop(), slots.new(4, 0), {}
    local turns = {}
    for i = 1, 4 do turns[i] = enter(window, loop) end
    slots.resize(window, 2, 0, loop.now())
    assert.same({ 2, -2 }, { window.count, window.free })
    for i = 1, 4 do leave(turns[i], true) end
    loop.scope(function()
      for i = 1, 3 do
        loop.spawn(function()
          enter(window, loop)
          log[i] = loop.now()
        end)
      end
      loop.spawn(function()
        loop.sleep(5)
        slots.resize(window, 3, 0, loop.now())
      end)
    end)
    assert.near(1, log[1], 1e-6)
    assert.near(1, log[2], 1e-6)
    assert.near(5, log[3], 1e-6)
    -- A slot that was kept for as long as a slow quota has it is kept no longer than a fast one.
    window = slots.new(0.1, 0)
    leave(enter(window, loop), true)
    slots.resize(window, 2, 0, loop.now())
    local before = loop.now()
    enter(window, loop)
    enter(window, loop)
    assert.near(before + 1, loop.now(), 1e-6)
  end)

  it("are closed while there is a block, and then open in the order of coming", function()
    local loop, window, order = virtual_loop(), slots.new(2, 0), {}
    local tasks = {}
    for i = 1, 4 do
      tasks[i] = loop.spawn(function()
        local turn = enter(window, loop)
        order[#order + 1] = i
        leave(turn, true)
      end)
    end
    loop.sleep(0.5)
    window.blocked_until = 20
    assert.is_nil((enter(window, loop, false, 15)))
    loop.sleep(19)
    assert.same({ 1, 2 }, order)
    for i = 1, 4 do tasks[i]:result() end
    assert.same({ 1, 2, 3, 4 }, order)
    assert.near(20, loop.now(), 1e-6)
  end)
end)

describe("an interrupt between any two instructions", function()
  local STRIDE = tonumber(os.getenv "SPEC_STRIDE") or 7

  local function calls(loop, window)
    for _ = 1, 3 do
      local turn <close> = slots.turn({ own = window, all = slots.new(9, 0) }, false, loop)
      slots.take(turn, loop.now(), 100)
      turn.holds = "sent"
    end
  end

  -- As lua.c does it, in the main thread.
  local function interrupted_after(count, loop, window)
    local met = false
    local function raise()
      debug.sethook()
      met = true
      error("interrupted!", 0)
    end
    local ok, raised = pcall(function()
      debug.sethook(raise, "", count)
      calls(loop, window)
      debug.sethook()
    end)
    debug.sethook()
    assert.is_true(ok == not met and (ok or raised == "interrupted!"))
    return met
  end

  it("leaves no slot behind, and nobody in line", function()
    local count, met = 1, true
    while met do
      local loop, window = virtual_loop(), slots.new(2, 0)
      met = interrupted_after(count, loop, window)
      local held = window.count - window.free - (window.last - window.first + 1)
      assert.same({ 0, 0 }, { held, window.waiting }, count)
      local began = loop.now()
      for _ = 1, 4 do leave(enter(window, loop), true) end
      assert.is_true(loop.now() - began <= 2.1, count)
      count = count + STRIDE
    end
    assert.is_true(count > 500)
  end)
end)
