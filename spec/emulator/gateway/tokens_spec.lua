-- ClientToken: one effect and one answer for one token, as long as it is remembered.

local caller = require "spec.emulator.caller"

describe("a ClientToken", function()
  local probe
  before_each(function() probe = caller.new { assume = { repeat_failover = "restart" } } end)

  local function effects() return #probe.emu:ledger() end

  it("gives the first answer again, without a second effect", function()
    local params = { RegionId = "cn-shanghai", ReplicaGroupId = "pg-orders", ClientToken = "t" }
    local first = probe:call("FailoverDiskReplicaGroup", params)
    probe.emu:advance(3599)
    local second = probe:call("FailoverDiskReplicaGroup", params)
    assert.same(first, second)
    assert.equal(1, effects())
  end)

  it("is case-sensitive, and other tokens are other requests", function()
    probe:failover("pg-orders", "t")
    probe:failover("pg-orders", "T")
    assert.equal(2, effects())
  end)

  it("does not cover other parameters", function()
    probe:failover("pg-orders", "t")
    local code, status = probe:failover("pg-payments", "t")
    assert.equal("IdempotentParameterMismatch", code)
    assert.equal(400, status)
    assert.equal(1, effects())
  end)

  it("is forgotten after its lifetime", function()
    probe:failover("pg-orders", "t")
    probe.emu:advance(3600)
    probe:failover("pg-orders", "t")
    assert.equal(2, effects())
  end)

  it("lives as long as it is told", function()
    probe.emu:assume { token_lifetime = 10 }
    probe:failover("pg-orders", "t")
    probe.emu:advance(9)
    probe:failover("pg-orders", "t")
    assert.equal(1, effects())
    probe.emu:advance(1)
    probe:failover("pg-orders", "t")
    assert.equal(2, effects())
  end)

  it("is forgotten at once by a hostile service", function()
    probe.emu:hostile { token_forget = true }
    probe:failover("pg-orders", "t")
    probe:failover("pg-orders", "t")
    assert.equal(2, effects())
  end)

  it("is free again after any refusal, where that is assumed", function()
    probe.emu:assume { token_errors = "forget" }
    assert.equal("OperationDenied.OperateNotAllowedForPrimary",
      (probe:failover("pg-orders", "t", "cn-hangzhou")))
    assert.equal("ok", (probe:failover("pg-orders", "t")))
  end)

  it("keeps a refusal, where that is assumed", function()
    probe.emu:assume { token_errors = "remember" }
    local wrong = "OperationDenied.PairGroupStatusConflict"
    assert.equal(wrong, (probe:failover("pg-ledger", "t")))
    probe.emu:group("pg-ledger").pairs[2].status = "normal"
    assert.equal(wrong, (probe:failover("pg-ledger", "t")))
    assert.equal("ok", (probe:failover("pg-ledger", "t2")))
  end)

  -- Source: kubernetes-sigs/alibaba-cloud-csi-driver, commits e8951c7a7 and f05e9472a; the page
  -- "How to ensure idempotence" tells to change the token after a want of stock.
  it("keeps what was refused for a state, and no other refusal", function()
    local conflict = "OperationDenied.PairGroupStatusConflict"
    assert.equal(conflict, (probe:failover("pg-ledger", "t")))
    probe.emu:group("pg-ledger").pairs[2].status = "normal"
    assert.equal(conflict, (probe:failover("pg-ledger", "t")))
    assert.equal("NoSuchResource", (probe:failover("pg-new", "u")))
    assert.equal("ok", (probe:failover("pg-ledger", "u")))
  end)

  it("keeps a refusal of a call that would have been done later", function()
    probe.emu:fault { match = { nth = 1 }, effect = { apply_late = 5 } }
    local conflict = "OperationDenied.PairGroupStatusConflict"
    assert.equal(conflict, (probe:failover("pg-ledger", "t")))
    probe.emu:group("pg-ledger").pairs[2].status = "normal"
    assert.equal(conflict, (probe:failover("pg-ledger", "t")))
  end)

  it("keeps a refusal of the operation's that a fault rule gave, and no other", function()
    local function again(code, status)
      local own = caller.new { assume = { token_errors = "remember" } }
      own.emu:fault { match = { nth = 1 }, effect = { error = { code = code, status = status } } }
      assert.equal(code, (own:failover("pg-orders", "t")))
      return (own:failover("pg-orders", "t"))
    end
    assert.equal("OperationDenied.InvalidStatus", again("OperationDenied.InvalidStatus", 403))
    assert.equal("ok", again("Throttling.User", 400))
    assert.equal("ok", again("InternalError", 500))
  end)

  it("keeps a refusal or not, as chance has it, where a hostile service does", function()
    local function kept(seed)
      local own = caller.new { seed = seed, hostile = { token_errors_random = true } }
      local marks = {}
      for n = 1, 12 do
        own:failover("pg-new", "t" .. n)
        marks[n] = own:failover("pg-orders", "t" .. n) == "ok" and "-" or "k"
      end
      return table.concat(marks)
    end
    assert.equal(kept(1), kept(1))
    assert.matches("k", kept(1))
    assert.matches("%-", kept(1))
    assert.not_equal(kept(1), kept(2))
  end)

  it("survives an answer that was lost after the work", function()
    probe.emu:fault { match = { token = "first" }, when = "after",
      effect = { error = { code = "RequestTimeout" } } }
    assert.equal("RequestTimeout", (probe:failover("pg-orders", "t")))
    assert.equal("ok", (probe:failover("pg-orders", "t")))
    assert.equal(1, effects())
  end)

  it("is busy while the first request is at work", function()
    probe.emu:fault { match = { nth = 1 }, effect = { apply_late = 30 } }
    assert.equal("RequestTimeout", (probe:failover("pg-orders", "t")))
    local code, status = probe:failover("pg-orders", "t")
    assert.equal("LastTokenProcessing", code)
    assert.equal(403, status)
    assert.equal(0, effects())
    probe.emu:advance(30)
    assert.equal(1, effects())
    assert.equal("ok", (probe:failover("pg-orders", "t")))
    assert.equal(1, effects())
  end)
end)
