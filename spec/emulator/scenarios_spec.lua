-- Each scenario against our own client: the verdict it comes to, and what the ledger says.

local alicloud = require "alicloud"
local dr = require "alicloud.dr"
local emulator = require "alicloud.emulator"
local scenarios = require "alicloud.emulator.scenarios"

local function rehearse(scenario)
  local emu = emulator.new(scenarios.options(scenario))
  local client = alicloud.client { region = scenario.region, transport = emu.transport,
    runtime = emu.runtime, access_key_id = emu.access_key_id,
    access_key_secret = emu.access_key_secret }
  local group = dr.group(client, scenario.group, { region = scenario.region })
  local result, err = group:failover { max_rpo = scenario.max_rpo }
  return emu, result, err
end

local function failovers(emu)
  local count = 0
  for _, effect in ipairs(emu:ledger()) do
    if effect.action == "FailoverDiskReplicaGroup" then count = count + 1 end
  end
  return count
end

describe("the scenario", function()
  for _, name in ipairs(scenarios.NAMES) do
    it(name .. " ends as it should, and the ledger agrees", function()
      local scenario = assert(scenarios.load(name))
      assert.is_nil(scenarios.problem(scenario))
      local emu, result, err = rehearse(scenario)
      local expect = scenario.expect
      assert.equal(expect.outcome, result and result.outcome, tostring(err))
      assert.equal(expect.error, err and err.code, tostring(err))
      if expect.outcome_of_error then assert.equal(expect.outcome_of_error, err.outcome) end
      assert.equal(expect.effects, failovers(emu))
    end)
  end
end)
