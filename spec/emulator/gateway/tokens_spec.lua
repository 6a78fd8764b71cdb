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

  it("is free again after a refusal", function()
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
