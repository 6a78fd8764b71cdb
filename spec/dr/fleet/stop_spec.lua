-- What stops a fleet, and how it goes on.

local core = require "alicloud.core"
local labs = require "spec.dr.fleet.lab"

-- The failover of a group is refused, so often.
local function forbidden(id, count)
  return { match = { action = "FailoverDiskReplicaGroup", group = id, count = count or 1 },
    effect = { error = { code = "Forbidden", status = 403 } } }
end

local function group(number)
  return ("pg-100001-%03d"):format(number)
end

local function ending(lab, number)
  local text = lab:keys("fleets/night/done/100001/")[group(number)]
  return text and core.decode(text)
end

local function moved(lab)
  return select(2, lab:effects())
end

local function forbid(lab, ...)
  for _, number in ipairs { ... } do lab.emus["100001"]:fault(forbidden(group(number))) end
end

describe("a fleet that is stopped", function()
  it("is taken by nobody while somebody holds it, and goes on when it is released", function()
    local lab = labs.new { groups = 8 }
    local one = assert(lab:controller("one", { workers = 2, canary = 0 }))
    local two = assert(lab:controller("two", { workers = 2, canary = 0 }))
    local held
    one.progress = function(event)
      if event.type == "intent" and not held then held = assert(two:hold("wait", "chief")) end
    end
    for _, ended in ipairs(lab:run { one, two }) do
      assert.equal("Client.FleetHeld", ended.err.code)
      assert.matches("wait %(by chief%)", ended.err.message)
    end
    local before = moved(lab)
    assert.is_true(before >= 1 and before <= 4)
    assert.same({}, lab:locks())
    local status = assert(one:status())
    assert.same({ "wait", before, 8 - before }, { status.hold.why, status.done, status.open })
    assert.is_true(two:release())
    assert.is_false(two:release())
    assert.equal(8, assert(one:run()).done)
    assert.equal(8, moved(lab))
  end)

  it("begins nothing before its canary is done", function()
    local lab, first = labs.new { groups = 8 }, nil
    local list = {}
    for i = 1, 3 do
      list[i] = assert(lab:controller("c" .. i, { canary = 2, progress = function(event, item)
        if event.type == "intent" then
          first = first or event.at
          if item.stage > 1 then assert.is_true(event.at - first > 39) end
        end
      end }))
    end
    for _, ended in ipairs(lab:run(list)) do assert.equal(8, ended.result.done) end
    assert.equal(8, moved(lab))
  end)

  it("is stopped by a canary that fails, in the transaction that says so", function()
    local lab = labs.new { groups = 8 }
    forbid(lab, 1)
    local list = { assert(lab:controller "one"), assert(lab:controller "two") }
    for _, ended in ipairs(lab:run(list)) do
      assert.matches("the canary 100001/pg%-100001%-001 failed: Forbidden", ended.err.message)
    end
    assert.same({ 0, "failed", "Forbidden" }, { moved(lab), ending(lab, 1).outcome,
      ending(lab, 1).code })
    assert.same({}, lab:locks())
    -- A person says that the others go on, or lets the canary be done once more.
    assert.is_true(list[1]:release())
    local result = assert(list[1]:run())
    assert.same({ 7, 1, 0 }, { result.done, result.failed, result.left })
    assert.same({ "100001/pg-100001-001" }, list[2]:again(group(1)))
    assert.equal(8, assert(list[2]:run()).done)
    assert.equal(8, moved(lab))
  end)

  it("is stopped by the failure that is one too many, whoever has seen it", function()
    local lab = labs.new { groups = 30 }
    forbid(lab, 3, 7, 12, 20, 25, 28)
    local list = {}
    for i = 1, 3 do
      list[i] = assert(lab:controller("c" .. i, { canary = 0, max_errors = 3, workers = 1 }))
    end
    for _, ended in ipairs(lab:run(list)) do
      assert.matches("failed, of 2 that may", ended.err.message)
    end
    local status = assert(list[1]:status())
    -- Each had one item under way at most.
    assert.is_true(status.failed >= 3 and status.failed <= 5, status.failed)
    assert.is_true(status.open > 0)
    assert.is_true(list[1]:release())
    lab:run(list)
    status = assert(list[1]:status())
    assert.is_true(status.failed >= 6 or status.hold ~= nil)
  end)

  it("keeps what has failed until it is asked for again, by its journal", function()
    local lab = labs.new { groups = 10 }
    forbid(lab, 4, 5)
    local fleet = assert(lab:controller("one", { max_errors = "50%" }))
    local result = assert(fleet:run())
    assert.same({ 8, 2, 0 }, { result.done, result.failed, result.left })
    assert.same({ 8, 2 }, { assert(fleet:run()).done, moved(lab) - 6 })
    local _, err = fleet:again "pg-100001-001"
    assert.equal("Client.NoSuchStep", err.code)
    assert.same({ "100001/pg-100001-004", "100001/pg-100001-005" }, fleet:again "all")
    assert.equal(10, assert(fleet:run()).done)
    assert.equal(10, moved(lab))
    local records = lab:records(group(4))
    local attempts = 0
    for _, record in ipairs(records) do
      attempts = attempts + (record.type == "attempt" and 1 or 0)
    end
    assert.equal(2, attempts)
  end)

  it("leaves out what is not ready, which is no failure", function()
    local lab = labs.new { groups = 6 }
    lab.emus["100001"]:group(group(5)).status = "created"
    local result = assert(assert(lab:controller("one", { max_errors = 1 })):run())
    assert.same({ 5, 0, 1 }, { result.done, result.failed, result.left_out })
    assert.equal("left_out", ending(lab, 5).outcome)
  end)

  it("moves tier after tier, whoever takes them", function()
    local lab, ended, begun = labs.new { groups = 9 }, 0, 0
    local list = {}
    for i = 1, 3 do
      list[i] = assert(lab:controller("c" .. i, { canary = 0,
        tier = "1:*-007,1:*-008,1:*-009,3:*-001",
        progress = function(event, item)
          local first = item.group > group(6)
          if event.type == "item" and first then ended = ended + 1 end
          if event.type == "attempt" and not first then
            begun = begun + 1
            assert.equal(3, ended)
          end
        end }))
    end
    assert.same({ 3, 1, 5 }, { list[1].meta.stages[1].count, list[1].meta.stages[2].count,
      list[1].meta.stages[3].count })
    for _, one in ipairs(lab:run(list)) do assert.equal(9, one.result.done) end
    assert.equal(6, begun)
  end)
end)

