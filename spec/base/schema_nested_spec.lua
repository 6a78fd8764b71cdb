-- Tables in tables: what world files, faults and options of the emulator hold.

local core = require "alicloud.core"
local schema = require "alicloud.base.schema"

local ID = { type = "string", pattern = "[%w][%w_.-]*",
  allowed = "letters, digits, '-', '_' or '.'" }

local FIELDS = {
  id = { type = "string", required = true, pattern = ID.pattern, allowed = ID.allowed },
  size = { type = "integer", min = 1 }, part = { type = "number", min = 0, max = 1 },
  state = { type = "string", values = { "up", "down", 5 } },
  raw = { type = "string", pattern = "x+" }, any = {}, flag = { type = "boolean" },
  pairs = { type = { "integer", "table" }, min = 0, max = 17, each = ID },
  places = { type = { "string", "table" }, pattern = "[a-z]+", allowed = "a place",
    fields = { id = ID } },
  tags = { type = "table", map = { type = "string" } },
  list = { type = "table", each = { type = "table", fields = { id = ID,
    deep = { type = "table", each = ID } } } },
}

local NAMES = "(allowed: any, flag, id, list, pairs, part, places, raw, size, state, tags)"
local NO_ID = "must be letters, digits, '-', '_' or '.', got "

local PROBLEMS = {
  { {}, "id: is required" },
  { { id = 5 }, "id: must be string, got number 5" },
  { { id = "-" }, 'id: ' .. NO_ID .. '"-"' },
  { { id = "a\n" }, 'id: ' .. NO_ID .. '"a\\\n"' },
  { { id = ("x"):rep(90) .. ";" }, 'id: ' .. NO_ID .. '"' .. ("x"):rep(80) .. '…"' },
  { { id = core.null }, "id: must be string, got null" },
  { { size = 0 }, "size: must be at least 1, got 0" },
  { { size = 1.5 }, "size: must be integer, got number 1.5" },
  { { size = "1" }, 'size: must be integer, got string "1"' },
  { { part = 2 }, "part: must be from 0 to 1, got 2" },
  { { part = -1 }, "part: must be from 0 to 1, got -1" },
  { { part = 1 / 0 }, "part: must be number, got number inf" },
  { { state = "dwn" },
    'state: must be one of "up", "down", 5, got "dwn", did you mean "down"?' },
  { { state = "zzzzzzzz" }, 'state: must be one of "up", "down", 5, got "zzzzzzzz"' },
  { { raw = "y" }, 'raw: must be x+, got "y"' },
  { { flag = 1 }, "flag: must be boolean, got number 1" },
  { { pairs = 18 }, "pairs: must be from 0 to 17, got 18" },
  { { pairs = "x" }, 'pairs: must be integer or table, got string "x"' },
  { { pairs = { 1 } }, "pairs[1]: must be string, got number 1" },
  { { pairs = { x = 1 } }, 'pairs: must be a list, got the field "x"' },
  { { pairs = { [2] = "x" } }, "pairs: must be a list, got the field 2" },
  { { pairs = { core.null } }, "pairs[1]: must be string, got null" },
  { { places = "5" }, 'places: must be a place, got "5"' },
  { { places = { id = "-" } }, 'places.id: ' .. NO_ID .. '"-"' },
  { { places = { ide = 1 } }, 'places.ide: unknown field, did you mean "id"? (allowed: id)' },
  { { places = { [1] = 1 } }, "places.: unknown field 1" },
  { { tags = { [1] = "x" } }, "tags: must have names, got the field 1" },
  { { tags = { b = 1, a = 2 } }, "tags.a: must be string, got number 2" },
  { { tags = core.null }, "tags: must be table, got null" },
  { { list = { {}, { id = "b" }, { id = "-" } } }, 'list[3].id: ' .. NO_ID .. '"-"' },
  { { list = { { deep = { "ok", "-" } } } }, 'list[1].deep[2]: ' .. NO_ID .. '"-"' },
  { { list = { { odd = 1 } } },
    'list[1].odd: unknown field, did you mean "id"? (allowed: deep, id)' },
  { { ide = "b", zz = 1 }, 'ide: unknown field, did you mean "id"? ' .. NAMES },
  { { [1] = "x" }, ": unknown field 1" },
  { { [1] = "x", zz = 1 }, ": unknown field 1" },
  { { id = 5, size = 0 }, "id: must be string, got number 5" },
}

describe("tables in tables", function()
  it("are refused with the path, what it must be and what it is", function()
    for i, case in ipairs(PROBLEMS) do
      local given = case[1]
      if given.id == nil and i > 1 then given.id = "a" end
      assert.equal(case[2], schema.problem(given, FIELDS))
    end
    assert.equal('state: must be string, got table table: 0x',
      schema.problem({ id = "a", state = {} }, FIELDS):match "^.-0x")
    assert.matches("^part: must be number, got number %-?nan",
      schema.problem({ id = "a", part = 0 / 0 }, FIELDS))
  end)

  it("pass with fields that are there or not", function()
    assert.is_nil(schema.problem({ id = "a" }, FIELDS))
    assert.is_nil(schema.problem({ id = "a", pairs = 3, places = "x", any = 1 }, FIELDS))
    assert.is_nil(schema.problem({ id = "a", pairs = { "x", "y" }, places = { id = "z" },
      tags = { a = "b" }, list = { { deep = {} } } }, FIELDS))
  end)

  it("may have a name of their own", function()
    assert.equal('event: must be a table, got string "x"', schema.problem("x", FIELDS, "event"))
    assert.equal("value: must be a table, got number 5", schema.problem(5, FIELDS))
    assert.equal("event.id: is required", schema.problem({}, FIELDS, "event"))
    assert.equal("event.: unknown field 1", schema.problem({ 1 }, FIELDS, "event"))
  end)
end)
