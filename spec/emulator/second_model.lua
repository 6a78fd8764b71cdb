-- A second reading of the documents, as a table: what the replication calls of product ebs may do
-- in which state, written without a look at the emulator. Where the documents say nothing, a row
-- says so by `silent`, and anything goes. `second_model/check.lua` holds a history against it.
--
-- How a row of an operation reads:
--   of, id     the kind of record it works on, and the parameter with its id
--   yes        the states in which the documents allow it; in a state of no list they refuse it
--   silent     the states for which they say nothing, or contradict each other
--   into       the states that may follow at once ("same": the record stays as it is); `into_of`
--              for single states, `one_shot` where OneShot is true
--   side       where it may be called: source, destination, any (either side), home (the group's
--              region; which one that is after a reversal is said nowhere)
--   asks       conditions beside state and side, see `check.lua`; what breaks one has to be refused
--   unseen     conditions that the records do not show; they may be broken at any time
--   state      the codes by which a wrong state may be refused; `codes`: what else its table lists
--   doc        the documents
--
-- Documents, all public: pages of the help centre alibabacloud.com/help/en/ecs by the operation's
-- name ("page"); the vendor's API metadata in dew-serverless/acs-sdk-php data/ebs/2021-07-30
-- ("metadata": error tables, usage notes, regions); aliyun/terraform-provider-alicloud
-- service_alicloud_ebs_v2.go and the resources' tests ("provider"); the user guide's pages on
-- disaster recovery ("guide").

local M = {}

M.states = {
  pair = "creating created create_failed initial_syncing manual_syncing syncing normal stopping "
    .. "stopped stop_failed failovering failovered failover_failed reprotecting reprotect_failed "
    .. "deleting deleted delete_failed invalid",
  drill = "executing executed execute_failed clearing clear_failed",
}
-- The field's list of a group has no initial_syncing, the notes of StartDiskReplicaGroup have it.
M.states.group = M.states.pair

-- What every operation may answer, whatever the state (metadata, common rows of the error tables;
-- guide "How to ensure idempotence" for the tokens).
M.common = "Forbidden Forbidden.Action NoSuchResource InternalError RequestTimeout "
  .. "LastTokenProcessing IdempotentParameterMismatch Throttling Throttling.User Throttling.Api "
  .. "ServiceUnavailable MissingParameter InvalidParameter"

-- What stands before every operation and is in no operation's table (guide on common errors).
M.gateway = "SignatureDoesNotMatch InvalidAccessKeyId.NotFound InvalidTimeStamp.Expired "
  .. "BLOCK.LimitedRequest BLOCK.LimitedRquest"

local OD = "OperationDenied."

-- What a code claims. Where the records say otherwise the answer is wrong. The conditions of codes
-- that are not here are published nowhere, or cannot be seen in the records.
M.claims = {
  [OD .. "GroupHasPair"] = "has_pairs",
  [OD .. "NoPairInGroup"] = "no_pairs",
  [OD .. "PairNotInGroup"] = "not_member",
  [OD .. "PairInAnotherGroup"] = "other_group",
  [OD .. "PairGroupStatusConflict"] = "unequal_states",
  [OD .. "PairGroupAZoneConflict"] = "unequal_sites",
  [OD .. "PairsExceedInGroup"] = "full_group",
  [OD .. "OperateNotAllowedForPrimary"] = "not_there",
  [OD .. "OperateNotAllowedForStandby"] = "not_there",
  [OD .. "ManualSyncLimit"] = "one_shot_too_soon",
  [OD .. "RecoverPointNotFound"] = "no_point",
  [OD .. "StartDrillShouldOnDestRegion"] = "not_there",
  [OD .. "StandbyDeviceAttached"] = "secondary_held",
  NoSuchResource = "not_there_or_unknown",
}

-- Two one-time copies are more than half of the RPO of 900 s apart (page StartDiskReplicaGroup).
M.one_shot_apart = 450
-- Pages of AddDiskReplicaPair.
M.pairs_in_group = 17

local sides = OD .. "OperateNotAllowedForPrimary " .. OD .. "OperateNotAllowedForStandby"
local copying = "initial_syncing syncing manual_syncing normal"
local drill_codes = "OperationDenied NoPermission.SLR InvalidAccountStatus.NotEnoughBalance "
  .. "InvalidParameter.Conflict InvalidParameter.Format InvalidApi.NotFound"
local wrong = OD .. "InvalidStatus"

