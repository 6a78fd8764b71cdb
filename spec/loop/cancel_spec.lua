-- What is cancelled is told at its waits, and may clean up.

local virtual = require "spec.loop.virtual"

local closing = virtual.closing
local loop, control
local everywhere = virtual.everywhere(it, function() return loop end)

before_each(function() loop, control = virtual.new() end)

describe("a cancelled task", function()
  it("may clean up with waits, and its results stand if it ends by itself", function()
    local task = loop.spawn(function()
      pcall(loop.sleep, 100)
      return loop.scope(function()
        loop.sleep(2)
        return "cleaned"
      end, { timeout = 5, shield = true })
    end)
    loop.sleep(1)
    task:cancel()
    assert.equal("cleaned", task:result())
    assert.equal(3, control.elapsed)
  end)

  it("at the end of a block has ended behind it", function()
    local ended
    do
      local _ <close> = loop.spawn(function()
        local _ <close> = closing(function()
          loop.scope(function() loop.sleep(7) end, { timeout = 10, shield = true })
          ended = true
        end)
        loop.sleep(100)
      end)
      loop.sleep(1)
    end
    assert.is_true(ended)
    assert.equal(8, control.elapsed)
  end)

  it("that swallows it for ever is closed by force", function()
    local closed, rounds = false, 0
    local task = loop.spawn(function()
      local _ <close> = closing(function() closed = true end)
      while true do
        pcall(loop.sleep, 1)
        rounds = rounds + 1
      end
    end)
    loop.sleep(3.5)
    task:cancel()
    local result, err = task:result()
    assert.is_nil(result)
    assert.equal("cancelled", err.kind)
    assert.is_true(closed)
    assert.is_true(rounds < 200)
  end)

  it("that only yields by itself is closed by force, too", function()
    local closed, yields = false, 0
    local task = loop.spawn(function()
      local _ <close> = closing(function() closed = true end)
      while true do
        coroutine.yield()
        yields = yields + 1
      end
    end)
    loop.step()
    task:cancel()
    yields = 0
    assert.is_nil((task:result()))
    assert.is_true(closed)
    assert.is_true(yields <= 101)
  end)

  it("of hundreds within each other costs no stack", function()
    local depth = 0
    local function nest(level)
      local _ <close> = loop.spawn(function()
        depth = math.max(depth, level)
        if level < 300 then return nest(level + 1) end
        loop.sleep(1e6)
      end)
      loop.sleep(1e6)
    end
    local task = loop.spawn(nest, 1)
    loop.sleep(1)
    assert.equal(300, depth)
    task:cancel()
    assert.equal("cancelled", select(2, task:result()).kind)
    loop.sleep(5)
    assert.equal(6, control.elapsed)
  end)

  it("that raises an error of its own meanwhile fails with it", function()
    local task = loop.spawn(function()
      pcall(loop.sleep, 10)
      error("broken cleanup", 0)
    end)
    loop.sleep(1)
    task:cancel()
    assert.error_matches(function() task:result() end, "^broken cleanup$")
  end)
end)

describe("the error of a task that nobody has joined", function()
  local function wait_for_ever()
    loop.spawn(function() error("why", 0) end)
    loop.gate().wait()
  end

  everywhere("is told where the scope's time is over", function()
    assert.error_matches(function() loop.scope(wait_for_ever, { timeout = 5 }) end, "^why$")
  end)

  everywhere("is told where the time of a scope around it is over", function()
    assert.error_matches(function()
      loop.scope(function() return loop.scope(wait_for_ever) end, { timeout = 5 })
    end, "^why$")
  end)

  everywhere("is told where a task waits in a scope whose time is over", function()
    assert.error_matches(function()
      loop.scope(function() loop.spawn(loop.scope, wait_for_ever):result() end, { timeout = 5 })
    end, "^why$")
  end)

  everywhere("is told where the scope is cancelled", function()
    assert.error_matches(function()
      loop.scope(function(scope)
        loop.spawn(function() loop.sleep(1) scope:cancel() end)
        wait_for_ever()
      end)
    end, "^why$")
  end)

  everywhere("is none if it is only that of being told to stop", function()
    local result, err = loop.scope(function()
      loop.spawn(function()
        local ok = pcall(loop.sleep, 10)
        error("slept: " .. tostring(ok), 0)
      end)
      loop.sleep(10)
    end, { timeout = 5 })
    assert.is_nil(result)
    assert.equal("Client.ScopeTimeout", err.code)
  end)

  everywhere("is none if somebody has asked for the result", function()
    local result, err = loop.scope(function()
      local task = loop.spawn(function() error("why", 0) end)
      pcall(task.result, task)
      loop.sleep(10)
    end, { timeout = 5 })
    assert.is_nil(result)
    assert.equal("Client.ScopeTimeout", err.code)
  end)
end)

