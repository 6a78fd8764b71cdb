--- The errors of creating, starting, grouping and drilling that a failover does not have.
-- Source: error tables of the published metadata, 2024-07-30. Unknown messages are left out: the
-- service's codes are a contract, its wording is not.

local api_error = require "alicloud.service.common.api_error"

return {
  ["OperationDenied.StandbyDeviceAttached"] = api_error(400, nil,
    "A disk that is to become or stay the secondary is attached to an instance.",
    "ecs:DescribeDisks on the DestinationDiskId of each pair names the instance; stop what runs on "
      .. "it, unmount, ecs:DetachDisk, wait for disk_available, start again"),
  ["OperationDenied.ManualSyncLimit"] = api_error(403, nil,
    "One-shot synchronisations must be more than half an RPO (450 s) apart.",
    "wait until 450 s after the last one-shot synchronisation", true),
  ["OperationDenied.QuotaExceed"] = {
    status = 403,
    -- Tag operations return it with this status.
    also = 400,
    meaning = "A quota of the account in this region is used up: pairs, groups, or tags.",
    cure = "delete what is not needed, or ask for more in the quota centre; for a pair read its "
      .. "StatusMessage too",
  },
  ["OperationDenied.TooMuchEmptyGroup"] = api_error(403, nil,
    "The account has too many groups without pairs; how many it may have is not told.",
    "delete the groups whose PairNumber is 0, then create"),
  ["OperationDenied.GroupHasPair"] = api_error(403, nil,
    "The group still holds pairs, as far as this operation can see.",
    "RemoveDiskReplicaPair for each of its pairs, wait for pair_left, try again: a removal shows "
      .. "some seconds later"),
  ["OperationDenied.GroupStatusCannotAddPair"] = api_error(403, nil,
    "The group is neither created nor stopped.",
    "StopDiskReplicaGroup, wait for group_stopped, add, start again; stopping drops the running "
      .. "cycle, so the recovery point stays where it is meanwhile"),
  ["OperationDenied.GroupStatusCannotRemovePair"] = api_error(403, nil,
    "The group is in none of the states created, stopped and invalid.",
    "StopDiskReplicaGroup, wait for group_stopped, then remove"),
  ["OperationDenied.PairStatusCannotAddToGroup"] = api_error(403, nil,
    "The pair is neither created nor stopped.",
    "StopDiskReplicaPair, wait for pair_stopped, then add; right after its creation a pair needs "
      .. "some seconds"),
  ["OperationDenied.PairStatusCannotRemoveFromGroup"] = api_error(403, nil,
    "The state of the pair does not let it leave its group.",
    "read the Status of pair and group; stop the group, wait until both show stopped"),
  ["OperationDenied.PairInitializing"] = api_error(403, nil,
    "The pair has not finished its preparation.",
    "wait some minutes and repeat", true),
  ["OperationDenied.PairNotInGroup"] = api_error(403, nil,
    "The pair is not a member of this group, or not any more.",
    "read ReplicaGroupId of the pair: it names the group it belongs to; right after adding it, "
      .. "wait for pair_joined"),
  ["OperationDenied.PairsExceedInGroup"] = api_error(403, nil,
    "The group is full: a group takes 17 pairs.",
    "put the pair into another group, and fail over both; one recovery point for all is kept only "
      .. "inside a group"),
  ["OperationDenied.GroupTotalDiskCapacityLimit"] = api_error(403, nil,
    "With this pair the disks of the group would be too large together; the limit is not "
      .. "published.",
    "split the group, or ask the vendor for a higher limit"),
  ["OperationDenied.RecoverPointNotFound"] = api_error(403, nil,
    "There is no recovery point to clone: no synchronisation has ever finished.",
    "start replication and wait for group_recoverable or pair_recoverable, then drill"),
  ["OperationDenied.StartDrillShouldOnDestRegion"] = api_error(403, nil,
    "Drills start at the secondary site, and the region asked is not it.",
    "use the current DestinationRegionId of the group (DestinationRegion of a pair) as RegionId; "
      .. "after a reverse the sides have changed places"),
  ["BLOCK.LimitedRequest"] = api_error(429, "Request was denied due to user flow control.",
    "Blocked by the rate limit of block storage.",
    "wait for the next minute and repeat; nothing was done"),
  -- The spelling of older editions of the pages.
  ["BLOCK.LimitedRquest"] = api_error(429, "BLOCK.LimitedRequest",
    "Blocked by the rate limit of block storage; the spelling is the service's.",
    "wait for the next minute and repeat; nothing was done"),
}
