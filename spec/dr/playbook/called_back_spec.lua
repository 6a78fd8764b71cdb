-- Branches that are called back and runs that are given up: what was sent has an end in the
-- journal, and what several share goes on.

local cuts = require "spec.dr.playbook.cut"
local stages = require "spec.dr.playbook.stage"

describe("a branch that is called back", function()
  it("leaves the end of its change in the journal before anything is undone", function()
    local stage = cuts.slow_stage(100)
    local _, err = cuts.pair_of(stage, function(branch)
      branch:step("work", function(own) return cuts.failover_call(own) end)
    end)
    assert.matches("never go on", err.message)
    assert.equal("step_begin call answer=unknown step_end=Client.Cancelled",
      cuts.told(stage, "b/work"))
    assert.equal("unknown", stage:state().steps["b/work"].err.outcome)
    assert.is_true(cuts.position(stage, "step_end", "b/work") < cuts.position(stage, "undo_begin"))
    assert.equal("-first", stage:done())
  end)

  it("has its step undone, if that may have done something", function()
    local stage = cuts.slow_stage(100)
    cuts.pair_of(stage, function(branch)
      branch:step("work", { undo = function() stage:did "-work" end }, function(own)
        return cuts.failover_call(own)
      end)
    end)
    assert.equal("-work -first", stage:done())
    stage = stages.new()
    cuts.pair_of(stage, function(branch)
      branch:step("work", { undo = function() stage:did "-work" end }, function()
        branch.loop.sleep(100)
      end)
    end)
    assert.equal("-first", stage:done())
  end)

  it("writes down how a verb has ended", function()
    local stage = cuts.slow_stage(100)
    cuts.pair_of(stage, function(branch)
      local group = branch:group "pg-orders"
      branch:step("work", function() return group:failover() end)
    end)
    assert.equal("step_begin intent call answer=unknown outcome=unknown "
      .. "step_end=Client.Cancelled", cuts.told(stage, "b/work"))
    assert.equal("Client.Cancelled", stage:events("outcome")[1].code)
  end)

  -- What was undone beside it says nothing of what the verb has sent.
  it("leaves a verb in doubt that is not undone itself", function()
    local function settled(options)
      local stage = cuts.slow_stage(100)
      cuts.pair_of(stage, function(branch)
        local group = branch:group "pg-orders"
        branch:step("work", options, function() return group:failover() end)
      end)
      assert.equal("-first", stage:done())
      local said = stage:events "settled"[1]
      return said and said.why, stage:state().intents[1].outcome.outcome
    end
    assert.same({ nil, "unknown" }, { settled {} })
    assert.same({ "the step that it belongs to was undone", "rejected" },
      { settled { undo = function() return true end } })
  end)

  it("does so in a store that takes its time", function()
    local stage = cuts.slow_stage(100)
    local store = stage.disk:open "run"
    local append, loop = store.append, stage.bench.client.loop
    function store.append(own, seq, text, durable)
      if text:find('"answer"', 1, true) then loop.sleep(3) end
      return append(own, seq, text, durable)
    end
    cuts.pair_of(stage, function(branch)
      branch:step("work", function(own) return cuts.failover_call(own) end)
    end, { store = store })
    assert.equal("step_begin call answer=unknown step_end=Client.Cancelled",
      cuts.told(stage, "b/work"))
  end)

  it("may clean up, and the others wait for that", function()
    local stage = stages.new()
    cuts.pair_of(stage, function(branch)
      branch:step("work", function()
        local _ <close> = setmetatable({}, { __close = function()
          branch.loop.scope(function()
            branch.loop.sleep(30)
            stage:did "clean"
          end, { shield = true, timeout = 60 })
        end })
        branch.loop.sleep(100)
      end)
    end)
    assert.equal("clean -first", stage:done())
  end)

  it("asks nothing, and does not go on, whatever its steps say of errors", function()
    for _, policy in ipairs { "continue", "ask", "goto:later" } do
      local stage = stages.new()
      cuts.pair_of(stage, function(branch)
        branch:step("work", { on_error = policy }, function() branch.loop.sleep(100) end)
        branch:step("later", function() stage:did "later" end)
      end, { ask = function()
        stage:did "asked"
        return "again"
      end })
      assert.equal("-first", stage:done(), policy)
    end
  end)
end)

