---@meta

--- Parameters and results of operations of ecs 2014-05-26. Made by `make types` from the service data; change that instead.

---@class alicloud.ecs.AttachDiskParams
---@field Bootable? boolean attach as the system disk
---@field DeleteWithInstance? boolean whether the disk is deleted together with its instance
---@field Device? string device name; left to the service; text without control characters
---@field DiskId string the disk; an id of 1-64 letters, digits, hyphens, underscores and dots
---@field Force? boolean attach although something forbids it
---@field InstanceId string the instance; an id of 1-64 letters, digits, hyphens, underscores and dots
---@field KeyPairName? string of the system, with Bootable; text without control characters
---@field Password? string of the system, with Bootable; text without control characters

---@class alicloud.ecs.DescribeDisksParams: alicloud.PageParams
---@field AdditionalAttributes? string[] attributes to show besides the usual ones; a list of at most 100
---@field AutoSnapshotPolicyId? string with this snapshot policy; text without control characters
---@field Category? string disk category, e.g. cloud_essd; text without control characters
---@field DeleteAutoSnapshot? boolean only disks whose snapshots are deleted with them, or only the others
---@field DeleteWithInstance? boolean only disks that are deleted with their instance, or only the others
---@field DiskChargeType? string PrePaid or PostPaid; text without control characters
---@field DiskIds? string|string[] disks to read; all if absent, none if it is an empty list; a list of at most 100 ids, or its JSON text
---@field DiskName? string name of the disk; text without control characters
---@field DiskType? "all"|"system"|"data" what it is for; all if absent
---@field DryRun? boolean only check; success comes back as the error DryRunOperation
---@field EnableAutoSnapshot? boolean only disks with automatic snapshots, or only the others
---@field EnableAutomatedSnapshotPolicy? boolean only disks with a snapshot policy, or only the others
---@field EnableShared? boolean only shared block storage, or only the others
---@field Encrypted? boolean only encrypted disks, or only plain ones
---@field Filter? { Key?: string, Value?: string }[] comparisons of times; a list of at most 4
---@field InstanceId? string attached to this instance; text without control characters
---@field KMSKeyId? string encrypted with this key; text without control characters
---@field LockReason? string locked for this reason; text without control characters
---@field MaxResults? integer items per page; an integer from 1 to 500; 10 if absent
---@field MultiAttach? string Enabled or Disabled; text without control characters
---@field Portable? boolean only disks that can be detached, or only the others
---@field RegionId? string region to ask; the endpoint follows it; a region id such as cn-shanghai (lower-case letters, digits and hyphens)
---@field ResourceGroupId? string resource group; text without control characters
---@field SnapshotId? string made from this snapshot; text without control characters
---@field Status? "In_use"|"Available"|"Attaching"|"Detaching"|"Creating"|"ReIniting"|"All" only disks in this state; All if absent
---@field Tag? { Key?: string, Value?: string }[] resources that carry all these tags; a list of at most 20
---@field ZoneId? string zone; text without control characters

---@class alicloud.ecs.DescribeDisksResult.Disks.Disk.Attachments.Attachment
---@field InstanceId? string
---@field Device? string
---@field AttachedTime? string

---@class alicloud.ecs.DescribeDisksResult.Disks.Disk.Attachments
---@field Attachment? alicloud.ecs.DescribeDisksResult.Disks.Disk.Attachments.Attachment[]

---@class alicloud.ecs.DescribeDisksResult.Disks.Disk.Tags.Tag
---@field TagKey? string
---@field TagValue? string

---@class alicloud.ecs.DescribeDisksResult.Disks.Disk.Tags
---@field Tag? alicloud.ecs.DescribeDisksResult.Disks.Disk.Tags.Tag[]

---@class alicloud.ecs.DescribeDisksResult.Disks.Disk
---@field DiskId? string
---@field DiskName? string
---@field Status? string
---@field RegionId? string
---@field ZoneId? string
---@field InstanceId? string
---@field Device? string
---@field Type? string
---@field Category? string
---@field PerformanceLevel? string
---@field Size? integer GiB
---@field Encrypted? boolean
---@field Portable? boolean
---@field DeleteWithInstance? boolean
---@field Attachments? alicloud.ecs.DescribeDisksResult.Disks.Disk.Attachments
---@field CreationTime? string
---@field AttachedTime? string
---@field DetachedTime? string
---@field Tags? alicloud.ecs.DescribeDisksResult.Disks.Disk.Tags

