-- What comes after a failover, in a playbook: every verb goes on where its process died.

local dr = require "alicloud.dr"
local stages = require "spec.dr.playbook.stage"

local function named(run) return run:group("pg-orders", { region = "cn-shanghai" }) end

local function turn(stage, name_group)
  return dr.playbook("turn", function(run)
    local orders = name_group(run)
    run:step("promote", function() return orders:failover() end)
    local turned = run:step("protect", function() return orders:reprotect() end)
    stage:did(turned.outcome)
  end)
end

local function effects_of(stage)
  local actions = {}
  for _, effect in ipairs(stage.bench:ledger()) do actions[#actions + 1] = effect.action end
  return table.concat(actions, " ")
end

describe("verbs in a playbook", function()
  local function sweep(name_group)
    local whole = stages.new()
    assert(whole:run(turn(whole, name_group)))
    local expected = effects_of(whole)
    assert.matches("^FailoverDiskReplicaGroup ReprotectDiskReplicaGroup$", expected)
    local verbs = {}
    for i, event in ipairs(whole:events "intent") do verbs[i] = event.verb end
    assert.same({ "failover", "reprotect" }, verbs)
    for n = 1, whole.disk.calls do
      local stage = stages.new()
      local playbook = turn(stage, name_group)
      if stage:run_until(playbook, function(call) return call.n == n and "crash" end) then
        local result, err = stage:run(playbook)
        assert.is_table(result, ("call %d: %s"):format(n, tostring(err)))
        assert.equal(expected, effects_of(stage), n)
        assert.equal("reprotected", stage.log[#stage.log], n)
      end
    end
  end

  it("are written down, and done once, wherever the run is killed", function()
    sweep(named)
  end)

  it("are so too of a group seen from another region", function()
    sweep(function(run)
      return run:group("pg-orders", { region = "cn-hangzhou" }):at "cn-shanghai"
    end)
  end)
end)

describe("a drill in a playbook", function()
  it("leaves no drill behind, wherever the run is killed", function()
    local function rehearse(stage)
      return dr.playbook("rehearse", function(run)
        local orders = run:group("pg-orders", { region = "cn-shanghai" })
        run:step("drill", function()
          return orders:drill { check = function() stage:did "checked" end }
        end)
      end)
    end
    local whole = stages.new()
    assert(whole:run(rehearse(whole)))
    for n = 1, whole.disk.calls do
      local stage = stages.new()
      local playbook = rehearse(stage)
      if stage:run_until(playbook, function(call) return call.n == n and "crash" end) then
        local result, err = stage:run(playbook)
        assert.is_table(result, ("call %d: %s"):format(n, tostring(err)))
        assert.same({}, assert(dr.drills(stage.bench.client, { region = "cn-shanghai" })), n)
      end
    end
  end)

  it("are of a group that shows nothing by which they would go past the journal", function()
    local stage = stages.new()
    assert(stage:run(dr.playbook("look", function(run)
      local orders = named(run)
      assert(orders.group == nil and orders.branch == nil and orders.id == "pg-orders")
      for name in pairs(orders) do assert(type(name) ~= "string", name) end
    end)))
  end)
end)
