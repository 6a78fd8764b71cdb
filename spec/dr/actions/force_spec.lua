-- What a person may overrule of the pre-check of a failover, and what nobody may.

local desks = require "spec.cli.desk"
local forces = require "alicloud.dr.model.force"
local lab = require "spec.dr.lab"
local scene = require "spec.playbooks.scene"

local CONFLICT, STATUS = "OperationDenied.PairGroupStatusConflict", "OperationDenied.InvalidStatus"
local SYNC, UNCLEAR = "Client.FirstSyncUnfinished", "Client.RecoveryPointUnclear"

local function force(...)
  local list = {}
  for i, code in ipairs { ... } do
    list[i] = { code = code, why = "the region is gone", by = "chief" }
  end
  return list
end

local ODD = { {}, { id = "pair-odd", status = "stopped" } }

-- Worlds whose service takes what its documents deny.
local CASES = {
  { { status = "created" }, STATUS },
  { { status = "initial_syncing", recover_point_age = false }, STATUS, SYNC },
  { { status = "reprotect_failed" }, STATUS },
  { { pairs = ODD }, CONFLICT },
  { { recover_point_age = false }, SYNC },
  { { pairs = { {}, { recover_point_age = false } } }, SYNC },
}

local ANY = { failover_states = "any", first_full_sync = "allow", repeat_failover = "restart" }

local function bench_of(group)
  return lab.new { group = group, assume = ANY }
end

