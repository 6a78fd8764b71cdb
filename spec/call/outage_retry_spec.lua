local alicloud = require "alicloud"
local emulator = require "alicloud.emulator"
local guard = require "alicloud.base.guard"
local helper = require "spec.helper"

local ok, refuse, broken = helper.ok, helper.refuse, helper.broken

-- A cloud that answers everybody with `trouble` until the moment `over` (seconds from the start).
local function cloud(trouble, over, overrides)
  local asked, control = {}, nil
  local transport = { send = function(request)
    asked[#asked + 1] = { action = request.action, host = request.host, at = control.elapsed,
      mutating = request.mutating }
    if request.host:find("cn-beijing", 1, true) and trouble.there then return trouble.there end
    if control.elapsed < over then return trouble.here or trouble end
    return ok { Regions = {} }
  end }
  local given = { transport = transport, wait_for_cloud = 4 * 3600 }
  for name, value in pairs(overrides or {}) do given[name] = value end
  local client, _, clock = helper.client({}, given)
  control = clock
  return client, asked, control
end

describe("a patient client", function()
  it("outlasts each kind of outage and goes on by itself", function()
    for _, trouble in ipairs {
      { here = broken("connect", false), there = ok(), cause = "region" },
      { here = broken("timeout", true), there = ok(), cause = "region" },
      { here = broken("resolve", false), cause = "dns" },
      { here = broken("connect", false), cause = "network" },
      { here = refuse(503, "ServiceUnavailable"), cause = "account" },
      { here = refuse(400, "Throttling.User"), cause = "throttling" },
    } do
      local events = {}
      local client, asked, control = cloud(trouble, 3600, { wait_for_cloud = {
        seconds = 4 * 3600, progress = function(event) events[#events + 1] = event end,
      } })
      local result, err = client:call "DescribeDiskReplicaGroups"
      assert.is_truthy(result, trouble.cause .. ": " .. tostring(err))
      assert.equal("REQ-OK", alicloud.meta(result).request_id)
      assert.equal(trouble.cause, events[1].cause)
      assert.equal("waiting", events[1].event)
      assert.equal("back", events[#events].event)
      -- Back within one longest pause, with few looks.
      assert.is_true(control.elapsed >= 3600 and control.elapsed <= 3600 + 310, trouble.cause)
      assert.is_true(#asked < 150, trouble.cause .. " " .. #asked)
      for _, request in ipairs(asked) do assert.is_false(request.mutating) end
    end
  end)

  it("looks the more seldom the longer it takes, and the most seldom when all is out", function()
    local client, asked, control = cloud(refuse(503, "ServiceUnavailable"), 3600)
    assert(client:call "DescribeDiskReplicaGroups")
    local looks = 0
    for _, request in ipairs(asked) do
      if request.host:find("shanghai", 1, true) then looks = looks + 1 end
    end
    assert.is_true(looks <= 3 + 60 // 5 + 5, tostring(looks))
    assert.is_true(control.elapsed > 3600)
  end)

  it("spends none of its retry budget on it", function()
    local client = cloud(broken("connect", false), 7200, { retry = { budget = 28 } })
    assert(client:call "DescribeDiskReplicaGroups")
    local stats = client:stats()
    assert.equal(2, stats.retries)
    assert.is_true(stats.waited_for_cloud > 7000)
    assert.is_true(stats.requests > 60)
  end)

  it("does not wait for what does not pass", function()
    for _, trouble in ipairs {
      refuse(404, "InvalidAccessKeyId.NotFound"), broken("tls", false),
      refuse(404, "NoSuchResource"), refuse(403, "Forbidden.RAM"), broken("proxy", false),
    } do
      local client, _, control = cloud(trouble, 3600)
      local _, err = client:call("DescribeDiskReplicaGroups", {}, { retries = 0 })
      assert.is_truthy(err)
      assert.equal(0, control.elapsed)
    end
  end)

  it("ends with the sentence when its patience does, over all calls together", function()
    local events = {}
    local client, _, control = cloud(refuse(503, "ServiceUnavailable"), math.huge, {
      wait_for_cloud = { seconds = 600, progress = function(e) events[#events + 1] = e end } })
    local _, err = client:call "DescribeDiskReplicaGroups"
    assert.equal("patience", err.stopped)
    assert.equal("ServiceUnavailable", err.code)
    assert.matches("front door is shut", err.hint)
    assert.equal("given_up", events[#events].event)
    assert.is_true(control.elapsed <= 605)
    local spent = client:stats().waited_for_cloud
    assert.is_true(spent > 200 and spent <= 600)
    _, err = client:with({ timeout = 5 }):call "DescribeRegions"
    assert.equal("patience", err.stopped)
    assert.is_true(client:stats().waited_for_cloud <= 600)
  end)

  it("never sends a change twice, nor waits with one", function()
    for _, trouble in ipairs { refuse(503, "ServiceUnavailable"), broken("connect", false),
      broken("timeout", true), refuse(400, "Throttling.User") } do
      local client, asked, control = cloud(trouble, 3600)
      local _, err = client:call("FailoverDiskReplicaGroup", { ReplicaGroupId = "pg-orders" },
        { retries = 0 })
      assert.is_truthy(err)
      assert.equal(1, #asked)
      assert.equal(0, control.elapsed)
    end
  end)

  it("with a hundred tasks looks hardly more often than with one", function()
    local client, asked, control = cloud(refuse(503, "ServiceUnavailable"), 3600)
    local started = {}
    for i = 1, 100 do
      started[i] = client:start("DescribeDiskReplicaGroups", {}, { retries = 0 })
    end
    for i = 1, 100 do assert(started[i]:result()) end
    local before, opinions = 0, 0
    for _, request in ipairs(asked) do
      if request.at > 30 and request.at < 3600 then
        if request.host:find("shanghai", 1, true) then
          before = before + 1
        else
          opinions = opinions + 1
        end
      end
    end
    assert.is_true(before <= 40, tostring(before))
    assert.is_true(opinions <= 15, tostring(opinions))
    -- And the hours count once.
    assert.is_true(client:stats().waited_for_cloud < control.elapsed + 1)
    assert.is_true(control.elapsed < 3600 + 310)
  end)

  it("sees an outage turn into another one", function()
    local causes, control = {}, nil
    local client, _, clock = helper.client({}, {
      transport = { send = function(request)
        if request.host:find("cn-beijing", 1, true) then
          return control.elapsed < 1800 and refuse(503, "ServiceUnavailable") or ok()
        end
        if control.elapsed < 1800 then return refuse(503, "ServiceUnavailable") end
        return control.elapsed < 3600 and broken("connect", false) or ok()
      end },
      wait_for_cloud = { seconds = 14400, progress = function(event)
        if causes[#causes] ~= event.cause then causes[#causes + 1] = event.cause end
      end },
    })
    control = clock
    assert(client:call "DescribeRegions")
    assert.same({ "account", "region" }, causes)
  end)

  it("mends its clock when the machine's is set right during the outage", function()
    local control
    local client, _, clock = helper.client({}, { wait_for_cloud = 7200, transport = {
      send = function()
        if control.elapsed < 1800 then return broken("connect", false) end
        if control.skew ~= 5000 then
          control.skew = 5000
          return refuse(400, "InvalidTimeStamp.Expired", { date = "Sun, 22 Nov 2026 03:49:52 GMT" })
        end
        return ok()
      end } })
    control = clock
    assert(client:call "DescribeRegions")
  end)

  it("is stopped by Ctrl-C within a pause", function()
    local client, _, control = cloud(broken("connect", false), math.huge)
    local runtime = client.runtime
    local sleep = runtime.sleep
    local slept = 0
    local impatient = alicloud.client { region = "cn-shanghai", access_key_id = "i",
      access_key_secret = "s", wait_for_cloud = 3600,
      transport = { send = function() return broken("connect", false) end },
      runtime = { time = runtime.time, monotonic = runtime.monotonic, random = runtime.random,
        sleep = function(seconds)
          slept = slept + 1
          if slept > 5 then error("interrupted!", 0) end
          sleep(seconds)
        end } }
    local fine, raised = pcall(impatient.call, impatient, "DescribeRegions")
    assert.is_false(fine)
    assert.is_true(guard.is_interrupt(raised))
    assert.is_true(control.elapsed < 600)
  end)

  it("is made for one piece of work, which has ten minutes, or what the client says", function()
    for _, row in ipairs {
      { {}, nil, 600 }, { {}, 60, 60 }, { { seconds = 90 }, nil, 90 }, { { seconds = 0 }, nil, 0 },
      { { seconds = 0 }, 60, 60 }, { 90, 60, 60 }, { false, nil, 0 },
    } do
      local client, asked, control = cloud(refuse(503, "ServiceUnavailable"), math.huge,
        { wait_for_cloud = row[1] })
      local events = {}
      local work = client:outlasting { seconds = row[2],
        progress = function(event) events[#events + 1] = event end }
      local _, err = work:call("DescribeDiskReplicaGroups", {}, { retries = 0 })
      assert.is_truthy(err)
      assert.equal(row[3], control.elapsed)
      assert.equal(0, work:patience())
      if row[3] > 0 then
        assert.equal(row[3], events[1].left)
        assert.is_string(events[1].reason)
        assert.equal("patience", err.stopped)
      end
      -- Nobody has said that another region is to be asked.
      for _, request in ipairs(asked) do
        if row[3] == 600 then assert.matches("shanghai", request.host) end
      end
    end
  end)

  it("begins the usual ten minutes anew for each piece of work, and no others", function()
    for _, row in ipairs { { {}, 600 }, { 60, 0 } } do
      local client = cloud(refuse(503, "ServiceUnavailable"), math.huge,
        { wait_for_cloud = row[1] })
      local work = client:outlasting()
      assert.is_nil(work:call "DescribeDiskReplicaGroups")
      assert.equal(0, work:outlasting():patience())
      work:renew_patience()
      assert.equal(row[2], work:patience())
      assert.equal(row[2], work:outlasting():patience())
    end
  end)

  it("takes a duration as text", function()
    for text, seconds in pairs { ["1h"] = 3600, ["90"] = 90, ["0s"] = 0 } do
      assert.equal(seconds, helper.client({}, { wait_for_cloud = text }):patience())
    end
  end)

  it("refuses a patience that is none", function()
    for _, case in ipairs {
      { "soon", 'option wait_for_cloud: got "soon"; allowed: false, seconds, a duration such as' },
      { -1, "wait_for_cloud: option seconds: got %-1 %(number%); allowed: a number of seconds" },
      { { seconds = 5, pase = 1 }, 'unknown option "pase"; did you mean "pause"%?' },
    } do
      assert.matches(case[2], helper.raised(function()
        helper.client({}, { wait_for_cloud = case[1] })
      end))
    end
  end)
end)

describe("against the emulator, a patient client", function()
  local function rehearse(given)
    local emu = emulator.new(given)
    return emu, alicloud.client { region = "cn-shanghai", transport = emu.transport,
      runtime = emu.runtime, access_key_id = emu.access_key_id,
      access_key_secret = emu.access_key_secret, wait_for_cloud = 7200 }
  end

  it("outlasts an outage of authentication", function()
    local emu, client = rehearse { faults = { { match = { before = 1200 },
      effect = { error = { code = "ServiceUnavailable" } } } } }
    local began = emu:now()
    assert(client:call "DescribeDiskReplicaGroups")
    assert.is_true(emu:now() - began >= 1200 and emu:now() - began < 1600)
    assert.same({}, emu:ledger())
  end)

  it("goes on with a wait whose own time an outage would have eaten up", function()
    local emu, client = rehearse { faults = { { match = { after = 20, before = 3600 },
      effect = { error = { code = "ServiceUnavailable" } } } } }
    local ebs = client:service "ebs"
    assert(ebs:FailoverDiskReplicaGroup { ReplicaGroupId = "pg-orders" })
    assert(ebs:wait("group_failovered", { GroupIds = "pg-orders", Site = "backup" },
      { timeout = 600, stall = 300 }))
    assert.is_true(client:stats().waited_for_cloud > 3000)
    assert.equal(1, #emu:ledger())
  end)

  it("outlasts a region that answers nobody", function()
    local emu, client = rehearse { events = {
      { at = 0, region = "cn-shanghai", state = "blackhole" },
      { at = 1200, region = "cn-shanghai", state = "up" },
    } }
    local began = emu:now()
    assert(client:call "DescribeDiskReplicaGroups")
    assert.is_true(emu:now() - began >= 1200 and emu:now() - began < 1400)
  end)
end)
