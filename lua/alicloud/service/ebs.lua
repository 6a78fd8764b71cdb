--- Elastic Block Storage, version 2021-07-30, as data: what the client checks, the pager follows,
--- the waiter waits for and the operator reads when an error comes back.
--
-- Units: RPO in seconds, recovery points in unix seconds, bandwidth in Kbit/s.
-- Sources: the vendor's page of FailoverDiskReplicaGroup (2024-07-19) for its thirteen errors, the
-- published API metadata of the product for parameters and response fields.

local region = {
  type = "string", format = "region", required = true,
  doc = "region to ask; the endpoint follows it",
}

local paging_params = {
  MaxResults = { type = "integer", min = 1, max = 500, doc = "items per page, 10 unless given" },
  NextToken = { type = "string", doc = "from the page before; page numbers are ignored with it" },
  PageNumber = { type = "integer", min = 1, doc = "numbered paging, from 1" },
  PageSize = { type = "integer", min = 1, max = 100, doc = "items per numbered page" },
}

local site = {
  type = "string", values = { "production", "backup" },
  doc = "which site of a group the region is in these records; production unless given",
}

local tag = {
  type = "list", max_items = 20,
  doc = "resources that carry all these tags: { { Key = …, Value = … }, … }",
}

local resource_group = { type = "string", format = "id", doc = "resource group" }
local name_filter = { type = "string", format = "text", doc = "part of the name" }

local common_errors = {
  "Forbidden", "Forbidden.Action", "NoSuchResource", "InternalError", "RequestTimeout",
}

local describe_errors = {
  "OperationDenied", "OperationDenied.InvalidStatus", "Forbidden", "Forbidden.Action",
  "NoSuchResource", "InternalError", "RequestTimeout",
}

-- States in which a group may be on its way to failovered: a read right after the call may still
-- show any state from which the call is allowed.
local before_failovered = {
  "manual_syncing", "syncing", "normal", "stopping", "stop_failed", "stopped", "failovering",
}

