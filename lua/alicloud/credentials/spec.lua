--- Providers as they are asked for: checked at once, opened by the client that uses them, with its
--- clocks, its loop and its way to the network.

local chain = require "alicloud.credentials.chain"
local ecs_role = require "alicloud.credentials.ecs_role"
local env = require "alicloud.credentials.env"
local external = require "alicloud.credentials.external"
local ini = require "alicloud.credentials.ini"
local oidc = require "alicloud.credentials.oidc"
local options = require "alicloud.options"
local profile = require "alicloud.credentials.profile"
local role = require "alicloud.credentials.role"
local uri = require "alicloud.credentials.uri"

local M = {}

---@class alicloud.credentials.Spec

local specs = setmetatable({}, { __mode = "k" })

local metatable = {
  __name = "alicloud.credentials.Spec",
  __tostring = function(spec) return "alicloud.credentials." .. specs[spec].kind end,
  __newindex = function() error("credentials are read-only", 2) end,
  __metatable = "alicloud.credentials.Spec",
}

---@param value any
---@return boolean
function M.is(value)
  return specs[value] ~= nil
end

---@param value any
---@return boolean
function M.is_provider(value)
  return type(value) == "table" and not M.is(value) and options.callable.test(value.get)
end

local function is_source(value)
  return M.is(value) or M.is_provider(value)
end

local SOURCE = options.rule("credentials of alicloud.credentials, or a provider", is_source)

-- An opened source is closed by whoever opened it; a provider belongs to its maker.
local function open_source(context, source)
  if source == nil then return M.open(M.make("default", {}), context), false end
  if M.is(source) then return M.open(source, context), false end
  return source, true
end

local function name_of(source, index)
  return M.is(source) and specs[source].kind or "provider " .. index
end

local function open_chain(context, given)
  local links = {}
  for i, source in ipairs(given) do
    local provider, borrowed = open_source(context, source)
    links[i] = { name = name_of(source, i), provider = provider, owned = not borrowed }
  end
  return chain.new("chain", links, context)
end

local function link(name, provider)
  return { name = name, provider = provider, owned = true }
end

-- The order of the vendor's SDKs.
local function open_default(context, given)
  local metadata = given.metadata_endpoint
  return chain.new("default", {
    link("env", env.new(context)),
    link("oidc_role_arn", oidc.new(context)),
    link("cli_profile", profile.new(context, { metadata_endpoint = metadata })),
    link("profile", ini.new(context, { metadata_endpoint = metadata })),
    link("ecs_ram_role", ecs_role.new(context, { endpoint = metadata })),
    link("credential_uri", uri.new(context)),
  }, context)
end

local function open_named(context, given)
  return chain.new("profile", {
    link("cli_profile", profile.new(context, given)), link("profile", ini.new(context, given)),
  }, context)
end

local function open_role(context, given)
  local origin, borrowed = open_source(context, given.source)
  return role.over(context, given, origin, borrowed)
end

local function with_source(schema)
  local own = {}
  for name, rule in pairs(schema) do own[name] = rule end
  own.source = SOURCE
  return own
end

local KINDS = {
  env = { schema = {}, open = env.new },
  oidc = { schema = oidc.OPTIONS, open = oidc.new },
  role = { schema = with_source(role.OPTIONS), required = "role_arn", open = open_role },
  profile = { schema = profile.OPTIONS, open = profile.new },
  ini = { schema = ini.OPTIONS, open = ini.new },
  ecs_role = { schema = ecs_role.OPTIONS, open = ecs_role.new },
  uri = { schema = uri.OPTIONS, open = uri.new },
  external = { schema = external.OPTIONS, required = "command", open = external.new },
  named = { schema = profile.OPTIONS, required = "name", open = open_named },
  default = { schema = { metadata_endpoint = ecs_role.OPTIONS.endpoint }, open = open_default },
  chain = { open = open_chain },
}

local function examine_links(given)
  if type(given) ~= "table" or #given == 0 then
    return nil, "chain: allowed: a list of credentials in the order in which they are tried"
  end
  local links = {}
  for i, source in ipairs(given) do
    if not is_source(source) then
      return nil, ("chain: item %d: got %s; allowed: %s"):format(i, options.show(source),
        SOURCE.allowed)
    end
    links[i] = source
  end
  return links
end

local function examine(kind, given)
  local about = KINDS[kind]
  if not about.schema then return examine_links(given) end
  local settled, message = options.examine(kind, given, about.schema)
  if not settled then return nil, message end
  local required = about.required
  if required and settled[required] == nil then
    return nil, ("%s: option %s is missing; allowed: %s"):format(kind, required,
      about.schema[required].allowed)
  end
  return settled
end

--- Makes a spec; a mistake in the options raises at the caller of the constructor.
---@param kind string
---@param given table|nil
---@return alicloud.credentials.Spec
function M.make(kind, given)
  local settled, message = examine(kind, given)
  if not settled then error("credentials." .. message, 3) end
  local spec = setmetatable({}, metatable)
  specs[spec] = { kind = kind, options = settled }
  return spec
end

--- Opens a spec: a provider that must be closed.
---@param spec alicloud.credentials.Spec
---@param context alicloud.credentials.Context
---@return alicloud.credentials.Provider
function M.open(spec, context)
  local about = specs[spec]
  return KINDS[about.kind].open(context, about.options)
end

return M