M.operations = {
  CreateDiskReplicaPair = {
    of = "pair", creates = "ReplicaPairId", into = "creating", side = "source",
    unseen = "both disks free, alike and in no other pair; the sites not in maintenance",
    codes = "OperationDenied " .. OD .. "QuotaExceed InvalidAccountStatus.NotEnoughBalance "
      .. wrong,
    doc = "page and metadata; creating: the provider waits for created after it",
  },
  ModifyDiskReplicaPair = {
    of = "pair", id = "ReplicaPairId", yes = "created stopped", into = "same", side = "any",
    asks = { "alone_or_silent" },
    state = wrong, codes = "OperationDenied " .. sides,
    side_silent = true,
    doc = "page: created or stopped, region of the primary or of the secondary disk; the table "
      .. "lists refusals of a side all the same, so the side is silent",
  },
  StartDiskReplicaPair = {
    of = "pair", id = "ReplicaPairId", yes = "created stopped", side = "any",
    into = "initial_syncing syncing", into_of = { created = "initial_syncing" },
    one_shot = "manual_syncing", asks = { "one_shot_apart", "alone_or_silent", "secondary_free" },
    state = wrong, codes = "OperationDenied " .. OD .. "ManualSyncLimit " .. OD
      .. "StandbyDeviceAttached",
    doc = "page: only created or stopped, then initial_syncing; a later start copies what changed",
  },
  StopDiskReplicaPair = {
    of = "pair", id = "ReplicaPairId", yes = copying, into = "stopping", side = "any",
    asks = { "alone_or_silent" },
    state = wrong, codes = "OperationDenied",
    doc = "page: only initial_syncing, syncing, manual_syncing or normal",
  },
  FailoverDiskReplicaPair = {
    of = "pair", id = "ReplicaPairId", side = "destination",
    yes = "creating created create_failed stopping stopped stop_failed failovering failovered "
      .. "failover_failed reprotecting reprotect_failed deleting delete_failed " .. copying,
    into = "failovering", into_of = { failovered = "failovering same", failovering = "same" },
    asks = { "alone" }, state = wrong, codes = "OperationDenied " .. sides,
    doc = "page: any state but invalid and deleted; from the secondary disk's region; guide: a "
      .. "pair of a group goes with its group",
  },
  ReprotectDiskReplicaPair = {
    of = "pair", id = "ReplicaPairId", yes = "failovered", silent = "reprotect_failed",
    into = "reprotecting", side = "destination", asks = { "alone", "primary_free" }, state = wrong,
    codes = "OperationDenied " .. OD .. "NoPairInGroup " .. OD .. "PairNotInGroup " .. OD
      .. "PairGroupAZoneConflict " .. OD .. "PairGroupStatusConflict " .. sides,
    doc = "page: only failovered, from the secondary disk's region, the primary disk detached; "
      .. "the provider repeats it after InvalidStatus and InternalError, hence silent",
  },
  DeleteDiskReplicaPair = {
    of = "pair", id = "ReplicaPairId", yes = "stopped invalid failovered", into = "deleting",
    silent = "created create_failed deleting delete_failed", side = "source",
    asks = { "alone_or_silent" },
    state = wrong, codes = "OperationDenied",
    doc = "page: only stopped, invalid or failovered, from the primary disk's region; tests of "
      .. "the provider delete pairs in created; how to be rid of the other three is said nowhere",
  },
  AddDiskReplicaPair = {
    of = "group", id = "ReplicaGroupId", yes = "created stopped", into = "same", side = "home",
    member = "created stopped", asks = { "same_sites", "no_other_group", "room" },
    state = wrong .. " " .. OD .. "GroupStatusCannotAddPair " .. OD
      .. "PairStatusCannotAddToGroup " .. OD .. "PairInitializing",
    codes = "OperationDenied " .. OD .. "PairGroupAZoneConflict " .. OD
      .. "PairGroupStatusConflict " .. OD .. "PairInAnotherGroup " .. OD .. "PairsExceedInGroup "
      .. OD .. "GroupTotalDiskCapacityLimit " .. OD .. "QuotaExceed",
    doc = "page: pair and group created or stopped, same regions and zones, up to 17; whether a "
      .. "created one goes with a stopped one is said nowhere",
  },
  RemoveDiskReplicaPair = {
    of = "group", id = "ReplicaGroupId", yes = "created stopped invalid", into = "same",
    side = "home", asks = { "member" },
    state = wrong .. " " .. OD .. "GroupStatusCannotRemovePair " .. OD
      .. "PairStatusCannotRemoveFromGroup",
    codes = "OperationDenied " .. OD .. "NoPairInGroup " .. OD .. "PairNotInGroup " .. OD
      .. "PairInAnotherGroup " .. OD .. "PairGroupAZoneConflict " .. OD
      .. "PairGroupStatusConflict",
    member_silent = true,
    doc = "page: the group created, stopped or invalid; the pair is not deleted; in which states "
      .. "a pair may not go is left to a code, PairStatusCannotRemoveFromGroup",
  },
  CreateDiskReplicaGroup = {
    of = "group", creates = "ReplicaGroupId", into = "creating", side = "source",
    unseen = "different zones; quotas whose numbers are published nowhere",
    codes = "OperationDenied " .. wrong .. " " .. OD .. "QuotaExceed " .. OD
      .. "TooMuchEmptyGroup",
    doc = "page and metadata",
  },
  ModifyDiskReplicaGroup = {
    of = "group", id = "ReplicaGroupId", yes = "created stopped", into = "same", side = "home",
    state = wrong, codes = "OperationDenied " .. OD .. "GroupHasPair " .. sides,
    side_silent = true, doc = "page: created or stopped; its table lists refusals of a side",
  },
  StartDiskReplicaGroup = {
    of = "group", id = "ReplicaGroupId", yes = "created syncing normal stopped", side = "home",
    into = "initial_syncing syncing", into_of = { syncing = "same", normal = "same syncing" },
    one_shot = "manual_syncing", yes_one_shot = "created manual_syncing stopped",
    asks = { "pairs", "one_shot_apart", "secondary_free" }, state = wrong,
    codes = "OperationDenied " .. OD .. "ManualSyncLimit " .. OD .. "NoPairInGroup " .. OD
      .. "PairNotInGroup " .. OD .. "PairGroupStatusConflict " .. OD .. "PairGroupAZoneConflict "
      .. OD .. "StandbyDeviceAttached",
    doc = "page: one list of states for OneShot=false, one for true",
  },
  StopDiskReplicaGroup = {
    of = "group", id = "ReplicaGroupId", side = "home", into = "stopping",
    yes = "manual_syncing syncing normal stopping stop_failed stopped",
    into_of = { stopped = "same stopping", stopping = "same" }, state = wrong,
    codes = "OperationDenied",
    doc = "page: no initial_syncing in its list",
  },
  FailoverDiskReplicaGroup = {
    of = "group", id = "ReplicaGroupId", side = "destination", into = "failovering",
    yes = "manual_syncing syncing normal stopping stop_failed stopped failovering "
      .. "failover_failed failovered",
    into_of = { failovered = "failovering same", failovering = "same" },
    asks = { "pairs", "copied" }, state = wrong,
    codes = "OperationDenied " .. OD .. "NoPairInGroup " .. OD .. "PairGroupStatusConflict " .. OD
      .. "PairGroupAZoneConflict " .. OD .. "PairInAnotherGroup " .. sides,
    doc = "page: nine states, the secondary site's region, the first full copy finished",
  },
  ReprotectDiskReplicaGroup = {
    of = "group", id = "ReplicaGroupId", yes = "failovered", silent = "reprotect_failed",
    into = "reprotecting", side = "destination", asks = { "pairs", "primary_free" }, state = wrong,
    codes = "OperationDenied " .. OD .. "NoPairInGroup " .. sides,
    doc = "page: failovered, the secondary site's region; the provider as for the pair",
  },
  DeleteDiskReplicaGroup = {
    of = "group", id = "ReplicaGroupId", side = "home", into = "deleting",
    yes = "created create_failed stopped failovered deleting delete_failed invalid",
    into_of = { deleting = "same" }, asks = { "empty" }, state = wrong,
    codes = "OperationDenied " .. OD .. "GroupHasPair",
    doc = "page: seven states, no pairs in it; its text calls failovered a failed failover",
  },
  StartPairDrill = {
    of = "pair", id = "PairId", yes = "", silent = M.states.pair, into = "same",
    side = "destination", asks = { "point" }, drills = true, state = wrong,
    codes = drill_codes .. " " .. OD .. "RecoverPointNotFound " .. OD
      .. "StartDrillShouldOnDestRegion",
    doc = "page: from the secondary's region, of the last recovery point; no states named",
  },
  StartReplicaGroupDrill = {
    of = "group", id = "GroupId", yes = "", silent = M.states.pair, into = "same",
    side = "destination", asks = { "point" }, drills = true, state = wrong,
    codes = drill_codes .. " " .. OD .. "RecoverPointNotFound " .. OD
      .. "StartDrillShouldOnDestRegion",
    doc = "page, as for the pair",
  },
}