describe("a run that is cancelled from outside", function()
  local function cancelled(stage, body, options)
    local loop = stage.bench.client.loop
    local task = loop.spawn(function() return stage:run(body, options) end)
    loop.sleep(5)
    task:cancel()
    task:wait()
    return task
  end

  it("ends as interrupted: nothing is undone, and it can be resumed", function()
    local stage = stages.new()
    local function body(run)
      run:step("first", { undo = function() stage:did "-first" end }, function() end)
      run:step("wait", { on_error = "continue" }, function()
        run.loop.sleep(run.attempt == 1 and 100 or 1)
      end)
      run:step("last", function() stage:did "last" end)
    end
    local _, err = cancelled(stage, body):result()
    assert.equal("cancelled", err.kind)
    assert.equal("", stage:done())
    assert.equal("step_begin", cuts.told(stage, "wait"))
    assert.equal("interrupted", stage:events()[#stage:events()].type)
    assert.equal("completed", assert(stage:run(body)).status)
    assert.equal("last", stage:done())
  end)

  it("tells its hooks, who have a moment", function()
    local stage = stages.new()
    cancelled(stage, function(run)
      run:on("step", function(event)
        run.loop.sleep(5.5)
        stage:did(event.type)
      end)
      run:on("interrupted", function()
        run.loop.sleep(1)
        stage:did "interrupted"
      end)
      run:on("interrupted", function()
        run.loop.sleep(1000)
        stage:did "never"
      end)
      run:step("wait", function() run.loop.sleep(100) end)
    end)
    assert.equal("step_begin interrupted", stage:done())
    assert.is_true(stage.bench.emu:now() - stage:events("run")[1].at < 13)
  end)
end)

describe("an interrupt", function()
  it("is no failure of the step, of its branch, or of those beside it", function()
    for _, policy in ipairs { "continue", "ask", "goto:later" } do
      local stage = stages.new()
      local _, err = stage:run(function(run)
        run:step("first", { undo = function() stage:did "-first" end }, function() end)
        run:each({ "a", "b" }, { max_errors = 2 }, function(id, branch)
          branch:step("work", { on_error = policy, timeout = "1h" }, function()
            branch.loop.sleep(id == "a" and 1 or 100)
            error "interrupted!"
          end)
          branch:step("later", function() stage:did "later" end)
        end)
      end, { ask = function()
        stage:did "asked"
        return "again"
      end })
      assert.equal("Client.Interrupted", err.code)
      assert.equal("", stage:done(), policy)
      assert.equal("step_begin", cuts.told(stage, "a/work"))
      assert.equal("step_begin", cuts.told(stage, "b/work"))
    end
  end)
end)

describe("reads that branches share", function()
  it("go on for the others when one branch is given up", function()
    local groups = {}
    for i = 1, 3 do
      groups[i] = { id = "pg-" .. i, pairs = 1, status = "normal", recover_point_age = 60,
        source = "cn-hangzhou/cn-hangzhou-g", destination = "cn-shanghai/cn-shanghai-b",
        failover_seconds = 40 }
    end
    local stage = stages.new { world = { regions = { "cn-hangzhou", "cn-shanghai" },
      groups = groups } }
    local result = assert(stage:run(function(run)
      run:each({ "pg-1", "pg-2", "pg-3" }, { max_errors = 2 }, function(id, branch)
        local group = branch:group(id, { region = "cn-shanghai" })
        branch:step("promote", { timeout = id == "pg-1" and "4s" or nil }, function()
          return group:failover()
        end)
      end)
    end))
    assert.equal("completed_with_exceptions", result.status)
    assert.equal("done", stage:state().steps["pg-2/promote"].status)
    assert.equal("done", stage:state().steps["pg-3/promote"].status)
    assert.equal("failed", stage:state().steps["pg-1/promote"].status)
    assert.equal(3, #stage.bench:ledger())
  end)
end)

describe("two branches", function()
  it("may ask at once, and those beside them go on", function()
    local stage, asking, most = stages.new(), 0, 0
    local loop = stage.bench.client.loop
    assert(stage:run(function(run)
      run:each({ "a", "b", "c" }, function(id, branch)
        branch:step("work", { on_error = "ask" }, function()
          if id ~= "c" then error "broken" end
          branch.loop.sleep(5)
          stage:did "c"
        end)
      end)
    end, { ask = function()
      asking = asking + 1
      most = math.max(most, asking)
      loop.sleep(60)
      asking = asking - 1
      stage:did "asked"
      return "skip"
    end }))
    assert.equal(2, most)
    assert.equal("c asked asked", stage:done())
  end)
end)
