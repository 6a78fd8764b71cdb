-- What a step returns, and what a run is given, is the same in the next process, or is told: where
-- nothing was changed the step fails by it, where something was it does not.

local desks = require "spec.cli.desk"
local dr = require "alicloud.dr"
local dry_run = require "alicloud.dr.playbook.dry_run"
local errors = require "alicloud.base.error"
local helper = require "spec.helper"
local stages = require "spec.dr.playbook.stage"

local function book_of(result)
  return dr.playbook("spec", function(run)
    run:step("make", function() return result end)
  end)
end

-- One that moves the group, and returns besides what cannot be kept.
local function moving(stage)
  return dr.playbook("spec", function(run)
    local orders = run:group "pg-orders"
    local moved = run:step("promote", function()
      local result = assert(orders:failover())
      return { outcome = result.outcome, v = { 1, print }, nan = 0 / 0 }
    end)
    stage:did(moved.outcome .. " " .. tostring(moved.v[2]) .. " " .. tostring(moved.nan))
    run:step("stop here", function()
      if #stage.log == 1 then error "once" end
      return true
    end)
  end)
end

local TOLD = 'step "promote" returned what cannot be kept: result%.[vn].+ got .+, result%.[vn]'

describe("a result that a journal cannot keep", function()
  it("fails the step that has changed nothing, and names the part", function()
    local stage = stages.new()
    local result, err = stage:run(book_of { v = { 1, 2, 0 / 0 } })
    assert.is_nil(result)
    assert.equal("Client.StepResult", err.code)
    assert.equal("not_sent", err.outcome)
    assert.matches('step "make" returned what cannot be kept: result.v[3]: got nan; allowed: text',
      err.message, 1, true)
    assert.is_false(stage:events("step_end")[1].ok)
    assert.equal("completed", assert(stage:run(book_of { v = { 1, 2, 3 } },
      { accept_edit = true })).status)
  end)

  it("fails it as its options say", function()
    local result = assert(stages.new():run(function(run)
      local value, err = run:step("make", { on_error = "continue" }, function() return print end)
      assert(value == nil and err.code == "Client.StepResult")
    end))
    assert.matches("result: got a function", result.exceptions[1], 1, true)
  end)

  it("is left out of that of a step that has changed something, which is told", function()
    local stage = stages.new()
    local playbook = moving(stage)
    local _, err = stage:run(playbook)
    assert.matches("once", err.message)
    local note = stage:events("note")[1]
    assert.matches(TOLD, note.text)
    assert.is_true(note.left_out)
    assert.is_true(stage:events("step_end")[1].ok)
    assert(stage:run(playbook))
    assert.same({ "failovered null nil", "failovered null nil" }, stage.log)
    assert.equal(1, #stage.bench:ledger())
  end)

  it("is left out where the work is seen to be done", function()
    for _, body in ipairs {
      function(run) return run:verify("seen", function() return { print } end) end,
      function(run)
        return run:step("seen", function() return { run:program(function() return print end) } end)
      end,
    } do
      local stage = stages.new()
      assert.equal("completed", assert(stage:run(function(run)
        assert(#body(run) == 1)
      end)).status)
      assert.matches('step "seen" returned .+; it is left out$', stage:events("note")[1].text)
    end
  end)

  it("is too much to keep, if it is much", function()
    local _, err = stages.new():run(book_of(("x"):rep(300000)))
    assert.matches("result: got 300002 bytes, which are more than 262144", err.message, 1, true)
  end)

  it("is found by a plan, before anything is sent", function()
    local stage = stages.new()
    local function plan(playbook) return dry_run.run(playbook, { client = stage.bench.client }) end
    local made = plan(book_of { v = print })
    assert.equal("refused", made.steps[1].effect)
    assert.matches('step "make" returned what cannot be kept: result.v: got a function',
      made.stopped, 1, true)
    made = plan(moving(stage))
    assert.equal("changes", made.steps[1].effect)
    assert.is_true(made.steps[1].failed)
    assert.matches(TOLD, made.steps[1].note)
    assert.equal("failovered null nil", stage.log[1])
    made = plan(dr.playbook("spec", function(run)
      run:step("make", { plan = function() return print end }, function() return 1 end)
    end))
    assert.is_nil(made.stopped)
  end)

  it("is found by `explore`, too, and what a note holds", function()
    for body, told in pairs {
      ["run:step('make', function() return { v = print } end)"] =
        'the run does not end well: .+step \\"make\\" returned .+ result.v: got a function',
      ["run:note('seen', { v = print })"] = "T6 seen .+ fields.v: got a function" } do
      local desk, file = desks.room(('return require "alicloud.dr".playbook("x", function(run) '
        .. 'local orders = run:group("pg-orders", { region = "cn-shanghai" })\n'
        .. 'run:step("look", function() return orders:observe() end) %s end)'):format(body))
      local ran = desk:run("explore", file, "--region", "cn-shanghai", "--seeds", "2", "--json")
      assert.is_true(ran.code > 0)
      assert.matches(told, ran.out)
    end
  end)
end)

describe("what the function of a playbook returns", function()
  it("ends the run as failed where it is `nil, err`, as if a step had returned it", function()
    for _, way in ipairs { { nil, "it leaks" }, { false, "it leaks" },
      { nil, errors.new { kind = "state", code = "Own.Leak", message = "it leaks" } } } do
      local stage, undone = stages.new(), 0
      local playbook = dr.playbook("spec", function(run)
        run:step("shut", { undo = function() undone = undone + 1 return true end },
          function() return true end)
        return way[1], way[2]
      end)
      for attempt = 1, 2 do
        local result, err = stage:run(playbook)
        assert.is_nil(result)
        assert.equal(way[2].code or "Client.StepFailed", err.code)
        assert.equal("it leaks", err.message)
        assert.equal(attempt, undone)
        assert.equal(attempt, #stage:events "stopped")
      end
      assert.same({}, stage:events "finished")
      assert.equal("it leaks", dry_run.run(playbook, { client = stage.bench.client }).stopped)
    end
  end)

  it("ends a plan where a branch returns `nil, err`, as the branch would fail in a run", function()
    local function leaking() return nil, "it leaks" end
    for _, body in ipairs { function(run) run:each({ "pg-1" }, leaking) end,
      function(run) run:parallel { one = leaking } end } do
      local stage = stages.new()
      local playbook = dr.playbook("spec", body)
      assert.equal("it leaks", dry_run.run(playbook, { client = stage.bench.client }).stopped)
      local _, err = stage:run(playbook)
      assert.matches("it leaks", err.message, 1, true)
    end
  end)

  it("hands on the error of a step that lets the run go on where the step is returned", function()
    local stage, options = stages.new(), { on_error = "continue" }
    local function leak() return nil, "it leaks" end
    local _, err = stage:run(function(run) return run:step("look", options, leak) end)
    assert.equal("it leaks", err.message)
    local result = assert(stages.new():run(function(run) run:step("look", options, leak) end))
    assert.equal("completed_with_exceptions", result.status)
  end)

  it("leaves it completed where it is nothing, or a value", function()
    for _, body in ipairs { function() end, function() return nil end, function() return false end,
      function() return { ok = false } end, function() return "done", "more" end } do
      assert.equal("completed", assert(stages.new():run(body)).status)
    end
  end)

  it("is told by the commands", function()
    local desk, file = desks.room [[return require "alicloud.dr".playbook("x", function(run)
      run:step("look", function() return true end)
      return nil, "it leaks" end)]]
    local ran = desk:run("run", file, "--region", "cn-shanghai")
    assert.equal(1, ran.code)
    assert.matches("it leaks", ran.err, 1, true)
    local run = desk:run("runs", "--json").object.runs[1]
    assert.equal("failed", run.status)
    assert.matches("it leaks", desk:run("explain", run.journal).out, 1, true)
    assert.equal(1, desk:run("resume", run.journal).code)
    assert.matches("it leaks", desk:run("plan", file, "--region", "cn-shanghai").out, 1, true)
  end)
end)

describe("what a run is given", function()
  it("is refused by name if it would be another thing in the next process", function()
    local stage = stages.new()
    local function run(params) return stage:run(book_of(1), { params = params }) end
    assert.matches("dr.run: parameter x[2]: got a function; allowed: text",
      helper.raised(run, { x = { 1, print } }), 1, true)
    assert.matches('dr.run: parameter x["a b"]: got nan', helper.raised(run,
      { x = { ["a b"] = 0 / 0 } }), 1, true)
    assert.equal("", stage.disk:text "run")
    assert(run { x = { 1, false }, stop = print })
    local desk, file = desks.room()
    for _, command in ipairs { "run", "plan", "explore" } do
      local ran = desk:run(command, file, "--region", "cn-shanghai", "max_rpo=\xff")
      assert.equal(2, ran.code)
      assert.matches("parameter max_rpo: got bytes that are no text in UTF-8", ran.err, 1, true)
    end
  end)

  it("is known by names that the journal keeps", function()
    local _, err = stages.new():run(function(run) run:step("\xff", function() end) end)
    assert.matches("step name: got .+; allowed: 1 to 80 bytes of UTF%-8", err.message)
    _, err = stages.new():run(function(run) run:each({ "a\xff" }, function() end) end)
    assert.matches("each: item 1: got .+; allowed: a name", err.message)
  end)

  it("is no listener's to change", function()
    local result = assert(stages.new():run(function(run)
      run:on("step", function(event)
        if event.result then event.result.list[1] = "changed" end
      end)
      run:step("a", function() return { list = { 1 } } end)
      run.loop.sleep(1)
    end))
    assert.same({ 1 }, result.steps[1].result.list)
  end)

  it("is told in a note that does not hold all", function()
    local stage = stages.new()
    assert(stage:run(function(run) run:note("seen", { n = 1, v = { print } }) end))
    local note = stage:events("note")[1]
    assert.equal("seen (left out, since it cannot be kept: fields.v[1]: got a function)", note.text)
    assert.equal(1, note.fields.n)
  end)
end)
