-- The one judge, over plain values: what each state of a group and its pairs says of a change.

local intents = require "alicloud.dr.model.intent"
local phases = require "alicloud.dr.model.phase"
local transitions = require "alicloud.dr.model.transition"

local HERE, THERE = { region = "cn-hangzhou", zone = "g" }, { region = "cn-shanghai", zone = "b" }

-- "normal: normal syncing", with the pairs in their order; `swapped`: the sides changed places.
local function look(words, given)
  given = given or {}
  local from, to = HERE, THERE
  if given.swapped then from, to = THERE, HERE end
  local status, rest = words:match "^([%w_]+): ?(.*)$"
  local snapshot = { group_id = "pg-1", region = "cn-shanghai", role = "secondary",
    status = status, from = from, to = to, pairs = {}, group_recover_point = given.point or 100 }
  for word in rest:gmatch "[%w_]+" do
    local n = #snapshot.pairs + 1
    snapshot.pairs[n] = { id = "pair-" .. n, status = word, from = from, to = to,
      recover_point = given.pair_point or given.point or 100 }
  end
  snapshot.pair_number = given.claimed or #snapshot.pairs
  return snapshot
end

local function phase(transition, before, now, given)
  local intent = transitions.intent(look(before), "token")
  return phases.of(transitions[transition], intent, look(now, given))
end

describe("the phase of a failover", function()
  it("follows from the group and every pair", function()
    local N = "normal: normal normal"
    for now, expected in pairs {
      ["normal: normal normal"] = "not_started", ["syncing: normal syncing"] = "not_started",
      ["failovering: normal normal"] = "in_progress",
      ["normal: failovering normal"] = "in_progress",
      ["failovered: failovered normal"] = "in_progress",
      ["failovering: stopped invalid"] = "in_progress",
      ["failovered: failovered failovered"] = "completed",
      ["failovered: failovered failover_failed"] = "partially_failed",
      ["failover_failed: failovering normal"] = "failed",
      ["stopped: stopped stopped"] = "conflict", ["reprotecting: failovered normal"] = "conflict",
      ["normal: normal levitating"] = "unknown", ["levitating: failovered failovered"] = "unknown",
    } do
      assert.equal(expected, (phase("failover", N, now)), now)
    end
  end)

  it("that is asked for again has not started while all is as it was", function()
    local before = "failover_failed: failovered failover_failed"
    assert.equal("not_started", (phase("failover", before, before)))
    assert.equal("failed", (phase("failover", before, "failover_failed: failovered failovering")))
    assert.equal("completed", (phase("failover", before, "failovered: failovered failovered")))
  end)

  it("is unknown while there is an unknown word, even one that was there before", function()
    local before = "failover_failed: levitating stopped"
    assert.equal("not_started", (phase("failover", before, before)))
    for _, now in ipairs { "failover_failed: levitating syncing", "failovering: levitating stopped",
      "failovered: levitating failover_failed", "created: levitating stopped" } do
      assert.equal("unknown", (phase("failover", before, now)), now)
    end
  end)

  it("that was under way when it was joined is never untouched", function()
    local open = "failovered: failovering failovered"
    for _, before in ipairs { "failovering: normal normal", open } do
      assert.equal("in_progress", (phase("failover", before, before)))
    end
  end)

  it("is told in words that name what holds it up", function()
    local function words(now)
      return (select(2, phase("failover", "normal: normal normal", now)))
    end
    assert.equal("the group still is normal", words "normal: normal normal")
    assert.equal("failovering, 1/2 pairs failovered", words "failovering: failovered normal")
    assert.equal("group and pairs are failovered", words "failovered: failovered failovered")
    assert.equal("the group is failover_failed: 1 of 2 pairs failed (pair-2)",
      words "failover_failed: failovered failover_failed")
    assert.equal("the group is failovered, but pair-2 is failover_failed",
      words "failovered: failovered failover_failed")
    assert.equal("the group was normal and now is stopped, 0/2 pairs failovered",
      words "stopped: stopped stopped")
    assert.equal('status "levitating" is a word this version does not know',
      words "normal: normal levitating")
  end)
end)

