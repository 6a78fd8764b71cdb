-- One listing of a side of a region: what it tells of a group, and of which it says nothing.

local alicloud = require "alicloud"
local groups = require "alicloud.dr.group"
local lab = require "spec.dr.lab"
local sweeps = require "alicloud.dr.read.sweep"

local REGION = "cn-shanghai"

local function world_of(count, size, changes)
  local list = {}
  for i = 1, count do
    list[i] = { id = ("pg-%04d"):format(i), pairs = size, status = "normal", recover_point_age = 60,
      source = "cn-hangzhou/cn-hangzhou-g", destination = "cn-shanghai/cn-shanghai-b" }
    for name, value in pairs(changes and changes[i] or {}) do list[i][name] = value end
  end
  return { regions = { "cn-hangzhou", "cn-shanghai" }, groups = list,
    pairs = { { id = "pair-lone", status = "normal", recover_point_age = 60,
      source = "cn-hangzhou/cn-hangzhou-g", destination = "cn-shanghai/cn-shanghai-b" } } }
end

-- A bench whose readings are counted, and may be changed on their way.
local function bench_of(given, spoil)
  given.wire = false
  local bench = lab.new(given)
  local emu = bench.emu
  bench.seen = {}
  bench.client = alicloud.client {
    region = REGION, runtime = emu.runtime, rate = false, retries = 0,
    access_key_id = emu.access_key_id, access_key_secret = emu.access_key_secret,
    transport = { send = emu.transport.send, perform = function(request)
      bench.seen[#bench.seen + 1] = request.action
      local answer = emu.transport.perform(request)
      return spoil and spoil(request, answer, #bench.seen) or answer
    end },
  }
  return bench
end

local function ids_of(first, last)
  local ids = {}
  for i = first, last do ids[#ids + 1] = ("pg-%04d"):format(i) end
  return ids
end

-- Changes the pairs that are listed.
local function of_pairs(change)
  return function(request, answer)
    if request.action == "DescribeDiskReplicaPairs" then change(answer.result.ReplicaPairs) end
  end
end

local function of_groups(change)
  return function(request, answer)
    if request.action == "DescribeDiskReplicaGroups" then change(answer.result.ReplicaGroups) end
  end
end

local function sweep_of(given, spoil, options)
  local bench = bench_of(given, spoil)
  return sweeps.read(bench.client, REGION, options), bench
end

describe("a sweep", function()
  it("tells of each group what a look of its own shows", function()
    local sweep, bench = sweep_of { world = world_of(7, 3) }
    for _, id in ipairs(ids_of(1, 7)) do
      local told, own = sweep:snapshot(id), groups.new(bench.client, id):observe()
      -- Each answer has an id of its own.
      told.request_id = own.request_id
      assert.same(own, told)
    end
    local lone = groups.new(bench.client, "pair-lone"):observe()
    local told = sweep:snapshot "pair-lone"
    told.request_id = lone.request_id
    assert.same(lone, told)
    assert.same(ids_of(1, 7), sweep:group_ids())
    assert.is_nil(sweep:snapshot "pg-none")
  end)

  it("tells what is moved on its own: groups, and pairs that no group has or names", function()
    local units = ids_of(1, 7)
    table.insert(units, 1, "pair-lone")
    for _, hostile in ipairs { { membership = "agrees" }, { membership = "pairs" } } do
      local sweep = assert((sweep_of { world = world_of(7, 3), hostile = hostile }))
      assert.same(units, sweep:unit_ids())
    end
  end)

  it("takes pages of 500 or ids by the 100, whichever are fewer calls", function()
    local sweep, bench = sweep_of { world = world_of(600, 2) }
    assert.equal(2 + 3, #bench.seen)
    assert.same({ groups = 600, pairs = 1201 }, sweep.sizes)
    for count, calls in pairs { [1] = 2, [100] = 1 + 2, [101] = 2 + 3, [600] = 2 + 3 } do
      bench.seen = {}
      local some = sweeps.read(bench.client, REGION,
        { ids = ids_of(1, count), sizes = sweep.sizes })
      assert.equal(calls, #bench.seen, count)
      assert.is_true(some:is_complete(ids_of(count, count)[1]))
    end
  end)

  it("lists all pairs for whoever decides, so that one unknown to its group is seen", function()
    local given = { world = world_of(600, 2), hostile = { membership = "group" } }
    local sweep, bench = sweep_of(given, nil, { ids = ids_of(1, 2) })
    assert.is_true(sweep:is_complete "pg-0001")
    assert.is_false(sweep:can_decide "pg-0001")
    sweep = sweeps.read(bench.client, REGION, { ids = ids_of(1, 2), decides = true })
    assert.is_true(sweep:can_decide "pg-0001")
    assert.is_false(sweep:is_complete "pg-0001")
  end)

  it("does not list so many pairs that looks of the groups' own take fewer calls", function()
    local sweep, bench = sweep_of { world = world_of(600, 2) }
    assert.is_true(sweep:can_decide "pg-0001")
    for count, all in pairs { [1] = false, [2] = true } do
      bench.seen = {}
      local some = sweeps.read(bench.client, REGION,
        { ids = ids_of(1, count), decides = true, sizes = sweep.sizes })
      assert.equal(all, some:can_decide "pg-0001")
      assert.equal(all and 1 + 3 or 2, #bench.seen)
    end
  end)

  it("reads pairs without a group by their own ids", function()
    local sweep, bench = sweep_of({ world = world_of(3, 2) }, nil,
      { ids = { "pair-lone", "pg-0002" } })
    assert.equal(2, #bench.seen)
    assert.is_true(sweep:is_complete "pair-lone")
    assert.is_true(sweep:is_complete "pg-0002")
    assert.is_false(sweep:is_complete "pg-0001")
    sweep, bench = sweep_of({ world = world_of(3, 2) }, nil, { ids = { "pair-lone" } })
    assert.equal(1, #bench.seen)
    assert.is_true(sweep:is_complete "pair-lone")
  end)

  it("reads the whole side where one that is asked for is not there", function()
    local sweep = sweep_of({ world = world_of(3, 2), assume = { describe_unknown = "not_found" } },
      nil, { ids = { "pg-0001", "pg-none" } })
    assert.is_true(sweep:is_complete "pg-0001")
    assert.is_false(sweep:is_complete "pg-none")
  end)

  it("judges what it read by the time of the pairs' own answer", function()
    local bench
    bench = bench_of({ world = world_of(3, 2) }, function(request)
      if request.action == "DescribeDiskReplicaGroups" then bench.emu:advance(9) end
    end)
    local before = bench.emu.runtime.time()
    local sweep = sweeps.read(bench.client, REGION)
    assert.equal(before // 1 + 9, sweep:snapshot("pg-0001").read_at // 1)
    assert.equal(9, bench.client.loop.now() - sweep.began)
  end)

  it("is nothing at all where something could not be read", function()
    local bench = bench_of({ world = world_of(600, 2) }, function(_, _, number)
      if number < 4 then return nil end
      return { status = 500, headers = {}, body = '{"Code":"InternalError","RequestId":"r"}' }
    end)
    local sweep, err = sweeps.read(bench.client, REGION)
    assert.is_nil(sweep)
    assert.equal("InternalError", err.code)
  end)
end)

describe("a sweep says nothing of a group", function()
  local function is_silent(spoil, about, given)
    given = given or {}
    given.world = given.world or world_of(4, 2)
    local sweep = assert(sweep_of(given, spoil))
    for _, id in ipairs(ids_of(1, 4)) do
      assert.equal(id ~= about, sweep:is_complete(id), id)
      assert.equal(id ~= about, sweep:snapshot(id) ~= nil, id)
    end
  end

  it("that is listed twice", function()
    is_silent(of_groups(function(list) list[#list + 1] = list[2] end), "pg-0002")
  end)

  it("a pair of which is missing, there twice, or of another group", function()
    is_silent(of_pairs(function(list) table.remove(list, 3) end), "pg-0002")
    is_silent(of_pairs(function(list) list[#list + 1] = list[3] end), "pg-0002")
    is_silent(of_pairs(function(list) list[3].ReplicaGroupId = "pg-0099" end), "pg-0002")
    is_silent(of_pairs(function(list) list[3].ReplicaGroupId = nil end), "pg-0002")
    is_silent(of_pairs(function(list) list[3].ReplicaPairId = "pair-other" end), "pg-0002")
  end)

  it("that counts or names other pairs than are listed", function()
    is_silent(of_groups(function(list) list[2].PairNumber = 3 end), "pg-0002")
    is_silent(of_groups(function(list) list[2].PairNumber = nil end), "pg-0002")
    is_silent(of_groups(function(list) list[2].PairIds = nil end), "pg-0002")
    is_silent(of_groups(function(list) list[2].PairIds = { "a\27b", "pair-x" } end), "pg-0002")
  end)

  it("that was listed long before its pairs", function()
    local bench
    bench = bench_of({ world = world_of(4, 2) }, function(request)
      if request.action == "DescribeDiskReplicaGroups" then bench.emu:advance(16) end
    end)
    assert.is_false(sweeps.read(bench.client, REGION):is_complete "pg-0001")
  end)

  it("where pages have lost what stands at their ends", function()
    local sweep = sweep_of { world = world_of(600, 2), hostile = { short_list = 1 } }
    local bare = 0
    for _, id in ipairs(ids_of(1, 600)) do bare = bare + (sweep:is_complete(id) and 0 or 1) end
    -- Of groups two, and the pairs of at most three.
    assert.is_true(bare >= 3 and bare <= 5, bare)
  end)
end)
