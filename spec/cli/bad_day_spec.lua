-- Bad days over real sockets and on the real clock: an emulator in another process.

local alicloud = require "alicloud"
local process = require "spec.process"

local OUT = [[return { { effect = { error = { code = "ServiceUnavailable" } } } }]]

describe("over a socket", function()
  local emulator

  local function start(options)
    emulator = process.start_emulator(options)
  end

  local function client_of(overrides)
    local given = { region = "cn-shanghai", endpoint = emulator.start.endpoint,
      access_key_id = emulator.start.access_key_id,
      access_key_secret = emulator.start.access_key_secret }
    for name, value in pairs(overrides or {}) do given[name] = value end
    return alicloud.client(given)
  end

  after_each(function() emulator:stop() end)

  it("our rate stays below a quota that a second of the server's clock counts", function()
    start { speed = 1, arguments = "--assume throttle=minute" }
    local client <close> = client_of()
    for _ = 1, 70 do assert(client:call "DescribeRegions") end
    local stats = client:stats()
    assert.equal(0, stats.throttles)
    assert.is_true(stats.waited > 1)
  end)

  it("the counters have what the transport counts, also after the end", function()
    start { speed = 60 }
    local client <close> = client_of()
    for _ = 1, 3 do assert(client:call "DescribeRegions") end
    client:close()
    local stats = client:stats()
    assert.equal(1, stats.connections)
    assert.equal(2, stats.reused)
    assert.is_true(stats.bytes_sent > 300 and stats.bytes_received > 300)
    local output = emulator:shell "alicloud-dr status --stats"
    assert.matches("%d requests, .* 1 connections, %d+ reused, %d+ bytes sent, %d+ bytes received",
      output)
  end)

  it("a client without a rate runs into the quota, and waits as the headers say", function()
    start { speed = 1, arguments = "--assume throttle=second --assume throttle_limit=1" }
    local client <close> = client_of { rate = false }
    for _ = 1, 4 do assert(client:call "DescribeRegions") end
    local stats = client:stats()
    assert.is_true(stats.throttles >= 1)
    assert.equal(4, stats.successes)
  end)

  it("a patient client goes on by itself when the cloud is back", function()
    start { speed = 0, arguments = "--region-ports", faults = [[return { { match = { before = 60 },
      effect = { error = { code = "ServiceUnavailable" } } } }]] }
    local events = {}
    local client <close> = client_of { retries = 0, endpoint = emulator.start.endpoints,
      wait_for_cloud = { seconds = 60, pause = 0.1,
        progress = function(event)
          events[#events + 1] = event
          if #events == 1 then emulator:advance(60) end
        end } }
    assert(client:call "DescribeDiskReplicaGroups")
    assert.equal("account", events[1].cause)
    assert.equal("back", events[#events].event)
    assert.equal(0, client:stats().retries)
  end)

  it("a region that takes connections and answers none is told from a lost network", function()
    start { speed = 60, arguments = "--region-ports --scenario primary-region-dark" }
    local client <close> = client_of { region = "cn-hangzhou", timeout = 0.3, retries = 0,
      endpoint = emulator.start.endpoints }
    local _, err = client:call "DescribeRegions"
    assert.equal("timeout", err.kind)
    local found = client:diagnose(err)
    assert.equal("region", found.cause)
    assert.equal("cn-shanghai", found.asked)
    assert.matches("^cn%-hangzhou is out, cn%-shanghai answers", err.hint)
  end)

  it("a wrong clock is mended, told of, and kept out of the recovery point's age", function()
    start { speed = 1, arguments = "--skew 7200" }
    local output, code = emulator:shell("alicloud-dr precheck pg-orders --region cn-shanghai "
      .. "--max-rpo 20m 2>&1")
    assert.is_truthy(code, output)
    assert.matches("warning: the clock of this machine is [12] h %d+ min behind", output)
    assert.matches("✔ RPO +RPO %d+m[%ds]* ≤ 20m", output)
  end)

  it("Ctrl-C ends the waiting at once", function()
    start { faults = OUT }
    local output = emulator:interrupt(
      "alicloud-dr status --region cn-shanghai --wait-for-cloud 4h", "waiting for the cloud")
    assert.matches("^exit code 130\n", output)
    assert.matches("waiting for the cloud: 127%.0%.0%.1:%d+ is out; no second region", output)
    assert.matches("alicloud%-dr: interrupted\n", output)
  end)
end)
