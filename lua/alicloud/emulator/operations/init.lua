--- The operations that the model knows: what each needs, and who does it.

local describe = require "alicloud.emulator.operations.describe"
local failover = require "alicloud.emulator.operations.failover"

---@class alicloud.emulator.Operation
---@field required string[]
---@field mutating boolean|nil
---@field check (fun(emu, params, now): alicloud.emulator.Refusal|nil)|nil  without an effect
---@field run fun(emu, params, context): table|nil, alicloud.emulator.Refusal|nil

---@type table<string, alicloud.emulator.Operation>
return {
  DescribeRegions = { required = {}, run = describe.regions },
  DescribeDiskReplicaGroups = { required = { "RegionId" }, run = describe.groups },
  DescribeDiskReplicaPairs = { required = { "RegionId" }, run = describe.pairs },
  FailoverDiskReplicaGroup = { required = { "RegionId", "ReplicaGroupId" }, mutating = true,
    check = failover.check_group, run = failover.group },
}
