-- What must be the matter so that an operation is refused with a code: each cause spoils the world
-- or the request of a valid case, none is a fault rule.

local M = {}

local S, D, ELSEWHERE = "cn-hangzhou", "cn-shanghai", "cn-beijing"
local DENIED = "OperationDenied."

local function account(name, value)
  return function(case) case.world.account[name] = value end
end

local function quota(name, value)
  return function(case) case.world.account.quota[name] = value end
end

local function params(changes)
  return function(case)
    for name, value in pairs(changes) do case.params[name] = value or nil end
  end
end

local function assume(name, value)
  return function(case) case.assume = { [name] = value } end
end

local function both(...)
  local list = { ... }
  return function(case) for _, cause in ipairs(list) do cause(case) end end
end

local function trouble(condition)
  return function(case)
    case.prepare = function(probe)
      for _, region in ipairs { S, D } do probe.emu:region(region, condition) end
    end
  end
end

-- The same request again, while the first is still at work in an overloaded region.
local function still_processing(case)
  trouble "overloaded"(case)
  local prepare = case.prepare
  case.params.ClientToken = "same"
  case.prepare = function(probe, action)
    prepare(probe)
    probe:call(action, case.params)
  end
end

local function token_reused(name, value)
  return function(case)
    case.params.ClientToken = "same"
    case.prepare = function(probe, action)
      probe:call(action, case.params)
      case.params[name] = value
    end
  end
end

local function group(changes)
  return function(case)
    for name, value in pairs(changes) do case.world.groups[1][name] = value end
  end
end

local function pair(changes)
  return function(case)
    for name, value in pairs(changes) do case.world.pairs[1][name] = value end
  end
end

local function member(changes)
  return function(case)
    for name, value in pairs(changes) do case.world.groups[1].pairs[1][name] = value end
  end
end

-- Its direction has been reversed: the sides of creation are the other way round.
local function reversed(unit)
  return function(case)
    local about = case.world[unit][1]
    about.initial_source, about.initial_destination = about.destination, about.source
    if case.params.ReplicaGroupId == "pg-two" then
      about = case.world.groups[2]
      about.initial_source, about.initial_destination = about.destination, about.source
    end
  end
end

local function attached(disk, place)
  return function(case)
    table.insert(case.world.disks, { id = disk, place = place, instance = "i-new" })
  end
end

local function one_shot_twice(case)
  case.params.OneShot = "true"
  case.prepare = function(probe, action)
    probe:call(action, case.params)
    probe.emu:advance(200)
  end
end

local function many(name, count, suffix, text)
  return function(case)
    for number = 1, count do
      case.params[("%s.%d%s"):format(name, number, suffix or "")] = (text or "x%d"):format(number)
    end
  end
end

local WRONG_STATUS = { groups = group { status = "reprotecting" },
  pairs = pair { status = "reprotecting" } }

local OTHER_ZONE = { destination = D .. "/cn-shanghai-e", source = S .. "/cn-hangzhou-g" }

local function set_path(case) case.changes = { path = "/v2" } end

-- Causes that are the same for every operation whose table has the code.
local COMMON = {
  Forbidden = account("deny_resources", { "*" }),
  NoSuchResource = params { RegionId = ELSEWHERE },
  InternalError = trouble "failing",
  RequestTimeout = trouble "overloaded",
  OperationDenied = account("suspended", true),
  ["InvalidAccountStatus.NotEnoughBalance"] = account("in_arrears", true),
  ["NoPermission.SLR"] = account("service_role", false),
  LastTokenProcessing = still_processing,
  MissingParameter = params { RegionId = false },
  ["InvalidApi.NotFound"] = set_path,
  [DENIED .. "StandbyDeviceAttached"] = function(case)
    attached("d-one-dst", D .. "/cn-shanghai-b")(case)
    attached("d-in-dst", D .. "/cn-shanghai-b")(case)
  end,
  [DENIED .. "ManualSyncLimit"] = one_shot_twice,
  [DENIED .. "RecoverPointNotFound"] = both(group { recover_point_age = false },
    pair { recover_point_age = false }),
  [DENIED .. "StartDrillShouldOnDestRegion"] = params { RegionId = S },
  ["Forbidden.Action"] = function(case)
    case.world.account.deny_actions = { "*" }
  end,
}

local function create(maintenance)
  return function(case)
    case.prepare = function(probe) probe.emu:region(D, maintenance) end
  end
end


local function drill(own, other)
  return {
    InvalidParameter = params { [own] = ("x"):rep(200) },
    ["InvalidParameter.Format"] = params { [own] = "no id" },
    ["InvalidParameter.Conflict"] = params { [other] = "x-1" },
  }
end

local PAIR_DRILL, GROUP_DRILL = drill("PairId", "GroupId"), drill("GroupId", "PairId")

