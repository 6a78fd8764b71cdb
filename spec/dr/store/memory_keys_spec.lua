-- Keys in memory: what can go wrong does when it is asked for, and tells the truth of it.

local memory = require "alicloud.dr.store.memory"
local memory_keys = require "alicloud.dr.store.memory_keys"

-- A store on a clock, and a controller whose next call goes wrong.
local function stage()
  local lab = { clock = 1000 }
  local loop = { sleep = function(seconds) lab.clock = lab.clock + seconds end }
  lab.world = memory_keys.world { now = function() return lab.clock end }
  lab.calm = memory_keys.open(lab.world)
  lab.keys = memory_keys.open(lab.world, { name = "one", loop = loop, faults = function(call)
    lab.call = call
    local fault, seconds = lab.fault, lab.seconds
    lab.fault = nil
    return fault, seconds
  end })
  return lab
end

local function value(lab, key)
  local entry = lab.calm:get(key)
  return entry and entry.value
end

describe("keys in memory", function()
  it("ask before every call whether it is to go wrong", function()
    local lab = stage()
    lab.keys:create("a", "1")
    assert.same({ n = 1, op = "create", key = "a", values = { "1" }, name = "one" }, lab.call)
    lab.keys:txn { when = {}, drop = { "a" } }
    assert.same({ n = 2, op = "txn", key = "a", name = "one" }, lab.call)
    lab.keys:cluster()
    assert.same({ n = 3, op = "cluster", name = "one" }, lab.call)
  end)

  it("do what they report as unknown, or do it not", function()
    local lab = stage()
    for _, case in ipairs { { "lost_answer", "unknown", "1", true },
      { "unknown", "unknown", false, true }, { "unreachable", "not_sent", false, true },
      { "full", "rejected", false, false } } do
      lab.fault = case[1]
      local made, err = lab.keys:create(case[1], "1")
      assert.is_nil(made)
      assert.same({ case[2], "Client.JournalFailed", "journal", case[4] },
        { err.outcome, err.code, err.kind, err.retryable }, case[1])
      assert.equal(case[3], value(lab, case[1]))
    end
  end)

  it("take renewals, reads and drops while they are full", function()
    local lab = stage()
    local session = assert(lab.keys:session(15))
    local made = assert(lab.keys:create("a", "1", session.id))
    local function full(name, ...)
      lab.fault = "full"
      return lab.keys[name](lab.keys, ...)
    end
    assert.is_nil((full("probe")))
    assert.is_nil((full("session", 15)))
    assert.is_nil((full("swap", "a", "2", made.version)))
    assert.is_nil((full("txn", { when = {}, put = { { key = "b", value = "2" } } })))
    assert.equal(15, full("renew", session.id))
    assert.equal("1", full("get", "a").value)
    assert.is_true((full("drop", "a", made.version)))
  end)

  it("are late on the way there, or on the way back", function()
    local lab = stage()
    local session = assert(lab.keys:session(15))
    lab.fault, lab.seconds = "late_answer", 20
    assert.equal(15, lab.keys:renew(session.id))
    assert.is_false((lab.keys:renew(session.id)))
    session = assert(lab.keys:session(15))
    lab.fault, lab.seconds = "late", 20
    assert.is_false((lab.keys:renew(session.id)))
  end)

  it("let something happen between a call and its answer", function()
    local lab = stage()
    lab.fault, lab.seconds = "then", function() lab.seen = value(lab, "a") end
    assert(lab.keys:create("a", "1"))
    assert.equal("1", lab.seen)
  end)

  it("stop with their controller, before a call or after it", function()
    local lab = stage()
    lab.fault = "crash"
    assert.error(function() lab.keys:create("a", "1") end, memory.CRASH)
    assert.error(function() lab.keys:get "a" end, memory.CRASH)
    assert.is_false(value(lab, "a"))
    lab.keys.stopped, lab.fault = nil, "crash_after"
    assert.error(function() lab.keys:create("a", "1") end, memory.CRASH)
    assert.equal("1", value(lab, "a"))
  end)

  it("end sessions when they are told to, and show what is there", function()
    local lab = stage()
    local first, second = lab.keys:session(15), lab.keys:session(15)
    lab.keys:create("b", "2", first.id)
    lab.keys:create("a", "1", second.id)
    lab.world:expire(first.id)
    local list = lab.world:dump()
    assert.same({ 1, "a", "1" }, { #list, list[1].key, list[1].value })
    lab.world:expire()
    assert.same({}, lab.world:dump())
  end)

  it("are put back to a backup under the same name, with numbers given out twice", function()
    local lab = stage()
    local cluster = lab.keys:cluster()
    lab.keys:create("a", "1")
    local backup = lab.world:backup()
    local lost = lab.keys:create("b", "2")
    lab.world:restore(backup)
    assert.equal(cluster, lab.keys:cluster())
    assert.is_false(value(lab, "b"))
    assert.equal(lost.created, lab.keys:create("c", "3").created)
    assert.same({ "a", "c" }, { lab.world:dump()[1].key, lab.world:dump()[2].key })
  end)

  it("take no transaction that an engine would not take", function()
    local lab, many = stage(), {}
    for i = 1, 129 do many[i] = { key = "k" .. i, value = "" } end
    local ok, err = lab.keys:txn { when = {}, put = many }
    assert.is_nil(ok)
    assert.equal("rejected", err.outcome)
    assert.same({}, lab.world:dump())
    assert.error(function() lab.keys:txn { when = { { key = "a" } } } end)
  end)
end)
