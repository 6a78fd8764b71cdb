--- Drills: the last recovery point is cloned to new pay-as-you-go disks at the secondary site while
--- replication goes on. Clearing deletes those disks.
--
-- These operations call their ids PairId and GroupId; all others say ReplicaPairId, ReplicaGroupId.

local shared = require "alicloud.service.ebs.shared"

local param = shared.params

local PAIR = "diskreplicapair/{PairId}"
local GROUP = "diskreplicagroup/{GroupId}"

-- The page says either region; drills take place in the secondary one.
local reading_region = shared.with("destination_region", {
  doc = "region where the drill took place, that of the secondary disks",
})

local started = { { "DrillId", "string" }, { "RequestId", "string" } }

local start_errors = shared.younger_errors {
  "OperationDenied.RecoverPointNotFound", "OperationDenied.StartDrillShouldOnDestRegion",
}

local common_fields = {
  { "Drills[].DrillId", "string" },
  { "Drills[].Status", "string" },
  { "Drills[].StatusMessage", "string" },
  { "Drills[].StartAt", "integer", "unix s" },
  { "Drills[].RecoverPoint", "integer", "unix s" },
}

local function fields(own)
  for _, field in ipairs(common_fields) do own[#own + 1] = field end
  return shared.page_of(own)
end

return {
  DescribePairDrills = {
    summary = "Reads the drills of a pair; a cleared one is gone.",
    mutating = false, token = false, region = "either", timeout = 10, per_second = 10,
    ram = { level = "list", resource = PAIR, inferred = true },
    params = {
      RegionId = reading_region,
      PairId = param.pair,
      DrillId = param.one_drill,
      MaxResults = param.max_results,
      NextToken = param.next_token,
      PageNumber = param.page_number,
      PageSize = param.page_size,
    },
    paging = shared.paging "Drills",
    response = fields {
      { "Drills[].DrillDiskId", "string" },
      -- Also the code of what went wrong with the disk.
      { "Drills[].DrillDiskStatus", "string" },
    },
    errors = shared.younger_errors(),
  },

  StartPairDrill = {
    summary = "Clones the last recovery point of a pair to a new disk.",
    mutating = true, token = true, region = "destination", timeout = 30, per_second = 10,
    ram = { level = "create", resource = PAIR },
    params = {
      RegionId = param.destination_region, PairId = param.pair, ClientToken = param.token,
    },
    response = started,
    waiter = "pair_drill_executed",
    errors = start_errors,
  },

  ClearPairDrill = {
    summary = "Deletes a drill of a pair together with its disk.",
    mutating = true, token = false, region = "destination", timeout = 30,
    ram = { level = "delete", resource = PAIR, inferred = true },
    params = { RegionId = reading_region, PairId = param.pair, DrillId = param.drill },
    response = shared.accepted,
    waiter = "pair_drill_cleared",
    errors = shared.younger_errors(),
  },

  DescribeReplicaGroupDrills = {
    summary = "Reads the drills of a group; a cleared one is gone.",
    mutating = false, token = false, region = "either", timeout = 10,
    ram = { level = "list", resource = GROUP, inferred = true },
    params = {
      RegionId = reading_region,
      GroupId = param.group,
      DrillId = param.one_drill,
      MaxResults = param.max_results,
      NextToken = param.next_token,
      PageNumber = param.page_number,
      PageSize = param.page_size,
    },
    paging = shared.paging "Drills",
    response = fields {
      { "Drills[].GroupId", "string" },
      { "Drills[].PairsInfo[].PairId", "string" },
      { "Drills[].PairsInfo[].DrillDiskId", "string" },
      { "Drills[].PairsInfo[].DrillDiskStatus", "string" },
    },
    errors = shared.younger_errors(),
  },

  StartReplicaGroupDrill = {
    summary = "Clones the last recovery point of every pair of a group to new disks.",
    mutating = true, token = true, region = "destination", timeout = 30,
    ram = { level = "create", resource = GROUP, inferred = true },
    params = {
      RegionId = param.destination_region, GroupId = param.group, ClientToken = param.token,
    },
    response = started,
    waiter = "group_drill_executed",
    errors = start_errors,
  },

  ClearReplicaGroupDrill = {
    summary = "Deletes a drill of a group together with its disks.",
    mutating = true, token = false, region = "destination", timeout = 30, per_second = 10,
    ram = { level = "delete", resource = GROUP, inferred = true },
    params = { RegionId = reading_region, GroupId = param.group, DrillId = param.drill },
    response = shared.accepted,
    waiter = "group_drill_cleared",
    errors = shared.younger_errors(),
  },
}
