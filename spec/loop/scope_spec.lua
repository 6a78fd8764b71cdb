-- Scopes end when their tasks have.

local errors = require "alicloud.base.error"
local guard = require "alicloud.base.guard"
local helper = require "spec.helper"
local virtual = require "spec.loop.virtual"

local closing = virtual.closing
local loop, control
local everywhere = virtual.everywhere(it, function() return loop end)

before_each(function() loop, control = virtual.new() end)

describe("a scope", function()
  everywhere("gives what its function returns, nils included", function()
    assert.same({ n = 3, 1, nil, 3 }, table.pack(loop.scope(function() return 1, nil, 3 end)))
  end)

  everywhere("ends when its tasks have, those of its tasks included", function()
    local log = {}
    loop.scope(function()
      loop.spawn(function()
        loop.spawn(function()
          loop.sleep(20)
          log[#log + 1] = "grandchild"
        end)
        loop.sleep(10)
        log[#log + 1] = "child"
      end)
      log[#log + 1] = "body"
    end)
    assert.same({ "body", "child", "grandchild" }, log)
    assert.equal(20, control.elapsed)
  end)

  everywhere("raises what its function raises, when its tasks have ended", function()
    local cleaned
    local ok, raised = pcall(loop.scope, function()
      loop.spawn(function()
        local _ <close> = closing(function() cleaned = loop.now() end)
        loop.sleep(100)
      end)
      loop.sleep(1)
      error("no", 0)
    end)
    assert.same({ false, "no" }, { ok, raised })
    assert.equal(1001, cleaned)
    assert.equal(1, control.elapsed)
  end)

  everywhere("hears of the error of a task that nobody joins", function()
    assert.error_matches(function()
      loop.scope(function()
        loop.spawn(function() error("lost", 0) end)
        loop.sleep(5)
      end)
    end, "^lost$")
  end)

  everywhere("does not hear of one whose result was taken", function()
    assert.equal("fine", loop.scope(function()
      local task = loop.spawn(function() error("known", 0) end)
      loop.sleep(5)
      pcall(task.result, task)
      return "fine"
    end))
  end)

  everywhere("is cancelled by its timeout, and says so", function()
    local result, err = loop.scope(function()
      loop.spawn(loop.sleep, 1000)
      loop.sleep(500)
    end, { timeout = "2m" })
    assert.is_nil(result)
    assert.same({ "timeout", "Client.ScopeTimeout" }, { err.kind, err.code })
    assert.matches("within 2m", err.message)
    assert.equal(120, control.elapsed)
  end)

  everywhere("gives the reason for which it was cancelled", function()
    local reason = errors.new { kind = "state", code = "Client.Made", message = "up",
      outcome = "not_sent" }
    local result, err = loop.scope(function(scope)
      scope:spawn(function()
        loop.sleep(3)
        scope:cancel(reason)
      end)
      loop.sleep(100)
    end)
    assert.is_nil(result)
    assert.equal(reason, err)
    assert.equal(3, control.elapsed)
  end)

  everywhere("is told by none of its tasks that they were cancelled with it", function()
    assert.equal("done", loop.scope(function(scope)
      loop.spawn(loop.sleep, 100)
      loop.sleep(1)
      scope:cancel()
      return "done"
    end))
    local nothing, err = loop.scope(function()
      loop.spawn(loop.sleep, 100)
      return "done"
    end, { timeout = 5 })
    assert.is_nil(nothing)
    assert.equal("Client.ScopeTimeout", err.code)
    assert.equal(6, control.elapsed)
  end)

  it("waits for what one has started that was closed by force", function()
    local cleaned
    loop.scope(function()
      local task = loop.spawn(function()
        loop.scope(function()
          loop.spawn(function()
            local _ <close> = closing(function()
              loop.scope(function()
                loop.sleep(30)
                cleaned = loop.now()
              end, { shield = true, timeout = 60 })
            end)
            loop.sleep(100)
          end)
          while true do pcall(loop.sleep, 1) end
        end)
      end)
      loop.sleep(5)
      task:cancel()
    end)
    assert.equal(1035, cleaned)
  end)

  everywhere("gives nothing that would stop who raises it", function()
    local _, err = loop.scope(function(scope)
      scope:cancel()
      loop.sleep(1)
    end)
    local task = loop.spawn(loop.sleep, 100)
    loop.sleep(1)
    task:cancel()
    local _, of_task = task:result()
    for _, each in ipairs { err, of_task } do
      assert.equal("Client.Cancelled", each.code)
      assert.is_false(guard.is_cancellation(each))
    end
  end)

  everywhere("keeps its results if it came to its end all the same", function()
    assert.equal("done", loop.scope(function(scope)
      scope:cancel()
      return "done"
    end))
  end)

  everywhere("that is cancelled at the end of its function gives its results", function()
    local cut_off
    assert.same({ "done" }, { loop.scope(function(scope)
      local task = loop.spawn(loop.sleep, 1000)
      scope:spawn(function() cut_off = not pcall(task.wait, task) end)
      loop.sleep(1)
      scope:cancel()
      return "done"
    end) })
    assert.is_true(cut_off)
    assert.equal(1, control.elapsed)
  end)

  everywhere("whose time is over while its tasks go on says so", function()
    local began = loop.now()
    local result, err = loop.scope(function()
      return loop.scope(function()
        loop.spawn(loop.sleep, 1000)
        return "begun"
      end, { timeout = 5 })
    end, { timeout = 50 })
    assert.is_nil(result)
    assert.matches("within 5 s", err.message)
    assert.equal(5, loop.now() - began)
  end)

  everywhere("tells of its end what is no cancellation for whoever is told", function()
    local _, of_scope = loop.scope(function(scope)
      scope:cancel()
      loop.sleep(1)
    end)
    local task = loop.spawn(loop.sleep, 10)
    loop.sleep(1)
    task:cancel()
    local _, of_task = task:result()
    for _, err in ipairs { of_scope, of_task } do
      assert.equal("cancelled", err.kind)
      assert.is_false(guard.is_cancellation(err))
      assert.same({ false, err }, { guard.call(error, err, 0) })
    end
  end)

  everywhere("cancels what is within it, however deep, and the nearest timeout wins", function()
    local seen = {}
    local outer, outer_err = loop.scope(function()
      local inner, err = loop.scope(function() loop.sleep(100) end, { timeout = 5 })
      seen[1] = inner == nil and err.code
      seen[2] = select(2, pcall(loop.scope, function() loop.sleep(100) end, { timeout = 50 })).code
      loop.checkpoint()
    end, { timeout = 20 })
    assert.same({ "Client.ScopeTimeout", "Client.Cancelled" }, seen)
    assert.is_nil(outer)
    assert.matches("within 20 s", outer_err.message)
    assert.equal(20, control.elapsed)
  end)

  everywhere("tells each wait again once it is cancelled", function()
    local raised = {}
    loop.scope(function(scope)
      scope:cancel()
      for i = 1, 3 do raised[i] = select(2, pcall(loop.sleep, 1)) end
    end)
    for i = 1, 3 do
      assert.is_true(guard.is_cancellation(raised[i]))
      assert.equal("cancelled", raised[i].kind)
    end
    assert.equal(0, control.elapsed)
  end)

  everywhere("lets cleanup wait in a shielded scope, for as long as that may", function()
    local log = {}
    local _, err = loop.scope(function()
      local _ <close> = closing(function()
        log[1] = loop.scope(function()
          loop.sleep(3)
          return "cleaned@" .. loop.now()
        end, { timeout = 10, shield = true })
        log[2] = select(2, loop.scope(function() loop.sleep(30) end,
          { timeout = 4, shield = true })).code
        log[3] = pcall(loop.sleep, 1)
      end)
      loop.sleep(1000)
    end, { timeout = 60 })
    assert.equal("Client.ScopeTimeout", err.code)
    assert.same({ "cleaned@1063", "Client.ScopeTimeout", false }, log)
    assert.equal(67, control.elapsed)
  end)

  it("and a task are told where they are begun that they need a function", function()
    for _, name in ipairs { "spawn", "scope" } do
      assert.matches("scope_spec.lua:%d+: loop." .. name .. ": a function expected, got 3",
        helper.raised(function() loop[name](3) end))
    end
  end)

  it("needs a timeout to be shielded, and knows its options", function()
    assert.error_matches(function() loop.scope(print, { shield = true }) end, "needs a timeout")
    assert.error_matches(function() loop.scope(print, { time_out = 3 }) end, "timeout")
  end)

  it("takes tasks from anywhere while it is open", function()
    local kept, task
    loop.scope(function(scope)
      kept = scope
      loop.scope(function(inner)
        task = scope:spawn(loop.sleep, 10)
        inner:cancel()
      end)
      assert.is_false(task.finished)
      assert.equal(0, control.elapsed)
    end)
    assert.equal(10, control.elapsed)
    assert.is_true(kept.closed)
    assert.error_matches(function() kept:spawn(print) end, "has ended")
  end)

  it("spawns nothing that begins once it is cancelled", function()
    local began = false
    loop.scope(function(scope)
      loop.spawn(function() began = true end)
      scope:cancel()
      loop.spawn(function() began = true end)
    end)
    assert.is_false(began)
  end)

  it("is that of the coroutines that its function resumes", function()
    local result, err = loop.scope(function()
      for _ in coroutine.wrap(function()
        loop.sleep(5)
        coroutine.yield(1)
      end) do end
    end, { timeout = 1 })
    assert.is_nil(result)
    assert.equal("Client.ScopeTimeout", err.code)
    assert.equal(1, control.elapsed)
  end)

  it("of a coroutine that is not resumed from it is another one's", function()
    local first = coroutine.create(function()
      return loop.scope(function()
        coroutine.yield()
        return "first"
      end, { timeout = 1 })
    end)
    coroutine.resume(first)
    loop.sleep(100)
    assert.equal(100, control.elapsed)
    assert.same({ true, "first" }, { coroutine.resume(first) })
  end)
end)
