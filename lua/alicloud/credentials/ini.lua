--- A profile of the SDKs' own file: `~/.alibabacloud/credentials`, sections of `name = value`.

local common = require "alicloud.credentials.support"
local ecs_role = require "alicloud.credentials.ecs_role"
local follow = require "alicloud.credentials.delegate"
local oidc = require "alicloud.credentials.oidc"
local options = require "alicloud.base.schema"
local role = require "alicloud.credentials.role"
local static = require "alicloud.credentials.static"

local M = {}

local NAME = "profile"
-- The second is where the Python SDK looks.
local FILES = { ".alibabacloud/credentials", ".alibabacloud/credentials.ini" }

---@class alicloud.credentials.IniOptions
---@field name? string else ALIBABA_CLOUD_PROFILE, else "default"
---@field file? string else ALIBABA_CLOUD_CREDENTIALS_FILE, else ~/.alibabacloud/credentials[.ini]
---@field metadata_endpoint? string for tests only, see alicloud.credentials.EcsRoleOptions

M.OPTIONS = { name = options.text, file = options.text,
  metadata_endpoint = ecs_role.OPTIONS.endpoint }

local function text(section, name)
  local value = section[name]
  return value ~= "" and value or nil
end

local types = {}

function types.access_key(_, section)
  local id = text(section, "access_key_id")
  if not (id and not id:find("[%s%c]") and section.access_key_secret) then
    return common.fail "access_key_id or access_key_secret is missing or no key"
  end
  return static.new { access_key_id = id, access_key_secret = section.access_key_secret }
end

function types.ecs_ram_role(reading, section)
  return common.open("section", ecs_role, reading.context,
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
  return common.open("section", oidc, reading.context, { role_arn = text(section, "role_arn"),
    session_name = text(section, "role_session_name"), policy = text(section, "policy"),
    oidc_provider_arn = text(section, "oidc_provider_arn"),
    oidc_token_file = text(section, "oidc_token_file_path") })
end

local function read_first(context, given)
  local file = given.file or common.variable(context.runtime, "ALIBABA_CLOUD_CREDENTIALS_FILE")
  local paths = file and { file } or {}
  for i = 1, file and 0 or #FILES do paths[i] = common.home(context.runtime, FILES[i]) end
  local message = "HOME is not set, so there is no ~/" .. FILES[1]
  for _, path in ipairs(paths) do
    local document, fault, missing = common.read_document(context, path, "ini")
    if document then return document, path end
    if not missing then return common.fail(fault) end
    message = path == paths[1] and fault or message
  end
  return common.absent(message)
end

local function open_file(context, given)
  local document, path = read_first(context, given)
  if not document then return nil, path end
  local name = given.name or common.variable(context.runtime, "ALIBABA_CLOUD_PROFILE") or "default"
  local section = document[name]
  if not section then
    return common.absent(("%s has no section %s"):format(path, options.show(name)))
  end
  local open = types[section.type]
  if not open then
    return common.fail(("section %s: unsupported type %s"):format(options.show(name),
      options.show(section.type)), { code = "Client.UnsupportedMode",
      hint = "supported are access_key, ecs_ram_role, oidc_role_arn and ram_role_arn" })
  end
  local provider, err = open({ context = context,
    metadata_endpoint = given.metadata_endpoint }, section)
  if provider then return provider end
  return common.fail(("section %s: %s"):format(options.show(name), err.message))
end

---@param context alicloud.credentials.Context
---@param given? alicloud.credentials.IniOptions
---@return alicloud.credentials.Provider
function M.new(context, given)
  return follow.new(NAME, function() return open_file(context, given or {}) end)
end

return M
