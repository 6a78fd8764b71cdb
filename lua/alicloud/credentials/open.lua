--- Specs of providers, and how each kind is opened. A spec is checked when it is made; the client
--- that uses it opens it, with its own clocks, loop and way to the network.

local providers = require "alicloud.call.provider"
local schema = require "alicloud.base.schema"

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
function M.is_spec(value)
  return specs[value] ~= nil
end

---@param value any
---@return boolean
function M.is_provider(value)
  return type(value) == "table" and not M.is_spec(value) and schema.callable.test(value.get)
end

local function is_source(value)
  return M.is_spec(value) or M.is_provider(value)
end

local SOURCE = schema.rule("credentials of alicloud.credentials, or a provider", is_source)

-- Gives the provider and whether it is borrowed: its maker closes it, not the code that uses it.
local function open_source(context, source)
  if source == nil then return M.provider(M.spec("default", {}), context), false end
  if M.is_spec(source) then return M.provider(source, context), false end
  return source, true
end

local function name_of(source, index)
  return M.is_spec(source) and specs[source].kind or "provider " .. index
end

-- Each provider's module is loaded when it is needed: most clients need only one.
local function part(name)
  return require("alicloud.credentials." .. name)
end

local function open_chain(context, given)
  local links = {}
  for i, source in ipairs(given) do
    local provider, borrowed = open_source(context, source)
    links[i] = { name = name_of(source, i), provider = provider, borrowed = borrowed }
  end
  return part "chain".new("chain", links, context)
end

local function link(context, name, module, given)
  return { name = name, open = function() return part(module).new(context, given) end }
end

-- The order of the vendor's SDKs.
local function open_default(context, given)
  local metadata = given.metadata_endpoint
  return part "chain".new("default", {
    link(context, "env", "env"),
    link(context, "oidc_role_arn", "oidc"),
    link(context, "cli_profile", "profile", { metadata_endpoint = metadata }),
    link(context, "profile", "ini", { metadata_endpoint = metadata }),
    link(context, "ecs_ram_role", "ecs_role", { endpoint = metadata }),
    link(context, "credential_uri", "uri"),
  }, context)
end

local function open_named(context, given)
  return part "chain".new("profile", {
    link(context, "cli_profile", "profile", given), link(context, "profile", "ini", given),
  }, context)
end

local function open_role(context, given)
  local origin, borrowed = open_source(context, given.source)
  return part "role".over(context, given, origin, borrowed)
end

local function role_rules()
  local rules = { source = SOURCE }
  for name, rule in pairs(part "role".OPTIONS) do rules[name] = rules[name] or rule end
  return rules
end

local function default_rules()
  return { metadata_endpoint = part "ecs_role".OPTIONS.endpoint }
end

-- By kind. OPTIONS and `new` of `module` are used, unless `rules` or `open` stand here.
local KINDS = {
  env = { module = "env" },
  oidc = { module = "oidc" },
  role = { rules = role_rules, required = "role_arn", open = open_role },
  profile = { module = "profile" },
  ini = { module = "ini" },
  ecs_role = { module = "ecs_role" },
  uri = { module = "uri" },
  external = { module = "external", required = "command" },
  named = { module = "profile", required = "name", open = open_named },
  default = { rules = default_rules, open = open_default },
  chain = { open = open_chain },
}

local function rules_of(about)
  if about.rules then return about.rules() end
  return part(about.module).OPTIONS or {}
end

local function examine_links(given)
  if type(given) ~= "table" or #given == 0 then
    return nil, "chain: allowed: a list of credentials in the order in which they are tried"
  end
  local links = {}
  for i, source in ipairs(given) do
    if not is_source(source) then
      return nil, ("chain: item %d: got %s; allowed: %s"):format(i, schema.show(source),
        SOURCE.allowed)
    end
    links[i] = source
  end
  return links
end

local function examine(kind, given)
  local about = KINDS[kind]
  if kind == "chain" then return examine_links(given) end
  local required = about.required
  if given == nil and not required then return {} end
  local rules = rules_of(about)
  local checked, message = schema.examine(kind, given, rules)
  if not checked then return nil, message end
  if required and checked[required] == nil then
    return nil, ("%s: option %s is missing; allowed: %s"):format(kind, required,
      rules[required].allowed)
  end
  return checked
end

--- Makes a spec; a mistake in the options raises at the caller of the constructor.
---@param kind string
---@param given table|nil
---@return alicloud.credentials.Spec
function M.spec(kind, given)
  local checked, message = examine(kind, given)
  if not checked then error("credentials." .. message, 3) end
  local spec = setmetatable({}, metatable)
  specs[spec] = { kind = kind, options = checked }
  return spec
end

--- Opens a spec; the provider has to be closed.
---@param spec alicloud.credentials.Spec
---@param context alicloud.credentials.Context
---@return alicloud.credentials.Provider
function M.provider(spec, context)
  local about = specs[spec]
  local kind = KINDS[about.kind]
  local open = kind.open or part(kind.module).new
  local provider = open(context, about.options)
  providers.punctual[provider] = true
  return provider
end

return M
