-- What a program with a select loop of its own watches: one descriptor for all that was started.

local alicloud = require "alicloud"
local core = require "alicloud.core"
local credentials = require "alicloud.credentials"
local process = require "spec.process"
local programs = require "alicloud.base.program"
local scenario = require "spec.hosts.scenario"

local emulator

setup(function() emulator = process.start_emulator { faults = scenario.FAULTS } end)
teardown(function() emulator:stop() end)

local function open()
  return alicloud.client {
    region = "cn-shanghai", endpoint = emulator.start.endpoint, retries = 0,
    access_key_id = emulator.start.access_key_id,
    access_key_secret = emulator.start.access_key_secret,
  }
end

describe("the bare pollable", function()
  it("keeps its descriptor, asks to be stepped at once, and then not at all", function()
    local client <close> = open()
    local pollable = client:pollable()
    local fd = pollable:pollfd()
    assert.is_nil(pollable:timeout())
    assert.equal("r", pollable:events())
    local operation = client:start("DescribeDiskReplicaGroups", {})
    assert.equal(0, pollable:timeout())
    assert.is_true(operation:wait())
    assert.equal(fd, pollable:pollfd())
    assert.is_nil(pollable:timeout())
    pollable:step()
  end)

  it("tells when a task is due, also over a transport of the host's", function()
    local client <close> = alicloud.client {
      region = "cn-shanghai", access_key_id = "id", access_key_secret = "secret",
      transport = { send = function() return { status = 500 } end },
    }
    local pollable = client:pollable()
    local task = client.loop.spawn(function() client.loop.sleep(30) end)
    pollable:step()
    local seconds = pollable:timeout()
    assert.is_true(seconds > 20 and seconds <= 30)
    assert.is_number(pollable:pollfd())
    task:cancel()
    assert.equal(0, pollable:timeout())
    pollable:step()
    assert.is_nil(pollable:timeout())
  end)

  -- What is not watched would be found when the time is over that is asked for.
  it("is readable for whatever was started in the loop, and quiet afterwards", function()
    local client <close> = open()
    local derived <close> = client:with { connect_timeout = 4 }
    local keys <close> = client:with { credentials = credentials.external { command = { "sh", "-c",
      'sleep 0.05; printf \'{"mode":"AK","access_key_id":"x","access_key_secret":"y"}\'' } } }
    local pollable = client:pollable()
    local fd, ended = pollable:pollfd(), 0
    local function count() ended = ended + 1 end
    client.loop.spawn(function()
      programs.run(client.loop, { "sh", "-c", "sleep 0.05" }, { max = 100 })
      count()
    end)
    for _, one in ipairs { derived, keys, open() } do
      client.loop.spawn(function()
        one:call "DescribeRegions"
        count()
      end)
    end
    local idle = 0
    while ended < 4 do
      if not core.poll(pollable:pollfd(), pollable:events(), math.min(pollable:timeout() or 5, 5))
        and not pollable:timeout() then idle = idle + 1 end
      pollable:step()
    end
    assert.equal(0, idle)
    assert.equal(fd, pollable:pollfd())
    assert.is_nil(pollable:timeout())
    assert.is_false(core.poll(fd, "r", 0))
  end)

  it("does not take a program for another one that has got its descriptor", function()
    local client <close> = open()
    local pollable, rounds = client:pollable(), 0
    client.loop.spawn(function()
      for i = 1, 5 do
        assert.equal(i, programs.run(client.loop, { "sh", "-c", "exit " .. i }, { max = 9 }).code)
        rounds = i
      end
    end)
    local ends = core.monotonic() + 60
    while rounds < 5 and core.monotonic() < ends do
      core.poll(pollable:pollfd(), "r", math.min(pollable:timeout() or 5, 5))
      pollable:step()
    end
    assert.equal(5, rounds)
  end)

  it("cannot be stepped by a task", function()
    local client <close> = open()
    local pollable = client:pollable()
    local task = client.loop.spawn(function() pollable:step() end)
    pollable:step()
    assert.error_matches(function() task:result() end, "the tasks are being stepped already")
  end)
end)
