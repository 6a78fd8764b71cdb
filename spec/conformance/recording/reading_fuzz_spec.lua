-- A recording may come from anywhere: whatever is in it, it is read or refused, played or refused,
-- and a world is drawn of it or not; nothing raises.

local alicloud = require "alicloud"
local core = require "alicloud.core"
local emulators = require "alicloud.emulator"
local helper = require "spec.helper"
local reading = require "alicloud.conformance.recording.reading"
local noted = require "spec.conformance.noted"
local replays = require "alicloud.conformance.replay"
local worlds = require "alicloud.conformance.world"

local function recorded()
  local emulator = emulators.new {}
  local recorder = noted.new(emulator.transport, emulator.runtime.time)
  local client = alicloud.client { region = "cn-shanghai", transport = recorder.transport,
    runtime = emulator.runtime, access_key_id = "emulator", access_key_secret = "emulator-secret" }
  assert(client:call("DescribeDiskReplicaGroups", { Site = "backup" }))
  assert(client:call("DescribeDiskReplicaPairs", { Site = "backup" }))
  assert(client:call("ecs:DescribeDisks", {}))
  assert(client:call("ecs:DescribeInstances", {}))
  return recorder.lines
end

local ODD = { 0, -1, 1e300, 1 << 62, "", "x", "\u{202e}", true, false, core.array {}, {},
  { {} }, ("a"):rep(5000), core.null, 0.5, "9999-99-99T99:99:99Z", "cn-x/../y" }

-- Replaces one value somewhere in a tree.
local function mutate(value, dice)
  local keys = {}
  for key in pairs(value) do keys[#keys + 1] = key end
  if #keys == 0 then return end
  table.sort(keys, function(a, b) return tostring(a) < tostring(b) end)
  local key = dice.pick(keys)
  if type(value[key]) == "table" and dice.chance(0.85) then return mutate(value[key], dice) end
  value[key] = dice.pick(ODD)
end

-- One line with one value replaced, or cut and joined at random.
local function spoilt(line, dice)
  if dice.chance(0.2) then
    local at = math.floor(#line * 0.5)
    return line:sub(1, at) .. string.char(dice.pick { 0, 34, 123, 255 }) .. line:sub(at + 2)
  end
  local tree = assert(core.decode(line))
  mutate(tree, dice)
  return core.encode(tree)
end

local function play(recording)
  local replay = replays.new(recording, "lenient")
  local options = replay:options()
  options.region, options.retries = "cn-shanghai", 0
  local client = alicloud.client(options)
  for _, action in ipairs { "DescribeDiskReplicaGroups", "DescribeDiskReplicaPairs" } do
    local result, err = client:call(action, { Site = "backup" })
    assert(result or err.code)
  end
  replay:finish()
  replay:runtime().sleep(1)
end

describe("a recording from anywhere", function()
  it("raises nothing, whatever is in it", function()
    local whole, read, drawn = recorded(), 0, 0
    for seed = 1, 1500 do
      local dice, text = helper.dice(seed), {}
      local bad = dice.pick { 1, 2, 3, 4, 5 }
      for i, line in ipairs(whole) do text[i] = i == bad and spoilt(line, dice) or line end
      local recording, err = reading.read(table.concat(text, "\n") .. "\n", "rec")
      if recording then
        read = read + 1
        play(recording)
        local world = worlds.of(recording)
        local problem = world and emulators.world_problem(world)
        assert(not problem or #problem < 2000, problem)
        drawn = drawn + (world and not problem and 1 or 0)
      else
        assert.equal("Client.BadRecording", err.code)
      end
    end
    assert.is_true(read > 500 and read < 1500)
    assert.is_true(drawn > 400)
  end)
end)
