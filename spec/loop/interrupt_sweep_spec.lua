-- Ctrl-C under the stand-alone interpreter is an error between any two instructions of the main
-- thread. Here it is raised at each of them, one after the other; afterwards the same loop and the
-- same client are to work, and nothing is left of what was begun.

local alicloud = require "alicloud"
local blocking = require "alicloud.loop.blocking"
local core = require "alicloud.core"
local dr = require "alicloud.dr"
local helper = require "spec.helper"
local memory = require "alicloud.dr.store.memory"
local process = require "spec.process"
local programs = require "alicloud.base.program"
local schedulers = require "alicloud.loop.scheduler"
local scratch = require "spec.scratch"

-- How many instructions lie between two interrupts of a sweep: SPEC_STRIDE=1 has none left out.
local function stride(usual)
  return math.tointeger(tonumber(os.getenv "SPEC_STRIDE")) or usual
end

local ACTION = "DescribeDiskReplicaGroups"
local INNOCENT = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 }

-- Each request takes a second.
local function open_client(loop, runtime)
  return alicloud.client {
    region = "cn-shanghai", access_key_id = "ID", access_key_secret = "secret", loop = loop,
    runtime = runtime, rate = { action = 8, reserve = 0 },
    transport = { send = function()
      loop.sleep(1)
      return helper.ok { ReplicaGroups = core.array {} }
    end },
  }
end

local function seconds_of(world, act)
  local before = world.loop.now()
  act()
  return world.loop.now() - before
end

-- What goes on beside the scenario and has nothing to do with it.
local function begin_innocents(world)
  local loop, client = world.loop, world.client
  world.ticking = loop.spawn(function()
    local began, ticks = loop.now(), {}
    for i = 1, #INNOCENT do
      loop.sleep(1)
      ticks[i] = math.tointeger(loop.now() - began) or loop.now() - began
    end
    return ticks
  end)
  world.calling = loop.spawn(function()
    local good = 0
    for _ = 1, 3 do
      loop.sleep(1)
      if client:call(ACTION, {}) then good = good + 1 end
    end
    return good
  end)
end