local operations = {
  DescribeRegions = {
    summary = "Lists the regions and zones of a storage feature.",
    mutating = false,
    token = false,
    region = "either",
    timeout = 10,
    ram = "ebs:DescribeRegions",
    params = {
      RegionId = { type = "string", format = "region", doc = "region to ask" },
      ResourceType = {
        type = "string", values = { "ear", "lens", "dbsc" },
        doc = "ear is asynchronous replication",
      },
      AcceptLanguage = {
        type = "string", values = { "zh-CN", "en-US", "ja" }, doc = "language of LocalName",
      },
    },
    response = {
      { "Regions[].RegionId", "string" },
      { "Regions[].LocalName", "string" },
      { "Regions[].RegionEndpoint", "string" },
      { "Regions[].Zones[].ZoneId", "string" },
      { "Regions[].Zones[].LocalName", "string" },
      { "Regions[].Zones[].ResourceTypes[]", "string" },
      { "RequestId", "string" },
    },
    errors = common_errors,
  },

  DescribeDiskReplicaGroups = {
    summary = "Reads replication pair-consistent groups as one region sees them.",
    mutating = false,
    token = false,
    region = "either",
    timeout = 10,
    ram = "ebs:DescribeDiskReplicaGroups",
    params = {
      RegionId = region,
      GroupIds = { type = "ids", max_items = 100, doc = "groups to read; all if absent" },
      Site = site,
      Name = name_filter,
      ResourceGroupId = resource_group,
      Tag = tag,
      MaxResults = paging_params.MaxResults,
      NextToken = paging_params.NextToken,
      PageNumber = paging_params.PageNumber,
      PageSize = paging_params.PageSize,
    },
    paging = {
      items = "ReplicaGroups", input = "NextToken", output = "NextToken",
      limit = "MaxResults", max = 500, default = 100,
    },
    response = {
      { "ReplicaGroups[].ReplicaGroupId", "string" },
      { "ReplicaGroups[].GroupName", "string" },
      { "ReplicaGroups[].Description", "string" },
      { "ReplicaGroups[].Status", "string" },
      { "ReplicaGroups[].SourceRegionId", "string" },
      { "ReplicaGroups[].SourceZoneId", "string" },
      { "ReplicaGroups[].DestinationRegionId", "string" },
      { "ReplicaGroups[].DestinationZoneId", "string" },
      { "ReplicaGroups[].PrimaryRegion", "string" },
      { "ReplicaGroups[].PrimaryZone", "string" },
      { "ReplicaGroups[].StandbyRegion", "string" },
      { "ReplicaGroups[].StandbyZone", "string" },
      { "ReplicaGroups[].Site", "string" },
      { "ReplicaGroups[].RPO", "integer", "s" },
      { "ReplicaGroups[].LastRecoverPoint", "integer", "unix s" },
      -- One element may hold several ids with commas between them.
      { "ReplicaGroups[].PairIds[]", "string" },
      { "ReplicaGroups[].PairNumber", "integer" },
      { "ReplicaGroups[].Bandwidth", "integer", "Kbit/s" },
      { "ReplicaGroups[].EnableRtc", "boolean" },
      { "ReplicaGroups[].ResourceGroupId", "string" },
      { "ReplicaGroups[].Tags[].TagKey", "string" },
      { "ReplicaGroups[].Tags[].TagValue", "string" },
      { "NextToken", "string" },
      { "PageNumber", "integer" },
      { "PageSize", "integer" },
      { "TotalCount", "integer" },
      { "RequestId", "string" },
    },
    errors = describe_errors,
  },

  DescribeDiskReplicaPairs = {
    summary = "Reads replication pairs as one region sees them.",
    mutating = false,
    token = false,
    region = "either",
    timeout = 10,
    ram = "ebs:DescribeDiskReplicaPairs",
    params = {
      RegionId = region,
      PairIds = { type = "ids", max_items = 100, doc = "pairs to read; all if absent" },
      ReplicaGroupId = {
        type = "string", format = "id", doc = 'members of this group; "-" for pairs in no group',
      },
      Site = site,
      Name = name_filter,
      ResourceGroupId = resource_group,
      Tag = tag,
      MaxResults = paging_params.MaxResults,
      NextToken = paging_params.NextToken,
      PageNumber = paging_params.PageNumber,
      PageSize = paging_params.PageSize,
    },
    paging = {
      items = "ReplicaPairs", input = "NextToken", output = "NextToken",
      limit = "MaxResults", max = 500, default = 100,
    },
    response = {
      { "ReplicaPairs[].ReplicaPairId", "string" },
      { "ReplicaPairs[].PairName", "string" },
      { "ReplicaPairs[].Description", "string" },
      { "ReplicaPairs[].Status", "string" },
      { "ReplicaPairs[].StatusMessage", "string" },
      { "ReplicaPairs[].SourceRegion", "string" },
      { "ReplicaPairs[].SourceZoneId", "string" },
      { "ReplicaPairs[].SourceDiskId", "string" },
      { "ReplicaPairs[].DestinationRegion", "string" },
      { "ReplicaPairs[].DestinationZoneId", "string" },
      { "ReplicaPairs[].DestinationDiskId", "string" },
      { "ReplicaPairs[].PrimaryRegion", "string" },
      { "ReplicaPairs[].PrimaryZone", "string" },
      { "ReplicaPairs[].StandbyRegion", "string" },
      { "ReplicaPairs[].StandbyZone", "string" },
      { "ReplicaPairs[].Site", "string" },
      { "ReplicaPairs[].ReplicaGroupId", "string" },
      { "ReplicaPairs[].ReplicaGroupName", "string" },
      { "ReplicaPairs[].RPO", "integer", "s" },
      { "ReplicaPairs[].LastRecoverPoint", "integer", "unix s" },
      { "ReplicaPairs[].CreateTime", "integer", "unix s" },
      { "ReplicaPairs[].ExpiredTime", "integer", "unix s" },
      { "ReplicaPairs[].Bandwidth", "integer", "Kbit/s" },
      { "ReplicaPairs[].ChargeType", "string" },
      { "ReplicaPairs[].EnableRtc", "boolean" },
      { "ReplicaPairs[].ResourceGroupId", "string" },
      { "ReplicaPairs[].Tags[].TagKey", "string" },
      { "ReplicaPairs[].Tags[].TagValue", "string" },
      { "NextToken", "string" },
      { "PageNumber", "integer" },
      { "PageSize", "integer" },
      { "TotalCount", "integer" },
      { "RequestId", "string" },
    },
    errors = describe_errors,
  },

  FailoverDiskReplicaGroup = {
    summary = "Makes the secondary disks of a group readable and writable.",
    mutating = true,
    token = true,
    region = "destination",
    timeout = 30,
    ram = "ebs:FailoverDiskReplicaGroup",
    -- The first full synchronisation must have finished, which no state proves by itself.
    legal_states = {
      "manual_syncing", "syncing", "normal", "stopping", "stop_failed", "stopped", "failovering",
      "failover_failed", "failovered",
    },
    params = {
      RegionId = {
        type = "string", format = "region", required = true,
        doc = "region of the group's secondary site",
      },
      ReplicaGroupId = { type = "string", format = "id", required = true, doc = "the group" },
      ClientToken = {
        type = "string", format = "token",
        doc = "idempotency token; one per intent, made when absent",
      },
    },
    response = { { "RequestId", "string" } },
    errors = {
      "OperationDenied", "OperationDenied.InvalidStatus", "OperationDenied.NoPairInGroup",
      "OperationDenied.PairGroupStatusConflict", "OperationDenied.PairGroupAZoneConflict",
      "OperationDenied.PairInAnotherGroup", "OperationDenied.OperateNotAllowedForPrimary",
      "OperationDenied.OperateNotAllowedForStandby", "Forbidden", "Forbidden.Action",
      "NoSuchResource", "InternalError", "RequestTimeout",
    },
  },
}

local waiters = {
  group_failovered = {
    operation = "DescribeDiskReplicaGroups",
    items = "ReplicaGroups",
    ids = { parameter = "GroupIds", field = "ReplicaGroupId" },
    field = "Status",
    success = { "failovered" },
    failure = {
      "failover_failed", "invalid", "reprotecting", "reprotect_failed", "deleting", "deleted",
      "delete_failed",
    },
    transient = before_failovered,
    delay = 5,
    timeout = 1200,
  },
  pairs_failovered = {
    operation = "DescribeDiskReplicaPairs",
    items = "ReplicaPairs",
    ids = { parameter = "PairIds", field = "ReplicaPairId" },
    field = "Status",
    success = { "failovered" },
    failure = {
      "failover_failed", "invalid", "reprotecting", "reprotect_failed", "deleting", "deleted",
      "delete_failed",
    },
    transient = before_failovered,
    delay = 5,
    timeout = 1200,
  },
}

return {
  product = "ebs",
  version = "2021-07-30",
  endpoint = { public = "ebs.%s.aliyuncs.com", vpc = "ebs-vpc.%s.aliyuncs.com" },
  operations = operations,
  waiters = waiters,
  errors = require "alicloud.service.ebs.errors",
}
