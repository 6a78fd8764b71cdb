local helper = require "spec.helper"
local stats = require "alicloud.call.stats"

local ok, refuse, broken = helper.ok, helper.refuse, helper.broken

describe("the counters of a client", function()
  it("tell calls, attempts, retries, throttles and what was waited", function()
    local client, _, control = helper.client {
      ok(), broken("connect", false), refuse(400, "Throttling", { ["x-acs-retry-after"] = "3000" }),
      ok(), refuse(404, "NoSuchResource"),
    }
    client:call "DescribeRegions"
    client:call "DescribeRegions"
    client:with({ timeout = 3 }):call "DescribeRegions"
    assert.same({ requests = 3, attempts = 5, successes = 2, retries = 2, throttles = 1,
      waited = control.elapsed, waited_for_cloud = 0 }, client:stats())
    assert.is_true(control.elapsed >= 3)
  end)

  it("do not count what was never sent", function()
    local client = helper.client({}, { mode = "observe" })
    client:call("FailoverDiskReplicaGroup", { ReplicaGroupId = "g" })
    local counted = client:stats()
    assert.equal(1, counted.requests)
    assert.equal(0, counted.attempts)
  end)

  it("add what the transport counts, and nothing else of it", function()
    local context = { shared = { tally = stats.new() }, adapter = { stats = function()
      return { requests = 99, connections = 2, reused = 5, bytes_sent = 700, bytes_received = 900 }
    end } }
    local report = stats.report(context)
    assert.equal(0, report.requests)
    assert.equal(2, report.connections)
    assert.equal(5, report.reused)
    assert.equal(700, report.bytes_sent)
    assert.equal(900, report.bytes_received)
  end)

  it("can be read of a closed client, and are a copy", function()
    local client = helper.client { ok() }
    client:call "DescribeRegions"
    client:close()
    client:stats().requests = 7
    assert.equal(1, client:stats().requests)
    assert.matches("not a client; call its methods with a colon",
      helper.raised(function() client.stats {} end))
  end)

  it("know nothing of connections before the built-in transport is opened", function()
    local alicloud = require "alicloud"
    local client = alicloud.client { region = "cn-shanghai", access_key_id = "i",
      access_key_secret = "s" }
    assert.is_nil(client:stats().connections)
    client:close()
    assert.is_nil(client:stats().connections)
  end)
end)