local clear = {
  of = "drill", id = "DrillId", yes = "executed execute_failed clear_failed",
  unseen = "the region where the drill was started",
  silent = "executing clearing", into = "clearing", into_of = { clearing = "same clearing" },
  -- The published table lacks InvalidStatus; the provider repeats exactly that one.
  state = wrong, codes = drill_codes,
  doc = "page: deletes the drill's disks; the provider clears at once and repeats on InvalidStatus",
}
M.operations.ClearPairDrill = clear
M.operations.ClearReplicaGroupDrill = clear

-- What time does, one step at a time. "gone": the record vanishes (the provider waits for that).
-- `any`: from every state, as disks can be removed and bills left unpaid (metadata, StatusMessage).
local life = {
  creating = "created create_failed",
  initial_syncing = "normal",
  syncing = "normal",
  normal = "syncing",
  manual_syncing = "stopped",
  stopping = "stopped stop_failed",
  failovering = "failovered failover_failed",
  reprotecting = "stopped reprotect_failed",
  deleting = "deleted delete_failed gone",
  deleted = "gone",
  any = "invalid",
}
M.steps = {
  pair = life,
  group = life,
  drill = { executing = "executed execute_failed", clearing = "clear_failed gone" },
}
M.step_docs = {
  creating = "provider: created, or create_failed and invalid as failures",
  initial_syncing = "metadata, field Status: the first full copy, then normal",
  syncing = "metadata, field Status: a later cycle is being copied",
  normal = "metadata, field Status: a cycle finished, the next is waited for",
  manual_syncing = "page StartDiskReplicaPair: stopped after a one-time copy",
  stopping = "page StopDiskReplicaGroup: stopped, unchanged or stop_failed",
  failovering = "page FailoverDiskReplicaGroup",
  reprotecting = "provider: waits for stopped, whatever ReverseReplicate was; page: start it again",
  deleting = "provider: waits until Describe shows it no more",
  deleted = "provider, as before",
  any = "metadata, field StatusMessage",
}

