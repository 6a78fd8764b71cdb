--- The errors of attaching, detaching, starting and stopping. Messages are left out where they are
--- not known: the service's wording is no contract, its codes are.
-- Source: error tables of the published metadata (2024-06).

local api_error = require "alicloud.service.common.api_error"

local errors = {
  ["IncorrectDiskStatus"] = api_error(403, nil,
    "The state of the disk does not allow this: attaching wants Available, detaching In_use.",
    "read Status and InstanceId with DescribeDisks; a secondary disk becomes Available for use "
      .. "only once its pair is failovered", true),
  ["DiskError"] = api_error(403, nil,
    "The disk is broken, or the service has fenced it off.",
    "read the disk's events in the console; drill disks of an older recovery point are a way "
      .. "round, then a ticket with the request id"),
  ["ResourcesNotInSameZone"] = api_error(403, nil,
    "Disk and instance lie in different zones.",
    "compare ZoneId of both; the standby instance has to be in the zone of the secondary disks "
      .. "(the group's DestinationZoneId)"),
  ["InstanceDiskLimitExceeded"] = api_error(403, nil,
    "The instance has as many disks as its type takes.",
    "detach what is not needed, spread the disks over more instances, or take a larger type"),
  ["InstanceLockedForSecurity"] = api_error(403, nil,
    "The instance is locked for reasons of security.",
    "read OperationLocks with DescribeInstances; use another standby instance meanwhile"),
  ["IncorrectInstanceStatus"] = {
    status = 403,
    -- AttachDisk answers it with this status.
    also = 400,
    meaning = "The instance is in a state from which this is not allowed.",
    cure = "read Status with DescribeInstances; wait for instance_running or instance_stopped, "
      .. "then repeat",
    passes = true,
  },
  ["InstanceNotReady"] = {
    status = 403,
    also = 500,
    meaning = "The instance is still being prepared.",
    cure = "wait a minute, read its Status, then start it again",
    passes = true,
  },
  ["OperationDenied.NoStock"] = api_error(403, nil,
    "The zone has no room left for an instance of this type.",
    "start another type or in another zone; standby instances that are kept running, or stopped "
      .. "with KeepCharging, do not meet this"),
  ["InvalidDiskId.NotFound"] = api_error(404, nil,
    "The region asked has no such disk in this account.",
    "check the region first: secondary disks lie in the destination region; then the id"),
  ["InvalidInstanceId.NotFound"] = api_error(404, nil,
    "The region asked has no such instance in this account.",
    "check the region first: calls about the standby go to the destination region; then the id"),
  ["InvalidRegionId.NotFound"] = api_error(404, nil,
    "There is no such region.",
    "check the spelling of RegionId, e.g. cn-shanghai"),
  ["InvalidDisk.InUse"] = api_error(404, nil,
    "The disk is attached already.",
    "DescribeDisks names the instance; if it is the one you want, this is done"),
  ["InvalidDisk.AlreadyDetached"] = api_error(404, nil,
    "The disk is not attached.",
    "nothing to do: it is detached"),
  ["DependencyViolation"] = api_error(403, nil,
    "Something still depends on the attachment.",
    "stop the instance, wait for instance_stopped, then detach"),
  ["DryRunOperation"] = api_error(400, nil,
    "The check asked for by DryRun has succeeded; nothing was done.",
    "call again without DryRun"),
  ["InternalError"] = api_error(500, nil,
    "The service failed while it worked on the request; what it did is not known.",
    "look at the disk or the instance first; repeat only if nothing moved: this call takes no "
      .. "ClientToken"),
}

for code, entry in pairs(require "alicloud.service.common.errors") do
  errors[code] = errors[code] or entry
end
return errors
