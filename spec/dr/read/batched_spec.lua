-- One listing for many who wait: fewer calls, and nothing is concluded from it.

local alicloud = require "alicloud"
local batched = require "alicloud.dr.read.batched"
local groups = require "alicloud.dr.group"
local helper = require "spec.helper"
local lab = require "spec.dr.lab"
local pollers = require "alicloud.dr.change.poller"

local function world_of(count, changes)
  local list = {}
  for i = 1, count do
    list[i] = { id = ("pg-%03d"):format(i), pairs = 2, status = "normal", recover_point_age = 60,
      source = "cn-hangzhou/cn-hangzhou-g", destination = "cn-shanghai/cn-shanghai-b",
      failover_seconds = 40 }
    for name, value in pairs(changes and changes[i] or {}) do list[i][name] = value end
  end
  return { regions = { "cn-hangzhou", "cn-shanghai" }, groups = list }
end

-- A bench whose readings are noted, and may be spoilt.
local function bench_of(given, spoil)
  given.wire = false
  local bench = lab.new(given)
  local emu, seen = bench.emu, {}
  bench.client = alicloud.client {
    region = "cn-shanghai", runtime = emu.runtime, rate = false, retries = 0,
    access_key_id = emu.access_key_id, access_key_secret = emu.access_key_secret,
    transport = { send = emu.transport.send, perform = function(request)
      seen[#seen + 1] = { action = request.action, at = emu.runtime.time(),
        ids = request.params.GroupIds or request.params.PairIds,
        shared = tostring(request.params.GroupIds or ""):find(",", 1, true) ~= nil }
      local spoilt = spoil and seen[#seen].shared and spoil(request)
      return spoilt or emu.transport.perform(request)
    end },
  }
  bench.seen = seen
  return bench
end

-- Calls a function with what those share who wait in its scope.
local function sharing(client, body)
  return client.loop.scope(function(scope)
    local shared <close> = batched.new(client, scope)
    return body(shared)
  end)
end

-- Fails all groups over at the same time; results and errors by id.
local function move_together(bench, shared, count, options)
  local tasks, results = {}, {}
  for i = 1, count do
    local id = ("pg-%03d"):format(i)
    local given = { batched_reads = shared }
    for name, value in pairs(options or {}) do given[name] = value end
    tasks[id] = bench.client.loop.spawn(function()
      return groups.new(bench.client, id):failover(given)
    end)
  end
  for id, task in pairs(tasks) do
    local result, err = task:result()
    results[id] = result or err
  end
  return results
end

local function move_all(bench, count, options)
  return sharing(bench.client, function(shared)
    return move_together(bench, shared, count, options)
  end)
end

local function count(seen, action, shared)
  local n = 0
  for _, call in ipairs(seen) do
    if call.action == action and (shared == nil or call.shared == shared) then n = n + 1 end
  end
  return n
end

describe("groups that are waited for at the same time", function()
  it("are read by one listing, and each is looked at by itself at its end", function()
    local bench = bench_of { world = world_of(120) }
    local results = move_all(bench, 120)
    for i = 1, 120 do
      local result = results[("pg-%03d"):format(i)]
      assert.equal("failovered", result.outcome)
      assert.equal(2, #result.pairs)
      assert.equal(60, result.rpo)
      assert.is_true(result.rto >= 40 and result.rto < 47, result.rto)
    end
    -- The decision and the end.
    assert.is_true(count(bench.seen, "DescribeDiskReplicaGroups", false) <= 2 * 120 + 5)
    assert.is_true(count(bench.seen, "DescribeDiskReplicaGroups", true) <= 30)
    assert.equal(120, #bench:ledger())
  end)

  it("are looked at one by one where only one is left", function()
    local bench = bench_of { world = world_of(1) }
    assert.equal("failovered", move_all(bench, 1)["pg-001"].outcome)
    assert.equal(0, count(bench.seen, "DescribeDiskReplicaGroups", true))
  end)

  it("are not done because a listing says so", function()
    local bench = bench_of { world = world_of(6), hostile = { group_ahead = true } }
    for _, result in pairs(move_all(bench, 6)) do
      assert.equal("failovered", result.outcome)
      for _, pair in ipairs(result.pairs) do assert.equal("failovered", pair.status) end
    end
    bench = bench_of { world = world_of(6), faults = {
      { match = { action = "FailoverDiskReplicaGroup", group = "pg-002" },
        effect = { partial = 1 } } } }
    local results = move_all(bench, 6)
    assert.equal("accepted", results["pg-002"].outcome)
    assert.matches("failover_failed", results["pg-002"].message)
    assert.equal("failovered", results["pg-003"].outcome)
  end)

  it("are looked at one by one when the listing fails, lacks them, or tells of no pairs", function()
    for _, answer in ipairs {
      { status = 500, headers = {}, body = '{"Code":"InternalError","RequestId":"r"}' },
      { result = { ReplicaGroups = {}, RequestId = "r" }, status = 200, request_id = "r" },
      { result = { ReplicaGroups = { { ReplicaGroupId = "pg-001", Status = "failovering" } },
        RequestId = "r" }, status = 200, request_id = "r" },
    } do
      local bench = bench_of({ world = world_of(4) }, function() return answer end)
      for _, result in pairs(move_all(bench, 4)) do
        assert.equal("failovered", result.outcome)
      end
      assert.equal(4, #bench:ledger())
      assert.is_true(count(bench.seen, "DescribeDiskReplicaGroups", true) > 0)
    end
  end)

  it("are not stopped by what one of them is said to be", function()
    local odd = { "a\27b", ("x"):rep(65), { "pair" } }
    for i = 1, #odd do
      local bench, said
      bench = bench_of({ world = world_of(4) }, function(request)
        local answer = bench.emu.transport.perform(request)
        for _, record in ipairs(answer.result and answer.result.ReplicaGroups or {}) do
          if record.ReplicaGroupId == "pg-002" then record.PairIds, said = { odd[i] }, true end
        end
        return answer
      end)
      for _, result in pairs(move_all(bench, 4)) do
        assert.equal("failovered", result.outcome)
      end
      assert.is_true(said)
    end
  end)

  it("are told of a stall by looks of their own", function()
    local bench = bench_of { world = world_of(3), faults = {
      { match = { action = "FailoverDiskReplicaGroup" }, effect = { stuck = true } } } }
    for _, err in pairs(move_all(bench, 3, { stall = 300 })) do
      assert.equal("Client.FailoverStalled", err.code)
      assert.equal("unknown", err.outcome)
    end
    -- Once a minute each.
    local own = count(bench.seen, "DescribeDiskReplicaGroups", false)
    assert.is_true(own >= 3 * 5 and own <= 3 * 8, own)
  end)
end)

describe("a listing that is shared", function()
  local group = { id = "pg-001", region = "cn-shanghai" }

  it("begins after everybody has asked whom it tells", function()
    local bench = bench_of { world = world_of(150) }
    local loop, asked, tasks = bench.client.loop, {}, {}
    sharing(bench.client, function(shared)
      for i = 1, 150 do
        local id = ("pg-%03d"):format(i)
        local read = shared:of { id = id, region = "cn-shanghai" }
        tasks[i] = loop.spawn(function()
          local _ <close> = read.enter()
          loop.sleep(i / 100)
          asked[i] = bench.emu.runtime.time()
          local seen = read.look { deadline = 30 }
          return seen and seen.read_at
        end)
      end
      for _, task in ipairs(tasks) do task:wait() end
    end)
    local told = 0
    for i, task in ipairs(tasks) do
      local read_at = task:result()
      if read_at then
        told = told + 1
        assert.is_true(read_at >= math.floor(asked[i]))
      end
    end
    assert.is_true(told > 140, told)
    for _, call in ipairs(bench.seen) do
      assert.is_true(type(call.ids) ~= "table" and select(2, call.ids:gsub(",", "")) < 100)
    end
  end)

  it("is not for one alone", function()
    sharing(bench_of({ world = world_of(2) }).client, function(shared)
      local read = shared:of(group)
      assert.is_false(read.has_company())
      local first = read.enter()
      assert.is_false(read.has_company())
      local second <close> = shared:of({ id = "pg-002", region = "cn-shanghai" }).enter()
      assert.is_true(read.has_company())
      assert.is_false(shared:of({ id = "pg-003", region = "cn-beijing" }).has_company())
      getmetatable(first).__close()
      assert.is_false(read.has_company())
      assert.is_truthy(second)
    end)
  end)

  it("passes an interrupt on to the scope of all, though nobody waits for it any more", function()
    local bench = bench_of { world = world_of(2) }
    local client = alicloud.client { region = "cn-shanghai", runtime = bench.emu.runtime,
      rate = false, access_key_id = "id", access_key_secret = "secret",
      transport = { send = function() error("batched.lua:1: interrupted!", 0) end } }
    local loop = client.loop
    assert.error_matches(function()
      sharing(client, function(shared)
        local task = loop.spawn(function() return shared:of(group).look { deadline = 30 } end)
        loop.sleep(0.1)
        task:cancel()
        loop.sleep(1)
      end)
    end, "interrupted!$")
  end)

  it("goes on for the others when who has asked first is gone", function()
    local bench = bench_of { world = world_of(3) }
    local loop, tasks = bench.client.loop, {}
    sharing(bench.client, function(shared)
      for i = 1, 3 do
        local read = shared:of { id = "pg-00" .. i, region = "cn-shanghai" }
        tasks[i] = loop.spawn(function()
          local _ <close> = read.enter()
          loop.sleep(0.01)
          return read.look { deadline = 30 }
        end)
      end
      loop.sleep(0.1)
      tasks[1]:cancel()
      assert.equal("pg-002", tasks[2]:result().group_id)
      assert.equal("pg-003", tasks[3]:result().group_id)
    end)
  end)

  it("is given up with whoever shares it", function()
    local bench = bench_of { world = world_of(3) }
    local loop = bench.client.loop
    sharing(bench.client, function(shared)
      local late = loop.spawn(function() return shared:of(group).look { deadline = 30 } end)
      loop.sleep(0.1)
      shared:close()
      assert.is_nil((late:result()))
    end)
  end)
end)

-- A poller over looks that tell `own` phases, one after the other and the last one on, and batched
-- reads that tell `shown`.
local function poller_of(own, shown)
  local runtime, control = helper.runtime()
  local seen = { batched = 0, looks = 0, control = control }
  local loop = { now = runtime.monotonic, sleep = runtime.sleep }
  local target = {
    describe = tostring, judge = function(_, look) return look.phase, "" end,
    same = function(earlier, later) return earlier.phase == later.phase end,
    batched = { enter = function() return setmetatable({}, { __close = function() end }) end,
      has_company = function() return true end,
      look = function()
        loop.sleep(1)
        seen.batched = seen.batched + 1
        return { phase = shown }
      end },
    read = function()
      seen.looks = seen.looks + 1
      return { phase = own[math.min(seen.looks, #own)] }
    end,
  }
  seen.poller = pollers.new { target = target, poll = 5, emit = function() end,
    client = { loop = loop, patience = function() return 0 end } }
  function seen.until_completed(timeout, stall)
    return seen.poller:until_completed(loop.now() + timeout, stall)
  end
  return seen
end

describe("a batched read", function()
  it("is believed only where it shows the change under way, and for a minute", function()
    local on = "in_progress"
    local seen = poller_of({ on, on, on, on, "completed" }, on)
    assert.equal("in_progress", seen.poller:until_stable({ reads = 1, span = 0 }, 0))
    assert.same({ 0, 1 }, { seen.batched, seen.looks })
    assert.equal("timeout", seen.until_completed(130, 1000))
    -- Two by the minute, and the one at the end.
    assert.equal(4, seen.looks)
    assert.is_true(seen.batched > 15 and seen.control.elapsed >= 130)
    local other = poller_of({ "completed" }, "completed")
    assert.equal("completed", other.until_completed(130, 1000))
    assert.same({ 1, 1 }, { other.batched, other.looks })
  end)

  it("ends no wait: whoever gives up has looked", function()
    local seen = poller_of({ "in_progress", "completed" }, "in_progress")
    assert.equal("in_progress", seen.poller:look(0))
    assert.equal("completed", seen.until_completed(20, 1000))
    seen = poller_of({ "in_progress", "completed" }, "in_progress")
    assert.equal("in_progress", seen.poller:look(0))
    assert.equal("completed", seen.until_completed(1000, 20))
    assert.same({ true, 2 }, { seen.batched > 1, seen.looks })
  end)

  it("denies no look that has shown something else", function()
    local seen = poller_of({ "in_progress", "partially_failed" }, "in_progress")
    assert.equal("in_progress", seen.poller:look(0))
    assert.equal("failed", seen.until_completed(300, 1000))
    assert.is_true(seen.control.elapsed < 90)
  end)
end)
