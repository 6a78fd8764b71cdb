-- What somebody is asked before a run changes anything, and when.

local dr = require "alicloud.dr"
local playbooks = require "alicloud.dr.playbook"
local stages = require "spec.dr.playbook.stage"
local worlds = require "spec.worlds"

local function asker(answer, questions)
  return function(question)
    questions[#questions + 1] = question
    return answer, answer and "ann" or nil
  end
end

-- A file in which production is stopped before the point of no return.
local function with_stop()
  return assert(playbooks.load("/move.lua", function()
    return [[
      local dr = require "alicloud.dr"
      return dr.playbook("move", function(run)
        local orders = run:group("pg-orders", { region = "cn-shanghai" })
        run:step("stop", function() return orders:stop() end)
        run:step("promote", { point_of_no_return = true }, function() return orders:failover() end)
      end)]]
  end))
end

describe("the consent to a run", function()
  it("is asked for before the first change, with what it is about", function()
    local stage, asked = stages.new(), {}
    local result, err = stage:run(with_stop(), { confirm = asker(false, asked) })
    assert.is_nil(result)
    assert.equal("Client.NotConfirmed", err.code)
    assert.equal("not_sent", err.outcome)
    assert.same({}, stage.bench:ledger())
    assert.equal(1, #asked)
    local group = asked[1].groups[1]
    assert.same({ "move", "unplanned" }, { asked[1].playbook, asked[1].kind })
    assert.equal("pg-orders", group.id)
    assert.equal("cn-hangzhou", group.snapshot.from.region)
    assert.equal(3, #group.snapshot.pairs)
    assert.is_number(group.snapshot.recover_point)
  end)

  it("is asked for at the latest before the step from which there is no way back", function()
    local stage, asked = stages.new(), {}
    local result = stage:run(stage:move(), { confirm = asker(false, asked) })
    assert.is_nil(result)
    assert.equal("check", stage:done())
    assert.same({}, stage.bench:sends())
  end)

  it("tells of the groups by tier, where the step has tiers", function()
    local stage, asked = stages.new { world = worlds.of_groups(25) }, {}
    assert.is_nil(stage:run(function(run)
      for i = 1, 25 do run:group(("pg-%02d"):format(i), { region = "cn-shanghai" }) end
      run:step("promote", { point_of_no_return = true,
        tier = function(id) return -tonumber(id:match "%d+") // 10 end }, function() end)
    end, { confirm = asker(false, asked) }))
    local groups = asked[1].groups
    assert.same({ "pg-21", -3, "pg-11", "pg-20", -2, "pg-10", -1 }, { groups[1].id,
      groups[1].tier, groups[6].id, groups[15].id, groups[15].tier, groups[25].id,
      groups[25].tier })
    assert.same({ 5, true, false }, { asked[1].unseen, groups[20].snapshot ~= nil,
      groups[21].snapshot ~= nil })
  end)

  it("is kept by the journal, and not asked for again", function()
    local stage, asked = stages.new(), {}
    local function body(run)
      run:step("promote", { point_of_no_return = true }, function()
        if run.attempt == 1 then error "fails once" end
        return run:group("pg-orders", { region = "cn-shanghai" }):precheck {}
      end)
    end
    local function named(run)
      run:group("pg-orders", { region = "cn-shanghai" })
      body(run)
    end
    assert.is_nil(stage:run(named, { confirm = asker("typed", asked) }))
    assert.is_truthy(stage:run(named, { confirm = asker("typed", asked) }))
    assert.equal(1, #asked)
    local event = stage:events("confirmed")[1]
    assert.same({ "ann", "typed" }, { event.by, event.how })
    local group = event.groups[1]
    assert.same({ "pg-orders", "cn-hangzhou", "cn-shanghai" }, { group.id, group.from, group.to })
  end)

  it("is asked for again if it was not given, in a process of its own", function()
    local stage, asked = stages.new(), {}
    assert.is_nil(stage:run(with_stop(), { confirm = asker(nil, asked) }))
    assert.is_truthy(stage:run(with_stop(), { confirm = asker("typed", asked) }))
    assert.equal(2, #asked)
  end)

  it("is not needed where there is a way back, or nobody asks", function()
    local stage, asked = stages.new(), {}
    assert.is_truthy(stage:run(function(run)
      local orders = run:group("pg-orders", { region = "cn-shanghai" })
      run:step("stop", function() return orders:stop() end)
    end, { confirm = asker(false, asked) }))
    assert.same({}, asked)
    assert.is_truthy(stages.new():run(with_stop()))
  end)

  it("is asked for before a failover that no step declares, where somebody is there", function()
    local function body(run)
      local orders = run:group("pg-orders", { region = "cn-shanghai" })
      run:step("open", function() return orders:failover() end)
      run:step("turn", function() return orders:reprotect { old_side = "unknown" } end)
    end
    local function ask() return "stop" end
    local stage, asked = stages.new(), {}
    local _, err = stage:run(body, { confirm = asker(false, asked), ask = ask })
    assert.equal("Client.NotConfirmed", err.code)
    assert.same({}, stage.bench:ledger())
    assert.equal("pg-orders", asked[1].groups[1].id)
    assert.is_truthy(stage:run(body, { confirm = asker("typed", asked), ask = ask }))
    assert.equal(2, #asked)
    assert.is_truthy(stages.new():run(body, { confirm = asker(false, asked) }))
    assert.equal(2, #asked)
  end)

  it("is asked for once where several branches come to it", function()
    local stage, asked = stages.new(), {}
    local function part(name)
      return function(own)
        own:step("promote", { point_of_no_return = true }, function() stage:did(name) end)
      end
    end
    assert.is_truthy(stage:run(function(run) run:parallel { a = part "a", b = part "b" } end,
      { confirm = function(question)
        asked[#asked + 1] = question
        stage.bench.client.loop.sleep(1)
        return true
      end }))
    assert.equal(1, #asked)
    assert.equal(3, #stage:done())
  end)

  it("is not given by a question that breaks", function()
    local stage = stages.new()
    local result, err = stage:run(with_stop(), { confirm = function() error "broken" end })
    assert.is_nil(result)
    assert.equal("Client.NotConfirmed", err.code)
  end)

  it("says of a group that could not be read why", function()
    local stage, asked = stages.new { faults = { { match = { action = "DescribeDiskReplicaGroups" },
      effect = { error = { status = 403, code = "Forbidden" } } } } }, {}
    stage:run(with_stop(), { confirm = asker(false, asked) })
    assert.is_nil(asked[1].groups[1].snapshot)
    assert.equal("Forbidden", asked[1].groups[1].err.code)
  end)
end)

describe("the text of a playbook", function()
  it("tells whether it may come to a point of no return", function()
    for text, expected in pairs {
      ['run:step("x", { point_of_no_return = true }, f)'] = true,
      ['local common = require "alicloud.playbooks.common"'] = true,
      ['run:step("x", f)'] = false,
    } do
      local playbook = assert(playbooks.load("/x.lua", function()
        return ([[local f = %q
          return require("alicloud.dr").playbook("x", function() end)]]):format("")
          .. " -- " .. text
      end))
      assert.equal(expected, playbook.no_return, text)
    end
    assert.is_nil(dr.playbook("x", function() end).no_return)
  end)
end)
