-- Whose calls go on while somebody else waits: clients on one clock share a loop.

local alicloud = require "alicloud"
local child = require "spec.child"
local helper = require "spec.helper"
local shared = require "alicloud.loop.shared"

local ANSWER = { status = 200, headers = {}, body = '{"RequestId":"R"}' }

local function client_of(given)
  local all = { region = "cn-shanghai", access_key_id = "id", access_key_secret = "secret",
    transport = { send = function() return ANSWER end } }
  for name, value in pairs(given or {}) do all[name] = value end
  return alicloud.client(all)
end

-- A client whose answers take time on its clock.
local function slow(runtime, seconds, log, name)
  local client
  client = client_of { runtime = runtime, transport = { send = function()
    client.loop.sleep(seconds)
    log[#log + 1] = name
    return ANSWER
  end } }
  return client
end

describe("clients that know nothing of each other", function()
  it("share a loop on the machine's clock, whatever else of the runtime is their own", function()
    local one, other = client_of(), client_of { runtime = { warn = print, random = math.random } }
    assert.equal(one.loop, other.loop)
    assert.equal(one.loop, client_of { timeout = 3 }.loop)
  end)

  it("share one on a clock of their own, if it is the same", function()
    local runtime, other = helper.runtime(), helper.runtime()
    assert.equal(client_of { runtime = runtime }.loop, client_of { runtime = runtime }.loop)
    assert.not_equal(client_of { runtime = runtime }.loop, client_of { runtime = other }.loop)
    assert.not_equal(client_of { runtime = { sleep = runtime.sleep } }.loop, client_of().loop)
    assert.not_equal(client_of { runtime = { monotonic = runtime.monotonic } }.loop,
      client_of { runtime = runtime }.loop)
  end)

  it("go on while one of them waits", function()
    local runtime, control = helper.runtime()
    local log = {}
    local a, b = slow(runtime, 2, log, "a"), slow(runtime, 3, log, "b")
    local future = a:start "DescribeRegions"
    assert.is_table((b:call "DescribeRegions"))
    assert.same({ "a", "b" }, log)
    assert.equal(3, control.elapsed)
    assert.is_true(future:done())
  end)

  it("do not end each other's calls when one of them is closed", function()
    local runtime = helper.runtime()
    local log = {}
    local a, b = slow(runtime, 2, log, "a"), slow(runtime, 3, log, "b")
    local future = a:start "DescribeRegions"
    future:wait(1)
    b:close()
    assert.is_table((future:result()))
    assert.same({ "a" }, log)
  end)

  it("share one over a loop of the host's without tasks", function()
    local runtime = helper.runtime()
    local base = { now = runtime.monotonic, sleep = runtime.sleep, wait = function() end }
    local one, other = client_of { loop = base }, client_of { loop = base }
    assert.equal(one.loop, other.loop)
    assert.not_equal(base, one.loop)
    assert.not_equal(one.loop, client_of().loop)
  end)

  it("keep a loop no longer than its clock", function()
    local kept = setmetatable({}, { __mode = "k" })
    do
      local now = 0
      local runtime = { monotonic = function() return now end,
        sleep = function(seconds) now = now + seconds end }
      local client = client_of { runtime = runtime }
      client.loop.sleep(1)
      kept[client.loop] = true
    end
    collectgarbage()
    collectgarbage()
    assert.is_nil((next(kept)))
  end)
end)

describe("after a fork", function()
  it("a client that the child makes carries nothing on that its parent had started", function()
    local client = client_of()
    local ran = false
    local task <close> = client.loop.spawn(function() ran = true end)
    local code = child.run(function()
      local own = client_of()
      own.loop.sleep(0.01)
      return own.loop ~= client.loop and not ran and own:call "DescribeRegions" and 0 or 1
    end)
    assert.equal(0, code)
    assert.equal(client.loop, client_of().loop)
    assert.is_true(task:wait(60))
    assert.is_true(ran)
  end)
end)

describe("the registry of loops", function()
  it("is asked by whoever has a runtime or a loop", function()
    local runtime = helper.runtime()
    assert.equal(shared.of_clock(runtime), shared.of_clock(runtime))
  end)
end)
