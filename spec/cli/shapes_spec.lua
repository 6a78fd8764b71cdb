-- What is said of values from a process without rights.

local shapes = require "alicloud.cli.confine.shapes"

local PART = shapes.object { a = shapes.text(3), ["b?"] = shapes.list(shapes.count, 2) }
local FIELDS = { name = shapes.text(3), ["list?"] = shapes.list(shapes.count, 2),
  ["map?"] = shapes.map(shapes.text(2), 2, 3), ["part?"] = PART }

local LIST = "field list: got a table; allowed: a list of at most 2, each an integer from 0 to "
  .. "9007199254740992"
local MAP = "field map: got a table; allowed: at most 2 names, each with text of at most 2 bytes"
local OBJECT = "field part: got a table; allowed: a table of certain fields"

local FAULTS = {
  { 5, "options: got 5 (number); allowed: a table" }, { {}, "field name is missing" },
  { { name = "abcd" }, 'field name: got "abcd"; allowed: text of at most 3 bytes' },
  { { name = 5 }, "field name: got 5 (number); allowed: text of at most 3 bytes" },
  { { nam = "x" }, 'unknown field "nam"; did you mean "name"?' },
  { { "x" }, "unknown field 1 (number)" },
  { { name = "a", list = { 1, 2, 3 } }, LIST }, { { name = "a", list = { -1 } }, LIST },
  { { name = "a", list = { x = 1 } }, LIST }, { { list = { x = 1 } }, LIST },
  { { name = "a", map = { a = "abc" } }, MAP }, { { name = "a", map = { aaaa = "a" } }, MAP },
  { { name = "a", map = { 1 } }, MAP }, { { name = "a", map = { a = "", b = "", c = "" } }, MAP },
  { { name = "a", part = {} }, OBJECT }, { { name = "a", part = { a = "x", c = 1 } }, OBJECT },
  { { name = "a", part = 5 }, "field part: got 5 (number); allowed: a table of certain fields" },
}

describe("a shape", function()
  it("is told from what is none by field, value and what is allowed", function()
    for _, case in ipairs(FAULTS) do
      assert.equal("a plan: " .. case[2], shapes.fault("a plan", case[1], FIELDS))
    end
  end)

  it("takes what may be missing", function()
    assert.is_nil(shapes.fault("a plan", { name = "a" }, FIELDS))
    assert.is_nil(shapes.fault("a plan", { name = "a", list = {}, map = {},
      part = { a = "x", b = { 1 } } }, FIELDS))
  end)
end)