---@class alicloud.ecs.DescribeDisksResult.Disks
---@field Disk? alicloud.ecs.DescribeDisksResult.Disks.Disk[]

---@class alicloud.ecs.DescribeDisksResult: alicloud.Page
---@field Disks? alicloud.ecs.DescribeDisksResult.Disks

---@class alicloud.ecs.DescribeInstancesParams: alicloud.PageParams
---@field AdditionalAttributes? string[] attributes to show besides the usual ones; a list of at most 100
---@field DeviceAvailable? boolean only instances that can take another disk
---@field DryRun? boolean only check; success comes back as the error DryRunOperation
---@field EipAddresses? string elastic addresses, as JSON text; text without control characters
---@field Filter? { Key?: string, Value?: string }[] comparisons of times; a list of at most 4
---@field HpcClusterId? string cluster; text without control characters
---@field HttpEndpoint? string of the metadata service: enabled or disabled; text without control characters
---@field HttpPutResponseHopLimit? integer hops of the metadata service; an integer
---@field HttpTokens? string of the metadata service: optional or required; text without control characters
---@field ImageId? string image; text without control characters
---@field InnerIpAddresses? string inner addresses of the classic network, as JSON text; text without control characters
---@field InstanceChargeType? string PrePaid or PostPaid; text without control characters
---@field InstanceIds? string|string[] instances to read; all if absent; a list of at most 100 ids, or its JSON text
---@field InstanceName? string name of the instance; * stands for anything; text without control characters
---@field InstanceNetworkType? string classic or vpc; text without control characters
---@field InstanceType? string instance type; text without control characters
---@field InstanceTypeFamily? string family of instance types; text without control characters
---@field InternetChargeType? string PayByTraffic or PayByBandwidth; text without control characters
---@field IoOptimized? boolean only I/O optimised instances, or only the others
---@field Ipv6Address? string[] IPv6 addresses; a list of at most 100
---@field KeyPairName? string key pair; text without control characters
---@field LockReason? string locked for this reason; text without control characters
---@field MaxResults? integer items per page; an integer from 1 to 100; 10 if absent
---@field NeedSaleCycle? boolean show the billing cycle
---@field PrivateIpAddresses? string private addresses, as JSON text; text without control characters
---@field PublicIpAddresses? string public addresses, as JSON text; text without control characters
---@field RdmaIpAddresses? string RDMA addresses; text without control characters
---@field RegionId? string region to ask; the endpoint follows it; a region id such as cn-shanghai (lower-case letters, digits and hyphens)
---@field ResourceGroupId? string resource group; text without control characters
---@field SecurityGroupId? string security group; text without control characters
---@field Status? "Pending"|"Running"|"Starting"|"Stopping"|"Stopped" only instances in this state
---@field Tag? { Key?: string, Value?: string }[] resources that carry all these tags; a list of at most 20
---@field VSwitchId? string switch of the network; text without control characters
---@field VpcId? string network; text without control characters
---@field ZoneId? string zone; text without control characters

---@class alicloud.ecs.DescribeInstancesResult.Instances.Instance.VpcAttributes.PrivateIpAddress
---@field IpAddress? string[]

---@class alicloud.ecs.DescribeInstancesResult.Instances.Instance.VpcAttributes
---@field VpcId? string
---@field VSwitchId? string
---@field PrivateIpAddress? alicloud.ecs.DescribeInstancesResult.Instances.Instance.VpcAttributes.PrivateIpAddress

---@class alicloud.ecs.DescribeInstancesResult.Instances.Instance.OperationLocks.LockReason
---@field LockReason? string

---@class alicloud.ecs.DescribeInstancesResult.Instances.Instance.OperationLocks
---@field LockReason? alicloud.ecs.DescribeInstancesResult.Instances.Instance.OperationLocks.LockReason[]

---@class alicloud.ecs.DescribeInstancesResult.Instances.Instance.Tags.Tag
---@field TagKey? string
---@field TagValue? string

---@class alicloud.ecs.DescribeInstancesResult.Instances.Instance.Tags
---@field Tag? alicloud.ecs.DescribeInstancesResult.Instances.Instance.Tags.Tag[]

