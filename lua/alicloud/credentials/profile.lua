--- A profile of the vendor's command line tool: `~/.aliyun/config.json`. The file is read at the
--- first use, and once more when the service refuses what came from it.

local cached = require "alicloud.credentials.cached"
local delegates = require "alicloud.credentials.delegate"
local ecs_role = require "alicloud.credentials.ecs_role"
local external = require "alicloud.credentials.external"
local oidc = require "alicloud.credentials.oidc"
local role = require "alicloud.credentials.role"
local runtimes = require "alicloud.base.runtime"
local schema = require "alicloud.base.schema"
local shell = require "alicloud.base.shell"
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

-- The vendor's tool writes "" and 0 for what is not set: here that is nil. A value of a wrong type
-- is refused by the provider that gets it.
local function value_of(entry, name)
  local value = entry[name]
  return value ~= "" and value ~= 0 and value or nil
end

local function text(entry, name)
  local value = value_of(entry, name)
  return type(value) == "string" and value or nil
end

local function role_options(entry)
  return {
    role_arn = value_of(entry, "ram_role_arn"), session_name = value_of(entry, "ram_session_name"),
    duration = value_of(entry, "expired_seconds") or value_of(entry, "duration_seconds"),
    policy = value_of(entry, "policy"), external_id = value_of(entry, "external_id"),
    sts_region = value_of(entry, "sts_region"), sts_endpoint = value_of(entry, "sts_endpoint"),
    sts_vpc = value_of(entry, "enable_vpc"),
  }
end

-- The mode of a profile that names none, by the fields it has; in the order of the vendor's tool.
local SIGNS = {
  { "StsToken", "access_key_id", "access_key_secret", "sts_token" },
  { "RamRoleArn", "access_key_id", "access_key_secret", "ram_role_arn" },
  { "AK", "access_key_id", "access_key_secret" },
  { "RsaKeyPair", "private_key", "key_pair_name" },
  { "EcsRamRole", "ram_role_name" },
  { "External", "process_command" },
  { "OIDC", "oidc_provider_arn", "oidc_token_file", "ram_role_arn" },
  { "CloudSSO", "cloud_sso_sign_in_url" },
  { "BearerToken", "bearer_token" },
}

local function infer_mode(entry)
  for _, sign in ipairs(SIGNS) do
    local here = true
    for i = 2, #sign do here = here and value_of(entry, sign[i]) ~= nil end
    if here then return sign[1] end
  end
  return "AK"
end

local modes = {}

-- A session token is used in every mode with keys: without it the keys of a session are invalid.
function modes.AK(_, entry)
  local keys, err = support.keys_of(entry)
  if not keys then return nil, err end
  return static.new(keys)
end

function modes.StsToken(reading, entry)
  if not entry.sts_token then return support.fail "sts_token is missing" end
  return modes.AK(reading, entry)
end

local function assume(reading, entry, origin)
  return role.from_file("profile", "ram_role_arn", reading.context, role_options(entry), origin)
end

function modes.RamRoleArn(reading, entry)
  local origin, err = modes.AK(reading, entry)
  if not origin then return nil, err end
  return assume(reading, entry, origin)
end

function modes.RamRoleArnWithRoleName(reading, entry)
  local origin, err = modes.EcsRamRole(reading, entry)
  if not origin then return nil, err end
  return assume(reading, entry, origin)
end

function modes.EcsRamRole(reading, entry)
  return support.open("profile", ecs_role, reading.context,
    { role_name = value_of(entry, "ram_role_name"), endpoint = reading.metadata_endpoint })
end

function modes.OIDC(reading, entry)
  local wanted = role_options(entry)
  wanted.external_id = nil
  wanted.oidc_provider_arn = value_of(entry, "oidc_provider_arn")
  wanted.oidc_token_file = value_of(entry, "oidc_token_file")
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
  -- As in the vendor's tool, the switch that forbids programs forbids this, too.
  if support.switched(reading.context, external.DISABLED) then
    return support.fail("switched off by " .. external.DISABLED)
  end
  return support.open("profile", uri, reading.context, { uri = value_of(entry, "credentials_uri") })
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

-- A mode whose session the vendor's tool renews and keeps in the file: it is read for each renewal.
local function kept_session(provider, renew)
  return function(reading, entry)
    local name = entry.name
    return cached.new({ name = provider, fetch = function()
      return reading:kept_session(name, provider, renew)
    end }, reading.context)
  end
end

-- A login of these modes outlasts its sessions: until it ends, any call of the tool renews them.
modes.CloudSSO = kept_session("cloud_sso", function(entry)
  return "aliyun configure --mode CloudSSO " .. shell.option("--profile", entry.name)
end)

modes.OAuth = kept_session("oauth", function(entry)
  local site = text(entry, "oauth_site_type")
  return "aliyun configure --mode OAuth "
    .. (site and shell.option("--oauth-site-type", site) .. " " or "")
    .. shell.option("--profile", entry.name)
end)

local Reading = {}
Reading.__index = Reading

