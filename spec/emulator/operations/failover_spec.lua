-- FailoverDiskReplicaGroup: the documented checks, each from its real cause, and the effect.

local caller = require "spec.emulator.caller"
local errors = require "alicloud.emulator.gateway.errors"

local LEGAL = {
  "manual_syncing", "syncing", "normal", "stopping", "stop_failed", "stopped", "failovering",
  "failover_failed", "failovered",
}
local ILLEGAL = {
  "invalid", "creating", "created", "create_failed", "initial_syncing", "reprotecting",
  "reprotect_failed", "deleting", "delete_failed", "deleted",
}

local function refusal_for(group, region)
  local probe = caller.new { world = caller.world(group) }
  local code, status = probe:failover("pg-one", nil, region)
  assert.equal(code == "ok" and 1 or 0, #probe.emu:ledger())
  return code, status
end

describe("FailoverDiskReplicaGroup is refused", function()
  it("without ReplicaGroupId or RegionId", function()
    local probe = caller.new()
    for _, params in ipairs { { RegionId = "cn-shanghai" }, { ReplicaGroupId = "pg-orders" } } do
      local code, status = probe:code("FailoverDiskReplicaGroup", params)
      assert.equal("MissingParameter", code)
      assert.equal(400, status)
    end
  end)

  it("for an unknown group, and says in the near-misses which one is near", function()
    local probe = caller.new()
    local code, status = probe:failover("pg-order")
    assert.equal("NoSuchResource", code)
    assert.equal(404, status)
    assert.truthy(probe.emu:near_misses()[1].detail:find("pg-orders", 1, true))
  end)

  it("in a region that has nothing to do with the group", function()
    assert.equal("NoSuchResource", (refusal_for({}, "cn-beijing")))
  end)

  it("at the primary region", function()
    local code, status = refusal_for({}, "cn-hangzhou")
    assert.equal("OperationDenied.OperateNotAllowedForPrimary", code)
    assert.equal(403, status)
  end)

  it("for a group without pairs", function()
    assert.equal("OperationDenied.NoPairInGroup", (refusal_for { pairs = 0 }))
  end)

  it("when a pair has another status than its group", function()
    assert.equal("OperationDenied.PairGroupStatusConflict",
      (refusal_for { pairs = { {}, { status = "stopped" } } }))
  end)

  it("when a pair lies in another zone than its group", function()
    assert.equal("OperationDenied.PairGroupAZoneConflict",
      (refusal_for { pairs = { {}, { destination = "cn-shanghai/cn-shanghai-e" } } }))
  end)

  it("when a pair belongs to another group", function()
    assert.equal("OperationDenied.PairInAnotherGroup",
      (refusal_for { pairs = { {}, { group = "pg-other" } } }))
  end)

  for _, status in ipairs(ILLEGAL) do
    it("in status " .. status, function()
      local code, http = refusal_for { status = status }
      assert.equal("OperationDenied.InvalidStatus", code)
      assert.equal(403, http)
    end)
  end

  it("before the first full sync, in states that are legal otherwise", function()
    assert.equal("OperationDenied.InvalidStatus",
      (refusal_for { status = "stopped", recover_point_age = false }))
    assert.equal("OperationDenied.InvalidStatus",
      (refusal_for { pairs = { {}, { recover_point_age = false } } }))
  end)

  it("with a ClientToken that is too long or not ASCII", function()
    local probe = caller.new()
    assert.equal("InvalidParameter", (probe:failover("pg-orders", ("t"):rep(65))))
    assert.equal("InvalidParameter", (probe:failover("pg-orders", "tökén")))
    assert.equal("ok", (probe:failover("pg-orders", ("t"):rep(64))))
  end)

  it("with the coarser reason, when there are several", function()
    local conflict = { pairs = { { group = "pg-other", destination = "cn-shanghai/z",
      status = "stopped" } } }
    assert.equal("OperationDenied.OperateNotAllowedForPrimary",
      (refusal_for(conflict, "cn-hangzhou")))
    assert.equal("OperationDenied.PairGroupStatusConflict", (refusal_for(conflict)))
    conflict.pairs[1].status = nil
    assert.equal("OperationDenied.PairGroupAZoneConflict", (refusal_for(conflict)))
    conflict.pairs[1].destination = nil
    conflict.status = "created"
    assert.equal("OperationDenied.PairInAnotherGroup", (refusal_for(conflict)))
  end)
end)

describe("FailoverDiskReplicaGroup", function()
  for _, status in ipairs(LEGAL) do
    it("is accepted in status " .. status, function()
      local probe = caller.new { world = caller.world { status = status } }
      assert.equal("ok", (probe:failover "pg-one"))
    end)
  end

  it("writes what it did into the ledger", function()
    local probe = caller.new()
    local body = probe:call("FailoverDiskReplicaGroup",
      { RegionId = "cn-shanghai", ReplicaGroupId = "pg-orders", ClientToken = "t1" })
    assert.same({
      n = 1, time = 1795316400, action = "FailoverDiskReplicaGroup", group = "pg-orders",
      region = "cn-shanghai", from = "cn-hangzhou/cn-hangzhou-g", to = "cn-shanghai/cn-shanghai-b",
      status = "normal", client_token = "t1", request_id = body.RequestId,
    }, probe.emu:ledger()[1])
  end)

  it("has no second effect on a group that is failovering or failovered", function()
    local probe = caller.new()
    assert.equal("ok", (probe:failover "pg-orders"))
    probe.emu:advance(20)
    assert.equal("ok", (probe:failover "pg-orders"))
    probe.emu:advance(60)
    assert.equal("ok", (probe:failover "pg-orders"))
    assert.equal(1, #probe.emu:ledger())
    assert.equal("failovered", probe.emu:group("pg-orders").status)
  end)

  it("can be repeated after it failed for some pairs", function()
    local probe = caller.new()
    probe.emu:fault { match = { nth = 1 }, effect = { partial = 1 } }
    probe:failover "pg-orders"
    probe.emu:advance(60)
    assert.equal("failover_failed", probe.emu:group("pg-orders").status)
    assert.equal("ok", (probe:failover "pg-orders"))
    probe.emu:advance(60)
    assert.equal("failovered", probe.emu:group("pg-orders").status)
    assert.same({ "failovered", "failovered", "failovered" }, probe:pair_statuses "pg-orders")
    assert.equal(2, #probe.emu:ledger())
  end)

  it("works between two zones of one region", function()
    local probe = caller.new { world = caller.world {
      source = "cn-shanghai/cn-shanghai-b", destination = "cn-shanghai/cn-shanghai-e" } }
    assert.equal("ok", (probe:failover "pg-one"))
  end)
end)

-- Table of error codes of FailoverDiskReplicaGroup.
local SEED = {
  OperationDenied = true, ["OperationDenied.InvalidStatus"] = true,
  ["OperationDenied.NoPairInGroup"] = true, ["OperationDenied.PairGroupStatusConflict"] = true,
  ["OperationDenied.PairGroupAZoneConflict"] = true,
  ["OperationDenied.PairInAnotherGroup"] = true,
  ["OperationDenied.OperateNotAllowedForPrimary"] = true,
  ["OperationDenied.OperateNotAllowedForStandby"] = true, Forbidden = true,
  ["Forbidden.Action"] = true, NoSuchResource = true, InternalError = true, RequestTimeout = true,
}

describe("the catalogue of codes", function()
  it("agrees with the service data of the client, which was written apart from it", function()
    local service = require "alicloud.service.ebs"
    local compared = 0
    for code, known in pairs(service.errors) do
      local ours = errors.catalogue[code]
      if ours then assert.equal(known.status, ours[1], code) end
      -- The words of one table only are public; those of the others are the model's own.
      if SEED[code] then
        assert.equal(known.message, ours[2], code)
        compared = compared + 1
      end
    end
    assert.equal(13, compared)
  end)
end)
