-- Drills: started once, checked, and always cleared.

local after = require "spec.dr.after_lab"
local dr = require "alicloud.dr"
local lab = require "spec.dr.lab"

local START, CLEAR = "StartReplicaGroupDrill", "ClearReplicaGroupDrill"

local function open_drills(bench)
  return #assert(bench:group():drills())
end

describe("a drill", function()
  it("gives the check a disk for each pair, and is cleared afterwards", function()
    local bench, seen = after.new(), nil
    local result = assert(bench:run("drill", { check = function(made)
      seen = made
      assert.equal(1, open_drills(bench))
      return "probe fine"
    end }))
    assert.equal("drilled", result.outcome)
    assert.equal("probe fine", result.check)
    assert.is_true(result.cleared)
    assert.equal(2, #seen.disks)
    assert.is_number(seen.recover_point)
    assert.equal(0, open_drills(bench))
    assert.equal(1, after.effects(bench, START))
    assert.equal(1, after.effects(bench, CLEAR))
    assert.equal("normal normal normal", after.truth(bench))
  end)

  it("is cleared when the check raises, says false, or gives a reason", function()
    for name, check in pairs {
      ["boom"] = function() error "boom" end,
      ["returned false"] = function() return false end,
      ["no answer"] = function() return nil, "no answer" end,
    } do
      local bench = after.new()
      local result, err = bench:run("drill", { check = check })
      assert.is_nil(result)
      assert.equal("Client.DrillCheckFailed", err.code)
      assert.matches(name, err.message, 1, true)
      assert.is_true(err.cleared)
      assert.equal(0, open_drills(bench))
    end
  end)

  it("is cleared after Ctrl-C, in the check and while its disks are made", function()
    local bench = after.new()
    assert.error_matches(function()
      bench:group():drill { check = function() error("stdin:1: interrupted!", 0) end }
    end, "interrupted!$")
    assert.equal(0, open_drills(bench))
    for _, event in ipairs { "accepted", "state" } do
      bench = after.new()
      assert.error_matches(function()
        local hit
        bench:group():drill { progress = function(told)
          if told.event == event and not hit then
            hit = true
            error("stdin:1: interrupted!", 0)
          end
        end }
      end, "interrupted!$")
      assert.equal(1, after.effects(bench, START))
      assert.equal(0, open_drills(bench), event)
    end
  end)

  for name, effect in pairs(after.DOUBTFUL) do
    for _, when in ipairs { "before", "after" } do
      it(("is one drill, known by looking: %s %s the work"):format(name, when), function()
        local bench = after.new(nil, { faults = { after.fault(START, effect, when),
          after.fault(CLEAR, effect, when) } })
        local result = assert(bench:run "drill")
        assert.equal(when == "after", result.adopted)
        assert.equal(1, after.effects(bench, START))
        assert.equal(1, after.effects(bench, CLEAR))
        assert.equal(0, open_drills(bench))
      end)
    end
  end

  it("leaves drills of others alone", function()
    local bench = after.new()
    local other = bench.client:must(START, { GroupId = after.ID }).DrillId
    assert(bench:run "drill")
    local list = assert(bench:group():drills())
    assert.equal(1, #list)
    assert.equal(other, list[1].id)
  end)

  it("does not guess which of two new drills is its own", function()
    local bench = after.new(nil, { faults = { after.fault(START, { drop = true }, "after") } })
    local result, err = bench:run("drill", { timeout = 60, on = { unanswered = function()
      bench.client:must(START, { GroupId = after.ID })
    end } })
    assert.is_nil(result)
    assert.equal("unknown", err.outcome)
    assert.is_nil(err.drill_id)
    assert.is_nil(err.cleared)
    assert.equal(2, open_drills(bench))
    assert.same({}, bench:requests(CLEAR))
  end)

  it("that fails is told, and cleared", function()
    local bench = after.new()
    local result, err = bench:run("drill", { on = { accepted = function()
      bench.emu:region(lab.SECONDARY, "down")
      bench.emu:later(bench.emu:now() + 60, function()
        bench.emu:region(lab.SECONDARY, "up")
      end)
    end } })
    assert.is_nil(result)
    assert.equal("Client.ChangeFailed", err.code)
    assert.is_true(err.cleared)
    assert.equal(0, open_drills(bench))
  end)

  local function attach_all(bench, made)
    for _, disk in ipairs(made.disks) do
      bench.client:must("ecs:AttachDisk", { InstanceId = "i-new", DiskId = disk.disk })
    end
  end

  it("detaches what the check has left attached", function()
    local bench = after.new()
    assert(bench:run("drill", { check = function(made)
      attach_all(bench, made)
    end }))
    assert.equal(2, after.effects(bench, "DetachDisk"))
    assert.equal(0, open_drills(bench))
  end)

  it("that cannot be cleared is told, with the cost", function()
    local bench = after.new(nil, { faults = {
      after.fault("DetachDisk", lab.answer("Forbidden", 403), "before", 99) } })
    local result, err = bench:run("drill", { check = function(made)
      attach_all(bench, made)
      bench.emu:advance(10)
    end })
    assert.is_nil(result)
    assert.equal("Client.ChangeFailed", err.code)
    assert.matches("costs money", err.message)
    assert.is_string(err.drill_id)
    assert.equal(1, open_drills(bench))
  end)

  it("is refused at the primary site, and without a recovery point", function()
    local bench = after.new()
    local _, err = bench:run("drill", { at = lab.PRIMARY })
    assert.equal("OperationDenied.StartDrillShouldOnDestRegion", err.code)
    bench = after.new { recover_point_age = false, status = "initial_syncing" }
    _, err = bench:run "drill"
    assert.equal("OperationDenied.RecoverPointNotFound", err.code)
    assert.equal("not_sent", err.outcome)
    assert.same({}, bench:requests(START))
  end)

  it("is not made of a recovery point that may be from before a reversal", function()
    local bench = after.open()
    bench.emu:advance(1800)
    local turned = assert(bench:run "reprotect").snapshot.read_at
    local _, err = bench:run("drill", { at = lab.PRIMARY })
    assert.equal("Client.FirstSyncUnfinished", err.code)
    assert.equal("not_sent", err.outcome)
    assert.same({}, bench:requests(START))
    -- The cycle that makes one is waited for.
    assert(bench:run "start")
    local result = assert(bench:run("drill", { at = lab.PRIMARY }))
    assert.is_true(result.recover_point >= turned)
  end)
end)

describe("clear_drill", function()
  it("finds nothing to do where there is no such drill", function()
    local bench = after.new()
    local result = assert(bench:group():clear_drill "pg-drill-1")
    assert.same({ "not_open", {} }, { result.outcome, result.open })
    assert.same({}, bench:requests(CLEAR))
    local made = assert(bench:run "start_drill")
    result = assert(bench:group():clear_drill "pg-drill-1")
    assert.same({ 1, made.drill_id }, { #result.open, result.open[1].id })
  end)

  it("waits for a drill that is being made, and joins a clearing", function()
    local bench = after.new()
    local id = bench.client:must(START, { GroupId = after.ID }).DrillId
    assert.equal("cleared", assert(bench:group():clear_drill(id)).outcome)
    id = assert(bench:run "start_drill").drill_id
    bench.client:must(CLEAR, { GroupId = after.ID, DrillId = id })
    assert.equal(0, assert(bench:group():clear_drill(id)).attempts)
    assert.equal(0, open_drills(bench))
  end)

  it("does not believe one empty list", function()
    local bench = after.new()
    local id = assert(bench:run "start_drill").drill_id
    local looks = 0
    local send = bench.emu.transport.send
    bench.client = bench.client:with { transport = { send = function(request)
      looks = looks + (request.action == "DescribeReplicaGroupDrills" and 1 or 0)
      bench.emu:hostile { short_list = looks == 2 and 9 or 0 }
      return send(request)
    end } }
    assert.equal("cleared", assert(bench:group():clear_drill(id)).outcome)
    assert.equal(0, open_drills(bench))
  end)
end)

local function interrupt() error("interrupted!", 0) end

local function journal_into(book)
  return { intent = function(record) book.intent = record return true end,
    outcome = function(record) book.outcome = record end }
end

describe("a drill whose process died", function()
  it("goes on with the drill that was started, checks it and clears it", function()
    local bench, book = after.new(), {}
    -- Unlike a whole drill, the start clears nothing when it is cut short.
    assert.is_false(pcall(bench.run, bench, "start_drill",
      { journal = journal_into(book), on = { accepted = interrupt } }))
    local past = { verb = book.intent.verb, intent = book.intent.intent, doubtful = true,
      attempts = 1, first_send_wall = bench.emu:now() }
    local result = assert(bench:run("drill", { continue = past,
      check = function(made) return #made.disks == 2 end }))
    assert.equal("drilled", result.outcome)
    assert.equal(1, after.effects(bench, START))
    assert.equal(0, open_drills(bench))
  end)

  it("is not gone on with if it cleared what it had started", function()
    local bench, book = after.new(), {}
    assert.is_false(pcall(bench.run, bench, "drill",
      { journal = journal_into(book), on = { accepted = interrupt } }))
    assert.equal(0, open_drills(bench))
    assert.equal("start_drill", book.outcome.verb)
    assert.equal("accepted", book.outcome.outcome)
    assert.equal("Client.Interrupted", book.outcome.code)
  end)
end)

describe("a checked drill", function()
  it("tells its listener that it is cleared, before that is waited for", function()
    local bench, told = after.new(), nil
    assert(bench:run("drill", { check = function() end, on = { clearing = function(event)
      told = event
      assert.equal(1, open_drills(bench))
    end } }))
    assert.equal("pg-orders", told.group_id)
    assert.matches("^pg%-drill%-", told.drill_id)
  end)
end)

describe("dr.drills", function()
  it("lists what is open, oldest first, with age and a warning about the bill", function()
    local bench = after.new()
    assert(bench:run "start_drill")
    bench.emu:advance(7200)
    assert(bench:run "start_drill")
    local list = assert(dr.drills(bench.client))
    assert.equal(2, #list)
    assert.is_true(list[1].age > 7200 and list[2].age < 100)
    assert.matches("^2 pay%-as%-you%-go disks are billed for 2h", list[1].warning)
    assert.same({}, assert(dr.drills(bench.client, { region = lab.PRIMARY })))
  end)
end)
