-- Every group of a region: the same as a look of its own shows, in few calls.

local alicloud = require "alicloud"
local dr = require "alicloud.dr"
local lab = require "spec.dr.lab"

local H, S = "cn-hangzhou", "cn-shanghai"
local PLACES = { { H .. "/cn-hangzhou-g", S .. "/cn-shanghai-b" },
  { S .. "/cn-shanghai-b", H .. "/cn-hangzhou-g" },
  { S .. "/cn-shanghai-b", S .. "/cn-shanghai-e" },
  { H .. "/cn-hangzhou-g", H .. "/cn-hangzhou-h" } }
local STATES = { "normal", "stopped", "failovered", "created", "syncing", "stopping",
  "failover_failed" }

-- Groups of every direction, state and size, with tags, and pairs without a group.
local function world_of(count)
  local world = { regions = { { id = H, zones = { "cn-hangzhou-g", "cn-hangzhou-h" } },
    { id = S, zones = { "cn-shanghai-b", "cn-shanghai-e" } } }, groups = {}, pairs = {} }
  for i = 1, count do
    local way = PLACES[i % #PLACES + 1]
    world.groups[i] = { id = ("pg-%04d"):format(i), name = i % 3 == 0 and "orders-" .. i or nil,
      pairs = i % 5, status = STATES[i % #STATES + 1], recover_point_age = 10 * i,
      source = way[1], destination = way[2],
      tags = i % 2 == 0 and { env = "prod", tier = tostring(i) } or nil }
    if i % 7 == 0 then
      world.pairs[#world.pairs + 1] = { id = ("pair-lone-%03d"):format(i), status = "normal",
        recover_point_age = 60, source = way[1], destination = way[2] }
    end
  end
  return world
end

-- Whose readings may be changed on their way.
local function bench_of(given, spoil)
  local bench = lab.new(given)
  local emu = bench.emu
  bench.client = alicloud.client { region = S, runtime = emu.runtime, rate = false, retries = 0,
    access_key_id = emu.access_key_id, access_key_secret = emu.access_key_secret,
    transport = { send = emu.transport.send, perform = function(request)
      local answer = emu.transport.perform(request)
      return spoil and spoil(request, answer) or answer
    end } }
  return bench
end

-- The former way: each by a look of its own.
local function alone(bench, region)
  local list = {}
  for i, id in ipairs(assert(dr.group_ids(bench.client, { region = region }))) do
    list[i] = assert(dr.group(bench.client, id, { region = region }):observe())
  end
  return list
end

local function without_ids(list)
  for _, snapshot in ipairs(list) do snapshot.request_id = nil end
  return list
end

local function assert_as_alone(bench, region)
  local list = without_ids(assert(dr.groups(bench.client, { region = region })))
  assert.same(without_ids(alone(bench, region)), list)
  return list
end

describe("dr.groups", function()
  it("shows of each what a look of its own shows, from both sites and within a region", function()
    local bench = bench_of { world = world_of(140), wire = false }
    for _, region in ipairs { S, H } do
      local list, roles = assert_as_alone(bench, region), {}
      for _, snapshot in ipairs(list) do
        roles[snapshot.role] = (roles[snapshot.role] or 0) + 1
        assert.is_nil(snapshot.unit)
      end
      assert.equal(105, #list)
      assert.same({ secondary = 35, primary = 35, both = 35 }, roles)
    end
  end)

  it("takes a call for hundreds, and for one as many as before", function()
    for count, calls in pairs { [0] = 2, [1] = 3, [100] = 3, [1000] = 9 } do
      local groups = {}
      for i = 1, count do
        groups[i] = { id = ("pg-%04d"):format(i), pairs = 3, status = "normal",
          source = PLACES[1][1], destination = PLACES[1][2] }
      end
      local bench = lab.new { world = { regions = { H, S }, groups = groups }, wire = false }
      assert.equal(count, #assert(dr.groups(bench.client)))
      assert.equal(calls, #bench:requests(), count)
    end
  end)

  it("looks alone at a group that was not listed whole, and at no other", function()
    local spoiled = {
      function(list) table.remove(list, 3) end,
      function(list) list[#list + 1] = list[3] end,
      function(list) list[3].ReplicaGroupId = "pg-0099" end,
    }
    for i, spoil in ipairs(spoiled) do
      local own = {}
      local bench = bench_of({ world = world_of(12), wire = false }, function(request, answer)
        if request.action ~= "DescribeDiskReplicaPairs" then return end
        own[#own + 1] = request.params.ReplicaGroupId
        local is_whole = not request.params.ReplicaGroupId
        if is_whole and request.params.Site == "backup" then spoil(answer.result.ReplicaPairs) end
      end)
      local list = dr.groups(bench.client)
      assert.equal(1, #own, i)
      assert.same(without_ids(alone(bench, S)), without_ids(list))
    end
  end)

  it("shows no group that has gone meanwhile", function()
    local bench
    bench = bench_of({ world = world_of(12), wire = false }, function(request, answer)
      if request.action ~= "DescribeDiskReplicaGroups" or request.params.GroupIds then return end
      local list = answer.result.ReplicaGroups
      list[#list + 1] = { ReplicaGroupId = "pg-gone", Status = "normal", PairNumber = 2 }
    end)
    for _, snapshot in ipairs(dr.groups(bench.client)) do
      assert.is_true(snapshot.group_id ~= "pg-gone")
    end
  end)

  it("is an error where a page or a group could not be read", function()
    for nth = 1, 5 do
      local count = 0
      local bench = bench_of({ world = world_of(12), wire = false }, function()
        count = count + 1
        if count ~= nth then return nil end
        return { status = 403, headers = {}, body = '{"Code":"Forbidden","RequestId":"r"}' }
      end)
      local list, err = dr.groups(bench.client)
      if nth <= 4 then
        assert.is_nil(list)
        assert.equal("Forbidden", err.code)
      else
        assert.equal(9, #list)
      end
    end
  end)
end)

describe("the ids of a region's groups and lone pairs", function()
  it("have no pair that a group names and that does not know it yet", function()
    local bench = bench_of { world = world_of(30), wire = false,
      hostile = { membership = "pairs" } }
    local groups = assert(dr.group_ids(bench.client, { site = "backup" }))
    local all = assert(dr.group_ids(bench.client, { site = "backup", lone_pairs = true }))
    assert.is_true(#groups > 0 and #all > #groups)
    for i, id in ipairs(groups) do assert.equal(id, all[i + #all - #groups]) end
    for i = 1, #all - #groups do assert.matches("^pair%-lone%-", all[i]) end
  end)
end)
