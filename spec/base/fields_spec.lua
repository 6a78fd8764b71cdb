local core = require "alicloud.core"
local fields = require "alicloud.base.fields"

describe("a field of an answer", function()
  it("that is a number is read from digits too", function()
    for value, expected in pairs { [3] = 3, ["3"] = 3, [" 17 "] = 17, ["2.0"] = 2, [4.0] = 4 } do
      assert.equal(expected, fields.count(value))
    end
    for _, value in ipairs { "", "x3", "3x", "0x10", 2.5, "1e3", {}, true, 0 / 0, math.huge } do
      assert.is_nil(fields.count(value))
    end
    assert.equal(2.5, fields.number "2.5")
  end)

  it("that is text is read from a number too", function()
    assert.same({ "a", "7", "7", "2.5" }, { fields.text "a", fields.text(7), fields.text(7.0),
      fields.text(2.5) })
    for _, value in ipairs { "", true, {}, core.null } do assert.is_nil(fields.text(value)) end
    assert.is_nil(fields.text(nil))
  end)

  it("that is a list of ids is read with an element for each, for several, and as text", function()
    for _, value in ipairs { { "b", "a", "b" }, { "b, a b" }, "b,a,b", { "b", {}, ",a\nb" } } do
      assert.same({ "b", "a", "b" }, fields.ids(value))
    end
    assert.same({ "7" }, fields.ids { 7, true, {}, "" })
    for _, value in ipairs { 3, true, core.null } do assert.is_nil(fields.ids(value)) end
    assert.is_nil(fields.ids(nil))
  end)

  it("that is a list of objects is read with its wrapping, without it, and alone", function()
    local one, two = { Id = "a" }, { Id = "b" }
    for _, value in ipairs { { Item = { one, two } }, { one, core.null, two }, { one, 3, two } } do
      assert.same({ one, two }, fields.objects(value, "Item"))
    end
    for _, value in ipairs { { Item = one }, one } do
      assert.same({ one }, fields.objects(value, "Item"))
    end
    for _, value in ipairs { {}, { Item = "x" }, { Item = {} }, "x", 3, core.null } do
      assert.same({}, fields.objects(value, "Item"))
    end
  end)
end)
