local desks = require "spec.cli.desk"
local lab = require "spec.dr.lab"
local widths = require "alicloud.cli.width"

local run, lines_of = desks.once, desks.lines_of

-- The lab's group, and one more whose name is Chinese and whose second pair is stopped.
local function two_groups()
  local world = lab.world()
  local other = lab.world { id = "pg-2zeb3k9q7x5m1w8t4c6d", name = "订单系统", pairs = {
    { id = "pair-one" }, { id = "pair-two", status = "stopped" } } }
  world.groups[2] = other.groups[1]
  return world
end

describe("groups one under the other", function()
  it("show names beside ids, aligned by what a terminal makes of them", function()
    local out = run({ world = two_groups(), columns = 140, tty = true }, "status").out
    local at
    for _, line in ipairs(lines_of(out)) do
      local before = line:match "^(.-)cn%-hangzhou/g →" or line:match "^(.-)DIRECTION"
      if before then
        at = at or widths.of(before)
        assert.equal(at, widths.of(before), out)
      end
    end
    assert.matches("GROUP +NAME +DIRECTION", out)
    assert.matches("pg%-2zeb3k9q7x5m1w8t4c6d +订单系统 +cn%-hangzhou", out)
  end)

  it("show which pair differs from its group", function()
    for _, columns in ipairs { 80, 140 } do
      local out = run({ world = two_groups(), columns = columns, tty = true }, "status").out
      assert.matches("\n +! pair%-two is stopped\n", out)
      local _, times = out:gsub("!", "")
      assert.equal(1, times)
    end
  end)

  it("show a pair that has never been synchronized beside others that have", function()
    for _, columns in ipairs { 60, 140 } do
      local world = { group = { pairs = { { id = "pair-1" },
        { id = "pair-2", recover_point_age = false } } }, columns = columns, tty = true }
      local out = run(world, "status").out
      assert.matches("\n +! pair%-2 has no recovery point\n", out)
      assert.is_nil(out:find(" ago", 1, true))
      assert.matches("no recovery point yet of 1 of 2 pairs", run(world, "status", "pg-orders").out)
      assert.is_nil(run(world, "status", "--json").object.groups[1].recover_point_age)
    end
  end)

  it("fit 80 columns, whatever the names are", function()
    for _, words in ipairs { { "status" }, { "status", "pg-2zeb3k9q7x5m1w8t4c6d" } } do
      local out = run({ world = two_groups(), columns = 80, tty = true }, table.unpack(words)).out
      for _, line in ipairs(lines_of(out)) do assert.is_true(widths.of(line) <= 80, line) end
    end
  end)

  it("do not call a pair odd that is one cycle behind", function()
    local out = run({ group = { status = "normal", pairs = { { status = "syncing" }, {} } } },
      "status").out
    assert.is_nil(out:find("!", 1, true))
  end)

  it("do not call a recovery point missing that cannot be true", function()
    for how, words in pairs { future = "unclear", zero = "none" } do
      local out = run({ hostile = { recover_point_as = how } }, "status").out
      assert.matches("normal +3 +" .. words .. " +secondary", out)
      out = run({ hostile = { recover_point_as = how } }, "status", lab.ID).out
      assert.matches("recovery point " .. words, out)
    end
  end)

  it("name some pairs and count the rest", function()
    local members = {}
    for i = 1, 6 do members[i] = { id = "pair-" .. i, status = i > 1 and "stopped" or nil } end
    local out = run({ group = { pairs = members } }, "status").out
    assert.matches("! pair%-2 is stopped, pair%-3 is stopped, pair%-4 is stopped, 2 more differ\n",
      out)
  end)
end)
