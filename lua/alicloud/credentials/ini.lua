--- A profile of the SDKs' own file: `~/.alibabacloud/credentials`, sections of `name = value`.

local delegates = require "alicloud.credentials.delegate"
local ecs_role = require "alicloud.credentials.ecs_role"
local oidc = require "alicloud.credentials.oidc"
local role = require "alicloud.credentials.role"
local schema = require "alicloud.base.schema"
local static = require "alicloud.credentials.static"
local support = require "alicloud.credentials.support"

local M = {}

local NAME = "profile"
-- The second is where the Python SDK looks.
local FILES = { ".alibabacloud/credentials", ".alibabacloud/credentials.ini" }

---@class alicloud.credentials.IniOptions
---@field name? string else ALIBABA_CLOUD_PROFILE, else "default"
---@field file? string else ALIBABA_CLOUD_CREDENTIALS_FILE, else ~/.alibabacloud/credentials[.ini]
---@field metadata_endpoint? string for tests only, see alicloud.credentials.EcsRoleOptions

M.OPTIONS = { name = schema.text, file = schema.text,
  metadata_endpoint = ecs_role.OPTIONS.endpoint }

local function text(section, name)
  local value = section[name]
  return value ~= "" and value or nil
end

local types = {}

function types.access_key(_, section)
  local id = text(section, "access_key_id")
  if not (id and not id:find("[%s%c]") and section.access_key_secret) then
    return support.fail "access_key_id or access_key_secret is missing or no key"
  end
  return static.new { access_key_id = id, access_key_secret = section.access_key_secret }
end

function types.ecs_ram_role(reading, section)
  return support.open("section", ecs_role, reading.context,
    { role_name = text(section, "role_name"), endpoint = reading.metadata_endpoint })
end

function types.ram_role_arn(reading, section)
  local origin, err = types.access_key(reading, section)
  if not origin then return nil, err end
  return role.from_file("section", "role_arn", reading.context, {
    role_arn = text(section, "role_arn"), session_name = text(section, "role_session_name"),
    policy = text(section, "policy") }, origin)
end

function types.oidc_role_arn(reading, section)
  return support.open("section", oidc, reading.context, { role_arn = text(section, "role_arn"),
    session_name = text(section, "role_session_name"), policy = text(section, "policy"),
    oidc_provider_arn = text(section, "oidc_provider_arn"),
    oidc_token_file = text(section, "oidc_token_file_path") })
end

local function read_first(context, given)
  local file = given.file or support.variable(context.runtime, "ALIBABA_CLOUD_CREDENTIALS_FILE")
  local paths = file and { file } or {}
  for i = 1, file and 0 or #FILES do paths[i] = support.home(context.runtime, FILES[i]) end
  local message = "HOME is not set, so there is no ~/" .. FILES[1]
  for _, path in ipairs(paths) do
    local document, fault, missing = support.read_document(context, path, "ini")
    if document then return document, path end
    if not missing then return support.fail(fault) end
    message = path == paths[1] and fault or message
  end
  return support.absent(message)
end

local function open_file(context, given)
  local document, path = read_first(context, given)
  if not document then return nil, path end
  local name = given.name or support.variable(context.runtime, "ALIBABA_CLOUD_PROFILE") or "default"
  local section = document[name]
  if not section then
    return support.absent(("%s has no section %s"):format(path, schema.show(name)))
  end
  local open = types[section.type]
  if not open then
    return support.fail(("section %s: unsupported type %s"):format(schema.show(name),
      schema.show(section.type)), { code = "Client.UnsupportedMode",
      hint = "supported are access_key, ecs_ram_role, oidc_role_arn and ram_role_arn" })
  end
  local provider, err = open({ context = context,
    metadata_endpoint = given.metadata_endpoint }, section)
  if provider then return provider end
  return support.fail(("section %s: %s"):format(schema.show(name), err.message))
end

---@param context alicloud.credentials.Context
---@param given? alicloud.credentials.IniOptions
---@return alicloud.credentials.Provider
function M.new(context, given)
  return delegates.new(NAME, function() return open_file(context, given or {}) end)
end

return M
