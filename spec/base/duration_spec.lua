local duration = require "alicloud.base.duration"

describe("a duration", function()
  it("is read from seconds and from text with units", function()
    local cases = {
      [0] = 0, [1.5] = 1.5, ["90"] = 90, ["1.5"] = 1.5, ["90s"] = 90, ["20m"] = 1200,
      ["1h30m"] = 5400, ["1d2h3m4s"] = 93784, ["0s"] = 0,
    }
    for given, seconds in pairs(cases) do
      assert.equal(seconds, duration.parse(given), tostring(given))
    end
  end)

  it("is refused when it is not finite, negative, empty, or has units out of order", function()
    local wrong = { -1, 0 / 0, math.huge, "", " 5m", "5m ", "5 m", "m", "5x", "1m1h", "1m1m", "-5m",
      "0x10", "1e3", "1h30", {}, true, "99999999999999999999999s",
      -- In days these are more seconds than an integer holds.
      "9223372036854775807d", "106751991167301d" }
    for _, given in ipairs(wrong) do assert.is_nil(duration.parse(given), tostring(given)) end
    assert.is_nil(duration.parse(nil))
  end)

  it("is written so that a person reads it at a glance", function()
    local cases = { [0] = "0 s", [52.4] = "52 s", [59.6] = "1m", [432] = "7m12s", [1200] = "20m",
      [3600] = "1h", [3900] = "1h05m", [273600] = "3d4h",
      [366 * 86400] = "366d" }
    for seconds, text in pairs(cases) do assert.equal(text, duration.format(seconds)) end
    for seconds, text in pairs { [0.2] = "0.2 s", [1.5] = "1.5 s", [432] = "7m12s" } do
      assert.equal(text, duration.limit(seconds))
    end
    assert.equal("00:41", duration.clock(41.9))
    assert.equal("1:02:03", duration.clock(3723))
    assert.equal("00:00", duration.clock(-1))
  end)
end)