---@class alicloud.ecs.DescribeInstancesResult.Instances.Instance
---@field InstanceId? string
---@field InstanceName? string
---@field Status? string
---@field RegionId? string
---@field ZoneId? string
---@field InstanceType? string
---@field StoppedMode? string
---@field HostName? string
---@field Cpu? integer
---@field Memory? integer MiB
---@field CreationTime? string
---@field StartTime? string
---@field VpcAttributes? alicloud.ecs.DescribeInstancesResult.Instances.Instance.VpcAttributes
---@field OperationLocks? alicloud.ecs.DescribeInstancesResult.Instances.Instance.OperationLocks
---@field Tags? alicloud.ecs.DescribeInstancesResult.Instances.Instance.Tags

---@class alicloud.ecs.DescribeInstancesResult.Instances
---@field Instance? alicloud.ecs.DescribeInstancesResult.Instances.Instance[]

---@class alicloud.ecs.DescribeInstancesResult: alicloud.Page
---@field Instances? alicloud.ecs.DescribeInstancesResult.Instances

---@class alicloud.ecs.DescribeSnapshotsParams: alicloud.PageParams
---@field AdditionalAttributes? string[] attributes to show besides the usual ones; a list of at most 100
---@field DiskId? string of this disk; text without control characters
---@field DryRun? boolean only check; success comes back as the error DryRunOperation
---@field Encrypted? boolean only encrypted snapshots, or only plain ones
---@field Filter? { Key?: string, Value?: string }[] comparisons of times; a list of at most 4
---@field InstanceId? string of disks of this instance; text without control characters
---@field MaxResults? integer items per page; an integer from 1 to 100; 10 if absent
---@field RegionId? string region to ask; the endpoint follows it; a region id such as cn-shanghai (lower-case letters, digits and hyphens)
---@field ResourceGroupId? string resource group; text without control characters
---@field SnapshotIds? string|string[] snapshots to read; else all; a list of at most 100 ids, or its JSON text
---@field SnapshotLinkId? string chain of snapshots; text without control characters
---@field SnapshotName? string name of the snapshot; text without control characters
---@field SnapshotType? string auto, user or all; text without control characters
---@field SourceDiskType? string System or Data; text without control characters
---@field Status? "progressing"|"accomplished"|"failed"|"all" only snapshots in this state; all if absent
---@field Tag? { Key?: string, Value?: string }[] resources that carry all these tags; a list of at most 20
---@field Usage? string image, disk, image_disk or none; text without control characters

---@class alicloud.ecs.DescribeSnapshotsResult.Snapshots.Snapshot
---@field SnapshotId? string
---@field SnapshotName? string
---@field Status? string
---@field SourceDiskId? string
---@field SourceDiskType? string
---@field SourceDiskSize? string
---@field Progress? string
---@field Usage? string
---@field Description? string
---@field CreationTime? string
---@field Encrypted? boolean

---@class alicloud.ecs.DescribeSnapshotsResult.Snapshots
---@field Snapshot? alicloud.ecs.DescribeSnapshotsResult.Snapshots.Snapshot[]

---@class alicloud.ecs.DescribeSnapshotsResult: alicloud.Page
---@field Snapshots? alicloud.ecs.DescribeSnapshotsResult.Snapshots

---@class alicloud.ecs.DetachDiskParams
---@field DeleteWithInstance? boolean whether the disk is deleted together with its instance
---@field DiskId string the disk; an id of 1-64 letters, digits, hyphens, underscores and dots
---@field InstanceId string the instance; an id of 1-64 letters, digits, hyphens, underscores and dots

---@class alicloud.ecs.StartInstanceParams
---@field DryRun? boolean only check; success comes back as the error DryRunOperation; false if absent
---@field InitLocalDisk? boolean give local disks back as they were new
---@field InstanceId string the instance; an id of 1-64 letters, digits, hyphens, underscores and dots

---@class alicloud.ecs.StopInstanceParams
---@field ConfirmStop? boolean kept for old callers
---@field DryRun? boolean only check; success comes back as the error DryRunOperation; false if absent
---@field ForceStop? boolean cut the power; caches are lost; false if absent
---@field Hibernate? boolean keep the memory; false if absent
---@field InstanceId string the instance; an id of 1-64 letters, digits, hyphens, underscores and dots
---@field StoppedMode? "StopCharging"|"KeepCharging" whether it costs while it is stopped; with StopCharging a restart may lack stock
