--- Operations that a product has and the emulator lacks. It answers that they are not open to the
-- caller, while a name that no product has is an unknown operation.
-- Source: the directory of the published metadata of ebs 2021-07-30.

local M = {}

local EBS = { "CreateDedicatedBlockStorageCluster", "DescribeDedicatedBlockStorageClusters",
  "ModifyDedicatedBlockStorageClusterAttribute", "DescribeDedicatedBlockStorageClusterDisks",
  "QueryDedicatedBlockStorageClusterInventoryData", "CreateEnterpriseSnapshotPolicy",
  "DescribeEnterpriseSnapshotPolicy", "UpdateEnterpriseSnapshotPolicy",
  "BindEnterpriseSnapshotPolicy", "UnbindEnterpriseSnapshotPolicy",
  "DeleteEnterpriseSnapshotPolicy", "ApplyLensService", "DescribeLensServiceStatus",
  "CancelLensService", "DescribeLensMonitorDisks", "DescribeEvents", "DescribeMetricData",
  "DescribeDiskMonitorDataList", "DescribeDiskMonitorData", "DescribeDiskEvents",
  "UpdateSolutionInstanceAttribute", "DescribeDisks", "GetDisk", "DeleteDisk",
  "DescribeSolutionInstanceConfiguration",
  "QueryDedicatedBlockStorageClusterDiskThroughputStatus",
  "SetDedicatedBlockStorageClusterDiskThroughput" }

local NAMES = { ["2021-07-30"] = {} }
for _, name in ipairs(EBS) do NAMES["2021-07-30"][name] = true end

--- Whether a product has an operation that the emulator lacks.
---@param version string|nil
---@param action string
---@return boolean
function M.knows(version, action)
  local names = NAMES[version]
  return names ~= nil and names[action] == true
end

return M
