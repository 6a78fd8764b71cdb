local widths = require "alicloud.cli.width"

describe("columns of a text", function()
  it("are two for a letter of China, Japan or Korea, none for a mark over another", function()
    for text, columns in pairs { orders = 6, ["订单"] = 4, ["ｵﾀﾞ"] = 3, ["한글"] = 4, ["é"] = 1,
      ["e\u{301}"] = 1, ["→✔…"] = 3, ["＝"] = 2, ["𠮷"] = 2, [""] = 0 } do
      assert.equal(columns, widths.of(text), text)
    end
  end)

  it("are filled up with blanks", function()
    assert.equal("订单  |", widths.pad("订单", 6) .. "|")
    assert.equal("订单|", widths.pad("订单", 3) .. "|")
  end)

  it("are cut between letters, with a sign of that", function()
    assert.equal("订…", widths.cut("订单系统", 4))
    assert.equal("订单", widths.cut("订单", 4))
    assert.equal("or…", widths.cut("orders", 3))
    assert.equal("", widths.cut("orders", 0))
  end)

  it("count bytes of what is no text", function()
    assert.equal(2, widths.of "\xff\xfe")
    assert.equal("\xff\xfe", widths.cut("\xff\xfe", 1))
  end)
end)
