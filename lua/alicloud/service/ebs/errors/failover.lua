--- The thirteen errors on the page of FailoverDiskReplicaGroup, with their messages verbatim.
-- Source: that page, 2024-07-19. Most other operations have these errors, too.

local api_error = require "alicloud.service.common.api_error"

return {
  ["OperationDenied"] = api_error(403, "The operation is not allowed.",
    "Refused, and no narrower code fits; a pair that belongs to a group is one cause.",
    "read the group and its pairs on both sites; act on the group, not on a member pair; if "
      .. "everything looks right, open a ticket with the request id"),
  ["OperationDenied.InvalidStatus"] = api_error(403,
    "The operation is not allowed in current status.",
    "The group or a pair is in a state from which this operation is not allowed.",
    "read Status: wait if it ends in -ing; start replication if it is created or its first full "
      .. "synchronisation never ran; an invalid group has a broken pair: read StatusMessage"),
  ["OperationDenied.NoPairInGroup"] = api_error(403,
    "The operation is not allowed because no pair in the group.",
    "The group has no replication pairs, so there is nothing to work on.",
    "check the group id; if it is right, the pairs were removed or never added: look for them with "
      .. "DescribeDiskReplicaPairs and fail over the group that holds them"),
  ["OperationDenied.PairGroupStatusConflict"] = api_error(403,
    "The operation is not allowed due to pair and group status are not consistent.",
    "At least one pair is in another state than its group.",
    "list the pairs of the group and find the one whose Status differs; wait if it is catching up, "
      .. "repair or remove it if it is invalid, then try again"),
  ["OperationDenied.PairGroupAZoneConflict"] = api_error(403,
    "The operation is not allowed due to pair and group having different RegionId or ZoneId.",
    "A pair does not lie in the region and zone of its group, on one side or the other.",
    "compare source and destination zones of each pair with the group's; the pair that differs "
      .. "must leave the group, nothing else helps"),
  ["OperationDenied.PairInAnotherGroup"] = api_error(403,
    "The operation is not allowed because pair is already in another group.",
    "A pair of this group is counted as a member of another one.",
    "read ReplicaGroupId of each pair; fail over the group it really belongs to, or remove it "
      .. "there first"),
  ["OperationDenied.OperateNotAllowedForPrimary"] = api_error(403,
    "Operation is not allowed on the primary site.",
    "The region asked is the primary site now; failover and reverse belong to the secondary one.",
    "use the group's current DestinationRegionId as region: after a reverse the sides have changed "
      .. "places; make sure of the direction before you send it again"),
  ["OperationDenied.OperateNotAllowedForStandby"] = api_error(403,
    "Operation is not allowed on the secondary site.",
    "The region asked is the secondary site now, and this operation belongs to the primary one.",
    "read SourceRegionId and DestinationRegionId of the group and ask the other region"),
  ["Forbidden"] = api_error(403, "User is not authorized to operate.",
    "These credentials have no right to this resource.",
    "find out whose key this is; the RAM policy must allow the action on "
      .. "acs:ebs:<region>:<account>:diskreplicagroup/<id> in this region and account"),
  ["Forbidden.Action"] = api_error(403, "User is not authorized to operate this action.",
    "These credentials have no right to this action.",
    "grant the RAM user or role the action named in this error (ebs:<Action>), or use the "
      .. "credentials kept for recovery"),
  ["NoSuchResource"] = api_error(404, "The specified resource does not exist.",
    "The region asked knows no such resource in this account.",
    "the wrong region is the usual cause: ask the group's secondary site; then check the id and "
      .. "which account the key belongs to"),
  ["InternalError"] = api_error(500,
    "The request processing has failed due to some unknown error, exception or failure.",
    "The service failed while it worked on the request; what it did is not known.",
    "look at the state first; if nothing moved, repeat with the same ClientToken"),
  ["RequestTimeout"] = api_error(504, "The request is timeout, please try again later.",
    "The front gave up waiting; the work behind it may still be running or done.",
    "look at the state first: if it has moved on (a failover: failovering, failovered) it worked; "
      .. "if nothing moves, repeat with the same ClientToken"),
}