local function circle(self, name)
  local path = table.concat(self.path, " → ") .. " → " .. name
  return support.fail("the profiles refer to each other in a circle: " .. path)
end

local function profiles_of(document)
  local list = {}
  for _, entry in ipairs(type(document.profiles) == "table" and document.profiles or {}) do
    if type(entry) == "table" and type(entry.name) == "string" then list[#list + 1] = entry end
  end
  return list
end

local function names_of(document)
  local names = {}
  for i, entry in ipairs(profiles_of(document)) do names[i] = entry.name end
  return names
end

local function entry_of(document, name)
  for _, entry in ipairs(profiles_of(document)) do
    if entry.name == name then return entry end
  end
end

-- Modes are read in upper and lower case, as the tool does.
local function mode_of(entry)
  local given = value_of(entry, "mode") or infer_mode(entry)
  for mode in pairs(modes) do
    if type(given) == "string" and given:lower() == mode:lower() then return modes[mode] end
  end
  return nil, given
end

local function unsupported(name, mode)
  return support.fail(("profile %s: unsupported mode %s"):format(schema.show(name),
    schema.show(mode)), { code = "Client.UnsupportedMode",
    hint = ("supported are %s; `aliyun configure` sets a profile up"):format(
      table.concat(tables.keys(modes), ", ")) })
end

--- Opens the provider of a profile, which may refer to other profiles.
---@param name string
---@return alicloud.credentials.Provider|nil
---@return alicloud.Error? err
function Reading:open(name)
  if self.visited[name] then return circle(self, name) end
  self.visited[name] = true
  self.path[#self.path + 1] = name
  local entry = entry_of(self.document, name)
  if not entry then
    local names = names_of(self.document)
    return support.absent(("%s has no profile %s%s"):format(self.file, schema.show(name),
      #names > 0 and "; it has " .. table.concat(names, ", ") or ""))
  end
  local open, mode = mode_of(entry)
  if not open then return unsupported(name, mode) end
  local provider, err = open(self, entry)
  if provider then return provider end
  if err.prefixed then return nil, err end
  -- An empty profile, as the tool leaves it after installation, or when it has dropped a profile.
  local untouched = err.absent and open == modes.AK and #self.path == 1
  return support.fail(("profile %s: %s"):format(schema.show(name), err.message),
    { code = err.code, hint = untouched and "`aliyun configure` gives it keys" or err.hint,
      absent = untouched or nil, prefixed = true })
end

--- The session that the vendor's tool keeps in a profile; an error if it has ended or is missing.
---@param name string
---@param provider string
---@param renew fun(entry: table): string the command that logs in anew
---@return alicloud.credentials.Session|nil
---@return alicloud.Error? err
function Reading:kept_session(name, provider, renew)
  local document, message = support.read_document(self.context, self.file, "json")
  if not document then return support.fail(message) end
  local entry = entry_of(document, name)
  if not entry then
    return support.fail(("%s has no profile %s any more"):format(self.file, schema.show(name)))
  end
  local session = support.keys_of(entry) or {}
  local ends = support.seconds_of(entry.sts_expiration)
  local is_whole = session.security_token ~= nil and ends ~= nil
  if is_whole and ends > self.context.runtime.time() then
    session.expiration, session.provider = ends, provider
    return session
  end
  return support.fail(("profile %s: the session that aliyun keeps in %s %s: `aliyun sts "
    .. "GetCallerIdentity %s` renews it while the login is good, else `%s` does"):format(
    schema.show(name), self.file, is_whole and "has ended" or "is not there",
    shell.option("--profile", name), renew(entry)))
end

-- If the file names no current profile: "default", as for the vendor's tool, or the only one.
local function current_of(document, file)
  local current, names = value_of(document, "current"), names_of(document)
  if #names == 0 then return support.absent(file .. ": it has no profiles") end
  local name = current or entry_of(document, "default") and "default" or #names == 1 and names[1]
  if name and entry_of(document, name) then return name end
  return support.fail(("%s: %s"):format(file, current and "its current profile "
    .. schema.show(current) .. " is none of its profiles" or "it has no current profile"),
    { hint = "`aliyun configure switch --profile NAME` makes one of them the current one: "
      .. table.concat(names, ", ") })
end

local function open_file(context, given)
  local runtime = context.runtime
  if support.switched(context, DISABLED) and not given.name then
    return support.absent("switched off by " .. DISABLED)
  end
  local file, err = support.line(runtime, "ALIBABA_CLOUD_CONFIG_FILE", given.file)
  if err then return nil, err end
  local name
  name, err = support.line(runtime, "ALIBABA_CLOUD_PROFILE", given.name)
  if err then return nil, err end
  file = file or support.home(runtime, FILE)
  if not file then return support.absent "HOME is not set, so there is no ~/.aliyun/config.json" end
  local document, message, missing = support.read_document(context, file, "json")
  if missing then return support.absent(message) end
  if not document then return support.fail(message) end
  if not name then name, err = current_of(document, file) end
  if not name then return nil, err end
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
