local core = require "alicloud.core"
local tables = require "alicloud.base.tables"

describe("a path", function()
  it("leads through tables to a value", function()
    local root = { Disks = { Disk = { 1, 2 } }, Flat = "x" }
    assert.equal(root.Disks.Disk, tables.at(root, "Disks.Disk"))
    assert.equal("x", tables.at(root, "Flat"))
  end)

  it("ends in nothing where a table is missing, and in what stands in the way", function()
    assert.is_nil(tables.at({}, "Disks.Disk"))
    assert.equal("text", tables.at({ Disks = "text" }, "Disks.Disk"))
    assert.is_nil(tables.at(nil, "Disks"))
  end)
end)

describe("a table", function()
  it("is copied and merged without what it was made from being changed", function()
    local first, second = { a = 1, b = false }, { a = 2, c = 3 }
    assert.same(first, tables.copy(first))
    assert.not_equal(first, tables.copy(first))
    assert.same({ a = 2, b = false, c = 3 }, tables.merged(first, nil, second))
    assert.same({ a = 1, b = false }, first)
    assert.same({}, tables.merged())
  end)

  it("is turned round: elements as keys, elements by a field", function()
    assert.same({ x = true, y = true }, tables.set { "x", "y", "x" })
    assert.same({}, tables.set(nil))
    local list = { { id = "a" }, { id = "b" } }
    assert.same({ a = list[1], b = list[2] }, tables.index(list, "id"))
    assert.same({ "a", "b", "c" }, tables.keys { c = 1, a = 2, b = 3 })
  end)

  it("is a list, a map, or neither", function()
    assert.equal(2, tables.list_length { "x", core.null })
    assert.equal(0, tables.list_length {})
    assert.equal(0, tables.list_length(core.array {}))
    assert.is_nil(tables.list_length { a = 1 })
    assert.same({ nil, "it mixes list positions and names" }, { tables.list_length { 1, a = 1 } })
    assert.same({ nil, "the list has a hole; alicloud.null leaves a position empty" },
      { tables.list_length { [1] = 1, [3] = 1 } })
    assert.is_nil(tables.list_length { [0] = 1 })
  end)
end)
