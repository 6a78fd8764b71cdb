--- Waiters for disks and instances around a failover.

local function waiters_of(operation, items, delay, timeout)
  return function(fields)
    fields.operation, fields.items, fields.field = operation, items, "Status"
    fields.delay, fields.timeout, fields.failure = delay, timeout, fields.failure or {}
    return fields
  end
end

local disk = waiters_of("DescribeDisks", "Disks.Disk", 3, 300)
local instance = waiters_of("DescribeInstances", "Instances.Instance", 5, 600)

return {
  disk_available = disk {
    doc = "the disk is attached nowhere and can be",
    success = { "Available" },
    transient = { "In_use", "Detaching", "Attaching", "Creating", "ReIniting" },
  },
  disk_in_use = disk {
    doc = "the disk is attached",
    success = { "In_use" },
    failure = { "Detaching" },
    transient = { "Available", "Attaching", "Creating", "ReIniting" },
  },
  instance_running = instance {
    doc = "the instance runs; what is on it may still be starting",
    success = { "Running" },
    failure = { "Stopping" },
    transient = { "Stopped", "Starting", "Pending" },
  },
  instance_stopped = instance {
    doc = "the instance is stopped, so its disks are no longer written to",
    success = { "Stopped" },
    transient = { "Running", "Stopping", "Starting", "Pending" },
  },
}
