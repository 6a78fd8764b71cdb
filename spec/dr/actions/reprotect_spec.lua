-- Reprotection: refused in every wrong world, once whatever is lost, done only when group and pairs
-- say so.

local after = require "spec.dr.after_lab"
local lab = require "spec.dr.lab"

local ACTION = "ReprotectDiskReplicaGroup"

local function refused(bench, options, code, kind)
  local result, err = bench:run("reprotect", options)
  assert.is_nil(result)
  assert.equal(code, err.code)
  assert.equal(kind or "precheck", err.kind)
  assert.equal("not_sent", err.outcome)
  assert.same({}, bench:requests(ACTION))
  return err
end

describe("reprotect", function()
  it("reverses the direction, and waits for the group and every pair", function()
    local bench = after.open()
    local result = assert(bench:run "reprotect")
    assert.equal("reprotected", result.outcome)
    assert.is_true(result.reverse)
    assert.equal(lab.SECONDARY, result.from.region)
    assert.equal(lab.PRIMARY, result.to.region)
    for _, pair in ipairs(result.pairs) do
      assert.equal("stopped", pair.status)
      assert.equal(lab.SECONDARY, pair.from.region)
    end
    assert.is_true(result.elapsed >= 20)
    assert.is_string(result.request_id)
    assert.equal(result.client_token, bench:requests(ACTION)[1].client_token)
    assert.is_true(result.old_side.known)
    assert.equal(1, after.effects(bench, ACTION))
    assert.equal("stopped stopped stopped", after.truth(bench))
  end)

  it("takes the failover back with reverse = false, without asking for old disks", function()
    local bench = after.new { status = "failovered" }
    local result = assert(bench:run("reprotect", { reverse = false }))
    assert.equal(lab.PRIMARY, result.from.region)
    assert.is_false(result.reverse)
    assert.same({}, bench:requests "DescribeDisks")
  end)

  it("finds it done when it is asked for again", function()
    local bench = after.open()
    assert(bench:run "reprotect")
    local result = assert(bench:run "reprotect")
    assert.equal("already_reprotected", result.outcome)
    assert.equal(1, #bench:requests(ACTION))
  end)

  it("joins one that is under way", function()
    local bench = after.open()
    bench.client:must(ACTION, { ReplicaGroupId = after.ID })
    local result = assert(bench:run "reprotect")
    assert.is_true(result.joined)
    assert.equal(0, result.attempts)
    assert.equal(1, #bench:requests(ACTION))
  end)

  it("is refused in a state from which it is not documented", function()
    for _, status in ipairs { "normal", "syncing", "stopped", "created", "failovering" } do
      refused(after.new { status = status, old = false }, nil, "OperationDenied.InvalidStatus")
    end
  end)

  it("is refused at the primary site, for a group that is not there, and for an empty one",
    function()
      refused(after.open(), { at = lab.PRIMARY }, "OperationDenied.OperateNotAllowedForPrimary",
        "state")
      local bench = after.open()
      local _, err = bench:group("pg-nowhere"):reprotect()
      assert.equal("NoSuchResource", err.code)
      refused(after.new { status = "failovered", pairs = 0 }, nil,
        "OperationDenied.NoPairInGroup")
    end)

  it("is refused while a pair lags behind, and for lists that are cut", function()
    local world = after.world { status = "failovered", old = false }
    world.groups[1].pairs[2].status = "failovering"
    refused(lab.new { world = world }, nil, "OperationDenied.PairGroupStatusConflict")
    local bench = after.open()
    local send = bench.emu.transport.send
    bench.client = bench.client:with { transport = { send = function(request)
      bench.emu:hostile { short_list = request.action == "DescribeDiskReplicaPairs" and 1 or 0 }
      return send(request)
    end } }
    refused(bench, nil, "Client.PairSetIncomplete")
  end)

  it("is refused, with names, while the old disks are attached", function()
    local err = refused(after.new { status = "failovered" }, nil, "Client.OldSideInUse", "state")
    assert.matches("d%-old%-1 on i%-old %(orders, Running%), d%-old%-2 on i%-old", err.message)
    refused(after.new { status = "failovered", old = "Stopped" }, nil, "Client.OldSideInUse",
      "state")
    refused(after.new { status = "failovered" }, { old_side = "stopped" }, "Client.OldSideInUse",
      "state")
    refused(after.new { status = "failovered" }, { old_side = "unknown" }, "Client.OldSideInUse",
      "state")
  end)

  it("takes disks of stopped instances if that is accepted", function()
    local bench = after.new { status = "failovered", old = "Stopped" }
    assert.equal("reprotected", assert(bench:run("reprotect", { old_side = "stopped" })).outcome)
  end)

  it("says that the old side is unknown while its region is dark, and assumes nothing", function()
    local bench = after.open()
    bench.emu:region(lab.PRIMARY, "down")
    local err = refused(bench, nil, "Client.OldSideUnknown", "state")
    assert.is_false(err.old_side.known)
    assert.matches("could not be asked", err.message)
    local blind = after.open { faults = {
      after.fault("DescribeDisks", lab.answer("Forbidden", 403), "before", 99) } }
    refused(blind, nil, "Client.OldSideUnknown", "state")
  end)

  it("goes on without knowing if that is accepted, and tells the service's own failure", function()
    local bench = after.open()
    bench.emu:region(lab.PRIMARY, "down")
    local result, err = bench:run("reprotect", { old_side = "unknown" })
    assert.is_nil(result)
    assert.equal("Client.ChangeFailed", err.code)
    assert.equal("accepted", err.outcome)
    assert.equal(1, after.effects(bench, ACTION))
  end)

  it("asks, and looks again before it sends: a disk may have been attached meanwhile", function()
    local bench = after.open()
    local _, err = bench:run("reprotect", { confirm = function() return false end })
    assert.equal("Client.NotConfirmed", err.code)
    refused(after.open(), { confirm = function() return false end }, "Client.NotConfirmed",
      "cancelled")
    bench = after.open()
    refused(bench, { confirm = function()
      local disk = bench.emu.world.disk_by_id["d-old-2"]
      disk.status, disk.instance = "In_use", "i-old"
      return true
    end }, "Client.OldSideInUse", "state")
    bench = after.open()
    refused(bench, { confirm = function()
      bench:put "stopped"
      return true
    end }, "Client.WorldChanged", "state")
    assert.equal("agrees", assert(after.open():run("reprotect",
      { confirm = function() return true end })).other_site)
  end)

  it("is repeated after it failed, under another token", function()
    local bench = after.open()
    bench.emu:region(lab.PRIMARY, "down")
    local _, err = bench:run("reprotect", { old_side = "unknown" })
    bench.emu:region(lab.PRIMARY, "up")
    local result = assert(bench:run "reprotect")
    assert.equal("reprotected", result.outcome)
    assert.not_equal(err.client_token, result.client_token)
    local other = after.new({ status = "reprotect_failed", old = false },
      { assume = { reprotect_again = "refuse" } })
    _, err = other:run "reprotect"
    assert.equal("OperationDenied.InvalidStatus", err.code)
    assert.equal("rejected", err.outcome)
  end)

  it("that fails a second time is told as a failure", function()
    local bench = after.new({ status = "reprotect_failed", old = false })
    bench.emu:region(lab.PRIMARY, "down")
    local _, err = bench:run("reprotect", { old_side = "unknown" })
    assert.equal("Client.ChangeFailed", err.code)
    assert.equal("accepted", err.outcome)
  end)

  it("is refused when the sites contradict each other", function()
    local bench = after.open()
    local send = bench.emu.transport.send
    bench.client = bench.client:with { transport = { send = function(request)
      local far = request.url:find("RegionId=cn%-hangzhou") ~= nil
      bench.emu:hostile { stale_read = 0 }
      local group = bench.emu:group(after.ID)
      if not far then return send(request) end
      local was = group.status
      group.status = "normal"
      local exchange = send(request)
      group.status = was
      return exchange
    end } }
    refused(bench, nil, "Client.SitesDisagree", "state")
  end)
end)

describe("a reprotection whose answer is in doubt", function()
  for name, effect in pairs(after.DOUBTFUL) do
    it("is looked after: " .. name .. " after the work", function()
      local bench = after.open { faults = { after.fault(ACTION, effect, "after") } }
      assert.equal("reprotected", assert(bench:run "reprotect").outcome)
      assert.equal(1, #bench:requests(ACTION))
      assert.equal(1, after.effects(bench, ACTION))
    end)

    it("is sent again under its token: " .. name .. " before the work", function()
      local bench = after.open { faults = { after.fault(ACTION, effect, "before") } }
      local result = assert(bench:run "reprotect")
      local sends = bench:requests(ACTION)
      assert.equal(2, #sends)
      assert.equal(sends[1].client_token, sends[2].client_token)
      assert.is_true(sends[2].time - sends[1].time >= 15)
      assert.equal(2, result.attempts)
      assert.equal(1, after.effects(bench, ACTION))
    end)
  end

  it("may be done late, and once", function()
    for _, seconds in ipairs { 3, 14, 16, 40, 100 } do
      local bench = after.open { faults = { after.fault(ACTION, { apply_late = seconds }) } }
      assert.equal("reprotected", assert(bench:run "reprotect").outcome)
      assert.equal(1, after.effects(bench, ACTION))
    end
  end)

  it("ends as unknown when the window is over, and goes on under its token", function()
    local bench = after.open { faults = { after.fault(ACTION, { apply_late = 200 }) } }
    local result, err = bench:run("reprotect", { resend_window = 0 })
    assert.is_nil(result)
    assert.equal("unknown", err.outcome)
    assert.equal("Client.OutcomeUnknown", err.code)
    bench.emu:advance(300)
    result = assert(bench:run("reprotect", { client_token = err.client_token }))
    assert.equal("already_reprotected", result.outcome)
    assert.equal(1, after.effects(bench, ACTION))
  end)

  it("has the token of its incident, one for each state of the world", function()
    local tokens = {}
    for i, status in ipairs { "failovered", "failovered", "reprotect_failed" } do
      local bench = after.new { status = status, old = false }
      assert(bench:run("reprotect", { incident = "INC-1" }))
      tokens[i] = bench:requests(ACTION)[1].client_token
    end
    assert.equal(tokens[1], tokens[2])
    assert.not_equal(tokens[1], tokens[3])
    assert.error_matches(function()
      after.open():group():reprotect { incident = "a", client_token = "b" }
    end, "one of the two")
  end)

  it("is not called failed when a later attempt is refused for good", function()
    local bench = after.open { faults = { after.fault(ACTION, { apply_late = 30 }),
      { match = { action = ACTION, nth = 2 }, when = "before",
        effect = lab.answer("Forbidden", 403) } } }
    local _, err = bench:run "reprotect"
    assert.equal("Forbidden", err.code)
    assert.equal("unknown", err.outcome)
  end)

  it("is given up when somebody else turns the group meanwhile", function()
    local bench = after.open()
    local _, err = bench:run("reprotect", { reverse = false, on = { accepted = function()
      bench:reverse "normal"
    end } })
    assert.equal("Client.Superseded", err.code)
    assert.equal("unknown", err.outcome)
  end)

  it("ends when nothing changes, or at its limit", function()
    local bench = after.open { faults = {} }
    bench.emu.world.timings.reprotect = 5000
    local _, err = bench:run("reprotect", { stall = 60 })
    assert.equal("Client.ChangeStalled", err.code)
    bench = after.open()
    bench.emu.world.timings.reprotect = 5000
    _, err = bench:run("reprotect", { timeout = 90 })
    assert.equal("Client.ChangeTimeout", err.code)
    assert.equal("unknown", err.outcome)
  end)
end)

describe("the journal of a change", function()
  local function journal(log, fail)
    return {
      intent = function(record)
        log[#log + 1] = record
        return not fail
      end,
      outcome = function(record) log[#log + 1] = record end,
    }
  end

  it("is told before the call leaves, and at the end", function()
    local bench, log = after.open(), {}
    assert(bench:run("reprotect", { journal = journal(log), on = { sending = function()
      assert.equal(1, #log)
    end } }))
    assert.equal("reprotect", log[1].verb)
    assert.equal(lab.SECONDARY, log[1].intent.region)
    assert.equal(log[1].intent.client_token, log[2].client_token)
    assert.is_true(log[2].ok)
    assert.equal("reprotected", log[2].outcome)
    assert.equal(2, #log)
  end)

  it("stops the change if it does not take the intent", function()
    local bench, log = after.open(), {}
    local _, err = bench:run("reprotect", { journal = journal(log, true) })
    assert.equal("journal", err.kind)
    assert.equal("not_sent", err.outcome)
    assert.same({}, bench:requests(ACTION))
  end)

  it("lets another process decide anew what never left, if the world is the same", function()
    local bench, log = after.open(), {}
    bench:run("reprotect", { journal = journal(log, true) })
    local past = { intent = log[1].intent, doubtful = false }
    local result = assert(bench:run("reprotect", { continue = past }))
    assert.equal(past.intent.client_token, result.client_token)
    bench = after.open()
    bench:remove_pair()
    local _, err = bench:run("reprotect", { continue = past })
    assert.equal("Client.WorldChanged", err.code)
    assert.same({}, bench:requests(ACTION))
  end)

  it("lets another process continue, with one effect, whether the call had left or not", function()
    for _, effect in ipairs { { apply_late = 10 }, lab.answer("RequestTimeout", 504) } do
      local bench, log = after.open { faults = { after.fault(ACTION, effect, "before") } }, {}
      assert.error_matches(function()
        bench:group():reprotect { journal = journal(log), progress = function(event)
          if event.event == "unanswered" then error("stdin:1: interrupted!", 0) end
        end }
      end, "interrupted!$")
      local result = assert(bench:run("reprotect", { continue = { intent = log[1].intent,
        first_send_wall = bench.emu:now(), doubtful = true } }))
      assert.equal("reprotected", result.outcome)
      assert.equal(1, after.effects(bench, ACTION))
      for _, request in ipairs(bench:requests(ACTION)) do
        assert.equal(log[1].intent.client_token, request.client_token)
      end
    end
  end)
end)
