-- What a failover says of loss and time: counted to what, and from what.

local core = require "alicloud.core"
local lab = require "spec.dr.lab"
local tables = require "alicloud.base.tables"

local function finding(report, id)
  for _, each in ipairs(report.findings) do
    if each.id == id then return each end
  end
end

-- The primary dies at once; people decide 70 minutes later.
local function after_outage(options, given)
  local bench = lab.new(given or { group = { recover_point_age = 300, failover_seconds = 40 } })
  local died_at = bench.emu:now()
  bench.emu:region(lab.PRIMARY, "blackhole")
  bench.emu:advance(70 * 60)
  local typed = options and options(died_at) or {}
  local result, err = bench:failover(typed)
  return bench, result, err, died_at
end

describe("the loss of a failover", function()
  it("grows with the clock as long as nobody says when the outage was", function()
    local bench, result, err = after_outage(function() return { max_rpo = "1h" } end)
    assert.is_nil(result)
    assert.equal("Client.RecoveryPointTooOld", err.code)
    assert.matches("outage_at", err.hint)
    assert.same({}, bench:sends())
  end)

  it("ends with the outage, however that is written", function()
    for name, write in pairs {
      number = function(at) return at end,
      text = function(at) return ("%d"):format(at) end,
      utc = function(at) return core.iso8601(at) end,
      offset = function(at) return (core.iso8601(at + 28800):gsub("Z", "+08:00")) end,
      ago = function() return "70m" end,
    } do
      local bench, result, err, died_at = after_outage(function(at)
        return { max_rpo = "20m", outage_at = write(at) }
      end)
      assert(result, name .. tostring(err))
      assert.equal(300, result.rpo, name)
      assert.equal("outage", result.rpo_basis)
      assert.equal(died_at, result.rpo_to)
      assert.equal(died_at, result.outage_at)
      assert.equal("outage", result.rto_basis)
      assert.is_true(result.rto >= 4240 and result.rto <= 4250, tostring(result.rto))
      lab.assert_sound(bench, 1)
    end
  end)

  it("is counted by the server's clock, whatever ours says", function()
    local bench = lab.new { group = { recover_point_age = 300 }, assume = { time_window = 1e5 } }
    local real = bench.emu.runtime.time
    bench.client = bench.client:with { runtime = tables.merged(bench.emu.runtime, {
      time = function() return real() - 5000 end }) }
    bench.emu:region(lab.PRIMARY, "blackhole")
    bench.emu:advance(4200)
    local result = assert(bench:failover { outage_at = "70m" })
    assert.equal(300, result.rpo)
    assert.is_true(result.rto >= 4200 and result.rto < 4300)
  end)

  it("is none of what was copied after the outage was said to begin, and that is told", function()
    local bench = lab.new { group = { recover_point_age = 60 } }
    local report = assert(bench:group():precheck { max_rpo = "1m", outage_at = "70m" })
    assert.is_true(report.ok)
    assert.matches("RPO 0 s ≤ 1m.*copied 1h09m after it was said to begin", finding(report,
      "rpo").fact)
    assert.equal(0, assert(bench:failover { outage_at = "70m" }).rpo)
  end)

  it("is not taken as none where the outage is said to be hours older", function()
    for _, max_rpo in ipairs { false, "1h" } do
      local bench = lab.new { group = { recover_point_age = 7200 } }
      local options = { max_rpo = max_rpo or nil, outage_at = "1d" }
      local result, err = bench:failover(options)
      assert.is_nil(result)
      assert.equal("Client.OutageContradicted", err.code)
      assert.matches("the recovery point %(2h old%) is 22h younger than the outage", err.message)
      assert.same({ "Client.OutageContradicted" }, err.forcible)
      assert.same({}, bench:sends())
      options.force = { { code = "Client.OutageContradicted", why = "it is so", by = "chief" } }
      assert.equal("failovered", assert(bench:failover(options)).outcome)
    end
    local group = lab.new { group = { recover_point_age = 7200 } }:group()
    for outage_at, code in pairs { ["3h"] = false, ["3h10m"] = "Client.OutageContradicted" } do
      local report = assert(group:precheck { max_rpo = "1h", outage_at = outage_at })
      assert.equal(code == false, report.ok)
      assert.equal(code or "Client.RecoveryPointTooOld", finding(report, "rpo").code)
    end
  end)

  it("is told of a group that was found open, where the outage is known", function()
    local bench = lab.new { group = { status = "failovered", recover_point_age = 900 } }
    local result = assert(bench:failover { outage_at = "10m" })
    assert.equal("already_failovered", result.outcome)
    assert.equal(300, result.rpo)
    assert.is_nil(result.rto)
    assert.is_nil(assert(bench:failover()).rpo)
  end)

  it("is not counted to an outage that is still to come", function()
    for _, options in ipairs { {}, { max_rpo = "1d" } } do
      local bench = lab.new()
      options.outage_at = bench.emu:now() + 3600
      local result, err = bench:failover(options)
      assert.is_nil(result)
      assert.equal("Client.OutageInFuture", err.code)
      assert.equal("not_sent", err.outcome)
      assert.same({}, bench:sends())
      assert.is_false(assert(bench:group():precheck(options)).ok)
    end
    local bench = lab.new()
    assert(bench:failover { outage_at = bench.emu:now() + 30 })
  end)

  it("is held against max_rpo at the outage, and says so", function()
    local bench = lab.new { group = { recover_point_age = 4500 } }
    local report = assert(bench:group():precheck { max_rpo = "4m", outage_at = "70m" })
    assert.is_false(report.ok)
    assert.matches("^RPO 5m > 4m.*counted to the outage at %d+%-", finding(report, "rpo").fact)
    assert.is_true(assert(bench:group():precheck { max_rpo = "6m", outage_at = "70m" }).ok)
  end)

  it("is not measured to what is no moment", function()
    for _, value in ipairs { 70, "soon", "2026-11-22", 1795317160000, true } do
      local group = lab.new():group()
      assert.error_matches(function() group:failover { outage_at = value } end,
        "option outage_at: got .*allowed: unix seconds")
      assert.error_matches(function() group:precheck { outage_at = value } end,
        "option outage_at: got")
    end
  end)
end)

