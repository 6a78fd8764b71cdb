-- What the invariants must not call wrong: a way back on which others work beside the run, at the
-- moments at which what is told and what is true have different times.

local exhaustive = require "alicloud.simulation.exhaustive"
local ready = require "alicloud.playbooks"
local scratch = require "spec.scratch"
local simulation = require "alicloud.simulation"
local tables = require "alicloud.base.tables"

local params = { group = "pg-orders", region = "cn-shanghai", attach = "i-orders-hz" }
local plan = assert(simulation.plan(assert(ready.load("failback", scratch.read)),
  { region = params.region, params = params }))
local calm = assert(exhaustive.open(plan)).case

local function judged(trouble)
  return simulation.judge(tables.merged(calm, { troubles = { trouble } }), plan)
end

-- Judges a trouble at each of these places; tells how many of the runs had what is looked for.
local function count(first, last, make, test)
  local found = 0
  for n = first, last do
    local rehearsal = judged(make(n))
    assert.same({}, rehearsal.violations)
    if test(rehearsal.stage) then found = found + 1 end
  end
  return found
end

describe("the invariants of a rehearsal", function()
  it("take an old answer that is given again for no effect", function()
    local replayed = count(84, 97, function(n)
      return { kind = "operators", name = "colleague", nth_group = 1, request = n }
    end, function(stage)
      for _, said in ipairs(stage.outcomes) do
        if said.event.code == "Client.TokenReplayed" then return true end
      end
    end)
    assert.is_true(replayed > 0)
  end)

  it("take what is told late for what was true when it was written", function()
    local late = count(88, 102, function(n)
      return { kind = "controllers", name = "takeover", call = n, after = true, seconds = 0,
        pause = 30 }
    end, function(stage)
      for _, success in ipairs(stage.successes) do
        if not success.open then return true end
      end
    end)
    assert.is_true(late > 0)
  end)
end)