-- Where Lua cannot yield, or where nothing would carry the yield to the task.
local PLACES = {
  gsub = function(wait) string.gsub("x", ".", wait) end,
  sort = function(wait) table.sort({ 2, 1 }, function() wait() return false end) end,
  finalizer = function(wait)
    local raised
    do
      local _ = setmetatable({}, { __gc = function() raised = select(2, pcall(wait)) end })
    end
    collectgarbage()
    error(raised, 0)
  end,
  ["plain coroutine"] = function(wait) coroutine.wrap(wait)() end,
}

describe("a wait of a task in a", function()
  for name, inside in pairs(PLACES) do
    it(name .. " raises at once and leaves nothing behind", function()
      local raised
      local function wait() loop.sleep(0.3) end
      local slept = loop.spawn(function()
        raised = select(2, pcall(inside, wait))
        local before = loop.now()
        loop.sleep(2)
        return loop.now() - before
      end)
      local slow = loop.spawn(function()
        loop.sleep(1.5)
        return "slow"
      end)
      local joiner = loop.spawn(function()
        pcall(inside, wait)
        return slow:result()
      end)
      local short = loop.spawn(function()
        pcall(inside, wait)
        return "short"
      end)
      assert.equal(2, slept:result())
      assert.equal("slow", joiner:result())
      assert.equal("short", short:result())
      assert.equal("Client.CannotWait", raised.code)
      loop.sleep(0.5)
      assert.equal(2.5, control.elapsed)
    end)
  end
end)

describe("a scope whose time is over after it was cancelled", function()
  everywhere("ends with what it was cancelled with", function()
    local result, err = loop.scope(function(scope)
      scope:cancel()
      loop.scope(function() loop.sleep(5) end, { timeout = 10, shield = true })
      loop.sleep(1)
    end, { timeout = 2 })
    assert.is_nil(result)
    assert.equal("Client.Cancelled", err.code)
  end)
end)

describe("an interrupt", function()
  local interrupted

  before_each(function()
    interrupted = false
    loop, control = virtual.new { interrupted = function() return interrupted end }
  end)

  everywhere("is raised at the next wait, and at each one after it", function()
    interrupted = true
    assert.same({ false, "interrupted!" }, { pcall(loop.sleep, 1) })
    assert.same({ false, "interrupted!" }, { pcall(loop.checkpoint) })
    interrupted = false
    loop.sleep(1)
    assert.equal(1, control.elapsed)
  end)

  it("meets whoever drives the tasks between two turns, and they are told", function()
    local log = {}
    local ok, raised = pcall(loop.scope, function()
      for i = 1, 3 do
        loop.spawn(function()
          local _ <close> = closing(function() log[#log + 1] = i end)
          loop.sleep(10 * i)
          interrupted = true
          loop.sleep(100)
        end)
      end
      loop.sleep(1000)
    end)
    assert.same({ false, "interrupted!" }, { ok, raised })
    table.sort(log)
    assert.same({ 1, 2, 3 }, log)
    assert.equal(10, control.elapsed)
  end)

  it("is not told in a shielded scope, and afterwards it is", function()
    interrupted = true
    local ok, raised = pcall(function()
      local cleaned = loop.scope(function()
        loop.sleep(2)
        return true
      end, { timeout = 5, shield = true })
      assert.is_true(cleaned)
      loop.sleep(1)
    end)
    assert.same({ false, "interrupted!" }, { ok, raised })
    assert.equal(2, control.elapsed)
  end)

  it("that a scope tells its tasks reaches nobody else", function()
    local task = loop.spawn(function()
      pcall(loop.scope, function()
        loop.spawn(function() loop.sleep(60) end)
        loop.sleep(1)
        error("interrupted!", 0)
      end)
      return "went on"
    end)
    assert.equal("went on", task:result())
    loop.spawn(function() loop.sleep(1) end):wait()
  end)

  it("that a task raises by itself reaches whoever steps the tasks", function()
    loop.spawn(function() error("interrupted!", 0) end)
    assert.same({ false, "interrupted!" }, { pcall(loop.step) })
    loop.step()
  end)
end)
