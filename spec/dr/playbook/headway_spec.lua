-- How far many things are: what is counted, what is guessed of the end, and who is told.

local headways = require "alicloud.dr.playbook.headway"
local stages = require "spec.dr.playbook.stage"
local worlds = require "spec.worlds"

local ids, promote = worlds.ids, stages.promote

local CREATED, SLOW = { status = "created" }, { failover_seconds = 300 }

-- What a run tells of it, and the stage.
local function told(count, changes, options, each)
  local stage, list = stages.new { world = worlds.of_groups(count, changes) }, {}
  local given = { headway = 2, progress = function(event)
    if event.type == "headway" then list[#list + 1] = event end
  end }
  for name, value in pairs(options or {}) do given[name] = value end
  local result, err = stage:run(function(run) run:each(ids(count), each, promote) end, given)
  return list, stage, result, err
end

local function counts_of(event)
  return { event.count, event.done, event.failed, event.left_out, event.under_way, event.open }
end

describe("the headway of a run:each", function()
  it("is told from its beginning to its end, and every moment counts all of them", function()
    local list, stage = told(12, nil, nil, { parallel = 4 })
    local last = list[#list]
    assert.same({ 12, 0, 0, 0, 4, 8 }, counts_of(list[1]))
    assert.same({ 12, 12, 0, 0, 0, 0 }, counts_of(last))
    assert.is_true(last.last)
    for i, event in ipairs(list) do
      assert.equal(12, event.done + event.failed + event.left_out + event.under_way + event.open)
      assert.is_true((event.calls or 0) <= 30)
      assert.is_true(i == 1 or math.abs(event.calls_allowed - 30) < 1e-6)
      if i < #list then assert.is_nil(event.last) end
      if list[i + 2] then assert.near(2, list[i + 1].at - event.at, 1e-6) end
    end
    assert.equal(12, #stage.bench:ledger())
  end)

  it("tells what failed and what was left out", function()
    local list = told(6, { [2] = CREATED, [4] = CREATED }, nil, { max_errors = 5,
      leave_out = function(id) return id == "pg-04" or nil end })
    assert.same({ 6, 4, 1, 1, 0, 0 }, counts_of(list[#list]))
  end)

  it("has a last word where it stops early, or is interrupted", function()
    local list, _, _, err = told(6, { [1] = CREATED }, nil, { parallel = 1 })
    assert.equal("OperationDenied.InvalidStatus", err.code)
    assert.same({ 6, 0, 1, 0, 0, 5 }, counts_of(list[#list]))
    assert.is_true(list[#list].last)
  end)

  it("is told to nobody who has not asked, and is no record", function()
    local list = told(3, nil, nil, {})
    assert.is_true(#list > 0)
    local stage, seen = stages.new { world = worlds.of_groups(3) }, 0
    stage:run(function(run) run:each(ids(3), {}, promote) end, { progress = function(event)
      if event.type == "headway" then seen = seen + 1 end
    end })
    assert.equal(0, seen)
    local _, asked = told(3, nil, nil, {})
    assert.same(#stage:events(), #asked:events())
  end)

  it("expects the end when it comes, from the first that have ended", function()
    local expected = 0
    for _, case in ipairs { { 12, 4, 0.15 }, { 30, 30, 0.1 }, { 200, 200, 0.25 },
      { 60, 20, 0.25 } } do
      local list = told(case[1], nil, nil, { parallel = case[2] })
      local ended = list[#list].at
      for _, event in ipairs(list) do
        if event.done == 0 then
          assert.is_nil(event.ends_at)
        elseif not event.last then
          expected = expected + 1
          local left = ended - event.at
          local guessed = (event.ends_at or event.at) - event.at
          assert.is_true(math.abs(guessed - left) <= math.max(5, case[3] * (left + 45)),
            ("%d at %d: %.0f instead of %.0f"):format(case[1], case[2], guessed, left))
        end
      end
    end
    assert.is_true(expected > 0)
  end)

  it("expects no end any more of what takes longer than the others", function()
    local list, expected = told(5, { [5] = SLOW }, nil, { parallel = 5 }), 0
    for _, event in ipairs(list) do
      if event.done == 4 and event.ends_at then expected = expected + 1 end
    end
    assert.is_true(#list > 140)
    assert.is_true(expected < 5, expected)
    assert.is_nil(list[#list - 1].ends_at)
  end)

  it("does not take what an earlier process has done for the time of one", function()
    local headway = headways.new(3)
    headway:finish(headway:begin(0), "done")
    local second = headway:begin(0)
    assert.is_nil(headway:left(1, headway:counts()))
    headway:finish(second, "done", 40)
    headway:begin(41)
    assert.equal(40, headway:left(41, headway:counts()))
  end)

  it("names the branch that it is in", function()
    local stage, steps = stages.new { world = worlds.of_groups(2) }, {}
    stage:run(function(run)
      run:each({ "a" }, {}, function(_, own) own:each(ids(2), {}, promote) end)
    end, { headway = 5, progress = function(event)
      if event.type == "headway" then steps[event.step or "run"] = event.count end
    end })
    assert.same({ run = 1, a = 2 }, steps)
  end)

  it("is told of a step that goes on, with what it sees, to its end", function()
    local stage, list = stages.new(), {}
    stage:run(function(run)
      local group = run:group("pg-orders", { region = "cn-shanghai" })
      run:step("short", function() return true end)
      run:step("promote", function() return group:failover() end)
      run:each({ "pg-orders" }, {}, function(_, own)
        own:step("in a branch", function() own.loop.sleep(9) end)
      end)
    end, { headway = 2, progress = function(event)
      if event.type == "under_way" then list[#list + 1] = event end
    end })
    assert.same({ "short", 0, true }, { list[1].step, list[1].elapsed, list[1].last })
    for i = 2, #list do
      assert.equal("promote", list[i].step)
      assert.equal(i == #list or nil, list[i].last)
      if i < #list then assert.near(2 * (i - 1), list[i].elapsed, 1e-6) end
    end
    assert.matches("^failovering, %d/3 pairs", list[#list - 1].seen)
    assert.is_true(#list > 8, #list)
  end)

  it("refuses seconds that are none", function()
    local stage = stages.new()
    assert.has_error(function() stage:run(function() end, { headway = 0 }) end,
      "dr.run: option headway: got 0 (number); allowed: a number of seconds from 0.1 to 3600")
  end)
end)
