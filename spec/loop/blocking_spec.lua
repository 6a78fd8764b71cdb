local blocking = require "alicloud.loop.blocking"
local core = require "alicloud.core"
local helper = require "spec.helper"

-- A pollable without a descriptor: waiting for it is waiting for the time it names.
local function pollable(timeout)
  return {
    pollfd = function() return nil end,
    events = function() return "r" end,
    timeout = function() return timeout end,
  }
end

describe("the blocking loop", function()
  it("sleeps and tells the time by its runtime", function()
    local runtime, control = helper.runtime()
    local loop = blocking.new(runtime)
    assert.equal(1000, loop.now())
    loop.sleep(5)
    assert.equal(1005, loop.now())
    assert.same({ 5 }, control.sleeps)
  end)

  it("waits neither for a deadline that is past nor for a timer that is due", function()
    local loop = blocking.new(helper.runtime())
    local before = core.monotonic()
    loop.wait(pollable(nil), loop.now() - 100)
    loop.wait(pollable(0), loop.now() + 100)
    assert.is_true(core.monotonic() - before < 50)
  end)

  it("takes the earlier of timer and deadline, in slices short enough for Ctrl-C", function()
    local asked
    local loop = blocking.new(helper.runtime())
    local real = core.poll
    finally(function() core.poll = real end)
    core.poll = function(_, events, seconds) asked = { events, seconds } end
    loop.wait(pollable(0.125), loop.now() + 10)
    assert.same({ "r", 0.125 }, asked)
    loop.wait(pollable(30), loop.now() + 0.0625)
    assert.same({ "r", 0.0625 }, asked)
    loop.wait(pollable(30), loop.now() + 10)
    assert.same({ "r", 0.2 }, asked)
  end)
end)
