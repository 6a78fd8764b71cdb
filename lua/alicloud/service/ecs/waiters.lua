--- What to wait for around a failover.

local function disk(fields)
  fields.operation, fields.items, fields.field = "DescribeDisks", "Disks.Disk", "Status"
  fields.failure = fields.failure or {}
  fields.delay, fields.timeout = 3, 300
  return fields
end

local function instance(fields)
  fields.operation, fields.items, fields.field = "DescribeInstances", "Instances.Instance",
    "Status"
  fields.failure = fields.failure or {}
  fields.delay, fields.timeout = 5, 600
  return fields
end

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
