--- Adds pairs to groups and removes them. Both calls return before the change shows everywhere.

local response = require "alicloud.service.common.response"
local shared = require "alicloud.service.ebs.shared"

local param = shared.params

local GROUP = "diskreplicagroup/{ReplicaGroupId}"

local params = {
  RegionId = param.group_region,
  ReplicaGroupId = param.group,
  ReplicaPairId = param.pair,
  ClientToken = param.token,
}

return {
  AddDiskReplicaPair = {
    summary = "Puts a pair into a group; zones on both sides must be the group's.",
    mutating = true, token = true, region = "group", timeout = 30, per_second = 40,
    ram = { level = "create", resource = GROUP },
    legal_states = { pair = { "created", "stopped" }, group = { "created", "stopped" } },
    params = params,
    response = response.accepted,
    waiter = "pair_joined",
    errors = shared.denials {
      "OperationDenied.GroupStatusCannotAddPair", "OperationDenied.PairStatusCannotAddToGroup",
      "OperationDenied.PairInitializing", "OperationDenied.PairGroupAZoneConflict",
      "OperationDenied.PairGroupStatusConflict", "OperationDenied.PairInAnotherGroup",
      "OperationDenied.PairsExceedInGroup", "OperationDenied.GroupTotalDiskCapacityLimit",
      "OperationDenied.QuotaExceed",
    },
  },

  RemoveDiskReplicaPair = {
    summary = "Takes a pair out of its group; the pair stays.",
    mutating = true, token = true, region = "group", timeout = 30,
    ram = { level = "update", resource = GROUP },
    legal_states = { group = { "created", "stopped", "invalid" } },
    params = params,
    response = response.accepted,
    waiter = "pair_left",
    errors = shared.denials {
      "OperationDenied.GroupStatusCannotRemovePair",
      "OperationDenied.PairStatusCannotRemoveFromGroup", "OperationDenied.NoPairInGroup",
      "OperationDenied.PairNotInGroup", "OperationDenied.PairInAnotherGroup",
      "OperationDenied.PairGroupAZoneConflict", "OperationDenied.PairGroupStatusConflict",
    },
  },
}
