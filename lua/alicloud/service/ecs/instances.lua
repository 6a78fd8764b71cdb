--- Instances: read, start, stop.

local paging = require "alicloud.service.common.paging"
local response = require "alicloud.service.common.response"
local shared = require "alicloud.service.ecs.shared"

local INSTANCE = "acs:ecs:{regionId}:{accountId}:instance/{InstanceId}"

local dry_run = {
  type = "boolean", default = false,
  doc = "only check; success comes back as the error DryRunOperation",
}

return {
  DescribeInstances = {
    summary = "Reads instances.",
    mutating = false, token = false, region = "either", timeout = 10,
    ram = {
      level = "list", resource = "acs:ecs:{regionId}:{accountId}:instance/*", inferred = true,
    },
    params = paging.with_params(shared.with_filters({
      RegionId = shared.region,
      InstanceIds = {
        type = "json_ids", max_items = 100, doc = "instances to read; all if absent",
      },
      Status = {
        type = "string", values = { "Pending", "Running", "Starting", "Stopping", "Stopped" },
        doc = "only instances in this state",
      },
      HttpPutResponseHopLimit = { type = "integer", doc = "hops of the metadata service" },
      Ipv6Address = {
        type = "list", items = { type = "string", format = "text", doc = "an address" },
        doc = "IPv6 addresses",
      },
    }, {
      ZoneId = "zone",
      VpcId = "network",
      VSwitchId = "switch of the network",
      InstanceName = "name of the instance; * stands for anything",
      InstanceType = "instance type",
      InstanceTypeFamily = "family of instance types",
      InstanceNetworkType = "classic or vpc",
      InstanceChargeType = "PrePaid or PostPaid",
      ImageId = "image",
      SecurityGroupId = "security group",
      KeyPairName = "key pair",
      ResourceGroupId = "resource group",
      LockReason = "locked for this reason",
      PrivateIpAddresses = "private addresses, as JSON text",
      PublicIpAddresses = "public addresses, as JSON text",
      EipAddresses = "elastic addresses, as JSON text",
      InnerIpAddresses = "inner addresses of the classic network, as JSON text",
      RdmaIpAddresses = "RDMA addresses",
      InternetChargeType = "PayByTraffic or PayByBandwidth",
      HpcClusterId = "cluster",
      HttpEndpoint = "of the metadata service: enabled or disabled",
      HttpTokens = "of the metadata service: optional or required",
    }, {
      DeviceAvailable = "only instances that can take another disk",
      IoOptimized = "only I/O optimised instances, or only the others",
      NeedSaleCycle = "show the billing cycle",
      DryRun = dry_run.doc,
    }), 100),
    paging = paging.of("Instances.Instance", 100),
    response = response.page("Instances.Instance[].", {
      "InstanceId", "InstanceName", "Status", "RegionId", "ZoneId", "InstanceType", "StoppedMode",
      "HostName", { "Cpu", "integer" }, { "Memory", "integer", "MiB" }, "CreationTime", "StartTime",
      "VpcAttributes.VpcId", "VpcAttributes.VSwitchId",
      "VpcAttributes.PrivateIpAddress.IpAddress[]", "OperationLocks.LockReason[].LockReason",
      "Tags.Tag[].TagKey", "Tags.Tag[].TagValue",
    }),
    errors = { "InternalError", "InvalidRegionId.NotFound" },
  },

  StartInstance = {
    summary = "Starts a stopped instance.",
    mutating = true, token = false, region = "resource", timeout = 30,
    ram = { level = "update", resource = INSTANCE, inferred = true },
    legal_states = { instance = { "Stopped" } },
    params = {
      InstanceId = shared.instance,
      InitLocalDisk = { type = "boolean", doc = "give local disks back as they were new" },
      DryRun = dry_run,
    },
    response = response.accepted,
    waiter = "instance_running",
    errors = {
      "IncorrectInstanceStatus", "OperationDenied.NoStock", "DiskError", "InstanceNotReady",
      "InvalidInstanceId.NotFound", "ServiceUnavailable", "InternalError",
    },
  },

  StopInstance = {
    summary = "Stops a running instance.",
    mutating = true, token = false, region = "resource", timeout = 30,
    ram = { level = "update", resource = INSTANCE, inferred = true },
    legal_states = { instance = { "Running" } },
    params = {
      InstanceId = shared.instance,
      ForceStop = { type = "boolean", default = false, doc = "cut the power; caches are lost" },
      StoppedMode = {
        type = "string", values = { "StopCharging", "KeepCharging" },
        doc = "whether it costs while it is stopped; with StopCharging a restart may lack stock",
      },
      ConfirmStop = { type = "boolean", doc = "kept for old callers" },
      Hibernate = { type = "boolean", default = false, doc = "keep the memory" },
      DryRun = dry_run,
    },
    response = response.accepted,
    waiter = "instance_stopped",
    errors = { "IncorrectInstanceStatus", "InvalidInstanceId.NotFound", "InternalError" },
  },
}
