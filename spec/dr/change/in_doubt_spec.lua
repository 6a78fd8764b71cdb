-- Answers that are lost, late or refusing: never two effects, never "failed" where it is unknown.

local lab = require "spec.dr.lab"

local answer, fault, run, assert_sound = lab.answer, lab.fault, lab.run, lab.assert_sound

describe("an answer that says nothing", function()
  local unknown = {
    ["500"] = answer("InternalError", 500), ["503"] = answer("ServiceUnavailable", 503),
    ["504"] = answer("RequestTimeout", 504), drop = { drop = true },
  }

  for name, effect in pairs(unknown) do
    it("is followed by a look: " .. name .. " after the work was done", function()
      local bench, result = run { faults = { fault(effect, "after") } }
      assert.equal("failovered", result.outcome)
      assert.equal(1, #bench:sends())
      assert.equal("observed", result.rpo_basis)
      assert_sound(bench, 1)
    end)

    it("is sent again under the same token: " .. name .. " before any work", function()
      local bench, result = run { faults = { fault(effect, "before") } }
      assert.equal("failovered", result.outcome)
      assert.equal(2, #bench:sends())
      assert.equal(2, result.attempts)
      assert_sound(bench, 1)
      local waited = bench:sends()[2].time - bench:sends()[1].time
      assert.is_true(waited >= 15, "looked for " .. waited .. " s only")
    end)
  end

  it("may come before the work: it is applied late, and once", function()
    for _, seconds in ipairs { 3, 14, 16, 40, 100 } do
      local bench, result = run { faults = { fault({ apply_late = seconds }) } }
      assert.equal("failovered", result and result.outcome, seconds .. " s")
      assert_sound(bench, 1)
    end
  end)

  it("is not repeated before three looks over 15 seconds agree", function()
    local bench = run { faults = { fault(unknown.drop, "before") } }
    local sends, looks = bench:sends(), 0
    for _, request in ipairs(bench:requests "DescribeDiskReplicaGroups") do
      if request.time >= sends[1].time and request.time <= sends[2].time
        and request.n > sends[1].n and request.n < sends[2].n then
        looks = looks + 1
      end
    end
    assert.is_true(looks >= 3)
  end)

  it("is repeated only inside the resend window, and then is unknown", function()
    local always = fault(unknown["504"], "before", { count = 1000 })
    local bench, result, err = run { faults = { always } }
    assert.is_nil(result)
    assert.equal("unknown", err.outcome)
    assert.equal("state", err.kind)
    assert.equal("RequestTimeout", err.cause.code)
    assert.is_string(err.client_token)
    local sends = bench:sends()
    assert.is_true(#sends > 2)
    assert.is_true(sends[#sends].time - sends[1].time < 120)
    assert_sound(bench, 0)
  end)

  it("is never repeated with a window of zero, and still is looked after", function()
    local bench, result = run({ faults = { fault({ apply_late = 10 }) } }, { resend_window = 0 })
    assert.equal("failovered", result.outcome)
    assert.equal(1, #bench:sends())
    local other, _, err = run({ faults = { fault(unknown["504"], "before") } },
      { resend_window = 0 })
    assert.equal("unknown", err.outcome)
    assert.equal(1, #other:sends())
  end)

  it("closes the window by the wall clock too, after a suspended machine wakes up", function()
    local bench = lab.new { faults = { fault(unknown["504"], "before", { count = 9 }) },
      assume = { time_window = 100000 } }
    local asleep = 0
    local runtime = setmetatable({
      time = function() return bench.emu.runtime.time() + asleep end,
    }, { __index = bench.emu.runtime })
    bench.client = bench.client:with { runtime = {
      time = runtime.time, monotonic = bench.emu.runtime.monotonic,
      sleep = bench.emu.runtime.sleep, random = bench.emu.runtime.random,
      random_hex = bench.emu.runtime.random_hex,
    } }
    local _, err = bench:failover { on = { unanswered = function() asleep = 600 end } }
    assert.equal("unknown", err.outcome)
    assert.equal(1, #bench:sends())
  end)

  it("is not called failed when a later attempt is refused for good", function()
    local bench, result, err = run { faults = {
      fault({ apply_late = 30 }, nil, { nth = 1 }),
      fault(answer("Forbidden", 403), "before", { nth = 2 }),
    } }
    assert.is_nil(result)
    assert.equal("Forbidden", err.code)
    assert.equal("unknown", err.outcome)
    bench.emu:advance(60)
    assert.equal(1, #bench:ledger())
  end)

  it("is looked after when the looks fail as well", function()
    local bench, result = run { faults = {
      fault(unknown.drop, "after"),
      { match = { action = "DescribeDiskReplicaGroups", nth = 2 }, effect = { drop = true } },
      { match = { action = "DescribeDiskReplicaPairs", nth = 2, count = 1 },
        effect = { error = { code = "InternalError", status = 500 } } },
    } }
    assert.equal("failovered", result.outcome)
    assert_sound(bench, 1)
  end)

  it("stays unknown when nothing can be read any more", function()
    local blind = { match = { action = "DescribeDiskReplicaGroups" }, effect = { drop = true } }
    local bench = lab.new { faults = { fault(unknown.drop, "after") } }
    local _, err = bench:failover { on = { sending = function() bench.emu:fault(blind) end } }
    assert.equal("unknown", err.outcome)
    assert.equal("Client.OutcomeUnknown", err.code)
    assert_sound(bench, 1)
  end)

  it("to the first look means that nothing was sent", function()
    local bench, result, err = run { faults = { { match = { action = "DescribeDiskReplicaGroups" },
      effect = { drop = true } } } }
    assert.is_nil(result)
    assert.equal("not_sent", err.outcome)
    assert.same({}, bench:sends())
  end)
end)

describe("a refusal", function()
  it("by our own client, which only observes, leaves nothing behind", function()
    local bench = lab.new()
    bench.client = bench.client:with { mode = "observe" }
    local result, err = bench:failover()
    assert.is_nil(result)
    assert.equal("not_sent", err.outcome)
    assert.same({}, bench:sends())
  end)

  it("that is final ends the run with the service's own words", function()
    local bench, result, err = run { faults = {
      fault(answer("Forbidden.Action", 403), "before") } }
    assert.is_nil(result)
    assert.equal("Forbidden.Action", err.code)
    assert.equal("rejected", err.outcome)
    assert.equal(1, #bench:sends())
    assert.is_string(err.request_id)
    assert_sound(bench, 0)
  end)

  it("for throttling waits as long as the service wishes, then sends the same token", function()
    local throttled = fault(answer("Throttling.User", 400, 20), "before", { count = 4 })
    local bench, result = run { faults = { throttled } }
    assert.equal("failovered", result.outcome)
    assert_sound(bench, 1)
    local sends = bench:sends()
    assert.is_true(sends[#sends].time - sends[1].time >= 60)
  end)

  it("for throttling without end is reported as rejected, after ten minutes", function()
    for _, row in ipairs { { nil, 595, 670 }, { 1800, 1795, 1870 }, { "40s", 35, 110 },
      { false, 40, 125 } } do
      local bench, _, err = run({ faults = {
        fault(answer("Throttling", 400), "before", { count = 1000 }) } },
        { wait_for_cloud = row[1] })
      assert.equal("Throttling", err.code)
      assert.equal("rejected", err.outcome)
      local sends = bench:sends()
      local took = sends[#sends].time - sends[1].time
      assert.is_true(took > row[2] and took < row[3], tostring(took))
      assert_sound(bench, 0)
    end
  end)

  it("for throttling is waited out, with the seconds that are left", function()
    local bench, result = run { faults = { { match = { action = "FailoverDiskReplicaGroup",
      before = 300 }, effect = answer("Throttling.User", 400) } } }
    assert.equal("failovered", result.outcome)
    assert_sound(bench, 1)
    local left = math.huge
    for _, event in ipairs(bench.events) do
      if event.event == "waiting" then
        assert.equal("Throttling.User", event.code)
        assert.is_string(event.reason)
        assert.is_true(event.left < left and event.left <= 600)
        left = event.left
      end
    end
    assert.is_true(left < 400)
  end)

  it("for throttling does not use up the time for an answer that is lost later", function()
    local bench, result = run { faults = { { match = { action = "FailoverDiskReplicaGroup",
      before = 300 }, effect = answer("Throttling.User", 400) },
      { match = { action = "FailoverDiskReplicaGroup", after = 300, count = 1 },
        effect = { drop = true } } } }
    assert.equal("failovered", result.outcome)
    assert_sound(bench, 1)
  end)

  it("because the first request is still at work is waited for, not repeated", function()
    local bench, result = run { faults = {
      fault(answer("LastTokenProcessing", 403), "after") } }
    assert.equal("failovered", result.outcome)
    assert.equal(1, #bench:sends())
    assert_sound(bench, 1)
  end)

  it("because of the state is no refusal when somebody else has begun", function()
    local bench = lab.new()
    local result = assert(bench:failover { on = { sending = function()
      bench.client:must("FailoverDiskReplicaGroup", { ReplicaGroupId = lab.ID })
      bench.emu:fault(fault(answer("OperationDenied.InvalidStatus", 403), "before"))
    end } })
    assert.equal("failovered", result.outcome)
    assert.is_true(result.joined)
    assert.equal(2, #bench:sends())
    assert.equal(1, #bench:ledger())
  end)

  it("because of the state is tried once more when the state says otherwise", function()
    local passing = answer("OperationDenied.InvalidStatus", 403)
    local bench, result = run { faults = { fault(passing, "before") } }
    assert.equal("failovered", result.outcome)
    assert.equal(2, #bench:sends())
    assert_sound(bench, 1)
    local other, _, err = run { faults = { fault(passing, "before", { count = 9 }) } }
    assert.equal("OperationDenied.InvalidStatus", err.code)
    assert.equal("rejected", err.outcome)
    assert.equal(2, #other:sends())
  end)

  it("because pairs and group differ is asked again inside the window: it passes", function()
    local passing = answer("OperationDenied.PairGroupStatusConflict", 403)
    local bench, result = run { faults = { fault(passing, "before", { count = 4 }) } }
    assert.equal("failovered", result.outcome)
    assert.equal(5, #bench:sends())
    assert_sound(bench, 1)
    local other, _, err = run { faults = { fault(passing, "before", { count = 99 }) } }
    assert.equal("OperationDenied.PairGroupStatusConflict", err.code)
    assert.equal("rejected", err.outcome)
    local sends = other:sends()
    assert.is_true(#sends > 5 and sends[#sends].time - sends[1].time <= 120)
    assert_sound(other, 0)
  end)

  it("because the token was used before is followed by looks, and never sent again", function()
    local used = answer("IdempotentParameterMismatch", 400)
    local bench, result, err = run({ faults = { fault(used, "before", { count = 99 }) } },
      { client_token = "tok-1" })
    assert.is_nil(result)
    assert.equal("Client.OutcomeUnknown", err.code)
    assert.equal("unknown", err.outcome)
    assert.is_false(err.retryable)
    assert.matches("its token was used before with other parameters$", err.message)
    assert.matches("^what was sent under this token %(tok%-1%) before may have been done", err.hint)
    assert.equal(1, #bench:sends())
    assert_sound(bench, 0)
    -- The one before it was this very failover, sent by somebody else.
    local other, joined = run { faults = { fault(used, "after") } }
    assert.equal("failovered", joined.outcome)
    assert.equal(1, #other:sends())
    assert_sound(other, 1)
  end)
end)
