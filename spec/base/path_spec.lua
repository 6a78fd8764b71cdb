local path = require "alicloud.base.path"

describe("a path", function()
  it("leads through tables to a value", function()
    local root = { Disks = { Disk = { 1, 2 } }, Flat = "x" }
    assert.equal(root.Disks.Disk, path.get(root, "Disks.Disk"))
    assert.equal("x", path.get(root, "Flat"))
  end)

  it("ends in nothing where a table is missing, and in what stands in the way", function()
    assert.is_nil(path.get({}, "Disks.Disk"))
    assert.equal("text", path.get({ Disks = "text" }, "Disks.Disk"))
    assert.is_nil(path.get(nil, "Disks"))
  end)
end)
