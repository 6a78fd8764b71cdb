-- Sweeps for many who are at work: fewer calls, and what may be concluded from them.

local alicloud = require "alicloud"
local batched = require "alicloud.dr.read.batched"
local groups = require "alicloud.dr.group"
local lab = require "spec.dr.lab"
local settled = require "alicloud.dr.read.settled"

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

local function is_shared(request)
  local ids = request.params.GroupIds
  return ids and ids:find(",", 1, true) ~= nil
    or not ids and request.action == "DescribeDiskReplicaGroups"
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
        shared = is_shared(request) }
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
  it("are read by sweeps alone, their ends too", function()
    local bench = bench_of { world = world_of(120) }
    local results = move_all(bench, 120)
    for i = 1, 120 do
      local result = results[("pg-%03d"):format(i)]
      assert.equal("failovered", result.outcome)
      assert.equal(2, #result.pairs)
      assert.equal(60, result.rpo)
      assert.is_true(result.rto >= 40 and result.rto < 47, result.rto)
    end
    -- The first one is alone when it looks, and there may be one more than a hundred.
    assert.is_true(count(bench.seen, "DescribeDiskReplicaGroups", false) <= 2)
    assert.is_true(count(bench.seen, "DescribeDiskReplicaGroups") <= 35)
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

  it("are decided for with pairs that their groups do not know yet", function()
    local bench = bench_of { world = world_of(6), hostile = { membership = "group" } }
    bench.client.loop.spawn(function()
      bench.client.loop.sleep(40)
      bench.emu:hostile { membership = "agrees" }
    end)
    local results = move_all(bench, 6)
    for i = 1, 6 do assert.equal(2, #results[("pg-%03d"):format(i)].pairs) end
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
    -- Every two minutes each, and before it gives up.
    local own = count(bench.seen, "DescribeDiskReplicaGroups", false)
    assert.is_true(own >= 3 * 3 and own <= 3 * 5, own)
  end)
end)

describe("a sweep that is shared", function()
  local group = { id = "pg-001", region = "cn-shanghai" }

  -- Somebody at work, who asks for nothing.
  local function company(shared)
    return shared:of({ id = "pg-002", region = "cn-shanghai" }):enter()
  end

  -- What the group is told when it asks in the middle of a sweep that takes seconds.
  local function ask_in_the_middle(wish_of)
    local bench
    bench = bench_of({ world = world_of(3) }, function(request)
      if request.action == "DescribeDiskReplicaGroups" then bench.client.loop.sleep(2) end
    end)
    local loop, sweep_began, told = bench.client.loop, nil, nil
    sharing(bench.client, function(shared)
      local _ <close>, first = company(shared), shared:of(group)
      local _ <close> = first:enter()
      local task = loop.spawn(function()
        return first:tell { after = loop.now(), ends = loop.now() + 60 }
      end)
      loop.sleep(1)
      local now = loop.now()
      told = first:tell(wish_of(now))
      sweep_began = task:result().began
      assert.is_true(sweep_began < now)
    end)
    return told, sweep_began
  end

  it("tells only those for whom it has begun late enough", function()
    local told, running = ask_in_the_middle(function(now)
      return { after = now, ends = now + 60 }
    end)
    assert.is_true(told.began >= running + 3)
    told, running = ask_in_the_middle(function(now) return { after = now - 2, ends = now + 60 } end)
    assert.equal(running, told.began)
    told, running = ask_in_the_middle(function(now)
      return { after = now - 0.95, ends = now + 60 }
    end)
    -- At the same moment is not after it.
    assert.is_true(told.began >= running)
  end)

  it("tells what is new, and says when a look of one's own is due", function()
    local bench = bench_of { world = world_of(2) }
    local loop = bench.client.loop
    sharing(bench.client, function(shared)
      local _ <close>, read = company(shared), shared:of(group)
      local _ <close> = read:enter()
      local first = read:tell { after = loop.now(), ends = loop.now() + 60 }
      assert.equal("normal", first.snapshot.status)
      loop.spawn(function()
        loop.sleep(20)
        bench.client:call("ebs:FailoverDiskReplicaGroup", { ReplicaGroupId = "pg-001" })
      end)
      local second = read:tell { after = first.began, ends = loop.now() + 60,
        seen = first.signature }
      assert.equal("failovering", second.snapshot.status)
      assert.is_true(second.began > first.began + 19 and second.began < first.began + 25)
      local due = loop.now() + 10
      local third = read:tell { after = second.began, ends = loop.now() + 60, due = due,
        seen = second.signature }
      assert.is_nil(third.snapshot)
      assert.is_true(loop.now() >= due and loop.now() < due + 4)
    end)
  end)

  it("is not for one alone", function()
    local bench = bench_of { world = world_of(2) }
    sharing(bench.client, function(shared)
      local read = shared:of(groups.new(bench.client, "pg-001"))
      local first <close> = read:enter()
      assert.is_false(read:has_company())
      local second = company(shared)
      assert.is_true(read:has_company())
      assert.is_false(shared:of({ id = "pg-003", region = "cn-beijing" }):has_company())
      getmetatable(second).__close(second)
      assert.is_false(read:has_company())
      local snapshot, _, began = read:observe()
      assert.same({ "normal" }, { snapshot.status, began })
      assert.equal(0, count(bench.seen, "DescribeDiskReplicaGroups", true))
      -- Who is left alone meanwhile had better look.
      assert.is_nil(read:tell({ after = 0, ends = math.huge }).snapshot)
      assert.is_truthy(first)
    end)
  end)

  it("is no look to decide by where it is old, or from before what one has changed", function()
    local bench = bench_of { world = world_of(2) }
    local loop = bench.client.loop
    sharing(bench.client, function(shared)
      local _ <close>, read = company(shared), shared:of(group)
      local _ <close> = read:enter()
      local _, _, began = read:observe()
      local _, _, again = shared:since(began - 1):of(group):observe()
      assert.equal(began, again)
      local _, _, since = shared:since(began):of(group):observe()
      assert.is_true(since > began)
      loop.sleep(4)
      local _, _, late = shared:since(0):of(group):observe()
      assert.is_true(late > since and late > loop.now() - 3.5)
    end)
  end)

  it("is another one at each look", function()
    local bench, slow
    bench = bench_of({ world = world_of(2) }, function()
      if slow then bench.client.loop.sleep(2) end
    end)
    local loop = bench.client.loop
    sharing(bench.client, function(shared)
      local _ <close>, read = company(shared), shared:of(group)
      local _ <close> = read:enter()
      local _, _, first = read:observe()
      slow = true
      loop.sleep(settled.PAUSE)
      local _, _, second = read:observe()
      assert.is_true(second >= first + settled.PAUSE, second - first)
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
        local _ <close>, read = company(shared), shared:of(group)
        local _ <close> = read:enter()
        local task = loop.spawn(function() return read:tell { after = 0, ends = math.huge } end)
        loop.sleep(0.01)
        task:cancel()
        -- Another one waits for it.
        read:tell { after = 0, ends = math.huge }
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
          local _ <close> = read:enter()
          loop.sleep(0.01)
          return read:tell({ after = 0, ends = math.huge }).snapshot
        end)
      end
      loop.sleep(0.02)
      tasks[1]:cancel()
      assert.equal("pg-002", tasks[2]:result().group_id)
      assert.equal("pg-003", tasks[3]:result().group_id)
    end)
  end)

  it("is given up with whoever shares it", function()
    local bench = bench_of { world = world_of(3) }
    local loop = bench.client.loop
    sharing(bench.client, function(shared)
      local _ <close>, read = company(shared), shared:of(group)
      local _ <close> = read:enter()
      local late = loop.spawn(function() return read:tell { after = 0, ends = math.huge } end)
      loop.sleep(0.01)
      shared:close()
      assert.is_nil(late:result().snapshot)
    end)
  end)

  it("lets a few look by themselves whom two sweeps did not tell of", function()
    local bench = bench_of({ world = world_of(40) }, function()
      return { result = { ReplicaGroups = {}, RequestId = "r" }, status = 200, request_id = "r" }
    end)
    local loop, gone = bench.client.loop, {}
    local started = loop.now()
    sharing(bench.client, function(shared)
      for i = 1, 40 do
        local read = shared:of { id = ("pg-%03d"):format(i), region = "cn-shanghai" }
        loop.spawn(function()
          local _ <close> = read:enter()
          loop.sleep(0.01)
          assert.is_nil(read:tell({ after = 0, ends = math.huge }).snapshot)
          local second = (loop.now() - started) // 1
          gone[second] = (gone[second] or 0) + 1
          loop.sleep(60)
        end)
      end
    end)
    assert.same({ [3] = 10, [6] = 10, [9] = 10, [12] = 10 }, gone)
  end)
end)

describe("somebody who is expected", function()
  it("is company", function()
    sharing(bench_of({ world = world_of(1) }).client, function(shared)
      local read = shared:of { id = "pg-001", region = "cn-shanghai" }
      do
        local expected <close> = shared:expect(3)
        assert.is_true(read:has_company())
        expected.left()
        assert.is_true(read:has_company())
        expected.left()
        assert.is_false(read:has_company())
      end
      assert.equal(0, shared.expected)
    end)
  end)
end)

describe("turns", function()
  it("are for so many at a time, in the order of coming, and can be given up", function()
    local bench = bench_of { world = world_of(1) }
    local loop = bench.client.loop
    sharing(bench.client, function(shared)
      local read, held, most, order, tasks = shared:of { id = "a", region = "r" }, 0, 0, {}, {}
      for i = 1, 100 do
        tasks[i] = loop.spawn(function()
          local turn <close> = read:new_turn()
          turn:take()
          held, order[#order + 1] = held + 1, i
          most = math.max(most, held)
          loop.sleep(1)
          held = held - 1
        end)
      end
      loop.sleep(0.5)
      tasks[60]:cancel()
      for _, task in ipairs(tasks) do task:wait() end
      assert.same({ 45, 99, 45 }, { most, #order, order[45] })
      assert.equal(46, order[46])
    end)
  end)
end)
