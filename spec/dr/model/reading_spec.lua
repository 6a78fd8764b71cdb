-- Times of records, and never something that cannot be true.

local reading = require "alicloud.dr.model.reading"

local NOW = 1795872000

describe("a recovery point", function()
  it("is seconds, digits of seconds, or milliseconds", function()
    for _, value in ipairs { NOW, tostring(NOW), NOW + 0.5, NOW * 1000, NOW * 1000 + 999,
      tostring(NOW * 1000) } do
      assert.equal(NOW, (reading.moment(value, NOW + 5)))
    end
  end)

  it("is a time as RFC 3339 writes it, with any offset", function()
    for _, value in ipairs { "2026-11-28T13:20:00Z", "2026-11-28T21:20:00+08:00",
      "2026-11-28T13:20:00.5Z" } do
      assert.equal(NOW, (reading.moment(value, NOW)))
    end
    local point, doubt = reading.moment("2026-11-28T13:20:06Z", NOW)
    assert.is_nil(point)
    assert.equal(("%d lies in the future"):format(NOW + 6), doubt)
  end)

  it("is missing where nothing is said, or nothing that is later than the epoch", function()
    for _, value in ipairs { 0, -1, "0", "" } do
      assert.same({}, { reading.moment(value, NOW) })
    end
    assert.same({}, { reading.moment(nil, NOW) })
  end)

  it("may lie ahead as far as two clocks of the service differ, and no further", function()
    assert.equal(NOW + 5, (reading.moment(NOW + 5, NOW)))
    for _, value in ipairs { NOW + 6, NOW + 59, NOW + 600, NOW * 2, (NOW + 600) * 1000, NOW * 1e6,
      tostring(NOW + 3600), math.huge } do
      local point, doubt = reading.moment(value, NOW)
      assert.is_nil(point)
      assert.is_string(doubt)
    end
  end)

  it("that is no time is in doubt, not missing", function()
    for _, value in ipairs { "yesterday", "2026-11-28 13:20", true, {}, 0 / 0 } do
      local point, doubt = reading.moment(value, NOW)
      assert.is_nil(point)
      assert.matches("is no time", doubt)
      assert.not_matches("0x", doubt)
    end
  end)

  it("is taken as it is where the service gave no time", function()
    assert.equal(NOW, (reading.moment(NOW, nil)))
  end)
end)
