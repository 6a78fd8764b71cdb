--- The operations that the model knows, by product and name: what each requires, and its functions.
-- The version of the API tells which product is meant.

local describe = require "alicloud.emulator.operations.describe"
local drills = require "alicloud.emulator.operations.drills"
local ecs = require "alicloud.emulator.operations.ecs"
local edges = require "alicloud.emulator.operations.edges"
local failover = require "alicloud.emulator.operations.failover"
local groups = require "alicloud.emulator.operations.groups"
local membership = require "alicloud.emulator.operations.membership"
local pairs_ = require "alicloud.emulator.operations.pairs"
local snapshots = require "alicloud.emulator.operations.snapshots"
local sts = require "alicloud.emulator.gateway.sts"
local tables = require "alicloud.base.tables"
local tags = require "alicloud.emulator.operations.tags"

local M = {}

---@class alicloud.emulator.Operation
---@field required string[]
---@field mutating boolean  has an effect
---@field heeds_token boolean  remembers ClientTokens
---@field assumed_token boolean|nil  true: undocumented, so the switch token_everywhere decides
---@field billed boolean  refused without balance (its table lists NotEnoughBalance)
---@field needs_role boolean  refused without the service-linked role (NoPermission.SLR)
---@field resources string[]  names of parameters that hold resource ids, for permissions
---@field check (fun(emu, params, now): alicloud.emulator.Refusal|nil, any)|nil  changes nothing
---@field act (fun(emu, params, context, subject): table)|nil
---@field run fun(emu, params, context): table|nil, alicloud.emulator.Refusal|nil

local IDS = { "ReplicaGroupId", "ReplicaPairId", "GroupId", "PairId", "GroupIds", "PairIds",
  "ResourceId", "ResourceId.1", "InstanceId", "DiskId" }

-- Every change is a check, which changes nothing, and then an act, which cannot be refused.
local function run_checked(check, act)
  return function(emu, params, context)
    local refusal, subject = check(emu, params, context.now)
    if refusal then return nil, refusal end
    return act(emu, params, context, subject)
  end
end

local function operation(work, required, more)
  local entry = { required = required, mutating = work.act ~= nil, heeds_token = work.act ~= nil,
    billed = false, needs_role = false, resources = IDS, check = work.check, act = work.act,
    run = work.run or run_checked(work.check, work.act) }
  for name, value in pairs(more or {}) do entry[name] = value end
  return entry
end

local GROUP = { "RegionId", "ReplicaGroupId" }
local PAIR = { "RegionId", "ReplicaPairId" }
local BOTH = { "RegionId", "ReplicaGroupId", "ReplicaPairId" }
-- Drill, tag and resource group operations share a part of their tables of error codes. It lists
-- LastTokenProcessing even where no ClientToken is documented.
local NEWER = { heeds_token = true, assumed_token = true, billed = true, needs_role = true }

