-- A token under which a call was refused for good: the service may repeat the refusal for as long
-- as it knows the token, so that what is sent afterwards goes under another one.
-- Source: kubernetes-sigs/alibaba-cloud-csi-driver, commits e8951c7a7 and f05e9472a (which refusals
-- occupy a token differs by code); the vendor's Terraform provider takes a new one where it repeats
-- a deletion or the start of a drill.

local intents = require "alicloud.dr.model.intent"
local journals = require "alicloud.dr.journal"
local lab = require "spec.dr.lab"
local stages = require "spec.dr.playbook.stage"
local tables = require "alicloud.base.tables"

local ACTION = "FailoverDiskReplicaGroup"
local CONFLICT = "OperationDenied.PairGroupStatusConflict"
local REMEMBER = { token_errors = "remember" }

-- Each of the first so many calls meets pairs that are not in step.
local function refuse(bench, times)
  local count = 0
  return function(event)
    if event.event == "sending" then
      count = count + 1
      bench.emu:hostile { mixed_pairs = count <= times }
    elseif event.event == "unanswered" then
      bench.emu:hostile { mixed_pairs = false }
    end
  end
end

local function tokens(bench)
  local list = {}
  for i, request in ipairs(bench:requests(ACTION)) do list[i] = request.client_token end
  return list
end

local function failover(bench, times, options)
  return bench:group():failover(tables.merged(options, { progress = refuse(bench, times) }))
end

local function different(list)
  return #tables.keys(tables.set(list))
end

