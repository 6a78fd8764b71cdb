--- Disks: read, attach, detach.

local paging = require "alicloud.service.common.paging"
local response = require "alicloud.service.common.response"
local shared = require "alicloud.service.ecs.shared"

local DISK = "acs:ecs:{regionId}:{accountId}:disk/{DiskId}"

return {
  DescribeDisks = {
    summary = "Reads disks and where they are attached.",
    mutating = false, token = false, region = "either", timeout = 10,
    ram = { level = "list", resource = "acs:ecs:{regionId}:{accountId}:disk/*", inferred = true },
    params = paging.with_params(shared.with_filters({
      RegionId = shared.region,
      DiskIds = {
        type = "json_ids", max_items = 100,
        doc = "disks to read; all if absent, none if it is an empty list",
      },
      Status = {
        type = "string", default = "All",
        values = {
          "In_use", "Available", "Attaching", "Detaching", "Creating", "ReIniting", "All",
        },
        doc = "only disks in this state",
      },
      DiskType = {
        type = "string", values = { "all", "system", "data" }, default = "all",
        doc = "what it is for",
      },
    }, {
      InstanceId = "attached to this instance",
      ZoneId = "zone",
      DiskName = "name of the disk",
      Category = "disk category, e.g. cloud_essd",
      DiskChargeType = "PrePaid or PostPaid",
      SnapshotId = "made from this snapshot",
      ResourceGroupId = "resource group",
      KMSKeyId = "encrypted with this key",
      LockReason = "locked for this reason",
      MultiAttach = "Enabled or Disabled",
      AutoSnapshotPolicyId = "with this snapshot policy",
    }, {
      Encrypted = "only encrypted disks, or only plain ones",
      Portable = "only disks that can be detached, or only the others",
      DeleteWithInstance = "only disks that are deleted with their instance, or only the others",
      DeleteAutoSnapshot = "only disks whose snapshots are deleted with them, or only the others",
      EnableAutoSnapshot = "only disks with automatic snapshots, or only the others",
      EnableAutomatedSnapshotPolicy = "only disks with a snapshot policy, or only the others",
      EnableShared = "only shared block storage, or only the others",
      DryRun = "only check; success comes back as the error DryRunOperation",
    }), 500),
    paging = paging.of("Disks.Disk", 500),
    response = response.page("Disks.Disk[].", {
      "DiskId", "DiskName", "Status", "RegionId", "ZoneId", "InstanceId", "Device", "Type",
      "Category", "PerformanceLevel", { "Size", "integer", "GiB" }, { "Encrypted", "boolean" },
      { "Portable", "boolean" }, { "DeleteWithInstance", "boolean" },
      "Attachments.Attachment[].InstanceId", "Attachments.Attachment[].Device",
      "Attachments.Attachment[].AttachedTime", "CreationTime", "AttachedTime", "DetachedTime",
      "Tags.Tag[].TagKey", "Tags.Tag[].TagValue",
    }),
    errors = { "InternalError", "InvalidRegionId.NotFound" },
  },

  AttachDisk = {
    summary = "Attaches a disk to an instance of the same zone.",
    mutating = true, token = false, region = "resource", timeout = 30,
    ram = { level = "update", resource = DISK, inferred = true },
    -- A system disk can only be attached to a stopped instance.
    legal_states = { disk = { "Available" }, instance = { "Running", "Stopped" } },
    params = {
      InstanceId = shared.instance,
      DiskId = shared.disk,
      Device = { type = "string", format = "text", doc = "device name; left to the service" },
      DeleteWithInstance = shared.delete_with_instance,
      Bootable = { type = "boolean", doc = "attach as the system disk" },
      Password = { type = "string", format = "text", doc = "of the system, with Bootable" },
      KeyPairName = { type = "string", format = "text", doc = "of the system, with Bootable" },
      Force = { type = "boolean", doc = "attach although something forbids it" },
    },
    response = response.accepted,
    waiter = "disk_in_use",
    errors = {
      "IncorrectDiskStatus", "DiskError", "ResourcesNotInSameZone", "InstanceDiskLimitExceeded",
      "InstanceLockedForSecurity", "IncorrectInstanceStatus", "InvalidDiskId.NotFound",
      "InvalidInstanceId.NotFound", "InvalidDisk.InUse", "InvalidDevice.Malformed",
      "InvalidDevice.InUse", "InstanceExpiredOrInArrears", "DiskId.ValueNotSupported",
      "DiskId.StatusNotSupported", "UserNotInTheWhiteList",
      "InvalidOperation.InstanceTypeNotSupport", "InternalError",
    },
  },

  DetachDisk = {
    summary = "Detaches a disk; it takes about a minute.",
    mutating = true, token = false, region = "resource", timeout = 30,
    ram = { level = "update", resource = DISK, inferred = true },
    legal_states = { disk = { "In_use" }, instance = { "Running", "Stopped" } },
    params = {
      InstanceId = shared.instance,
      DiskId = shared.disk,
      DeleteWithInstance = shared.delete_with_instance,
    },
    response = response.accepted,
    waiter = "disk_available",
    errors = {
      "DependencyViolation", "IncorrectDiskStatus", "IncorrectInstanceStatus",
      "InvalidDisk.AlreadyDetached", "InvalidParameter", "InvalidRegionId.MalFormed",
      "InvalidOperation.InstanceTypeNotSupport", "DisksDetachingOnEcsExceeded", "DiskNotPortable",
      "InstanceLockedForSecurity", "DiskTypeViolation", "UserNotInTheWhiteList",
      "InvalidInstance.ImageCategory", "DeleteWithInstance.Conflict",
      "InvalidOperation.DiskCategoryUnsupported", "InvalidParameter.DeleteWithInstance",
      "InvalidOperation.DiskDetachingFromThisEcs", "InvalidInstanceId.NotFound",
      "InvalidDiskId.NotFound", "InvalidDiskId.OperationNotSupported", "InternalError",
    },
  },
}
