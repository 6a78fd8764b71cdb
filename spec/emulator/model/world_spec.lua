-- Descriptions of worlds: what may be written, what is filled in, what is refused and how.

local caller = require "spec.emulator.caller"
local emulator = require "alicloud.emulator"
local datafile = require "alicloud.emulator.datafile"

local SOURCE, DESTINATION = "cn-hangzhou/cn-hangzhou-g", "cn-shanghai/cn-shanghai-b"

describe("a world", function()
  it("is a demo unless told otherwise: one group for each lesson", function()
    local probe = caller.new()
    assert.equal("ok", (probe:failover "pg-orders"))
    assert.equal("ok", (probe:failover "pg-payments"))
    assert.equal("OperationDenied.PairGroupStatusConflict", (probe:failover "pg-ledger"))
    assert.equal("OperationDenied.NoPairInGroup", (probe:failover "pg-empty"))
    assert.equal("OperationDenied.InvalidStatus", (probe:failover "pg-fresh"))
    assert.equal(3, #probe.emu:group("pg-orders").pairs)
  end)

  it("needs little: what is not said is filled in", function()
    local probe = caller.new { world = { groups = {
      { id = "pg-a", source = SOURCE, destination = DESTINATION, pairs = 2 } } } }
    local group = probe:look "pg-a"
    assert.equal("normal", group.Status)
    assert.equal(900, group.RPO)
    assert.same({ "pair-a-1", "pair-a-2" }, group.PairIds)
    assert.equal(1795316400 - 300, group.LastRecoverPoint)
  end)

  it("takes a recovery point as a moment or as an age, or none", function()
    local function point_of(about)
      about.id, about.source, about.destination = "pg-one", SOURCE, DESTINATION
      return caller.new({ world = { groups = { about } } }):look("pg-one").LastRecoverPoint
    end
    assert.equal(1795316000, point_of { recover_point = 1795316000 })
    assert.equal(1795316399, point_of { recover_point_age = 0.5 })
    assert.is_nil(point_of { recover_point_age = false })
  end)

  local function problem_of(group)
    local ok, message = pcall(emulator.new, { world = { groups = { group } } })
    assert.is_false(ok)
    return message
  end

  for problem, group in pairs {
    ["groups[1].destination: is required"] = { id = "pg-a", source = SOURCE },
    ['groups[1].souce: unknown field, did you mean "source"'] =
      { id = "pg-a", souce = SOURCE, destination = DESTINATION },
    ['groups[1].source: must be "region/zone"'] =
      { id = "pg-a", source = "cn-hangzhou", destination = DESTINATION },
    ['groups[1].status: must be one of'] =
      { id = "pg-a", source = SOURCE, destination = DESTINATION, status = "normel" },
    ['did you mean "normal"?'] =
      { id = "pg-a", source = SOURCE, destination = DESTINATION, status = "normel" },
    ["groups[1].pairs: must be from 0 to 17, got 18"] =
      { id = "pg-a", source = SOURCE, destination = DESTINATION, pairs = 18 },
    ["groups[1].pairs[2].recover_point_age: must be from 0 to 253402300799, got -1"] =
      { id = "pg-a", source = SOURCE, destination = DESTINATION,
        pairs = { {}, { recover_point_age = -1 } } },
    ["groups[1].rpo: must be integer, got number 0.5"] =
      { id = "pg-a", source = SOURCE, destination = DESTINATION, rpo = 0.5 },
    ["groups[1].failover_seconds: must be number, got number"] =
      { id = "pg-a", source = SOURCE, destination = DESTINATION, failover_seconds = 0 / 0 },
    ['groups[1].id: must be letters, digits'] =
      { id = "../etc", source = SOURCE, destination = DESTINATION },
    ['pair "p" is described twice'] =
      { id = "pg-a", source = SOURCE, destination = DESTINATION,
        pairs = { { id = "p" }, { id = "p" } } },
  } do
    it("is refused: " .. problem, function()
      local message = problem_of(group)
      assert.truthy(message:find(problem, 1, true), message)
    end)
  end
end)

describe("options of an emulator", function()
  for problem, options in pairs {
    ['clok: unknown field, did you mean "clock"'] = { clok = "manual" },
    ['clock: must be one of "manual", "poll", "scaled", "real", got "fast"'] = { clock = "fast" },
    ["seed: must be integer, got number 1.5"] = { seed = 1.5 },
    ["speed: must be at least"] = { speed = 0 },
    ["world: must be table"] = { world = "demo" },
    ["access_key_id: must be letters and digits"] = { access_key_id = "" },
  } do
    it("are refused: " .. problem, function()
      local ok, message = pcall(function()
        local made = emulator.new(options)
        return made
      end)
      assert.is_false(ok)
      assert.matches("^[^:]*world_spec.lua:%d+: emulator.new: ", message)
      assert.truthy(message:find(problem, 1, true), message)
    end)
  end
end)

describe("a file", function()
  it("is a Lua table, loaded as data", function()
    assert.same({ groups = { 1 } }, datafile.parse("return { groups = { 1 } }", "w.lua"))
  end)

  it("is JSON when it is called so", function()
    assert.equal("pg", datafile.parse('{"groups":[{"id":"pg"}]}', "w.JSON").groups[1].id)
  end)

  for problem, file in pairs {
    ["attempt to index a nil value (global 'os')"] = { "return { os.time() }", "w.lua" },
    ["attempt to load a binary chunk"] = { string.dump(function() return {} end), "w.lua" },
    ["w.lua:1: "] = { "return {", "w.lua" },
    ["w.lua: must give a table, gives nil"] = { "local x = 1", "w.lua" },
    ["w.json: "] = { "{", "w.json" },
    ["w.json: must give a table, gives number"] = { "1", "w.json" },
  } do
    it("is refused: " .. problem, function()
      local value, message = datafile.parse(file[1], file[2])
      assert.is_nil(value)
      assert.truthy(message:find(problem, 1, true), message)
    end)
  end
end)

describe("records in motion", function()
  local state = require "alicloud.emulator.model.state"
  local world = require "alicloud.emulator.model.world"

  after_each(function() state.acts.spec_start_next = nil end)

  it("are all kept when a step of one sets others in motion", function()
    local groups = {}
    for i = 1, 4 do
      groups[i] = { id = "pg-" .. i, source = "a/a-1", destination = "b/b-1", pairs = 1 }
    end
    local made = assert(world.build({ groups = groups }, 1000))
    local g = made.group_by_id
    local function step(group, at, status, act)
      return { at = at, order = 1, record = group, status = status, act = act }
    end
    -- When pg-1 arrives, it starts pg-3 and pg-4; pg-2 is under way meanwhile.
    state.acts.spec_start_next = function(of, _, at)
      of:schedule(g["pg-3"], { step(g["pg-3"], at + 5, "stopped") })
      of:schedule(g["pg-4"], { step(g["pg-4"], at + 5, "stopped") })
    end
    made:schedule(g["pg-1"], { step(g["pg-1"], 1010, "stopped", "spec_start_next") })
    made:schedule(g["pg-2"], { step(g["pg-2"], 1012, "stopped") })
    for _, now in ipairs { 1009, 1010, 1011, 1012, 1015 } do made:advance_to(now) end
    for id, group in pairs(g) do assert.equal("stopped", group.status, id) end
  end)
end)
