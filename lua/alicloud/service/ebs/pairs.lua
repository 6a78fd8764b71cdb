--- Replication pairs: one primary disk, one secondary disk.
--
-- A pair that belongs to a group is failed over and reversed with its group, never alone.

local paging = require "alicloud.service.common.paging"
local response = require "alicloud.service.common.response"
local shared = require "alicloud.service.ebs.shared"

local param = shared.params

local ONE = "diskreplicapair/{ReplicaPairId}"

local function of_pair(region, more)
  return shared.merged(
    { RegionId = region, ReplicaPairId = param.pair, ClientToken = param.token }, more)
end

local create = {
  summary = "Pairs a primary disk with a secondary one; the secondary's content will be lost.",
  mutating = true, token = true, region = "source", timeout = 30,
  ram = { level = "create", resource = "diskreplicapair/*" },
  params = {
    RegionId = param.source_region,
    SourceZoneId = param.source_zone,
    DiskId = { type = "string", format = "id", required = true, doc = "the primary disk" },
    DestinationRegionId = param.target_region,
    DestinationZoneId = param.target_zone,
    DestinationDiskId = {
      type = "string", format = "id", required = true,
      doc = "the secondary disk: same category, performance level and size, not attached",
    },
    PairName = param.pair_name,
    Description = param.description,
    ChargeType = {
      type = "string", values = { "PREPAY", "POSTPAY" }, default = "POSTPAY",
      doc = "pay for bandwidth ahead, or for traffic afterwards",
    },
    Period = {
      type = "integer", values = { 1, 2, 3, 6, 12, 24, 36, 60 }, unit = "months",
      doc = "how long to pay ahead",
    },
    PeriodUnit = { type = "string", values = { "Month" }, doc = "unit of Period" },
    Bandwidth = {
      type = "integer", values = { 10240, 20480, 51200, 102400 }, unit = "Kbit/s",
      doc = "bandwidth to pay ahead for; with PREPAY 10240 unless given",
    },
    RPO = param.rpo,
    EnableRtc = param.rtc,
    ResourceGroupId = param.resource_group,
    Tag = param.new_tags,
    ClientToken = param.token,
  },
  depends = {
    { on = "ChargeType", is = "PREPAY", need = "Period" },
    { on = "ChargeType", is = "POSTPAY", refuse = "Bandwidth" },
  },
  response = response.of { "ReplicaPairId", "OrderId", "RequestId" },
  waiter = "pair_created",
  errors = shared.denials {
    "OperationDenied.QuotaExceed", "IdempotentParameterMismatch", "LastTokenProcessing",
    "InvalidAccountStatus.NotEnoughBalance",
  },
}

local describe = {
  summary = "Reads replication pairs as one region sees them.",
  mutating = false, token = false, region = "either", timeout = 10,
  -- Source: the operation's page of 2026, which names both patterns.
  ram = { level = "get", resource = "diskreplicapair/*", also = ONE },
  params = paging.with_params({
    RegionId = param.pair_region,
    PairIds = { type = "ids", max_items = 100, doc = "pairs to read; all if absent" },
    ReplicaGroupId = {
      type = "string", format = "id", doc = 'members of this group; "-" for pairs in no group',
    },
    Site = param.site,
    Name = param.name_filter,
    ResourceGroupId = param.resource_group,
    Tag = param.tag_filter,
  }, 500),
  paging = paging.of("ReplicaPairs", 500),
  shows = "pair",
  response = response.page("ReplicaPairs[].", {
    "ReplicaPairId", "PairName", "Description", "Status",
    -- Why a pair is invalid or create_failed.
    "StatusMessage",
    -- The sides as they are now; a reverse exchanges them.
    "SourceRegion", "SourceZoneId", "SourceDiskId", "DestinationRegion", "DestinationZoneId",
    "DestinationDiskId",
    -- The sides as they were when the pair was created.
    "PrimaryRegion", "PrimaryZone", "StandbyRegion", "StandbyZone", "Site", "ReplicaGroupId",
    "ReplicaGroupName", { "RPO", "integer", "s" },
    -- Absent until the first cycle has ended.
    { "LastRecoverPoint", "integer", "unix s" }, { "CreateTime", "integer", "unix s" },
    { "ExpiredTime", "integer", "unix s" }, { "Bandwidth", "integer", "Kbit/s" }, "ChargeType",
    { "EnableRtc", "boolean" }, "ResourceGroupId", "Tags[].TagKey", "Tags[].TagValue",
  }),
  errors = shared.denials(),
}