describe("a finding of the pre-check", function()
  it("is overruled by its code, and the failover is made", function()
    for _, case in ipairs(CASES) do
      local bench = bench_of(case[1])
      local result, err = bench:failover { max_rpo = "1h" }
      assert.is_nil(result)
      assert.same({ table.unpack(case, 2) }, err.forcible)
      assert.same({}, bench:sends())
      result = assert(bench:failover { max_rpo = "1h", force = force(table.unpack(case, 2)) })
      assert.equal("failovered", result.outcome)
      assert.equal(#case - 1, #result.forced)
      assert.is_nil(result.unneeded_force)
      assert.equal(1, #bench:ledger())
    end
  end)

  it("is refused by the service all the same, if it does not see it otherwise", function()
    local bench = lab.new { group = { pairs = ODD } }
    local result, err = bench:failover { force = force(CONFLICT) }
    assert.is_nil(result)
    assert.equal(CONFLICT, err.code)
    assert.equal("rejected", err.outcome)
    assert.same({}, bench:ledger())
  end)

  it("is not waited for when it is overruled", function()
    local bench = bench_of { pairs = ODD }
    local begin = bench.emu:now()
    assert(bench:failover { force = force(CONFLICT) })
    assert.is_true(bench.emu:now() - begin < 70)
  end)

  it("is not overruled by another one's code", function()
    local bench = bench_of { status = "created" }
    local _, err = bench:failover { force = force(CONFLICT, SYNC) }
    assert.equal(STATUS, err.code)
    assert.same({}, bench:sends())
  end)

  it("cannot be overruled where it cannot be right", function()
    for _, options in ipairs { { at = lab.PRIMARY }, { at = "cn-beijing" } } do
      options.force = force(table.unpack(forces.CODES))
      local bench = lab.new { hostile = { permissive = true } }
      local _, err = bench:failover(options)
      assert.is_nil(err.forcible)
      assert.same({}, bench:sends())
    end
    local bench = bench_of { pairs = 0 }
    local _, err = bench:failover { force = force(table.unpack(forces.CODES)) }
    assert.equal("OperationDenied.NoPairInGroup", err.code)
    assert.same({}, bench:sends())
    bench = bench_of { recover_point_age = 9000 }
    _, err = bench:failover { max_rpo = "1h", force = force(table.unpack(forces.CODES)) }
    assert.equal("Client.RecoveryPointTooOld", err.code)
  end)

  it("that was not there is told", function()
    local bench = lab.new()
    local result = assert(bench:failover { force = force(SYNC) })
    assert.is_nil(result.forced)
    assert.equal(SYNC, result.unneeded_force[1].code)
    result = assert(bench:failover { force = force(SYNC) })
    assert.equal("already_failovered", result.outcome)
    assert.equal(SYNC, result.unneeded_force[1].code)
  end)

  it("may be a recovery point that cannot be one", function()
    local bench = lab.new()
    local send = bench.emu.transport.send
    bench.client = bench.client:with { transport = { send = function(request)
      local answer, err = send(request)
      if answer and answer.body then
        answer.body = answer.body:gsub('("LastRecoverPoint":)%d+', "%199999999999")
      end
      return answer, err
    end } }
    local _, err = bench:failover { max_rpo = "1h" }
    assert.equal(UNCLEAR, err.code)
    assert.same({ UNCLEAR }, err.forcible)
    local result = assert(bench:failover { max_rpo = "1h", force = force(UNCLEAR) })
    assert.is_nil(result.rpo)
    assert.equal(1, #bench:ledger())
  end)

  it("lets a group be asked again that has left a pair behind", function()
    for _, left in ipairs { "failover_failed", "normal" } do
      local bench = lab.new { group = { status = "failovered",
        pairs = { { status = "failovered" }, { status = left } } }, assume = ANY }
      local _, err = bench:failover()
      assert.same({ CONFLICT }, err.forcible)
      assert.same({}, bench:ledger())
      local result = assert(bench:failover { force = force(CONFLICT) })
      assert.equal("failovered", result.outcome)
      assert.equal(1, #bench:ledger())
    end
  end)
end)

describe("the option force", function()
  it("takes only named codes, each with a reason and a name", function()
    local group = lab.new():group()
    for _, wrong in ipairs { { force = "all" }, { force = { "all" } },
      { force = { { code = SYNC, why = " ", by = "x" } } },
      { force = { { code = SYNC, why = "y" } } },
      { force = { { code = "Client.RecoveryPointTooOld", why = "y", by = "x" } } },
      { force = { { code = "NoSuchResource", why = "y", by = "x" } } } } do
      assert.error_matches(function() group:failover(wrong) end,
        "option force: got .*; allowed: .*codes: .*Client%.FirstSyncUnfinished")
    end
  end)

  it("of a run is in the journal, in the decision of its gates and among its exceptions", function()
    local stage = scene.stage({ status = "created" }, { assume = ANY })
    local params = { group = "pg-orders", region = "cn-shanghai" }
    local _, err = scene.run("failover", stage, params)
    assert.equal(STATUS, err.code)
    assert.same({ STATUS }, err.forcible)
    local overruled = { force = force(STATUS, SYNC) }
    local result = assert(scene.run("failover", stage, params, nil, overruled))
    assert.equal("completed_with_exceptions", result.status)
    local told = STATUS .. " of pg-orders was overruled by chief: the region is gone"
    assert.same({ told }, { result.exceptions[#result.exceptions] })
    assert.same({ STATUS, SYNC }, { stage:events("force")[1].code, stage:events("force")[2].code })
    local intents = stage:events "intent"
    assert.equal("chief", intents[#intents].force[1].by)
    assert.equal(1, #intents[#intents].force)
    local decisions = require "alicloud.dr.playbook.decision"
    assert.equal(2, #decisions.of_state(stage:state()).force)
    local words = {}
    local decision = decisions.of_state(stage:state())
    decision.gate, decision.groups, decision.approvers, decision.need, decision.expires
      = "g", {}, {}, 1, 60
    for _, line in ipairs(decisions.words(decision)) do words[#words + 1] = line[2] end
    assert.matches("InvalidStatus, by chief: the region is gone", table.concat(words, "\n"))
  end)
end)

describe("what is overruled in a run", function()
  local params = { group = "pg-orders", region = "cn-shanghai", fence = "no" }

  local function make()
    return scene.stage({ status = "created" }, { assume = ANY })
  end

  it("outlives its process, wherever that dies, and is done once", function()
    local whole, book = make(), scene.load "failover"
    assert(whole:run(book, { params = params, force = force(STATUS) }))
    for n = 1, whole.disk.calls do
      local stage = make()
      stage:run_until(book, function(call) return call.n == n and "crash" end,
        { params = params, force = force(STATUS) })
      -- Who resumes repeats it only where it was not written down yet.
      local known = #stage:events "force" > 0
      local result, err = stage:run(book, { params = params,
        force = not known and force(STATUS) or nil })
      assert.is_table(result, ("killed at call %d: %s"):format(n, tostring(err)))
      assert.equal(1, #stage.bench:ledger(), n)
      assert.matches("was overruled by chief", table.concat(result.exceptions, "\n"))
    end
  end)

  it("stands in the report, with who and why", function()
    local stage = make()
    assert(scene.run("failover", stage, params, nil, { force = force(STATUS) }))
    local model = require("alicloud.dr.report.gather").model(
      require("alicloud.dr.report.source").of_text(stage.disk:text "run"))
    local told = table.concat(require("alicloud.dr.report.text").attention(model), "\n")
    assert.matches(
      "OperationDenied%.InvalidStatus was to be overruled, by chief: the region is gone", told)
    assert.matches("OperationDenied%.InvalidStatus of pg%-orders was overruled by chief", told)
  end)
end)

describe("alicloud-dr failover --force", function()
  local given = { group = { status = "created" }, assume = ANY }

  it("is printed by the refusal, ready to be typed", function()
    local ran, desk = desks.once(given, "failover", "pg-orders", "--yes", "--max-rpo", "1h")
    assert.equal(1, ran.code)
    assert.is_truthy(ran.out:find("alicloud-dr failover pg-orders --region cn-shanghai "
      .. "--max-rpo 1h --force OperationDenied.InvalidStatus --why '…'", 1, true), ran.out)
    assert.same({}, desk:sends())
  end)

  it("is printed by the pre-check too, which says that it waits for what may pass", function()
    local ran = desks.once(given, "precheck", "pg-orders", "--max-rpo", "1h")
    assert.equal(1, ran.code)
    assert.is_truthy(ran.out:find("alicloud-dr failover pg-orders --region cn-shanghai "
      .. "--max-rpo 1h --force OperationDenied.InvalidStatus --why '…'", 1, true), ran.out)
    assert.is_nil(ran.err:find("looking again", 1, true))
    ran = desks.once({ group = { pairs = ODD } }, "precheck", "pg-orders")
    assert.matches("looking again, for up to 12 s: group normal, but pair%-odd is stopped", ran.err)
  end)

  it("needs a reason, a name and a code that can be overruled", function()
    for words, told in pairs { ["--force " .. STATUS .. " --as chief"] = "needs %-%-why",
      ["--force NoSuchResource --why x --as chief"] = "allowed: Client.PairSetIncomplete" } do
      local arguments = { "failover", "pg-orders", "--yes" }
      for word in words:gmatch "%S+" do arguments[#arguments + 1] = word end
      local ran = desks.once(given, table.unpack(arguments))
      assert.equal(2, ran.code)
      assert.matches(told, ran.err)
    end
  end)

  it("is obeyed, and told with what was not needed", function()
    local ran, desk = desks.once(given, "failover", "pg-orders", "--yes", "--force", STATUS,
      "--force", SYNC, "--why", "the region is gone", "--as", "chief")
    assert.equal(0, ran.code, ran.out .. ran.err)
    assert.matches("InvalidStatus was overruled by chief: the region is gone", ran.out)
    assert.matches("%-%-force Client%.FirstSyncUnfinished was not needed", ran.out)
    assert.equal(1, #desk:ledger())
  end)
end)
