-- The reading operations: sites, filters, paging, the shape of records.

local core = require "alicloud.core"
local caller = require "spec.emulator.caller"
local sorted = require "alicloud.base.tables"

local function ids(body, list, field)
  local all = {}
  for index, record in ipairs(body[list]) do all[index] = record[field] end
  return all
end

local function group_ids(body) return ids(body, "ReplicaGroups", "ReplicaGroupId") end

local function many(count)
  local groups = {}
  for number = 1, count do
    groups[number] = { id = ("pg-%02d"):format(number), name = ("shop %d"):format(number),
      pairs = 1, source = "cn-hangzhou/cn-hangzhou-g", destination = "cn-shanghai/cn-shanghai-b" }
  end
  return { groups = groups }
end

describe("DescribeDiskReplicaGroups", function()
  it("shows a record to both regions, each from its own site", function()
    local probe = caller.new()
    for region, site in pairs { ["cn-hangzhou"] = "production", ["cn-shanghai"] = "backup" } do
      local body = probe:call("DescribeDiskReplicaGroups",
        { RegionId = region, Site = site, GroupIds = "pg-orders" })
      local group = body.ReplicaGroups[1]
      assert.equal(site, group.Site)
      assert.equal("cn-hangzhou", group.SourceRegionId)
      assert.equal("cn-shanghai-b", group.DestinationZoneId)
      assert.equal(1795316400 - 432, group.LastRecoverPoint)
      assert.same({ "pair-orders-1", "pair-orders-2", "pair-orders-3" }, group.PairIds)
      assert.equal(3, group.PairNumber)
    end
  end)

  it("shows the production side alone when no Site is given", function()
    local probe = caller.new()
    local function count(region)
      local params = { RegionId = region, GroupIds = "pg-orders" }
      return #probe:call("DescribeDiskReplicaGroups", params).ReplicaGroups
    end
    assert.equal(1, count "cn-hangzhou")
    assert.equal(0, count "cn-shanghai")
    probe.emu:assume { site_default = "either" }
    assert.equal(1, count "cn-shanghai")
  end)

  it("shows the sides of now, and keeps the sides of the creation", function()
    local probe = caller.new { world = caller.world {
      source = "cn-shanghai/cn-shanghai-b", destination = "cn-hangzhou/cn-hangzhou-g",
      initial_source = "cn-hangzhou/cn-hangzhou-g",
      initial_destination = "cn-shanghai/cn-shanghai-b" } }
    local params = { RegionId = "cn-shanghai", Site = "production" }
    local group = probe:call("DescribeDiskReplicaGroups", params).ReplicaGroups[1]
    assert.equal("cn-shanghai", group.SourceRegionId)
    assert.equal("cn-hangzhou", group.PrimaryRegion)
    assert.equal("cn-shanghai", group.StandbyRegion)
    probe.emu:assume { site_direction = "initial" }
    assert.equal(0, #probe:call("DescribeDiskReplicaGroups", params).ReplicaGroups)
  end)

  it("leaves LastRecoverPoint out before the first full sync", function()
    assert.is_nil(caller.new():look("pg-fresh").LastRecoverPoint)
  end)

  it("gives an empty list as a list", function()
    local _, _, exchange = caller.new():call("DescribeDiskReplicaGroups",
      { RegionId = "cn-shanghai", GroupIds = "nope" })
    assert.truthy(exchange.body:find('"ReplicaGroups":%[%]'))
  end)

  it("refuses an unknown region and a site that is none", function()
    local probe = caller.new()
    assert.equal("NoSuchResource", (probe:code("DescribeDiskReplicaGroups",
      { RegionId = "mars-1" })))
    assert.equal("InvalidParameter", (probe:code("DescribeDiskReplicaGroups",
      { RegionId = "cn-shanghai", Site = "standby" })))
    assert.equal("MissingParameter", (probe:code("DescribeDiskReplicaGroups", {})))
  end)

  it("filters by ids, name, resource group and tags", function()
    local world = many(3)
    world.groups[2].resource_group = "rg-1"
    world.groups[3].tags = { env = "prod" }
    local probe = caller.new { world = world }
    local function found(filter)
      filter.RegionId = "cn-hangzhou"
      return group_ids(probe:call("DescribeDiskReplicaGroups", filter))
    end
    assert.same({ "pg-01", "pg-03" }, found { GroupIds = "pg-01,pg-03,pg-99" })
    assert.same({ "pg-02" }, found { Name = "op 2" })
    assert.same({ "pg-02" }, found { ResourceGroupId = "rg-1" })
    assert.same({ "pg-03" }, found { ["Tag.1.Key"] = "env", ["Tag.1.Value"] = "prod" })
    assert.same({}, found { ["Tag.1.Key"] = "env", ["Tag.1.Value"] = "test" })
  end)

  it("refuses more than 100 ids", function()
    local list = {}
    for number = 1, 101 do list[number] = "pg-" .. number end
    local probe = caller.new()
    local params = { RegionId = "cn-hangzhou", GroupIds = table.concat(list, ",", 1, 100) }
    assert.equal("ok", (probe:code("DescribeDiskReplicaGroups", params)))
    params.GroupIds = table.concat(list, ",")
    assert.equal("InvalidParameter", (probe:code("DescribeDiskReplicaGroups", params)))
  end)
end)

describe("paging", function()
  local probe
  before_each(function() probe = caller.new { world = many(25) } end)

  local function page(params)
    params.RegionId = "cn-hangzhou"
    return probe:call("DescribeDiskReplicaGroups", params)
  end

  it("gives ten records and a token unless told otherwise", function()
    local body = page {}
    assert.equal(10, #body.ReplicaGroups)
    assert.not_equal("", body.NextToken)
    assert.equal(25, body.TotalCount)
  end)

  it("reaches every record once by tokens, and ends with an empty one", function()
    local seen, token = {}, ""
    for _ = 1, 4 do
      local body = page { MaxResults = "7", NextToken = token }
      for _, id in ipairs(group_ids(body)) do seen[#seen + 1] = id end
      token = body.NextToken
    end
    assert.equal("", token)
    assert.equal(25, #seen)
    assert.equal("pg-25", seen[25])
  end)

  it("reaches every record once by numbers", function()
    local body = page { PageNumber = "3", PageSize = "10" }
    assert.same({ "pg-21", "pg-22", "pg-23", "pg-24", "pg-25" }, group_ids(body))
    assert.equal(3, body.PageNumber)
    assert.equal(10, body.PageSize)
    assert.equal("", body.NextToken)
    assert.equal(0, #page({ PageNumber = "4", PageSize = "10" }).ReplicaGroups)
    assert.equal("", page({ PageNumber = "1", PageSize = "10" }).NextToken)
  end)

  it("lets a token beat the numbers", function()
    local token = page({ MaxResults = "5" }).NextToken
    local body = page { MaxResults = "5", NextToken = token, PageNumber = "1", PageSize = "100" }
    assert.equal("pg-06", body.ReplicaGroups[1].ReplicaGroupId)
    assert.equal(5, #body.ReplicaGroups)
  end)

  for name, values in pairs {
    MaxResults = { "0", "501", "-1", "ten", "1.5" }, PageSize = { "0", "101" },
    PageNumber = { "0", "x" }, NextToken = { "zz", "616263" },
  } do
    for _, value in ipairs(values) do
      it(("refuses %s=%s"):format(name, value), function()
        assert.equal("InvalidParameter", page({ [name] = value }).Code)
      end)
    end
  end

  it("accepts the bounds", function()
    assert.equal(1, #page({ MaxResults = "1" }).ReplicaGroups)
    assert.equal(25, #page({ MaxResults = "500" }).ReplicaGroups)
    assert.equal(25, #page({ PageSize = "100" }).ReplicaGroups)
  end)

  it("clamps instead, where that is assumed", function()
    probe.emu:assume { page_bounds = "clamp" }
    assert.equal(25, #page({ MaxResults = "501" }).ReplicaGroups)
    assert.equal(1, #page({ PageSize = "0" }).ReplicaGroups)
  end)
end)

describe("DescribeDiskReplicaPairs", function()
  local probe
  before_each(function()
    local world = caller.world { rpo = 600, pairs = {
      {}, { recover_point_age = 50, source_disk = "d-left", status_message = "DeviceRemoved" } } }
    world.pairs = { { id = "pair-alone", source = "cn-hangzhou/cn-hangzhou-h",
      destination = "cn-shanghai/cn-shanghai-e" } }
    probe = caller.new { world = world }
  end)

  local function found(filter)
    filter.RegionId, filter.Site = "cn-shanghai", "backup"
    return probe:call("DescribeDiskReplicaPairs", filter)
  end

  local function pair_ids(filter)
    return ids(found(filter), "ReplicaPairs", "ReplicaPairId")
  end

  it("filters by group, by no group, and by ids", function()
    assert.same({ "pair-one-1", "pair-one-2" }, pair_ids { ReplicaGroupId = "pg-one" })
    assert.same({ "pair-alone" }, pair_ids { ReplicaGroupId = "-" })
    assert.same({ "pair-one-2" }, pair_ids { PairIds = "pair-one-2" })
    assert.equal(3, #pair_ids {})
  end)

  it("spells region fields without Id, and shows what the pair does not share", function()
    local pairs_of = found({ ReplicaGroupId = "pg-one" }).ReplicaPairs
    assert.equal("cn-hangzhou", pairs_of[1].SourceRegion)
    assert.is_nil(pairs_of[1].SourceRegionId)
    assert.equal(600, pairs_of[1].RPO)
    assert.equal(1795316400 - 100, pairs_of[1].LastRecoverPoint)
    assert.equal(1795316400 - 50, pairs_of[2].LastRecoverPoint)
    assert.equal("d-left", pairs_of[2].SourceDiskId)
    assert.equal("DeviceRemoved", pairs_of[2].StatusMessage)
    assert.equal("pg-one", pairs_of[2].ReplicaGroupId)
  end)
end)

describe("DescribeRegions", function()
  it("lists the regions and zones of the world", function()
    local body = caller.new():call("DescribeRegions", { ResourceType = "ear" })
    assert.same({ "cn-hangzhou", "cn-shanghai" }, ids(body, "Regions", "RegionId"))
    assert.equal("cn-shanghai-b", body.Regions[2].Zones[1].ZoneId)
    assert.equal("ebs.cn-shanghai.aliyuncs.com", body.Regions[2].RegionEndpoint)
  end)

  it("keeps a client of a local address at that address", function()
    local body = caller.new():call("DescribeRegions", {}, { host = "127.0.0.1:8080" })
    assert.equal("127.0.0.1:8080", body.Regions[1].RegionEndpoint)
  end)
end)

describe("answers", function()
  it("have the members of the vendor's errors, and say who speaks", function()
    local probe = caller.new()
    local body, status, exchange = probe:call("FailoverDiskReplicaGroup",
      { RegionId = "cn-shanghai", ReplicaGroupId = "nope" })
    assert.equal(404, status)
    assert.same({ "Code", "HostId", "Message", "RequestId" }, sorted.keys(body))
    assert.equal("The specified resource does not exist.", body.Message)
    assert.equal("ebs.cn-shanghai.aliyuncs.com", body.HostId)
    assert.equal("alicloud-dr", exchange.headers["x-emulator"])
    assert.equal(body.RequestId, exchange.headers["x-acs-request-id"])
    assert.equal("Sun, 22 Nov 2026 03:00:00 GMT", exchange.headers.date)
    assert.equal(1795316400, core.http_date(exchange.headers.date))
  end)

  -- jeessy2/ddns-go issues 936 and 1291: with an address; answers of products had none.
  it("recommend a page in the gateway's own refusals only", function()
    local body = caller.new():call("FailoverDiskReplicaGrop", {})
    assert.equal("https://api.alibabacloud.com/troubleshoot?q=InvalidAction.NotFound&product=ebs"
      .. "&requestId=" .. body.RequestId, body.Recommend)
    body = caller.new():call("DescribeRegions", {}, { access_key_id = "LTAInobody",
      version = "2014-05-26" })
    assert.equal("InvalidAccessKeyId.NotFound", body.Code)
    assert.is_string(body.Recommend)
    body = caller.new():call("DescribeRegions", { RegionId = "cn-nowhere" })
    assert.equal("NoSuchResource", body.Code)
    assert.is_nil(body.Recommend)
  end)

  it("come as XML when the request asks for it, in either protocol", function()
    local probe = caller.new()
    local request = probe:sign("FailoverDiskReplicaGroup",
      { RegionId = "cn-shanghai", ReplicaGroupId = "<&>" })
    request.headers.accept = "application/xml"
    local exchange = probe.emu.transport.send(request)
    assert.equal("text/xml;charset=utf-8", exchange.headers["content-type"])
    assert.truthy(exchange.body:find("<Error><Code>NoSuchResource</Code>", 1, true))
    request = probe:sign("FailoverDiskReplicaGrop", {})
    request.headers.accept = "application/xml"
    exchange = probe.emu.transport.send(request)
    assert.truthy(exchange.body:find("q=InvalidAction.NotFound&amp;product=ebs", 1, true))
    request = probe:sign("DescribeRegions", {})
    request.headers.accept = "application/json, application/xml"
    exchange = probe.emu.transport.send(request)
    assert.equal("application/json;charset=utf-8", exchange.headers["content-type"])
    exchange = probe.emu.transport.send(probe:sign("DescribeRegions", { Format = "XML" },
      { algorithm = "HMAC-SHA1" }))
    assert.truthy(exchange.body:find(
      "<DescribeRegionsResponse><Regions><Region><LocalName>", 1, true))
  end)

  it("name unknown operations, versions and methods", function()
    local probe = caller.new()
    local body, status = probe:call("FailoverDiskReplicaGrop", {})
    assert.equal("InvalidAction.NotFound", body.Code)
    assert.equal(404, status)
    assert.truthy(probe.emu:near_misses()[1].detail:find("FailoverDiskReplicaGroup", 1, true))
    assert.equal("InvalidVersion", (probe:code("DescribeRegions", {}, { version = "2014-05-26" })))
    assert.equal("UnsupportedHTTPMethod", (probe:code("DescribeRegions", {}, { method = "PUT" })))
    assert.equal("InvalidApi.NotFound", (probe:code("DescribeRegions", {}, { path = "/v1" })))
  end)
end)
