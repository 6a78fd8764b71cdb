--- The network options of a client: proxy, trust, client certificate and pinned addresses. Checks
--- them, makes settings of its transport from them, and describes them.

local address = require "alicloud.net.address"
local endpoint = require "alicloud.net.endpoint"
local guard = require "alicloud.base.guard"
local proxies = require "alicloud.net.proxy"
local schema = require "alicloud.base.schema"
local trusts = require "alicloud.net.trust"

local M = {}

---@class alicloud.NetworkOptions
---@field ca_file? string PEM bundle of roots that replaces the system's; default SSL_CERT_FILE, …
---@field ca_path? string directory of hashed roots that replaces the system's; default SSL_CERT_DIR
---@field client_cert? string PEM file, for a gateway that wants one
---@field client_key? string PEM file without a passphrase, unless the key is in client_cert
---@field proxy? string [scheme://][user:password@]host[:port] or "none"; default https_proxy, …
---@field no_proxy? string hosts without a proxy, "a.example,10.0.0.0/8"; default no_proxy
---@field resolve? table<string, string[]> addresses of "name" or "name:port", tried in this
--- order; the certificate must still be for the name

--- The network options of a client.
M.SCHEMA = {
  ca_file = schema.text,
  ca_path = schema.text,
  client_cert = schema.text,
  client_key = schema.text,
  proxy = proxies.RULE,
  no_proxy = proxies.NO_PROXY,
  resolve = schema.typed "table",
}

local HOST, ADDRESSES = "a host name, or name:port", "a list of IPv4 or IPv6 addresses"

local function host_fault(host)
  if type(host) ~= "string" then
    return ("a host is %s; allowed: %s"):format(schema.show(host), HOST)
  end
  local fault = endpoint.authority_fault(host)
  if fault then return ("host %s: %s; allowed: %s"):format(schema.show(host), fault, HOST) end
  -- A name whose last label is a number is read as an address, in one notation or another.
  local last = endpoint.without_port(host):lower():match("[^%.]*$")
  if last == "localhost" or last:find("^%[") or last:find("^%d+$") or last:find("^0x%x*$") then
    return ("host %s: it needs no resolver; allowed: %s"):format(schema.show(host), HOST)
  end
end

local function addresses_fault(host, list)
  local where = "host " .. schema.show(host)
  if type(list) ~= "table" or #list == 0 then
    return ("%s: got %s; allowed: %s"):format(where,
      type(list) == "table" and "an empty list" or schema.show(list), ADDRESSES)
  end
  for _, text in ipairs(list) do
    if type(text) ~= "string" or not address.parse(text) then
      return ("%s: got %s; allowed: %s"):format(where, schema.show(text), ADDRESSES)
    end
  end
end

local function twice_fault(host, seen)
  local lower = host:lower()
  if seen[lower] then return ("host %s: given in two spellings"):format(schema.show(lower)) end
  seen[lower] = true
end

local function copy_lists(resolve)
  if not resolve then return nil end
  local copy = {}
  for host, list in pairs(resolve) do copy[host:lower()] = { table.unpack(list) } end
  return copy
end

--- Checks what the types of a client's network options do not show, and replaces its tables by
--- copies.
---@param config alicloud.ClientOptions of the client; the caller's tables are copied
---@return string? complaint
function M.validate(config)
  if config.client_key and not config.client_cert then
    return "option client_key: it is of use with the option client_cert only"
  end
  local least, seen = nil, {}
  for host, list in pairs(config.resolve or {}) do
    local fault = host_fault(host) or addresses_fault(host, list) or twice_fault(host, seen)
    if fault and (not least or fault < least) then least = fault end
  end
  if least then return "option resolve: " .. least end
  config.resolve = copy_lists(config.resolve)
end

--- What is wrong with the environment; nil with a foreign transport, which does not use it.
---@param config alicloud.ClientOptions
---@param runtime alicloud.Runtime
---@return string? complaint
function M.environment_fault(config, runtime)
  return not config.transport and trusts.fault(config, runtime) or nil
end

--- Warns about parts of the environment that have no effect.
---@param config alicloud.ClientOptions
---@param runtime alicloud.Runtime
function M.warn(config, runtime)
  local message = not config.transport and proxies.warning(config, runtime.getenv)
  if message then guard.call(runtime.warn, message) end
end

--- The options for `alicloud.transport`, completed from the environment.
---@param config alicloud.ClientOptions
---@param getenv fun(name: string): string|nil
---@return table
function M.settings(config, getenv)
  local settings = {}
  for name in pairs(M.SCHEMA) do settings[name] = config[name] end
  local roots = trusts.named(config, getenv)
  if roots then settings.ca_file, settings.ca_path = roots.ca_file, roots.ca_path end
  settings.no_proxy = proxies.excepted(config.no_proxy, getenv)
  return settings
end

---@class alicloud.Network
---@field endpoint alicloud.Endpoint
---@field proxy? alicloud.Proxy
---@field trust alicloud.Trust
---@field client_cert? string
---@field resolve? table<string, string[]>

--- What a request to this endpoint passes through. Opens nothing and sends nothing.
---@param config alicloud.ClientOptions
---@param target alicloud.Endpoint
---@param getenv fun(name: string): string|nil
---@return alicloud.Network
function M.describe(config, target, getenv)
  return {
    endpoint = target,
    proxy = proxies.toward(target, config, getenv),
    trust = trusts.of(config, getenv),
    client_cert = config.client_cert,
    resolve = copy_lists(config.resolve),
  }
end

return M
