local process = require "spec.process"
local zones = require "alicloud.cli.zone"

local function moment_in(zone)
  return (process.sh(([[TZ=%s lua5.4 -e 'print(require("alicloud.cli.zone").moment(1795317160))']])
    :format(zone)))
end

describe("a time on a screen", function()
  it("is in the zone of whoever looks, with its offset", function()
    assert.equal("2026-11-22 11:12:40 +08:00\n", moment_in "CST-8")
    assert.equal("2026-11-22 03:12:40 +00:00\n", moment_in "UTC")
    assert.equal("2026-11-21 23:42:40 -03:30\n", moment_in "NST3:30")
  end)

  it("is so where evidence has said it in UTC", function()
    local text = "at 2026-11-22 03:12:40 UTC and until 2026-11-22 03:13:00 UTC."
    assert.equal(("at %s and until %s."):format(zones.moment(1795317160), zones.moment(1795317180)),
      zones.shown(text))
    assert.equal("2026-13-45 99:00:00 UTC", zones.shown "2026-13-45 99:00:00 UTC")
  end)
end)
