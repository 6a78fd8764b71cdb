local core = require "alicloud.core"
local ecs = require "alicloud.service.ecs"
local helper = require "spec.helper"

local function service(answers, overrides)
  local client, transport, control = helper.client(answers or {}, overrides)
  return client:service "ecs", transport, control
end

local function disks(...)
  local list = core.array {}
  for i, word in ipairs { ... } do list[i] = { DiskId = "d-" .. i, Status = word } end
  return helper.ok { Disks = { Disk = list } }
end

local function instances(word)
  return helper.ok { Instances = { Instance = { { InstanceId = "i-1", Status = word } } } }
end

-- What the documentation lists around a failover.
local DOCUMENTED = {
  AttachDisk = {
    params = { "Bootable", "DeleteWithInstance", "Device", "DiskId", "Force", "InstanceId",
      "KeyPairName", "Password" },
    required = { "DiskId", "InstanceId" },
    errors = { IncorrectDiskStatus = 403, DiskError = 403, ResourcesNotInSameZone = 403,
      InstanceDiskLimitExceeded = 403, InstanceLockedForSecurity = 403,
      IncorrectInstanceStatus = 400, ["InvalidDiskId.NotFound"] = 404,
      ["InvalidInstanceId.NotFound"] = 404, ["InvalidDisk.InUse"] = 404, InternalError = 500 },
  },
  DetachDisk = {
    params = { "DeleteWithInstance", "DiskId", "InstanceId" },
    required = { "DiskId", "InstanceId" },
    errors = { DependencyViolation = 403, IncorrectDiskStatus = 403,
      IncorrectInstanceStatus = 403, ["InvalidDisk.AlreadyDetached"] = 404 },
  },
  StartInstance = {
    params = { "DryRun", "InitLocalDisk", "InstanceId" },
    required = { "InstanceId" },
    errors = { IncorrectInstanceStatus = 403, ["OperationDenied.NoStock"] = 403, DiskError = 403,
      InstanceNotReady = 500, ServiceUnavailable = 503 },
  },
  StopInstance = {
    params = { "ConfirmStop", "DryRun", "ForceStop", "Hibernate", "InstanceId", "StoppedMode" },
    required = { "InstanceId" },
    errors = { IncorrectInstanceStatus = 403 },
  },
  DescribeDisks = {
    params = { "AdditionalAttributes", "AutoSnapshotPolicyId", "Category", "DeleteAutoSnapshot",
      "DeleteWithInstance", "DiskChargeType", "DiskIds", "DiskName", "DiskType", "DryRun",
      "EnableAutoSnapshot", "EnableAutomatedSnapshotPolicy", "EnableShared", "Encrypted", "Filter",
      "InstanceId", "KMSKeyId", "LockReason", "MaxResults", "MultiAttach", "NextToken",
      "PageNumber", "PageSize", "Portable", "RegionId", "ResourceGroupId", "SnapshotId", "Status",
      "Tag", "ZoneId" },
    required = { "RegionId" }, errors = {},
  },
  DescribeInstances = {
    params = { "AdditionalAttributes", "DeviceAvailable", "DryRun", "EipAddresses", "Filter",
      "HpcClusterId", "HttpEndpoint", "HttpPutResponseHopLimit", "HttpTokens", "ImageId",
      "InnerIpAddresses", "InstanceChargeType", "InstanceIds", "InstanceName",
      "InstanceNetworkType", "InstanceType", "InstanceTypeFamily", "InternetChargeType",
      "IoOptimized", "Ipv6Address", "KeyPairName", "LockReason", "MaxResults", "NeedSaleCycle",
      "NextToken", "PageNumber", "PageSize", "PrivateIpAddresses", "PublicIpAddresses",
      "RdmaIpAddresses", "RegionId", "ResourceGroupId", "SecurityGroupId", "Status", "Tag",
      "VSwitchId", "VpcId", "ZoneId" },
    required = { "RegionId" }, errors = {},
  },
  DescribeSnapshots = {
    params = { "AdditionalAttributes", "DiskId", "DryRun", "Encrypted", "Filter", "InstanceId",
      "MaxResults", "NextToken", "PageNumber", "PageSize", "RegionId", "ResourceGroupId",
      "SnapshotIds", "SnapshotLinkId", "SnapshotName", "SnapshotType", "SourceDiskType", "Status",
      "Tag", "Usage" },
    required = { "RegionId" }, errors = {},
  },
}

