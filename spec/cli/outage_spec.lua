local desks = require "spec.cli.desk"

local HERE = { "--region", "cn-shanghai" }

local function run(given, ...)
  local desk = desks.new(given)
  local words = { ... }
  for _, word in ipairs(HERE) do words[#words + 1] = word end
  return desk:run(table.unpack(words)), desk
end

local function out_until(seconds)
  return { { match = { before = seconds }, effect = { error = { code = "ServiceUnavailable" } } } }
end

describe("alicloud-dr on a bad day", function()
  it("says whose fault it is when nobody answers", function()
    local ran = run({ faults = out_until(1e6) }, "status")
    assert.equal(1, ran.code)
    assert.matches("ServiceUnavailable .- hint: no region serves this account although the network",
      ran.err)
    ran = run({ events = { { at = 0, region = "cn-shanghai", state = "down" } } }, "precheck",
      "pg-orders")
    assert.matches("hint: cn%-shanghai is out, cn%-beijing answers: it is that region", ran.err)
    ran = run({ faults = out_until(1e6) }, "call", "DescribeRegions", "--json")
    assert.matches("front door is shut", ran.object.error.hint)
  end)

  it("outlasts an outage with --wait-for-cloud, and says so once for each cause", function()
    for _, words in ipairs { { "status" }, { "precheck", "pg-orders" },
      { "call", "DescribeDiskReplicaGroups" }, { "failover", "pg-orders", "--yes" } } do
      words[#words + 1] = "--wait-for-cloud"
      words[#words + 1] = "4h"
      local ran, desk = run({ faults = out_until(3600) }, table.unpack(words))
      assert.equal(0, ran.code, words[1] .. ": " .. ran.err)
      local _, waits = ran.err:gsub("alicloud%-dr: waiting for the cloud: ", "")
      assert.equal(1, waits)
      assert.matches("Next look in 1m, for 4h at most\n", ran.err)
      assert.matches("alicloud%-dr: the cloud is back after 1h", ran.err)
      assert.is_true(#desk:requests() < 100)
    end
  end)

  it("outlasts ten minutes with a change, and says how long it waits", function()
    local ran = run({ faults = out_until(590) }, "failover", "pg-orders", "--yes")
    assert.equal(0, ran.code, ran.err)
    assert.matches("waiting for the cloud: .- Next look in 10 s, for 10m at most\n", ran.err)
    assert.matches("Next look in 10 s, for 5m at most\n", ran.err)
    assert.matches("the cloud is back after 9m", ran.err)
    ran = run({ faults = { { match = { action = "FailoverDiskReplicaGroup", before = 300 },
      effect = { error = { code = "Throttling.User", status = 400 } } } } }, "failover",
      "pg-orders", "--yes")
    assert.equal(0, ran.code, ran.err)
    assert.matches("alicloud%-dr: waiting: .- at most\n", ran.err)
  end)

  it("waits for nothing with --wait-for-cloud no, nor where it only looks", function()
    for _, words in ipairs { { "failover", "pg-orders", "--yes", "--wait-for-cloud", "no" },
      { "status" }, { "precheck", "pg-orders" } } do
      local ran, desk = run({ faults = out_until(60) }, table.unpack(words))
      assert.equal(1, ran.code)
      assert.is_nil(ran.err:find("waiting", 1, true))
      assert.is_true(#desk:requests() < 10)
    end
  end)

  it("fails over once after an outage that came between the look and the call", function()
    -- Everything fails from the first call on, which has had no effect.
    local ran, desk = run({ faults = { { match = { action = "FailoverDiskReplicaGroup", nth = 1 },
      effect = { error = { code = "ServiceUnavailable" } } },
      { match = { after = 0.001, before = 1800 },
        effect = { error = { code = "ServiceUnavailable" } } } } },
      "failover", "pg-orders", "--yes", "--wait-for-cloud", "4h")
    -- The window of the token is over by then: it is looked at, not sent again.
    assert.equal(3, ran.code)
    assert.equal(1, #desk:sends())
    assert.equal(0, #desk:ledger())
    assert.matches("%-%-wait%-for%-cloud 4h", ran.err)
  end)

  it("gives up when its patience has run out", function()
    local ran = run({ faults = out_until(1e6) }, "status", "--wait-for-cloud", "10m")
    assert.equal(1, ran.code)
    assert.matches("alicloud%-dr: not waiting any longer after ", ran.err)
    assert.matches("front door is shut", ran.err)
  end)

  it("refuses a patience or a region that is none, before anything is read", function()
    local ran, desk = run(nil, "status", "--wait-for-cloud", "soon")
    assert.equal(2, ran.code)
    assert.matches('%-%-wait%-for%-cloud: got "soon"; allowed: no, or seconds, or a text', ran.err)
    ran = run(nil, "status", "--failed-region", "Hangzhou!")
    assert.equal(2, ran.code)
    assert.matches('%-%-failed%-region: got "Hangzhou!"; allowed: a region such as', ran.err)
    assert.same({}, desk:requests())
  end)

  it("does not depend on the region that has failed", function()
    local ran, desk = run(nil, "status", "--failed-region", "cn-shanghai")
    assert.equal(1, ran.code)
    assert.matches("Client%.FailedRegion: not sent: it depends on the failed region cn%-shanghai "
      .. "through ebs%.cn%-shanghai%.aliyuncs%.com %(endpoint%)", ran.err)
    assert.same({}, desk:requests())
    ran = run(nil, "status", "--failed-region", "cn-hangzhou")
    assert.equal(0, ran.code)
    assert.equal("", ran.err)
    ran = run(nil, "status", "--failed-region", "cn-hangzou")
    assert.equal(0, ran.code)
    assert.equal("alicloud-dr: warning: --failed-region: no region cn-hangzou is known; did you "
      .. "mean cn-hangzhou?\n", ran.err)
  end)

  it("warns of a wrong clock and works on", function()
    local ran = run({ skew = 7200 }, "precheck", "pg-orders", "--max-rpo", "20m")
    assert.equal(0, ran.code)
    assert.matches("alicloud%-dr: warning: the clock of this machine is 2 h 0 min behind", ran.err)
    assert.matches("RPO 7m12s ≤ 20m", ran.out)
  end)

  it("prints the counters on demand, on standard error, whatever became of the command", function()
    local ran = run(nil, "status", "pg-orders", "--stats")
    assert.matches("^alicloud%-dr: %d+ calls, %d+ requests, 0 retries, 0 throttled, "
      .. "0%.0 s waited, 0 s for the cloud\n$", ran.err)
    ran = run({ faults = out_until(1e6) }, "status", "--stats", "--json")
    assert.equal(1, ran.object.exit)
    -- Three attempts, and the question to another region.
    assert.matches("2 calls, 4 requests, 2 retries", ran.err)
    ran = run(nil, "status")
    assert.equal("", ran.err)
  end)
end)

describe("alicloud-dr dependencies", function()
  it("lists the hosts with their regions and asks nobody", function()
    local ran, desk = run({ env = {
      ALIBABA_CLOUD_ACCESS_KEY_ID = "emulator", ALIBABA_CLOUD_ACCESS_KEY_SECRET = "emulator-secret",
      https_proxy = "http://u:canary@proxy.example:3128",
      ALICLOUD_DR_STORE = "etcd+https://dr1.example,dr2.example",
    } }, "dependencies", "--product", "ebs", "--product", "ecs", "--hook",
      "https://chat.example/robot?token=canary")
    assert.equal(0, ran.code, ran.err)
    assert.matches("endpoint +ebs%.cn%-shanghai%.aliyuncs%.com +cn%-shanghai\n", ran.out)
    assert.matches("endpoint +ecs%.cn%-shanghai%.aliyuncs%.com +cn%-shanghai\n", ran.out)
    assert.matches("proxy +proxy%.example:3128 +unknown, its name does not tell\n", ran.out)
    assert.matches("hook +chat%.example +unknown", ran.out)
    assert.matches("store +dr1%.example:2379 +unknown.*store +dr2%.example:2379 ", ran.out)
    assert.is_nil((ran.out .. ran.err):find("canary", 1, true))
    assert.same({}, desk:requests())
  end)

  it("fails where something lies in the failed region", function()
    local ran = run(nil, "dependencies", "--failed-region", "cn-shanghai")
    assert.equal(1, ran.code)
    assert.matches("✘ endpoint +ebs%.cn%-shanghai", ran.out)
    assert.matches("would depend on the failed region cn%-shanghai: ebs%.cn%-shanghai", ran.err)
    ran = run(nil, "dependencies", "--failed-region", "cn-hangzhou", "--json")
    assert.equal(0, ran.object.exit)
    assert.is_nil(ran.object.error)
    assert.equal("cn-shanghai", ran.object.dependencies[1].region)
    ran = run(nil, "dependencies", "--failed-region", "cn-shanghai", "--json")
    assert.equal(1, ran.object.exit)
    assert.equal("Client.FailedRegion", ran.object.error.code)
    assert.is_true(ran.object.dependencies[1].failed)
  end)

  it("refuses a product that is none", function()
    local ran = run(nil, "dependencies", "--product", "EBS!")
    assert.equal(2, ran.code)
    assert.matches("option products: got a table; allowed: a list of product codes", ran.err)
  end)
end)
