-- What a claim and an end compare: a controller whose view is old, or whose lock is another's, does
-- nothing by them.

local labs = require "spec.dr.fleet.lab"
local memory_keys = require "alicloud.dr.store.memory_keys"
local schedulers = require "alicloud.loop.scheduler"
local sessions = require "alicloud.dr.store.session"
local stores = require "alicloud.dr.store.shared"

-- Lists that a controller sees otherwise than they are.
local function see(fleet, word, entries)
  local list = fleet.keys.list
  function fleet.keys:list(prefix, ...)
    if prefix:find("/" .. word .. "/$") then return entries(prefix), false end
    return list(self, prefix, ...)
  end
end

local function nothing() return {} end

describe("a claim by an old view", function()
  it("of an item that has ended is refused, and tells its end", function()
    local lab = labs.new { groups = 6 }
    lab.emus["100001"]:fault { match = { action = "FailoverDiskReplicaGroup", nth = 4, count = 1 },
      effect = { error = { code = "Forbidden", status = 403 } } }
    local one = assert(lab:controller("one", { max_errors = "50%", workers = 1 }))
    assert.equal(1, assert(one:run()).failed)
    local two, begun = assert(lab:controller("two", { max_errors = "50%" })), 0
    two.progress = function(event) begun = begun + (event.type == "attempt" and 1 or 0) end
    see(two, "done", nothing)
    lab.loop.scope(function() two:run() end, { timeout = 60 })
    assert.equal(0, begun)
    assert.same({}, lab:locks())
  end)

  it("of an item whose turn has not come is refused", function()
    local lab = labs.new { groups = 5 }
    local one, ended = assert(lab:controller("one", { canary = 1 })), false
    see(one, "stages", function(prefix) return { { key = prefix .. "2", value = "" } } end)
    one.progress = function(event, item)
      if event.type == "item" and item.stage == 1 then ended = true end
      if event.type == "attempt" and item.stage == 2 then assert.is_true(ended) end
    end
    local done = lab.loop.scope(function() return one:run() end, { timeout = 300 })
    assert.is_true(ended)
    -- Nobody has opened it, since it looked open.
    assert.is_nil(done)
    assert.equal(1, (select(2, lab:effects())))
  end)
end)

local HOLDER = { owner = "anna", host = "one", pid = 1, since = "2026-11-22T03:12:40Z" }

-- Two processes with a store each for one run, on a clock that is moved by hand.
local function stage(faults)
  local lab = { now = 1000 }
  local runtime = { boottime = function() return lab.now end, time = function() return lab.now end,
    warn = function() end, random_hex = function() return "00" end }
  local loop = schedulers.new { now = runtime.boottime, wait = function() end,
    sleep = function(seconds) lab.now = lab.now + seconds end }
  lab.world = memory_keys.world { now = runtime.boottime }
  lab.calm = memory_keys.open(lab.world)
  function lab.store(name)
    local keys = memory_keys.open(lab.world, { name = name, faults = faults })
    local session = assert(sessions.open(keys, { loop = loop, runtime = runtime, ttl = 15 }))
    return stores.open { keys = keys, run = "r", name = name, prefix = "/p", loop = loop,
      runtime = runtime, session = session, keeps_lock = true, marks = { "/p/mark" },
      conditions = { { key = "/p/done", absent = true }, { key = "/p/open", present = true } } }
  end
  return lab
end

local DONE = { { key = "/p/done", value = "one" } }

describe("the lock of a run under conditions", function()
  it("is taken with its marks only where they hold, and left as it was elsewhere", function()
    local lose
    local lab = stage(function(call)
      if not (lose and call.op == "txn") then return nil end
      lose = false
      return "unknown"
    end)
    local store = lab.store "one"
    local lease, err = store:lease("run", HOLDER)
    assert.is_nil(lease)
    assert.same({ "Client.ItemClosed", "not_sent" }, { err.code, err.outcome })
    lab.calm:create("/p/open", "")
    assert(store:lease("run", HOLDER))
    assert.truthy(lab.calm:get "/p/mark")
    err = select(2, lab.store "two":lease("run", HOLDER))
    assert.equal("Client.JournalLocked", err.code)
    store:close()
    assert.truthy(lab.calm:get "/p/v1/runs/r/lock")
    lose = true
    store:abandon()
    assert.is_false(lab.calm:get "/p/v1/runs/r/lock")
    assert.is_false(lab.calm:get "/p/mark")
    lab.calm:create("/p/done", "x")
    err = select(2, lab.store "three":lease("run", HOLDER))
    assert.equal("x", err.found["/p/done"].value)
  end)

  it("is ended with what is written, once, though the answer is lost", function()
    local lose = false
    local lab = stage(function(call)
      if not (lose and call.op == "txn") then return nil end
      lose = false
      return "lost_answer"
    end)
    lab.calm:create("/p/open", "")
    local store = lab.store "one"
    lose = true
    assert(store:lease("run", HOLDER))
    assert.is_false((store:finish(DONE, { { key = "/p/open", absent = true } })))
    assert.is_false(lab.calm:get "/p/done")
    lose = true
    assert.is_true(store:finish(DONE))
    assert.equal("one", lab.calm:get "/p/done".value)
    assert.is_false(lab.calm:get "/p/v1/runs/r/lock")
    assert.is_false(lab.calm:get "/p/mark")
  end)

  it("that has become another's ends nothing", function()
    local lab = stage()
    lab.calm:create("/p/open", "")
    local one = lab.store "one"
    assert(one:lease("run", HOLDER))
    lab.world:expire(one.session.id)
    local two = lab.store "two"
    assert(two:lease("run", HOLDER))
    local ok, err = one:finish(DONE)
    assert.is_nil(ok)
    assert.equal("Client.JournalLost", err.code)
    assert.is_false(lab.calm:get "/p/done")
    assert.truthy(lab.calm:get "/p/v1/runs/r/lock")
    assert.is_true(two:finish { { key = "/p/done", value = "two" } })
  end)
end)
