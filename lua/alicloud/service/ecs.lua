--- What surrounds a failover in Elastic Compute Service, version 2014-05-26, as data: attach the
--- secondary disks, start the standby instances; stop and detach on the side that was given up.
--
-- None of the changing calls takes a ClientToken: after an unknown outcome look at the disk or the
-- instance before repeating. With DryRun=true success comes back as the error DryRunOperation.
-- Source: the published API metadata of the product (2024-06, 2026-04).

local lazy = require "alicloud.base.lazy"

local disks = require "alicloud.service.ecs.disks"
local instances = require "alicloud.service.ecs.instances"
local snapshots = require "alicloud.service.ecs.snapshots"

local operations = {}
for family, members in pairs { disks = disks, instances = instances,
  snapshots = snapshots } do
  for name, operation in pairs(members) do
    operation.family = family
    operation.ram.action = "ecs:" .. name
    operations[name] = operation
  end
end

return lazy.fields({
  product = "ecs",
  version = "2014-05-26",
  endpoint = {
    public = "ecs.%s.aliyuncs.com",
    vpc = "ecs-vpc.%s.aliyuncs.com",
    -- As the vendor's SDKs resolve it.
    exceptions = { ["cn-hangzhou"] = "ecs-cn-hangzhou.aliyuncs.com" },
  },
  operations = operations,
  states = {
    disk = { "In_use", "Available", "Attaching", "Detaching", "Creating", "ReIniting" },
    instance = { "Pending", "Running", "Starting", "Stopping", "Stopped" },
  },
}, {
  waiters = "alicloud.service.ecs.waiters",
  errors = "alicloud.service.ecs.errors",
})