local function new_world()
  local runtime, control = helper.runtime()
  local loop = schedulers.new(blocking.new(runtime))
  local world = { loop = loop, control = control, tasks = {} }
  world.client = open_client(loop, runtime)
  begin_innocents(world)
  -- Tasks of the scenario.
  function world.spawn(body, ...)
    local task = loop.spawn(body, ...)
    world.tasks[#world.tasks + 1] = task
    return task
  end
  return world
end

local function count_descriptors()
  local count = 0
  for _ in pairs(core.list_directory "/proc/self/fd") do count = count + 1 end
  return count
end

-- What is not as it would be without an interrupt.
local function damages_of(world)
  local loop, found = world.loop, {}
  local function expect(what, expected, got)
    if expected ~= got then
      found[#found + 1] = ("%s: %s instead of %s"):format(what, tostring(got), tostring(expected))
    end
  end
  local scheduler = world.ticking.scheduler
  for _, task in ipairs(world.tasks) do expect("a task has ended", true, task.finished) end
  if world.after then world.after(expect) end
  expect("a later sleep", 3, seconds_of(world, function() loop.sleep(3) end))
  expect("ticks", table.concat(INNOCENT, " "), table.concat(world.ticking:result(), " "))
  expect("innocent calls", 3, world.calling:result())
  loop.sleep(60)
  expect("eight calls", 1, seconds_of(world, function()
    loop.scope(function()
      for _ = 1, 8 do loop.spawn(world.client.call, world.client, ACTION, {}) end
    end)
  end))
  expect("tasks", 0, scheduler.alive)
  expect("scopes", 0, #scheduler.open)
  expect("shields", 0, scheduler.shields)
  expect("pollables", 0, #loop.pollables())
  expect("times", nil, loop.timeout())
  expect("stepping", false, scheduler.stepping)
  return found
end

-- Runs a scenario in which the main thread is interrupted at an instruction; whether it was.
local function interrupt(scenario, world, instruction)
  local thread, hit = coroutine.running(), false
  local function interrupted()
    debug.sethook(thread)
    hit = true
    error("interrupted!", 0)
  end
  local ok, raised = pcall(function()
    debug.sethook(thread, interrupted, "", instruction)
    local fine, fault = pcall(scenario, world)
    debug.sethook(thread)
    if not fine then error(fault, 0) end
  end)
  return hit, ok, raised
end

local function sweep(scenario, step)
  local damaged, instruction = {}, 1
  while true do
    local world = new_world()
    local hit, ok, raised = interrupt(scenario, world, instruction)
    if not hit and not ok then error(raised, 0) end
    if not hit then break end
    local done, found = pcall(damages_of, world)
    for _, what in ipairs(done and found or { "raised: " .. tostring(found) }) do
      damaged[#damaged + 1] = ("%d: %s"):format(instruction, what)
    end
    instruction = instruction + step
  end
  return damaged
end

local function assert_sound(scenario, step)
  assert.same({}, sweep(scenario, stride(step)))
end

describe("an interrupt at any instruction leaves", function()
  it("tasks", function()
    assert_sound(function(world)
      local loop = world.loop
      loop.scope(function()
        local task = world.spawn(function()
          loop.sleep(1)
          return 1
        end)
        world.spawn(loop.sleep, 3)
        loop.sleep(0.5)
        assert(task:result() == 1)
      end)
    end, 5)
  end)

  it("tasks that are cancelled and closed", function()
    assert_sound(function(world)
      local loop = world.loop
      loop.scope(function()
        local task = world.spawn(loop.sleep, 50)
        loop.sleep(1)
        task:cancel()
        task:wait()
        local closed <close> = world.spawn(loop.sleep, 60)
        loop.sleep(0.25)
        assert(not closed:done())
      end)
    end, 5)
  end)

  it("scopes", function()
    assert_sound(function(world)
      local loop = world.loop
      loop.scope(function(scope)
        world.tasks[1] = scope:spawn(function()
          loop.scope(function() world.spawn(loop.sleep, 4) end)
        end)
        loop.scope(function()
          world.spawn(loop.sleep, 80)
          loop.sleep(70)
        end, { timeout = 2 })
        loop.scope(function() loop.sleep(1) end, { shield = true, timeout = 5 })
        world.spawn(loop.sleep, 90)
        scope:cancel()
      end)
    end, 5)
  end)

  it("gates", function()
    assert_sound(function(world)
      local loop = world.loop
      loop.scope(function()
        local gate, answer = loop.gate(), loop.gate()
        world.spawn(function()
          gate.wait()
          loop.sleep(1)
          answer.open()
        end)
        loop.sleep(0.5)
        gate.open()
        answer.wait()
      end)
    end, 5)
  end)

  it("calls", function()
    assert_sound(function(world)
      local loop, client = world.loop, world.client
      loop.scope(function()
        local calls = {}
        for i = 1, 3 do calls[i] = client:start(ACTION, {}) end
        calls[1]:cancel()
        assert(calls[2]:result())
        assert(client:call(ACTION, {}))
      end)
    end, 11)
  end)

  it("programs", function()
    collectgarbage()
    local before = count_descriptors()
    assert_sound(function(world)
      local ended = programs.run(world.loop, { "/bin/true" }, { max = 100 })
      assert(ended.code == 0)
    end, 7)
    collectgarbage()
    assert.equal(before, count_descriptors())
  end)

  -- The next process goes on with what was interrupted.
  it("runs", function()
    local function carry_out(world)
      local loop, client = world.loop, world.client
      local playbook = dr.playbook("sweep", function(run)
        run:step("one", { timeout = "10s" }, function()
          loop.sleep(1)
          return 1
        end)
        run:each({ "a", "b" }, function(_, branch)
          branch:step("part", function() return client:call(ACTION, {}) end)
        end)
      end)
      return assert(dr.run(playbook, { client = client, store = world.disk:open "run" }))
    end
    assert_sound(function(world)
      world.disk = memory.disk()
      function world.after(expect)
        expect("the next process", "completed", carry_out(world).status)
      end
      carry_out(world)
    end, 31)
  end)
end)

-- The signal comes from outside, when nothing is to be done but to wait.
local ASLEEP = [[
local core = require "alicloud.core"
local loop = require "alicloud".client { region = "cn-shanghai" }.loop
local task, told
local ok, raised = pcall(loop.scope, function()
  -- The task has begun before the signal can come; and `os.execute` would ignore it.
  task = loop.spawn(function()
    local _ = assert(io.popen(("sleep 0.2; kill -INT %d"):format(core.process().pid)))
    told = not pcall(loop.sleep, 50)
  end)
  loop.sleep(50)
end)
print(ok, raised:match "interrupted!", task.finished, told, loop.now() - BEGAN < 40)]]

describe("an interrupt while everything sleeps", function()
  it("is raised soon, and the tasks are told", function()
    local began = 'local BEGAN = require "alicloud.core".monotonic()\n'
    local text = process.sh("timeout -s KILL 60 lua5.4 " .. scratch.file(began .. ASLEEP, ".lua"))
    assert.equal("false interrupted! true true true", (text:gsub("%s+", " "):gsub(" $", "")))
  end)
end)
