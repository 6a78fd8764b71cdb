-- Codes, statuses and texts of the emulator against those that the vendor publishes and against
-- answers of the gateway that others published. The sources are named in the vector file.

local caller = require "spec.emulator.caller"
local closed = require "alicloud.emulator.gateway.closed"
local dkjson = require "dkjson"
local errors = require "alicloud.emulator.gateway.errors"
local operations = require "alicloud.emulator.operations"
local tables = require "alicloud.base.tables"

local function read_vectors()
  local file <close> = assert(io.open "spec/vectors/api/error_texts.json")
  return assert(dkjson.decode(file:read "a"))
end

local VECTORS = read_vectors()
local PARTS = { "ebs", "ecs", "gateway" }

-- Nobody has published what the service says with these codes, as far as was found.
local MADE_UP = { "UnsupportedHTTPMethod", "InvalidVersion", "IncompleteSignature",
  "SignatureNonceUsed", "InvalidTimeStamp.Format", "InvalidAccessKeyId.Inactive",
  "InvalidSecurityToken.Expired", "InvalidSecurityToken.Malformed",
  "InvalidSecurityToken.MismatchWithAccessKey", "MissingSecurityToken",
  "AuthenticationFail.OIDCToken.Invalid", "Throttling.User", "Throttling.Api",
  "ServiceUnavailable", "OperationConflict",
  -- Named in the description of a parameter, without a text.
  "InvalidParameter.TagValue",
  -- The older spelling of BLOCK.LimitedRequest.
  "BLOCK.LimitedRquest" }

local function published(code)
  for _, part in ipairs(PARTS) do
    local entry = VECTORS[part][code]
    if entry then return entry end
  end
  return nil
end

