--- A profile of the SDKs' own file: `~/.alibabacloud/credentials`, sections of `name = value`.

local delegates = require "alicloud.credentials.delegate"
local ecs_role = require "alicloud.credentials.ecs_role"
local oidc = require "alicloud.credentials.oidc"
local role = require "alicloud.credentials.role"
local schema = require "alicloud.base.schema"
local static = require "alicloud.credentials.static"
local support = require "alicloud.credentials.support"
local tables = require "alicloud.base.tables"

local M = {}

local NAME = "profile"
-- The Python SDK looks in the second one.
local FILES = { ".alibabacloud/credentials", ".alibabacloud/credentials.ini" }

---@class alicloud.credentials.IniOptions
---@field name? string else ALIBABA_CLOUD_PROFILE, else "default"
---@field file? string else ALIBABA_CLOUD_CREDENTIALS_FILE, else ~/.alibabacloud/credentials[.ini]
---@field metadata_endpoint? string for tests only, see alicloud.credentials.EcsRoleOptions

M.OPTIONS = { name = schema.text, file = schema.text,
  metadata_endpoint = ecs_role.OPTIONS.endpoint }

-- A value by its name in this file, or by its name in config.json.
local function text(section, name, other)
  for _, spelling in ipairs { name, other } do
    if section[spelling] and section[spelling] ~= "" then return section[spelling] end
  end
end

local OFF = { ["false"] = true, ["0"] = true, no = true, off = true }

local types = {}

function types.access_key(_, section)
  local keys, err = support.keys_of(section)
  if not keys then return nil, err end
  return static.new(keys)
end

function types.sts(_, section)
  local keys, err = support.keys_of(section)
  if not keys then return nil, err end
  if not keys.security_token then return support.fail "security_token is missing" end
  return static.new(keys)
end

function types.ecs_ram_role(reading, section)
  return support.open("section", ecs_role, reading.context, {
    role_name = text(section, "role_name", "ram_role_name"),
    endpoint = reading.metadata_endpoint })
end

-- Each option that is given is used or refused by name: without it the role would be another one.
local function role_options(section)
  local duration = text(section, "duration_seconds", "expired_seconds")
  local vpc = text(section, "enable_vpc")
  return { role_arn = text(section, "role_arn", "ram_role_arn"),
    session_name = text(section, "role_session_name", "ram_session_name"),
    duration = math.tointeger(tonumber(duration)) or duration, policy = text(section, "policy"),
    external_id = text(section, "external_id"), sts_region = text(section, "sts_region"),
    sts_endpoint = text(section, "sts_endpoint"), sts_vpc = vpc and not OFF[vpc:lower()] }
end

function types.ram_role_arn(reading, section)
  local origin, err = types.access_key(reading, section)
  if not origin then return nil, err end
  return role.from_file("section", "role_arn", reading.context, role_options(section), origin)
end

function types.oidc_role_arn(reading, section)
  local wanted = role_options(section)
  wanted.external_id = nil
  wanted.oidc_provider_arn = text(section, "oidc_provider_arn")
  wanted.oidc_token_file = text(section, "oidc_token_file_path", "oidc_token_file")
  return support.open("section", oidc, reading.context, wanted)
end

local function read_first(context, given)
  local file, err = support.line(context.runtime, "ALIBABA_CLOUD_CREDENTIALS_FILE", given.file)
  if err then return nil, err end
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

local function section_of(context, given)
  local name, err = support.line(context.runtime, "ALIBABA_CLOUD_PROFILE", given.name)
  if err then return nil, err end
  local document, path = read_first(context, given)
  if not document then return nil, path end
  name = name or "default"
  local section = document[name]
  if not section then
    return support.absent(("%s has no section %s"):format(path, schema.show(name)))
  end
  if OFF[(section.enable or ""):lower()] then
    return support.absent(("%s: section %s is switched off by enable = %s"):format(path,
      schema.show(name), section.enable))
  end
  return section, name
end

local function open_file(context, given)
  local section, name = section_of(context, given)
  if not section then return nil, name end
  local open = types[text(section, "type")]
  if not open then
    return support.fail(("section %s: %s"):format(schema.show(name), text(section, "type")
      and "unsupported type " .. schema.show(section.type) or "type is missing"),
      { code = "Client.UnsupportedMode",
        hint = "supported are " .. table.concat(tables.keys(types), ", ") })
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
