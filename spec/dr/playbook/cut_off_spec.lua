-- Verbs that are cut off half way: what must happen does, or is told with its command.

local after = require "spec.dr.after_lab"
local cuts = require "spec.dr.playbook.cut"
local dr = require "alicloud.dr"
local stages = require "spec.dr.playbook.stage"

describe("a fence that is cut off", function()
  -- From the moment at which the stop is written down, this waits.
  local function cut(what)
    local stage, held = stages.new { world = after.world() }, false
    local bench = stage.bench
    local keys = { access_key_id = bench.emu.access_key_id,
      access_key_secret = bench.emu.access_key_secret }
    local function hold(point)
      if held and what == point then bench.client.loop.sleep(10000) end
    end
    local send = bench.emu.transport.send
    bench.client = bench.client:with { transport = { send = function(request)
      if request.action == "StopInstance" then hold "answer" end
      return send(request)
    end }, credentials = { get = function()
      hold "keys"
      return keys
    end } }
    stage:run(function(run)
      local group = run:group "pg-orders"
      run:step("fence", { timeout = "20s", on_error = "continue" }, function()
        return group:fence()
      end)
    end, { progress = function(event) held = held or event.type == "production" end })
    return stage:state().production["pg-orders"].state, cuts.told(stage, "fence")
  end

  it("has stopped nothing, if nothing of it was sent", function()
    local production, words = cut "keys"
    assert.equal("step_begin production production step_end=Client.StepTimeout", words)
    assert.equal("back", production)
    production, words = cut "answer"
    assert.equal("step_begin production call answer=unknown step_end=Client.StepTimeout", words)
    assert.equal("stopped", production)
  end)
end)

describe("a failback that is cut off", function()
  it("says what it may have stopped, from the stop to the service", function()
    for at, left in pairs { stop_service = 0, sync = 1, serve = 1, protect = 0 } do
      local stage = stages.new { world = after.world { status = "failovered", old = false } }
      local result = assert(stage:run(function(run)
        local group = run:group "pg-orders"
        run:step("back", { timeout = "12h", on_error = "continue" }, function()
          return group:failback { to = "cn-hangzhou", attach = "i-old", confirm = function(step)
            if step == at then run.loop.sleep(1000000) end
            return true
          end }
        end)
      end))
      assert.equal("Client.StepTimeout", stage:events("step_end")[1].err.code)
      local texts = {}
      for _, event in ipairs(stage:events "note") do texts[#texts + 1] = event.text end
      assert.equal(left, #texts, at)
      if left > 0 then
        assert.equal(texts[1], result.exceptions[1])
        assert.matches(("in its step %s: what ran in cn-shanghai may be stopped"):format(at),
          texts[1], 1, true)
        assert.matches("alicloud-dr status pg-orders --region cn-shanghai", texts[1], 1, true)
      end
    end
  end)
end)

describe("a drill in a step", function()
  local function drilled(stage, options, check)
    return stage:run(function(run)
      local group = run:group "pg-orders"
      run:step("drill", options, function() return group:drill { check = check(run) } end)
    end)
  end

  local function sleeping(run)
    return function() run.loop.sleep(100000) end
  end

  it("is cleared when the step's time is over, in its check and while it is made", function()
    for _, timeout in ipairs { "1h", "10s", "1s" } do
      local stage = stages.new()
      local result = assert(drilled(stage, { timeout = timeout, on_error = "continue" }, sleeping))
      assert.equal(1, #result.exceptions, timeout)
      assert.same({}, assert(dr.drills(stage.bench.client)), timeout)
      assert.equal("failed", stage:state().steps.drill.status)
    end
  end)

  it("is cleared though its check heeds no cancellation", function()
    local stage = stages.new()
    assert(drilled(stage, { timeout = "1h", on_error = "continue" }, function(run)
      return function()
        while true do pcall(run.loop.sleep, 1) end
      end
    end))
    assert.same({}, assert(dr.drills(stage.bench.client)))
  end)

  it("is cleared when it is interrupted, or called back", function()
    local stage = stages.new()
    drilled(stage, {}, function() return function() error "interrupted!" end end)
    assert.same({}, assert(dr.drills(stage.bench.client)))
    assert.equal("step_begin intent call answer=accepted outcome=drill_ready call "
      .. "answer=accepted", cuts.told(stage, "drill"))
    stage = stages.new()
    cuts.pair_of(stage, function(branch)
      local group = branch:group "pg-orders"
      branch:step("drill", function() return group:drill { check = sleeping(branch) } end)
    end)
    assert.same({}, assert(dr.drills(stage.bench.client)))
  end)

  it("that was only started may be left, and that is told", function()
    for timeout, left in pairs { ["1s"] = 1, ["1h"] = 0 } do
      local stage = stages.new()
      local result = assert(stage:run(function(run)
        local group = run:group "pg-orders"
        run:step("start", { timeout = timeout, on_error = "continue" }, function()
          return group:start_drill()
        end)
      end))
      local told_of = 0
      for _, text in ipairs(result.exceptions) do
        if text:find("alicloud-dr drill list pg-orders --region cn-shanghai", 1, true) then
          told_of = told_of + 1
        end
      end
      assert.equal(left, told_of, timeout)
    end
  end)

  it("that cannot be cleared is told, with the command", function()
    local stage = stages.new { faults = { { effect = { error = { code = "Forbidden.RAM",
      status = 403 } }, match = { action = "ClearReplicaGroupDrill" } } } }
    local result = assert(drilled(stage, { timeout = "1h", on_error = "continue" }, sleeping))
    local id = assert(dr.drills(stage.bench.client))[1].id
    local text = ("drill %s of pg-orders is not cleared and costs money"):format(id)
    assert.matches(text, result.exceptions[1], 1, true)
    assert.matches(("alicloud-dr drill clear pg-orders %s --region cn-shanghai"):format(id),
      result.exceptions[1], 1, true)
    assert.equal(result.exceptions[1], stage:events("note")[1].text)
  end)
end)
