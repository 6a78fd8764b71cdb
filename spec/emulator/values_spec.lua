-- Requests as values (`wire = false`) against requests as bytes: same answers, errors, ledger and
-- log of requests. Only what proves a signature is left out.

local alicloud = require "alicloud"
local caller = require "spec.emulator.caller"
local cases = require "spec.emulator.operations.cases"
local causes = require "spec.emulator.operations.causes"
local core = require "alicloud.core"
local emulator = require "alicloud.emulator"
local lab = require "spec.dr.lab"
local life = require "spec.emulator.model.life"
local service = require "alicloud.service.ebs"
local sorted = require "alicloud.base.tables"

-- Everything that one side has to show, in comparable form.
local function ask(wire, operation, case)
  local probe = caller.new { world = case.world, assume = case.assume, wire = wire }
  if case.prepare then case.prepare(probe, operation) end
  local _, status, exchange = probe:call(operation, case.params)
  return { status = status, body = exchange.body, failure = exchange.failure,
    ledger = probe.emu:ledger(), requests = probe.emu:requests(),
    near_misses = probe.emu:near_misses() }
end

-- A fresh case for each side: a request may change what it was made from.
local function assert_alike(operation, spoil)
  local sides = {}
  for _, wire in ipairs { true, false } do
    local case = cases.valid[operation]()
    if spoil then spoil(case) end
    if case.changes then return end
    sides[#sides + 1] = ask(wire, operation, case)
  end
  assert.same(sides[1], sides[2])
end

describe("by value as on the wire", function()
  it("is a whole life, byte for byte", function()
    local wire, values = life.live(), life.live { wire = false }
    assert.same(wire.transcript, values.transcript)
    assert.same(wire.probe.emu:ledger(), values.probe.emu:ledger())
    assert.same(wire.probe.emu:requests(), values.probe.emu:requests())
  end)

  for _, operation in ipairs(sorted.keys(cases.valid)) do
    it("is the result, and is each error, of " .. operation, function()
      assert_alike(operation)
      for _, code in ipairs(service.operations[operation].errors) do
        assert_alike(operation, causes.find(operation, code))
      end
    end)
  end
end)

local function error_of(err)
  local all = {}
  for name, value in pairs(err or {}) do all[name] = value end
  return all
end

local FAULTS = {
  ["nothing"] = {},
  ["a lost answer"] = { lab.fault({ drop = true }, "after") },
  ["a timeout before the work"] = { lab.fault(lab.answer("RequestTimeout", 504)) },
  ["a timeout after the work"] = { lab.fault(lab.answer("RequestTimeout", 504), "after") },
  ["throttling"] = { lab.fault(lab.answer("Throttling.User", 400, 3)) },
  ["a refusal"] = { lab.fault(lab.answer("Forbidden.Action", 403)) },
  ["work that comes late"] = { lab.fault { apply_late = 20 } },
  ["an answer after the client's patience"] = { lab.fault({ delay = 90 }, "after") },
  ["an answer that is slow"] = { lab.fault({ delay = 3 }, "before") },
  ["a pair that fails"] = { lab.fault { partial = 1 } },
}

describe("a failover by value meets the same as on the wire:", function()
  local function observe(wire, faults)
    local bench, result, err = lab.run({ wire = wire, faults = faults }, { max_rpo = "20m" })
    return { result = result, err = error_of(err), events = bench.events,
      ledger = bench:ledger(), requests = bench:requests(), now = bench.emu:now() }
  end

  for name, faults in pairs(FAULTS) do
    it(name, function()
      local wire, values = observe(true, faults), observe(false, faults)
      assert.same(wire, values)
    end)
  end
end)

local function client_of(options)
  options.wire = false
  local emu = emulator.new(options)
  return emu, alicloud.client { region = "cn-shanghai", transport = emu.transport,
    runtime = emu.runtime, access_key_id = "emulator", access_key_secret = "emulator-secret" }
end

describe("a client that hands its requests over", function()
  it("gets lists that are written as lists again", function()
    local _, client = client_of {}
    local result = assert(client:call("DescribeDiskReplicaGroups", { Site = "backup" }))
    assert.is_true(core.is_array(result.ReplicaGroups))
    assert.is_true(core.is_array(result.ReplicaGroups[1].PairIds))
    assert.is_true(core.is_array(result.ReplicaGroups[1].Tags))
    assert.equal(200, alicloud.meta(result).status)
    assert.equal(result.RequestId, alicloud.meta(result).request_id)
  end)

  it("cannot change what a token remembers", function()
    local _, client = client_of {}
    local question = { ReplicaGroupId = "pg-orders", ClientToken = "one" }
    local first = assert(client:call("FailoverDiskReplicaGroup", question))
    local id = first.RequestId
    first.RequestId = "spoilt"
    assert.equal(id, client:call("FailoverDiskReplicaGroup", question).RequestId)
  end)

  it("is refused with a key that nobody knows", function()
    local emu, client = client_of {}
    local _, err = client:with({ access_key_id = "stranger", access_key_secret = "x" })
      :call("DescribeRegions")
    assert.equal("InvalidAccessKeyId.NotFound", err.code)
    assert.equal(404, err.status)
    assert.equal("rejected", err.outcome)
    emu:assume { access_key_status = 400 }
    _, err = client:with({ access_key_id = "stranger", access_key_secret = "x" })
      :call("DescribeRegions")
    assert.equal(400, err.status)
  end)

  it("meets the world of its own key", function()
    local emu, client = client_of { keys = { other = "other-secret" } }
    local other = client:with { access_key_id = "other", access_key_secret = "other-secret" }
    assert(other:call("FailoverDiskReplicaGroup", { ReplicaGroupId = "pg-orders" }))
    assert.equal(0, #emu:ledger())
    assert.equal(1, #emu:of_key("other"):ledger())
  end)

  it("meets regions that are dark, within its patience", function()
    local emu, client = client_of {}
    emu:region("cn-shanghai", "down")
    local _, err = client:call("DescribeRegions", { RegionId = "cn-shanghai" }, { retries = 0 })
    assert.equal("not_sent", err.outcome)
    emu:region("cn-shanghai", "blackhole")
    local before = emu:now()
    _, err = client:call("FailoverDiskReplicaGroup", { ReplicaGroupId = "pg-orders" },
      { retries = 0, timeout = 7 })
    assert.equal("timeout", err.kind)
    assert.equal("unknown", err.outcome)
    assert.equal(7, emu:now() - before)
  end)

  it("does not send what came too late, nor what it has no keys for", function()
    local emu, client = client_of {}
    local _, err = client:with({ credentials = { get = function()
      emu:advance(61)
      return { access_key_id = "emulator", access_key_secret = "emulator-secret" }
    end } }):call("DescribeRegions")
    assert.equal("Client.Deadline", err.code)
    _, err = client:with({ credentials = { get = function() return nil, "none" end } })
      :call("DescribeRegions")
    assert.equal("Client.CredentialsProvider", err.code)
    assert.equal(0, #emu:requests())
  end)

  it("reads an answer in XML as the wire's client does", function()
    local options = { version = "2021-07-30", mutating = false, retries = 0 }
    for _, action in ipairs { "DescribeRegions", "DescribeNothing" } do
      local seen = {}
      for _, wire in ipairs { true, false } do
        local bench = lab.new { wire = wire }
        local result, err = bench.client:call("ebs-x:" .. action, { Format = "XML" }, options)
        seen[#seen + 1] = { result, error_of(err) }
      end
      assert.same(seen[1], seen[2])
    end
  end)

  it("is not offered unless it is asked for", function()
    assert.is_nil(emulator.new().transport.perform)
    assert.is_nil(emulator.new({ wire = true }).transport.perform)
  end)
end)
