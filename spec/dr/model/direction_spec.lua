-- A group whose two sites lie in one region: which side is meant is said, and every verb keeps to
-- it.

local after = require "spec.dr.after_lab"
local dr = require "alicloud.dr"
local lab = require "spec.dr.lab"
local zones = require "spec.dr.zone_lab"

local G, H = zones.G, zones.H

local function refused(bench, code, result, err)
  assert.is_nil(result)
  assert.equal(code, err.code)
  assert.equal("not_sent", err.outcome)
  assert.same({}, bench:sends())
  return err
end

describe("a group between two zones of one region", function()
  it("is moved by nothing that does not say where to", function()
    for _, to in ipairs { false, zones.REGION } do
      local bench = zones.new { status = "failovered", old = false }
      local group = zones.group(bench, to or nil)
      for verb, options in pairs { failover = { incident = "INC-1" }, reprotect = {}, fence = {},
        serve = { attach = "i-new" } } do
        local err = refused(bench, "Client.DirectionNeeded", group[verb](group, options))
        assert.matches("cn%-hangzhou%-h is the destination now", err.message)
        assert.matches('to = "cn%-hangzhou%-h"', err.hint)
      end
      for _, verb in ipairs { "look", "other_site" } do
        refused(bench, "Client.DirectionNeeded", group[verb](group))
      end
      assert.equal("both", assert(group:observe()).role)
      assert.same({}, bench:ledger())
    end
  end)

  it("goes there, and one command typed again opens no other zone", function()
    local bench = zones.new { old = false }
    local group = zones.group(bench, H)
    local result = assert(group:failover { incident = "INC-1" })
    assert.equal(H, result.to.zone)
    assert.equal("already_failovered", assert(group:failover { incident = "INC-1" }).outcome)
    assert(group:reprotect {})
    assert.equal("already_reprotected", assert(group:reprotect {}).outcome)
    assert(group:start {})
    bench.emu:advance(1000)
    local sent = #bench:sends()
    local again, err = group:failover { incident = "INC-1" }
    assert.is_nil(again)
    assert.equal("OperationDenied.OperateNotAllowedForPrimary", err.code)
    assert.equal("not_sent", err.outcome)
    assert.matches("stands there already", err.message)
    assert.equal(sent, #bench:sends())
    assert.equal(1, after.effects(bench, "FailoverDiskReplicaGroup"))
    assert.equal(G, assert(zones.group(bench, G):failover { incident = "INC-1" }).to.zone)
  end)

  it("is turned round and taken back as seen from the side that is meant", function()
    local bench = zones.new { status = "failovered", old = false }
    local taken = assert(zones.group(bench, H):reprotect { reverse = false })
    assert.equal(H, taken.to.zone)
    bench = zones.new { status = "failovered", old = false }
    assert.equal(G, assert(zones.group(bench, H):reprotect {}).to.zone)
    refused(zones.new { status = "failovered" }, "OperationDenied.OperateNotAllowedForPrimary",
      zones.group(zones.new { status = "failovered" }, G):reprotect {})
  end)

  it("is fenced and served where it was meant to be", function()
    local bench = zones.new { status = "failovered" }
    refused(bench, "OperationDenied.OperateNotAllowedForPrimary", zones.group(bench, G):fence {})
    assert.same({ "i-old" }, assert(zones.group(bench, H):fence {}).stopped)
    local served = assert(zones.group(bench, H):serve { attach = "i-new" })
    assert.same({ "i-new" }, served.started)
    local result, err = zones.group(bench, G):serve { attach = "i-old" }
    assert.is_nil(result)
    assert.equal("OperationDenied.InvalidStatus", err.code)
  end)

  it("is looked at, replicated and drilled without a side", function()
    local bench = zones.new { status = "stopped" }
    local group = zones.group(bench)
    assert.equal("started", assert(group:start {}).outcome)
    assert.equal("drill_ready", assert(group:start_drill {}).outcome)
    assert.equal("stopped", assert(group:stop {}).outcome)
    refused(zones.new(), "Client.UnknownSide", zones.group(zones.new(), "cn-hangzhou-k"):start {})
    local report = dr.readiness({ group }, {})
    assert.is_nil(tostring(report.lines[1].reasons[1]):find("DirectionNeeded", 1, true))
  end)

  it("is brought back, from whichever side that is begun", function()
    for _, giving in ipairs { H, false } do
      local bench = zones.new { status = "failovered", old = false }
      local group = zones.group(bench, giving or nil)
      local result = assert(group:failback { to = G, fence = false, restore = false })
      assert.equal("failed_back", result.outcome)
      assert.equal(G, bench.emu:group(zones.ID).destination.zone)
      assert.equal("failovered", bench.emu:group(zones.ID).status)
    end
    refused(zones.new(), "Client.WrongDirection", zones.group(zones.new(), H):failback { to = H })
    assert.equal("already_failed_back",
      assert(zones.group(zones.new(), H):failback { to = G }).outcome)
  end)
end)

describe("a side that is named", function()
  it("is a zone or a region of the group, and in the region that is named with it", function()
    local bench = lab.new()
    local function at(options) return dr.group(bench.client, lab.ID, options) end
    for _, options in ipairs { { to = "cn-shanghai" }, { to = "cn-shanghai-b" },
      { to = "cn-shanghai-b", region = "cn-shanghai" } } do
      assert.equal("secondary", assert(at(options):observe()).role)
    end
    assert.equal("cn-hangzhou", at({ to = "cn-hangzhou-g" }).region)
    assert.equal("primary", assert(at({ to = "cn-hangzhou-g" }):observe()).role)
    local err = refused(bench, "Client.WrongDirection",
      at({ region = "cn-shanghai", to = "cn-hangzhou-g" }):failover {})
    assert.matches("cn%-hangzhou%-g .* cn%-shanghai", err.message)
    err = refused(bench, "Client.UnknownSide",
      at({ region = "cn-shanghai", to = "cn-shanghai-e" }):failover {})
    assert.matches("allowed: cn%-shanghai or cn%-hangzhou", err.message)
  end)

  it("has the other site of the group on its other side", function()
    local bench = zones.new()
    local other = assert(zones.group(bench, H):other_site())
    assert.equal(G, other.to)
    assert.equal(zones.REGION, other.region)
    assert.equal(H, assert(other:other_site()).to)
    assert.equal("cn-hangzhou", assert(lab.new():group():other_site()).region)
    assert.is_nil(assert(lab.new():group():other_site()).to)
  end)
end)

describe("the standing of a group", function()
  it("is told by looks that agree", function()
    assert.equal("elsewhere", assert(zones.group(zones.new(), H):standing()).outcome)
    assert.equal("already_there", assert(zones.group(zones.new(), G):standing()).outcome)
    local open = assert(zones.group(zones.new { status = "failovered" }, H):standing())
    assert.equal("already_there", open.outcome)
    assert.is_true(open.open)
    assert.equal("elsewhere",
      assert(zones.group(zones.new { status = "failovered" }, G):standing()).outcome)
  end)

  it("is not believed of one odd look", function()
    local bench, looks = lab.new(), 0
    local odd = setmetatable({ observe = function()
      looks = looks + 1
      local snapshot = assert(bench:group():observe())
      if looks == 1 then snapshot.role, snapshot.status = "primary", "stopped" end
      if looks == 1 then
        for _, pair in ipairs(snapshot.pairs) do pair.status = "stopped" end
      end
      return snapshot
    end }, { __index = bench:group() })
    local found = assert(require("alicloud.dr.read.standing").read(odd))
    assert.equal("elsewhere", found.outcome)
    assert.equal(3, looks)
  end)
end)
