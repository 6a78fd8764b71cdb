-- The name of an incident that is used again after the group has gone elsewhere: the service
-- answers its token with the old answer and does nothing.

local after = require "spec.dr.after_lab"
local desks = require "spec.cli.desk"
local dr = require "alicloud.dr"
local intents = require "alicloud.dr.model.intent"
local stages = require "spec.dr.playbook.stage"

local ACTION = "FailoverDiskReplicaGroup"

-- The failover of an incident was taken back, and replication runs.
local function taken_back(given)
  local bench = after.new({ old = false }, given)
  assert(bench:group():failover { incident = "INC-7" })
  assert(bench:group():reprotect { reverse = false })
  assert(bench:group():start {})
  bench.emu:advance(1200)
  return bench
end

describe("a token that the service knows from an earlier failover", function()
  it("is recognised within a minute, and the next name of the incident opens the group", function()
    local bench = taken_back()
    local began = bench.emu:now()
    local result, err = bench:group():failover { incident = "INC-7" }
    assert.is_nil(result)
    assert.equal("Client.TokenReplayed", err.code)
    assert.equal("rejected", err.outcome)
    assert.is_true(bench.emu:now() - began < 60)
    assert.equal("INC-7+2", err.next_incident)
    assert.matches('incident = "INC%-7%+2"', err.hint)
    assert.equal(1, after.effects(bench, ACTION))
    assert.equal("failovered", assert(bench:group():failover {
      incident = err.next_incident }).outcome)
    assert.equal(2, after.effects(bench, ACTION))
  end)

  it("has the same next name for everybody", function()
    assert.equal("INC-7+2", intents.next_incident "INC-7")
    assert.equal("INC-7+3", intents.next_incident "INC-7+2")
    assert.equal("a+b+2", intents.next_incident "a+b")
  end)

  it("is not suspected where a failover is only seen late", function()
    for _, seconds in ipairs { 9, 25 } do
      local bench = after.new({ old = false }, { hostile = { stale_read = seconds } })
      assert.equal("failovered", assert(bench:group():failover { incident = "INC-7" }).outcome)
    end
  end)

  it("is not called without effect where an answer was lost", function()
    local bench = taken_back()
    bench.emu:fault { match = { action = ACTION, count = 1 }, when = "before",
      effect = { drop = true } }
    local result, err = bench:group():failover { incident = "INC-7" }
    assert.is_nil(result)
    assert.equal("unknown", err.outcome)
    assert.equal(1, after.effects(bench, ACTION))
  end)

  it("is not suspected of a token that nobody else can have", function()
    local bench = taken_back()
    assert.equal("failovered", assert(bench:group():failover {}).outcome)
    local other = taken_back()
    local token = other:requests(ACTION)[1].client_token
    local _, err = other:group():failover { client_token = token }
    assert.is_nil(err and err.code:find("TokenReplayed", 1, true))
  end)

  it("is left behind by the run that met it, once it is resumed", function()
    local stage = stages.new { world = after.world { old = false } }
    local playbook = stage:move()
    assert(stage:run(playbook, { incident = "INC-7" }))
    assert(stage.bench:group():reprotect { reverse = false })
    assert(stage.bench:group():start {})
    stage.bench.emu:advance(1200)
    local second = stage:anew()
    local _, err = second:run(playbook, { incident = "INC-7" })
    assert.equal("Client.TokenReplayed", err.code)
    local result = assert(second:run(playbook, { incident = "INC-7" }))
    assert.equal("completed", result.status)
    assert.equal(2, after.effects(stage.bench, ACTION))
  end)

  it("is not used again by the run whose failover it has been", function()
    local stage = stages.new { world = after.world { old = false } }
    local result = assert(stage:run(dr.playbook("there and there again", function(run)
      local group = run:group(after.ID, { region = "cn-shanghai" })
      run:step("first", function() return group:failover {} end)
      run:step("take back", function() return group:reprotect { reverse = false } end)
      run:step("replicate", function() return group:start {} end)
      run:step("second", function() return group:failover {} end)
    end), { incident = "INC-7" }))
    assert.equal("completed", result.status)
    assert.equal(2, after.effects(stage.bench, ACTION))
  end)

  it("is recognised for a drill that has been cleared", function()
    local bench = after.new()
    local group = bench:group()
    local made = assert(group:start_drill { incident = "DRILL-1" })
    assert(group:clear_drill(made.drill_id))
    local began = bench.emu:now()
    local again, err = group:start_drill { incident = "DRILL-1" }
    assert.is_nil(again)
    assert.equal("Client.TokenReplayed", err.code)
    assert.is_true(bench.emu:now() - began < 60)
    assert(group:start_drill { incident = err.next_incident })
    assert.equal(2, after.effects(bench, "StartReplicaGroupDrill"))
  end)

  it("is followed by the command that goes on", function()
    local desk = desks.new { world = after.world { old = false } }
    local words = { "failover", after.ID, "--region", "cn-shanghai", "--incident", "INC 7",
      "--yes" }
    assert.equal(0, desk:run(table.unpack(words)).code)
    local group = desk.bench:group()
    assert(group:reprotect { reverse = false })
    assert(group:start {})
    desk.bench.emu:advance(1200)
    local ran = desk:run(table.unpack(words))
    assert.equal(1, ran.code)
    assert.is_truthy(ran.out:find("again:  alicloud-dr failover pg-orders --region cn-shanghai "
      .. "--incident 'INC 7+2'", 1, true), ran.out)
  end)
end)
