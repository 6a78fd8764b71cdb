-- Gates: whose word opens them, and whose does not.

local approvals = require "alicloud.dr.playbook.approval"
local core = require "alicloud.core"
local dr = require "alicloud.dr"
local helper = require "spec.helper"
local journals = require "alicloud.dr.journal"
local inbox = require "alicloud.dr.playbook.inbox"
local stages = require "spec.dr.playbook.stage"

local SEEDS = { dba = ("11"):rep(32), lead = ("22"):rep(32), duty = ("33"):rep(32),
  stranger = ("44"):rep(32) }

local KEYS = {}
for name, seed in pairs(SEEDS) do KEYS[name] = core.ed25519_public(seed) end

local function gated(stage, options)
  return dr.playbook("gated", function(run)
    run:gate("promote", options or { need = 2, of = { "dba", "lead", "duty" }, expires = "15m" })
    run:step("a", function() stage:did "a" end)
  end)
end

-- People who act some seconds after the gate has opened.
local function people(stage, playbook, act, options)
  local given = { approvers = KEYS, progress = function(event)
    if event.type == "gate_open" then
      stage.bench.client.loop.spawn(function()
        stage.bench.client.loop.sleep(30)
        act(stage.disk:open "run", stage:state())
      end)
    end
  end }
  for name, value in pairs(options or {}) do given[name] = value end
  return stage:run(playbook, given)
end

local function line(stage, state, by, changes)
  changes = changes or {}
  local decision = {}
  for name, value in pairs(state.gates.promote.asked) do decision[name] = value end
  for name, value in pairs(changes.decision or {}) do decision[name] = value end
  return core.encode(approvals.sign(decision, by, changes.at or math.floor(stage.bench.emu:now()),
    changes.seed or SEEDS[by]))
end

