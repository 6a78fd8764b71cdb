--- Replication pair-consistent groups: pairs that are started, stopped and failed over together,
--- at one recovery point.
--
-- Which region accepts Start, Stop, Modify and Delete after a reverse is not documented: try the
-- group's current SourceRegionId, and after NoSuchResource or OperateNotAllowed… the other region.

local paging = require "alicloud.service.common.paging"
local response = require "alicloud.service.common.response"
local shared = require "alicloud.service.ebs.shared"

local param = shared.params

local ONE = "diskreplicagroup/{ReplicaGroupId}"

local function of_group(region, more)
  return shared.merged(
    { RegionId = region, ReplicaGroupId = param.group, ClientToken = param.token }, more)
end

local create = {
  summary = "Makes an empty group between two zones.",
  mutating = true, token = true, region = "source", timeout = 30, per_second = 40,
  ram = { level = "create", resource = "diskreplicagroup/*" },
  params = {
    RegionId = param.source_region,
    SourceZoneId = param.source_zone,
    DestinationRegionId = param.target_region,
    DestinationZoneId = param.target_zone,
    GroupName = param.group_name,
    Description = param.description,
    RPO = shared.with("rpo", { doc = "recovery point objective; it overrides that of the pairs" }),
    Bandwidth = param.bandwidth,
    EnableRtc = param.rtc,
    ResourceGroupId = param.resource_group,
    Tag = param.new_tags,
    ClientToken = param.token,
  },
  response = response.of { "ReplicaGroupId", "RequestId" },
  waiter = "group_created",
  errors = shared.denials { "OperationDenied.QuotaExceed", "OperationDenied.TooMuchEmptyGroup" },
}

local describe = {
  summary = "Reads replication pair-consistent groups as one region sees them.",
  mutating = false, token = false, region = "group", timeout = 10,
  -- Source: the operation's page of 2026, which names both patterns.
  ram = { level = "list", resource = "diskreplicagroup/*", also = ONE },
  params = paging.with_params({
    RegionId = shared.with("region", { doc = "either region of the group; see Site" }),
    GroupIds = { type = "ids", max_items = 100, doc = "groups to read; all if absent" },
    Site = param.site,
    Name = param.name_filter,
    ResourceGroupId = param.resource_group,
    Tag = param.tag_filter,
  }, 500),
  paging = paging.of("ReplicaGroups", 500),
  shows = "group",
  response = response.page("ReplicaGroups[].", {
    "ReplicaGroupId", "GroupName", "Description", "Status",
    -- The sides as they are now; a reverse exchanges them.
    "SourceRegionId", "SourceZoneId", "DestinationRegionId", "DestinationZoneId",
    -- The sides as they were when the group was created.
    "PrimaryRegion", "PrimaryZone", "StandbyRegion", "StandbyZone", "Site",
    { "RPO", "integer", "s" },
    -- Absent until the first cycle has ended.
    { "LastRecoverPoint", "integer", "unix s" },
    -- One element may hold several ids with commas between them.
    "PairIds[]", { "PairNumber", "integer" }, { "Bandwidth", "integer", "Kbit/s" },
    { "EnableRtc", "boolean" }, "ResourceGroupId", "Tags[].TagKey", "Tags[].TagValue",
  }),
  errors = shared.denials(),
}

local modify = {
  summary = "Changes name, description or replication time control of a group.",
  mutating = true, token = true, region = "group", timeout = 30,
  ram = { level = "update", resource = ONE },
  legal_states = { group = { "created", "stopped" } },
  params = of_group(param.group_region, {
    GroupName = param.group_name,
    Description = param.description,
    RPO = param.rpo,
    Bandwidth = param.bandwidth,
    EnableRtc = param.rtc,
  }),
  response = response.accepted,
  errors = shared.denials {
    "OperationDenied.GroupHasPair", "OperationDenied.OperateNotAllowedForPrimary",
    "OperationDenied.OperateNotAllowedForStandby",
  },
}

