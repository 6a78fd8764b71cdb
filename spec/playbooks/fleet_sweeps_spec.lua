-- A fleet that is read by sweeps: what they prove while lists lie, and how it gets on where calls
-- are refused as too many.

local alicloud = require "alicloud"
local fleets = require "spec.playbooks.fleet_lab"
local tables = require "alicloud.base.tables"

local COUNT = 60

-- Runs a fleet over a client whose requests are noted, and may be answered otherwise. What every
-- group was at the end that was told of it is noted, too. It begins so many seconds into a minute.
local function run(given, disturb, settings, begins)
  local quick = {}
  for i = 1, COUNT do quick[i] = { failover_seconds = 20, pairs = 2 } end
  given.wire = false
  local stage = fleets.stage(COUNT, quick, given)
  local emu, told = stage.bench.emu, { opened = 0, early = {}, calls = {} }
  emu:advance(begins or 0)
  local options = { region = "cn-shanghai", runtime = emu.runtime,
    access_key_id = emu.access_key_id, access_key_secret = emu.access_key_secret,
    transport = { send = emu.transport.send, perform = function(request)
      local now = emu.runtime.time()
      told.began = told.began or now
      told.calls[#told.calls + 1] = { action = request.action, at = now - told.began,
        id = request.params.ReplicaGroupId }
      local answer = disturb and disturb(request, now - told.began, emu)
      return answer or emu.transport.perform(request)
    end } }
  for name, value in pairs(settings or {}) do options[name] = value end
  local result, err = fleets.run(stage, { parallel = COUNT, canary = 0, max_groups = COUNT },
    { client = alicloud.client(options), progress = function(event)
      if event.type ~= "outcome" or not event.ok then return end
      told.opened = told.opened + 1
      local group = emu:group(event.group_id)
      local open = group.status == "failovered"
      for _, pair in ipairs(group.pairs) do open = open and pair.status == "failovered" end
      if not open then told.early[#told.early + 1] = event.group_id end
    end })
  told.took = emu.runtime.time() - told.began
  return told, result, err, stage
end

local function count_of(told, action)
  local count = 0
  for _, call in ipairs(told.calls) do
    if call.action == action then count = count + 1 end
  end
  return count
end

-- The seconds in which so many calls of an action were made that the rest of the minute is blocked.
local function seconds_with_more(told, action, limit)
  local calls, count = {}, 0
  for _, call in ipairs(told.calls) do
    local second = call.action == action and call.at // 1 or nil
    if second then calls[second] = (calls[second] or 0) + 1 end
    if second and calls[second] == limit + 1 then count = count + 1 end
  end
  return count
end

-- All are open, once each, and none was taken for open before it was.
local function assert_moved(told, result, err, stage)
  assert.same({}, told.early)
  assert.is_truthy(result, tostring(err))
  assert.equal(COUNT, told.opened)
  assert.equal(COUNT, fleets.moved(stage))
  assert.equal(COUNT, count_of(told, "FailoverDiskReplicaGroup"))
end

describe("a fleet that is read by sweeps", function()
  it("moves with as many calls as groups, and few more", function()
    local told, result, err, stage = run {}
    assert_moved(told, result, err, stage)
    assert.is_true(#told.calls < 2 * COUNT, #told.calls)
    assert.is_true(told.took <= COUNT / 30 + 20 + 4, told.took)
  end)

  -- Lies of the lists, from one moment to another.
  local LIES = {
    ["lists are cut"] = { { short_list = 1 }, { short_list = 0 } },
    ["lists are empty"] = { { empty_list = true }, { empty_list = false } },
    ["lists are of the past"] = { { stale_read = 15 }, { stale_read = 0 } },
    ["groups run ahead of their pairs"] = { { group_ahead = true }, { group_ahead = false } },
    ["a word is unknown"] = { { unknown_status = "moving_on" }, { unknown_status = "" } },
  }
  for _, what in ipairs(tables.keys(LIES)) do
    local lie = LIES[what]
    it("takes none for open too early while " .. what, function()
      local told, result, err, stage = run({}, function(_, at, emu)
        emu:hostile(lie[at >= 2 and at < 30 and 1 or 2])
      end)
      assert_moved(told, result, err, stage)
    end)
  end

  it("takes none for open too early while records slip from page to page", function()
    local looks = 0
    local told, result, err, stage = run({}, function(request, at, emu)
      if at < 1 or not request.action:find "Describe" then return end
      looks = looks + 1
      local answer = emu.transport.perform(request)
      local list = answer.result and (answer.result.ReplicaPairs or answer.result.ReplicaGroups)
      if list and #list > 10 then
        table.remove(list, looks % #list + 1)
        list[#list + 1] = list[(looks * 7) % #list + 1]
      end
      return answer
    end)
    assert_moved(told, result, err, stage)
  end)
end)

describe("a fleet whose disk is slow", function()
  it("is not held up by a sync for each record of each group", function()
    local quick, syncs = {}, 0
    for i = 1, COUNT do quick[i] = { failover_seconds = 20 } end
    local stage = fleets.stage(COUNT, quick)
    local runtime = stage.bench.emu.runtime
    stage.disk.fault = function(call)
      if call.op ~= "sync" then return end
      syncs = syncs + 1
      runtime.sleep(0.05)
    end
    local began = runtime.time()
    local result, err = fleets.run(stage, { parallel = COUNT, canary = 0, max_groups = COUNT })
    assert.is_truthy(result, tostring(err))
    assert.equal(COUNT, fleets.moved(stage))
    assert.is_true(syncs < 3 * COUNT, syncs)
    assert.is_true(runtime.time() - began <= 20 + 8, runtime.time() - began)
  end)
end)

describe("a fleet whose readings take long", function()
  -- Some of so many groups.
  local function move(count, seconds)
    local faults, names = {}, {}
    for i, action in ipairs { "DescribeDiskReplicaGroups", "DescribeDiskReplicaPairs" } do
      faults[i] = { match = { action = action, count = 1000000 }, effect = { delay = seconds } }
    end
    for i = 1, 6 do names[i] = ("pg-%02d"):format(i) end
    local stage = fleets.stage(count, nil, { faults = faults, wire = false })
    return stage, fleets.run(stage, { groups = table.concat(names, ","), canary = 0 })
  end

  it("decides by sweeps that are older than five seconds, if none is younger", function()
    for _, seconds in ipairs { 3, 8 } do
      local stage, result, err = move(6, seconds)
      assert.is_truthy(result, tostring(err))
      assert.equal("completed", result.status)
      assert.equal(6, fleets.moved(stage))
    end
  end)

  it("decides by looks of each where a sweep of several pages takes half a minute", function()
    local stage, result, err = move(1100, 9)
    assert.is_truthy(result, tostring(err))
    assert.equal("completed", result.status)
    assert.equal(6, fleets.moved(stage))
  end)
end)

describe("a fleet whose calls are refused as too many", function()
  -- Others take half of the quota of every action; of what is left, all is ours.
  local LIMIT = 4

  it("finishes in the time that is left to it, changes first", function()
    local told, result, err, stage = run({ assume = { throttle = "second",
      throttle_limit = LIMIT } }, nil, { rate = { action = LIMIT, reserve = 0,
        actions = { FailoverDiskReplicaGroup = LIMIT } } })
    assert_moved(told, result, err, stage)
    assert.is_true(told.took <= 1.15 * (COUNT / LIMIT + 20), told.took)
  end)

  it("learns from the refusals how much is left, where nobody has said so", function()
    for _, limit in ipairs { 20, 10, LIMIT } do
      local told, result, err, stage = run({ assume = { throttle = "second",
        throttle_limit = limit } })
      assert.is_truthy(result, tostring(err))
      assert.same({}, told.early)
      assert.equal(COUNT, fleets.moved(stage))
      -- What is left to people, of ten calls three, takes a fifth of a second more.
      assert.is_true(told.took <= 1.15 * (COUNT / limit + 20) + 0.2, told.took)
    end
  end)

  it("is not blocked minute after minute by a rate for which others leave no room", function()
    for _, case in ipairs { { limit = 10, blocks = 3 }, { limit = LIMIT, blocks = 5 } } do
      local told, result, err, stage = run({ assume = { throttle = "minute",
        throttle_limit = case.limit } })
      assert.is_truthy(result, tostring(err))
      assert.same({}, told.early)
      assert.equal(COUNT, fleets.moved(stage))
      local blocks = seconds_with_more(told, "FailoverDiskReplicaGroup", case.limit)
      assert.is_true(blocks <= case.blocks, case.limit .. " " .. blocks)
    end
  end)

  -- Nothing is let through until the next full minute of the service's clock.
  for _, second in ipairs { 2, 30, 57 } do
    it(("loses no more than the rest of a minute that is blocked from second %d on"):format(second),
      function()
        local blocked, rest = 0, 60 - second
        local told, result, err, stage = run({}, function(request, at)
          if at < 1 or at >= 1 + rest or request.action ~= "FailoverDiskReplicaGroup" then
            return
          end
          blocked = blocked + 1
          return { status = 400, headers = {},
            body = '{"Code":"Throttling.User","Message":"blocked","RequestId":"r"}' }
        end, nil, second - 1)
        assert.is_truthy(result, tostring(err))
        assert.same({}, told.early)
        assert.equal(COUNT, fleets.moved(stage))
        -- Those that were on their way.
        assert.is_true(blocked > 0 and blocked <= 3 * 30, blocked)
        assert.is_true(told.took - rest <= 1.15 * (COUNT / 30 + 20), told.took)
      end)
  end

  it("lets no failover leave on a look that began more than five seconds before", function()
    local left
    local told, result, _, stage = run({}, function(request, at, emu)
      if at >= 2 and not left then
        left = 0
        local group = emu:group "pg-40"
        group.status = "created"
        for _, pair in ipairs(group.pairs) do pair.status = "created" end
      end
      if request.params.ReplicaGroupId == "pg-40"
        and request.action == "FailoverDiskReplicaGroup" then left = left + 1 end
    end, { rate = { actions = { FailoverDiskReplicaGroup = 4 } } })
    -- It had been seen to be ready, and stood in line for ten seconds.
    assert.equal(0, left)
    assert.equal("completed_with_exceptions", result.status)
    assert.equal(COUNT - 1, fleets.moved(stage))
    assert.is_true(told.took > 59 / 3 and told.took <= 59 / 3 + 20 + 6, told.took)
  end)
end)
