-- A run that was killed goes on: what was finished is not done again, what was begun is looked at.

local core = require "alicloud.core"
local dr = require "alicloud.dr"
local lab = require "spec.dr.lab"
local stages = require "spec.dr.playbook.stage"

describe("a resumed run", function()
  it("does not do again what was finished, and has its results", function()
    local stage = stages.new()
    local broken = true
    local function body(run)
      local value = run:step("a", function()
        stage:did "a"
        return { n = 7 }
      end)
      run:step("b", function()
        if broken then error "not yet" end
        stage:did("b" .. value.n)
      end)
    end
    local _, err = stage:run(body)
    assert.matches("not yet", err.message)
    broken = false
    local result = assert(stage:run(body))
    assert.equal("a b7", stage:done())
    assert.equal(2, result.attempts)
    assert.equal("completed", result.status)
  end)

  it("keeps what it was begun with", function()
    local stage = stages.new()
    stage:run(function() error "stop" end, { params = { a = "1" }, kind = "drill" })
    for _, case in ipairs {
      { { params = { a = "2" } }, "the parameters are {\"a\":\"1\"} in the journal, not" },
      { { kind = "planned" }, "kind is drill in the journal, not planned" },
      { { incident = "x" }, "incident is nil in the journal" },
    } do
      local _, err = stage:run(function() end, case[1])
      assert.equal("Client.RunChanged", err.code)
      assert.matches(case[2], err.message, 1, true)
    end
    local _, err = stage:run(dr.playbook("other", function() end))
    assert.matches("the journal is of playbook \"spec\", not of \"other\"", err.message)
    assert(stage:run(function(run) assert(run.params.a == "1" and run.kind == "drill") end))
  end)

  it("remembers what was skipped and what failed and was passed over", function()
    local stage = stages.new()
    local ready = false
    local function body(run)
      run:skip("skipped", "why")
      run:step("skipped", function() stage:did "skipped" end)
      local _, err = run:step("failed", { on_error = "continue" }, function()
        stage:did "failed"
        error "broken"
      end)
      assert(err.code == "Client.StepFailed")
      run:step("last", function() assert(ready, "not ready") end)
    end
    stage:run(body)
    ready = true
    local result = assert(stage:run(body))
    assert.equal("failed", stage:done())
    assert.equal(2, #result.exceptions)
  end)

  it("is past the step to which a failed one has led, and does what comes after it", function()
    local stage = stages.new()
    local ready = false
    local function body(run)
      run:step("a", { on_error = "goto:c" }, function() error "broken" end)
      run:step("b", function() stage:did "b" end)
      run:step("c", function() stage:did "c" end)
      run:step("d", function()
        assert(ready, "not ready")
        stage:did "d"
      end)
    end
    stage:run(body)
    ready = true
    local result = assert(stage:run(body))
    assert.equal("c d", stage:done())
    assert.equal("done", stage:state().steps.d.status)
    assert.equal(2, #result.exceptions)
  end)

  it("runs again what was undone", function()
    local stage = stages.new()
    local ready = false
    local function body(run)
      run:step("a", { undo = function() stage:did "-a" end }, function() stage:did "a" end)
      run:step("b", function() assert(ready, "not ready") end)
    end
    stage:run(body)
    ready = true
    assert(stage:run(body))
    assert.equal("a -a a", stage:done())
  end)

  it("does not take for done what was being undone when the process died", function()
    local whole = stages.new()
    local function playbook(stage, ready)
      return function(run)
        run:step("a", { undo = function() stage:did "-a" end }, function() stage:did "a" end)
        run:step("b", function()
          assert(ready(), "not ready")
          stage:did "b"
        end)
      end
    end
    whole:run(playbook(whole, function() return false end))
    for n = 1, whole.disk.calls do
      local stage = stages.new()
      local ready = false
      local body = playbook(stage, function() return ready end)
      stage:run_until(body, function(call) return call.n == n and "crash" end)
      ready = true
      assert(stage:run(body))
      -- Whatever was taken back is there again before what relies on it.
      assert.is_truthy(stage:done():find "a b$" and not stage:done():find "%-a b$", stage:done())
    end
  end)
end)

describe("an intent whose outcome never came", function()
  -- Killed when the answer is to be written; the call itself was lost on its way.
  local function killed(when)
    local stage = stages.new { faults = { lab.fault({ drop = true }, when or "before") } }
    local playbook = stage:move()
    local answers = 0
    assert.is_true(stage:run_until(playbook, function(call)
      if call.op == "append" and #stage.bench:sends() > 0 then answers = answers + 1 end
      return answers == 1 and "crash"
    end))
    return stage, playbook
  end

  it("is sent again under its token, if nothing has happened", function()
    local stage, playbook = killed()
    assert(stage:run(playbook))
    local sends = stage.bench:sends()
    assert.equal(2, #sends)
    assert.equal(sends[1].client_token, sends[2].client_token)
    assert.equal(1, #stage.bench:ledger())
  end)

  it("is not sent again after the resend window", function()
    local stage, playbook = killed()
    stage.bench.emu:advance(121)
    local result, err = stage:run(playbook)
    assert.is_nil(result)
    assert.equal("Client.OutcomeUnknown", err.code)
    assert.equal("unknown", err.outcome)
    assert.equal(1, #stage.bench:sends())
  end)

  it("is not sent on another world: the difference is told", function()
    local stage, playbook = killed()
    stage.bench:reverse "normal"
    local _, err = stage:run(playbook)
    assert.equal("Client.Superseded", err.code)
    assert.matches("direction was cn%-hangzhou/g → cn%-shanghai/b, now it is", err.message)
    assert.equal(1, #stage.bench:sends())
  end)

  it("is dropped by a person's word only, and that is written down", function()
    local stage, playbook = killed()
    stage.bench.emu:advance(3600)
    assert(stage:run(playbook, { again = { promote = true } }))
    local sends = stage.bench:sends()
    assert.equal(2, #sends)
    assert.not_equal(sends[1].client_token, sends[2].client_token)
    assert.equal(sends[1].client_token, stage:events("asked")[1].dropped)
    assert.equal(1, #stage.bench:ledger())
  end)

  it("is taken up by whatever step asks for that group", function()
    local stage = killed()
    assert(stage:run(dr.playbook("move", function(run)
      local orders = run:group("pg-orders", { region = "cn-shanghai" })
      run:step("check", function() return orders:precheck() end)
      run:step("promote under another name", function() return orders:failover() end)
    end)))
    local sends = stage.bench:sends()
    assert.equal(sends[1].client_token, sends[#sends].client_token)
    assert.equal(1, #stage.bench:ledger())
  end)
end)

describe("a change that was cut off, and whose step was undone", function()
  local STOP = "StopDiskReplicaGroup"

  -- The stop was accepted, and its step's time is over before that is seen.
  local function cut_off(stage, undo)
    local timeout = 1
    local function body(run)
      local group = run:group("pg-orders", { region = "cn-shanghai" })
      run:step("first", { undo = function() error "stuck" end }, function() end)
      run:step("stop", { timeout = timeout,
        undo = undo and function() return undo(group) end or nil,
      }, function() return group:stop() end)
    end
    local _, err = stage:run(body, { incident = "INC-1" })
    assert.equal("Client.StepTimeout", err.code)
    timeout = 600
    return stage:run(body, { incident = "INC-1" })
  end

  local function tokens(stage)
    local list = {}
    for i, request in ipairs(stage.bench:requests(STOP)) do list[i] = request.client_token end
    return list
  end

  it("is made anew, with another token, though another step could not be undone", function()
    local stage = stages.new()
    local result = assert(cut_off(stage, function(group) return group:start() end))
    assert.equal("completed", result.status)
    local sent = tokens(stage)
    assert.equal(2, #sent)
    assert.are_not.equal(sent[1], sent[2])
    assert.equal("accepted", stage:state().intents[1].outcome.outcome)
    assert.equal(1, #stage:events "settled")
  end)

  it("is continued where the undo failed, or there is none", function()
    for _, undo in ipairs { function() error "stuck, too" end, false } do
      local stage = stages.new()
      assert(cut_off(stage, undo))
      assert.equal(1, #tokens(stage))
      assert.same({}, stage:events "settled")
    end
  end)
end)

describe("another call of a step that was killed", function()
  local function stopping(stage, options, token)
    return function(run)
      run:step("stop", options or {}, function()
        stage:did "stop"
        return run.client:call("StopDiskReplicaGroup", { ReplicaGroupId = "pg-orders" },
          { client_token = token and run:token "pg-orders" or nil, retries = 0 })
      end)
    end
  end

  -- The call has left when the machine stops; nobody saw its answer.
  local function killed(options, token)
    local stage = stages.new()
    local body = stopping(stage, options, token)
    assert.is_true(stage:run_until(body, function(call)
      return call.op == "append" and #stage.bench:requests() > 0 and "crash"
    end))
    return stage, body
  end

  it("stops and asks, and says what was sent", function()
    local stage, body = killed()
    local _, err = stage:run(body)
    assert.equal("Client.StepInDoubt", err.code)
    assert.equal("unknown", err.outcome)
    assert.matches('step "stop" was begun and not ended, and it has sent: '
      .. "ebs:StopDiskReplicaGroup %(no answer was seen%)", err.message)
    assert.matches("--again 'stop'", err.hint, 1, true)
    assert.equal("stop", stage:done())
  end)

  it("is done once more, or left out, by a person's word", function()
    local stage, body = killed()
    stage:run(body, { again = { stop = true } })
    assert.equal("stop stop", stage:done())
    stage, body = killed()
    local result = assert(stage:run(body, { skip = { stop = "it is stopping" } }))
    assert.equal("stop", stage:done())
    assert.equal("completed_with_exceptions", result.status)
    stage, body = killed()
    assert(stage:run(body, { ask = function(question)
      assert(question.err.code == "Client.StepInDoubt")
      return "skip", "night shift"
    end }))
  end)

  it("is done once more by itself, if the step gives the same token soon enough", function()
    local stage, body = killed(nil, true)
    stage:run(body)
    assert.equal("stop stop", stage:done())
    local requests = stage.bench:requests "StopDiskReplicaGroup"
    assert.is_string(requests[1].client_token)
    assert.equal(requests[1].client_token, requests[2].client_token)
    stage, body = killed(nil, true)
    stage.bench.emu:advance(121)
    local _, err = stage:run(body)
    assert.equal("Client.StepInDoubt", err.code)
  end)

  it("is settled by the step's own check", function()
    local stage, body = killed { check = function() return { stopped = true } end }
    assert(stage:run(body))
    assert.equal("stop", stage:done())
    assert.is_true(stage:state().steps.stop.result.stopped)
    stage, body = killed { check = function() return false end }
    stage:run(body)
    assert.equal("stop stop", stage:done())
    stage, body = killed { check = function() return nil, "cannot look" end }
    local _, err = stage:run(body)
    assert.matches("cannot look", err.message)
    assert.equal("stop", stage:done())
  end)
end)

describe("an edited playbook", function()
  local function first(stage)
    return dr.playbook("edited", function(run)
      run:step("a", function() stage:did "a" end)
      run:step("b", function() stage:did "b" end)
      run:step("c", function() error "not yet" end)
    end)
  end

  it("goes on if the finished steps still are there, and the journal tells", function()
    local stage = stages.new()
    stage:run(first(stage))
    assert(stage:run(dr.playbook("edited", function(run)
      run:step("b", function() stage:did "b" end)
      run:step("a", function() stage:did "a" end)
      run:step("new", function() stage:did "new" end)
      run:step("c", function() stage:did "c" end)
    end)))
    assert.equal("a b new c", stage:done())
    local attempts = stage:events "attempt"
    assert.equal(attempts[1].digest, attempts[2].edited_from)
  end)

  it("stops before anything new if a finished step is gone", function()
    local stage = stages.new()
    stage:run(first(stage))
    local edited = dr.playbook("edited", function(run)
      run:step("a", function() stage:did "a" end)
      run:step("c", function() stage:did "c" end)
    end)
    local _, err = stage:run(edited)
    assert.equal("Client.PlaybookChanged", err.code)
    assert.matches('step "b" is finished, but step "c" comes without it now', err.message)
    assert.equal("a b", stage:done())
    assert(stage:run(edited, { accept_edit = true }))
    assert.equal("a b c", stage:done())
  end)
end)

describe("two processes", function()
  it("cannot run one journal, and the second one learns of the first", function()
    local stage = stages.new()
    local _, err = stage:run(function(run)
      local _, other = stage:run(function() end)
      assert(other.code == "Client.JournalLocked")
      run:step("a", function() return nil, other.message end)
    end)
    assert.matches("run is held by operator %(pid %d+ on .+%) since ", err.message)
    assert.matches("pid " .. core.process().pid, err.message)
  end)

  it("cannot hold one group", function()
    local stage = stages.new()
    local inner
    assert(stage:run(function(run)
      run:group "pg-orders"
      inner = select(2, dr.run(dr.playbook("other", function(second) second:group "pg-orders" end),
        { client = stage.bench.client, store = stage.disk:open "other" }))
    end))
    assert.equal("Client.JournalLocked", inner.code)
    assert.matches("^group pg%-orders is held by operator", inner.message)
  end)
end)

describe("a run that is stopped from outside", function()
  it("while it undoes says so in the journal, and can be resumed", function()
    local stage = stages.new()
    local ready = false
    local function body(run)
      run:step("a", { undo = function() error "stdin:1: interrupted!" end }, function() end)
      run:step("b", function() assert(ready, "not ready") end)
    end
    local _, err = stage:run(body)
    assert.equal("Client.Interrupted", err.code)
    assert.equal("interrupted", stage:state().ending.type)
    ready = true
    assert(stage:run(body))
  end)

  it("by a journal that fails before the first step gets an error, not a raise", function()
    local stage = stages.new()
    stage:run(function() error "not yet" end)
    local inbox = require "alicloud.dr.playbook.inbox"
    local line = inbox.mode_line(stage:state().run.run_id, "ungraceful", "lead", "x")
    stage.disk:open("run"):post(line)
    local appends = 0
    stage.disk.fault = function(call)
      if call.op == "append" then appends = appends + 1 end
      return appends == 2 and "ENOSPC"
    end
    local result, err = stage:run(function() error "not yet" end)
    assert.is_nil(result)
    assert.equal("Client.JournalFailed", err.code)
    assert.is_true(err.incomplete)
  end)
end)
