--- The way to the hosts: proxy, trust, client certificate and pinned addresses, as options of a
--- client, as settings of its transport, and as something to show.

local address = require "alicloud.net.address"
local endpoint = require "alicloud.net.endpoint"
local proxies = require "alicloud.net.proxy"
local schema = require "alicloud.base.schema"

local M = {}

---@class alicloud.NetworkOptions
---@field ca_file? string PEM bundle of roots, instead of the system's
---@field ca_path? string directory of hashed roots, instead of the system's
---@field client_cert? string PEM file, for a gateway that wants one
---@field client_key? string PEM file without a passphrase, unless the key is in client_cert
---@field proxy? string [scheme://][user:password@]host[:port] or "none"; else https_proxy, …
---@field no_proxy? string hosts to ask directly, "a.example,10.0.0.0/8"; else no_proxy
---@field resolve? table<string, string[]> addresses of "name" or "name:port", tried in this
--- order; the certificate still has to carry the name

--- Options of a client that are about the way to the hosts.
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
  -- A number at the end makes an address of a name, in some spelling or other.
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

local function copy_lists(resolve)
  if not resolve then return nil end
  local copy = {}
  for host, list in pairs(resolve) do copy[host:lower()] = { table.unpack(list) } end
  return copy
end

--- Says what is wrong with the options of a client beyond their types, and makes its tables its
--- own.
---@param config alicloud.ClientOptions what the client keeps; the caller's tables are copied
---@return string? complaint
function M.validate(config)
  if config.client_key and not config.client_cert then
    return "option client_key: it is of use with the option client_cert only"
  end
  local least
  for host, list in pairs(config.resolve or {}) do
    local fault = host_fault(host) or addresses_fault(host, list)
    if fault and (not least or fault < least) then least = fault end
  end
  if least then return "option resolve: " .. least end
  config.resolve = copy_lists(config.resolve)
end

--- The part of the options that goes to `alicloud.transport`.
---@param config alicloud.ClientOptions
---@return table
function M.settings(config)
  local settings = {}
  for name in pairs(M.SCHEMA) do settings[name] = config[name] end
  return settings
end

---@class alicloud.Network
---@field endpoint alicloud.Endpoint
---@field proxy? alicloud.Proxy
---@field trust { ca_file?: string, ca_path?: string, source: "option"|"system" }
---@field client_cert? string
---@field resolve? table<string, string[]>

local function trust(config)
  if config.ca_file or config.ca_path then
    return { ca_file = config.ca_file, ca_path = config.ca_path, source = "option" }
  end
  local roots = require "alicloud.transport".trust()
  return { ca_file = roots.ca_file, ca_path = roots.ca_path, source = "system" }
end

--- What a request to this endpoint meets on its way. Nothing is opened or asked.
---@param config alicloud.ClientOptions
---@param target alicloud.Endpoint
---@param getenv fun(name: string): string|nil
---@return alicloud.Network
function M.describe(config, target, getenv)
  return {
    endpoint = target,
    proxy = proxies.of { scheme = target.scheme, host = target.host, proxy = config.proxy,
      no_proxy = config.no_proxy, getenv = getenv },
    trust = trust(config),
    client_cert = config.client_cert,
    resolve = copy_lists(config.resolve),
  }
end

return M
