--- A profile of the vendor's command line tool: `~/.aliyun/config.json`. The file is read at the
--- first use, and once more when the service refuses what came from it.

local delegates = require "alicloud.credentials.delegate"
local ecs_role = require "alicloud.credentials.ecs_role"
local external = require "alicloud.credentials.external"
local oidc = require "alicloud.credentials.oidc"
local role = require "alicloud.credentials.role"
local runtimes = require "alicloud.base.runtime"
local schema = require "alicloud.base.schema"
local static = require "alicloud.credentials.static"
local support = require "alicloud.credentials.support"
local tables = require "alicloud.base.tables"
local trusted_files = require "alicloud.base.trusted_file"
local uri = require "alicloud.credentials.uri"

local M = {}

local NAME = "cli_profile"
local DISABLED = "ALIBABA_CLOUD_CLI_PROFILE_DISABLED"
local FILE = ".aliyun/config.json"

---@class alicloud.credentials.ProfileOptions
---@field name? string else ALIBABA_CLOUD_PROFILE, else the file's `current`
---@field file? string else ALIBABA_CLOUD_CONFIG_FILE, else ~/.aliyun/config.json
---@field metadata_endpoint? string for tests only, see alicloud.credentials.EcsRoleOptions

M.OPTIONS = { name = schema.text, file = schema.text,
  metadata_endpoint = ecs_role.OPTIONS.endpoint }

local function text(entry, name)
  local value = entry[name]
  return type(value) == "string" and value ~= "" and value or nil
end

local function whole_key(entry)
  local id = text(entry, "access_key_id")
  return id and not id:find("[%s%c]") and type(entry.access_key_secret) == "userdata"
end

local function duration_of(entry)
  for _, name in ipairs { "expired_seconds", "duration_seconds" } do
    local value = math.tointeger(entry[name])
    if value and value > 0 then return value end
  end
end

local function role_options(entry)
  return {
    role_arn = text(entry, "ram_role_arn"), session_name = text(entry, "ram_session_name"),
    duration = duration_of(entry), policy = text(entry, "policy"),
    external_id = text(entry, "external_id"), sts_region = text(entry, "sts_region"),
    sts_endpoint = text(entry, "sts_endpoint"), sts_vpc = entry.enable_vpc == true or nil,
  }
end

local modes = {}

function modes.AK(_, entry)
  if not whole_key(entry) then
    return support.fail "access_key_id or access_key_secret is missing or no key"
  end
  return static.new { access_key_id = entry.access_key_id,
    access_key_secret = entry.access_key_secret }
end

function modes.StsToken(_, entry)
  if not whole_key(entry) or type(entry.sts_token) ~= "userdata" then
    return support.fail "access_key_id, access_key_secret or sts_token is missing or no key"
  end
  return static.new { access_key_id = entry.access_key_id,
    access_key_secret = entry.access_key_secret, security_token = entry.sts_token }
end

local function assume(reading, entry, origin)
  return role.from_file("profile", "ram_role_arn", reading.context, role_options(entry), origin)
end

function modes.RamRoleArn(reading, entry)
  local origin, err = modes.AK(reading, entry)
  if not origin then return nil, err end
  return assume(reading, entry, origin)
end

function modes.EcsRamRole(reading, entry)
  return support.open("profile", ecs_role, reading.context,
    { role_name = text(entry, "ram_role_name"), endpoint = reading.metadata_endpoint })
end

function modes.OIDC(reading, entry)
  local wanted = role_options(entry)
  wanted.external_id = nil
  wanted.oidc_provider_arn = text(entry, "oidc_provider_arn")
  wanted.oidc_token_file = text(entry, "oidc_token_file")
  return support.open("profile", oidc, reading.context, wanted)
end

function modes.ChainableRamRoleArn(reading, entry)
  local name = text(entry, "source_profile")
  if not name then return support.fail "source_profile is missing" end
  local origin, err = reading:open(name)
  if not origin then return nil, err end
  return assume(reading, entry, origin)
end

function modes.CredentialsURI(reading, entry)
  -- Whoever forbids programs forbids this too: the vendor's tool does.
  if support.switched(reading.context.runtime, external.DISABLED) then
    return support.fail("switched off by " .. external.DISABLED)
  end
  return support.open("profile", uri, reading.context, { uri = text(entry, "credentials_uri") })
end

function modes.External(reading, entry)
  local command = text(entry, "process_command")
  if not command then return support.fail "process_command is missing" end
  if runtimes.has_real_files(reading.context.runtime) then
    local file <close>, message = trusted_files.open(reading.file)
    if not file then return support.fail("it names a program to start, but " .. message) end
  end
  return support.open("profile", external, reading.context, { command = command })
end

local Reading = {}
Reading.__index = Reading

local function circle(self, name)
  local path = table.concat(self.path, " → ") .. " → " .. name
  return support.fail("the profiles refer to each other in a circle: " .. path)
end

local function entry_of(self, name)
  local profiles = type(self.document.profiles) == "table" and self.document.profiles or {}
  for _, entry in ipairs(profiles) do
    if type(entry) == "table" and entry.name == name then return entry end
  end
end

local function unsupported(name, mode)
  return support.fail(("profile %s: unsupported mode %s"):format(schema.show(name),
    schema.show(mode)), { code = "Client.UnsupportedMode",
    hint = ("supported are %s; `aliyun configure` sets a profile up"):format(
      table.concat(tables.keys(modes), ", ")) })
end

--- The provider of a profile, which may need others.
---@param name string
---@return alicloud.credentials.Provider|nil
---@return alicloud.Error? err
function Reading:open(name)
  if self.visited[name] then return circle(self, name) end
  self.visited[name] = true
  self.path[#self.path + 1] = name
  local entry = entry_of(self, name)
  if not entry then
    return support.absent(("%s has no profile %s"):format(self.file, schema.show(name)))
  end
  local open = modes[entry.mode or "AK"]
  if not open then return unsupported(name, entry.mode) end
  local provider, err = open(self, entry)
  if provider then return provider end
  if err.prefixed then return nil, err end
  return support.fail(("profile %s: %s"):format(schema.show(name), err.message),
    { code = err.code, hint = err.hint, prefixed = true })
end

local function open_file(context, given)
  local runtime = context.runtime
  if support.switched(runtime, DISABLED) and not given.name then
    return support.absent("switched off by " .. DISABLED)
  end
  local file = given.file or support.variable(runtime, "ALIBABA_CLOUD_CONFIG_FILE")
    or support.home(runtime, FILE)
  if not file then return support.absent "HOME is not set, so there is no ~/.aliyun/config.json" end
  local document, message, missing = support.read_document(context, file, "json")
  if missing then return support.absent(message) end
  if not document then return support.fail(message) end
  local name = given.name or support.variable(runtime, "ALIBABA_CLOUD_PROFILE")
    or text(document, "current")
  if not name then return support.fail(file .. ": it has no current profile") end
  local reading = setmetatable({ context = context, document = document, file = file,
    visited = {}, path = {}, metadata_endpoint = given.metadata_endpoint }, Reading)
  return reading:open(name)
end

---@param context alicloud.credentials.Context
---@param given? alicloud.credentials.ProfileOptions
---@return alicloud.credentials.Provider
function M.new(context, given)
  return delegates.new(NAME, function() return open_file(context, given or {}) end)
end

return M