describe("a fleet with an item", function()
  it("whose journal is damaged ends that one, and takes the others", function()
    for key, text in pairs { ["0000000001"] = "no line\n", ["0000000002"] = "one is missing\n" } do
      local lab = labs.new { groups = 6 }
      lab.world:put(("/alicloud-dr/v1/runs/night.100001.%s/rec/%s"):format(group(3), key), text)
      local one = assert(lab:controller("one", { canary = 0, max_errors = 2 }))
      local result = assert(one:run())
      assert.same({ 5, 1, 0 }, { result.done, result.failed, result.left })
      assert.equal("Client.JournalDamaged", ending(lab, 3).code)
      assert.same({}, lab:locks())
    end
  end)

  it("that fails while a person holds it keeps what that person says", function()
    local lab = labs.new { groups = 6 }
    forbid(lab, 1)
    local one, held = assert(lab:controller "one"), nil
    one.progress = function(event)
      if event.type == "intent" then held = held or one:hold("until six", "chief") end
    end
    local _, err = one:run()
    assert.matches("until six (by chief)", err.message, 1, true)
    assert.equal("failed", ending(lab, 1).outcome)
    assert.equal("1", lab:keys("fleets/night/").failures)
  end)

  it("that others have done well meanwhile is not taken once more", function()
    local lab = labs.new { groups = 2 }
    local key = "/alicloud-dr/v1/fleets/night/done/100001/" .. group(1)
    lab.world:put(key, '{"outcome":"failed"}')
    local one = assert(lab:controller("one", { faults = function(call)
      if call.op == "get" and call.key == key then
        lab.world:put(key, '{"outcome":"done","status":"completed"}')
      end
    end }))
    local names, err = one:again "all"
    assert.is_nil(names)
    assert.equal("Client.NoSuchStep", err.code)
    assert.equal("done", ending(lab, 1).outcome)
  end)
end)

describe("what somebody has written by hand into a fleet", function()
  it("holds it, whatever it says", function()
    local lab = labs.new { groups = 4 }
    lab.world:put("/alicloud-dr/v1/fleets/night/hold", "maintenance until six")
    local one = assert(lab:controller "one")
    local _, err = one:run()
    assert.equal("Client.FleetHeld", err.code)
    assert.matches("maintenance until six (by somebody)", err.message, 1, true)
    assert.equal("maintenance until six", one:status().hold.why)
    for _, format in ipairs { "md", "html", "json" } do assert.is_string(one:report(format)) end
    assert.equal(0, moved(lab))
    assert.is_true(one:release())
    assert.equal(4, assert(one:run()).done)
  end)

  it("in the place of its items, or without one of their pages, is no fleet to join", function()
    for _, text in ipairs { "none", "[]", false } do
      local lab = labs.new { groups = 4 }
      assert(lab:controller "one")
      local key = next(lab:keys "fleets/night/items/")
      local whole = "/alicloud-dr/v1/fleets/night/items/" .. key
      if text then lab.world:put(whole, text) else lab.world:remove(whole) end
      local _, err = lab:controller("two", { items = false })
      assert.equal("Client.JournalDamaged", err.code)
    end
  end)

  it("is shown as far as it is of the kind that it should be", function()
    local lab = labs.new { groups = 4 }
    lab.world:put("/alicloud-dr/v1/fleets/night/hold",
      '{"why":"<b>\\u001b[2J","by":[],"at":"now"}')
    lab.world:put("/alicloud-dr/v1/fleets/night/done/100001/" .. group(2),
      '{"outcome":"done","rto":"long","rpo":{},"at":1e300,"seconds":-1,"by":7}')
    local one = assert(lab:controller "one")
    local status = one:status()
    assert.same({ outcome = "done" }, status.items[2].ending)
    assert.is_nil(status.hold.at)
    assert.is_nil(status.hold.why:find("\27", 1, true))
    for _, format in ipairs { "md", "html", "json" } do
      local text = one:report(format)
      assert.is_nil(text:find("\27", 1, true))
      assert.is_true(format == "json" or not text:find("<b>", 1, true))
    end
  end)

  it("as an item's end that cannot be read is a failure, which can be taken back", function()
    for _, text in ipairs { "done", "7", "[]", '{"outcome":"skipped"}', '{"outcome":"failed"}' } do
      local lab = labs.new { groups = 4 }
      lab.world:put("/alicloud-dr/v1/fleets/night/done/100001/" .. group(2), text)
      local one = assert(lab:controller("one", { canary = 0 }))
      local result = assert(one:run())
      assert.same({ 3, 1, 0 }, { result.done, result.failed, result.left }, text)
      local item = one:status().items[2]
      assert.same({ "failed", "Client.JournalDamaged" }, { item.state, item.ending.code })
      assert.is_string(one:report "md")
      assert.same({ "100001/" .. group(2) }, one:again(group(2)))
      assert.equal(4, assert(one:run()).done)
      assert.equal(4, moved(lab))
    end
  end)
end)
