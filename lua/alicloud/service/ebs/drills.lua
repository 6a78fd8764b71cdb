--- Drills: the last recovery point is cloned to new pay-as-you-go disks at the secondary site while
--- replication goes on. Clearing deletes those disks.
--
-- These operations call their ids PairId and GroupId; all others, ReplicaPairId and ReplicaGroupId.

local paging = require "alicloud.service.common.paging"
local response = require "alicloud.service.common.response"
local shared = require "alicloud.service.ebs.shared"

local param = shared.params

local PAIR = "diskreplicapair/{PairId}"
local GROUP = "diskreplicagroup/{GroupId}"

-- The page allows either region; drills take place in the secondary one.
local reading_region = shared.with("destination_region", {
  doc = "region where the drill took place, that of the secondary disks",
})

local started = response.of { "DrillId", "RequestId" }

local start_errors = shared.younger_errors {
  "OperationDenied.RecoverPointNotFound", "OperationDenied.StartDrillShouldOnDestRegion",
}

local function drills(own)
  for _, field in ipairs {
    "DrillId", "Status", "StatusMessage",
    { "StartAt", "integer", "unix s" }, { "RecoverPoint", "integer", "unix s" },
  } do
    own[#own + 1] = field
  end
  return response.page("Drills[].", own)
end

return {
  DescribePairDrills = {
    summary = "Reads the drills of a pair; a cleared one is gone.",
    mutating = false, token = false, region = "either", timeout = 10, per_second = 10,
    ram = { level = "list", resource = PAIR, inferred = true },
    params = paging.with_params({
      RegionId = reading_region,
      PairId = param.pair,
      DrillId = param.one_drill,
    }, 500),
    paging = paging.of("Drills", 500),
    shows = "drill",
    response = drills {
      "DrillDiskId",
      -- A status, or the code of what went wrong with the disk.
      "DrillDiskStatus",
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
    response = response.accepted,
    waiter = "pair_drill_cleared",
    errors = shared.younger_errors(),
  },

  DescribeReplicaGroupDrills = {
    summary = "Reads the drills of a group; a cleared one is gone.",
    mutating = false, token = false, region = "either", timeout = 10,
    ram = { level = "list", resource = GROUP, inferred = true },
    params = paging.with_params({
      RegionId = reading_region,
      GroupId = param.group,
      DrillId = param.one_drill,
    }, 500),
    paging = paging.of("Drills", 500),
    shows = "drill",
    response = drills {
      "GroupId", "PairsInfo[].PairId", "PairsInfo[].DrillDiskId", "PairsInfo[].DrillDiskStatus",
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
    response = response.accepted,
    waiter = "group_drill_cleared",
    errors = shared.younger_errors(),
  },
}
