-- The verifier against requests that the vendor's own SDKs signed. Where SDK and document differ,
-- the documented signature is the right one.

local dkjson = require "dkjson"
local core = require "alicloud.core"
local switches = require "alicloud.emulator.switches"
local caller = require "spec.emulator.caller"
local signature = require "alicloud.emulator.gateway.signature"
local requests = require "alicloud.emulator.gateway.request"

local SETTINGS = switches.defaults()

local function cases(name)
  local file <close> = assert(io.open("spec/vectors/sign/" .. name .. ".json"))
  return dkjson.decode(file:read "a", 1, dkjson.null).cases
end

local function optional(value)
  if value ~= dkjson.null then return value end
  return nil
end

local function lower(headers)
  local all = {}
  for name, value in pairs(headers) do all[name:lower()] = value end
  return all
end

local function unbase64(text)
  local digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
  local bits, count, out = 0, 0, {}
  for char in text:gmatch("[%w+/]") do
    bits, count = bits << 6 | digits:find(char, 1, true) - 1, count + 6
    if count >= 8 then
      count = count - 8
      out[#out + 1] = string.char(bits >> count & 0xff)
    end
  end
  return table.concat(out)
end

local function body_of(expected)
  local encoded = optional(expected.bodyBase64)
  return encoded and unbase64(encoded) or optional(expected.body) or ""
end

local function signed_by_sdk(case)
  local expected = case.expected
  local headers = lower(expected.headers)
  headers.authorization = case.docAuthorization or expected.authorization
  return {
    method = expected.method, path = expected.pathname,
    query = optional(expected.wireQueryString) or "", headers = headers, body = body_of(expected),
  }
end

local function keys_of(case) return { [case.input.ak] = case.input.sk } end

local function refusal_of(request, keys)
  local call, readable = requests.read(request, SETTINGS)
  assert(readable)
  return signature.check(call, keys, SETTINGS)
end

describe("the verifier, on V3 requests of the vendor's SDKs,", function()
  local count = 0
  for _, case in ipairs(cases "acs3") do
    local headers = case.kind == "client" and lower(case.expected.headers) or {}
    if case.algorithm ~= "ACS3-RSA-SHA256" and headers.authorization then
      count = count + 1
      it("accepts " .. case.name, function()
        assert.is_nil(refusal_of(signed_by_sdk(case), keys_of(case)))
      end)
      it("refuses another secret for " .. case.name, function()
        local refusal = refusal_of(signed_by_sdk(case), { [case.input.ak] = "another" })
        assert.equal("SignatureDoesNotMatch", refusal.code)
      end)
    end
  end

  it("has seen enough of them", function() assert.is_true(count >= 60) end)
end)

describe("the verifier, on RPC requests of the vendor's SDKs,", function()
  local function request_of(case)
    local expected = case.expected
    local path, query = expected.url:match("^%a+://[^/?]*([^?]*)%??(.*)$")
    return { method = expected.method, path = path, query = query,
      headers = lower(expected.headers), body = body_of(expected) }
  end

  local count = 0
  for _, case in ipairs(cases "rpc-hmac-sha1") do
    if case.sdk == "pop-core" then
      count = count + 1
      it("accepts " .. case.name, function()
        assert.is_nil(refusal_of(request_of(case), keys_of(case)))
      end)
      it("refuses another secret for " .. case.name, function()
        local refusal = refusal_of(request_of(case), { [case.input.ak] = "another" })
        assert.equal("SignatureDoesNotMatch", refusal.code)
        assert.truthy(refusal.message:find("server string to sign is:" ..
          case.expected.stringToSign, 1, true))
      end)
    end
  end

  it("has seen enough of them", function() assert.is_true(count >= 20) end)
end)

describe("the verifier", function()
  local probe, request

  before_each(function()
    probe = caller.new()
    request = probe:sign("DescribeRegions", { ResourceType = "ear" })
  end)

  local function code_of() return select(2, probe:send(request)).Code end

  it("notices a changed parameter", function()
    request.url = request.url:gsub("ear", "dbsc")
    assert.equal("SignatureDoesNotMatch", code_of())
  end)

  it("notices an added parameter", function()
    request.url = request.url .. "&RegionId=cn-shanghai"
    assert.equal("SignatureDoesNotMatch", code_of())
  end)

  it("notices a changed signed header", function()
    request.headers["x-acs-action"] = "DescribeDiskReplicaGroups"
    assert.equal("SignatureDoesNotMatch", code_of())
  end)

  it("notices a body that is not the one that was hashed", function()
    request.body = "{}"
    assert.equal("SignatureDoesNotMatch", code_of())
  end)

  it("accepts any encoding of the same parameters, as gateways do", function()
    request.url = request.url:gsub("ResourceType=ear", "Resource%%54ype=%%65ar")
    assert.is_nil(code_of())
  end)

  it("reads a plus in a query as a space", function()
    request = probe:sign("DescribeDiskReplicaGroups",
      { RegionId = "cn-hangzhou", Name = "or ders" })
    request.url = request.url:gsub("%%20", "+")
    assert.is_nil(code_of())
  end)

  it("lets the form win over the query, as the signed set of RPC requests does", function()
    request = probe:sign("DescribeDiskReplicaGroups", nil, { algorithm = "HMAC-SHA1",
      form = { RegionId = "cn-shanghai", Site = "backup", GroupIds = "pg-orders" } })
    request.url = request.url .. (request.url:find("?", 1, true) and "&" or "?") .. "GroupIds=none"
    local _, body = probe:send(request)
    assert.is_nil(body.Code)
    assert.equal("pg-orders", body.ReplicaGroups[1].ReplicaGroupId)
  end)

  it("demands that the headers which name the operation are signed", function()
    local headers = request.headers
    for name, value in pairs(headers) do
      if name:lower() == "authorization" then
        headers[name] = value:gsub("x%-acs%-action;", "")
      end
    end
    assert.equal("IncompleteSignature", code_of())
  end)

  it("names what it calculated, never the secret", function()
    request = probe:sign("DescribeRegions", {}, { access_key_secret = "mistyped" })
    local _, body = probe:send(request)
    assert.truthy(body.Message:find(request.canonical_request, 1, true))
    assert.truthy(body.Message:find(request.string_to_sign, 1, true))
    assert.is_nil(body.Message:find(probe.emu.access_key_secret, 1, true))
    assert.is_nil(body.Message:find("mistyped", 1, true))
    assert.equal("SignatureDoesNotMatch", probe.emu:near_misses()[1].code)
  end)

  it("does not know other keys", function()
    local code, status = probe:code("DescribeRegions", {}, { access_key_id = "nobody" })
    assert.equal("InvalidAccessKeyId.NotFound", code)
    assert.equal(404, status)
  end)

  it("refuses a request without a signature, unless it is off", function()
    local unsigned = { method = "GET", headers = {},
      url = "http://127.0.0.1/?Action=DescribeRegions&Version=2021-07-30" }
    assert.equal(200, caller.new({ auth = "off" }).emu.transport.send(unsigned).status)
    local answer = probe.emu.transport.send(unsigned)
    assert.equal(400, answer.status)
    assert.equal("MissingParameter", core.decode(answer.body).Code)
  end)

  for _, algorithm in ipairs { "ACS3-HMAC-SHA256", "ACS3-HMAC-SM3", "HMAC-SHA1" } do
    for _, method in ipairs { "GET", "POST" } do
      it(("accepts %s over %s"):format(algorithm, method), function()
        assert.equal("ok", (probe:code("DescribeRegions", { ResourceType = "ear" },
          { algorithm = algorithm, method = method })))
      end)
    end
  end
end)

describe("freshness", function()
  local probe
  -- The day on which a standing clock begins comes once for the machine's clock too.
  before_each(function() probe = caller.new { assume = { wall_clock = "refuse" } } end)

  local function signed_at(offset)
    return (probe:code("DescribeRegions", {},
      { date = core.iso8601(probe.emu:now() + offset) }))
  end

  it("is granted for 15 minutes before and after the model's clock", function()
    assert.equal("ok", signed_at(-900))
    assert.equal("ok", signed_at(900))
    assert.equal("InvalidTimeStamp.Expired", signed_at(-901))
    assert.equal("InvalidTimeStamp.Expired", signed_at(901))
  end)

  it("follows the model's clock", function()
    local old = probe:sign("DescribeRegions", {})
    probe.emu:advance(901)
    assert.equal("InvalidTimeStamp.Expired", select(2, probe:send(old)).Code)
  end)

  it("refuses a nonce that was used anywhere in the window", function()
    local first = probe:sign("DescribeRegions", {})
    assert.is_nil(select(2, probe:send(first)).Code)
    assert.equal("SignatureNonceUsed", select(2, probe:send(first)).Code)
    for _ = 1, 4 do
      probe.emu:advance(440)
      assert.equal("ok", (probe:code("DescribeRegions", {})))
    end
    assert.equal("SignatureNonceUsed", (probe:code("DescribeRegions", {}, { nonce = "nonce-1" })))
  end)

  it("remembers a nonce for a whole window after it has turned to the next generation", function()
    probe:code("DescribeRegions", {})
    probe.emu:advance(1790)
    assert.equal("ok", (probe:code("DescribeRegions", {}, { nonce = "late" })))
    probe.emu:advance(11)
    assert.equal("ok", (probe:code("DescribeRegions", {})))
    assert.equal("SignatureNonceUsed", (probe:code("DescribeRegions", {}, { nonce = "late" })))
  end)

  it("is granted for the machine's own time too, unless that is switched off", function()
    local function verdict()
      return (probe:code("DescribeRegions", {}, { date = core.iso8601(core.time()) }))
    end
    probe.emu.clock:restart(core.time() - 5000)
    assert.equal("InvalidTimeStamp.Expired", verdict())
    assert.matches("is further than 900 s from the model's clock, %d+%-%d+%-%d+T[%d:]+Z$",
      probe.emu:near_misses()[1].detail)
    probe.emu:assume { wall_clock = "accept" }
    assert.equal("ok", verdict())
  end)

  it("is refused with the clocks that were asked", function()
    probe.emu:assume { wall_clock = "accept" }
    local date = core.iso8601(core.time() + 5000)
    probe.emu.clock:restart(core.time() - 5000)
    assert.equal("InvalidTimeStamp.Expired",
      (probe:code("DescribeRegions", {}, { date = date })))
    local detail = probe.emu:near_misses()[1].detail
    assert.equal(date, detail:sub(1, #date))
    assert.matches("and from the machine's own$", detail)
  end)

  it("does not use up the nonce of a request whose signature is wrong", function()
    local nonce = { nonce = "shared", access_key_secret = "wrong" }
    assert.equal("SignatureDoesNotMatch", (probe:code("DescribeRegions", {}, nonce)))
    assert.equal("ok", (probe:code("DescribeRegions", {}, { nonce = "shared" })))
  end)
end)

describe("an RPC signature", function()
  it("covers the action that is carried out, which no unsigned header can change", function()
    local emu = require "alicloud.emulator".new {}
    local signed = core.sign {
      algorithm = "HMAC-SHA1", method = "GET", host = "ebs.cn-shanghai.aliyuncs.com",
      query = { RegionId = "cn-shanghai", ReplicaGroupId = "pg-orders" },
      action = "DescribeRegions", version = "2021-07-30", nonce = "n",
      date = core.iso8601(emu:now()), access_key_id = emu.access_key_id,
      access_key_secret = emu.access_key_secret,
    }
    signed.headers["x-acs-action"] = "FailoverDiskReplicaGroup"
    local answer = emu.transport.send(signed)
    assert.equal(200, answer.status)
    assert.is_table(core.decode(answer.body).Regions)
    assert.equal(0, #emu:ledger())
  end)
end)