-- The recovery point is the end of the last finished cycle, in seconds of unix time, absent before
-- the first (metadata; provider: the first copy is over when it is there). So these steps, and no
-- others, may set it; a reversal may drop it (said nowhere).
M.sets_point = {
  initial_syncing = { normal = true },
  syncing = { normal = true },
  manual_syncing = { stopped = true },
}
M.has_point = "normal"
M.lacks_point = "creating created create_failed"

-- Source* and Destination* are the sides of now and change places by a reversal, at the latest when
-- the record arrives in stopped; Primary* and Standby* are those of the beginning and never change
-- (page DescribeDiskReplicaPairs and …Groups, edition of 2026). ReverseReplicate=false keeps all.
M.reverses = { from = "reprotecting", to = "stopped" }

-- When a group arrives in one of these its pairs are all there: they fail over together (guide); a
-- member in another state is a conflict for the next call (metadata).
M.together = "failovered"

-- What Describe shows of a record (metadata; pages of 2026). Groups say SourceRegionId where pairs
-- say SourceRegion. Source* and Destination* are the sides of now, Primary* and Standby* those of
-- the beginning. Site picks the records of which the region is the production or the recovery site,
-- production where nothing is said; which site is which after a reversal is said nowhere.
M.shown = {
  DescribeDiskReplicaGroups = { list = "ReplicaGroups", id = "ReplicaGroupId", of = "group",
    filters = "GroupIds Name ResourceGroupId Tag.1.Key MaxResults NextToken PageSize PageNumber",
    fields = { Status = "status", LastRecoverPoint = "point",
      SourceRegionId = "source region", SourceZoneId = "source zone",
      DestinationRegionId = "destination region", DestinationZoneId = "destination zone",
      PrimaryRegion = "primary region", PrimaryZone = "primary zone",
      StandbyRegion = "standby region", StandbyZone = "standby zone" } },
  DescribeDiskReplicaPairs = { list = "ReplicaPairs", id = "ReplicaPairId", of = "pair",
    filters = "PairIds ReplicaGroupId Name ResourceGroupId Tag.1.Key MaxResults NextToken PageSize "
      .. "PageNumber",
    fields = { Status = "status", LastRecoverPoint = "point",
      SourceRegion = "source region", SourceZoneId = "source zone", SourceDiskId = "source_disk",
      DestinationRegion = "destination region", DestinationZoneId = "destination zone",
      DestinationDiskId = "destination_disk",
      PrimaryRegion = "primary region", PrimaryZone = "primary zone",
      StandbyRegion = "standby region", StandbyZone = "standby zone" } },
}

--- The words of a list, as a set.
--- @param list string|nil
--- @return table<string, boolean>
function M.set(list)
  local set = {}
  for word in (list or ""):gmatch("%S+") do
    set[word] = true
  end
  return set
end

--- What the documents say of an operation in a state.
--- @param name string
--- @param state string
--- @param one_shot boolean|nil
--- @return "yes"|"no"|"silent"
function M.says(name, state, one_shot)
  local row = M.operations[name]
  local yes = one_shot and row.yes_one_shot or row.yes
  if M.set(yes)[state] then
    return "yes"
  end
  return M.set(row.silent)[state] and "silent" or "no"
end

--- How many pairs of an operation and a state there are, and for how many the documents are silent.
--- @return integer cells
--- @return integer silent
function M.count()
  local cells, silent = 0, 0
  for name, row in pairs(M.operations) do
    for state in (row.id and M.states[row.of] or ""):gmatch("%S+") do
      cells = cells + 1
      silent = silent + (M.says(name, state) == "silent" and 1 or 0)
    end
  end
  return cells, silent
end

return M