local TAGS = {
  InvalidParameter = params { ["Tag.1.Key"] = "acs:mine", ["TagKey.1"] = "acs:mine" },
  ["InvalidParameter.Conflict"] = params { ["ResourceId.1"] = "pair-one" },
  ["InvalidParameter.Format"] = params { ["ResourceId.1"] = "no id" },
  ["Duplicate.TagKey"] = both(many("Tag", 2, ".Key", "same"), many("TagKey", 2, "", "same")),
  ["NumberExceed.ResourceIds"] = many("ResourceId", 51),
  ["NumberExceed.Tags"] = both(many("Tag", 21, ".Key"), many("TagKey", 21)),
  ["InvalidResourceId.NotFound"] = params { ["ResourceId.1"] = "pg-unknown" },
  ["InvalidResourceType.NotFound"] = params { ResourceType = "disk" },
  ["InvalidRegionId.NotFound"] = params { RegionId = "cn-nowhere" },
  ["MissingParameter.ResourceType"] = params { ResourceType = false },
  [DENIED .. "QuotaExceed"] = quota("tag_requests", 0),
  IdempotentParameterMismatch = token_reused("ResourceType", "diskreplicapair"),
}

local MEMBERSHIP = {
  [DENIED .. "PairGroupAZoneConflict"] = both(pair(OTHER_ZONE), member(OTHER_ZONE)),
}

local function extended(base, more)
  local all = {}
  for _, set in ipairs { base, more } do
    for code, cause in pairs(set) do all[code] = cause end
  end
  return all
end

local SIDES_OF_PAIR = {
  [DENIED .. "OperateNotAllowedForPrimary"] = params { RegionId = S },
  [DENIED .. "OperateNotAllowedForStandby"] = both(params { RegionId = S }, reversed "pairs"),
}
local SIDES_OF_GROUP = {
  [DENIED .. "OperateNotAllowedForPrimary"] = params { RegionId = S },
  [DENIED .. "OperateNotAllowedForStandby"] = both(params { RegionId = S }, reversed "groups"),
}
local MODIFY_PAIR = {
  [DENIED .. "InvalidStatus"] = WRONG_STATUS.pairs,
  [DENIED .. "OperateNotAllowedForStandby"] = params { RegionId = D },
  [DENIED .. "OperateNotAllowedForPrimary"] = both(params { RegionId = D }, reversed "pairs"),
}

