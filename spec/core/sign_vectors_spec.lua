-- The signer, stage by stage, against vectors made with the vendor's own SDKs and against the
-- examples that the vendor publishes. `doc…` fields win where SDK and document differ.
local dkjson = require "dkjson"
local core = require "alicloud.core"
local params = require "alicloud.call.params"

local function load_vectors(name)
  local file <close> = assert(io.open("spec/vectors/sign/" .. name .. ".json"))
  return dkjson.decode(file:read "a", 1, dkjson.null).cases
end

-- Its null is a table of its own; ours is alicloud.null.
local function with_null_as(null, value)
  if value == dkjson.null then
    return null
  end
  if type(value) ~= "table" then
    return value
  end
  local copy = {}
  for k, v in pairs(value) do
    copy[k] = with_null_as(null, v)
  end
  return copy
end

local function optional(value)
  if value ~= dkjson.null then
    return value
  end
end

-- What the document says has precedence over what the SDK does.
local function expected_texts(case)
  local canonical = case.docCanonicalRequest or case.expected.canonicalRequest
  local string_to_sign = case.expected.stringToSign
  if case.docCanonicalRequest then
    string_to_sign = case.algorithm .. "\n" .. core.sha256(canonical)
  end
  return optional(canonical), optional(string_to_sign),
    optional(case.docAuthorization or case.expected.authorization)
end

local GENERATED = { host = true, ["x-acs-action"] = true, ["x-acs-version"] = true,
  ["x-acs-date"] = true, ["x-acs-signature-nonce"] = true, ["x-acs-content-sha256"] = true,
  ["x-acs-accesskey-id"] = true, ["x-acs-security-token"] = true, authorization = true }

-- Only what the signer cannot know: it has to generate the rest itself.
local function extra_headers(case)
  local headers = {}
  for name, value in pairs(case.expected.headers) do
    if not GENERATED[name:lower()] then
      headers[name] = value
    end
  end
  for name, value in pairs(case.input.extraHeaders or {}) do
    headers[name] = value
  end
  return headers
end

local function client_request(case)
  local input = case.input
  local query = params.flatten(with_null_as(core.null, input.params or {}))
  for name, value in pairs(case.expected.query) do
    if input.globalParameters or input.authType or input.bearer then
      query[name] = value
    end
  end
  local body = optional(case.expected.bodyBase64)
  local anonymous = input.authType or input.bearer
  return {
    algorithm = case.algorithm, method = input.method, host = input.host,
    path = input.pathname, query = query, headers = extra_headers(case),
    body = body and core.unbase64(body), action = input.action, version = input.version,
    access_key_id = not anonymous and input.ak or nil,
    access_key_secret = not anonymous and input.sk or nil,
    security_token = input.token, date = input.timestamp, nonce = input.nonce,
  }
end

local function direct_request(case)
  local input = case.input
  return {
    algorithm = case.algorithm, method = input.method, path = input.pathname,
    query = with_null_as(core.null, input.query), headers = input.headers,
    payload_hash = input.payloadHash, access_key_id = input.ak, access_key_secret = input.sk,
  }
end

local FIELDS = { "method", "url", "host", "headers", "body", "canonical_request", "string_to_sign",
  "signature", "authorization", "signed_headers" }