describe("a refused token", function()
  for _, given in ipairs { { assume = REMEMBER }, { assume = { token_errors = "some" } },
    { hostile = { token_errors_random = true } }, { assume = { token_errors = "forget" } } } do
    it("is followed by another one, with " .. tostring(next(given.assume or given.hostile))
      .. " " .. tostring(select(2, next(given.assume or given.hostile))), function()
      local bench = lab.new(given)
      local result = assert(failover(bench, 3))
      assert.equal("failovered", result.outcome)
      assert.equal(4, #tokens(bench))
      assert.equal(4, different(tokens(bench)))
      assert.equal(1, #bench:ledger())
      assert.equal(result.client_token, bench:ledger()[1].client_token)
    end)
  end

  it("is written down with its refusal before the next one is", function()
    local bench, said = lab.new { assume = REMEMBER }, {}
    local journal = {
      intent = function(record)
        said[#said + 1] = { "intent", record.intent.client_token, record.intent }
        return true
      end,
      outcome = function(record)
        said[#said + 1] = { record.outcome, record.client_token, code = record.code }
      end,
    }
    assert(failover(bench, 1, { journal = journal }))
    local first, second = table.unpack(tokens(bench))
    assert.equal(4, #said)
    for i, expected in ipairs { { "intent", first }, { "rejected", first }, { "intent", second },
      { "failovered", second } } do
      assert.same(expected, { said[i][1], said[i][2] })
    end
    assert.equal(CONFLICT, said[2].code)
    assert.equal(first, said[1][3].client_token)
  end)

  it("of an incident is followed by that of its next name", function()
    local bench = lab.new { assume = REMEMBER }
    local snapshot = assert(bench:group():observe())
    assert(failover(bench, 2, { incident = "INC-7" }))
    assert.same({ intents.incident_token(snapshot, "INC-7"),
      intents.incident_token(snapshot, "INC-7+2"), intents.incident_token(snapshot, "INC-7+3") },
      tokens(bench))
  end)

  it("of an incident is told with the name that comes next", function()
    local bench = lab.new { assume = REMEMBER }
    local group = bench:group()
    -- Between the look and the call the pairs have gone.
    local kept = bench.emu:group("pg-orders").pairs
    local _, err = group:failover { incident = "INC-7", progress = function(event)
      if event.event == "sending" then bench.emu:group("pg-orders").pairs = {} end
    end }
    assert.equal("OperationDenied.NoPairInGroup", err.code)
    assert.equal("rejected", err.outcome)
    assert.equal("INC-7+2", err.next_incident)
    bench.emu:group("pg-orders").pairs = kept
    _, err = group:failover { incident = "INC-7" }
    assert.equal("OperationDenied.NoPairInGroup", err.code)
    assert.equal("failovered", assert(group:failover { incident = err.next_incident }).outcome)
  end)

  it("that was given by hand is kept, and the error tells to go without it", function()
    local bench = lab.new { assume = REMEMBER }
    local result, err = failover(bench, 1, { client_token = "by-hand" })
    assert.is_nil(result)
    assert.same({ "by-hand" }, tables.keys(tables.set(tokens(bench))))
    assert.equal(CONFLICT, err.code)
    assert.matches("without this client token", err.hint)
    assert.equal("failovered", assert(bench:failover()).outcome)
  end)

  it("is not one that was asked too often", function()
    for _, code in ipairs { "Throttling.User", "BLOCK.LimitedRquest" } do
      local refusal = { code = code, status = code == "Throttling.User" and 400 or 429 }
      local bench = lab.new { assume = REMEMBER, faults = {
        { match = { action = ACTION, count = 2 }, effect = { error = refusal } } } }
      assert(bench:failover())
      assert.equal(3, #tokens(bench))
      assert.equal(1, different(tokens(bench)))
    end
  end)

  it("is kept while an earlier attempt under it is in doubt", function()
    local bench = lab.new { assume = REMEMBER, faults = { { match = { action = ACTION, nth = 1 },
      effect = { drop = true } } } }
    local sent = 0
    local _, err = bench:group():failover { progress = function(event)
      if event.event ~= "sending" and event.event ~= "unanswered" then return end
      sent = sent + (event.event == "sending" and 1 or 0)
      bench.emu:hostile { mixed_pairs = event.event == "sending" and sent == 2 }
    end }
    assert.is_true(#tokens(bench) > 2)
    assert.equal(1, different(tokens(bench)))
    assert.equal("unknown", err.outcome)
    assert.is_nil(err.next_incident)
  end)
end)

describe("in a run, a refused token", function()
  local function intents_of(stage)
    local list = {}
    for _, event in ipairs(journals.read(stage.disk:text "run").events) do
      if event.type == "intent" then list[#list + 1] = event.intent.client_token end
    end
    return list
  end

  -- The process dies when a record of the refusal is written.
  local function die_refused(stage, mark)
    return stage:run_until(function(run)
      local group = run:group("pg-orders", { region = "cn-shanghai" })
      run:step("promote", function()
        return group:failover { progress = refuse(stage.bench, 1) }
      end)
    end, function(call)
      local written = call.op == "sync" and stage.disk:text "run":find(mark, 1, true)
      return written and "crash_after"
    end, { incident = "INC-7" })
  end

  local function move(run)
    local group = run:group("pg-orders", { region = "cn-shanghai" })
    run:step("promote", function() return group:failover() end)
  end

  it("is not taken by the process that goes on after it", function()
    for _, mark in ipairs { '"type":"answer"', '"type":"outcome"' } do
      local stage = stages.new { assume = REMEMBER }
      assert.is_true((die_refused(stage, mark)), mark)
      assert.equal(1, #tokens(stage.bench))
      stage.bench.emu:hostile { mixed_pairs = false }
      local result = assert(stage:run(move, { incident = "INC-7" }))
      assert.equal("completed", result.status)
      assert.equal(2, different(tokens(stage.bench)))
      assert.equal(2, different(intents_of(stage)))
      assert.equal(2, #stage:events "outcome")
      assert.equal(1, #stage.bench:ledger())
    end
  end)

  it("is another one when its step is done again", function()
    for _, options in ipairs { {}, { client_token = "own" } } do
      local stage = stages.new { assume = REMEMBER }
      local bench, kept = stage.bench, stage.bench.emu:group("pg-orders").pairs
      local function promote(run)
        local group = run:group("pg-orders", { region = "cn-shanghai" })
        run:step("promote", function()
          return group:failover(tables.merged(options, { progress = function(event)
            local first = #bench:requests(ACTION) == 0
            if event.event == "sending" and first then bench.emu:group("pg-orders").pairs = {} end
          end }))
        end)
      end
      assert.is_nil((stage:run(promote)))
      bench.emu:group("pg-orders").pairs = kept
      assert.equal("completed", assert(stage:run(promote)).status)
      assert.equal(2, different(tokens(bench)))
    end
  end)

  it("of the run's own making is another one too", function()
    local stage = stages.new { assume = REMEMBER }
    local bench, given = stage.bench, {}
    local function promote(run)
      run:step("promote", function()
        given[#given + 1] = run:token "move"
        return run.client:call(ACTION, { ReplicaGroupId = "pg-orders",
          ClientToken = given[#given] })
      end)
    end
    bench.emu:hostile { mixed_pairs = true }
    assert.is_nil((stage:run(promote)))
    bench.emu:hostile { mixed_pairs = false }
    assert.equal("completed", assert(stage:run(promote)).status)
    assert.same({ given[1], intents.renewed(given[1]) }, given)
    assert.equal(1, #bench:ledger())
  end)
end)
