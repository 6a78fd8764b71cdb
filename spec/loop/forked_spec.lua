-- A loop in a child that its process has forked: tasks are the parent's.

require "spec.kept" "luv"
local blocking = require "alicloud.loop.blocking"
local child = require "spec.child"
local helper = require "spec.helper"
local schedulers = require "alicloud.loop.scheduler"

local loop, log

before_each(function()
  loop, log = schedulers.new(blocking.new((helper.runtime()))), {}
end)

local function note(what)
  return function()
    local _ <close> = setmetatable({}, { __close = function()
      log[#log + 1] = "closed " .. what
    end })
    log[#log + 1] = what
    loop.sleep(10)
    log[#log + 1] = what .. " went on"
  end
end

-- What a child adds to the log; its parent's goes on afterwards.
local function in_child(body)
  assert.equal(0, child.run(function()
    log = {}
    local expected = body()
    local told = table.concat(log, ", ")
    if told == expected then return 0 end
    io.stderr:write(told, "\n")
    return 1
  end))
end

describe("a child that was forked", function()
  it("carries none of its parent's tasks on, and has a loop to go on with", function()
    local begun = loop.spawn(note "begun")
    loop.sleep(1)
    local waiting = loop.spawn(note "waiting")
    in_child(function()
      loop.sleep(100)
      loop.spawn(note "own"):wait()
      return "own, own went on, closed own"
    end)
    begun:wait()
    waiting:wait()
    assert.equal("begun, waiting, begun went on, closed begun, waiting went on, closed waiting",
      table.concat(log, ", "))
  end)

  it("can neither wait for them nor cancel them", function()
    local task = loop.spawn(note "task")
    loop.sleep(1)
    in_child(function()
      assert.error_matches(function() task:wait() end, "of the parent of this process")
      assert.is_false(task:cancel())
      task:close()
      loop.sleep(100)
      return ""
    end)
    task:cancel()
    task:wait()
    assert.equal("task, closed task", table.concat(log, ", "))
  end)

  it("comes out of the scope that it was forked in", function()
    loop.scope(function()
      loop.spawn(note "task")
      loop.sleep(1)
      in_child(function()
        loop.scope(function() loop.spawn(note "own") end)
        return "own, own went on, closed own"
      end)
    end)
    local inside = child.run(function()
      local pid
      loop.scope(function()
        loop.spawn(note "task")
        loop.sleep(1)
        pid = child.run(function() return 7 end)
      end)
      return pid
    end)
    assert.equal(7, inside)
  end)

  it("cannot wait in a task that was forked in, nor come out of it", function()
    local codes = {}
    local task = loop.spawn(function()
      codes[1] = child.run(function()
        local ok, err = pcall(loop.sleep, 1)
        return not ok and err.code == "Client.CannotWait" and 3 or 4
      end)
      codes[2] = child.run(function()
        local ok, err = pcall(loop.spawn, note "never")
        return not ok and err.code == "Client.CannotWait" and 3 or 4
      end)
      loop.sleep(1)
      return "parent"
    end)
    assert.equal("parent", task:result())
    assert.same({ 3, 3 }, codes)
  end)

  it("raises where it comes out of a task, before it carries another one on", function()
    local posix = require "spec.posix"
    local pid
    loop.spawn(function() pid = posix.fork() end)
    loop.spawn(note "other")
    local ok, err = pcall(loop.sleep, 1)
    if pid == 0 then
      posix.exit(not ok and err.code == "Client.CannotWait" and #log == 0 and 5 or 6)
    end
    assert.is_true(ok)
    assert.equal(5, select(2, posix.wait(pid)))
  end)
end)

describe("a child that was forked outside of a host's loop", function()
  it("goes on with a controller of its own", function()
    local cqueues = require "cqueues"
    local own = require("alicloud.loop.cqueues").new()
    local task = own.spawn(function() log[#log + 1] = "parent's" end)
    in_child(function()
      local controller = cqueues.new()
      controller:wrap(function()
        own.sleep(0.01)
        log[#log + 1] = own.spawn(function() return "own" end):result()
      end)
      assert(controller:loop(20))
      return "own"
    end)
    task:wait()
    assert.same({ "parent's" }, log)
  end)

  it("waits outside of coroutines of libuv, of which it has none of its own", function()
    local own = require("alicloud.loop.luv").new()
    in_child(function()
      own.sleep(0.01)
      local ok, err
      coroutine.wrap(function() ok, err = pcall(own.sleep, 0.01) end)()
      return not ok and err.code == "Client.CannotWait" and "" or "waits"
    end)
  end)
end)
