local moment = require "alicloud.base.moment"

-- 2026-11-22T03:12:40Z
local AT = 1795317160

describe("a moment", function()
  it("is read from unix seconds and from times with any offset", function()
    local cases = { [AT] = AT, ["1795317160"] = AT, ["1795317160.5"] = AT + 0.5,
      ["2026-11-22T03:12:40Z"] = AT, ["2026-11-22t03:12:40z"] = AT,
      ["2026-11-22 03:12:40Z"] = AT, ["2026-11-22T11:12:40+08:00"] = AT,
      ["2026-11-21T22:12:40-05:00"] = AT, ["2026-11-22T08:42:40+05:30"] = AT,
      ["2026-11-22T03:12:40.250Z"] = AT + 0.25, ["2026-11-22T03:12:40-00:00"] = AT }
    for given, at in pairs(cases) do
      local read, ago = moment.parse(given)
      assert.equal(at, read, tostring(given))
      assert.is_nil(ago)
      assert.is_true(moment.is(given))
      assert.equal(at, moment.resolve(given))
    end
  end)

  it("is so long ago where a duration is given, by the clock that counts", function()
    for given, seconds in pairs { ["70m"] = 4200, ["1h10m"] = 4200, ["0s"] = 0 } do
      local at, ago = moment.parse(given)
      assert.is_nil(at)
      assert.equal(seconds, ago)
      assert.equal(AT - seconds, moment.resolve(given, AT))
      assert.is_nil(moment.resolve(given))
    end
  end)

  it("is refused where it could mean something else", function()
    local wrong = { 70, 4200, 1795317160000, -1, 0 / 0, math.huge, "70", "1795317160000", "", "now",
      "yesterday", "2026-11-22", "2026-11-22T03:12:40", "03:12:40", "2026-13-22T03:12:40Z",
      "2026-02-30T03:12:40Z", "2026-11-22T24:00:00Z", "2026-11-22T03:12:40+0800",
      "2026-11-22T03:12:40+24:00", "2026-11-22T03:12:40.Z", "2026-11-22T03:12:4012Z", "-70m",
      "70 m", "400d", "1970-01-01T00:00:00Z", {}, true }
    for _, given in ipairs(wrong) do
      assert.is_false(moment.is(given), tostring(given))
      assert.is_nil(moment.resolve(given, AT))
    end
    assert.is_false(moment.is(nil))
  end)
end)
