-- One odd look decides nothing: what stands against a failover is looked at again.

local settled = require "alicloud.dr.read.settled"
local snapshots = require "alicloud.dr.model.snapshot"

-- What a look shows: "normal: normal syncing", in this direction or the other one.
local function look_of(words, given)
  given = given or {}
  local from, to = "cn-hangzhou", "cn-shanghai"
  if given.turned then from, to = to, from end
  local status, rest = words:match "^([%w_]+): ?(.*)$"
  local list = {}
  for word in rest:gmatch "[%w_]+" do
    list[#list + 1] = { ReplicaPairId = "pair-" .. #list + 1, Status = word, SourceRegion = from,
      DestinationRegion = to, LastRecoverPoint = given.point or 900,
      ReplicaGroupId = given.group_id }
  end
  return snapshots.new({ ReplicaGroupId = "pg-1", Status = status, SourceRegionId = from,
    DestinationRegionId = to, PairNumber = given.count or #list, PairIds = given.names,
    LastRecoverPoint = given.point or 900 },
    list, { region = "cn-shanghai", site = "backup", read_at = 1000 })
end

-- Shows one look after the other, the last one for ever. Gives the answer and how long it took.
local function settle(looks, more)
  local clock, count, events = 0, 0, {}
  local group = { id = "pg-1", region = "cn-shanghai", told = {}, observe = function()
    count = count + 1
    return looks[math.min(count, #looks)]
  end }
  local given = { terms = {}, emit = function(event) events[#events + 1] = event end, loop = {
    now = function() return clock end, sleep = function(s) clock = clock + s end } }
  for name, value in pairs(more or {}) do given[name] = value end
  local snapshot, report = settled.look(group, given)
  return snapshot, report, count, clock, events
end

local GOOD = look_of "normal: normal normal"

describe("looks at a group", function()
  it("end with the first one that nothing stands against", function()
    local snapshot, report, count, seconds = settle { GOOD }
    assert.equal(GOOD, snapshot)
    assert.is_true(report.ok)
    assert.same({ 1, 0 }, { count, seconds })
  end)

  it("are two that agree where nothing else would look again", function()
    local open, old = look_of "failovered: failovered failovered", { is_decided = function(seen)
      return snapshots.is_failovered(seen)
    end }
    local snapshot, _, count, seconds = settle({ open }, old)
    assert.same({ open, 2, settled.PAUSE }, { snapshot, count, seconds })
    local report
    snapshot, report, count = settle({ open, look_of("normal: normal normal", { turned = true }) },
      old)
    assert.equal("primary", snapshot.role)
    assert.is_false(report.ok)
    assert.equal(3, count)
  end)

  it("go on for two minutes while what stands against it may pass", function()
    for _, odd in ipairs { look_of "normal: syncing syncing", look_of "stopping: stopped stopping",
      look_of "syncing: normal syncing", look_of "stop_failed: stopped stop_failed",
      look_of "manual_syncing: stopped stopped", look_of("normal: ", { count = 2 }),
      look_of("normal: normal", { count = 2 }) } do
      local looks = { odd, odd, odd, odd, odd, odd, GOOD }
      local _, report, count = settle(looks)
      assert.is_true(report.ok)
      assert.equal(7, count)
      local refused, seconds
      _, refused, _, seconds = settle { odd }
      assert.is_false(refused.ok)
      assert.equal(settled.PATIENCE, seconds)
    end
  end)

  it("go on for as long as is said, from the first one on", function()
    local odd = look_of "normal: syncing syncing"
    local _, _, count, seconds = settle({ odd }, { settle = 15 })
    assert.same({ 6, 15 }, { count, seconds })
    _, _, count = settle({ odd }, { settle = 0 })
    assert.equal(2, count)
    -- A look that takes as long as that is not the only one.
    local clock = 0
    local _, report = settled.look({ told = {}, observe = function()
      clock = clock + 20
      return clock > 20 and GOOD or odd
    end }, { terms = {}, emit = function() end, settle = 15, loop = {
      now = function() return clock end, sleep = function(s) clock = clock + s end } })
    assert.is_true(report.ok)
  end)

  it("say why they go on, and for how long", function()
    local _, _, _, _, events = settle { look_of "normal: syncing normal", GOOD }
    assert.equal("settling", events[2].event)
    assert.equal("group normal, but pair-1 is syncing", events[2].reason)
    assert.equal(120, events[2].left)
  end)

  it("end with two that agree on what does not pass", function()
    local absent = snapshots.absent("pg-1", "cn-shanghai")
    absent.near = ""
    for _, bad in ipairs { look_of "created: created created", look_of "normal: invalid normal",
      look_of("normal: normal normal", { turned = true }), look_of("normal: normal", { point = 0 }),
      look_of("normal: normal", { point = 9999 }), look_of("normal: ", { count = 0 }), absent } do
      local _, report, count = settle { bad }
      assert.is_false(report.ok)
      assert.equal(2, count)
      _, report, count = settle { bad, GOOD, GOOD }
      assert.is_true(report.ok)
      assert.is_true(count <= 3)
    end
  end)

  it("do not end with one that shows another direction than the one before", function()
    local turned = look_of("normal: normal normal", { turned = true })
    local _, report, count = settle { turned, GOOD, turned }
    assert.is_false(report.ok)
    assert.equal(4, count)
    local looks = {}
    for i = 1, 80 do looks[i] = i % 2 == 0 and GOOD or turned end
    local nothing, err = settle(looks)
    assert.is_nil(nothing)
    assert.equal("Client.DirectionUnclear", err.code)
    assert.equal("not_sent", err.outcome)
  end)

  it("do not end with one that knows fewer pairs than one before it, for two minutes", function()
    local cut, small = look_of("normal: normal", { names = { "pair-1", "pair-2" } }),
      look_of "normal: normal"
    local snapshot, _, count = settle { cut, small, small, GOOD, small }
    assert.same({ GOOD, 4 }, { snapshot, count })
    local _, report, _, seconds, events = settle { cut, small }
    assert.is_true(report.ok)
    assert.equal(settled.PATIENCE, seconds)
    assert.equal("pair-2 is, or was a moment ago, one of its pairs, and is not listed",
      events[4].reason)
  end)

  it("believe after two minutes a list that is longer than the group counts", function()
    local longer = look_of("normal: normal normal", { count = 1, group_id = "pg-1" })
    local snapshot, _, count = settle { longer, GOOD }
    assert.same({ GOOD, 2 }, { snapshot, count })
    local report, seconds, events
    snapshot, report, _, seconds, events = settle { longer }
    assert.is_true(report.ok)
    assert.equal(2, #snapshot.pairs)
    assert.equal(settled.PATIENCE, seconds)
    assert.equal("the group counts 1 pair, the pair list holds 2", events[2].reason)
  end)

  it("need no pre-check where it is decided without one", function()
    local open = look_of "failovered: failovered"
    local snapshot, report = settle({ open }, { is_decided = function() return true end })
    assert.same({ open }, { snapshot, report })
  end)
end)
