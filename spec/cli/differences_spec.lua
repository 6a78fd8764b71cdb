-- A service that differs from what is assumed, at the command line: a warning for people, with the
-- next command; output and exit code stay as they were.

local desks = require "spec.cli.desk"

local function warnings_of(ran)
  local list = {}
  for line in ran.err:gmatch "[^\n]+" do
    if line:find("the service differs", 1, true) then list[#list + 1] = line end
  end
  return list
end

local FAILOVER = { "failover", "pg-orders", "--yes" }

describe("a service that differs", function()
  it("is told of once on standard error, and changes neither output nor exit code", function()
    for _, case in ipairs {
      { { recover_point_as = "milliseconds" }, "times_in_seconds" },
      { { pair_count_off = 1 }, "pair_count" },
      { { odd_look = 2 }, "site_direction" },
    } do
      local usual = desks.once({}, table.unpack(FAILOVER))
      local ran, desk = desks.once({ hostile = case[1] }, table.unpack(FAILOVER))
      local told = warnings_of(ran)
      assert.equal(usual.code, ran.code, ran.err)
      assert.equal(1, #desk:ledger())
      assert.is_true(#told >= 1 and #told <= 2, ran.err)
      for _, line in ipairs(told) do
        assert.matches("^alicloud%-dr: warning: the service differs from what this program assumes "
          .. "%(" .. case[2] .. "%): .+; see `alicloud%-dr explain " .. case[2] .. "`$", line)
      end
      assert.is_nil(ran.out:find("differs from", 1, true))
    end
  end)

  it("is not told of where all is as assumed", function()
    for _, words in ipairs { FAILOVER, { "status", "pg-orders" }, { "precheck", "pg-orders" },
      { "readiness" }, { "drill", "list", "pg-orders" } } do
      assert.same({}, warnings_of(desks.once({}, table.unpack(words))))
    end
  end)

  it("leaves --json alone, and names a command that works", function()
    local ran = desks.once({ hostile = { pair_count_off = 1 } }, "status", "pg-orders", "--json")
    assert.equal(0, ran.code)
    assert.is_table(ran.object)
    local name = warnings_of(ran)[1]:match "`alicloud%-dr explain ([%l_]+)`$"
    assert.equal(0, desks.new():run("explain", name).code)
  end)
end)
