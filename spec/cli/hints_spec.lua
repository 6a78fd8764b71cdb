local desks = require "spec.cli.desk"
local after = require "spec.dr.after_lab"
local errors = require "alicloud.base.error"
local hints = require "alicloud.cli.hints"

describe("a hint at the shell", function()
  local about = { group_id = "pg-orders", region = "cn-shanghai" }

  it("names commands where the library names methods", function()
    for hint, expected in pairs {
      ["stop the instances (group:fence)"] =
        "stop the instances (alicloud-dr fence pg-orders --region cn-shanghai)",
      ['accept old_side = "stopped"; or wait'] = "accept --old-side stopped; or wait",
      ['say the zone: to = "cn-hangzhou-h"'] = "say the zone: --to cn-hangzhou-h",
      ['its next name: --incident I-2 (in Lua incident = "I-2")'] = "its next name: --incident I-2",
      ["call group:observe, look again"] = "call group:observe, look again",
      ['colour = "red"'] = 'colour = "red"',
    } do
      assert.equal(expected, hints.translate(hint, about))
    end
    assert.equal("alicloud-dr fence GROUP", hints.translate("group:fence", {}))
    assert.equal("a larger --max-rpo, or --outage-at",
      hints.translate("a larger max_rpo, or outage_at", about))
    assert.equal("a larger max_rpo, or --outage-at",
      hints.translate("a larger max_rpo, or outage_at", about, true))
  end)

  it("is what a command prints, and what its JSON object holds", function()
    local words = { "reprotect", "pg-orders", "--yes", "--timeout", "1m" }
    local given = { world = after.world { status = "failovered" } }
    local ran = desks.once(given, table.unpack(words))
    assert.equal(1, ran.code)
    local expected = "(alicloud-dr fence pg-orders --region cn-shanghai)"
    assert.is_truthy(ran.out:find(expected, 1, true), ran.out)
    assert.is_truthy(ran.out:find("--old-side stopped", 1, true), ran.out)
    words[#words + 1] = "--json"
    ran = desks.once(given, table.unpack(words))
    assert.is_truthy(ran.object.error.hint:find(expected, 1, true))
  end)

  it("takes the way to the service that was typed", function()
    local given = { world = after.world { status = "failovered" } }
    for _, more in ipairs { "--yes", "--json" } do
      local ran = desks.once(given, "reprotect", "pg-orders", "--yes", "--timeout", "1m",
        "--endpoint", "127.0.0.1:9", more)
      assert.is_truthy(ran.out:find("alicloud-dr fence pg-orders --region cn-shanghai "
        .. "--endpoint 127.0.0.1:9)", 1, true), ran.out)
    end
  end)

  it("stays a method for a program", function()
    local bench = after.new { status = "failovered" }
    local _, err = bench:group():reprotect {}
    assert.is_true(errors.is_error(err))
    assert.matches("group:fence", err.hint)
    assert.matches('old_side = "stopped"', err.hint)
  end)
end)
