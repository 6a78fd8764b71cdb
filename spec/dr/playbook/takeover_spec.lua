-- Going on in a shared store where another controller has announced a call and written no answer:
-- looked for at once, sent again only when nothing of the other can arrive.

local after_lab = require "spec.dr.after_lab"
local journals = require "alicloud.dr.journal"
local lab = require "spec.dr.lab"
local memory = require "alicloud.dr.store.memory"
local shared_disk = require "spec.dr.store.shared_disk"
local stages = require "spec.dr.playbook.stage"
local takeovers = require "alicloud.dr.playbook.takeover"

local FAILOVER, STOP = "FailoverDiskReplicaGroup", "StopInstance"
local WAIT = 34

local function open(stage)
  return shared_disk.open(stage.disk, stage.bench.client, { waits = 0.1, window = 4,
    takeover_wait = WAIT })
end

-- What a process tells, with the moments.
local function listening(stage, told)
  return function(event)
    told[event.type] = told[event.type] or stage.bench.client.runtime.boottime()
    told[#told + 1] = event
  end
end

-- Runs a playbook in a process that stops when it has written a record, and before a call leaves.
local function run_until(stage, body, is_last)
  local ok, raised = pcall(stage.run, stage, body, { store = open(stage),
    progress = function(event)
      if not is_last(event) then return end
      stage.disk.stopped = true
      error(memory.CRASH, 0)
    end })
  assert(not ok and stage.disk.stopped, raised)
  stage.disk:restart()
end

local function announces(action)
  return function(event) return event.type == "call" and event.action == action end
end

-- Runs it in another process; `at` maps seconds after its attempt to what happens then.
local function take_over(stage, body, at)
  local loop, told = stage.bench.client.loop, {}
  for seconds, act in pairs(at or {}) do
    loop.spawn_shared(function()
      loop.sleep(seconds)
      act()
    end)
  end
  told.result, told.err = stage:run(body, { store = open(stage), requester = "second",
    progress = listening(stage, told) })
  return told
end

-- When each call of an action was sent, after the attempt of the other process.
local function sent_after(stage, told, action)
  local list = {}
  for i, request in ipairs(stage.bench:requests(action)) do
    list[i] = request.time - told.attempt
  end
  return list
end

local function announced(stage)
  return stage:events("call")[1]
end

-- The call of the first process leaves after all.
local function arrive_late(stage)
  local call = announced(stage)
  return stage.bench.client:call(call.action, { ReplicaGroupId = "pg-orders" },
    { client_token = call.client_token, region = call.region })
end

describe("a change that another process has announced", function()
  it("is sent again when nothing of the other can arrive, with its token", function()
    local stage = stages.new()
    run_until(stage, stage:move(), announces(FAILOVER))
    assert.same({}, stage.bench:sends())
    local told = take_over(stage, stage:move())
    assert.equal("completed", told.result.status)
    local sends = sent_after(stage, told, FAILOVER)
    assert.equal(1, #sends)
    assert.is_true(sends[1] >= WAIT and sends[1] < WAIT + 15, sends[1])
    assert.equal(announced(stage).client_token, stage.bench:sends()[1].client_token)
    assert.is_true(#stage.bench:requests "DescribeDiskReplicaGroups" > 5)
    assert.is_number(told.takeover)
  end)

  it("is not sent again where that of the other arrives meanwhile", function()
    for _, moment in ipairs { 5, 20, 30 } do
      local stage = stages.new()
      run_until(stage, stage:move(), announces(FAILOVER))
      local told = take_over(stage, stage:move(), { [moment] = function() arrive_late(stage) end })
      assert.equal("completed", told.result.status)
      assert.equal(1, #stage.bench:sends(), moment)
      assert.equal(1, #stage.bench:ledger(), moment)
      assert.equal(1, #stage:events "call")
    end
  end)

  it("is waited for at once where it is seen on its way, or done", function()
    for _, later in ipairs { 0, 600 } do
      local stage = stages.new()
      run_until(stage, stage:move(), announces(FAILOVER))
      assert(arrive_late(stage))
      stage.bench.emu:advance(later)
      local told = take_over(stage, stage:move())
      assert.equal("completed", told.result.status)
      assert.equal(1, #stage.bench:sends())
      assert.is_true(told.finished - told.attempt < (later == 0 and 70 or 5))
    end
  end)

  it("counts the wait by a clock that goes on while this machine sleeps", function()
    local stage = stages.new()
    run_until(stage, stage:move(), announces(FAILOVER))
    local real, asleep = stage.bench.emu.runtime, 0
    local runtime = {}
    for name, value in pairs(real) do runtime[name] = value end
    runtime.monotonic = function() return real.monotonic() - asleep end
    stage.bench.client = stage.bench.client:with { runtime = runtime }
    local told = take_over(stage, stage:move(), { [2] = function()
      asleep = 25
      stage.bench.emu:advance(25)
    end })
    assert.equal("completed", told.result.status)
    local sends = sent_after(stage, told, FAILOVER)
    assert.is_true(sends[1] >= WAIT, sends[1])
  end)

  it("is sent again after the usual looks where its answer is known, or it was never called",
    function()
      for _, kind in ipairs { "intent", "answer" } do
        local stage = stages.new(kind == "answer" and { faults = { { match = { count = 1,
          action = FAILOVER }, effect = lab.answer("Throttling.User", 400) } } } or nil)
        run_until(stage, stage:move(), function(event) return event.type == kind end)
        local told = take_over(stage, stage:move())
        assert.equal("completed", told.result.status)
        local sends = sent_after(stage, told, FAILOVER)
        assert.is_true(sends[#sends] < 25, sends[#sends])
        assert.equal(1, #stage.bench:ledger())
      end
    end)

  it("may arrive late, too, where its answer did not come", function()
    local stage = stages.new { faults = { { match = { count = 1, action = FAILOVER },
      effect = { drop = true } } } }
    run_until(stage, stage:move(), function(event) return event.type == "answer" end)
    local told = take_over(stage, stage:move())
    assert.equal("completed", told.result.status)
    local sends = sent_after(stage, told, FAILOVER)
    assert.is_true(sends[#sends] >= WAIT, sends[#sends])
    assert.equal(1, #stage.bench:ledger())
  end)

  it("is not sent again once the time for that is over", function()
    local stage = stages.new()
    run_until(stage, stage:move(), announces(FAILOVER))
    stage.bench.emu:advance(110)
    local told = take_over(stage, stage:move())
    assert.equal("Client.OutcomeUnknown", told.err.code)
    assert.same({}, stage.bench:sends())
  end)

  it("waits anew in each process", function()
    local stage = stages.new()
    run_until(stage, stage:move(), announces(FAILOVER))
    run_until(stage, stage:move(), function(event) return event.type == "takeover" end)
    local told = take_over(stage, stage:move())
    assert.equal("completed", told.result.status)
    local sends = sent_after(stage, told, FAILOVER)
    assert.is_true(sends[1] >= WAIT, sends[1])
  end)
end)

describe("a verb without a token that another process has begun", function()
  local function new_stage()
    local stage = stages.new()
    stage.bench = after_lab.new()
    return stage
  end

  local function fencing(run)
    local group = run:group("pg-orders", { region = "cn-shanghai" })
    run:step("fence", function() return group:fence() end)
  end

  it("makes its call again when nothing of the other can arrive, after a look", function()
    local stage = new_stage()
    run_until(stage, fencing, announces(STOP))
    local told = take_over(stage, fencing)
    assert.equal("completed", told.result.status)
    local sends = sent_after(stage, told, STOP)
    assert.equal(1, #sends)
    assert.is_true(sends[1] >= WAIT and sends[1] < WAIT + 15, sends[1])
  end)

  it("does not make it again where that of the other has arrived meanwhile", function()
    local stage = new_stage()
    run_until(stage, fencing, announces(STOP))
    local told = take_over(stage, fencing, { [20] = function()
      assert(stage.bench.client:call("ecs:StopInstance", { InstanceId = "i-old" },
        { region = "cn-hangzhou" }))
    end })
    assert.equal("completed", told.result.status)
    assert.equal(1, #stage.bench:requests(STOP))
  end)
end)

describe("the timeout of a step that another process has begun", function()
  it("does not count the wait for the calls of the other", function()
    local stage = stages.new()
    stage.bench = after_lab.new()
    local function fencing(run)
      local group = run:group("pg-orders", { region = "cn-shanghai" })
      run:step("fence", { timeout = 45 }, function() return group:fence() end)
    end
    run_until(stage, fencing, announces(STOP))
    local told = take_over(stage, fencing)
    assert.is_nil(told.err)
    assert.is_true(sent_after(stage, told, STOP)[1] >= WAIT)
  end)
end)

describe("what is done for a run by hand", function()
  local function by_hand(calls)
    local stage = stages.new()
    local store = open(stage)
    local journal = assert(journals.open(store, stage.bench.client.loop))
    local told = {}
    local witness = assert(takeovers.by_hand(journal, { calls = calls }, stage.bench.client, {
      what = "olga brings it back", waits = function(left, call)
        told[#told + 1] = ("%s %d"):format(call.action, left)
      end }))
    return stage, witness, told, store
  end

  it("waits until nothing can arrive that was announced before", function()
    local stage, _, told = by_hand { { action = "A", answer = { outcome = "accepted" } },
      { action = "B" } }
    assert.same({ "B 34" }, told)
    assert.equal("olga brings it back", stage:events()[1].text)
    assert.is_true(stage.bench.emu:now() - stage:events()[1].at >= WAIT)
    _, _, told = by_hand { { action = "A", answer = { outcome = "unknown" } } }
    assert.same({ "A 34" }, told)
    stage, _, told = by_hand { { action = "A", answer = { outcome = "rejected" } } }
    assert.same({}, told)
    assert.is_true(stage.bench.emu:now() - stage:events()[1].at < 5)
  end)

  it("leaves within the window of its record, or not where the run was lost", function()
    local stage, witness, _, store = by_hand {}
    local before = stage.bench.client.runtime.boottime()
    local ok, send_by = witness.before { action = "StartInstance" }
    assert.is_true(ok)
    assert.equal(before + 4, send_by)
    assert.equal("olga brings it back: StartInstance", stage:events()[2].text)
    store:lose()
    ok, send_by = witness.before { action = "StartInstance" }
    assert.is_nil(ok)
    assert.equal("Client.JournalLost", send_by.code)
  end)
end)

describe("a step with calls of its own that another process has begun", function()
  local function calling(options, label)
    return function(run)
      run:step("move", options, function(own)
        return own.client:call(FAILOVER, { ReplicaGroupId = "pg-orders" },
          { client_token = label and own:token(label) or nil })
      end)
    end
  end

  it("asks its check at once, and again when it may run", function()
    local stage = stages.new()
    local asked, done_at = {}, math.huge
    local now = stage.bench.client.runtime.boottime
    local body = calling({ check = function()
      asked[#asked + 1] = now()
      return now() >= done_at and "done" or nil
    end })
    run_until(stage, body, announces(FAILOVER))
    local told = take_over(stage, body)
    assert.equal("completed", told.result.status)
    assert.equal(2, #asked)
    assert.is_true(asked[1] - told.attempt < 1 and asked[2] - told.attempt >= WAIT)
    assert.equal(1, #stage.bench:sends())

    stage = stages.new()
    now, asked, done_at = stage.bench.client.runtime.boottime, {}, math.huge
    run_until(stage, body, announces(FAILOVER))
    done_at = now() + 20
    told = take_over(stage, body)
    assert.equal("completed", told.result.status)
    assert.same({}, stage.bench:sends())
  end)

  it("gives its token again only when nothing of the other can arrive", function()
    local stage = stages.new()
    local body = calling({}, "move")
    run_until(stage, body, announces(FAILOVER))
    local told = take_over(stage, body)
    assert.equal("completed", told.result.status)
    local sends = sent_after(stage, told, FAILOVER)
    assert.is_true(#sends == 1 and sends[1] >= WAIT)
    -- What was not too old before the wait may be so after it.
    stage = stages.new()
    run_until(stage, body, announces(FAILOVER))
    stage.bench.emu:advance(100)
    told = take_over(stage, body)
    assert.equal("Client.StepInDoubt", told.err.code)
    assert.same({}, stage.bench:sends())
  end)

  it("is undone only then, too", function()
    local stage = stages.new()
    local undone_at
    local function body(run)
      run:step("move", { check = function() return "done" end, undo = function()
        undone_at = stage.bench.client.runtime.boottime()
      end }, function(own)
        return own.client:call(FAILOVER, { ReplicaGroupId = "pg-orders" })
      end)
      run:step("next", function() error "broken" end)
    end
    run_until(stage, body, announces(FAILOVER))
    local told = take_over(stage, body)
    assert.matches("broken", told.err.message)
    assert.is_true(undone_at - told.attempt >= WAIT)
  end)
end)
