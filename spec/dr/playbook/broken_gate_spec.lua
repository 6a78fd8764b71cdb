-- Who does not wait for a gate breaks it open, by its name; and a name that is none is told.

local core = require "alicloud.core"
local dr = require "alicloud.dr"
local stages = require "spec.dr.playbook.stage"

local KEYS = { dba = core.ed25519_public(("11"):rep(32)),
  lead = core.ed25519_public(("22"):rep(32)), duty = core.ed25519_public(("33"):rep(32)) }

local function gated(stage)
  return dr.playbook("gated", function(run)
    run:gate("promote", { need = 2, of = { "dba", "lead", "duty" }, expires = "15m" })
    run:step("a", function() stage:did "a" end)
  end)
end

describe("a gate", function()
  it("can be broken open with a reason, which the result shows", function()
    local stage = stages.new()
    local result = assert(stage:run(gated(stage), { approvers = KEYS,
      skip = { ["gate:promote"] = "both are on the burning site" } }))
    assert.equal("completed_with_exceptions", result.status)
    assert.matches("was broken open: both are on the burning site", result.exceptions[1])
    assert.is_true(stage:events("gate_pass")[1].broken)
  end)

  it("says who has broken it open", function()
    local stage = stages.new()
    assert(stage:run(gated(stage), { approvers = KEYS, requester = "olga",
      skip = { ["gate:promote"] = "both are on the burning site" } }))
    assert.equal("olga", stage:events("gate_pass")[1].by)
  end)

  it("may have the name of the step behind it, which is not skipped with it", function()
    local stage = stages.new()
    local result = assert(stage:run(function(run)
      run:gate("promote", { need = 1, of = { "dba" } })
      run:step("promote", function() stage:did "promoted" end)
    end, { approvers = KEYS, skip = { ["gate:promote"] = "it burns" } }))
    assert.equal("completed_with_exceptions", result.status)
    assert.equal(1, #result.exceptions)
    assert.equal("promoted", stage:done())
  end)

  it("is known in a branch by the name that is shown, with gate: before it", function()
    local stage = stages.new()
    local function playbook(run)
      run:each({ "a", "b" }, { parallel = 1 }, function(_, own)
        own:skip("gate:second", "the playbook knows why")
        own:gate("first", { need = 1, of = { "dba" } })
        own:gate("second", { need = 1, of = { "dba" } })
      end)
    end
    local result = assert(stage:run(playbook, { approvers = KEYS,
      skip = { ["gate:a/first"] = "it burns", ["gate:b/first"] = "there too" } }))
    assert.same({ 'gate "a/first" was broken open: it burns',
      'gate "a/second" was broken open: the playbook knows why',
      'gate "b/first" was broken open: there too',
      'gate "b/second" was broken open: the playbook knows why' }, result.exceptions)
    local _, err = stages.new():run(function(run)
      for _ = 1, 2 do run:gate("twice", { need = 1, of = { "dba" } }) end
    end, { open_gates = "a rehearsal" })
    assert.matches('gate "twice" is there twice', err.message)
  end)

  it("stays an exception when another process ends the run", function()
    local stage = stages.new()
    local function playbook(run)
      run:gate("promote", { need = 1, of = { "dba" } })
      run:step("a", function() assert(run.attempt > 1, "not yet") end)
    end
    local skip = { ["gate:promote"] = "it burns" }
    assert.is_nil(stage:run(playbook, { approvers = KEYS, skip = skip }))
    local result = assert(stage:run(playbook, { approvers = KEYS }))
    assert.equal("completed_with_exceptions", result.status)
    assert.same({ 'gate "promote" was broken open: it burns' }, result.exceptions)
  end)

  it("is not left out by its bare name, and says how it is; a name that is none is told", function()
    local stage = stages.new()
    local _, err = stage:run(gated(stage), { approvers = KEYS, skip = { promote = "it burns" } })
    assert.equal("Client.GateExpired", err.code)
    assert.equal('gate "promote" is not left out by --skip promote=WHY, which is for a step; '
      .. "--skip gate:promote=WHY breaks it open", stage:events("note")[1].text)
    stage = stages.new()
    _, err = stage:run(function(run)
      run:skip("promote", "the playbook knows why")
      run:gate("promote", { need = 1, of = { "dba" } })
    end, { approvers = KEYS })
    assert.equal("Client.GateExpired", err.code)
    assert.same({}, stage:events("note"))
    stage = stages.new()
    assert(stage:run(gated(stage), { open_gates = "a rehearsal", skip = { promot = "a slip" } }))
    assert.equal('nothing was left out as "promot": the run came to no step or gate of that name',
      stage:events("note")[1].text)
  end)
end)

describe("a step that was to be done again", function()
  it("is told of where no step has its name", function()
    local stage = stages.new()
    local again = { promot = true, promote = true }
    assert(stage:run(function(run) run:step("promote", function() end) end, { again = again }))
    assert.equal(1, #stage:events("note"))
    assert.equal('nothing was done again as "promot": the run came to no step of that name',
      stage:events("note")[1].text)
  end)
end)
