---@meta

--- The service of ecs 2014-05-26. Made by `make types` from the service data; change that instead.

---@alias alicloud.ecs.Pageable
---| "DescribeDisks"
---| "DescribeInstances"
---| "DescribeSnapshots"

---@alias alicloud.ecs.Waiter
---| "disk_available"
---| "disk_in_use"
---| "instance_running"
---| "instance_stopped"

---@class alicloud.ecs.Service : alicloud.Service
---@field each fun(self: alicloud.ecs.Service, action: alicloud.ecs.Pageable, params?: table, call_options?: table): fun(): table|nil, table
---@field wait fun(self: alicloud.ecs.Service, name: alicloud.ecs.Waiter, params: table, wait_options?: alicloud.waiter.Options): table|nil, alicloud.Error?
---Attaches a disk to an instance of the same zone.
---@field AttachDisk fun(self: alicloud.ecs.Service, params: alicloud.ecs.AttachDiskParams, call_options?: alicloud.CallOptions): alicloud.Answer|nil, alicloud.Error?
---Reads disks and where they are attached.
---@field DescribeDisks fun(self: alicloud.ecs.Service, params?: alicloud.ecs.DescribeDisksParams, call_options?: alicloud.CallOptions): alicloud.ecs.DescribeDisksResult|nil, alicloud.Error?
---Reads instances.
---@field DescribeInstances fun(self: alicloud.ecs.Service, params?: alicloud.ecs.DescribeInstancesParams, call_options?: alicloud.CallOptions): alicloud.ecs.DescribeInstancesResult|nil, alicloud.Error?
---Reads snapshots of disks.
---@field DescribeSnapshots fun(self: alicloud.ecs.Service, params?: alicloud.ecs.DescribeSnapshotsParams, call_options?: alicloud.CallOptions): alicloud.ecs.DescribeSnapshotsResult|nil, alicloud.Error?
---Detaches a disk; it takes about a minute.
---@field DetachDisk fun(self: alicloud.ecs.Service, params: alicloud.ecs.DetachDiskParams, call_options?: alicloud.CallOptions): alicloud.Answer|nil, alicloud.Error?
---Starts a stopped instance.
---@field StartInstance fun(self: alicloud.ecs.Service, params: alicloud.ecs.StartInstanceParams, call_options?: alicloud.CallOptions): alicloud.Answer|nil, alicloud.Error?
---Stops a running instance.
---@field StopInstance fun(self: alicloud.ecs.Service, params: alicloud.ecs.StopInstanceParams, call_options?: alicloud.CallOptions): alicloud.Answer|nil, alicloud.Error?
