-- A fleet and people at the console, who use a part of the same quota.

local alicloud = require "alicloud"
local fleets = require "spec.playbooks.fleet_lab"

local COUNT, FAILOVER = 120, 20
local ACTION = "FailoverDiskReplicaGroup"

local function client_of(emu, transport, more)
  local options = { region = "cn-shanghai", runtime = emu.runtime, transport = transport,
    access_key_id = emu.access_key_id, access_key_secret = emu.access_key_secret }
  for name, value in pairs(more or {}) do options[name] = value end
  return alicloud.client(options)
end

-- Takes the service's wish out of the answers.
local function wishless(transport)
  return { send = transport.send, perform = function(request)
    local answer = transport.perform(request)
    for _, name in ipairs { "x-acs-retry-after", "x-ratelimit-user-api" } do
      if answer.headers then answer.headers[name] = nil end
    end
    return answer
  end }
end

-- Fails a fleet over while people make so many calls a second of the same action. Gives the
-- seconds that it took, and for each call of people when it was made and whether it was refused.
local function run(count, people, assume, given)
  local quick = {}
  for i = 1, count do quick[i] = { failover_seconds = FAILOVER } end
  local stage = fleets.stage(count, quick, { wire = false, assume = assume })
  local emu = stage.bench.emu
  local client = client_of(emu, given.wrap and given.wrap(emu.transport) or emu.transport)
  local human = client_of(emu, emu.transport, { rate = false, retry = { attempts = 1 } })
  local began, asked = emu.runtime.time(), {}
  local function look_around()
    while true do
      local at = emu.runtime.time() - began
      if given.meanwhile then given.meanwhile(emu, at) end
      local _, err = human:call(ACTION, { ReplicaGroupId = "pg-nothere" })
      asked[#asked + 1] = { at = at, refused = err.code ~= "NoSuchResource" }
      client.loop.sleep(1 / people)
    end
  end
  client.loop.scope(function()
    local _ <close> = client.loop.spawn(look_around)
    local result, err = fleets.run(stage, { parallel = count, canary = 0, max_groups = count },
      { client = client })
    assert.is_truthy(result, tostring(err))
  end)
  assert.equal(count, fleets.moved(stage))
  return emu.runtime.time() - began, asked
end

-- The share of people's calls from a moment on that was refused.
local function refused(asked, from)
  local all, count = 0, 0
  for _, call in ipairs(asked) do
    if call.at >= from then
      all = all + 1
      if call.refused then count = count + 1 end
    end
  end
  return count / all
end

-- The most seconds for a fleet that has three quarters of a quota.
local function bound(limit) return 1.15 * (COUNT / (0.75 * limit) + FAILOVER) end

describe("a fleet whose quota people use, too", function()
  for _, case in ipairs { { 20, 5 }, { 10, 2 }, { 10, 3 } } do
    local limit, people = table.unpack(case)

    for what, wrap in pairs { ["with a wish"] = false, ["without one"] = wishless } do
      it(("leaves them %d of %d calls a second, refused %s"):format(people, limit, what), function()
        local took, asked = run(COUNT, people, { throttle = "second", throttle_limit = limit },
          { wrap = wrap })
        assert.is_true(took <= bound(limit), took)
        assert.is_true(refused(asked, 0) < 0.1, refused(asked, 0))
        assert.is_true(refused(asked, 3) < 0.05, refused(asked, 3))
      end)
    end

    it(("leaves them %d of %d calls a second after one blocked minute"):format(people, limit),
      function()
        local took, asked = run(COUNT, people, { throttle = "minute", throttle_limit = limit }, {})
        assert.is_true(took <= 60 + bound(limit), took)
        assert.equal(0, refused(asked, 60))
      end)
  end

  it("takes none of their share where as much is left as is documented", function()
    for _, mode in ipairs { "second", "minute" } do
      local took, asked = run(COUNT, 9, { throttle = mode, throttle_limit = 40 }, {})
      assert.is_true(took <= bound(40), took)
      assert.equal(0, refused(asked, 0))
    end
  end)

  it("has all of its rate again soon after the quota has come back", function()
    -- With a quarter of the rate to the end, it would be 54 s.
    local took = run(2 * COUNT, 2, { throttle = "second", throttle_limit = 10 },
      { meanwhile = function(emu, at) emu:assume { throttle_limit = at < 5 and 10 or 40 } end })
    assert.is_true(took <= 40, took)
  end)
end)
