-- One request for each operation that succeeds, with the world that it needs: what the coverage
-- spec starts from before it spoils something.

local M = {}

local S, D = "cn-hangzhou", "cn-shanghai"
local SOURCE, DESTINATION = S .. "/cn-hangzhou-g", D .. "/cn-shanghai-b"

-- A world with a group of one pair, a pair on its own, and disks for one more.
local function world_of(status)
  local age = status ~= "created" and 100
  return {
    regions = { { id = "cn-beijing", zones = { "cn-beijing-a" } } },
    groups = {
      { id = "pg-one", source = SOURCE, destination = DESTINATION, status = status,
        recover_point_age = age, pairs = { { id = "pair-in" } } },
      { id = "pg-two", source = SOURCE, destination = DESTINATION, status = status,
        recover_point_age = age, pairs = 0 },
    },
    pairs = { { id = "pair-one", source = SOURCE, destination = DESTINATION, status = status,
      recover_point_age = age, source_disk = "d-one-src", destination_disk = "d-one-dst" } },
    disks = { { id = "d-new-src", place = SOURCE }, { id = "d-new-dst", place = DESTINATION } },
    instances = { { id = "i-old", place = SOURCE }, { id = "i-new", place = DESTINATION } },
    resource_groups = { "rg-new" }, account = { quota = {} },
  }
end

local function case(status, params)
  return { world = world_of(status), params = params }
end

local function group(region, more)
  local params = { RegionId = region, ReplicaGroupId = "pg-one" }
  for name, value in pairs(more or {}) do params[name] = value end
  return params
end

local function pair(region, more)
  local params = { RegionId = region, ReplicaPairId = "pair-one" }
  for name, value in pairs(more or {}) do params[name] = value end
  return params
end

local function tagged(params)
  params.RegionId, params.ResourceType, params["ResourceId.1"] = S, "diskreplicagroup", "pg-one"
  return params
end

local PLACES = { RegionId = S, SourceZoneId = "cn-hangzhou-g", DestinationRegionId = D,
  DestinationZoneId = "cn-shanghai-b" }

local function places(more)
  local params = {}
  for _, given in ipairs { PLACES, more or {} } do
    for name, value in pairs(given) do params[name] = value end
  end
  return params
end

local function with_drill(kind, params)
  local made = case("normal", params)
  made.world.drills = { { id = "drill-1", [kind] = kind == "group" and "pg-one" or "pair-one",
    region = D, status = "executed", started = 1, recover_point = 1 } }
  return made
end

---@type table<string, fun(): { world: table, params: table<string, string> }>
M.valid = {
  DescribeRegions = function() return case("normal", { RegionId = S }) end,
  ListReplicaEdgeSupported = function()
    return case("normal", { RegionId = S, Azone = "cn-hangzhou-g" })
  end,
  CreateDiskReplicaPair = function()
    return case("normal", places { DiskId = "d-new-src", DestinationDiskId = "d-new-dst" })
  end,
  DescribeDiskReplicaPairs = function() return case("normal", { RegionId = S }) end,
  DescribeDiskReplicaPairProgress = function() return case("normal", pair(S)) end,
  ModifyDiskReplicaPair = function() return case("stopped", pair(S, { RPO = "900" })) end,
  StartDiskReplicaPair = function() return case("stopped", pair(S)) end,
  StopDiskReplicaPair = function() return case("normal", pair(S)) end,
  FailoverDiskReplicaPair = function() return case("normal", pair(D)) end,
  ReprotectDiskReplicaPair = function() return case("failovered", pair(D)) end,
  DeleteDiskReplicaPair = function() return case("stopped", pair(S)) end,
  AddDiskReplicaPair = function()
    return case("stopped", group(S, { ReplicaPairId = "pair-one" }))
  end,
  RemoveDiskReplicaPair = function()
    return case("stopped", group(S, { ReplicaPairId = "pair-in" }))
  end,
  CreateDiskReplicaGroup = function() return case("normal", places()) end,
  DescribeDiskReplicaGroups = function() return case("normal", { RegionId = S }) end,
  ModifyDiskReplicaGroup = function()
    return case("stopped", { RegionId = S, ReplicaGroupId = "pg-two", RPO = "900" })
  end,
  StartDiskReplicaGroup = function() return case("stopped", group(S)) end,
  StopDiskReplicaGroup = function() return case("normal", group(S)) end,
  FailoverDiskReplicaGroup = function() return case("normal", group(D)) end,
  ReprotectDiskReplicaGroup = function() return case("failovered", group(D)) end,
  DeleteDiskReplicaGroup = function()
    return case("stopped", { RegionId = S, ReplicaGroupId = "pg-two" })
  end,
  StartPairDrill = function() return case("normal", { RegionId = D, PairId = "pair-one" }) end,
  StartReplicaGroupDrill = function()
    return case("normal", { RegionId = D, GroupId = "pg-one" })
  end,
  DescribePairDrills = function()
    return with_drill("pair", { RegionId = D, PairId = "pair-one" })
  end,
  DescribeReplicaGroupDrills = function()
    return with_drill("group", { RegionId = D, GroupId = "pg-one" })
  end,
  ClearPairDrill = function()
    return with_drill("pair", { RegionId = D, PairId = "pair-one", DrillId = "drill-1" })
  end,
  ClearReplicaGroupDrill = function()
    return with_drill("group", { RegionId = D, GroupId = "pg-one", DrillId = "drill-1" })
  end,
  TagResources = function()
    return case("normal", tagged { ["Tag.1.Key"] = "team", ["Tag.1.Value"] = "a" })
  end,
  UntagResources = function() return case("normal", tagged { ["TagKey.1"] = "team" }) end,
  ListTagResources = function() return case("normal", tagged {}) end,
  ChangeResourceGroup = function()
    return case("normal", { RegionId = S, ResourceType = "diskreplicagroup",
      ResourceId = "pg-one", NewResourceGroupId = "rg-new" })
  end,
  DescribeUserTagKeys = function() return case("normal", {}) end,
  DescribeUserTagValues = function() return case("normal", { TagKey = "team" }) end,
}

return M
