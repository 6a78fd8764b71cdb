-- The façade alicloud.dr: functions that hand over to the modules that do it.

local dr = require "alicloud.dr"
local tables = require "alicloud.base.tables"

describe("alicloud.dr", function()
  it("offers what it promises, as functions that everybody sees", function()
    assert.same({ "compare", "drills", "fleet", "group", "group_ids", "groups", "playbook",
      "precheck", "readiness", "report", "run", "walk" }, tables.keys(dr))
    for _, value in pairs(dr) do assert.is_function(value) end
  end)

  local client = { call = function() end, region = "cn-shanghai" }
  local MISUSE = {
    compare = { 1, 2 }, drills = { client, { region = 7 } }, group = { 1 },
    group_ids = { client, { site = "left" } }, groups = { client, { region = 7 } },
    playbook = { "p", 7 }, precheck = { {}, { max_rpo = "?" } },
    readiness = { {}, { max_rpo = "?" } }, report = { 7 },
    run = { 7 }, walk = { 7 },
  }

  for name, arguments in pairs(MISUSE) do
    it("tells of misuse at the caller's line: " .. name, function()
      local line = debug.getinfo(1, "l").currentline + 2
      local ok, message = pcall(function()
        local result = dr[name](table.unpack(arguments))
        return result
      end)
      assert.is_false(ok)
      assert.matches(("init_spec%%.lua:%d: "):format(line), message)
    end)
  end
end)
