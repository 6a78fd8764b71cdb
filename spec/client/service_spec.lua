local alicloud = require "alicloud"
local helper = require "spec.helper"
local services = require "alicloud.service"

local ok = helper.ok

local function ebs(answers, overrides)
  local client, transport, control = helper.client(answers or {}, overrides)
  return client:service "ebs", transport, control
end

local function groups(status, more)
  local fields = { ReplicaGroups = { { ReplicaGroupId = "pg-1", Status = status } } }
  for name, value in pairs(more or {}) do fields[name] = value end
  return ok(fields)
end

describe("a service", function()
  it("has the operations of its data as methods", function()
    local service, transport = ebs { ok(), ok() }
    assert.equal("REQ-OK", service:FailoverDiskReplicaGroup({ ReplicaGroupId = "g" }).RequestId)
    assert.equal("REQ-OK", service:DescribeRegions({}, { region = "cn-beijing" }).RequestId)
    assert.equal("FailoverDiskReplicaGroup", transport.requests[1].action)
    assert.equal("ebs.cn-beijing.aliyuncs.com", transport.requests[2].host)
  end)

  it("answers a misspelt operation with the nearest one, at the caller", function()
    local service = ebs()
    for name, nearest in pairs {
      describeDiskReplicaGroups = "DescribeDiskReplicaGroups",
      FailoverDiskReplicaGrup = "FailoverDiskReplicaGroup",
    } do
      local message = helper.raised(function() return service[name] end)
      assert.matches("service_spec.lua:%d+: ebs: no operation", message)
      assert.is_truthy(message:find('did you mean "' .. nearest .. '"?', 1, true), message)
    end
    assert.has_error(function() return service[5] end)
  end)

  it("calls any other action by name", function()
    local service, transport = ebs { ok() }
    service:must("ApplyLensService", { Whatever = { "it", "is" } })
    assert.equal("ApplyLensService", transport.requests[1].action)
    assert.equal("is", helper.query(transport.requests[1])["Whatever.2"])
    assert.equal("2021-07-30", transport.requests[1].headers["x-acs-version"])
  end)

  it("sends what is no misspelling, and no misspelling, in both ways of calling", function()
    local service, transport = ebs { ok(), ok(), ok() }
    service:StopDiskReplicaGroup { ReplicaGroupId = "g" }
    assert.equal("StopDiskReplicaGroup", transport.requests[1].action)
    for _, name in ipairs { "FailoverDiskReplicaGrup", "FailoverDiskReplicaGroups",
      "FailovrDiskRepliaGroup", "DescribeDiskReplicaPair" } do
      for _, act in ipairs {
        function() return service[name] end,
        function() assert(service:call(name, { ReplicaGroupId = "g" })) end,
        function() assert(service.client:call("ebs:" .. name)) end,
      } do
        assert.matches('service_spec.lua:%d+: ebs: no operation "' .. name .. '";.* did you mean',
          helper.raised(act))
      end
    end
    assert.equal(1, #transport.requests)
    assert(service:call("FailoverDiskReplicaGrup", {}, { version = "2021-07-30" }))
    assert.equal(2, #transport.requests)
  end)

  it("raises a mistake in the parameters at the caller", function()
    local service, transport = ebs { ok() }
    local message = helper.raised(function()
      local result = service:FailoverDiskReplicaGroup { ReplicaGroupId = "" }
      return result
    end)
    assert.matches("service_spec.lua:%d+: ebs:FailoverDiskReplicaGroup: parameter", message)
    assert.equal(0, #transport.requests)
  end)

  it("notices a dot in place of the colon", function()
    local service = ebs()
    assert.matches("service_spec.lua:%d+: .*colon", helper.raised(function()
      local result = service.DescribeRegions {}
      return result
    end))
    assert.matches("service_spec.lua:%d+: .*colon", helper.raised(function()
      local result = service.call("DescribeRegions")
      return result
    end))
  end)

  it("prepares and validates without sending", function()
    local service, transport = ebs()
    assert.matches("GroupIds=a%%2Cb", service:prepare("DescribeDiskReplicaGroups",
      { GroupIds = { "a", "b" } }).canonical_request)
    assert.is_true(service:validate("DescribeRegions"))
    local valid, message = service:validate("DescribeRegions", { Nope = 1 })
    assert.is_nil(valid)
    assert.matches('unknown parameter "Nope"', message)
    assert.equal(0, #transport.requests)
  end)

  it("is read-only, names itself, and can be derived", function()
    local service, transport = ebs { ok() }
    assert.has_error(function() service.x = 1 end)
    assert.equal("alicloud.Service", getmetatable(service))
    assert.matches("^alicloud.Service ebs of alicloud.Client", tostring(service))
    assert.equal("ebs", service.product)
    service:with({ region = "cn-beijing" }):DescribeRegions()
    assert.equal("ebs.cn-beijing.aliyuncs.com", transport.requests[1].host)
  end)

  it("of a product without data sends PascalCase actions, version given", function()
    local client, transport = helper.client { ok() }
    local vpc = client:service "vpc"
    vpc:DescribeVpcs({}, { version = "2016-04-28" })
    assert.equal("vpc.cn-shanghai.aliyuncs.com", transport.requests[1].host)
    assert.matches("no operation", helper.raised(function() return vpc.describeVpcs end))
    assert.matches('service: got "VPC"', helper.raised(client.service, client, "VPC"))
  end)

  it("does not hide a fault in its own data", function()
    finally(function() package.preload["alicloud.service.broken"] = nil end)
    package.preload["alicloud.service.broken"] = function() error "syntax" end
    assert.matches("syntax", helper.raised(services.data, "broken"))
    assert.is_nil(services.data("absent"))
    assert.equal("ebs", services.data("ebs").product)
  end)
end)

describe("each", function()
  local function page(ids, token)
    local items = {}
    for i, id in ipairs(ids) do items[i] = { ReplicaGroupId = id } end
    return ok { ReplicaGroups = items, NextToken = token }
  end

  it("goes over the items of all pages", function()
    local service, transport = ebs { page({ "a", "b" }, "t1"), page({ "c" }, "") }
    local seen = {}
    for group in service:each("DescribeDiskReplicaGroups", { Site = "backup" }) do
      seen[#seen + 1] = group.ReplicaGroupId
    end
    assert.same({ "a", "b", "c" }, seen)
    assert.equal("100", helper.query(transport.requests[1]).MaxResults)
    assert.equal("t1", helper.query(transport.requests[2]).NextToken)
    assert.equal("backup", helper.query(transport.requests[2]).Site)
  end)

  it("goes by page numbers if they are asked for", function()
    local service, transport = ebs {
      ok { ReplicaGroups = { { ReplicaGroupId = "a" } }, PageNumber = 1, TotalCount = 2 },
      ok { ReplicaGroups = { { ReplicaGroupId = "b" } }, PageNumber = 2, TotalCount = 2 },
    }
    local seen = {}
    for group in service:each("DescribeDiskReplicaGroups", { PageSize = 1 }) do
      seen[#seen + 1] = group.ReplicaGroupId
    end
    assert.same({ "a", "b" }, seen)
    assert.equal("2", helper.query(transport.requests[2]).PageNumber)
    assert.is_nil(helper.query(transport.requests[2]).MaxResults)
  end)

  it("works for every operation that has pages", function()
    local data = services.data "ebs"
    local count = 0
    for name, operation in pairs(data.operations) do
      if operation.paging then
        count = count + 1
        local service = ebs { ok { [operation.paging.items] = { {}, {} }, NextToken = "t" },
          ok { [operation.paging.items] = { {} } } }
        local params = {}
        for param, rule in pairs(operation.params) do
          if rule.required then params[param] = rule.values and rule.values[1] or "x" end
        end
        local seen = 0
        for _ in service:each(name, params) do seen = seen + 1 end
        assert.equal(3, seen, name)
      end
    end
    assert.equal(8, count)
  end)

  it("raises the error object and guards against loops", function()
    local service = ebs { page({ "a" }, "t"), helper.refuse(403, "Forbidden") }
    local function all()
      for _ in service:each("DescribeDiskReplicaGroups") do assert(true) end
    end
    assert.equal("Forbidden", helper.raised(all).code)
    service = ebs { page({ "a" }, "t"), page({ "a" }, "t") }
    assert.equal("Client.PageLoop", helper.raised(all).code)
  end)

  it("raises a mistake before the first page, at the caller", function()
    local service, transport = ebs()
    for _, arguments in ipairs {
      { "DescribeDiskReplicaGrops" }, { "DescribeRegions" },
      { "DescribeDiskReplicaGroups", { Sit = 1 } },
      { "DescribeDiskReplicaGroups", {}, { max_pages = 0 } },
      { "DescribeDiskReplicaGroups", {}, { tiemout = 5 } },
    } do
      local message = helper.raised(function()
        local next_item = service:each(table.unpack(arguments))
        return next_item
      end)
      assert.matches("service_spec.lua:%d+: ", message)
    end
    assert.equal(0, #transport.requests)
  end)
end)

describe("wait", function()
  it("waits by the data of the service, on the runtime's clock", function()
    local service, transport, control = ebs {
      groups "normal", groups "failovering", groups "failovered",
    }
    local result, err = service:wait("group_failovered", { GroupIds = "pg-1" })
    assert.is_nil(err)
    assert.equal("failovered", result.ReplicaGroups[1].Status)
    assert.equal(3, #transport.requests)
    assert.same({ 5, 5 }, control.sleeps)
  end)

  local function listed(ids, more)
    local records = {}
    for i, id in ipairs(ids) do records[i] = { ReplicaGroupId = id, Status = "failovered" } end
    local fields = { ReplicaGroups = records }
    for name, value in pairs(more or {}) do fields[name] = value end
    return ok(fields)
  end

  it("reads all pages before it takes them for success", function()
    local service, transport = ebs {
      listed({ "a", "b" }, { NextToken = "t1", TotalCount = 3 }),
      ok { ReplicaGroups = { { ReplicaGroupId = "c", Status = "failovering" } } },
      listed({ "a", "b" }, { NextToken = "t1" }), listed { "c" },
    }
    local result = assert(service:wait("group_failovered", { Site = "backup" }))
    assert.equal(4, #transport.requests)
    assert.equal(3, #result.ReplicaGroups)
    assert.equal("REQ-OK", alicloud.meta(result).request_id)
    assert.equal("t1", helper.query(transport.requests[4]).NextToken)
  end)

  it("does not take some of the groups that were asked for, for all", function()
    for _, ids in ipairs { "a,b,c", { "a", "b", "c" } } do
      local service = ebs { listed { "a" }, listed { "a", "b" }, helper.refuse(403, "Forbidden") }
      local states = {}
      local result, err = service:wait("group_failovered", { GroupIds = ids }, {
        progress = function(event) states[#states + 1] = event.state end,
      })
      assert.is_nil(result)
      assert.equal("Forbidden", err.code)
      assert.equal("(absent) 2/3, failovered 1/3", states[1])
      assert.equal("(absent) 1/3, failovered 2/3", states[2])
    end
    local service = ebs { ok { ReplicaPairs = { { ReplicaPairId = "p", Status = "failovered" } } },
      helper.refuse(403, "Forbidden") }
    assert.is_nil((service:wait("pairs_failovered", { PairIds = { "p", "q" } })))
  end)

  it("reports a page that cannot be read, and a token that comes twice", function()
    local service = ebs { listed({ "a" }, { NextToken = "t" }), helper.refuse(403, "Forbidden") }
    assert.equal("Forbidden", select(2, service:wait("group_failovered", {})).code)
    service = ebs { listed({ "a" }, { NextToken = "t" }), listed({ "a" }, { NextToken = "t" }) }
    assert.equal("Client.PageLoop", select(2, service:wait("group_failovered", {})).code)
  end)

  it("judges the items of all pages, not of the first one", function()
    local function page(status, token)
      return ok { ReplicaPairs = { { Status = status } }, NextToken = token }
    end
    local service, transport, control = ebs {
      page("failovered", "t"), page("failovering", ""), page("failovered", "t"),
      page("failovered", ""),
    }
    local result = assert(service:wait("pair_failovered", { ReplicaGroupId = "pg-1" }))
    assert.equal(2, #result.ReplicaPairs)
    assert.same({ 5 }, control.sleeps)
    assert.equal("100", helper.query(transport.requests[1]).MaxResults)
    assert.equal("t", helper.query(transport.requests[4]).NextToken)
  end)

  local function drill(status, ...)
    local disks = {}
    for i, word in ipairs { ... } do disks[i] = { DrillDiskStatus = word } end
    return ok { Drills = { { DrillId = "drill-1", Status = status, PairsInfo = disks } } }
  end

  it("waits for drills with all their disks, and for their end", function()
    local service = ebs {
      drill("executing", "creating"), drill("executed", "created", "creating"),
      drill("executed", "created", "created"),
    }
    assert(service:wait("group_drill_executed", { GroupId = "pg-1", DrillId = "drill-1" }))
    service = ebs { drill "clearing", ok { Drills = alicloud.array {} } }
    assert(service:wait("group_drill_cleared", { GroupId = "pg-1", DrillId = "drill-1" }))
    service = ebs { drill "execute_failed" }
    local _, err = service:wait("group_drill_executed", { GroupId = "pg-1" })
    assert.equal("Client.WaitFailed", err.code)
  end)

  it("waits for a first recovery point, whatever the state", function()
    local function group(status, point)
      return ok { ReplicaGroups = {
        { ReplicaGroupId = "pg-1", Status = status, LastRecoverPoint = point } } }
    end
    local service = ebs { group "initial_syncing", group "normal", group("syncing", 1795317000) }
    assert(service:wait("group_recoverable", { GroupIds = "pg-1" }))
  end)

  it("takes the way of each change for the way to its end", function()
    for waiter, way in pairs {
      group_created = { "creating", "created" },
      group_normal = { "created", "initial_syncing", "syncing", "normal" },
      group_stopped = { "normal", "stopping", "stopped" },
      group_failovered = { "normal", "failovering", "failovered" },
      group_reprotected = { "failovered", "reprotecting", "stopped" },
    } do
      local answers = {}
      for i, word in ipairs(way) do answers[i] = groups(word) end
      local service, transport = ebs(answers)
      assert(service:wait(waiter, { GroupIds = "pg-1" }))
      assert.equal(#way, #transport.requests, waiter)
    end
    local service = ebs { groups "deleting", ok { ReplicaGroups = alicloud.array {} } }
    assert(service:wait("group_deleted", { GroupIds = "pg-1" }))
    service = ebs { groups "deleting", helper.refuse(404, "NoSuchResource") }
    assert(service:wait("group_deleted", { GroupIds = "pg-1" }))
  end)

  it("reports failure with the product and the last response", function()
    local service = ebs { groups "failover_failed" }
    local result, err = service:wait("group_failovered", { GroupIds = "pg-1" })
    assert.is_nil(result)
    assert.equal("Client.WaitFailed", err.code)
    assert.equal("failover_failed", err.last.ReplicaGroups[1].Status)
    assert.matches("^ebs:DescribeDiskReplicaGroups ", tostring(err))
  end)

  it("does not outlive its timeout by a slow read", function()
    local client, transport, control
    client, transport, control = helper.client({}, {
      transport = {
        requests = {},
        send = function(request)
          control.elapsed = control.elapsed + request.timeout
          return helper.broken("timeout", true)
        end,
      },
    })
    local _, err = client:service("ebs"):wait("group_failovered", { GroupIds = "g" },
      { timeout = 25 })
    assert.equal("timeout", err.kind)
    assert.near(25, control.elapsed, 0.01)
    assert.equal(0, #transport.requests)
  end)

  it("raises a mistake at the caller", function()
    local service = ebs()
    for _, arguments in ipairs {
      { "group_failoverd", { GroupIds = "g" } }, { "group_failovered", { GroupId = "g" } },
      { "group_failovered", { GroupIds = "g" }, { timeout = -1 } },
    } do
      local message = helper.raised(function()
        local result = service:wait(table.unpack(arguments))
        return result
      end)
      assert.matches("service_spec.lua:%d+: ", message)
    end
    assert.matches('did you mean "group_failovered"', helper.raised(service.wait, service,
      "group_failoverd", {}))
  end)
end)
