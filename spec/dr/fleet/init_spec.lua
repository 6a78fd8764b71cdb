-- Fleets that several controllers take, over keys in memory and an emulator on a virtual clock.

local core = require "alicloud.core"
local labs = require "spec.dr.fleet.lab"
local ready = require "alicloud.playbooks"
local scratch = require "spec.scratch"

local function outcomes(lab)
  local found = {}
  for name, value in pairs(lab:keys "fleets/night/done/") do
    found[name] = core.decode(value).outcome
  end
  return found
end

local function count(map)
  local number = 0
  for _ in pairs(map) do number = number + 1 end
  return number
end

describe("a fleet", function()
  it("is taken by one controller, item by item, each a run of its own", function()
    local lab = labs.new { groups = 6 }
    local fleet = assert(lab:controller "one")
    local result = assert(fleet:run())
    assert.same({ 6, 0, 6, 0, 0, 6 }, { result.count, result.left, result.done, result.failed,
      result.left_out, result.ran })
    local effects, all = lab:effects()
    assert.equal(6, all)
    assert.equal(1, effects["pg-100001-004"])
    assert.equal("done", outcomes(lab)["100001/pg-100001-006"])
    assert.same({}, lab:locks())
    assert.equal("finished", lab:records("pg-100001-002")[#lab:records "pg-100001-002"].type)
  end)

  it("is shared by controllers of many accounts, and nothing is done twice", function()
    local lab = labs.new { groups = 20, accounts = 3 }
    local list = {}
    for i = 1, 4 do list[i] = assert(lab:controller("c" .. i, { workers = 5 })) end
    local ran = 0
    for _, ending in ipairs(lab:run(list)) do
      assert(ending.result, ending.err or ending.raised)
      assert.equal(60, ending.result.done)
      assert.is_true(ending.result.ran > 3)
      ran = ran + ending.result.ran
    end
    assert.equal(60, ran)
    local effects, all = lab:effects()
    assert.same({ 60, 60, 60 }, { all, count(effects), count(outcomes(lab)) })
    assert.same({}, lab:locks())
  end)

  it("takes groups of one name in several accounts for what they are", function()
    local lab = labs.new { groups = 5, accounts = 3, alike = true }
    local one, two = assert(lab:controller "one"), assert(lab:controller "two")
    for _, ending in ipairs(lab:run { one, two }) do assert.equal(15, ending.result.done) end
    local effects, all = lab:effects()
    assert.same({ 15, 3 }, { all, effects["pg-002"] })
    assert.same({}, lab:locks())
  end)

  it("asks the store as often for an item of many as for one of few", function()
    local source = ready.load("failover", scratch.read)
    local function calls_an_item(groups)
      local lab, calls = labs.new { groups = groups }, 0
      local fleet = assert(lab:controller("one", { canary = 0, playbook = source,
        run_options = { confirm = function() return true, "ops" end },
        faults = function() calls = calls + 1 end }))
      assert.equal(groups, assert(fleet:run()).done)
      return calls / groups
    end
    local few, many = calls_an_item(10), calls_an_item(60)
    assert.is_true(many < 1.2 * few, ("%.1f, %.1f"):format(few, many))
  end)

  it("is joined by its name alone, and refuses other words than it was begun with", function()
    local lab = labs.new()
    assert(lab:controller "one")
    local _, err = lab:controller("two", { params = { max_rpo = "2h" } })
    assert.equal("Client.RunChanged", err.code)
    assert.matches("2h", err.message)
    local joined = assert(lab:controller("three", { items = false }))
    assert.equal(6, joined.meta.count)
    _, err = lab:controller("four", { items = false, name = "nobody" })
    assert.equal("Client.JournalEmpty", err.code)
  end)

  it("is taken as far as a controller has keys, and does not wait for nobody", function()
    local lab = labs.new { groups = 4, accounts = 2 }
    local one = assert(lab:controller "one")
    local all = one.client
    one.client = function(account) return account == "100002" and all(account) or nil end
    local result = assert(one:run())
    assert.same({ 0, 8, 0 }, { result.done, result.left, result.ran })
    assert.equal(8, assert(assert(lab:controller "two"):run()).done)
  end)

  it("refuses what is wrong at the line that opens it", function()
    local lab = labs.new { groups = 2 }
    for pattern, given in pairs {
      ["items: item 1: region is missing"] = { items = { { account = "100001", group = "pg-1" } } },
      ["items: 100001/pg%-100001%-001 is there twice"] = { items = { lab:items()[1],
        lab:items()[1] } },
      ["canary: got .pg%-100001%-009.; allowed: groups of the fleet; did you mean"] = {
        canary = "pg-100001-009" },
      ["parameter max_rpo: got .soon."] = { params = { max_rpo = "soon" } },
      ["max_errors: got .0%%."] = { max_errors = "0%" },
      ["workers: got 0"] = { workers = 0 },
      ["unknown option .worker.; did you mean .workers."] = { worker = 3 },
    } do
      local ok, message = pcall(lab.controller, lab, "one", given)
      assert.is_false(ok)
      assert.matches(pattern, message)
      assert.matches("spec/dr/fleet/lab.lua:%d+: dr.fleet: ", message)
    end
    assert.same({}, lab.world:dump())
  end)

  it("tells what the run of an item has raised, and gives its lock back", function()
    local lab = labs.new { groups = 4 }
    local fleet = assert(lab:controller("one", { run_options = { kind = "holiday" } }))
    local ok, message = pcall(fleet.run, fleet)
    assert.is_false(ok)
    assert.matches("kind: got \"holiday\"", message)
    assert.same({}, lab:locks())
    assert.equal(0, (select(2, lab:effects())))
  end)
end)
