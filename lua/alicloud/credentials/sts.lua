--- The endpoint of the Security Token Service, and the options of a role.

local endpoint = require "alicloud.net.endpoint"
local formats = require "alicloud.base.formats"
local schema = require "alicloud.base.schema"
local support = require "alicloud.credentials.support"

local M = {}

local REGION = formats.PARAMETER.region

---@class alicloud.credentials.RoleOptions
---@field role_arn? string
---@field session_name? string
---@field duration? integer seconds, 3600 unless given
---@field policy? string JSON text that narrows the session
---@field sts_endpoint? string host[:port] with optional scheme
---@field sts_region? string else ALIBABA_CLOUD_STS_REGION
---@field sts_vpc? boolean else ALIBABA_CLOUD_VPC_ENDPOINT_ENABLED

M.DURATION = 3600

M.ARN = schema.rule("an ARN such as acs:ram::123456789012:role/name", function(value)
  return type(value) == "string" and value:find("^acs:ram:[^%s%c]*:[^%s%c]+$") ~= nil
end)

M.OPTIONS = {
  role_arn = M.ARN,
  session_name = schema.rule("2 to 64 letters, digits and .@_-", function(value)
    return type(value) == "string" and #value >= 2 and #value <= 64
      and value:find("^[%w%.@_%-]+$") ~= nil
  end),
  duration = schema.integer(900, 43200),
  policy = schema.typed "string",
  sts_endpoint = schema.rule("host[:port] with optional http:// or https://", function(value)
    return type(value) == "string" and endpoint.parse(value, false) ~= nil
  end),
  sts_region = schema.rule("a region id such as cn-shanghai", REGION.test),
  sts_vpc = schema.boolean,
}

--- The options of a provider that assumes a role.
---@param more table<string, alicloud.schema.Rule>
---@return table<string, alicloud.schema.Rule>
function M.with_options(more)
  for name, rule in pairs(M.OPTIONS) do more[name] = rule end
  return more
end

--- The name of a session: as given, from the environment, or made as the vendor's SDKs make theirs.
---@param runtime alicloud.Runtime
---@param given alicloud.credentials.RoleOptions
---@return string|nil
---@return alicloud.Error? err
function M.session_name(runtime, given)
  local name, err = support.word(runtime, "ALIBABA_CLOUD_ROLE_SESSION_NAME", given.session_name)
  if err then return nil, err end
  return name or ("credentials-lua-%d"):format(math.floor(runtime.time() * 1000))
end

-- An endpoint on this very machine is taken for an emulator, which is the token service, too.
local function local_endpoint(context)
  local given = context.config.endpoint
  local text = type(given) == "string" and given
    or support.variable(context.runtime, "ALIBABA_CLOUD_ENDPOINT")
  local target = text and endpoint.parse(text, false)
  return target and endpoint.is_loopback(target.host) and text or nil
end

local function by_region(context, given)
  local runtime = context.runtime
  local region = given.sts_region or support.variable(runtime, "ALIBABA_CLOUD_STS_REGION")
  if not region then return "sts.aliyuncs.com" end
  local fault = schema.refusal(REGION, region)
  if fault then return nil, "ALIBABA_CLOUD_STS_REGION: " .. fault end
  local vpc = given.sts_vpc or support.switched(context, "ALIBABA_CLOUD_VPC_ENDPOINT_ENABLED")
  return ("sts%s.%s.aliyuncs.com"):format(vpc and "-vpc" or "", region)
end

--- The first endpoint there is: the option, ALIBABA_CLOUD_ENDPOINT_STS, ALIBABA_CLOUD_STS_ENDPOINT,
--- an emulator on this machine, sts[-vpc].<region>; else sts.aliyuncs.com.
---@param context alicloud.credentials.Context
---@param given? alicloud.credentials.RoleOptions
---@return string|nil endpoint [scheme://]host[:port]
---@return string? message
function M.endpoint(context, given)
  given = given or {}
  local runtime = context.runtime
  local text = given.sts_endpoint
  if text then return text end
  for _, name in ipairs { "ALIBABA_CLOUD_ENDPOINT_STS", "ALIBABA_CLOUD_STS_ENDPOINT" } do
    text = support.variable(runtime, name)
    if text then
      local ok, reason = endpoint.parse(text, false)
      if ok then return text end
      return nil, endpoint.refusal(name, text, reason)
    end
  end
  text = local_endpoint(context)
  if text then return text end
  return by_region(context, given)
end

return M
