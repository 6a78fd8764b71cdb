--- Snapshots, read only: a disk of which somebody keeps snapshots must not be overwritten.

local paging = require "alicloud.service.common.paging"
local response = require "alicloud.service.common.response"
local shared = require "alicloud.service.ecs.shared"

return {
  DescribeSnapshots = {
    summary = "Reads snapshots of disks.",
    mutating = false, token = false, region = "either", timeout = 10,
    ram = {
      level = "list", resource = "acs:ecs:{regionId}:{accountId}:snapshot/*", inferred = true,
    },
    params = paging.with_params(shared.with_filters({
      RegionId = shared.region,
      SnapshotIds = { type = "json_ids", max_items = 100, doc = "snapshots to read; else all" },
      Status = {
        type = "string", values = { "progressing", "accomplished", "failed", "all" },
        default = "all", doc = "only snapshots in this state",
      },
    }, {
      DiskId = "of this disk",
      InstanceId = "of disks of this instance",
      SnapshotName = "name of the snapshot",
      SnapshotLinkId = "chain of snapshots",
      SnapshotType = "auto, user or all",
      SourceDiskType = "System or Data",
      Usage = "image, disk, image_disk or none",
      ResourceGroupId = "resource group",
    }, {
      Encrypted = "only encrypted snapshots, or only plain ones",
      DryRun = "only check; success comes back as the error DryRunOperation",
    }), 100),
    paging = paging.of("Snapshots.Snapshot", 100),
    response = response.page("Snapshots.Snapshot[].", {
      "SnapshotId", "SnapshotName", "Status", "SourceDiskId", "SourceDiskType", "SourceDiskSize",
      "Progress", "Usage", "Description", "CreationTime", { "Encrypted", "boolean" },
    }),
    errors = { "InternalError", "InvalidRegionId.NotFound" },
  },
}