---@type table<string, alicloud.emulator.Operation>
local ebs = {
  DescribeRegions = operation({ run = describe.regions }, {}),
  ListReplicaEdgeSupported = operation({ run = edges.list }, { "RegionId", "Azone" }),

  CreateDiskReplicaPair = operation(pairs_.create, { "RegionId", "SourceZoneId", "DiskId",
    "DestinationRegionId", "DestinationZoneId", "DestinationDiskId" }, { billed = true }),
  DescribeDiskReplicaPairs = operation({ run = describe.pairs }, { "RegionId" }),
  DescribeDiskReplicaPairProgress = operation({ run = pairs_.progress }, PAIR),
  ModifyDiskReplicaPair = operation(pairs_.modify, PAIR),
  StartDiskReplicaPair = operation(pairs_.start, PAIR),
  StopDiskReplicaPair = operation(pairs_.stop, PAIR),
  FailoverDiskReplicaPair = operation(failover.pair, PAIR),
  ReprotectDiskReplicaPair = operation(pairs_.reprotect, PAIR),
  DeleteDiskReplicaPair = operation(pairs_.delete, PAIR),

  AddDiskReplicaPair = operation(membership.add, BOTH),
  RemoveDiskReplicaPair = operation(membership.remove, BOTH),

  CreateDiskReplicaGroup = operation(groups.create,
    { "RegionId", "SourceZoneId", "DestinationRegionId", "DestinationZoneId" }),
  DescribeDiskReplicaGroups = operation({ run = describe.groups }, { "RegionId" }),
  ModifyDiskReplicaGroup = operation(groups.modify, GROUP),
  StartDiskReplicaGroup = operation(groups.start, GROUP),
  StopDiskReplicaGroup = operation(groups.stop, GROUP),
  FailoverDiskReplicaGroup = operation(failover.group, GROUP),
  ReprotectDiskReplicaGroup = operation(groups.reprotect, GROUP),
  DeleteDiskReplicaGroup = operation(groups.delete, GROUP),

  StartPairDrill = operation(drills.start_pair, { "RegionId", "PairId" }, NEWER),
  StartReplicaGroupDrill = operation(drills.start_group, { "RegionId", "GroupId" }, NEWER),
  DescribePairDrills = operation(drills.describe_pair, { "RegionId", "PairId" }, NEWER),
  DescribeReplicaGroupDrills = operation(drills.describe_group, { "RegionId", "GroupId" }, NEWER),
  ClearPairDrill = operation(drills.clear_pair, { "RegionId", "PairId", "DrillId" }, NEWER),
  ClearReplicaGroupDrill =
    operation(drills.clear_group, { "RegionId", "GroupId", "DrillId" }, NEWER),

  TagResources = operation(tags.tag, { "RegionId" }, NEWER),
  UntagResources = operation(tags.untag, { "RegionId" }, NEWER),
  ListTagResources = operation(tags.list, { "RegionId" }, NEWER),
  DescribeUserTagKeys = operation(tags.user_keys, {}),
  DescribeUserTagValues = operation(tags.user_values, {}),
  ChangeResourceGroup = operation(tags.change_resource_group, { "RegionId", "ResourceId" }, NEWER),
}

local DISK = { "InstanceId", "DiskId" }
local NO_TOKEN = { heeds_token = false }

---@type table<string, alicloud.emulator.Operation>
local ecs_operations = {
  AttachDisk = operation(ecs.attach, DISK, NO_TOKEN),
  DetachDisk = operation(ecs.detach, DISK, NO_TOKEN),
  StartInstance = operation(ecs.start, { "InstanceId" }, NO_TOKEN),
  StopInstance = operation(ecs.stop, { "InstanceId" }, NO_TOKEN),
  DescribeDisks = operation(ecs.describe_disks, { "RegionId" }),
  DescribeInstances = operation(ecs.describe_instances, { "RegionId" }),
  DescribeSnapshots = operation(snapshots.describe, { "RegionId" }),
}

local ROLE = { "RoleArn", "RoleSessionName" }

---@type table<string, alicloud.emulator.Operation>
local sts_operations = {
  AssumeRole = operation(sts.work.assume, ROLE),
  AssumeRoleWithOIDC = operation(sts.work.assume_with_oidc,
    { "OIDCProviderArn", "OIDCToken", "RoleArn", "RoleSessionName" }),
  GetCallerIdentity = operation(sts.work.caller, {}),
}

local EBS = "2021-07-30"

---@type table<string, { product: string, operations: table<string, alicloud.emulator.Operation> }>
M.products = {
  [EBS] = { product = "ebs", operations = ebs },
  ["2014-05-26"] = { product = "ecs", operations = ecs_operations },
  ["2015-04-01"] = { product = "sts", operations = sts_operations },
}

--- Finds an operation by version and name.
---@param version string|nil
---@param action string
---@return alicloud.emulator.Operation|nil
---@return string|nil product
function M.find(version, action)
  local product = M.products[version]
  local found = product and product.operations[action]
  if found then return found, product.product end
  return nil
end

--- Finds an operation by its name, whatever its product.
---@param action string|nil
---@return alicloud.emulator.Operation|nil
function M.of_action(action)
  for _, product in pairs(M.products) do
    if product.operations[action] then return product.operations[action] end
  end
  return nil
end

--- The names of the operations of a version; for an unknown version those of ebs.
---@param version string|nil
---@return string[]  sorted
function M.names(version)
  return tables.keys((M.products[version] or M.products[EBS]).operations)
end

return M
