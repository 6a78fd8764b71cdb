-- A failover of a group whose pairs are not a whole set, which a person has overruled.

local after = require "spec.dr.after_lab"
local desks = require "spec.cli.desk"
local fleet_lab = require "spec.playbooks.fleet_lab"
local lab = require "spec.dr.lab"
local scene = require "spec.playbooks.scene"

local SET = "Client.PairSetIncomplete"
local FORCE = { { code = SET, why = "the list is behind", by = "chief" } }
local MORE = { hostile = { pair_count_off = 1, pair_ids = "empty" } }
local TOLD = "3 of 4 pairs were seen open (the group counts 4 pairs, the pair list holds 3)"

describe("a failover of an incomplete set of pairs", function()
  it("is refused until a person overrules it, and tells what it has not seen", function()
    local bench, result, err = lab.run(MORE)
    assert.is_nil(result)
    assert.equal(SET, err.code)
    assert.same({ SET }, err.forcible)
    assert.matches("a person may overrule this", err.hint)
    assert.same({}, bench:sends())
    result = assert(bench:failover { force = FORCE })
    assert.equal("failovered", result.outcome)
    assert.equal(TOLD, result.unseen)
    assert.equal(SET, result.forced[1].code)
    lab.assert_sound(bench, 1)
  end)

  it("names the pairs that are not seen, where the group names them", function()
    local bench = lab.new()
    bench:cut_pair_lists()
    bench.short_pairs = 1
    local result = assert(bench:failover { force = FORCE })
    assert.matches("^2 of 3 pairs were seen open, not seen: pair%-%S+ %(", result.unseen)
  end)

  it("waits for each pair that is listed later", function()
    local bench = lab.new { group = { pairs = { {}, {}, { failover_seconds = 400 } } } }
    bench:cut_pair_lists()
    bench.short_pairs = 1
    local result = assert(bench:failover { force = FORCE,
      on = { accepted = function() bench.short_pairs = 0 end } })
    assert.is_nil(result.unseen)
    assert.equal(3, #result.pairs)
    for _, pair in ipairs(result.pairs) do assert.equal("failovered", pair.status) end
    lab.assert_sound(bench, 1)
  end)

  it("is sent again after a lost answer, also if the list has come up meanwhile", function()
    for _, short in ipairs { 0, 1 } do
      local bench = lab.new { faults = { lab.fault({ drop = true }, "before") } }
      bench:cut_pair_lists()
      bench.short_pairs = 1
      local result = assert(bench:failover { force = FORCE,
        on = { unanswered = function() bench.short_pairs = short end } })
      assert.equal("failovered", result.outcome)
      assert.equal(short == 0, result.unseen == nil)
      lab.assert_sound(bench, 1)
    end
  end)

  it("does not end while a pair that it was decided for is not listed", function()
    local bench = lab.new()
    bench:cut_pair_lists()
    bench.short_pairs = 1
    local result, err = bench:failover { force = FORCE, stall = "5m",
      on = { accepted = function() bench.short_pairs = 2 end } }
    assert.is_nil(result)
    assert.equal("Client.FailoverStalled", err.code)
    assert.equal("unknown", err.outcome)
    lab.assert_sound(bench, 1)
  end)

  it("is joined where it is under way, or done, and tells the same", function()
    for _, seconds in ipairs { 1, 300 } do
      local bench = lab.new(MORE)
      assert(bench.client:call("FailoverDiskReplicaGroup", { ReplicaGroupId = lab.ID }))
      bench.emu:advance(seconds)
      local result = assert(bench:failover { force = FORCE })
      assert.is_true(result.joined)
      assert.equal(TOLD, result.unseen)
      assert.equal(SET, result.forced[1].code)
      assert.is_nil(result.unneeded_force)
      assert.equal(1, #bench:sends())
    end
  end)

  it("stays refused where no pair is listed at all", function()
    local bench = lab.new()
    bench:cut_pair_lists()
    bench.short_pairs = 3
    local _, err = bench:failover { force = FORCE }
    assert.equal(SET, err.code)
    assert.is_nil(err.forcible)
    assert.same({}, bench:sends())
  end)
end)

describe("a run that overrules an incomplete set of pairs", function()
  local params = { group = "pg-orders", region = "cn-shanghai", fence = "no" }
  local told = "pg-orders: 2 of 3 pairs were seen open (the group counts 3 pairs, the pair list "
    .. "holds 2)"

  it("tells it among its exceptions and in its report", function()
    local stage = scene.stage(nil, MORE)
    local _, err = scene.run("failover", stage, params)
    assert.same({ SET }, err.forcible)
    local result = assert(scene.run("failover", stage, params, nil, { force = FORCE }))
    assert.equal("completed_with_exceptions", result.status)
    local words = table.concat(result.exceptions, "\n")
    assert.matches(SET .. " of pg%-orders was overruled by chief: the list is behind", words)
    assert.is_truthy(words:find(told, 1, true), words)
    local model = require("alicloud.dr.report.gather").model(
      require("alicloud.dr.report.source").of_text(stage.disk:text "run"))
    local attention = table.concat(require("alicloud.dr.report.text").attention(model), "\n")
    assert.is_truthy(attention:find(told, 1, true), attention)
    local intents = stage:events "intent"
    assert.matches("counts 3 pairs, the pair list holds 2", intents[#intents].intent.pair_fault)
  end)

  it("outlives its process, wherever that dies, and is done once", function()
    local whole, book = scene.stage(nil, MORE), scene.load "failover"
    assert(whole:run(book, { params = params, force = FORCE }))
    for n = 1, whole.disk.calls do
      local stage = scene.stage(nil, MORE)
      stage:run_until(book, function(call) return call.n == n and "crash" end,
        { params = params, force = FORCE })
      local known = #stage:events "force" > 0
      local result, err = stage:run(book, { params = params, force = not known and FORCE or nil })
      assert.is_table(result, ("killed at call %d: %s"):format(n, tostring(err)))
      assert.equal(1, #stage.bench:ledger(), n)
      assert.is_truthy(table.concat(result.exceptions, "\n"):find(told, 1, true), n)
    end
  end)

  it("tells it whatever its step returns, and whoever has begun the failover", function()
    for _, is_joined in ipairs { false, true } do
      local stage = scene.stage(nil, MORE)
      if is_joined then
        assert(stage.bench.client:call("FailoverDiskReplicaGroup", { ReplicaGroupId = lab.ID }))
      end
      local result = assert(stage:run(function(run)
        local group = run:group("pg-orders", { region = "cn-shanghai" })
        run:step("promote", function()
          local made = assert(group:failover())
          return is_joined and made or nil
        end)
      end, { force = FORCE }))
      assert.is_truthy(table.concat(result.exceptions, "\n"):find(told, 1, true), is_joined)
    end
  end)

  it("does not take what another step returns for it", function()
    local result = assert(scene.stage():run(function(run)
      run:step("queue", function() return { unseen = "12 letters" } end)
    end))
    assert.equal("completed", result.status)
  end)

  it("does not stop the services of a group that somebody has moved meanwhile", function()
    local stage, stopped = scene.stage(nil, MORE), 0
    local function halt() stopped = stopped + 1 return true end
    assert(scene.run("failover", stage, params, { stop = halt }, { force = FORCE,
      progress = function(event)
        if event.type ~= "step_end" or event.step ~= "check" then return end
        assert(stage.bench.client:call("FailoverDiskReplicaGroup", { ReplicaGroupId = lab.ID }))
        stage.bench.emu:advance(600)
      end }))
    assert.equal(0, stopped)
    local err = stage:state().steps["stop services"].err
    assert.equal("Client.GroupMoved", err.code)
    assert.matches("pg-orders may have been moved to cn-shanghai", err.message, 1, true)
  end)

  it("does so for each group of a fleet", function()
    local stage = fleet_lab.stage(3, nil, MORE)
    local _, err = fleet_lab.run(stage)
    assert.equal(0, fleet_lab.moved(stage))
    assert.same({ SET }, err.forcible)
    local result = assert(fleet_lab.run(stage, nil, { force = FORCE }))
    assert.equal(3, fleet_lab.moved(stage))
    local words = table.concat(result.exceptions, "\n")
    for i = 1, 3 do
      assert.matches(("pg%%-0%d: 1 of 2 pairs were seen open"):format(i), words)
      assert.is_truthy(words:find(("%s of pg-0%d was overruled by chief"):format(SET, i), 1, true))
    end
  end)

  it("without loss is refused before anything is stopped, and cannot be overruled", function()
    local stage = scene.stage(nil, MORE)
    local _, err = scene.run("planned", stage, { group = "pg-orders", region = "cn-shanghai" }, nil,
      { force = FORCE })
    assert.equal(SET, err.code)
    assert.is_nil(err.forcible)
    assert.matches("a move without loss waits until they agree", err.hint)
    assert.same({}, stage.bench:ledger())
  end)
end)

describe("a move without loss whose set falls apart behind the proof", function()
  it("does not say of pairs that it has not seen that nothing is lost", function()
    local stage, is_begun, is_proven = scene.stage(), false, false
    local emu, send = stage.bench.emu, stage.bench.emu.transport.send
    stage.bench.client = stage.bench.client:with { transport = { send = function(request)
      -- The proof ends with the disks of the old side.
      is_proven = is_proven or is_begun and request.action == "DescribeDisks"
      if is_proven and request.action == "DescribeDiskReplicaGroups" then
        emu:hostile(MORE.hostile)
      end
      return send(request)
    end } }
    scene.run("planned", stage, { group = "pg-orders", region = "cn-shanghai" }, nil, {
      force = FORCE, progress = function(event)
        is_begun = is_begun or event.type == "step_begin" and event.step == "promote"
      end })
    local made = stage:state().steps.promote.result
    assert.matches("^2 of 3 pairs were seen open", made.unseen)
    assert.equal("accepted", made.rpo_basis)
  end)
end)

describe("alicloud-dr failover --force " .. SET, function()
  it("is printed by the refusal, and tells what was not seen", function()
    local ran, desk = desks.once(MORE, "failover", "pg-orders", "--yes")
    assert.equal(1, ran.code)
    assert.is_truthy(ran.out:find("alicloud-dr failover pg-orders --region cn-shanghai --force "
      .. SET .. " --why '…'", 1, true), ran.out)
    assert.same({}, desk:sends())
    ran = desks.once(MORE, "failover", "pg-orders", "--yes", "--force", SET, "--why",
      "the list is behind", "--as", "chief")
    assert.equal(0, ran.code, ran.err)
    assert.is_truthy(ran.out:find("    " .. TOLD, 1, true), ran.out)
    assert.matches(SET .. " was overruled by chief: the list is behind", ran.out)
  end)
end)

describe("a run that is refused for an incomplete set of pairs", function()
  it("is explained with the command that overrules it, as its last lines have said", function()
    local desk = desks.room(false, MORE)
    local ran = desk:run("run", "failover", "group=pg-orders", "region=cn-shanghai", "--no-ask")
    local command = ran.err:match "overrule what it found:  (alicloud%-dr [^\n]+)"
    assert.matches("%-%-force " .. SET .. " %-%-why '…'$", command)
    local journal = command:match "resume (%S+)"
    assert.is_truthy(desk:run("explain", journal).out:find(
      "--force " .. SET .. " --why '…'", 1, true))
  end)
end)

describe("the old side of an incomplete set of pairs", function()
  local told = "pg-orders: 2 of 3 pairs were seen fenced (the group counts 3 pairs, the pair list "
    .. "holds 2)"

  it("is fenced by the run that has overruled it, which tells what it has not seen", function()
    local stage = scene.stage(nil, MORE)
    local result = assert(scene.run("failover", stage, { group = "pg-orders",
      region = "cn-shanghai", fence = "must" }, nil, { force = FORCE }))
    assert.equal(2, #result.steps[2].result.detached)
    assert.equal(told, result.exceptions[#result.exceptions])
    assert.is_true(result.steps[2].result.elapsed < 60)
  end)

  it("is fenced by nobody else", function()
    local bench = after.new(nil, MORE)
    local _, err = bench:run "fence"
    assert.equal(SET, err.code)
    assert.same({}, bench:ledger())
  end)

  it("comes back though the set is not whole, as long as its disks are listed", function()
    local bench = after.new()
    local fenced = assert(bench:run "fence")
    bench.emu:hostile(MORE.hostile)
    assert.equal("unfenced", assert(bench:run("unfence", { fenced = fenced })).outcome)
    bench:cut_pair_lists()
    bench.short_pairs = 1
    local _, err = bench:run("unfence", { fenced = fenced })
    assert.equal(SET, err.code)
  end)
end)

describe("the disks of an incomplete set of pairs", function()
  local params = { group = "pg-orders", region = "cn-shanghai", fence = "no", attach = "i-new" }
  local told = "2 of 3 pairs were seen open (the group counts 3 pairs, the pair list holds 2)"

  it("are served by the run that has overruled it", function()
    local stage = scene.stage(nil, MORE)
    local result = assert(scene.run("failover", stage, params, nil, { force = FORCE }))
    assert.equal(2, #result.steps[3].result.attached)
    assert.equal(told, result.steps[3].result.unseen)
    assert.equal(2, #result.exceptions)
  end)

  it("are all served, and said to be, if the list comes up while they are awaited", function()
    local bench = after.new({ failover_seconds = 120 }, MORE)
    assert(bench.client:call("FailoverDiskReplicaGroup", { ReplicaGroupId = lab.ID }))
    bench.emu:later(bench.emu:now() + 70, function()
      bench.emu:hostile { pair_count_off = 0, pair_ids = "array" }
    end)
    local result = assert(bench:run("serve", { attach = "i-new", force = FORCE }))
    assert.equal(2, #result.attached)
    assert.is_nil(result.unseen)
  end)

  it("are served by hand where a person overrules it there", function()
    local function open()
      return { world = after.world { status = "failovered" }, hostile = MORE.hostile }
    end
    local words = { "serve", "pg-orders", "--attach", "i-new", "--yes" }
    local ran, desk = desks.once(open(), table.unpack(words))
    assert.equal(1, ran.code)
    assert.is_truthy(ran.out:find("alicloud-dr serve pg-orders --region cn-shanghai --attach i-new "
      .. "--force " .. SET .. " --why '…'", 1, true), ran.out)
    assert.same({}, desk:ledger())
    for _, word in ipairs { "--force", SET, "--why", "behind", "--as", "chief" } do
      words[#words + 1] = word
    end
    ran = desks.once(open(), table.unpack(words))
    assert.equal(0, ran.code, ran.err)
    assert.is_truthy(ran.out:find("    " .. told, 1, true), ran.out)
  end)
end)
