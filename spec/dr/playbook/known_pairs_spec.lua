-- A run that is resumed while the group's record and the pair list both lag: it knows from its
-- journal which pairs there are.

local stages = require "spec.dr.playbook.stage"

-- A stage whose service loses the last pair of the group everywhere, once `lie` is called with the
-- seconds for which it does.
local function make()
  local stage, ends = stages.new(), 0
  local bench = stage.bench
  local emu, send = bench.emu, bench.emu.transport.send
  bench.client = bench.client:with { transport = { send = function(request)
    local is_false = emu:now() < ends
    emu:hostile { pair_count_off = is_false and -1 or 0, pair_ids = is_false and "empty" or "array",
      short_list = is_false and request.action == "DescribeDiskReplicaPairs" and 1 or 0 }
    return send(request)
  end } }
  return stage, function(seconds) ends = emu:now() + seconds end
end

-- Kills the run when a step begins, lets the service lie from then on, and goes on at once.
local function resumed(step, seconds)
  local stage, lie = make()
  local playbook, begun = stage:move(), false
  assert.is_true(stage:run_until(playbook, function() return begun and "crash" end,
    { progress = function(event)
      begun = begun or event.type == "step_begin" and event.step == step
    end }))
  lie(seconds)
  return stage, stage:run(playbook)
end

describe("a run that is resumed while group and list agree on too few pairs", function()
  it("waits for those that a process before has seen", function()
    local stage, result, err = resumed("promote", 60)
    assert.is_table(result, tostring(err))
    assert.equal("completed", result.status)
    assert.equal(3, #stage:events("intent")[1].intent.pairs)
    assert.equal(3, #stage:state().steps.promote.result.pairs)
    assert.equal(1, #stage.bench:ledger())
  end)

  it("knows them from the first look that has shown them, which is written once", function()
    local stage, lie = make()
    lie(60)
    assert(stage:run(function(run)
      local group = run:group("pg-orders", { region = "cn-shanghai" })
      run:step("early", function() return group:precheck() end)
      run.loop.sleep(60)
      run:step("late", function() return group:precheck() end)
      run:step("later", function() return group:precheck() end)
    end))
    local counts = {}
    for _, look in ipairs(stage:events "look") do
      counts[#counts + 1] = look.pairs and #look.pairs or nil
    end
    assert.same({ 2, 3 }, counts)
  end)

  it("believes after two minutes that a pair has left the group", function()
    local stage, result, err = resumed("promote", 5000)
    assert.is_table(result, tostring(err))
    assert.equal(2, #stage:events("intent")[1].intent.pairs)
    local asked = stage:events("intent")[1].at - stage:events("attempt")[2].at
    assert.is_true(asked >= 120 and asked < 130, asked)
  end)
end)