describe("the recovery time of a failover", function()
  it("is not that of the process that saw the end of what another one began", function()
    local bench = lab.new { group = { failover_seconds = 1500 } }
    local first, err = bench:failover { timeout = 600 }
    assert.is_nil(first)
    bench.emu:advance(600)
    local result = assert(bench:failover { client_token = err.client_token })
    assert.equal("failovered", result.outcome)
    assert.is_nil(result.rto)
    assert.is_nil(result.rto_basis)
  end)

  it("is from the outage, whoever began it", function()
    local bench = lab.new { group = { failover_seconds = 1500 } }
    local died_at = bench.emu:now()
    local _, err = bench:failover { timeout = 600, outage_at = died_at }
    local result = assert(bench:failover { client_token = err.client_token,
      outage_at = died_at })
    assert.is_true(result.rto >= 1500 and result.rto <= 1520, tostring(result.rto))
    assert.equal("outage", result.rto_basis)
  end)

  it("is from the first call where the journal tells of it", function()
    local bench = lab.new { group = { failover_seconds = 1500 } }
    local began, kept = bench.emu:now(), nil
    local journal = { outcome = function() end, intent = function(record)
      kept = record.intent
      return true
    end }
    assert.is_nil((bench:failover { timeout = 600, journal = journal }))
    local result = assert(bench:failover { continue = { intent = kept, doubtful = false,
      first_send_wall = began, accepted = { request_id = "r", server_time = began } } })
    assert.is_true(result.rto >= 1500 and result.rto <= 1520, tostring(result.rto))
    assert.equal("sent", result.rto_basis)
  end)

  it("counts the time for which the machine was suspended", function()
    local bench = lab.new()
    local asleep, real = 0, bench.emu.runtime.monotonic
    bench.client = bench.client:with { runtime = tables.merged(bench.emu.runtime, {
      monotonic = function() return real() - asleep end }) }
    local result = assert(bench:failover { on = { accepted = function()
      asleep = 3600
      bench.emu:advance(3600)
    end } })
    assert.is_true(result.rto >= 3600, tostring(result.rto))
  end)

  it("is none where nothing was done", function()
    local result = assert(lab.new { group = { status = "failovered" } }:failover())
    assert.equal("already_failovered", result.outcome)
    assert.is_nil(result.rto)
  end)

  it("is none of a second failover after one that has failed", function()
    local bench = lab.new { faults = { { match = { action = "FailoverDiskReplicaGroup", nth = 1 },
      effect = { partial = 1 } } } }
    local _, err = bench:failover()
    assert.equal("Client.FailoverFailed", err.code)
    bench.emu:advance(1000)
    local result = assert(bench:failover())
    assert.equal("failovered", result.outcome)
    assert.is_nil(result.rto)
    assert.is_nil(result.rto_basis)
  end)
end)
