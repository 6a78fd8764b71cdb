-- Steps: done once, kept, and what follows when they fail.

local dr = require "alicloud.dr"
local helper = require "spec.helper"
local inbox = require "alicloud.dr.playbook.inbox"
local stages = require "spec.dr.playbook.stage"

describe("a playbook", function()
  it("is a name and a function", function()
    assert.matches("dr.playbook: name: got \"\"", helper.raised(dr.playbook, "", print))
    assert.matches("allowed: a function", helper.raised(dr.playbook, "x", 1))
    assert.matches("allowed: what dr.playbook returns", helper.raised(dr.run, {}, {}))
    local playbook = dr.playbook("x", function() end)
    assert.matches("^alicloud.dr.Playbook%(x, %x+%)$", tostring(playbook))
    assert.matches("unknown option \"jornal\"; did you mean \"journal\"",
      helper.raised(dr.run, playbook, { jornal = "x" }))
    assert.matches("option client is required", helper.raised(dr.run, playbook, {}))
  end)

  it("fails a group over, and the journal says so", function()
    local stage = stages.new()
    local result = assert(stage:run(function(run)
      local orders = run:group("pg-orders", { region = "cn-shanghai" })
      run:step("check", function() return orders:precheck { max_rpo = "20m" } end)
      local moved = run:step("promote", { point_of_no_return = true }, function()
        return orders:failover { max_rpo = "20m" }
      end)
      stage:did(moved.outcome)
      run:verify("shop answers", function() return true end)
    end, { declared = { rto = "30m", rpo = "20m" } }))
    assert.equal("completed", result.status)
    assert.equal(432, result.rpo)
    assert.is_true(result.rto >= 52 and result.rto < 60)
    assert.same({ rto = 1800, rpo = 1200 }, result.declared)
    assert.is_number(result.marks.data_ready)
    assert.is_number(result.marks.verified)
    assert.equal("failovered", stage:done())
    assert.equal(1, #stage.bench:ledger())
    local kinds = {}
    for _, event in ipairs(stage:events()) do kinds[#kinds + 1] = event.type end
    assert.equal("run attempt step_begin look step_end step_begin intent call answer outcome look "
      .. "mark step_end step_begin mark step_end finished", table.concat(kinds, " "))
    local effect = stage.bench:ledger()[1]
    assert.equal(effect.client_token, stage:events("intent")[1].intent.client_token)
    assert.equal(effect.request_id, stage:events("answer")[1].request_id)
  end)

  it("that has finished makes no further call", function()
    local stage = stages.new()
    local function body(run)
      local orders = run:group "pg-orders"
      run:step("promote", function() return orders:failover() end)
    end
    local first = assert(stage:run(body))
    local calls, text = #stage.bench:requests(), stage.disk:text "run"
    local again = assert(stage:run(body))
    assert.same(first, again)
    assert.equal(calls, #stage.bench:requests())
    assert.equal(text, stage.disk:text "run")
  end)
end)

describe("a step", function()
  it("is known by its name, once", function()
    local stage = stages.new()
    local _, err = stage:run(function(run)
      run:step("a", function() end)
      run:step("a", function() end)
    end)
    assert.matches("step \"a\" is there twice", err.message)
    _, err = stages.new():run(function(run)
      run:step("a", function() run:step("b", function() end) end)
    end)
    assert.matches("steps do not nest", err.message)
  end)

  it("refuses what is wrong with it where it stands", function()
    for _, case in ipairs {
      { function(run) run:step("", function() end) end, "step name: got \"\"" },
      { function(run) run:step("a/b", function() end) end, "step name" },
      { function(run) run:step("a", 5) end, "allowed: a function" },
      { function(run) run:step("a", { timout = 1 }, print) end, "did you mean \"timeout\"" },
      { function(run) run:step("a", { on_error = "goto:" }, print) end, "option on_error" },
      { function(run) run.step("a", print) end, "call its methods with a colon" },
      { function(run) run:on("stop", print) end, "unknown event" },
      { function(run) run:skip("a", " ") end, "allowed: a reason" },
    } do
      local _, err = stages.new():run(case[1])
      assert.matches(case[2], err.message, 1, true)
    end
  end)

  it("gives what a resume would give: a plain value", function()
    local stage = stages.new()
    assert(stage:run(function(run)
      local value = run:step("a", function()
        return { list = { false, 2 }, password = "x", nested = { yes = true } }
      end)
      assert(value.list[1] == false and value.password == "[hidden]" and value.nested.yes == true)
      assert(run:step("b", function() end) == nil)
      assert(run:step("c", function() return false end) == false)
    end))
    assert.is_nil(stage.disk:text("run"):find('"x"', 1, true))
  end)

  it("that fails stops the run, whichever way it fails", function()
    for _, case in ipairs {
      { function() error "broken" end, "broken" },
      { function() return nil, "no luck" end, "no luck" },
      { function() return { ok = false } end, "not ok" },
      { function() return ("x").y.z end, "attempt to index" },
    } do
      local stage = stages.new()
      local result, err = stage:run(function(run)
        pcall(function() run:step("a", case[1]) end)
        run:step("b", function() stage:did "b" end)
      end)
      assert.is_nil(result)
      assert.matches(case[2], err.message)
      assert.equal("run", err.journal)
      assert.equal("", stage:done(), "a caught stop still stops")
      assert.equal("stopped", stage:events()[#stage:events()].type)
    end
  end)

  it("stops with the finding of a pre-check", function()
    local stage = stages.new { group = { recover_point_age = 3000 } }
    local _, err = stage:run(function(run)
      local orders = run:group "pg-orders"
      run:step("check", function() return orders:precheck { max_rpo = "20m" } end)
    end)
    assert.equal("Client.RecoveryPointTooOld", err.code)
    assert.equal("precheck", err.kind)
  end)

  it("may fail and be passed over; the result does not hide it", function()
    local stage = stages.new()
    local result = assert(stage:run(function(run)
      local value, err = run:step("a", { on_error = "continue" }, function() error "broken" end)
      assert(value == nil and err.code == "Client.StepFailed")
      run:step("b", function() stage:did "b" end)
    end))
    assert.equal("completed_with_exceptions", result.status)
    assert.matches("step \"a\" failed: .*broken", result.exceptions[1])
    assert.equal("b", stage:done())
  end)

  it("may lead to a later step", function()
    local stage = stages.new()
    local result = assert(stage:run(function(run)
      run:step("a", { on_error = "goto:c" }, function() error "broken" end)
      run:step("b", function() stage:did "b" end)
      run:step("c", function() stage:did "c" end)
      run:step("d", function() stage:did "d" end)
    end))
    assert.equal("c d", stage:done())
    assert.equal(2, #result.exceptions)
    local _, err = stages.new():run(function(run)
      run:step("a", { on_error = "goto:x" }, function() error "broken" end)
    end)
    assert.equal("Client.NoSuchStep", err.code)
  end)

  it("that is critical always stops, and cannot be skipped", function()
    local _, err = stages.new():run(function(run)
      run:step("a", { on_error = "continue", critical = true }, function() error "broken" end)
    end)
    assert.matches("broken", err.message)
    _, err = stages.new():run(function(run)
      run:step("a", { critical = true }, function() end)
    end, { skip = { a = "why not" } })
    assert.equal("Client.CriticalStep", err.code)
  end)

  it("asks a person, who is written down", function()
    local answers, stage = { "again", "skip" }, stages.new()
    local result = assert(stage:run(function(run)
      run:step("a", { on_error = "ask" }, function()
        stage:did "a"
        error "broken"
      end)
    end, { ask = function(question)
      assert(question.step == "a" and question.err.code == "Client.StepFailed")
      return table.remove(answers, 1), "night shift"
    end }))
    assert.equal("a a", stage:done())
    assert.equal("completed_with_exceptions", result.status)
    assert.equal("night shift", stage:events("asked")[1].by)
    local _, err = stages.new():run(function(run)
      run:step("a", { on_error = "ask" }, function() error "broken" end)
    end)
    assert.matches("broken", err.message)
  end)

  it("ends after its time, and what it had sent is in doubt", function()
    local stage = stages.new()
    local _, err = stage:run(function(run)
      run:step("slow", { timeout = "30s" }, function() run.loop.sleep(100) end)
    end)
    assert.equal("Client.StepTimeout", err.code)
    assert.equal("timeout", err.kind)
    assert.equal("unknown", err.outcome)
    assert.equal(30, stage:events("stopped")[1].at - stage:events("step_begin")[1].at)
  end)

  it("is left out by a reason, from the playbook or from outside", function()
    local stage = stages.new()
    local result = assert(stage:run(function(run)
      run:skip("a", "not today")
      run:step("a", function() stage:did "a" end)
      run:step("b", function() stage:did "b" end)
    end, { skip = { b = "ticket 4711" } }))
    assert.equal("", stage:done())
    assert.same({ 'step "a" was skipped: not today', 'step "b" was skipped: ticket 4711' },
      result.exceptions)
  end)

  it("undoes what was done, backwards, until the point of no return", function()
    local function body(stage, no_return)
      return function(run)
        run:step("a", { undo = function() stage:did "-a" end }, function() end)
        run:step("b", { undo = function() error "stuck" end, point_of_no_return = no_return },
          function() end)
        run:step("c", { undo = function() stage:did "-c" end }, function() end)
        run:step("d", function() error "broken" end)
      end
    end
    local stage = stages.new()
    stage:run(body(stage, false))
    assert.equal("-c -a", stage:done())
    assert.equal("undone", stage:state().steps.a.status)
    assert.equal("begun", stage:state().steps.b.status)
    stage = stages.new()
    stage:run(body(stage, true))
    assert.equal("", stage:done())
  end)
end)

describe("a run", function()
  it("knows what it is for", function()
    local stage = stages.new()
    assert(stage:run(function(run)
      assert(run.kind == "drill" and run.params.what == "x" and run.attempt == 1)
      assert(run.mode == "graceful" and run.incident == "INC-1" and #run.id == 16)
      assert(run.direction == nil)
      run:step("look", function() return run:group("pg-orders"):precheck() end)
      assert(run.direction.to == "cn-shanghai" and run.recovery_point > 0)
      run:note("hello", { n = 1 })
    end, { kind = "drill", params = { what = "x" }, incident = "INC-1" }))
    assert.equal("hello", stage:events("note")[1].text)
  end)

  it("derives tokens from the incident, so that two runs send the same", function()
    local tokens = {}
    for i = 1, 2 do
      local stage = stages.new { seed = i }
      assert(stage:run(function(run)
        local orders = run:group "pg-orders"
        run:step("promote", function() return orders:failover() end)
      end, { incident = "INC-4711" }))
      tokens[i] = stage.bench:ledger()[1].client_token
    end
    assert.equal(tokens[1], tokens[2])
  end)

  it("lets nothing change outside of a step", function()
    local stage = stages.new()
    local _, err = stage:run(function(run)
      local result, why = run:group("pg-orders"):failover()
      assert(not result)
      error(why, 0)
    end)
    assert.equal("Client.JournalFailed", err.code)
    assert.matches("belongs into a step", err.message)
    assert.same({}, stage.bench:sends())
  end)

  it("accepts a loss by name only, and writes that down", function()
    local stage = stages.new { group = { recover_point_age = 3000 } }
    local function body(run)
      local orders = run:group "pg-orders"
      run:step("promote", function() return orders:failover { max_rpo = "20m" } end)
    end
    local _, err = stage:run(body)
    assert.equal("Client.RecoveryPointTooOld", err.code)
    local loss = { seconds = 3600, by = "ops-lead", why = "the region is gone" }
    assert(stage:run(body, { accept_loss = loss }))
    local event = stage:events("accept_loss")[1]
    assert.equal("ops-lead", event.by)
    assert.equal(3600, event.seconds)
    assert.same(loss, stage:events("intent")[1].accept_loss)
  end)

  it("leaves out what is only graceful once the old side is given up", function()
    local stage = stages.new()
    local result = assert(stage:run(function(run)
      run:step("stop services", { graceful_only = true, marks = "old_side_fenced" }, function()
        stage:did "stopped"
      end)
      run:switch("ungraceful", "the region is gone")
      run:step("last sync", { graceful_only = true }, function() stage:did "synced" end)
      assert(run.mode == "ungraceful")
    end))
    assert.equal("stopped", stage:done())
    assert.is_number(result.marks.old_side_fenced)
    assert.equal("completed_with_exceptions", result.status)
  end)

  it("gives up a graceful step that is under way when somebody says so", function()
    local stage = stages.new()
    local result = assert(stage:run(function(run)
      run.loop.spawn(function()
        run.loop.sleep(40)
        stage.disk:open("run"):post(inbox.mode_line(run.id, "ungraceful", "ops", "it hangs"))
      end)
      run:step("stop services", { graceful_only = true, timeout = "1h" }, function()
        run.loop.sleep(1800)
        stage:did "never"
      end)
      run:step("promote", function() stage:did "promoted" end)
    end))
    assert.equal("promoted", stage:done())
    assert.equal("ops", stage:events("mode")[1].by)
    assert.equal("completed_with_exceptions", result.status)
    assert.is_true(stage:events("mode")[1].at - stage:events("step_begin")[1].at < 45)
  end)

  it("has no ungraceful way if the playbook needs the old side, whoever wishes it", function()
    local stage = stages.new()
    local book = dr.playbook("both", { graceful_only = "use the other one" }, function(run)
      run:step("wait", function()
        local store = stage.disk:open "run"
        store:post(inbox.mode_line(run.id, "ungraceful", "ops", "it is dark"))
      end)
      run:step("go on", function() return run.mode end)
      assert.has_error(function() run:switch("ungraceful", "dark") end,
        "playbook: switch: there is no ungraceful way: use the other one")
    end)
    assert.error_matches(function() stage:run(book, { mode = "ungraceful" }) end,
      'mode: got "ungraceful"; allowed: graceful: both has no ungraceful way: use the other one')
    local result = assert(stage:run(book))
    assert.equal("completed", result.status)
    assert.equal("graceful", stage:state().mode)
  end)

  it("tells hooks, who can neither fail nor delay it", function()
    local stage = stages.new()
    local result = assert(stage:run(function(run)
      run:on("step", function(event) stage:did(event.type .. ":" .. event.step) end)
      run:on("step", function() error "chat is down" end)
      run:on("step", function() while true do local _ = 1 end end)
      run:on("step", function() run.loop.sleep(100000) end)
      run:step("a", function() end)
      run.loop.sleep(1)
    end))
    assert.equal("step_begin:a step_end:a", stage:done())
    assert.equal("completed", result.status)
    assert.is_true(stage.bench.emu:now() - stage:events("run")[1].at < 10)
  end)

  it("ends hooks that compute for ever, whatever they catch", function()
    local stage = stages.new()
    local function compute() while true do local _ = 1 end end
    local result = assert(stage:run(function(run)
      run:on("step", function() while true do pcall(compute) end end)
      run:on("step", function() while true do pcall(pcall, compute) end end)
      run:on("step", function() while true do pcall(string.gsub, "x", "x", compute) end end)
      run:on("step", function()
        local _ <close> = setmetatable({}, { __close = compute })
        for _ = 1, 1000000 do pcall(run.loop.checkpoint) end
      end)
      run:step("a", function() run.loop.sleep(1) end)
    end))
    assert.equal("completed", result.status)
    local loop = stage.bench.client.loop
    assert.equal("sound", loop.spawn(function() loop.sleep(1) return "sound" end):result())
  end)

  it("ends when a hook is interrupted, as it does anywhere else, and is resumed", function()
    local stage = stages.new()
    local function book(run)
      run:on("step", function()
        run.loop.sleep(5)
        if run.attempt == 1 then error "interrupted!" end
      end)
      run:on("interrupted", function() error("interrupted!", 0) end)
      run:step("wait", function() run.loop.sleep(run.attempt == 1 and 100000 or 1) end)
    end
    local result, err = stage:run(book)
    assert.is_nil(result)
    assert.equal("Client.Interrupted", err.code)
    assert.equal("interrupted", stage:events()[#stage:events()].type)
    assert.is_true(stage.bench.emu:now() - stage:events("run")[1].at < 10)
    assert.equal("completed", assert(stage:run(book)).status)
  end)
end)