describe("the phase of another change", function()
  it("follows from the group and every pair", function()
    for _, case in ipairs {
      { "stop", "normal: normal normal", "normal: normal syncing", "not_started" },
      { "stop", "normal: normal normal", "stopping: stopping normal", "in_progress" },
      { "stop", "normal: normal normal", "stopped: stopped normal", "in_progress" },
      { "stop", "normal: normal normal", "stopped: stopped stopped", "completed" },
      { "stop", "normal: stopped normal", "normal: stopped normal", "in_progress" },
      { "stop", "stopped: stopped normal", "stopped: stopped normal", "in_progress" },
      { "start", "normal: normal stopped", "normal: normal stopped", "in_progress" },
      { "stop", "normal: normal normal", "stop_failed: stopped stopping", "failed" },
      { "stop", "normal: normal normal", "stopped: stopped stop_failed", "partially_failed" },
      { "stop", "normal: normal normal", "stopped: stopped invalid", "conflict" },
      { "stop", "normal: normal normal", "stopped: stopped levitating", "unknown" },
      { "stop", "stop_failed: stop_failed stop_failed", "stop_failed: stopping stop_failed",
        "in_progress" },
      { "stop", "stopping: stopping stopping", "stopping: stopping stopping", "in_progress" },
      { "stop", "stopping: stopping stopping", "stop_failed: stopping stopped", "failed" },
      { "stop", "stopping: stopping stopping", "stopped: stopped stop_failed",
        "partially_failed" },
      { "start", "stopped: stopped stopped", "normal: initial_syncing syncing", "completed" },
      { "cancel", "failovered: failovered failovered", "stopped: stopped stopped", "completed" },
      { "reverse", "failovered: failovered failovered", "stopped: stopped stopped", "conflict" },
    } do
      assert.equal(case[4], (phase(case[1], case[2], case[3])), case[1] .. " → " .. case[3])
    end
  end)

  it("that turns the direction is completed only where it has turned", function()
    local before, after = "failovered: failovered failovered", "stopped: stopped stopped"
    assert.equal("completed", (phase("reverse", before, after, { swapped = true })))
    assert.equal("direction_changed", (phase("cancel", before, after, { swapped = true })))
    assert.equal("direction_changed", (phase("failover", before, after, { swapped = true })))
  end)

  it("that renews the recovery point is completed only where every one is newer", function()
    local before = "stopped: stopped stopped"
    assert.equal("not_started", (phase("one_shot", before, before)))
    assert.equal("completed", (phase("one_shot", before, before, { point = 200 })))
    assert.equal("in_progress",
      (phase("one_shot", before, before, { point = 200, pair_point = 100 })))
  end)

  it("is told in words that name every status", function()
    local function words(now) return (select(2, phase("stop", "normal: normal normal", now))) end
    assert.equal("the group still is normal, pairs: 2 normal", words "normal: normal normal")
    assert.equal("stopping, pairs: 1 stopped, 1 normal", words "stopping: stopped normal")
    assert.equal("the group now is created, pairs: 2 stopped", words "created: stopped stopped")
  end)
end)

describe("the shape of a group", function()
  it("comes before any status", function()
    local done = "failovered: failovered failovered"
    local function words(now, given)
      return { phase("failover", "normal: normal normal", now, given) }
    end
    assert.same({ "unknown", "the group counts 3 pairs, the pair list holds 2" },
      words(done, { claimed = 3 }))
    assert.same({ "conflict", "the pair set lacks pair-2" }, words "failovered: failovered")
    assert.same({ "direction_changed", "direction was cn-hangzhou/g → cn-shanghai/b, "
      .. "now it is cn-shanghai/b → cn-hangzhou/g" }, words(done, { swapped = true }))
    local intent = intents.new(look "normal: normal", "token")
    assert.same({ "unknown", "pg-1 is not listed in cn-shanghai" }, { phases.of(
      transitions.failover, intent, { role = "absent", region = "cn-shanghai", pairs = {} }) })
  end)
end)
