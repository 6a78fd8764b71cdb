-- Scopes whose coroutines come back to them no more: generators that were left in the middle,
-- coroutines that a host has dropped, tasks that were closed by force.

local virtual = require "spec.loop.virtual"

local closing = virtual.closing
local loop, control
local everywhere = virtual.everywhere(it, function() return loop end)

before_each(function() loop, control = virtual.new() end)

describe("a scope to which nobody comes back", function()
  -- What was started in it has to clean up, which takes a while.
  local function begin(log)
    loop.spawn(function()
      local _ <close> = closing(function()
        loop.scope(function() loop.sleep(3) end, { shield = true, timeout = 10 })
        log[#log + 1] = "cleaned@" .. loop.now()
      end)
      loop.sleep(1000)
    end)
  end

  everywhere("of a generator ends with what it was opened in", function()
    local log, began = {}, loop.now()
    loop.scope(function()
      loop.scope(function()
        local generator = loop.coroutine.wrap(function()
          loop.scope(function()
            begin(log)
            loop.sleep(1)
            coroutine.yield "one"
          end)
        end)
        assert.equal("one", generator())
      end)
      log[#log + 1] = "over"
    end)
    assert.same({ "cleaned@" .. began + 4, "over" }, log)
  end)

  it("of a generator ends before the scope of its task", function()
    local log = {}
    loop.scope(function()
      loop.spawn(function()
        coroutine.wrap(function()
          loop.scope(function()
            begin(log)
            coroutine.yield "one"
          end)
        end)()
        loop.sleep(1)
        loop.spawn(function()
          loop.sleep(2)
          log[#log + 1] = "of the task"
        end)
      end)
    end)
    assert.same({ "of the task", "cleaned@1004" }, log)
  end)

  it("cuts off nobody but those within it", function()
    loop.spawn(function()
      local generator = loop.coroutine.wrap(function()
        return loop.scope(function()
          coroutine.yield "one"
          loop.sleep(1)
        end, { timeout = 5 })
      end)
      assert.equal("one", generator())
      loop.sleep(10)
      local result, err = generator()
      assert.same({ nil, "Client.ScopeTimeout" }, { result, err.code })
    end):result()
    assert.equal(10, control.elapsed)
  end)

  it("leaves others in which they were opened, whichever ends first", function()
    local told = {}
    loop.spawn(function()
      local function generator(seconds)
        return loop.coroutine.wrap(function()
          local _, err = loop.scope(function()
            coroutine.yield()
            loop.sleep(100)
          end, { timeout = seconds })
          told[#told + 1] = err.message
        end)
      end
      local first, second = generator(1), generator(7)
      first()
      second()
      first()
      second()
    end):result()
    assert.matches("within 1 s", told[1])
    assert.matches("within 7 s", told[2])
    assert.equal(7, control.elapsed)
  end)

  it("of a coroutine that was dropped is cancelled", function()
    local log = {}
    do
      local dropped = coroutine.create(function()
        loop.scope(function()
          begin(log)
          loop.sleep(1)
          coroutine.yield()
        end)
      end)
      coroutine.resume(dropped)
    end
    collectgarbage()
    collectgarbage()
    loop.sleep(10)
    assert.same({ "cleaned@1004" }, log)
    assert.is_nil(loop.timeout())
  end)

  it("closed where nobody can wait leaves its tasks to the one around it", function()
    local log = {}
    loop.scope(function()
      local task = loop.spawn(function()
        loop.scope(function()
          begin(log)
          while true do pcall(loop.sleep, 1) end
        end)
      end)
      loop.sleep(2.5)
      task:cancel()
      task:wait()
      log[#log + 1] = "closed"
    end)
    assert.same({ "closed", "cleaned@1005.5" }, log)
  end)

  it("takes whatever it is cancelled with, and whatever is raised in it", function()
    for _, reason in ipairs { "text", 5, true, {} } do
      local result, err = loop.scope(function(scope)
        scope:cancel(reason)
        loop.sleep(1)
      end)
      assert.is_nil(result)
      assert.equal(reason, err)
    end
    assert.error_matches(function()
      loop.scope(function() loop.spawn(error) end)
    end, _VERSION == "Lua 5.4" and "nil was raised" or "no error object")
  end)
end)
