-- The bad ends of a change: each bears what the next decision needs, and none says more than is
-- known.

local errors = require "alicloud.base.error"
local failures = require "alicloud.dr.change.failures"

local TOKEN = "5f1d2c3b4a6978877665544332211000"

-- As much of a change as its end is made of.
local function change(fields)
  local made = {
    words = { product = "ebs", action = "FailoverDiskReplicaGroup", noun = "failover",
      codes = { failed = "Client.FailoverFailed", stalled = "Client.FailoverStalled",
        timeout = "Client.FailoverTimeout" } },
    group = { id = "pg-orders", region = "cn-shanghai" },
    intent = { client_token = TOKEN, status = "normal" },
    options = { resend_window = 120, timeout = 3600, stall = 600, incident = "INC-7" },
    poller = { reason = "it is so", last = { pairs = { "d-1" } },
      knowledge = function() return "seen so" end },
    attempts = 1, request_ids = { "R-1" }, elapsed = function() return 7 end,
  }
  for name, value in pairs(fields or {}) do made[name] = value end
  return made
end

local function refusal(outcome)
  return errors.new { kind = "api", code = "OperationDenied", message = "no", outcome = outcome,
    hint = "the service's own" }
end

local READ_FAILED = errors.new { kind = "network", code = "Client.Reset", message = "reset",
  outcome = "unknown" }

local ENDS = {
  unreadable = { READ_FAILED }, not_confirmed = {}, world_changed = { "another pair" },
  intent_not_written = { READ_FAILED }, forbidden = { { code = "Client.X", message = "m" } },
  rejected = { refusal "rejected" }, unknown = { READ_FAILED }, superseded = {}, failed = {},
  timeout = { false }, replayed = {}, cut_short = { READ_FAILED }, of_ending = { "failed" },
}

describe("every bad end of a change", function()
  for name, arguments in pairs(ENDS) do
    it("bears group, token, attempts and what may be said of the effect: " .. name, function()
      local nothing, err = failures[name](change(), table.unpack(arguments))
      assert.is_nil(nothing)
      assert.is_true(errors.is_error(err))
      assert.equal("pg-orders", err.group_id)
      assert.equal("cn-shanghai", err.region)
      assert.equal(TOKEN, err.client_token)
      assert.same({ "R-1" }, err.request_ids)
      assert.same({ 1, 7 }, { err.attempts, err.elapsed })
      assert.is_truthy(({ not_sent = true, rejected = true, unknown = true,
        accepted = true })[err.outcome], tostring(err.outcome))
    end)
  end

  it("is of a function that is listed here", function()
    for name in pairs(failures) do
      local listed = ENDS[name] or name == "refused" or name == "lost_answer"
      assert.is_truthy(listed, name)
    end
  end)
end)

describe("what is said of the effect", function()
  it("stays unknown where an earlier attempt may still have one", function()
    for _, row in ipairs { { nil, "rejected", "rejected" }, { true, "rejected", "unknown" },
      { nil, "unknown", "unknown" } } do
      local _, err = failures.rejected(change { doubtful = row[1] }, refusal(row[2]))
      assert.equal(row[3], err.outcome)
      assert.equal(row[3] == "unknown", err.message:find("may still take effect", 1, true) ~= nil)
      assert.equal(row[3] == "unknown", err.hint:find("same client token", 1, true) ~= nil)
    end
  end)

  it("of a world that others have changed is what is known of our own call", function()
    local moving = { reason = "turned", last = {}, has_moved = true }
    for expected, fields in pairs {
      not_sent = { attempts = 0 }, rejected = {}, unknown = { poller = moving } } do
      local _, err = failures.superseded(change(fields))
      assert.equal(expected, err.outcome)
    end
    local _, err = failures.superseded(change { accepted = { request_id = "R-2" } })
    assert.same({ "unknown", "R-2" }, { err.outcome, err.request_id })
  end)

  it("of a change that the service gave up is that it was accepted", function()
    local _, err = failures.failed(change { accepted = { request_id = "R-2" } })
    assert.same({ "accepted", "Client.FailoverFailed" }, { err.outcome, err.code })
    _, err = failures.failed(change { doubtful = true })
    assert.equal("accepted", err.outcome)
    _, err = failures.failed(change())
    assert.equal("rejected", err.outcome)
  end)

  it("of a wait that ended is unknown, with the limit that was over", function()
    for stalled, words in pairs { [true] = "nothing has changed for 10m",
      [false] = "not done within" } do
      local _, err = failures.timeout(change(), stalled)
      assert.equal("unknown", err.outcome)
      assert.matches(words, err.message)
      assert.equal(stalled and "Client.FailoverStalled" or "Client.FailoverTimeout", err.code)
    end
  end)
end)

describe("the way on", function()
  it("is the same token where there is one, else a look", function()
    local _, err = failures.unknown(change(), READ_FAILED)
    assert.matches("same client token", err.hint)
    assert.matches("sending again %(2m%) is over", err.message)
    _, err = failures.unknown(change { intent = { status = "normal" } }, READ_FAILED)
    assert.matches("^look first", err.hint)
  end)

  it("of an incident that has failed twice is another name", function()
    local options = { incident = "INC-4711" }
    local _, err = failures.failed(change { options = options })
    assert.is_nil(err.hint:find("another incident name", 1, true))
    _, err = failures.failed(change { options = options,
      intent = { client_token = TOKEN, status = "failover_failed" } })
    assert.matches("give another incident name", err.hint)
  end)

  it("of a look that failed with the service is to ask again", function()
    local down = errors.new { kind = "api", code = "InternalError", status = 500, message = "x",
      outcome = "unknown", hint = "of a change" }
    local _, err = failures.unreadable(change(), down)
    assert.same({ "not_sent", 500 }, { err.outcome, err.status })
    assert.matches("^nothing was asked for yet", err.hint)
  end)
end)
