--- Makes the credentials of clients: a constructor for each kind of provider, and the choice that a
--- client's options make.
--
-- `alicloud.client { credentials = … }` takes what the constructors here make; they check their
-- options and open nothing. Without options a client uses the vendor's default chain.

require "alicloud.base.lua_version"
local errors = require "alicloud.base.error"
local open = require "alicloud.credentials.open"
local provider_context = require "alicloud.credentials.provider_context"
local providers = require "alicloud.call.provider"
local schema = require "alicloud.base.schema"
local static = require "alicloud.credentials.static"

local M = {}

local KEYS = {
  access_key_id = schema.secret,
  access_key_secret = schema.secret,
  security_token = schema.secret,
}

local function pair_fault(keys)
  if keys.access_key_id and not keys.access_key_secret then
    return "access_key_id was given without access_key_secret"
  end
  if not keys.access_key_id then
    return "access_key_secret or security_token was given without access_key_id"
  end
  if type(keys.access_key_id) ~= "string" or keys.access_key_id:find("%c") then
    return "access_key_id: allowed: text without control characters"
  end
end

--- A provider of one pair of keys; the caller has to close it.
---@param keys { access_key_id: string, access_key_secret: string, security_token?: string }
---@return alicloud.credentials.Provider
function M.static(keys)
  local checked = schema.check("credentials.static", keys, KEYS, 2)
  local fault = pair_fault(checked)
  if fault then error("credentials.static: " .. fault, 2) end
  return static.new(checked)
end

--- ALIBABA_CLOUD_ACCESS_KEY_ID, _ACCESS_KEY_SECRET and _SECURITY_TOKEN.
---@return alicloud.credentials.Spec
function M.env() return (open.spec("env", nil)) end

--- A role for the holder of an OIDC token.
---@param given? alicloud.credentials.OidcOptions
---@return alicloud.credentials.Spec
function M.oidc(given) return (open.spec("oidc", given)) end

--- A role, assumed by another identity.
---@param given alicloud.credentials.AssumeOptions role_arn is required
---@return alicloud.credentials.Spec
function M.role(given) return (open.spec("role", given)) end

--- A profile of ~/.aliyun/config.json.
---@param given? alicloud.credentials.ProfileOptions
---@return alicloud.credentials.Spec
function M.profile(given) return (open.spec("profile", given)) end

--- A section of ~/.alibabacloud/credentials.
---@param given? alicloud.credentials.IniOptions
---@return alicloud.credentials.Spec
function M.ini(given) return (open.spec("ini", given)) end

--- The RAM role of this ECS instance.
---@param given? alicloud.credentials.EcsRoleOptions
---@return alicloud.credentials.Spec
function M.ecs_role(given) return (open.spec("ecs_role", given)) end

--- A session from an HTTP address.
---@param given? alicloud.credentials.UriOptions
---@return alicloud.credentials.Spec
function M.uri(given) return (open.spec("uri", given)) end

--- Credentials that a program prints.
---@param given alicloud.credentials.ExternalOptions command is required
---@return alicloud.credentials.Spec
function M.external(given) return (open.spec("external", given)) end

--- Several providers in order; the first that gives credentials is kept.
---@param list table[] what the constructors here make, and providers
---@return alicloud.credentials.Spec
function M.chain(list) return (open.spec("chain", list)) end

--- The vendor's default chain: env, oidc, profile, ini, ecs_role, uri.
---@param given? { metadata_endpoint?: string } for tests only, as `endpoint` of ecs_role
---@return alicloud.credentials.Spec
function M.default(given) return (open.spec("default", given)) end

local function keys_of(given)
  return { access_key_id = given.access_key_id, access_key_secret = given.access_key_secret,
    security_token = given.security_token }
end

local function named(credentials)
  if open.is_spec(credentials) then return credentials end
  local keys, message = schema.examine("credentials", credentials, KEYS)
  if not keys then return nil, message end
  if next(keys) then return keys end
  return nil, "option credentials: got an empty table; allowed: what alicloud.credentials makes, "
    .. "a provider with a function get, or access_key_id and access_key_secret"
end

local function wanted(given)
  local keys = keys_of(given)
  if given.credentials and next(keys) then
    return nil, "credentials and access_key_id exclude each other"
  end
  if given.profile and (given.credentials or next(keys)) then
    return nil, "profile and other credentials exclude each other"
  end
  if given.profile then return open.spec("named", { name = given.profile }) end
  if given.credentials then return named(given.credentials) end
  return next(keys) and keys or open.spec("default", nil)
end

--- The provider that a client's options ask for.
---@param given alicloud.ClientOptions
---@param settings alicloud.credentials.Settings
---@return alicloud.credentials.Provider|nil
---@return boolean|string owned whether the client must close it; without a provider: what is wrong
function M.choose(given, settings)
  if open.is_provider(given.credentials) and not next(keys_of(given)) and not given.profile then
    return given.credentials, false
  end
  local choice, message = wanted(given)
  if not choice then return nil, message end
  if open.is_spec(choice) then return M.open(choice, settings), true end
  local fault = pair_fault(choice)
  if fault then return nil, fault end
  return static.new(choice), true
end

--- Opens a spec; the provider has a way to the network of its own.
---@param spec alicloud.credentials.Spec
---@param settings alicloud.credentials.Settings
---@return alicloud.credentials.Provider it must be closed
function M.open(spec, settings)
  local context = provider_context.new(settings)
  local provider = open.provider(spec, context)
  local opened = {}
  providers.punctual[opened] = true
  function opened.get(_, patience) return provider:get(patience) end
  function opened.refuse(_, keys, patience)
    return provider.refuse ~= nil and provider:refuse(keys, patience)
  end
  function opened.hosts() return provider.hosts and provider:hosts() or {} end
  function opened.holds() return provider.holds ~= nil and provider:holds() end
  function opened.describe() return provider:describe() end
  function opened.explain() return provider:explain() end
  function opened.close()
    provider:close()
    context.close()
  end
  return opened
end

--- The endpoint of STS for a client of these settings.
---@param settings alicloud.credentials.Settings
---@return string|nil endpoint
---@return string? message
function M.sts_endpoint(settings)
  return require "alicloud.credentials.sts".endpoint(provider_context.new(settings))
end

---@class alicloud.Identity: alicloud.credentials.Explanation
---@field sts_endpoint? string where GetCallerIdentity would be sent
---@field sts_fault? string why there is no such endpoint
---@field near_misses alicloud.credentials.NearMiss[] variables that are set by a wrong name

--- Who a client is. Only the provider is asked.
---@param provider alicloud.credentials.Provider
---@param settings alicloud.credentials.Settings
---@return alicloud.Identity|nil
---@return alicloud.Error? err with `tried` and `near_misses`
function M.identity(provider, settings)
  local keys, err = providers.get(provider)
  if not keys then return nil, err end
  local env = require "alicloud.credentials.env"
  local about = providers.explain(provider)
    or { provider = errors.text_of(keys.provider or "provider"),
      key_id = static.tail(keys.access_key_id), temporary = keys.security_token ~= nil }
  about.near_misses = env.near_misses(settings.runtime)
  about.sts_endpoint, about.sts_fault = M.sts_endpoint(settings)
  return about
end

return M
