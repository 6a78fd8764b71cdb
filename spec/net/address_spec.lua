local address = require "alicloud.net.address"

local function hex(text)
  local bytes = address.parse(text)
  if not bytes then return nil end
  local digits = {}
  for i, byte in ipairs(bytes) do digits[i] = ("%02x"):format(byte) end
  return table.concat(digits)
end

describe("an address", function()
  it("is read byte for byte", function()
    for text, bytes in pairs {
      ["127.0.0.1"] = "7f000001",
      ["255.255.255.255"] = "ffffffff",
      ["::"] = ("0"):rep(32),
      ["::1"] = ("0"):rep(31) .. "1",
      ["2001:db8::"] = "20010db8" .. ("0"):rep(24),
      ["2001:DB8:0:0:0:0:0:1"] = "20010db8" .. ("0"):rep(23) .. "1",
      ["::ffff:192.0.2.1"] = ("0"):rep(20) .. "ffffc0000201",
      ["1:2:3:4:5:6:7:8"] = "00010002000300040005000600070008",
      ["1:2:3:4:5:6:7::"] = "00010002000300040005000600070000",
    } do
      assert.equal(bytes, hex(text), text)
    end
  end)

  it("is refused when it is not one", function()
    for _, text in ipairs { "", "1.2.3", "1.2.3.4.5", "256.1.1.1", "1.2.3.04", "1.2.3.4 ", "a.b.c",
      ":", ":::", "1::2::3", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "1:2:3:4:5:6:7:8::", "12345::",
      "g::", "::1.2.3", "1.2.3.4::", "fe80::1%eth0", "[::1]", "host" } do
      assert.is_nil(hex(text), text)
    end
  end)

  it("lies in a network, or is the one that is named", function()
    local function within(text, network) return address.within(address.parse(text), network) end
    assert.is_true(within("10.1.2.3", "10.0.0.0/8"))
    assert.is_true(within("10.1.2.3", "10.1.2.3"))
    assert.is_true(within("10.1.2.3", "0.0.0.0/0"))
    assert.is_true(within("192.168.129.1", "192.168.128.0/17"))
    assert.is_true(within("2001:db8::5", "2001:db8::/32"))
    assert.is_false(within("192.168.1.1", "192.168.128.0/17"))
    assert.is_false(within("10.1.2.3", "10.1.2.4"))
    assert.is_false(within("10.1.2.3", "10.0.0.0/33"))
    assert.is_false(within("10.1.2.3", "10.0.0.0/x"))
    assert.is_false(within("10.1.2.3", "::/0"))
    assert.is_false(within("10.1.2.3", "host"))
  end)
end)
