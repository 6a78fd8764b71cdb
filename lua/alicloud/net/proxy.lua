--- Finds the proxy that a request goes through. libcurl does this itself when it sends; the same
--- rules are here so that messages can name the proxy beforehand. Only the list of hosts without a
--- proxy is read here and passed on, in a form that every version of libcurl understands.
--
-- In this order: the option proxy; for https `https_proxy`, `HTTPS_PROXY`, for http only
-- `http_proxy` (in a CGI program a request's header sets HTTP_PROXY); `all_proxy`, `ALL_PROXY`.
-- No proxy for loopback hosts and for the hosts in the option no_proxy, `no_proxy` or `NO_PROXY`.

local address = require "alicloud.net.address"
local endpoint = require "alicloud.net.endpoint"
local schema = require "alicloud.base.schema"

local M = {}

local SCHEMES = { http = true, https = true, socks5 = true, socks5h = true }

-- Scheme, user information and authority of a proxy's URL.
local function split(text)
  local scheme, rest = text:match("^([%w%+%.%-]+)://(.*)$")
  rest = (rest or text):gsub("/$", "")
  local user, authority = rest:match("^(.*)@(.-)$")
  return scheme, user, authority or rest
end

local function is_proxy(text)
  if text == "none" then return true end
  local scheme, user, authority = split(text)
  if scheme and not SCHEMES[scheme:lower()] then return false end
  if user and user:find("[/?#@%s%c]") then return false end
  return endpoint.authority_fault(authority) == nil
end

--- The rule of the option proxy. Its value may contain a password, so messages do not show it.
---@type alicloud.schema.Rule
M.RULE = {
  allowed = '"none" or [scheme://][user:password@]host[:port], the scheme http, https, socks5 or '
    .. "socks5h, user and password escaped as in a URL",
  secret = true,
  test = function(value) return type(value) == "string" and is_proxy(value) end,
}

-- A network or an address as libcurl takes it. libcurl matches nothing against a network of 0 bits,
-- so that becomes two networks of 1 bit.
local function network_of(entry)
  local base, bits = entry:match "^(.-)/(%d%d?%d?)$"
  local bytes = address.parse(base or entry)
  if not bytes or bits and tonumber(bits) > 8 * #bytes then return nil end
  if not bits or tonumber(bits) > 0 then return entry end
  return #bytes == 4 and "0.0.0.0/1,128.0.0.0/1" or "::/1,8000::/1"
end

-- The hosts that an entry names, in the form that every libcurl takes; nil if it matches no host. A
-- URL and the port of https are understood; another port, or a star inside a name, matches nothing.
local function exception(entry)
  local text = entry:lower()
  if text == "*" then return text end
  local authority = text:match "^%a[%w+.-]*://([^/?#]*)" or text:gsub("(.)/$", "%1")
  authority = authority:gsub("^([^:]+):443$", "%1"):gsub("^(%[.*%]):443$", "%1")
  local name = authority:gsub("^%[(.*)%]$", "%1"):gsub("^%*?%.", ""):gsub("%.$", "")
  local is_name = name:find "%w" and not name:find "[^%w%.%-_]" and not name:find "^[%d.]+$"
  return network_of(name) or is_name and name or nil
end

--- The hosts that a list excludes from proxying, in the form that every libcurl takes.
---@param list string the option no_proxy, or the variable
---@return string|nil exceptions separated by commas; nil for none
---@return string[] odd entries that match no host
function M.exceptions(list)
  local good, odd = {}, {}
  for entry in list:gmatch "[^,%s]+" do
    local excepted = exception(entry)
    if excepted == "*" then good = { "*" } break end
    if excepted then good[#good + 1] = excepted else odd[#odd + 1] = entry end
  end
  return good[1] and table.concat(good, ",") or nil, good[1] == "*" and {} or odd
end

local NO_PROXY = "hosts, domains, addresses or networks with commas between them, or *"

---@type alicloud.schema.Rule
M.NO_PROXY = schema.rule(NO_PROXY, function(value)
  if type(value) ~= "string" then return false end
  local exceptions, odd = M.exceptions(value)
  return exceptions ~= nil and #odd == 0
end)

local function variable(getenv, ...)
  for _, name in ipairs { ... } do
    local value = getenv(name)
    if value and value ~= "" then return value, name end
  end
end

local function from_environment(scheme, getenv)
  if scheme == "http" then return variable(getenv, "http_proxy", "all_proxy", "ALL_PROXY") end
  return variable(getenv, "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY")
end

local function is_excepted(host, exceptions)
  if exceptions == "*" then return true end
  local bytes = address.parse((host:gsub("^%[(.*)%]$", "%1")))
  for name in exceptions:gmatch "[^,]+" do
    if bytes and address.within(bytes, name) then return true end
    if not bytes and (host == name or host:sub(-#name - 1) == "." .. name) then return true end
  end
  return false
end

--- The hosts that are asked without a proxy, as returned by `exceptions`.
---@param option? string the option no_proxy
---@param getenv fun(name: string): string|nil
---@return string|nil
function M.excepted(option, getenv)
  local list = option or variable(getenv, "no_proxy", "NO_PROXY")
  return list and (M.exceptions(list)) or nil
end

--- A warning about entries of the variable no_proxy that match no host; nil if there are none or no
--- proxy is used. In the option no_proxy such entries are refused.
---@param config { proxy?: string, no_proxy?: string }
---@param getenv fun(name: string): string|nil
---@return string|nil
function M.warning(config, getenv)
  local proxied = config.proxy or from_environment("https", getenv)
  local list, name = variable(getenv, "no_proxy", "NO_PROXY")
  if config.no_proxy or not list or not proxied or proxied == "none" then return nil end
  local _, odd = M.exceptions(list)
  for i, entry in ipairs(odd) do odd[i] = schema.show(entry) end
  return odd[1] and ("%s: %s matches no host, and is passed over; allowed: %s"):format(name,
    table.concat(odd, ", "), NO_PROXY) or nil
end

--- A proxy's URL for display, without its password.
---@param text string
---@return string
function M.masked(text)
  local scheme, user, authority = split(text)
  local name = user and user:match("^([^:]*)")
  return ("%s://%s%s"):format(scheme or "http", user and name .. ":***@" or "", authority)
end

---@class alicloud.Proxy
---@field url string without its password
---@field host string host[:port]
---@field source string "option proxy" or the variable's name

--- The proxy of a request; nil if it is sent directly.
---@param want { scheme: string, host: string, proxy?: string, no_proxy?: string, getenv: function }
---@return alicloud.Proxy|nil
function M.of(want)
  if want.proxy == "none" or endpoint.is_loopback(want.host) then return nil end
  local exceptions = M.excepted(want.no_proxy, want.getenv)
  local host = endpoint.without_port(want.host):lower():gsub("%.$", "")
  if exceptions and is_excepted(host, exceptions) then return nil end
  local text, source = want.proxy, "option proxy"
  if not text then text, source = from_environment(want.scheme, want.getenv) end
  if not text then return nil end
  local _, _, authority = split(text)
  return { url = M.masked(text), host = authority, source = source }
end

--- The proxy of a client's requests to an endpoint; nil if they are sent directly.
---@param target alicloud.Endpoint
---@param config { proxy?: string, no_proxy?: string }
---@param getenv fun(name: string): string|nil
---@return alicloud.Proxy|nil
function M.toward(target, config, getenv)
  return M.of { scheme = target.scheme, host = target.host, proxy = config.proxy,
    no_proxy = config.no_proxy, getenv = getenv }
end

return M
