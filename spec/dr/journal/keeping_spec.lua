-- What comes back from a journal as it was, and what is told because it would not.

local after = require "spec.dr.after_lab"
local core = require "alicloud.core"
local journals = require "alicloud.dr.journal"
local keeping = require "alicloud.dr.journal.keeping"

-- As a run that goes on reads it: from the line of a record.
local function back(value)
  local line = journals.line(1, journals.FIRST, journals.plain { result = value })
  return assert(journals.read(line)).events[1].result
end

local function same(value, other)
  if type(value) ~= "table" then
    return math.type(value) == math.type(other) and value == other
  end
  if type(other) ~= "table" then return false end
  if next(value) == nil and core.is_array(value) ~= core.is_array(other) then return false end
  for key, field in next, value do
    if not same(field, other[key]) then return false end
  end
  for key in next, other do
    if value[key] == nil then return false end
  end
  return true
end

local function faults_of(value)
  return table.concat(select(2, keeping.copy(value, "result")), "; ")
end

local circle = {}
circle.inside = { circle }

local ODD = {
  { 0 / 0, "result: got nan" },
  { { v = math.huge }, "result.v: got inf" },
  { { v = { 1, 2, -math.huge } }, "result.v[3]: got -inf" },
  { { v = print }, "result.v: got a function" },
  { { ["a b"] = io.stdout }, 'result["a b"]: got a userdata' },
  { { v = coroutine.create(print) }, "result.v: got a coroutine" },
  { { v = { 1, 2, x = 3 } }, "result.v: got a list that has names, too" },
  { { v = { 1, nil, 3 } }, "result.v: got a list with holes" },
  { { v = { [0] = 1 } }, "result.v[0]: got a name that is a number" },
  { { [1.5] = "a" }, "result[1.5]: got a name that is a number" },
  { { [true] = "a" }, "result[true]: got a name that is a boolean" },
  { { v = "\xff\xfe" }, "result.v: got bytes that are no text in UTF-8" },
  { { v = "a\0b" }, "result.v: got bytes that are no text in UTF-8" },
  { { ["\xff"] = 1 }, 'result["\\xff"]: got a name that is no UTF-8' },
  { { v = core.null }, "result.v: got null, which only a list keeps" },
  { core.null, "result: got null" },
  { circle, "result.inside[1]: got a table that it is in itself" },
  { setmetatable({}, { __index = function() return 1 end, __tostring = function()
    return "mine"
  end }), "result: got an object: mine" },
  { { a = print, b = 0 / 0 }, "result.%w: got .+; result.%w: got .+" },
}

describe("what a journal keeps", function()
  it("comes back as it was", function()
    local shared = { "twice" }
    for _, value in ipairs { true, false, 0, -0.0, 3, 3.0, 0.1, 1 / 3, 2^53, math.maxinteger,
      math.mininteger, 5e-324, 1.7976931348623157e308, "", "ä€😀\r\n\t\27\127\u{2028}", {},
      core.array {}, { 1, false, true, core.null, "x" }, { { {} }, { core.array {} } },
      { [""] = 1, ["1"] = 2, ["a b"] = { c = false } }, { shared, shared } } do
      local copy, faults = keeping.copy(value, "result")
      assert.same({}, faults)
      assert.is_true(same(value, copy), tostring(value))
      assert.is_true(same(copy, back(copy)), tostring(value))
    end
  end)

  it("is told by its path if it cannot, and what is left comes back", function()
    for _, case in ipairs(ODD) do
      local copy, faults = keeping.copy(case[1], "result")
      local told = table.concat(faults, "; ")
      assert.truthy(told == case[2] or told:find("^" .. case[2] .. "$"), told)
      assert.is_true(copy == nil or same(copy, back(copy)), case[2])
    end
  end)

  it("goes as deep as is said, and no deeper", function()
    local value = {}
    for _ = 1, 19 do value = { value } end
    assert.equal("", faults_of(value))
    assert.is_true(same(value, back(value)))
    assert.equal("result" .. ("[1]"):rep(20) .. ": got more than 20 tables in each other",
      faults_of { value })
  end)

  it("has an end, and a measure", function()
    local wide = {}
    for _ = 1, 18 do wide = { wide, wide } end
    assert.matches("got more than 200000 tables", faults_of(wide))
    local _, faults = keeping.copy(("x"):rep(100), "result", 99)
    assert.same({ "result: got 102 bytes, which are more than 99" }, faults)
  end)

  it("hides what a name calls a secret", function()
    assert.same({ password = journals.HIDDEN, n = 1 }, (keeping.copy({ password = "x", n = 1 },
      "result")))
  end)

  it("is whatever a group and a client return", function()
    local bench = after.new()
    local group = bench:group()
    local function kept(name, ...)
      local result, err = ...
      assert(result, name .. ": " .. tostring(err))
      assert.equal("", faults_of(result), name)
      return result
    end
    for _, name in ipairs { "observe", "look", "precheck", "drills", "standing", "drill", "stop",
      "sync_now", "start", "await_recovery_point", "fence" } do
      kept(name, group[name](group))
    end
    kept("preflight", group:preflight { move = "failover" })
    kept("failover", group:failover())
    kept("serve", group:serve { attach = { ["d-new-1"] = "i-new" } })
    kept("a call", bench.client:call("ebs:DescribeDiskReplicaGroups", {}))
    assert.equal("", faults_of(select(2, bench.client:call("ebs:FailoverDiskReplicaGroup",
      { ReplicaGroupId = "pg-nobody" }))))
  end)
end)
