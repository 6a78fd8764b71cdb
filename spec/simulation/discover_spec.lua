-- The world of a playbook, found by what it asks for.

local demo = require "alicloud.emulator.demo"
local discover = require "alicloud.simulation.discover"
local dr = require "alicloud.dr"
local emulator = require "alicloud.emulator"
local lab = require "spec.simulation.lab"
local scratch = require "spec.scratch"
local simulation = require "alicloud.simulation"

local function ids_of(groups)
  local ids = {}
  for i, group in ipairs(groups) do ids[i] = group.id end
  return ids
end

local function found(asked, like, side)
  local world = { regions = { "cn-beijing" }, groups = {} }
  return discover.complete(world, function()
    return emulator.new { world = world, seed = 1 }, asked
  end, like, side), world
end

describe("the world finder", function()
  it("finds the same groups whether requests are signed and sent as bytes or not", function()
    local playbook = assert(require "alicloud.dr.playbook".load(lab.TWO, scratch.read))
    for _, wire in ipairs { false, true } do
      local plan = assert(simulation.plan(playbook, { region = "cn-shanghai", wire = wire }))
      assert.same({ "pg-one", "pg-two" }, ids_of(plan.world.groups))
    end
  end)

  it("takes one id, and lists of them, and nothing that is no id", function()
    local groups, world = found({ { group = "pg-a", region = "cn-shanghai" },
      { group = '["pg-b", "pg-c"]', region = "cn-shanghai" },
      { group = "pg-c,pg-d", region = "cn-hangzhou" }, { group = "pg-e" }, {},
      { group = "pg-f/../*", region = "cn-shanghai" } }, { status = "normal" })
    assert.same({ "pg-a", "pg-b", "pg-c", "pg-d" }, ids_of(groups))
    assert.same({ "cn-beijing", "cn-shanghai", "cn-hangzhou" }, world.regions)
    assert.equal("cn-beijing/cn-beijing-a", groups[1].source)
    assert.equal("cn-hangzhou/cn-hangzhou-a", groups[4].destination)
    assert.equal("normal", groups[1].status)
  end)

  it("takes groups of the demo as they are described there", function()
    local groups = found({ { group = "pg-orders", region = "cn-shanghai" },
      { group = "pg-empty", region = "cn-shanghai" } }, { pairs = 2 })
    assert.equal(demo.groups[1].source, groups[1].source)
    assert.equal(3, groups[1].pairs)
    assert.equal(2, groups[2].pairs)
  end)

  it("puts groups between two zones where a zone was named", function()
    local groups = found({ { group = "pg-a", region = "cn-hangzhou" },
      { group = "pg-b", region = "cn-shanghai" } }, nil, "cn-hangzhou-h")
    assert.equal("cn-hangzhou/cn-hangzhou-h", groups[1].destination)
    assert.matches("^cn%-hangzhou/cn%-hangzhou%-%l$", groups[1].source)
    assert.equal("cn-shanghai/cn-shanghai-a", groups[2].destination)
    assert.equal("cn-hangzhou/cn-hangzhou-h",
      lab.world(lab.ZONES).groups[1].destination)
  end)

  it("does not invent a group that the playbook has made itself", function()
    local playbook = dr.playbook("spec", function(run)
      local orders = run:group("pg-orders", { region = "cn-shanghai" })
      run:step("look", function() return orders:precheck {} end)
      local made = run:step("make", function(own)
        return own.client:call("CreateDiskReplicaGroup", { SourceZoneId = "cn-hangzhou-g",
          DestinationRegionId = "cn-shanghai", DestinationZoneId = "cn-shanghai-b",
          GroupName = "new" }, { region = "cn-hangzhou" })
      end)
      run:step("see", function(own)
        return own.client:call("DescribeDiskReplicaGroups", { RegionId = "cn-shanghai",
          GroupIds = made.ReplicaGroupId })
      end)
    end)
    local plan = assert(simulation.plan(playbook, { region = "cn-shanghai" }))
    assert.same({ "pg-orders" }, ids_of(plan.world.groups))
  end)
end)
