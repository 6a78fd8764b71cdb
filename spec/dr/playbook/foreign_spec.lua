-- Whatever functions of a playbook and of its host raise or return, the run ends with a result or
-- an error of ours, and its journal says how.

local core = require "alicloud.core"
local dr = require "alicloud.dr"
local dry_run = require "alicloud.dr.playbook.dry_run"
local errors = require "alicloud.base.error"
local hostile = require "spec.hostile"
local stages = require "spec.dr.playbook.stage"

-- Runs a body with each hostile value; tells of the run.
local function with_each(body, options, judge)
  for _, case in ipairs(hostile) do
    local stage, name = stages.new(), case[1]
    local ok, result, err = pcall(stage.run, stage, function(run) body(run, case[2]) end,
      options and options(case[2]))
    assert.is_true(ok, name)
    if err ~= nil then
      assert.is_true(errors.is_error(err), name)
      assert.is_nil(tostring(err):find "%c", name)
    end
    judge(result, err, stage, name)
  end
end

-- A run that fails, with an end of the step in the journal.
local function fails(step)
  return function(result, err, stage, name)
    assert.is_nil(result, name)
    assert.truthy(err, name)
    local ends = stage:events "step_end"
    assert.equal(1, #ends, name)
    assert.same({ step, false }, { ends[1].step, ends[1].ok }, name)
    assert.is_string(ends[1].err.message, name)
    assert.equal("stopped", stage:events()[#stage:events()].type, name)
  end
end

local function ends_well(result, err, _, name)
  assert.truthy(result, name)
  assert.is_nil(err, name)
end

local function is_reason(value)
  return value ~= nil
end

describe("a function of a playbook", function()
  it("fails its step by what it raises", function()
    with_each(function(run, value)
      run:step("one", function() error(value, 0) end)
    end, nil, fails "one")
  end)

  it("fails its step by what it gives for a reason", function()
    with_each(function(run, value)
      run:step("one", function() return nil, is_reason(value) and value or "x" end)
    end, nil, fails "one")
    with_each(function(run, value)
      run:step("one", { timeout = "1m" }, function()
        error(errors.new { code = "C", message = value })
      end)
    end, nil, fails "one")
    with_each(function(run, value)
      run:step("one", function()
        local err = errors.new { code = "C", message = "m" }
        err.message, err.code, err.hint, err.outcome = value, value, value, value
        error(err)
      end)
    end, nil, fails "one")
  end)

  it("may return what can be kept, and is told the part that cannot", function()
    with_each(function(run, value)
      run:step("one", { timeout = "1m" }, function() return { inside = value } end)
    end, nil, function(result, err, stage, name)
      if err then
        assert.matches("^Client%.[SF][tu]%a+", err.code, name)
        fails "one"(result, err, stage, name)
      end
      assert.equal(err == nil, stage:events("step_end")[1].ok, name)
    end)
    local branching = {}
    branching.a, branching.b, branching.c = branching, branching, branching
    local _, err = stages.new():run(function(run)
      run:step("one", function() return branching end)
    end)
    assert.equal("Client.StepResult", err.code)
    assert.matches("result.a: got a table that it is in itself", err.message, 1, true)
  end)

  it("looks in vain", function()
    with_each(function(run, value)
      run:verify("one", function() return nil, value end)
    end, nil, fails "one")
    with_each(function(run, value)
      run:verify("one", function() error(value, 0) end)
    end, nil, fails "one")
  end)

  it("of one branch leaves the others alone", function()
    with_each(function(run, value)
      local ended = run:each({ "a", "b" }, { max_errors = 2 }, function(item, branch)
        branch:step("one", function() return true end)
        if item == "a" then error(value, 0) end
        return value
      end)
      assert.is_true(errors.is_error(ended.failed.a))
      assert.is_nil(ended.failed.b)
    end, nil, function(_, _, stage, name)
      assert.equal(2, #stage:events "step_end", name)
    end)
  end)

  it("that undoes fails by itself, and nothing else does", function()
    with_each(function(run, value)
      for _, undo in ipairs { function() error(value, 0) end,
        function() return nil, is_reason(value) and value or "x" end } do
        run:step("step " .. tostring(undo), { undo = undo }, function() return true end)
      end
      run:step("last", function() error("the end", 0) end)
    end, nil, function(_, err, stage, name)
      assert.equal("the end", err.message, name)
      local ends = stage:events "undo_end"
      assert.equal(2, #ends, name)
      for _, event in ipairs(ends) do
        assert.is_false(event.ok, name)
        assert.is_string(event.err.message, name)
      end
    end)
  end)

  it("that listens is heard by nobody", function()
    with_each(function(run, value)
      for _, kind in ipairs { "step", "mark", "finished" } do
        run:on(kind, function() error(value, 0) end)
      end
      run:step("one", function() return true end)
    end, nil, ends_well)
  end)

  it("itself ends the run by what it raises", function()
    with_each(function(_, value) error(value, 0) end, nil, function(result, err, stage, name)
      assert.is_nil(result, name)
      assert.is_string(err.message, name)
      assert.equal("stopped", stage:events()[#stage:events()].type, name)
    end)
  end)

  it("is planned like any other", function()
    for _, case in ipairs(hostile) do
      local value = case[2]
      for _, body in ipairs { function() error(value, 0) end, function() return nil, value end,
        function() return value end } do
        local playbook = dr.playbook("spec", function(run)
          run:step("one", body)
          run:each({ "a" }, {}, body)
          body()
        end)
        local plan = dry_run.run(playbook, { client = stages.new().bench.client })
        assert.is_string(core.encode { plan.steps[1].note or "", plan.stopped or "" })
      end
    end
  end)
end)

describe("a function of the host", function()
  local function failing(run)
    run:step("one", { on_error = "ask" }, function() error("mine", 0) end)
  end

  it("that is asked stops the run, unless it gives an answer", function()
    for _, way in ipairs { function(value) error(value, 0) end,
      function(value) return value, value end, function(value) return "stop", value end } do
      with_each(failing, function(value)
        return { ask = function() return way(value) end }
      end, function(result, err, stage, name)
        assert.is_nil(result, name)
        assert.equal("mine", err.message, name)
        assert.equal("stop", stage:events("asked")[1].answer, name)
      end)
    end
  end)

  it("that does not agree by raising sends nothing", function()
    for _, case in ipairs(hostile) do
      local stage = stages.new()
      local result, err = stage:run(stage:move(), { confirm = function() error(case[2], 0) end })
      assert.is_nil(result)
      assert.equal("Client.NotConfirmed", err.code)
      assert.equal(0, #stage.bench:ledger())
    end
  end)

  it("that agrees with anything at all agrees, and what cannot be kept is left out", function()
    for _, case in ipairs(hostile) do
      if case[2] ~= nil then
        local stage = stages.new()
        assert(stage:run(stage:move(), { confirm = function() return case[2], case[2] end }))
        assert.equal(1, #stage:events "confirmed")
      end
    end
  end)

  it("that is told of progress changes nothing", function()
    with_each(function(run) run:step("one", function() return true end) end, function(value)
      return { progress = function() error(value, 0) end }
    end, ends_well)
  end)
end)
