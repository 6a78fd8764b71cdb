--- The errors of creating, starting, grouping and drilling that a failover does not have.
-- Source: error tables of the published metadata, 2024-07-30. Messages are left out where they are
-- not known: the service's wording is no contract, its codes are.

return {
  ["OperationDenied.StandbyDeviceAttached"] = {
    status = 400,
    meaning = "A disk that is to become or stay the secondary is attached to an instance.",
    cure = "ecs:DescribeDisks on the DestinationDiskId of each pair names the instance; stop what "
      .. "runs on it, unmount, ecs:DetachDisk, wait for disk_available, start again",
  },
  ["OperationDenied.ManualSyncLimit"] = {
    status = 403,
    meaning = "One-shot synchronisations must be more than half an RPO (450 s) apart.",
    cure = "wait until 450 s after the last one-shot synchronisation",
  },
  ["OperationDenied.QuotaExceed"] = {
    status = 403,
    -- Tag operations answer it with this status.
    also = 400,
    meaning = "A quota of the account in this region is used up: pairs, groups, or tags.",
    cure = "delete what is not needed, or ask for more in the quota centre; for a pair read its "
      .. "StatusMessage too",
  },
  ["OperationDenied.TooMuchEmptyGroup"] = {
    status = 403,
    meaning = "The account has too many groups without pairs; how many it may have is not told.",
    cure = "delete the groups whose PairNumber is 0, then create",
  },
  ["OperationDenied.GroupHasPair"] = {
    status = 403,
    meaning = "The group still holds pairs, as far as this operation can see.",
    cure = "RemoveDiskReplicaPair for each of its pairs, wait for pair_left, try again: a removal "
      .. "shows some seconds later",
  },
  ["OperationDenied.GroupStatusCannotAddPair"] = {
    status = 403,
    meaning = "The group is neither created nor stopped.",
    cure = "StopDiskReplicaGroup, wait for group_stopped, add, start again; stopping drops the "
      .. "running cycle, so the recovery point stays where it is meanwhile",
  },
  ["OperationDenied.GroupStatusCannotRemovePair"] = {
    status = 403,
    meaning = "The group is in none of the states created, stopped and invalid.",
    cure = "StopDiskReplicaGroup, wait for group_stopped, then remove",
  },
  ["OperationDenied.PairStatusCannotAddToGroup"] = {
    status = 403,
    meaning = "The pair is neither created nor stopped.",
    cure = "StopDiskReplicaPair, wait for pair_stopped, then add; right after its creation a pair "
      .. "needs some seconds",
  },
  ["OperationDenied.PairStatusCannotRemoveFromGroup"] = {
    status = 403,
    meaning = "The state of the pair does not let it leave its group.",
    cure = "read the Status of pair and group; stop the group, wait until both show stopped",
  },
  ["OperationDenied.PairInitializing"] = {
    status = 403,
    meaning = "The pair has not finished its preparation.",
    cure = "wait some minutes and repeat",
  },
  ["OperationDenied.PairNotInGroup"] = {
    status = 403,
    meaning = "The pair is not a member of this group, or not any more.",
    cure = "read ReplicaGroupId of the pair: it names the group it belongs to; right after adding "
      .. "it, wait for pair_joined",
  },
  ["OperationDenied.PairsExceedInGroup"] = {
    status = 403,
    meaning = "The group is full: a group takes 17 pairs.",
    cure = "put the pair into another group, and fail over both; one recovery point for all is "
      .. "kept only inside a group",
  },
  ["OperationDenied.GroupTotalDiskCapacityLimit"] = {
    status = 403,
    meaning = "With this pair the disks of the group would be too large together; the limit is "
      .. "not published.",
    cure = "split the group, or ask the vendor for a higher limit",
  },
  ["OperationDenied.RecoverPointNotFound"] = {
    status = 403,
    meaning = "There is no recovery point to clone: no synchronisation has ever finished.",
    cure = "start replication and wait for group_recoverable or pair_recoverable, then drill",
  },
  ["OperationDenied.StartDrillShouldOnDestRegion"] = {
    status = 403,
    meaning = "Drills start at the secondary site, and the region asked is not it.",
    cure = "use the current DestinationRegionId of the group (DestinationRegion of a pair) as "
      .. "RegionId; after a reverse the sides have changed places",
  },
  ["BLOCK.LimitedRquest"] = {
    status = 429,
    message = "BLOCK.LimitedRequest",
    meaning = "Blocked by the rate limit of block storage; the spelling is the service's.",
    cure = "wait for the next minute and repeat; nothing was done",
  },
}
