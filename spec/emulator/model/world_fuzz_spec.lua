-- World files with anything in any place: what is wrong is said by the name of its field, and
-- nothing that was taken breaks a request.

local callers = require "spec.emulator.caller"
local core = require "alicloud.core"
local emulator = require "alicloud.emulator"

local ROUNDS = 3000

-- The same numbers on every machine.
local function dice(seed)
  local state = seed
  return function(n)
    state = (state * 6364136223846793005 + 1442695040888963407) & math.maxinteger
    return (state >> 20) % n + 1
  end
end

-- A world in which everything has been written at least once.
local function busy_world()
  local caller = callers.new {}
  local emu = caller.emu
  caller:call("StartReplicaGroupDrill", { RegionId = "cn-shanghai", GroupId = "pg-payments",
    ReplicaGroupId = "pg-payments" })
  caller:failover "pg-orders"
  emu:advance(5)
  local world = core.decode(core.encode(emu:snapshot()))
  world.pairs = { { id = "pair-alone", source = "cn-hangzhou/cn-hangzhou-g", joining = "pg-empty",
    destination = "cn-shanghai/cn-shanghai-b", tags = { team = "shop" } } }
  world.account.quota = { pairs = 100, tag_requests = 5 }
  world.account.deny_actions = { "ebs:StopDiskReplicaGroup" }
  world.timings = { initial_sync = 60, sync = 1 }
  world.later = { { at = world.now + 10, action = "FailoverDiskReplicaGroup",
    version = "2021-07-30", request_id = "R-1", partial = { "pair-payments-1" },
    params = { RegionId = "cn-shanghai", ReplicaGroupId = "pg-payments" } } }
  return world
end

local function odd_values()
  return { {}, { 1 }, { x = 1 }, { {} }, { { id = {} } }, "", "x", "pg-orders", "\0\xff\27[2J",
    -1, 0, 1.5, 1e300, -1e300, math.huge, 0 / 0,
    math.maxinteger, math.mininteger, true, false, core.null,
    print, core.array {}, { [2] = "x" }, { "x", y = "x" }, ("x"):rep(5000) }
end

-- Puts something into some place of a table, or takes something out of it.
local function mutate(value, roll)
  local holder, key = value
  while true do
    local keys = {}
    for name in pairs(holder) do keys[#keys + 1] = name end
    table.sort(keys, function(a, b) return tostring(a) < tostring(b) end)
    if #keys == 0 then keys[1] = "extra" end
    key = keys[roll(#keys)]
    if type(holder[key]) ~= "table" or roll(4) == 1 then break end
    holder = holder[key]
  end
  local odd = odd_values()
  local act = roll(8)
  if act == 1 then holder[key] = nil
  elseif act == 2 then holder.unknown = odd[roll(#odd)]
  elseif act == 3 then holder[roll(4)] = odd[roll(#odd)]
  else holder[key] = odd[roll(#odd)] end
end

-- An error that names a line of the program is one that nobody thought of.
local function is_internal(message)
  return type(message) ~= "string" or message:find "%.lua:%d+: attempt" ~= nil
    or message:find "stack traceback" ~= nil or message:find "bad argument" ~= nil
    or message:find "number has no integer" ~= nil or message:find "invalid " ~= nil
end

local function use(emu)
  local caller = setmetatable({ emu = emu, count = 0 }, getmetatable(callers.new {}))
  for _ = 1, 3 do
    emu:snapshot()
    for _, action in ipairs { "DescribeDiskReplicaGroups", "DescribeDiskReplicaPairs",
      "DescribeReplicaGroupDrills" } do
      local _, status = caller:call(action, { RegionId = "cn-shanghai" })
      assert(status ~= 500, action)
    end
    caller:call("FailoverDiskReplicaGroup",
      { RegionId = "cn-shanghai", ReplicaGroupId = "pg-payments" })
    emu:advance(100)
  end
  core.encode(emu:snapshot())
end

describe("a world with anything anywhere", function()
  local good = core.encode(busy_world())

  it("is good before", function()
    use(emulator.new { world = core.decode(good) })
  end)

  it("is refused by the name of the field, or works", function()
    local roll, refused = dice(20261128), 0
    for round = 1, ROUNDS do
      local world = core.decode(good)
      for _ = 1, roll(2) do mutate(world, roll) end
      local ok, emu = pcall(emulator.new, { world = world })
      if ok then
        local used, raised = pcall(use, emu)
        assert(used, ("round %d: %s"):format(round, tostring(raised)))
      else
        refused = refused + 1
        assert(not is_internal(emu), ("round %d: %s"):format(round, tostring(emu)))
      end
    end
    assert.is_true(refused > ROUNDS / 4)
  end)
end)
