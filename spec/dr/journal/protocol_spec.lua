-- What a failover tells its journal: what is written down before anything leaves, and how one
-- goes on whose process is gone.

local lab = require "spec.dr.lab"
local protocol = require "alicloud.dr.journal.protocol"

local assert_sound, fault = lab.assert_sound, lab.fault

-- A journal in memory that notes how many calls had left when it was told.
local function notebook(bench, refuse)
  local book = { intents = {}, outcomes = {} }
  function book.intent(record)
    if refuse then return nil, refuse end
    book.intents[#book.intents + 1] = { record = record, sends = #bench:sends() }
    return true
  end
  function book.outcome(record) book.outcomes[#book.outcomes + 1] = record end
  return book
end

-- A failover that is killed when the call has been made and before anybody knows its answer.
local function killed(given)
  local bench = lab.new(given)
  local book = notebook(bench)
  local ok, raised = pcall(bench.failover, bench, { journal = book, on = {
    unanswered = function() error("interrupted!", 0) end,
    accepted = function() error("interrupted!", 0) end,
  } })
  assert.is_false(ok)
  assert.equal("interrupted!", raised)
  return bench, {
    intent = book.intents[1].record.intent, first_send_wall = bench.emu:now(), doubtful = true,
    attempts = 1,
  }
end

local LOST = { fault({ drop = true }, "before") }
local LOST_AFTER = { fault({ drop = true }, "after") }

describe("a failover with a journal", function()
  it("writes its intent down before the call leaves, and how it ended", function()
    local bench = lab.new()
    local book = notebook(bench)
    local result = assert(bench:failover { journal = book, max_rpo = "20m" })
    assert.equal(1, #book.intents)
    assert.equal(0, book.intents[1].sends)
    local record = book.intents[1].record
    assert.equal("failover", record.verb)
    assert.equal(120, record.resend_window)
    assert.equal(1200, record.max_rpo)
    assert.equal(bench:ledger()[1].client_token, record.intent.client_token)
    assert.equal(3, #record.intent.pairs)
    result.snapshot = nil
    assert.same({ verb = "failover", group_id = lab.ID, ok = true, outcome = "failovered",
      client_token = record.intent.client_token, request_id = result.request_id,
      result = result }, book.outcomes[1])
  end)

  it("sends nothing if the intent could not be written", function()
    local bench = lab.new()
    local book = notebook(bench, "disk full")
    local result, err = bench:failover { journal = book }
    assert.is_nil(result)
    assert.equal("Client.JournalFailed", err.code)
    assert.equal("journal", err.kind)
    assert.equal("not_sent", err.outcome)
    assert.matches("disk full", err.message)
    assert.same({}, bench:sends())
    assert.same({}, book.outcomes)
  end)

  it("tells the journal that the outcome is unknown", function()
    local bench = lab.new { faults = { fault({ drop = true }, "before", { count = 9 }) } }
    local book = notebook(bench)
    bench:failover { journal = book, resend_window = 0 }
    assert.is_false(book.outcomes[1].ok)
    assert.equal("unknown", book.outcomes[1].outcome)
  end)

  it("writes no end of a failover that it only awaits", function()
    local bench = lab.new()
    assert(bench.client:call("FailoverDiskReplicaGroup", { ReplicaGroupId = lab.ID }))
    local book = notebook(bench)
    assert.is_true(assert(bench:failover { journal = book }).joined)
    assert.same({}, book.intents)
    assert.same({}, book.outcomes)
  end)

  it("writes nothing where nothing is sent", function()
    local bench = lab.new { group = { status = "failovered" } }
    local book = notebook(bench)
    assert(bench:failover { journal = book })
    assert.same({}, book.intents)
    assert.same({}, book.outcomes)
  end)
end)

describe("a failover that goes on", function()
  it("finds the effect of the call whose answer nobody saw, and sends nothing", function()
    local bench, past = killed { faults = LOST_AFTER }
    local result = assert(bench:failover { continue = past })
    assert.equal("failovered", result.outcome)
    assert_sound(bench, 1)
    assert.equal(1, #bench:sends())
  end)

  it("sends again under the same token if nothing has happened", function()
    local bench, past = killed { faults = LOST }
    local result = assert(bench:failover { continue = past })
    assert.equal("failovered", result.outcome)
    assert_sound(bench, 1)
    assert.equal(2, #bench:sends())
    assert.equal(past.intent.client_token, bench:sends()[2].client_token)
    assert.equal(2, result.attempts)
  end)

  it("sends nothing after the resend window, whatever the clock did", function()
    for _, shift in ipairs { -121, 121 } do
      local bench, past = killed { faults = LOST }
      past.first_send_wall = past.first_send_wall - shift
      local _, err = bench:failover { continue = past }
      assert.equal("Client.OutcomeUnknown", err.code)
      assert.equal("unknown", err.outcome)
      assert.equal(1, #bench:sends())
    end
  end)

  it("stops with the difference if the world is another one", function()
    local bench, past = killed { faults = LOST }
    bench:reverse "normal"
    local _, err = bench:failover { continue = past }
    assert.equal("Client.Superseded", err.code)
    assert.matches("direction was cn%-hangzhou/g → cn%-shanghai/b, now it is", err.message)
    assert.equal(1, #bench:sends())
  end)

  it("stops if the pairs are others", function()
    local bench, past = killed { faults = LOST }
    bench:remove_pair()
    local _, err = bench:failover { continue = past }
    assert.equal("Client.Superseded", err.code)
    assert.matches("the pair set lacks", err.message)
    assert.equal(1, #bench:sends())
  end)

  it("only waits if the service had taken the call", function()
    local bench, past = killed()
    past.accepted = { request_id = bench:ledger()[1].request_id, server_time = bench.emu:now() }
    past.doubtful = false
    local result = assert(bench:failover { continue = past })
    assert.equal(past.accepted.request_id, result.request_id)
    assert.equal("accepted", result.rpo_basis)
    assert.equal(1, #bench:sends())
  end)

  it("that never left is decided anew under its token", function()
    local bench, past = killed { faults = LOST }
    past.first_send_wall, past.doubtful = nil, false
    local result = assert(bench:failover { continue = past })
    assert.equal(past.intent.client_token, result.client_token)
    local other = killed { faults = LOST }
    other:reverse "normal"
    local _, err = other:failover { continue = past }
    assert.equal("Client.WorldChanged", err.code)
    assert.equal(1, #other:sends())
  end)
end)

describe("accepting a loss", function()
  it("raises the limit, by name and with a reason", function()
    local _, result = lab.run({ group = { recover_point_age = 3000 } }, { max_rpo = "20m",
      accept_loss = { seconds = 3600, by = "ops-lead", why = "the region is gone" } })
    assert.equal("failovered", result.outcome)
  end)

  it("without a name or a reason is refused", function()
    for _, loss in ipairs { { seconds = 1 }, { seconds = 1, by = "x", why = " " } } do
      assert.is_false(protocol.ACCEPT_LOSS.test(loss))
      local ok, message = pcall(lab.run, {}, { max_rpo = 1, accept_loss = loss })
      assert.is_false(ok)
      assert.matches("option accept_loss: got a table; allowed: { seconds = number", message)
    end
  end)
end)