-- Causes of one operation, before the common ones.
local OWN = {
  DescribeRegions = { NoSuchResource = params { RegionId = "cn-nowhere" } },
  DescribeDiskReplicaPairs = {
    NoSuchResource = params { RegionId = "cn-nowhere" },
    [DENIED .. "InvalidStatus"] = both(pair { status = "deleted" },
      params { PairIds = "pair-one" }, assume("describe_deleted", "refuse")),
  },
  DescribeDiskReplicaGroups = {
    NoSuchResource = params { RegionId = "cn-nowhere" },
    [DENIED .. "InvalidStatus"] = both(group { status = "deleted" },
      params { GroupIds = "pg-one" }, assume("describe_deleted", "refuse")),
  },
  DescribeUserTagKeys = { NoSuchResource = params { RegionId = "cn-nowhere" } },
  DescribeUserTagValues = { NoSuchResource = params { RegionId = "cn-nowhere" } },
  DescribeDiskReplicaPairProgress = { [DENIED .. "InvalidStatus"] = pair { status = "creating" } },
  CreateDiskReplicaPair = {
    IdempotentParameterMismatch = token_reused("Description", "another"),
    [DENIED .. "InvalidStatus"] = create "maintenance",
    [DENIED .. "QuotaExceed"] = quota("pairs", 2),
  },
  CreateDiskReplicaGroup = {
    [DENIED .. "InvalidStatus"] = create "maintenance",
    [DENIED .. "QuotaExceed"] = quota("groups", 2),
    [DENIED .. "TooMuchEmptyGroup"] = quota("empty_groups", 1),
  },
  ModifyDiskReplicaPair = MODIFY_PAIR,
  ModifyDiskReplicaGroup = {
    [DENIED .. "GroupHasPair"] = params { ReplicaGroupId = "pg-one" },
    [DENIED .. "InvalidStatus"] = function(case)
      case.world.groups[2].status = "normal"
    end,
    [DENIED .. "OperateNotAllowedForStandby"] = params { RegionId = D },
    [DENIED .. "OperateNotAllowedForPrimary"] = both(params { RegionId = D }, reversed "groups"),
  },
  StartDiskReplicaPair = { [DENIED .. "InvalidStatus"] = WRONG_STATUS.pairs },
  StopDiskReplicaPair = { [DENIED .. "InvalidStatus"] = WRONG_STATUS.pairs },
  DeleteDiskReplicaPair = { [DENIED .. "InvalidStatus"] = WRONG_STATUS.pairs },
  StopDiskReplicaGroup = { [DENIED .. "InvalidStatus"] = WRONG_STATUS.groups },
  DeleteDiskReplicaGroup = {
    [DENIED .. "GroupHasPair"] = params { ReplicaGroupId = "pg-one" },
    [DENIED .. "InvalidStatus"] = function(case) case.world.groups[2].status = "normal" end,
  },
  FailoverDiskReplicaPair = extended(SIDES_OF_PAIR, {
    [DENIED .. "InvalidStatus"] = pair { status = "invalid" },
  }),
  ReprotectDiskReplicaPair = extended(SIDES_OF_PAIR, {
    [DENIED .. "InvalidStatus"] = WRONG_STATUS.pairs,
    [DENIED .. "NoPairInGroup"] = pair { group = "pg-two" },
    [DENIED .. "PairNotInGroup"] = pair { group = "pg-one" },
    [DENIED .. "PairGroupAZoneConflict"] = both(member(OTHER_ZONE),
      params { ReplicaPairId = "pair-in" }),
    [DENIED .. "PairGroupStatusConflict"] = both(member { status = "stopped" },
      params { ReplicaPairId = "pair-in" }),
  }),
  StartDiskReplicaGroup = {
    [DENIED .. "InvalidStatus"] = WRONG_STATUS.groups,
    [DENIED .. "NoPairInGroup"] = params { ReplicaGroupId = "pg-two" },
    [DENIED .. "PairNotInGroup"] = member { group = "pg-two" },
    [DENIED .. "PairGroupStatusConflict"] = member { status = "created" },
    [DENIED .. "PairGroupAZoneConflict"] = member(OTHER_ZONE),
  },
  FailoverDiskReplicaGroup = extended(SIDES_OF_GROUP, {
    [DENIED .. "InvalidStatus"] = WRONG_STATUS.groups,
    [DENIED .. "NoPairInGroup"] = params { ReplicaGroupId = "pg-two" },
    [DENIED .. "PairGroupStatusConflict"] = member { status = "stopped" },
    [DENIED .. "PairGroupAZoneConflict"] = member(OTHER_ZONE),
    [DENIED .. "PairInAnotherGroup"] = member { group = "pg-two" },
  }),
  ReprotectDiskReplicaGroup = extended(SIDES_OF_GROUP, {
    [DENIED .. "InvalidStatus"] = WRONG_STATUS.groups,
    [DENIED .. "NoPairInGroup"] = params { ReplicaGroupId = "pg-two" },
  }),
  AddDiskReplicaPair = extended(MEMBERSHIP, {
    [DENIED .. "InvalidStatus"] = group { status = "deleting" },
    [DENIED .. "GroupStatusCannotAddPair"] = group { status = "normal" },
    [DENIED .. "PairStatusCannotAddToGroup"] = pair { status = "normal" },
    [DENIED .. "PairInitializing"] = pair { status = "initial_syncing" },
    [DENIED .. "PairGroupStatusConflict"] = pair { status = "created" },
    [DENIED .. "PairInAnotherGroup"] = pair { group = "pg-two" },
    [DENIED .. "PairsExceedInGroup"] = group { pairs = 17 },
    [DENIED .. "GroupTotalDiskCapacityLimit"] = quota("group_capacity", 150),
    [DENIED .. "QuotaExceed"] = quota("grouped_pairs", 1),
  }),
  RemoveDiskReplicaPair = extended(MEMBERSHIP, {
    [DENIED .. "InvalidStatus"] = group { status = "deleting" },
    [DENIED .. "GroupStatusCannotRemovePair"] = group { status = "normal" },
    [DENIED .. "PairStatusCannotRemoveFromGroup"] = member { status = "normal" },
    [DENIED .. "PairGroupStatusConflict"] = member { status = "created" },
    [DENIED .. "NoPairInGroup"] = params { ReplicaGroupId = "pg-two",
      ReplicaPairId = "pair-one" },
    [DENIED .. "PairNotInGroup"] = params { ReplicaPairId = "pair-one" },
    [DENIED .. "PairInAnotherGroup"] = params { ReplicaGroupId = "pg-two" },
  }),
  StartPairDrill = PAIR_DRILL, DescribePairDrills = PAIR_DRILL, ClearPairDrill = PAIR_DRILL,
  StartReplicaGroupDrill = GROUP_DRILL, DescribeReplicaGroupDrills = GROUP_DRILL,
  ClearReplicaGroupDrill = GROUP_DRILL,
  TagResources = TAGS, UntagResources = TAGS, ListTagResources = TAGS,
  ChangeResourceGroup = extended(TAGS, {
    InvalidParameter = params { NewResourceGroupId = ("x"):rep(100) },
    ["InvalidParameter.Conflict"] = params { ResourceId = "pair-one" },
    ["InvalidParameter.Format"] = params { ResourceId = "no id" },
    ["InvalidResourceId.NotFound"] = params { ResourceId = "pg-unknown" },
    ["InvalidResourceGroup.NotFound"] = params { NewResourceGroupId = "rg-unknown" },
    ["MissingParameter.ResourceGroup"] = params { NewResourceGroupId = false },
    [DENIED .. "QuotaExceed"] = quota("resource_group", 0),
  }),
}

--- The cause of a code for an operation.
---@param operation string
---@param code string
---@return (fun(case: table))|nil
function M.find(operation, code)
  local own = OWN[operation]
  return own and own[code] or COMMON[code]
end

return M
