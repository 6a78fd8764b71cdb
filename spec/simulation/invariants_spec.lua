-- What the invariants must not call wrong: a move on which others work beside the run, at the
-- moments at which what is told and what is true have different times.

local exhaustive = require "alicloud.simulation.exhaustive"
local ready = require "alicloud.playbooks"
local scratch = require "spec.scratch"
local simulation = require "alicloud.simulation"
local tables = require "alicloud.base.tables"

local function ready_plan(name, more)
  local params = tables.merged({ group = "pg-orders", region = "cn-shanghai" }, more)
  return assert(simulation.plan(assert(ready.load(name, scratch.read)),
    { region = params.region, params = params }))
end

local BACK = ready_plan("failback", { attach = "i-orders-hz" })
local OVER = ready_plan("failover", { fence = "no" })

-- Judges troubles at each of these places; tells how many of the runs had what is looked for.
local function count(plan, first, last, make, test)
  local found, calm = 0, assert(exhaustive.open(plan)).case
  for n = first, last do
    local rehearsal = simulation.judge(tables.merged(calm, { troubles = { make(n) } }), plan)
    assert.same({}, rehearsal.violations)
    if test(rehearsal.stage) then found = found + 1 end
  end
  return found
end

describe("the invariants of a rehearsal", function()
  it("let a fleet of many groups ask for each of them", function()
    local groups = {}
    for n = 1, 200 do
      groups[n] = { id = "pg-" .. n, pairs = 1, source = "cn-hangzhou/cn-hangzhou-g",
        destination = "cn-shanghai/cn-shanghai-b" }
    end
    local plan = assert(simulation.plan(assert(ready.load("fleet", scratch.read)),
      { region = "cn-shanghai", params = { groups = "all", region = "cn-shanghai",
        max_rpo = "20m", max_groups = 1000 }, world = { groups = groups } }))
    local calm = assert(exhaustive.open(plan)).case
    local rehearsal = simulation.judge(tables.merged(calm, { troubles = {} }), plan)
    assert.same({}, rehearsal.violations)
    assert.equal(200, #rehearsal.stage.emu:ledger())
  end)

  it("take an old answer that is given again for no effect", function()
    local replayed = count(BACK, 84, 97, function(n)
      return { kind = "operators", name = "colleague", nth_group = 1, request = n }
    end, function(stage)
      for _, said in ipairs(stage.outcomes) do
        if said.event.code == "Client.TokenReplayed" then return true end
      end
    end)
    assert.is_true(replayed > 0)
  end)

  it("take what is told late for what was true when it was written", function()
    local late = count(BACK, 88, 102, function(n)
      return { kind = "controllers", name = "takeover", call = n, after = true, seconds = 0,
        pause = 30 }
    end, function(stage)
      for _, success in ipairs(stage.successes) do
        if not success.open then return true end
      end
    end)
    assert.is_true(late > 0)
  end)

  it("take the time of whoever asks behind a colleague, under his token, for his own", function()
    local behind = count(OVER, 17, 27, function(n)
      return { kind = "elsewhere", seconds = 0, call = 4 }, { kind = "hostile", request = n,
        name = "stale_read", change = { stale_read = 14 }, lasts = 5 }
    end, function(stage)
      local done = stage.successes[1]
      return done and done.result.rto and done.result.rto + 5 < done.at - stage.emu:ledger()[1].time
    end)
    assert.is_true(behind > 0)
  end)

  it("leave to a person what a refusal that was lost with the machine has left", function()
    local left = count(OVER, 19, 23, function(n)
      return { kind = "hostile", request = 10, name = "mixed_pairs",
        change = { mixed_pairs = true }, lasts = 20 },
        { kind = "crashes", how = "crash", call = n, keep = 0, pause = 0 }
    end, function(stage)
      local err = stage.processes[#stage.processes].err
      return err and err.code == "Client.OutcomeUnknown" and err.again == "promote"
    end)
    assert.is_true(left > 0)
  end)
end)
