-- Seeds of spec/loop/stress.lua on every loop. SPEC_SEEDS=1000 plays so many on each.

require "spec.kept" "luv"
local alicloud = require "alicloud"
local blocking = require "alicloud.loop.blocking"
local helper = require "spec.helper"
local schedulers = require "alicloud.loop.scheduler"
local stress = require "spec.loop.stress"

local SEEDS = math.tointeger(tonumber(os.getenv "SPEC_SEEDS"))

local function in_a_task(loop, play)
  return loop.spawn(function() return play:run() end):result()
end

local function directly(_, play)
  return play:run()
end

local WAYS = { ["outside of tasks"] = directly, ["in a task"] = in_a_task }

describe("no rule of tasks and scopes is broken", function()
  for way, run in pairs(WAYS) do
    it("on a virtual clock, " .. way, function()
      for seed = 1, SEEDS or 200 do
        local loop = schedulers.new(blocking.new(helper.runtime()))
        local play = stress.new(loop, { seed = seed, unit = 1, exact = true })
        assert.same({}, run(loop, play), "seed " .. seed)
        loop.step()
        assert.is_nil(loop.timeout(), "seed " .. seed)
      end
    end)
  end

  for how, raises in pairs { ["comes"] = false, ["is raised"] = true } do
    it(("by an interrupt that %s anywhere"):format(how), function()
      for seed = 1, SEEDS or 200 do
        local runtime, play = helper.runtime(), nil
        runtime.interrupted = function() return play.interrupted end
        local loop = schedulers.new(blocking.new(runtime))
        play = stress.new(loop, { seed = seed, unit = 1, exact = true, interrupt = seed % 40 + 1,
          raises = raises })
        assert.same({}, play:run(), "seed " .. seed)
        loop.step()
        assert.is_nil(loop.timeout(), "seed " .. seed)
      end
    end)
  end

  for _, name in ipairs { "blocking", "select", "poll", "cqueues", "luv" } do
    local host = require("spec.hosts.loops." .. name)

    for way, run in pairs(WAYS) do
      it(("under %s, %s"):format(name, way), function()
        for seed = 1, SEEDS or 12 do
          local client <close> = alicloud.client { region = "cn-shanghai", loop = host.loop(),
            access_key_id = "id", access_key_secret = "secret" }
          local loop = client.loop
          local play = stress.new(loop, { seed = seed, unit = 0.001 })
          assert.same({}, host.run(client, function() return run(loop, play) end), "seed " .. seed)
          loop.step()
          assert.is_nil(loop.timeout(), "seed " .. seed)
        end
      end)
    end
  end
end)
