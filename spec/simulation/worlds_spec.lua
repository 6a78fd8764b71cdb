-- Every ready playbook, with the parameters of the manual and with those of somebody else's groups,
-- has a world in which it does something and ends well.

local emulator = require "alicloud.emulator"
local ready = require "alicloud.playbooks"
local scratch = require "spec.scratch"
local simulation = require "alicloud.simulation"

local CASES = {
  { "failover", "cn-shanghai", { group = "pg-orders", max_rpo = "20m", attach = "i-orders-sh",
    verify = "true" } },
  { "failover", "cn-shanghai", { group = "pg-shop", attach = "i-shop-sh" } },
  { "failover", "cn-hangzhou", { group = "pg-shop", to = "cn-hangzhou-h", attach = "i-shop-h" } },
  { "planned", "cn-shanghai", { group = "pg-orders", attach = "i-orders-sh", protect = "no",
    verify = "true" } },
  { "planned", "cn-shanghai", { group = "pg-shop", attach = "i-shop-sh", stop = "./stop.sh" } },
  { "drill", "cn-shanghai", { group = "pg-orders", check = "test -n x" } },
  { "drill", "cn-beijing", { group = "pg-shop" } },
  { "failback", "cn-shanghai", { group = "pg-orders", attach = "i-orders-hz" } },
  { "failback", "cn-shanghai", { group = "pg-shop", attach = "i-shop-hz" } },
  { "fleet", "cn-shanghai", { groups = "pg-payments", canary = "1", max_errors = "10%" } },
  { "fleet", "cn-shanghai", { groups = "all", tier = "1:db-*,2:app-*" } },
  { "fleet", "cn-beijing", { groups = "all" } },
}

describe("a world is found for", function()
  for _, case in ipairs(CASES) do
    local name, region, params = table.unpack(case)
    it(("%s of %s in %s"):format(name, params.group or params.groups, region), function()
      local playbook = assert(ready.load(name, scratch.read))
      params.region = region
      local plan = assert(simulation.plan(playbook, { region = region, params = params }))
      assert.is_nil(emulator.world_problem(plan.world))
      local report = simulation.explore(plan, { first = 3, seeds = 2 })
      assert.same({}, report.violations)
      local rehearsal = simulation.judge({ seed = 1, troubles = {},
        world = require("alicloud.simulation.discover").calm(plan.world) }, plan)
      assert.matches("^completed", rehearsal.ending)
      assert.is_true(#rehearsal.stage.emu:ledger() > 0)
    end)
  end
end)