-- The same by a signer that knew about half of the headers when it was made.
local function by_signer(request)
  local names, shared, own = {}, {}, {}
  for name in pairs(request.headers or {}) do names[#names + 1] = name end
  table.sort(names)
  for i, name in ipairs(names) do (i % 2 == 0 and shared or own)[name] = request.headers[name] end
  local signer = core.signer {
    algorithm = request.algorithm, method = request.method, scheme = request.scheme,
    host = request.host, path = request.path, action = request.action, version = request.version,
    headers = shared,
  }
  local signed <close> = signer(request.query, request.body or request.form,
    core.parse_iso8601(request.date), request.nonce, request.access_key_id,
    request.access_key_secret, request.security_token, own)
  local fields = {}
  for _, name in ipairs(FIELDS) do fields[name] = signed[name] end
  return fields
end

describe("ACS3 signing", function()
  local cases = load_vectors "acs3"

  it("has the whole set of vectors", function()
    assert.equal(76, #cases)
  end)

  for _, case in ipairs(cases) do
    if case.algorithm ~= "ACS3-RSA-SHA256" then
      it("agrees with the vector " .. case.name, function()
        local request = case.kind == "direct" and direct_request(case) or client_request(case)
        local canonical, string_to_sign, authorization = expected_texts(case)
        local signed = core.sign(request)
        assert.equal(canonical, signed.canonical_request)
        assert.equal(string_to_sign, signed.string_to_sign)
        assert.equal(authorization, signed.authorization)
        assert.equal(authorization, signed.headers.authorization)
        if request.date and not request.payload_hash then
          assert.same(signed, by_signer(request))
        end
      end)
    end
  end

  it("sends exactly the headers that the SDK sends", function()
    for _, case in ipairs(cases) do
      if case.kind == "client" and case.docAgrees == true and case.algorithm:find "HMAC" then
        local expected = {}
        for name, value in pairs(case.expected.headers) do
          expected[name:lower()] = value
        end
        assert.same(expected, core.sign(client_request(case)).headers, case.name)
      end
    end
  end)

  it("matches the published example RunInstances", function()
    local signed = core.sign {
      method = "POST", host = "ecs.cn-shanghai.aliyuncs.com", action = "RunInstances",
      version = "2014-05-26", date = "2023-10-26T10:22:32Z",
      nonce = "3156853299f313e23d1673dc12e1703d",
      query = { ImageId = "win2019_1809_x64_dtc_zh-cn_40G_alibase_20230811.vhd",
        RegionId = "cn-shanghai" },
      access_key_id = "YourAccessKeyId", access_key_secret = "YourAccessKeySecret",
    }
    assert.equal("7ea06492da5221eba5297e897ce16e55f964061054b7695beedaac1145b1e259",
      core.sha256(signed.canonical_request))
    assert.equal("06563a9e1b43f5dfe96b81484da74bceab24a1d853912eee15083a6f0f3283c0",
      signed.signature)
  end)
end)

describe("RPC signing with HMAC-SHA1", function()
  -- pop-core writes a null as the text "null", the others drop it.
  local function pop_params(input)
    return params.flatten(with_null_as("null", input.params or {}))
  end

  -- pop-core upper-cases the first letter of the action before it signs.
  local function pop_action(case)
    return case.sdk == "pop-core" and case.input.action:gsub("^%l", string.upper)
      or case.input.action
  end

  local cases = load_vectors "rpc-hmac-sha1"

  it("has the whole set of vectors", function()
    assert.equal(23, #cases)
  end)

  for _, case in ipairs(cases) do
    it("agrees with the vector " .. case.name, function()
      local query = pop_params(case.input)
      if case.sdk == "openapi" then
        query.Format = "json"
      end
      local signed = core.sign {
        algorithm = "HMAC-SHA1", method = case.input.method, host = case.input.host,
        query = query, action = pop_action(case), version = case.input.version,
        access_key_id = case.input.ak, access_key_secret = case.input.sk,
        date = case.input.timestamp, nonce = case.input.nonce,
      }
      assert.equal(case.expected.stringToSign, signed.string_to_sign)
      assert.equal(case.expected.signature, signed.signature)
      assert.is_nil(signed.authorization)
      assert.truthy(signed.url:find("&Signature=" .. core.percent_encode(signed.signature), 1,
        true))
    end)
  end

  it("matches both published examples", function()
    local published = 0
    for _, case in ipairs(cases) do
      if case.input.published then
        assert.equal(case.input.published, case.expected.signature)
        published = published + 1
      end
    end
    assert.equal(2, published)
  end)
end)
