-- What our credential providers ask for, as JSON on standard output, by the name of the case. The
-- vendor's providers get the same inputs in providers.js. `lua5.4 spec/interop/providers.lua`

local core = require "alicloud.core"
local credentials = require "alicloud.credentials"
local machines = require "spec.credentials"

local ROLE = "acs:ram::1000000000000001:role/dr-role"
local OIDC = {
  ALIBABA_CLOUD_ROLE_ARN = ROLE, ALIBABA_CLOUD_ROLE_SESSION_NAME = "session-1",
  ALIBABA_CLOUD_OIDC_PROVIDER_ARN = "acs:ram::1000000000000001:oidc-provider/k8s",
  ALIBABA_CLOUD_OIDC_TOKEN_FILE = "/token",
}
local SOURCE = { access_key_id = "emulator", access_key_secret = "emulator-secret" }

local function members()
  local object = machines.members(1, 1795317592 + 3600)
  object.Code = "Success"
  return object
end

local function sts() return machines.answer(200, { RequestId = "R", Credentials = members() }) end
local function session() return machines.answer(200, members()) end
local function text(body) return function() return machines.answer(200, body) end end

local CASES = {
  ["metadata, discovery"] = { credentials.ecs_role(),
    { text "token", text "dr-role", text "token", session } },
  ["metadata, named"] =
    { credentials.ecs_role { role_name = "dr-role" }, { text "token", session } },
  ["metadata, without a token"] = { credentials.ecs_role { role_name = "dr-role" },
    { function() return machines.answer(404, "") end, session } },
  ["credentials URI"] = { credentials.uri { uri = "http://localhost/credentials" }, { session } },
  ["AssumeRoleWithOIDC"] = { credentials.oidc(), { sts }, OIDC },
  ["AssumeRoleWithOIDC in a region"] = { credentials.oidc { sts_region = "cn-shanghai",
    sts_vpc = true, duration = 900, policy = '{"Version":"1"}' }, { sts }, OIDC },
  ["AssumeRole"] = { credentials.role { role_arn = ROLE, session_name = "session-1",
    source = credentials.static(SOURCE) }, { sts } },
  ["AssumeRole in a region"] = { credentials.role { role_arn = ROLE, session_name = "session-1",
    source = credentials.static(SOURCE), sts_region = "cn-shanghai", duration = 900,
    policy = '{"Version":"1"}', external_id = "e x" }, { sts } },
}

local function requests_of(case)
  local machine = machines.new { env = case[3], answers = case[2],
    files = { ["/token"] = "jwt+/=\n" } }
  assert(machines.open(machine, case[1]):get())
  local list = core.array {}
  for i, request in ipairs(machine.requests) do
    list[i] = { method = request.method, url = request.url, headers = request.headers,
      body = request.body or "" }
  end
  return list
end

local recorded = {}
for name, case in pairs(CASES) do recorded[name] = requests_of(case) end
io.write(core.encode(recorded), "\n")
