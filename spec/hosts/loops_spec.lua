-- One scenario, the same lines under every loop, over real sockets to an emulator that is a
-- process of its own; and what each loop promises by itself.

require "spec.kept" "luv"
local alicloud = require "alicloud"
local credentials = require "alicloud.credentials"
local process = require "spec.process"
local scenario = require "spec.hosts.scenario"

-- How many descriptors of each kind this process, the shell's parent, has open. Its end of the pipe
-- of this very question comes and goes, and may be gone when `ls` asks what it is.
local function descriptors()
  collectgarbage()
  collectgarbage()
  local pipe <close> = assert(io.popen [[
    ls -l /proc/$PPID/fd 2>/dev/null | sed -n '/ -> /!d; s/.* -> //; s/[0-9]//g; /pipe:/d; p']])
  local count = {}
  for kind in pipe:lines() do count[kind] = (count[kind] or 0) + 1 end
  return count
end

-- Of which kinds there are more. What an earlier test has left may be collected meanwhile.
local function grown(before, after)
  local kinds = {}
  for kind, count in pairs(after) do
    if count > (before[kind] or 0) then kinds[#kinds + 1] = kind end
  end
  return kinds
end

local emulator

setup(function() emulator = process.start_emulator { faults = scenario.FAULTS } end)
teardown(function() emulator:stop() end)

local function open(loop)
  return alicloud.client {
    region = "cn-shanghai", endpoint = emulator.start.endpoint, loop = loop, retries = 0,
    access_key_id = emulator.start.access_key_id,
    access_key_secret = emulator.start.access_key_secret,
  }
end

-- What a loop had open goes with it.
local function play(host, body)
  local client <close> = open(host.loop())
  return host.run(client, body)
end

local HOSTS = { "blocking", "task", "select", "poll", "cqueues", "luv" }

local function assert_plays(host)
  play(host, function(client) return client:call "DescribeRegions" end)
  local before = descriptors()
  assert.same(scenario.EXPECTED, play(host, function(client)
    return scenario.run(client, emulator.start)
  end))
  assert.same({}, grown(before, descriptors()))
end

describe("the scenario", function()
  for _, name in ipairs(HOSTS) do
    local host = require("spec.hosts.loops." .. name)

    it("gives the same lines, and leaves no descriptor: " .. name, function()
      assert_plays(host)
    end)
  end

  for _, name in ipairs { "cqueues", "luv" } do
    local host = require("spec.hosts.loops." .. name)

    it("gives them in a task, too: " .. name, function()
      assert_plays { loop = host.loop, run = function(client, body)
        return host.run(client, function() return client.loop.spawn(body, client):result() end)
      end }
    end)
  end
end)

-- The program's output is a descriptor that is there for a moment, and its number is used again.
describe("credentials from a program", function()
  for _, name in ipairs(HOSTS) do
    local host = require("spec.hosts.loops." .. name)

    it("are waited for by the loop: " .. name, function()
      local start = emulator.start
      local client <close> = alicloud.client {
        region = "cn-shanghai", endpoint = start.endpoint, loop = host.loop(),
        credentials = credentials.external { command = { "printf",
          '{"mode":"AK","access_key_id":"%s","access_key_secret":"%s"}', start.access_key_id,
          start.access_key_secret } },
      }
      assert.is_table(host.run(client, function()
        local operation = client:start("DescribeDiskReplicaGroups", {})
        return assert(client:call("DescribeDiskReplicaGroups", {})) and operation:result()
      end))
    end)
  end
end)

describe("cqueues", function()
  local cqueues = require "cqueues"
  local loops = require "alicloud.loop.cqueues"

  -- Runs bodies as coroutines of one controller.
  local function run(...)
    local controller = cqueues.new()
    for _, body in ipairs { ... } do controller:wrap(body) end
    local ok, message = controller:loop(20)
    assert(ok, message)
    return controller
  end

  it("goes on while a call waits, in coroutines of its own too", function()
    local client <close> = open(loops.new())
    local log = {}
    run(function()
      client:call "DescribeRegions"
      log[#log + 1] = "call"
    end, function()
      for i = 1, 3 do
        cqueues.sleep(0.005)
        log[#log + 1] = i
      end
    end)
    assert.same({ 1, 2, 3, "call" }, log)
  end)

  it("carries calls of many coroutines", function()
    local client <close> = open(loops.new())
    local bodies, good = {}, 0
    for i = 1, 64 do
      bodies[i] = function()
        if client:call("DescribeDiskReplicaGroups", {}) then good = good + 1 end
      end
    end
    run(table.unpack(bodies))
    assert.equal(64, good)
  end)

  it("can be used by a task, and the task be cancelled in it", function()
    local client <close> = open(loops.new())
    local slept, closed
    run(function()
      local task = client.loop.spawn(function()
        slept = cqueues.sleep(0.01) == nil and cqueues.monotime()
        local _ <close> = setmetatable({}, { __close = function() closed = true end })
        cqueues.sleep(100)
      end)
      for _ = 1, 1500 do
        assert.is_false(task:wait(0.01))
        if slept then break end
      end
      assert.is_true(task:cancel())
    end)
    assert.is_number(slept)
    assert.is_true(closed)
  end)

  it("gets the error of a coroutine, and the others go on", function()
    local client <close> = open(loops.new())
    local controller, good = cqueues.new(), nil
    controller:wrap(function()
      client:call("DescribeDiskReplicaGroups", {})
      error "user code is wrong"
    end)
    controller:wrap(function() good = client:call "DescribeRegions" end)
    local ok, message = controller:loop(20)
    assert.is_false(ok)
    assert.matches("user code is wrong", message)
    assert.is_true(controller:loop(20))
    assert.is_table(good)
  end)

  it("need not run: then a call blocks", function()
    local client <close> = open(loops.new())
    assert.is_table(client:call("DescribeDiskReplicaGroups", {}))
    local operation = client:start("DescribeDiskReplicaGroups", {})
    assert.is_table(operation:result())
  end)

  it("goes on with what was started before it ran, if it is the client's", function()
    local controller = cqueues.new()
    local client <close> = open(loops.new(controller))
    local operation = client:start("DescribeDiskReplicaGroups", {})
    assert.is_true(controller:loop(20))
    assert.matches("done", tostring(operation))
    assert.is_table(operation:result())
  end)

  it("may be left with a call in flight, which its timeout ends: another one goes on", function()
    local client <close> = open(loops.new()):with { timeout = 3 }
    local operation
    local controller = cqueues.new()
    controller:wrap(function()
      operation = client:start("DescribeRegions")
      client:call("DescribeDiskReplicaPairs", {})
    end)
    controller:step(0)
    controller:step(0)
    controller:close()
    local result
    run(function() result = operation:result() end)
    assert.is_table(result)
  end)

  it("has forgotten the descriptor when its coroutine sees the client closed", function()
    local client, err = open(loops.new()), nil
    run(function() err = select(2, client:call("DescribeDiskReplicaPairs", {})) end, function()
      cqueues.sleep(0.02)
      client:close()
    end)
    assert.equal("cancelled", err.kind)
  end)

  it("has to be a controller", function()
    assert.error_matches(function() loops.new {} end, "a controller of cqueues.new%(%) expected")
  end)
end)

describe("libuv", function()
  local uv = require "luv"
  local loops = require "alicloud.loop.luv"

  local function open_handles()
    local count = 0
    uv.walk(function(handle)
      if not handle:is_closing() then count = count + 1 end
    end)
    return count
  end

  after_each(function()
    uv.run()
    assert.equal(0, open_handles())
  end)

  it("goes on while a call waits", function()
    local client <close> = open(loops.new())
    local log = {}
    local timer = uv.new_timer()
    timer:start(5, 5, function()
      log[#log + 1] = "tick"
      if #log == 3 then timer:close() end
    end)
    coroutine.wrap(function()
      client:call "DescribeRegions"
      log[#log + 1] = "call"
    end)()
    uv.run()
    assert.same({ "tick", "tick", "tick", "call" }, log)
  end)

  it("gives a call up when its coroutine is closed", function()
    local client <close> = open(loops.new())
    local thread = coroutine.create(function() client:call("DescribeDiskReplicaPairs", {}) end)
    coroutine.resume(thread)
    uv.run "nowait"
    assert.equal(1, #client.loop.pollables())
    assert.is_true(open_handles() > 0)
    assert.is_true(coroutine.close(thread))
    assert.same({}, client.loop.pollables())
    uv.run()
    assert.equal(0, open_handles())
  end)

  it("refuses a call that would hold a callback up, and starts it", function()
    local client <close> = open(loops.new())
    local ok, refusal, operation
    local timer = uv.new_timer()
    timer:start(0, 0, function()
      timer:close()
      ok, refusal = pcall(client.call, client, "DescribeRegions")
      operation = client:start "DescribeRegions"
    end)
    uv.run()
    assert.is_false(ok)
    assert.equal("Client.CannotWait", refusal.code)
    assert.matches("a call in a callback", refusal.message)
    assert.is_true(operation:done())
    assert.is_table(operation:result())
  end)

  it("gets the error of a coroutine, and goes on when it is run again", function()
    local client <close> = open(loops.new())
    local good
    coroutine.wrap(function()
      client:call("DescribeDiskReplicaGroups", {})
      good = client:call "DescribeRegions"
    end)()
    local task = client.loop.spawn(function() error "user code is wrong" end)
    uv.run()
    assert.is_table(good)
    assert.error_matches(function() task:result() end, "user code is wrong")
  end)

  it("refuses a coroutine inside a task, unless it is made to hand a wait on", function()
    local client <close> = open(loops.new())
    local task = client.loop.spawn(function()
      return coroutine.wrap(function() return client:call "DescribeRegions" end)()
    end)
    local handed_on = client.loop.spawn(function()
      return client.loop.coroutine.wrap(function() return client:call "DescribeRegions" end)()
    end)
    uv.run()
    assert.error_matches(function() task:result() end, "Client.CannotWait")
    assert.is_table(handed_on:result())
  end)

  it("ends the calls of a client that a callback closes", function()
    local client, err = open(loops.new()), nil
    coroutine.wrap(function()
      err = select(2, client:call("DescribeDiskReplicaPairs", {}))
    end)()
    local timer = uv.new_timer()
    timer:start(20, 0, function()
      timer:close()
      client:close()
    end)
    uv.run()
    assert.equal("cancelled", err.kind)
  end)
end)
