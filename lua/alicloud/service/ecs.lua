--- Elastic Compute Service, version 2014-05-26, as data: the operations around a failover. They
--- attach the secondary disks and start the standby instances; they stop and detach the old side.
--
-- None of the changing calls takes a ClientToken: after an unknown outcome, look at the disk or the
-- instance before a retry. With DryRun=true, success is reported as the error DryRunOperation.
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
    -- As the vendor's SDKs resolve this region.
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