local start = {
  summary = "Starts replication of all pairs: a first full copy, later only what has changed.",
  mutating = true, token = true, region = "group", timeout = 30, per_second = 40,
  ram = { level = "update", resource = ONE, inferred = true },
  legal_states = {
    group = { "created", "syncing", "normal", "stopped" },
    -- With OneShot=true.
    group_one_shot = { "created", "manual_syncing", "stopped" },
  },
  params = of_group(param.group_region, { OneShot = param.one_shot }),
  response = response.accepted,
  waiter = "group_normal",
  errors = shared.denials {
    "OperationDenied.StandbyDeviceAttached", "OperationDenied.ManualSyncLimit",
    "OperationDenied.NoPairInGroup", "OperationDenied.PairNotInGroup",
    "OperationDenied.PairGroupStatusConflict", "OperationDenied.PairGroupAZoneConflict",
  },
}

local stop = {
  summary = "Stops replication of all pairs; the cycle that runs is dropped.",
  mutating = true, token = true, region = "group", timeout = 30, per_second = 40,
  ram = { level = "update", resource = ONE, inferred = true },
  legal_states = {
    group = { "manual_syncing", "syncing", "normal", "stopping", "stop_failed", "stopped" },
  },
  params = of_group(param.group_region),
  response = response.accepted,
  waiter = "group_stopped",
  errors = shared.denials(),
}

local failover = {
  summary = "Makes the secondary disks of a group readable and writable.",
  mutating = true, token = true, region = "destination", timeout = 30, per_second = 40,
  ram = { level = "update", resource = ONE },
  -- The first full synchronisation must have finished, which no state proves by itself: look for
  -- LastRecoverPoint.
  legal_states = { group = {
    "manual_syncing", "syncing", "normal", "stopping", "stop_failed", "stopped", "failovering",
    "failover_failed", "failovered",
  } },
  params = of_group(param.destination_region),
  response = response.accepted,
  waiter = "group_failovered",
  errors = shared.denials {
    "OperationDenied.NoPairInGroup", "OperationDenied.PairGroupStatusConflict",
    "OperationDenied.PairGroupAZoneConflict", "OperationDenied.PairInAnotherGroup",
    "OperationDenied.OperateNotAllowedForPrimary", "OperationDenied.OperateNotAllowedForStandby",
  },
}

local reprotect = {
  summary = "After a failover: turns the direction round, or cancels the failover.",
  mutating = true, token = true, region = "destination", timeout = 30,
  ram = { level = "update", resource = ONE },
  legal_states = { group = { "failovered" } },
  params = of_group(param.destination_region, { ReverseReplicate = param.reverse }),
  response = response.accepted,
  waiter = "group_reprotected",
  errors = shared.denials {
    "OperationDenied.NoPairInGroup", "OperationDenied.OperateNotAllowedForPrimary",
    "OperationDenied.OperateNotAllowedForStandby",
  },
}

local delete = {
  summary = "Deletes a group that has no pairs.",
  mutating = true, token = true, region = "group", timeout = 30, per_second = 40,
  ram = { level = "delete", resource = ONE, inferred = true },
  legal_states = { group = {
    "created", "create_failed", "stopped", "failovered", "deleting", "delete_failed", "invalid",
  } },
  params = of_group(param.group_region),
  response = response.accepted,
  waiter = "group_deleted",
  errors = shared.denials { "OperationDenied.GroupHasPair" },
}

return {
  CreateDiskReplicaGroup = create,
  DescribeDiskReplicaGroups = describe,
  ModifyDiskReplicaGroup = modify,
  StartDiskReplicaGroup = start,
  StopDiskReplicaGroup = stop,
  FailoverDiskReplicaGroup = failover,
  ReprotectDiskReplicaGroup = reprotect,
  DeleteDiskReplicaGroup = delete,
}
