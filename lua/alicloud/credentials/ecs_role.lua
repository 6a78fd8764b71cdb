--- The RAM role of the ECS instance that this runs on, from its metadata service.
--
-- A token is fetched before each read and never kept (IMDSv2). If there is none, or the read fails,
-- IMDSv1 is tried, unless it is switched off. No proxy is ever used. Source: the vendor's SDKs.

local cached = require "alicloud.credentials.cached"
local http = require "alicloud.net.http"
local schema = require "alicloud.base.schema"
local support = require "alicloud.credentials.support"

local M = {}

local NAME = "ecs_ram_role"
local ENDPOINT = "http://100.100.100.200"
local ROLES = "/latest/meta-data/ram/security-credentials/"
local TTL = "21600"
-- Seconds: one to connect and one to answer.
local TIMEOUT = 2

local DISABLED = "ALIBABA_CLOUD_ECS_METADATA_DISABLED"
local V1_DISABLED = "ALIBABA_CLOUD_IMDSV1_DISABLED"

local ROLE_NAME = "^[%w%._@%-]+$"

---@class alicloud.credentials.EcsRoleOptions
---@field role_name? string else ALIBABA_CLOUD_ECS_METADATA, else what the service lists
---@field imdsv1? boolean false refuses IMDSv1; else ALIBABA_CLOUD_IMDSV1_DISABLED decides
---@field endpoint? string for tests only: http://host[:port] in place of 100.100.100.200

M.OPTIONS = {
  role_name = schema.rule("a role name (letters, digits and ._@-)", function(value)
    return type(value) == "string" and value:find(ROLE_NAME) ~= nil
  end),
  imdsv1 = schema.boolean,
  endpoint = schema.rule("http://host[:port], for tests", function(value)
    return http.parse_url(value) ~= nil and value:find("^http://[^/?#]+$") ~= nil
  end),
}

local function ask(source, method, path, headers)
  return http.fetch(source.context, {
    method = method, url = source.endpoint .. path, headers = headers, timeout = TIMEOUT,
    way = "metadata", attempts = 1,
  })
end

local function nobody(source, detail)
  return support.absent(("no metadata service at %s, so this is not an ECS instance (%s)")
    :format(source.endpoint:gsub("^http://", ""), detail))
end

--- A token for IMDSv2; false: IMDSv1 has to do without one.
local function token_of(source)
  local answer, detail, unreached = ask(source, "PUT", "/latest/api/token",
    { ["x-aliyun-ecs-metadata-token-ttl-seconds"] = TTL })
  if unreached then return nobody(source, detail) end
  local token = answer and answer.status == 200 and answer.body
  -- A text with other characters cannot be sent in a header.
  if token and token ~= "" and not token:find("[^\x21-\x7e]") then return token end
  if source.v1 then return false end
  return support.fail(("the metadata service gave no token (%s), and IMDSv1 is switched off")
    :format(detail or "HTTP " .. answer.status))
end

local function read_once(source, path, token, take)
  local answer, detail = ask(source, "GET", path,
    token and { ["x-aliyun-ecs-metadata-token"] = token } or nil)
  if not answer then return support.fail("the metadata service: " .. detail) end
  return take(answer)
end

local function read(source, path, take)
  local token, err = token_of(source)
  if token == nil then return nil, err end
  local value
  value, err = read_once(source, path, token, take)
  if not value and token and source.v1 and not err.absent then
    value, err = read_once(source, path, nil, take)
  end
  return value, err
end

local function take_name(answer)
  if answer.status == 404 then
    return support.absent("this ECS instance has no RAM role", "attach a RAM role to the instance")
  end
  local name = answer.status == 200 and answer.body:match("^%s*(.-)%s*$")
  if name and name:find(ROLE_NAME) then return name end
  return support.fail(("the metadata service answered HTTP %d without a role name")
    :format(answer.status))
end

local function take_session(answer)
  local status = answer.status
  if status ~= 200 then
    return support.fail(("the metadata service answered HTTP %d when asked for the role's session")
      :format(status))
  end
  local object = support.read_answer(answer.body)
  if not object then return support.fail "the metadata service answered with unusable JSON" end
  if object.Code ~= "Success" then
    return support.fail("the metadata service's answer is no success")
  end
  local session, message = support.session(object, NAME, answer.date)
  if not session then return support.fail("the metadata service: " .. message) end
  return session
end

local function fetch(source)
  local runtime = source.context.runtime
  if support.switched(source.context, DISABLED) then
    return support.absent("switched off by " .. DISABLED)
  end
  source.v1 = source.imdsv1 ~= false and not support.switched(source.context, V1_DISABLED)
  local role, err = support.word(runtime, "ALIBABA_CLOUD_ECS_METADATA", source.role_name)
  if err then return nil, err end
  if not role then role, err = read(source, ROLES, take_name) end
  if not role then return nil, err end
  if not role:find(ROLE_NAME) then
    return support.fail "ALIBABA_CLOUD_ECS_METADATA is no role name"
  end
  return read(source, ROLES .. role, take_session)
end

---@param context alicloud.credentials.Context
---@param given? alicloud.credentials.EcsRoleOptions
---@return alicloud.credentials.Provider
function M.new(context, given)
  given = given or {}
  local source = { name = NAME, context = context, role_name = given.role_name,
    imdsv1 = given.imdsv1, endpoint = given.endpoint or ENDPOINT }
  function source.fetch() return fetch(source) end
  function source.hosts()
    if support.switched(context, DISABLED) then return {} end
    return { (source.endpoint:gsub("^http://", "")) }
  end
  return cached.new(source, context)
end

return M