local progress = {
  summary = "Reads how far the running synchronisation of a pair is.",
  mutating = false, token = false, region = "either", timeout = 10, per_second = 40,
  ram = { level = "get", resource = ONE, inferred = true },
  params = { RegionId = param.pair_region, ReplicaPairId = param.pair },
  response = response.of {
    { "Progress", "integer", "percent" }, { "RecoverPoint", "integer", "unix s" }, "RequestId",
  },
  errors = shared.denials(),
}

local modify = {
  summary = "Changes name, description or replication time control of a pair.",
  mutating = true, token = true, region = "either", timeout = 30, per_second = 40,
  ram = { level = "update", resource = ONE, inferred = true },
  legal_states = { pair = { "created", "stopped" } },
  params = of_pair(param.pair_region, {
    PairName = param.pair_name,
    Description = param.description,
    Bandwidth = param.bandwidth,
    RPO = param.rpo,
    EnableRtc = shared.with("rtc", { doc = "not for a pair inside a group" }),
  }),
  response = response.accepted,
  errors = shared.denials {
    "OperationDenied.OperateNotAllowedForPrimary", "OperationDenied.OperateNotAllowedForStandby",
  },
}

local start = {
  summary = "Starts replication: a first full copy, later only what has changed.",
  mutating = true, token = true, region = "either", timeout = 30,
  ram = { level = "update", resource = ONE, inferred = true },
  legal_states = { pair = { "created", "stopped" } },
  params = of_pair(param.pair_region, { OneShot = param.one_shot }),
  response = response.accepted,
  waiter = "pair_normal",
  errors = shared.denials {
    "OperationDenied.StandbyDeviceAttached", "OperationDenied.ManualSyncLimit",
  },
}

local stop = {
  summary = "Stops replication; the secondary falls back to the end of the last whole cycle.",
  mutating = true, token = true, region = "either", timeout = 30, per_second = 40,
  ram = { level = "update", resource = ONE, inferred = true },
  legal_states = { pair = { "initial_syncing", "syncing", "manual_syncing", "normal" } },
  params = of_pair(param.pair_region),
  response = response.accepted,
  waiter = "pair_stopped",
  errors = shared.denials(),
}

local failover = {
  summary = "Makes the secondary disk of a pair readable and writable.",
  mutating = true, token = true, region = "destination", timeout = 30,
  ram = { level = "update", resource = ONE },
  -- Documented as any state but invalid and deleted. Before the first complete cycle, the secondary
  -- disk holds nothing usable.
  legal_states = { pair = {
    "creating", "created", "create_failed", "initial_syncing", "manual_syncing", "syncing",
    "normal", "stopping", "stopped", "stop_failed", "failovering", "failovered",
    "failover_failed", "reprotecting", "reprotect_failed", "deleting", "delete_failed",
  } },
  params = of_pair(param.destination_region),
  response = response.accepted,
  waiter = "pair_failovered",
  errors = shared.denials {
    "OperationDenied.OperateNotAllowedForPrimary", "OperationDenied.OperateNotAllowedForStandby",
  },
}

local reprotect = {
  summary = "After a failover: turns the direction round, or cancels the failover.",
  mutating = true, token = true, region = "destination", timeout = 30, per_second = 40,
  ram = { level = "update", resource = ONE, inferred = true },
  legal_states = { pair = { "failovered" } },
  params = of_pair(param.destination_region, { ReverseReplicate = param.reverse }),
  response = response.accepted,
  waiter = "pair_reprotected",
  errors = shared.denials {
    "OperationDenied.NoPairInGroup", "OperationDenied.PairNotInGroup",
    "OperationDenied.PairGroupAZoneConflict", "OperationDenied.PairGroupStatusConflict",
    "OperationDenied.OperateNotAllowedForPrimary", "OperationDenied.OperateNotAllowedForStandby",
  },
}

local delete = {
  summary = "Ends a pair; both disks stay.",
  mutating = true, token = true, region = "source", timeout = 30,
  ram = { level = "delete", resource = ONE, inferred = true },
  legal_states = { pair = { "stopped", "invalid", "failovered" } },
  params = of_pair(param.source_region),
  response = response.accepted,
  waiter = "pair_deleted",
  errors = shared.denials(),
}

return {
  CreateDiskReplicaPair = create,
  DescribeDiskReplicaPairs = describe,
  DescribeDiskReplicaPairProgress = progress,
  ModifyDiskReplicaPair = modify,
  StartDiskReplicaPair = start,
  StopDiskReplicaPair = stop,
  FailoverDiskReplicaPair = failover,
  ReprotectDiskReplicaPair = reprotect,
  DeleteDiskReplicaPair = delete,
}
