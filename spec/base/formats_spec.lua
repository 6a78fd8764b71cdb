local formats = require "alicloud.base.formats"

local function assert_takes(rule, good, bad)
  for _, value in ipairs(good) do assert.is_true(rule.test(value), tostring(value)) end
  for _, value in ipairs(bad) do assert.is_false(rule.test(value), tostring(value)) end
  for _, value in ipairs { true, {}, 0 / 0 } do assert.is_false(rule.test(value)) end
  assert.is_false(rule.test(nil))
end

describe("the formats of what people name", function()
  it("take ids of groups, disks and instances", function()
    assert_takes(formats.ID, { "pg-orders", "d-1", "A_b.c", ("x"):rep(64) },
      { "", "-a", ".a", "_a", "a b", "a/b", "pg-\n", "ö", ("x"):rep(65), 1 })
    assert.equal("an id of 1 to 64 letters, digits, '-', '_' or '.'", formats.ID.allowed)
  end)

  it("take regions", function()
    assert_takes(formats.REGION, { "cn-shanghai", "us-east-1", "a1", "a" .. ("b"):rep(63) },
      { "", "a", "1a", "cn-", "-cn", "Cn", "cn_a", "cn.a", "cn a", ("b"):rep(65), 1 })
    assert.equal("a region such as cn-shanghai", formats.REGION.allowed)
  end)

  it("take tokens and names of incidents", function()
    assert_takes(formats.TOKEN, { "a", " ~", ("x"):rep(64) }, { "", "\t", "ä", ("x"):rep(65), 1 })
    assert_takes(formats.INCIDENT, { "a", "Störung 7", ("x"):rep(256) },
      { "", "a\n", "\127", ("x"):rep(257), 1 })
    assert.equal("1 to 64 printable ASCII characters", formats.TOKEN.allowed)
    assert.equal("text of 1 to 256 bytes without control characters", formats.INCIDENT.allowed)
  end)

  it("take durations inside their bounds", function()
    assert_takes(formats.TIMEOUT, { 1, "1s", "366d", 31622400 }, { 0.9, "0s", "367d", "", "x" })
    assert_takes(formats.POLL, { 0.05, 300, "5m" }, { 0.04, "301s", -1 })
    assert_takes(formats.WINDOW, { 0, "1h" }, { "61m", 3601 })
    assert.equal('seconds, or a text such as "90s", "20m", "1h30m", from 1 s to 366d',
      formats.TIMEOUT.allowed)
    assert.equal('seconds, or a text such as "90s", "20m", "1h30m", from 0.05 s to 5m',
      formats.POLL.allowed)
    assert.equal('seconds, or a text such as "90s", "20m", "1h30m", from 0 s to 1h',
      formats.WINDOW.allowed)
  end)

  it("turn the durations of options into seconds", function()
    local options = { timeout = "2m", poll = 5, stall = nil, other = "1m" }
    local defaults = { timeout = 7, poll = 8, stall = 9, max_rpo = false }
    local read = formats.with_seconds(options, defaults)
    assert.equal(options, read)
    assert.same({ timeout = 120, poll = 5, stall = 9, other = "1m" }, read)
  end)
end)