describe("the data of compute", function()
  it("has the operations around a failover as documented", function()
    for name in pairs(ecs.operations) do assert.is_table(DOCUMENTED[name], name) end
    for name, documented in pairs(DOCUMENTED) do
      local operation = ecs.operations[name]
      local params, required = {}, {}
      for param, rule in pairs(operation.params) do
        params[#params + 1] = param
        if rule.required then required[#required + 1] = param end
      end
      table.sort(params)
      table.sort(required)
      assert.same(documented.params, params, name)
      assert.same(documented.required, required, name)
      local listed = {}
      for _, code in ipairs(operation.errors) do listed[code] = ecs.errors[code] end
      for code, status in pairs(documented.errors) do
        local entry = listed[code]
        assert.is_true(entry.status == status or entry.also == status, name .. code)
      end
    end
  end)

  it("gives no ClientToken to any change", function()
    local ours, transport = service { helper.ok() }
    assert(ours:AttachDisk { InstanceId = "i-1", DiskId = "d-1" })
    assert.same({ InstanceId = "i-1", DiskId = "d-1" }, helper.query(transport.requests[1]))
    assert.equal("2014-05-26", transport.requests[1].headers["x-acs-version"])
    assert.is_true(transport.requests[1].mutating)
  end)
end)

describe("compute", function()
  it("takes lists of ids as JSON text", function()
    local ours, transport = service { disks "Available", disks "Available", disks(), disks() }
    local ids = { "d-1", "d-2" }
    ours:DescribeDisks { DiskIds = ids }
    ours:DescribeDisks { DiskIds = '["d-1","d-2"]' }
    ours:DescribeDisks { DiskIds = {} }
    assert.equal('["d-1","d-2"]', helper.query(transport.requests[1]).DiskIds)
    assert.equal('["d-1","d-2"]', helper.query(transport.requests[2]).DiskIds)
    assert.equal("[]", helper.query(transport.requests[3]).DiskIds)
    assert.is_nil(getmetatable(ids))
  end)

  it("refuses ids that are none, and more than a hundred", function()
    local ours, transport = service()
    local many = {}
    for i = 1, 101 do many[i] = "d-" .. i end
    for shown, ids in pairs {
      ["101 ids"] = many, ['"d-1,d-2"'] = "d-1,d-2", ['"d 1" in the list'] = { "d 1" },
      ["5 (number) in the list"] = { 5 }, ['"{\\"a\\":1}"'] = '{"a":1}', ["7 (number)"] = 7,
    } do
      local ok, message = ours:validate("DescribeInstances", { InstanceIds = ids })
      assert.is_nil(ok)
      assert.is_truthy(message:gsub("\\", ""):find("parameter InstanceIds: got "
        .. shown:gsub("\\", "") .. "; allowed: a list of at most 100 ids", 1, true), message)
    end
    assert.equal(0, #transport.requests)
  end)

  it("goes to the host of the region, which breaks the pattern in cn-hangzhou", function()
    for region, host in pairs {
      ["cn-shanghai"] = "ecs.cn-shanghai.aliyuncs.com",
      ["cn-hangzhou"] = "ecs-cn-hangzhou.aliyuncs.com",
    } do
      local ours, transport = service({ helper.ok() }, { region = region })
      ours:StartInstance { InstanceId = "i-1" }
      assert.equal(host, transport.requests[1].host)
    end
    local ours, transport = service({ helper.ok() }, { region = "cn-hangzhou", network = "vpc" })
    ours:StartInstance { InstanceId = "i-1" }
    assert.equal("ecs-vpc.cn-hangzhou.aliyuncs.com", transport.requests[1].host)
  end)

  it("pages through its nested lists", function()
    local ours = service {
      helper.ok { Disks = { Disk = { { DiskId = "a" } } }, NextToken = "t" },
      helper.ok { Disks = { Disk = { { DiskId = "b" } } }, NextToken = "" },
    }
    local seen = {}
    for disk in ours:each "DescribeDisks" do seen[#seen + 1] = disk.DiskId end
    assert.same({ "a", "b" }, seen)
  end)

  it("waits for disks and instances", function()
    local ours, _, control = service { disks("In_use", "Detaching"), disks("Available", "In_use"),
      disks("Available", "Available") }
    assert(ours:wait("disk_available", { DiskIds = { "d-1", "d-2" } }))
    assert.same({ 3, 3 }, control.sleeps)
    ours = service { disks "Available", disks "Attaching", disks "In_use" }
    assert(ours:wait("disk_in_use", { DiskIds = { "d-1" } }))
    ours = service { instances "Stopped", instances "Starting", instances "Running" }
    assert(ours:wait("instance_running", { InstanceIds = { "i-1" } }))
    ours = service { instances "Running", instances "Stopping", instances "Stopped" }
    assert(ours:wait("instance_stopped", { InstanceIds = { "i-1" } }))
    ours = service { instances "Stopping" }
    local _, err = ours:wait("instance_running", { InstanceIds = { "i-1" } })
    assert.equal("Client.WaitFailed", err.code)
  end)

  it("says after a lost answer that there is no token to repeat it with", function()
    local ours = service { helper.broken("receive", true) }
    local _, err = ours:AttachDisk { InstanceId = "i-1", DiskId = "d-1" }
    assert.equal("unknown", err.outcome)
    assert.matches("no ClientToken", err.hint)
  end)
end)
