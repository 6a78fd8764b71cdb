-- Many groups at a time: branches, thresholds, canaries, and what a crash leaves of them.

local stages = require "spec.dr.playbook.stage"
local worlds = require "spec.worlds"

local ids, promote = worlds.ids, stages.promote

local function fleet(count, changes)
  return { world = worlds.of_groups(count, changes) }
end

describe("run:each", function()
  it("moves many groups at a time over one transport", function()
    local stage = stages.new(fleet(12))
    local result
    assert(stage:run(function(run)
      result = run:each(ids(12), { parallel = 4 }, promote)
    end))
    assert.equal(12, #stage.bench:ledger())
    assert.equal(12, #stage:events "intent")
    assert.equal("failovered", result.ok["pg-07"].outcome)
    assert.equal("done", stage:state().steps["pg-07/promote"].status)
    local events = stage:events "finished"
    local took = events[1].at - stage:events("run")[1].at
    -- Who only waits for the end takes no place; where there is one, each has it to its end.
    assert.is_true(took >= 40 and took < 50, took)
    stage = stages.new(fleet(3))
    assert(stage:run(function(run) run:each(ids(3), { parallel = 1 }, promote) end))
    took = stage:events("finished")[1].at - stage:events("run")[1].at
    assert.is_true(took >= 120 and took < 140, took)
  end)

  local function give_up(branch, id, seconds)
    local group = branch:group(id, { region = "cn-shanghai" })
    branch:step("promote", { timeout = seconds, on_error = "continue" }, function()
      return group:failover()
    end)
  end

  it("ends with a step that is given up while it only waits", function()
    local result = assert(stages.new(fleet(2)):run(function(run)
      run:each(ids(2), {}, function(id, branch) give_up(branch, id, 20) end)
    end))
    assert.equal("completed_with_exceptions", result.status)
  end)

  it("counts who was given up while he only waited", function()
    local stage, begun = stages.new(fleet(5)), {}
    assert(stage:run(function(run)
      run:each(ids(5), { parallel = 2 }, function(id, branch)
        begun[id] = branch.loop.now()
        if id > "pg-02" then return branch.loop.sleep(30) end
        give_up(branch, id, 20)
        branch.loop.sleep(100)
      end)
    end))
    assert.is_true(begun["pg-04"] - begun["pg-01"] < 5)
    assert.is_true(begun["pg-05"] - begun["pg-01"] >= 120)
  end)

  it("stops beginning when there are too many failures", function()
    local broken = {}
    for i = 1, 10 do broken[i] = i % 2 == 0 and { status = "created" } or nil end
    local stage = stages.new(fleet(10, broken))
    local _, err = stage:run(function(run)
      run:each(ids(10), { parallel = 1, max_errors = "20%" }, promote)
    end)
    assert.equal("OperationDenied.InvalidStatus", err.code)
    assert.matches("2 of 10 failed %(pg%-02, pg%-04%), 6 were not begun", err.message)
    assert.equal(2, #stage.bench:ledger())
  end)

  it("goes on below the limit, and does not hide it", function()
    local stage = stages.new(fleet(4, { [2] = { status = "created" } }))
    local outcome
    local result = assert(stage:run(function(run)
      outcome = run:each(ids(4), { max_errors = 2 }, promote)
    end))
    assert.equal("completed_with_exceptions", result.status)
    assert.matches("pg%-02 failed", result.exceptions[1])
    assert.equal("OperationDenied.InvalidStatus", outcome.failed["pg-02"].code)
    assert.equal(3, #stage.bench:ledger())
  end)

  it("begins nothing more when a canary fails", function()
    local stage = stages.new(fleet(5, { [1] = { status = "created" } }))
    local _, err = stage:run(function(run)
      run:each(ids(5), { canary = 1, max_errors = 5 }, promote)
    end)
    assert.matches("1 of 5 failed %(pg%-01%), 4 were not begun", err.message)
    assert.same({}, stage.bench:ledger())
  end)

  it("leaves out what its caller says was never begun, and counts the rest", function()
    local created = { status = "created" }
    local stage = stages.new(fleet(5, { [2] = created, [4] = created }))
    local outcome
    local function body(run)
      outcome = run:each(ids(5), { max_errors = 1, leave_out = function(id, err)
        return err.kind == "precheck" and id .. " is not ready"
      end }, promote)
    end
    local result = assert(stage:run(body))
    assert.equal(3, #stage.bench:ledger())
    assert.same({ "pg-02 is not ready", "pg-04 is not ready" }, result.exceptions)
    assert.equal("OperationDenied.InvalidStatus", outcome.left_out["pg-02"].code)
    assert.same({}, outcome.failed)
  end)

  it("does not leave out what an earlier process has begun", function()
    local stage = stages.new { world = fleet(2).world, faults = { { effect = { partial = 1 },
      match = { action = "FailoverDiskReplicaGroup", group = "pg-01" } } } }
    local function body(run)
      run:each(ids(2), { leave_out = function() return "left out" end }, promote)
    end
    local _, err = stage:run(body)
    assert.matches("^1 of 2 failed %(pg%-01%)", err.message)
    stage.bench.emu.world.group_by_id["pg-01"].status = "invalid"
    _, err = stage:run(body)
    assert.matches("^1 of 2 failed %(pg%-01%)", err.message)
  end)

  it("carries out tier by tier, and the canaries of each first", function()
    local stage, order = stages.new(fleet(6)), {}
    local function tier(id) return id == "pg-05" and 1 or id == "pg-02" and 3 or 2 end
    assert(stage:run(function(run)
      run:each(ids(6), { tier = tier, canary = { "pg-04" } }, function(id, branch)
        order[#order + 1] = id
        promote(id, branch)
        order[#order + 1] = id
      end)
    end))
    assert.equal("pg-05 pg-05 pg-04 pg-04 pg-01 pg-03 pg-06",
      table.concat(order, " ", 1, 7))
    assert.equal("pg-02 pg-02", table.concat(order, " ", 11, 12))
  end)

  it("puts another in the place of a canary that is left out, not of one with a name", function()
    local function body(canary, order)
      return function(run)
        run:each(ids(4), { canary = canary, leave_out = function() return "left out" end },
          function(id, branch)
            order[#order + 1] = id
            return promote(id, branch)
          end)
      end
    end
    local stage, order = stages.new(fleet(4, { { status = "created" } })), {}
    assert(stage:run(body(2, order)))
    assert.equal(3, #stage.bench:ledger())
    assert.equal("pg-01 pg-02 pg-03 pg-04", table.concat(order, " "))
    stage = stages.new(fleet(4, { { status = "created" } }))
    local _, err = stage:run(body({ "pg-01" }, {}))
    assert.matches("^the canary pg%-01 was left out: ", err.message)
    assert.same({}, stage.bench:ledger())
    _, err = stages.new():run(body({ "pg-11" }, {}))
    assert.matches('canary: got "pg%-11"; allowed: elements of the list; did you mean', err.message)
  end)

  it("lets the next tier prove what was left out in the one before", function()
    local stage, order = stages.new(fleet(5, { { status = "created" } })), {}
    assert(stage:run(function(run)
      run:each(ids(5), { canary = 1, leave_out = function() return "left out" end,
        tier = function(id) return id == "pg-01" and 1 or 2 end }, function(id, branch)
          order[#order + 1] = id
          promote(id, branch)
          order[#order + 1] = id
        end)
    end))
    assert.equal("pg-01 pg-02 pg-02 pg-03 pg-04", table.concat(order, " ", 1, 5))
    assert.equal(4, #stage.bench:ledger())
  end)

  it("moves no more groups than somebody thought of, without his word", function()
    local function body(run) run:each(ids(3), { max_groups = 2 }, promote) end
    local stage = stages.new(fleet(3))
    local _, err = stage:run(body)
    assert.equal("Client.TooManyGroups", err.code)
    assert.same({}, stage.bench:requests())
    assert(stage:run(body, { ask = function(question)
      assert(question.release and question.err.code == "Client.TooManyGroups")
      return "again", "night shift"
    end }))
    assert.equal(3, #stage.bench:ledger())
  end)

  it("ends the others when a critical step fails", function()
    local stage = stages.new(fleet(3))
    local _, err = stage:run(function(run)
      run:each(ids(3), { max_errors = 3 }, function(id, branch)
        branch:step("guard", { critical = true }, function()
          branch.loop.sleep(id == "pg-01" and 1 or 100)
          if id == "pg-01" then error "never go on" end
        end)
        stage:did(id)
      end)
    end)
    assert.matches("never go on", err.message)
    assert.equal("", stage:done())
  end)

  it("fails a branch that leads to a step which never comes", function()
    local _, err = stages.new():run(function(run)
      run:each({ "a" }, function(_, branch)
        branch:step("x", { on_error = "goto:y" }, function() error "broken" end)
      end)
    end)
    assert.equal("Client.NoSuchStep", err.code)
  end)

  it("refuses two of a name, and what has none", function()
    local _, err = stages.new():run(function(run) run:each({ "a", "a" }, print) end)
    assert.matches("is there twice", err.message)
    _, err = stages.new():run(function(run) run:each({ {} }, print) end)
    assert.matches("each: item 1: got a table; allowed: a name, or a table with `id`", err.message)
  end)

  it("goes on with each branch where it was killed", function()
    local whole = stages.new(fleet(4))
    local function body(run) run:each(ids(4), { parallel = 4 }, promote) end
    assert(whole:run(body))
    for n = 1, whole.disk.calls, 3 do
      local stage = stages.new(fleet(4))
      if stage:run_until(body, function(call) return call.n == n and "crash" end) then
        local result, err = stage:run(body)
        assert.is_table(result, ("call %d: %s"):format(n, tostring(err)))
        assert.equal(4, #stage.bench:ledger(), n)
      end
    end
  end)
end)

describe("run:parallel", function()
  it("does several things at a time, and gives what they returned", function()
    local stage = stages.new()
    local results
    assert(stage:run(function(run)
      results = run:parallel {
        dns = function(branch)
          branch.loop.sleep(10)
          return branch:step("switch", function() return "switched" end)
        end,
        mail = function(branch) branch.loop.sleep(10) end,
      }
    end))
    assert.same({ dns = "switched", mail = true }, results)
    assert.equal(10, stage:events("finished")[1].at - stage:events("run")[1].at)
    assert.is_table(stage:state().steps["dns/switch"])
  end)

  it("lets the others end before it fails", function()
    local stage = stages.new()
    local _, err = stage:run(function(run)
      run:parallel {
        bad = function(branch) branch:step("x", function() error "broken" end) end,
        good = function(branch)
          branch.loop.sleep(10)
          stage:did "good"
        end,
      }
    end)
    assert.matches("1 of 2 failed %(bad%)", err.message)
    assert.equal("good", stage:done())
  end)
end)