describe("the catalogue of errors", function()
  it("has every published code, with its status and its text", function()
    for _, part in ipairs(PARTS) do
      for code, entry in pairs(VECTORS[part]) do
        local known = assert(errors.catalogue[code], code)
        assert.equal(entry[2], known[2], code)
        if entry[1] then assert.equal(entry[1], known[1], code) end
      end
    end
  end)

  it("has no other codes but those that are listed as made up", function()
    local made_up = {}
    for code in pairs(errors.catalogue) do
      if not published(code) then made_up[#made_up + 1] = code end
    end
    table.sort(made_up)
    assert.same(tables.keys(tables.set(MADE_UP)), made_up)
  end)

  it("lets operations say in their own words what they are published to say", function()
    local own = {}
    for _, part in ipairs { "ebs_operations", "ecs_operations" } do
      for operation, codes in pairs(VECTORS[part]) do own[operation] = codes end
    end
    assert.same(own, errors.variants)
    for operation, codes in pairs(own) do
      for code, entry in pairs(codes) do
        local refusal = errors.as_said_by(operation, errors.refuse(code))
        assert.same(entry, { refusal.status, refusal.message })
      end
    end
  end)
end)

describe("the texts of a code", function()
  it("are known whatever operation says them, and whatever name they hold", function()
    for code, text in pairs {
      InvalidParameter = "The parameter PageSize is invalid.",
      ["InvalidParameter.Conflict"] =
        "The specified parameter PairId and DrillId are not blank at the same time.",
      ["OperationDenied.QuotaExceed"] = "The quota of tags on resource is beyond permitted range.",
      SignatureDoesNotMatch = "Specified signature does not match our calculation. server "
        .. "StringToSign is [x]",
      NoSuchResource = "The specified resource does not exist.",
    } do
      assert.is_true(errors.is_said(code, text), code)
      assert.is_false(errors.is_said(code, "Other words."), code)
    end
    assert.is_false(errors.is_said("Unheard.Of", "Unheard.Of"))
  end)
end)

describe("an action that the emulator does not know", function()
  -- aliyun/aliyun-cli pull request 415, aliyun/openapi-sdk-php-client issue 230.
  it("is answered with InvalidAction.NotFound", function()
    local body, status = caller.new():call("StopDiskReplicaGrop", {})
    assert.same({ "InvalidAction.NotFound", 404 }, { body.Code, status })
    assert.equal("Specified api is not found, please check your url and method.", body.Message)
  end)

  it("is answered as the switch says", function()
    local probe = caller.new { assume = { unknown_action = "InvalidApi.NotFound" } }
    assert.equal("InvalidApi.NotFound", (probe:code("StopDiskReplicaGrop", {})))
  end)

  -- aliyun/aliyun-openapi-python-sdk issue 129: an operation that is there and not open.
  it("is not open where the product has it", function()
    assert.equal("InvalidApi.NotFound", (caller.new():code("DescribeLensMonitorDisks", {})))
    assert.equal("InvalidAction.NotFound", (caller.new():code("DescribeLensMonitorDisks", {},
      { version = "2015-04-01" })))
  end)

  it("is none of those that are emulated", function()
    for _, name in ipairs(operations.names "2021-07-30") do
      assert.is_false(closed.knows("2021-07-30", name), name)
    end
  end)
end)

-- aliyun/alibaba-cloud-sdk-go issue 440, banzaicloud/cloudinfo pull request 358.
describe("an endpoint of another region", function()
  local S, D = "cn-hangzhou", "cn-shanghai"
  local ECS = { version = "2014-05-26", host = "ecs.cn-shanghai.aliyuncs.com" }

  local function code(assume, changes, action)
    local body = caller.new { assume = assume }:call(action, { RegionId = S }, changes)
    return body.Code or "ok", body
  end

  it("is refused by ECS, in the words of the service, without a recommendation", function()
    local got, body = code(nil, ECS, "DescribeDisks")
    assert.equal("InvalidOperation.NotSupportedEndpoint", got)
    assert.matches("^The specified endpoint can't operate this region", body.Message)
    assert.equal("", body.Recommend)
    assert.equal("ok", (code({ ecs_endpoint_region = "ignore" }, ECS, "DescribeDisks")))
    assert.equal("ok", (code(nil, { version = ECS.version, host = "ecs.aliyuncs.com" },
      "DescribeDisks")))
  end)

  it("serves block storage unless it is switched", function()
    assert.equal("ok", (code(nil, nil, "DescribeDiskReplicaGroups")))
    assert.equal("InvalidOperation.NotSupportedEndpoint",
      (code({ endpoint_region = "match" }, nil, "DescribeDiskReplicaGroups")))
  end)

  it("has no say where one endpoint serves all, or no region is asked for", function()
    local probe = caller.new { assume = { endpoint_region = "match" } }
    local LOCAL = { host = "127.0.0.1:8080" }
    for _, region in ipairs { S, D } do
      assert.equal("ok", (probe:code("DescribeDiskReplicaGroups", { RegionId = region }, LOCAL)))
    end
    assert.equal("ok", (probe:code("DescribeRegions", {})))
  end)
end)

describe("a signature that does not match", function()
  -- jeessy2/ddns-go issue 936 (RPC), aliyun/alibabacloud-csharp-sdk issue 40 (V3).
  it("is answered in the words of its version", function()
    local WRONG = { access_key_secret = "wrong" }
    local body = caller.new():call("DescribeRegions", {}, WRONG)
    assert.matches("^Specified signature does not match our calculation%. server StringToSign is "
      .. "%[ACS3%-HMAC%-SHA256\n%x+%] server CanonicalRequest is %[POST\n/\n.*%]$", body.Message)
    WRONG.algorithm = "HMAC-SHA1"
    WRONG.method = "GET"
    local probe = caller.new()
    local exchange = probe.emu.transport.send(probe:sign("DescribeRegions", { Format = "JSON" },
      WRONG))
    assert.truthy(exchange.body:find("Specified signature is not matched with our calculation. "
      .. "server string to sign is:GET&%2F&AccessKeyId%3Demulator", 1, true))
  end)
end)