describe("a gate", function()
  it("opens when enough of them have signed, and is not asked again", function()
    local stage = stages.new()
    local playbook = gated(stage)
    assert(people(stage, playbook, function(store, state)
      store:post(line(stage, state, "dba"))
      store:post(line(stage, state, "lead"))
    end))
    assert.equal("a", stage:done())
    local by = {}
    for i, event in ipairs(stage:events "approval") do by[i] = event.by end
    assert.same({ "dba", "lead" }, by)
    assert.equal(2, stage:events("gate_pass")[1].approvals)
  end)

  it("does not take what is not theirs, not for it, or not in time", function()
    local cases = {
      { "dba", { seed = SEEDS.stranger }, "its signature is wrong" },
      { "stranger", nil, "stranger is not among those who may approve" },
      { "lead", nil, "who asked for the run cannot approve it", "lead" },
      { "lead", nil, "who asked for the run cannot approve it", nil, true },
      { "dba", { decision = { playbook = { name = "gated", digest = ("0"):rep(64) } } },
        "it is for another decision" },
      { "dba", { at = helper.NOW - 1000000 }, "it has expired" },
      { "dba", { at = 4000000000 }, "it is from the future" },
    }
    for _, case in ipairs(cases) do
      local stage = stages.new()
      if case[5] then
        stage:run(gated(stage, { need = 1, of = { "dba", "lead" } }))
        case[4] = "lead"
      end
      local _, err = people(stage, gated(stage, { need = 1, of = { "dba", "lead" } }),
        function(store, state) store:post(line(stage, state, case[1], case[2])) end,
        { requester = case[4] })
      assert.equal("Client.GateExpired", err.code)
      assert.equal("", stage:done())
      assert.is_truthy(stage:events("note")[1].text:find(case[3], 1, true), case[3])
    end
  end)

  it("counts a name once, and ignores mail for other runs and rubbish", function()
    local stage = stages.new()
    local _, err = people(stage, gated(stage), function(store, state)
      store:post(line(stage, state, "dba"))
      store:post(line(stage, state, "dba", { at = math.floor(stage.bench.emu:now()) + 1 }))
      store:post(line(stage, state, "lead", { decision = { run = "another" } }))
      store:post(line(stage, state, ("x"):rep(2000), { seed = SEEDS.stranger }))
      store:post "rubbish"
      store:post "{}"
    end)
    assert.equal("Client.GateExpired", err.code)
    assert.matches("1 of 2 approvals within 15m", err.message)
    assert.equal('an approval of gate "promote" was not taken: it is not whole',
      stage:events("note")[1].text)
  end)

  it("forgets what was approved too long before", function()
    local stage = stages.new()
    local playbook = gated(stage)
    people(stage, playbook, function(store, state) store:post(line(stage, state, "dba")) end)
    stage.bench.emu:advance(3600)
    local _, err = people(stage, playbook, function(store, state)
      store:post(line(stage, state, "lead"))
    end)
    assert.matches("1 of 2 approvals", err.message)
  end)

  it("asks again when the text that was approved is another one now", function()
    local function text(stage, word)
      return dr.playbook("gated", function(run)
        run:gate("promote", { need = 2, of = { "dba", "lead", "duty" }, expires = "1d" })
        run:step("a", function()
          assert(word ~= "first", "not yet")
          stage:did(word)
        end)
      end)
    end
    -- Half of the approvals, for the text before.
    local stage = stages.new()
    local first, second = text(stage, "first"), text(stage, "second")
    second.digest = ("5"):rep(64)
    people(stage, first, function(store, state) store:post(line(stage, state, "dba")) end)
    local _, err = people(stage, second, function(store, state)
      store:post(line(stage, state, "lead"))
    end)
    assert.matches("1 of 2 approvals", err.message)
    -- All of them.
    stage = stages.new()
    first = text(stage, "first")
    _, err = people(stage, first, function(store, state)
      store:post(line(stage, state, "dba"))
      store:post(line(stage, state, "lead"))
    end)
    assert.matches("not yet", err.message)
    _, err = stage:run(second, { approvers = KEYS })
    assert.equal("Client.GateExpired", err.code)
    assert.matches("0 of 2 approvals", err.message)
    -- The text that was approved goes on.
    _, err = stage:run(first, { approvers = KEYS })
    assert.matches("not yet", err.message)
  end)

  it("does not count one key under two names", function()
    local stage = stages.new()
    local _, err = stage:run(gated(stage), { approvers = { dba = KEYS.dba, lead = KEYS.lead,
      duty = KEYS.dba:upper() } })
    assert.equal("Client.NoApproverKey", err.code)
    assert.matches("dba and duty have the same public key", err.message)
    _, err = stages.new():run(function(run)
      run:gate("x", { need = 2, of = { "dba", "dba" } })
    end)
    assert.matches('"dba" is there twice', err.message)
  end)

  it("may be passed on the word of another machine after a crash", function()
    local stage = stages.new()
    local playbook = gated(stage)
    local stopped = stage:run_until(playbook, function(call)
      return call.op == "append" and call.n > 14 and "crash"
    end, { approvers = KEYS, progress = function(event)
      if event.type ~= "gate_open" then return end
      local store, state = stage.disk:open "run", stage:state()
      store:post(line(stage, state, "dba"))
      store:post(line(stage, state, "lead"))
    end })
    assert.is_true(stopped)
    assert(stage:run(playbook, { approvers = KEYS }))
    assert.equal("a", stage:done())
    assert.equal(1, #stage:events "gate_pass")
  end)

  it("asks again when what is decided changes while people think, or before a resume", function()
    local stage = stages.new()
    local playbook = gated(stage, { need = 1, of = { "dba" }, expires = "15m" })
    local asked = {}
    local _, err = stage:run(playbook, { approvers = KEYS, progress = function(event)
      if event.type ~= "gate_open" then return end
      asked[#asked + 1] = event.decision.mode
      local store, state = stage.disk:open "run", stage:state()
      -- Signed for the first question, handed over together with what makes it another one.
      if #asked == 1 then
        store:post(inbox.mode_line(state.run.run_id, "ungraceful", "duty", "the old side burns"))
        store:post(line(stage, state, "dba"))
      end
    end })
    assert.equal("Client.GateExpired", err.code)
    assert.same({ "graceful", "ungraceful" }, asked)
    assert.matches("it is for another decision", stage:events("note")[1].text)
    -- A loss that is accepted on the way is another decision too.
    stage = stages.new()
    playbook = dr.playbook("gated", function(run)
      run:gate("promote", { need = 1, of = { "dba" } })
      run:step("a", function() assert(run.attempt > 2, "not yet") end)
    end)
    people(stage, playbook, function(store, state) store:post(line(stage, state, "dba")) end)
    _, err = stage:run(playbook, { approvers = KEYS,
      accept_loss = { seconds = 9, by = "operator", why = "because" } })
    assert.equal("Client.GateExpired", err.code)
  end)

  it("asks again before a step is left out of which nobody was told", function()
    local stage = stages.new()
    local playbook = dr.playbook("gated", function(run)
      run:gate("promote", { need = 1, of = { "dba" } })
      run:step("fence", function() return true end)
      run:step("stop", function() assert(run.attempt > 1, "not yet") end)
      run:step("a", { point_of_no_return = true }, function() return true end)
      run:step("serve", function() error "never" end)
    end)
    people(stage, playbook, function(store, state) store:post(line(stage, state, "dba")) end)
    local _, err = stage:run(playbook, { approvers = KEYS, skip = { serve = "no time" } })
    assert.equal("Client.GateExpired", err.code)
    local asked = stage:events("gate_open")[2].decision
    assert.same({ { step = "serve", why = "no time", by = asked.requester } }, asked.skips)
    local words = {}
    for _, pair in ipairs(require("alicloud.dr.playbook.decision").words(asked)) do
      words[#words + 1] = table.concat(pair, ": ")
    end
    assert.matches("left out: step serve, by .*: no time", table.concat(words, "\n"))
    -- Finished, it is not left out any more; nor is it another decision without the wish.
    _, err = stage:run(playbook, { approvers = KEYS, skip = { fence = "too late" } })
    assert.matches("never", err.message)
    -- Behind the point of no return it is carried out.
    assert(stage:run(playbook, { approvers = KEYS, skip = { serve = "no time" } }))
    assert.equal(2, #stage:events "gate_open")
  end)

  it("tells groups, directions and keys, and asks nobody twice for another attempt", function()
    local stage = stages.new()
    local playbook = dr.playbook("gated", function(run)
      run:step("look", function()
        return run:group("pg-orders", { region = "cn-shanghai" }):precheck { max_rpo = "1d" }.ok
      end)
      run:gate("promote", { need = 1, of = { dba = KEYS.dba } })
      run:step("a", function() assert(run.attempt > 1, "not yet") end)
    end)
    people(stage, playbook, function(store, state) store:post(line(stage, state, "dba")) end)
    local decision = stage:events("gate_open")[1].decision
    local point = stage:events("look")[1].recover_point
    assert.same({ { id = "pg-orders", region = "cn-shanghai", from = "cn-hangzhou/g",
      to = "cn-shanghai/b", recover_point = point } }, decision.groups)
    assert.same({ { name = "dba", key = KEYS.dba, from = "playbook" } }, decision.approvers)
    assert(stage:run(playbook))
    assert.equal(1, #stage:events "gate_open")
  end)

  -- A gate before a step without a way back, which fails as `fail(attempt)` says.
  local function before_no_return(stage, fail)
    return dr.playbook("gated", function(run)
      local orders = run:group("pg-orders", { region = "cn-shanghai" })
      run:step("look " .. run.attempt, function() return orders:precheck { max_rpo = "9d" }.ok end)
      run:gate("promote", { need = 1, of = { dba = KEYS.dba }, expires = "15m" })
      run:step("move", { point_of_no_return = true }, function()
        stage:did "move"
        local err = fail(run.attempt)
        return not err, err
      end)
      run:step("serve", function() return run.attempt > 1, "not yet" end)
    end)
  end

  local function refused()
    return require "alicloud.base.error".new { kind = "state", code = "Client.StepFailed",
      message = "not now", outcome = "not_sent" }
  end

  it("asks again once its approvals have expired, until what they are for is done", function()
    for minutes, gates in pairs { [10] = 1, [20] = 2 } do
      local stage = stages.new()
      local playbook = before_no_return(stage, function(n) return n == 1 and refused() or nil end)
      local function approve(store, state) store:post(line(stage, state, "dba")) end
      local _, err = people(stage, playbook, approve)
      assert.matches("not now", err.message)
      stage.bench.emu:advance(60 * minutes)
      assert(people(stage, playbook, approve))
      assert.equal(gates, #stage:events "gate_open", minutes)
    end
    local stage = stages.new()
    local playbook = before_no_return(stage, function() end)
    people(stage, playbook, function(store, state) store:post(line(stage, state, "dba")) end)
    stage.bench.emu:advance(86400)
    assert(stage:run(playbook, { accept_edit = true }))
    assert.equal(1, #stage:events "gate_open")
    assert.equal("move", stage:done())
  end)

  it("asks again if more would be lost than was shown", function()
    local stage = stages.new()
    local playbook = before_no_return(stage, function() return refused() end)
    people(stage, playbook, function(store, state) store:post(line(stage, state, "dba")) end)
    assert.equal(1, #stage:events "gate_pass")
    local group = stage.bench.emu.world.groups[1]
    group.recover_point = group.recover_point - 3600
    local _, err = stage:run(playbook)
    assert.equal("Client.GateExpired", err.code)
    assert.equal("move", stage:done())
  end)

  it("is not opened by records that anybody can write", function()
    for _, passed in ipairs { false, true } do
      local stage = stages.new()
      local playbook = gated(stage)
      stage:run(playbook, { approvers = KEYS })
      local events, text, head = stage:events(), {}, ("0"):rep(64)
      table.remove(events)
      table.remove(events)
      local asked = stage:state().gates.promote.asked
      for _, name in ipairs { "dba", "lead" } do
        -- By a key of whoever writes it, over what is asked indeed.
        local forged = approvals.sign(asked, name, math.floor(events[#events].at), SEEDS.stranger)
        events[#events + 1] = { type = "approval", gate = "promote", by = name, at = forged.at,
          approved_at = forged.at, decision = forged.decision, signature = forged.signature,
          mail = core.sha256(name) }
      end
      if passed then
        events[#events + 1] = { type = "gate_pass", gate = "promote", approvals = 2,
          at = events[#events].at }
      end
      for i, event in ipairs(events) do text[i], head = journals.line(i, head, event) end
      stage.disk:put("run", table.concat(text))
      local _, err = stage:run(playbook, { approvers = KEYS })
      assert.equal("Client.GateExpired", err.code)
      assert.matches("0 of 2 approvals", err.message)
      assert.equal("", stage:done())
    end
  end)

  it("needs a key of everybody, from the run or in the playbook", function()
    local stage = stages.new()
    local _, err = stage:run(gated(stage), { approvers = { dba = KEYS.dba } })
    assert.equal("Client.NoApproverKey", err.code)
    assert.matches('there is no public key of duty', err.message)
    assert.matches("%-%-skip 'gate:promote=WHY'", err.hint)
    -- A gate that is passed needs them again, to be believed.
    stage = stages.new()
    local playbook = dr.playbook("gated", function(run)
      run:gate("promote", { need = 1, of = { "dba" } })
      run:step("a", function() assert(run.attempt > 1, "not yet") end)
    end)
    people(stage, playbook, function(store, state) store:post(line(stage, state, "dba")) end,
      { approvers_from = "file /etc/approvers" })
    _, err = stage:run(playbook)
    assert.equal("Client.NoApproverKey", err.code)
    assert.matches("the attempt before had them from file /etc/approvers", err.hint)
    assert(stage:run(playbook, { approvers = KEYS }))
    stage = stages.new()
    assert(people(stage, gated(stage, { need = 1, of = { dba = KEYS.dba } }), function(store, state)
      store:post(line(stage, state, "dba"))
    end, { approvers = {}, accept_edit = true }))
  end)

  it("refuses what makes no sense where it stands", function()
    for _, case in ipairs {
      { { need = 3, of = { "a", "b" } }, "allowed: at most 2" },
      { { of = { "a" } }, "need and of are required" },
      { { need = 1, of = {} }, "a list of names" },
      { { need = 1, of = { "a" }, expires = "soon" }, "option expires" },
      { { need = 1, of = { a = "AAAA" } }, 'key of a: got "AAAA"; allowed: 64 hexadecimal' },
    } do
      local _, err = stages.new():run(function(run) run:gate("x", case[1]) end)
      assert.matches(case[2], err.message, 1, true)
    end
  end)
end)
