-- The files of the vendor's tools, dialect by dialect: who wins, or what is said. The vendor's own
-- parser reads the same ones in `make interop`; where it differs, a row says how and why.
local core = require "alicloud.core"
local credentials = require "alicloud.credentials"
local machines = require "spec.credentials"
local scratch = require "spec.scratch"

local PLACES = { ["config.json"] = "/home/op/.aliyun/config.json",
  credentials = "/home/op/.alibabacloud/credentials" }

local rows = core.decode(scratch.read "spec/vectors/credentials/files.json")

local function signature(secret)
  return core.sign { host = "h", access_key_id = "i", access_key_secret = secret,
    date = "2026-01-02T03:04:05Z", nonce = "n" }.signature
end

local function same_secret(name, wanted, got)
  assert.equal(wanted ~= nil, got ~= nil, name)
  if got then assert.equal(signature(wanted), signature(got), name) end
end

local function read(row)
  local env = { HOME = "/home/op" }
  for name, value in pairs(row.env or {}) do env[name] = value end
  local machine = machines.new { env = env, files = { [PLACES[row.file]] = row.text } }
  local make = row.file == "credentials" and credentials.ini or credentials.profile
  local provider = machines.open(machine, make { name = row.profile })
  local keys, err = provider:get()
  return keys, err, machine.requests[1] or {}
end

local function check_request(wanted, request)
  assert.equal(wanted.host, request.url:match "^%a+://([^/]+)")
  if wanted.role then assert.matches("role%%2Fdr%-role", request.body) end
  assert.equal(wanted.security_token, request.headers["x-acs-security-token"])
  local signed = request.headers.authorization or request.headers.Authorization
  assert.equal(wanted.access_key_id, signed and signed:match "Credential=([^,]+)")
end

describe("a file of the vendor's tools", function()
  for _, row in ipairs(rows) do
    it(("(%s) %s"):format(row.file, row.name), function()
      local keys, err, request = read(row)
      if row.gives then
        assert(keys, err)
        assert.equal(row.gives.access_key_id, keys.access_key_id)
        same_secret("access_key_secret", row.gives.access_key_secret, keys.access_key_secret)
        same_secret("security_token", row.gives.security_token, keys.security_token)
      elseif row.asks then
        check_request(row.asks, request)
      else
        assert.is_nil(keys)
        assert.is_truthy(err.message:find(row.fails, 1, true), err.message)
        assert.equal(row.absent, err.absent)
        if row.renews then assert.is_truthy(err.message:find(row.renews, 1, true), err.message) end
      end
      for _, secret in ipairs { "made-up-secret", "made-up-token", "made-up-login" } do
        assert.is_nil(tostring(err):find(secret, 1, true))
      end
    end)
  end

  it("that differs to the vendor's parser says why", function()
    for _, row in ipairs(rows) do
      assert.equal(row.vendor ~= nil, row.why ~= nil, row.name)
    end
  end)
end)
