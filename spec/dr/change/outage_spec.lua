-- A failover by a patient client: the cloud goes away before it, in its middle, with its answer.

local alicloud = require "alicloud"
local dr = require "alicloud.dr"
local lab = require "spec.dr.lab"

-- Between two moments after the first request every request fails.
local function outage(after, before)
  return { match = { after = after, before = before },
    effect = { error = { code = "ServiceUnavailable" } } }
end

local function failover(faults, options, patience, events)
  local bench = lab.new { faults = faults, events = events }
  local emu = bench.emu
  bench.client = alicloud.client {
    region = lab.SECONDARY, transport = emu.transport, runtime = emu.runtime,
    access_key_id = emu.access_key_id, access_key_secret = emu.access_key_secret,
    wait_for_cloud = patience or 4 * 3600,
  }
  local result, err = dr.group(bench.client, lab.ID):failover(options or {})
  return bench, result, err
end

describe("a failover by a patient client", function()
  it("begins when the cloud is back", function()
    local bench, result = failover { outage(0, 3600) }
    assert.equal("failovered", result.outcome)
    assert.equal(1, #bench:ledger())
    assert.equal(1, #bench:sends())
    assert.is_true(bench:sends()[1].time - bench:requests()[1].time >= 3600)
  end)

  it("is refused when the recovery point has grown too old meanwhile", function()
    -- Without its primary region the replication stands still.
    local dark = { { at = 0, region = lab.PRIMARY, state = "blackhole" } }
    local bench, _, err = failover({ outage(0, 7200) }, { max_rpo = 1200 }, nil, dark)
    assert.equal("Client.RecoveryPointTooOld", err.code)
    assert.same({}, bench:sends())
    local _, result = failover({ outage(0, 300) }, { max_rpo = 1200 }, nil, dark)
    assert.equal("failovered", result.outcome)
  end)

  it("goes on watching after an outage longer than its own timeout", function()
    local bench, result, err = failover({ outage(10, 7200) }, { timeout = 300, stall = 200 })
    assert.is_truthy(result, tostring(err))
    assert.equal("failovered", result.outcome)
    assert.equal(1, #bench:sends())
    assert.equal(1, #bench:ledger())
  end)

  it("never sends the call again after the outage that swallowed it", function()
    for _, when in ipairs { "before", "after" } do
      local lost = lab.fault({ error = { code = "ServiceUnavailable" } }, when)
      local bench, result, err = failover { lost, outage(0.001, 1800) }
      assert.equal(1, #bench:sends())
      if when == "after" then
        assert.equal("failovered", result.outcome)
        assert.equal(1, #bench:ledger())
      else
        assert.equal("unknown", err.outcome)
        assert.equal(0, #bench:ledger())
        assert.is_string(err.client_token)
      end
    end
  end)

  it("ends as unknown when its patience runs out in the middle", function()
    local bench, _, err = failover({ outage(10, 1e6) }, { timeout = 300, stall = 200 }, 900)
    assert.equal("unknown", err.outcome)
    assert.equal(1, #bench:sends())
    assert.is_true(bench.client:stats().waited_for_cloud <= 900)
  end)
end)
