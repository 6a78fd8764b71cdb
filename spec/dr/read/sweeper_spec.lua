-- How often one sweeps over a side for those who ask.

local alicloud = require "alicloud"
local emulator = require "alicloud.emulator"
local sweepers = require "alicloud.dr.read.sweeper"

local function client_of(count, called)
  local groups = {}
  for i = 1, count do
    groups[i] = { id = ("pg-%04d"):format(i), pairs = 2, status = "normal",
      source = "cn-hangzhou/cn-hangzhou-g", destination = "cn-shanghai/cn-shanghai-b" }
  end
  local emu = emulator.new { wire = false,
    world = { regions = { "cn-hangzhou", "cn-shanghai" }, groups = groups } }
  local transport = { send = emu.transport.send, perform = function(request)
    if called then called() end
    return emu.transport.perform(request)
  end }
  return alicloud.client { region = "cn-shanghai", runtime = emu.runtime, rate = false,
    transport = transport, access_key_id = emu.access_key_id,
    access_key_secret = emu.access_key_secret }
end

local function ids_of(count)
  local ids = {}
  for i = 1, count do ids[i] = ("pg-%04d"):format(i) end
  return ids
end

-- Seconds from the beginning of one sweep to that of the next, and the calls of the first.
local function pace_of(count)
  local client, ids = client_of(count), ids_of(count)
  return client.loop.scope(function(scope)
    local sweeper = sweepers.new(client, "cn-shanghai", function() return ids end)
    local function next_sweep(after)
      return sweeper:ask(scope, { id = ids[1], after = after, ends = after + 100 })
    end
    local first = next_sweep(client.loop.now())
    local second = next_sweep(first.began)
    sweeper:close()
    return second.began - first.began, first.calls
  end)
end

describe("sweeps over a side", function()
  for _, case in ipairs { { 20, 2, 3 }, { 1000, 6, 3.6 }, { 1600, 11, 5 } } do
    local count, calls, seconds = table.unpack(case)
    it(("of %d groups follow each other after %g s"):format(count, seconds), function()
      local pace, made = pace_of(count)
      assert.equal(calls, made)
      assert.near(seconds, pace, 0.06)
    end)
  end

  it("are held one at a time where each takes long", function()
    local held, began, found = setmetatable({}, { __mode = "k" }), nil, nil
    local client = client_of(1000, function()
      if not began or found ~= nil then return end
      collectgarbage()
      collectgarbage()
      found = next(held) ~= nil
    end)
    client.loop.scope(function(scope)
      local sweeper = sweepers.new(client, "cn-shanghai", function() return ids_of(1000) end)
      local function hold_next(after)
        local sweep = sweeper:ask(scope, { id = "pg-0001", after = after, ends = after + 100 })
        held[sweep] = true
        return sweep.began
      end
      began = hold_next(client.loop.now())
      assert.is_true(hold_next(began) > began)
      sweeper:close()
    end)
    assert.is_false(found)
  end)
end)
