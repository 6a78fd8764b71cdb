-- Steps as scopes: what they start ends with them, and a step ends when its tasks have.

local cuts = require "spec.dr.playbook.cut"
local stages = require "spec.dr.playbook.stage"

local FAILOVER = "FailoverDiskReplicaGroup"

describe("what a step has started", function()
  it("is waited for, though nobody joins it", function()
    local stage = stages.new()
    assert(stage:run(function(run)
      run:step("a", function()
        run.loop.spawn(function()
          run.loop.sleep(20)
          stage:did "late"
        end)
      end)
      stage:did "next"
    end))
    assert.equal("late next", stage:done())
    assert.equal(20, stage:events("step_end")[1].at - stage:events("step_begin")[1].at)
  end)

  it("fails it with its error, also where the step waits until its time is over", function()
    local stage = stages.new()
    local _, err = stage:run(function(run)
      run:step("a", { timeout = "1m" }, function(own)
        own.loop.spawn(function() error("why", 0) end)
        own.loop.gate().wait()
      end)
    end)
    assert.equal("why", err.message)
  end)

  it("fails it, if its error reaches nobody else", function()
    local stage = stages.new()
    local _, err = stage:run(function(run)
      run:step("a", function()
        run.loop.spawn(function()
          run.loop.sleep(1)
          error "lost in a task"
        end)
        return "fine"
      end)
    end)
    assert.matches("lost in a task", err.message)
    assert.equal("step_begin step_end=Client.StepFailed", cuts.told(stage, "a"))
  end)

  it("sends nothing once the step is given up, or has failed", function()
    for name, body in pairs {
      ["gives no end"] = function(run) run.loop.sleep(50) end,
      ["raises"] = function() error "broken" end,
      ["returns an error"] = function() return nil, "broken" end,
      ["is not ok"] = function() return { ok = false } end,
    } do
      local stage = stages.new()
      assert(stage:run(function(run)
        run:step("given up", { timeout = "10s", on_error = "continue" }, function(own)
          run.loop.spawn(function()
            run.loop.sleep(15)
            return cuts.failover_call(own)
          end)
          return body(own)
        end)
        run:step("another", function() run.loop.sleep(60) end)
      end))
      assert.same({}, stage.bench:sends(), name)
      assert.equal("step_begin step_end", cuts.told(stage, "another"))
    end
  end)

  it("is all that may change something meanwhile", function()
    local stage = stages.new()
    assert(stage:run(function(run)
      local group = run:group "pg-orders"
      run.loop.spawn(function()
        run.loop.sleep(5)
        local _, err = cuts.failover_call(run)
        stage:did(err.code)
        _, err = group:failover()
        stage:did(err.code)
      end)
      run:step("a", function() run.loop.sleep(100) end)
      run:step("b", function(own)
        return run.loop.spawn(function() return cuts.failover_call(own) end):result()
      end)
    end))
    assert.equal("Client.JournalFailed Client.JournalFailed", stage:done())
    assert.equal("step_begin step_end", cuts.told(stage, "a"))
    assert.equal("step_begin call answer=accepted step_end", cuts.told(stage, "b"))
    assert.equal(1, #stage.bench:sends())
  end)

  it("is none of the playbook's own tasks, which go on through steps and end with it", function()
    local stage = stages.new()
    stage:run(function(run)
      run.loop.spawn(function()
        for _ = 1, 100 do
          run.loop.sleep(10)
          stage:did "beat"
        end
      end)
      run:step("a", { undo = function()
        stage:did "undo"
        run.loop.sleep(50)
      end }, function() run.loop.sleep(25) end)
      run:step("b", function() error "broken" end)
    end)
    assert.equal("beat beat undo", stage:done())
  end)
end)

describe("a step with a time", function()
  it("ends though its body heeds no cancellation", function()
    local stage = stages.new()
    assert(stage:run(function(run)
      run:step("deaf", { timeout = "5s", on_error = "continue" }, function()
        while true do pcall(run.loop.sleep, 1) end
      end)
    end))
    assert.equal("step_begin step_end=Client.StepTimeout", cuts.told(stage, "deaf"))
    assert.equal(5, stage:events("step_end")[1].at - stage:events("step_begin")[1].at)
  end)

  it("ends within a coroutine of its own, and within a task of its own", function()
    for _, wrap in ipairs {
      function(run, body) return run.loop.coroutine.wrap(body)() end,
      function(run, body) return run.loop.spawn(body):result() end,
    } do
      local stage = stages.new()
      assert(stage:run(function(run)
        run:step("slow", { timeout = "1s", on_error = "continue" }, function()
          return wrap(run, function() run.loop.sleep(5) end)
        end)
      end))
      assert.equal("step_begin step_end=Client.StepTimeout", cuts.told(stage, "slow"))
      assert.equal(1, stage:events("step_end")[1].at - stage:events("step_begin")[1].at)
    end
  end)

  it("tells of what it has sent what is known", function()
    local function timed(stage, id)
      local _, err = stage:run(function(run)
        run:step("slow", { timeout = "100s" }, function(own)
          cuts.failover_call(own, id)
          run.loop.sleep(1000)
        end)
      end)
      assert.equal("Client.StepTimeout", err.code)
      return err
    end
    assert.equal("rejected", timed(stages.new(), "pg-none").outcome)
    assert.equal("unknown", timed(stages.new()).outcome)
    local stage = cuts.slow_stage(1000)
    local err = timed(stage)
    assert.equal("unknown", err.outcome)
    assert.matches("not done within 1m40s; what it sent may have been done: " .. FAILOVER,
      err.message, 1, true)
    assert.equal("step_begin call answer=unknown step_end=Client.StepTimeout",
      cuts.told(stage, "slow"))
  end)

  it("says so if nothing could end it, and for how long", function()
    local stage = stages.new()
    local function block() stage.bench.emu:advance(10) end
    local result = assert(stage:run(function(run)
      local value, err = run:step("waits", { timeout = "4s", on_error = "continue" }, function()
        block()
        run.loop.sleep(1)
      end)
      assert(value == nil and err.late == 6)
      run:step("ends", { timeout = "4s" }, function()
        block()
        return true
      end)
      run:step("in time", { timeout = "20s" }, function()
        block()
        return true
      end)
      run:verify("seen", { timeout = "5s" }, function()
        block()
        return true
      end)
    end))
    local told = "not done within 4 s: its time passed while code ran that could not be "
      .. "interrupted, for 6 s more"
    assert.matches(told, result.exceptions[1], 1, true)
    assert.equal(told, stage:events("step_end")[1].err.message)
    local notes = stage:events "note"
    assert.equal('step "ends" was ' .. told, notes[1].text)
    assert.same({ 6, 5 }, { notes[1].late, notes[2].late })
    assert.matches('^step "seen" was not done within 5 s: ', notes[2].text)
    assert.equal(2, #notes)
    assert.equal("completed_with_exceptions", result.status)
  end)

  it("gives its check as long", function()
    local stage = stages.new()
    local function body(run)
      run:step("a", { timeout = "30s", check = function() run.loop.sleep(1000) end }, function()
        if run.attempt == 1 then error "interrupted!" end
      end)
    end
    stage:run(body)
    local _, err = stage:run(body)
    assert.equal("Client.StepTimeout", err.code)
    assert.equal(30, stage:events("stopped")[1].at - stage:events("attempt")[2].at)
  end)

  it("is given the blame for what ends within it, and nothing of that goes on", function()
    local stage = stages.new()
    assert(stage:run(function(run)
      run:step("outer", { timeout = "10s", on_error = "continue" }, function()
        run:each({ "x" }, function(_, branch)
          branch:step("inner", { on_error = "continue", timeout = "60s" }, function()
            run.loop.sleep(30)
          end)
          stage:did "behind the inner one"
        end)
      end)
    end))
    assert.equal("", stage:done())
    assert.equal("step_begin step_end=Client.StepTimeout", cuts.told(stage, "outer"))
    assert.equal("step_begin step_end=Client.Cancelled", cuts.told(stage, "x/inner"))
    for _, event in ipairs(stage:events "step_end") do
      if event.step == "x/inner" then
        assert.matches("^given up: not done within 10 s", event.err.message)
      end
    end
    assert.is_nil(stage:state().steps["x/inner"].went_on)
    assert.is_true(cuts.position(stage, "step_end", "x/inner")
      < cuts.position(stage, "step_end", "outer"))
  end)
end)

describe("a step that fails with what another task was told to stop with", function()
  it("has failed, and is not called back itself", function()
    local stage = stages.new()
    local result = assert(stage:run(function(run)
      for i, take in ipairs {
        function(task) return task:result() end,
        function(task) error(select(2, task:result()), 0) end,
        function()
          local caught
          run.loop.scope(function(scope)
            scope:cancel()
            caught = select(2, pcall(run.loop.sleep, 1))
          end)
          error(caught, 0)
        end,
      } do
        for _, timeout in ipairs { false, "1h" } do
          local name = ("step %d %s"):format(i, timeout)
          run:step(name, { on_error = "continue", timeout = timeout or nil }, function()
            local task = run.loop.spawn(run.loop.sleep, 100)
            run.loop.sleep(1)
            task:cancel()
            return take(task)
          end)
        end
      end
    end))
    assert.equal(6, #result.exceptions)
    for _, event in ipairs(stage:events "step_end") do
      assert.equal("Client.Cancelled", event.err.code)
    end
  end)
end)

describe("the time of a verb", function()
  it("is its own within a step that has more, and the step's where that has less", function()
    for _, row in ipairs { { "1h", "10s", "Client.FailoverTimeout" },
      { "10s", "1h", "Client.StepTimeout" } } do
      local stage = stages.new()
      local _, err = stage:run(function(run)
        local group = run:group "pg-orders"
        run:step("promote", { timeout = row[1] }, function()
          return group:failover { timeout = row[2] }
        end)
      end)
      assert.equal(row[3], err.code)
      assert.equal("unknown", err.outcome)
      assert.equal("step_begin intent call answer=accepted outcome=unknown step_end=" .. row[3],
        cuts.told(stage, "promote"))
      local took = stage:events("step_end")[1].at - stage:events("step_begin")[1].at
      assert.is_true(took >= 10 and took < 15, took)
    end
  end)
end)

describe("a step within a scope of the playbook's own", function()
  it("is written down as given up when the scope ends, and the run goes on", function()
    local stage = stages.new()
    local result = assert(stage:run(function(run)
      local nothing, err = run.loop.scope(function()
        run:step("slow", { on_error = "continue" }, function() run.loop.sleep(100) end)
        stage:did "never"
      end, { timeout = 10 })
      assert(nothing == nil and err.kind == "timeout")
      run:step("next", function() stage:did "next" end)
    end))
    assert.equal("next", stage:done())
    assert.equal("step_begin step_end=Client.Cancelled", cuts.told(stage, "slow"))
    assert.same({ 'step "slow" was given up' }, result.exceptions)
  end)
end)

describe("a verification", function()
  it("is not held up by a look that gives no answer", function()
    local stage, looks = stages.new(), 0
    local _, err = stage:run(function(run)
      run:verify("shop", { timeout = "60s", every = "10s" }, function()
        looks = looks + 1
        if looks == 2 then run.loop.sleep(100000) end
      end)
    end)
    assert.equal("Client.NotVerified", err.code)
    assert.matches("2 tries: it was given up after 50 s", err.message)
    assert.equal(60, stage:events("step_end")[1].at - stage:events("step_begin")[1].at)
  end)

  it("fails at once where its look raises", function()
    local _, err = stages.new():run(function(run)
      run:verify("shop", { timeout = "60s" }, function() error "a slip" end)
    end)
    assert.equal("Client.StepFailed", err.code)
    assert.matches("a slip", err.message)
  end)
end)
