--- Which proxy a request goes through. The transport's library decides that by itself when it
--- sends; the same rules are kept here in order to say so beforehand.
--
-- The option proxy, else for https `https_proxy`, `HTTPS_PROXY`, for http `http_proxy` alone (a CGI
-- host sets the other from a header), else `all_proxy`, `ALL_PROXY`. Never for this very machine
-- and for what the option no_proxy, else `no_proxy`, `NO_PROXY`, names.

local address = require "alicloud.net.address"
local endpoint = require "alicloud.net.endpoint"
local schema = require "alicloud.base.schema"

local M = {}

local SCHEMES = { http = true, https = true, socks5 = true, socks5h = true }

-- Scheme, user information and authority of a proxy as it is written.
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

--- A proxy may hold a password, so its value is never shown.
---@type alicloud.schema.Rule
M.RULE = {
  allowed = '"none" or [scheme://][user:password@]host[:port], the scheme http, https, socks5 or '
    .. "socks5h, user and password escaped as in a URL",
  secret = true,
  test = function(value) return type(value) == "string" and is_proxy(value) end,
}

-- A scheme or a port would make a text of it that no host is ever equal to.
local function is_exception(entry)
  local network, bits = entry:match "^(.*)/(%d%d?%d?)$"
  local bytes = address.parse(((network or entry):gsub("^%[(.*)%]$", "%1")))
  if network then return bytes ~= nil and tonumber(bits) <= 8 * #bytes end
  return bytes ~= nil or entry:find "%w" ~= nil and not entry:find "[^%w%.%-_]"
end

---@type alicloud.schema.Rule
M.NO_PROXY = schema.rule("hosts, domains, addresses or networks with commas between them, "
  .. "without scheme or port, or * alone", function(value)
    if type(value) ~= "string" or not value:find "[^, ]" then return false end
    for entry in value:gmatch "[^, ]+" do
      if value ~= "*" and not is_exception(entry) then return false end
    end
    return true
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

local function is_excepted(host, list)
  if list == "*" then return true end
  local bytes = address.parse((host:gsub("^%[(.*)%]$", "%1")))
  for entry in list:lower():gmatch("[^, ]+") do
    local name = entry:gsub("^%.", ""):gsub("%.$", "")
    if bytes and address.within(bytes, (name:gsub("^%[(.*)%]$", "%1"))) then return true end
    if not bytes and (host == name or host:sub(-#name - 1) == "." .. name) then return true end
  end
  return false
end

--- A proxy as it may be shown: without its password.
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

--- The proxy of a request, or nothing.
---@param want { scheme: string, host: string, proxy?: string, no_proxy?: string, getenv: function }
---@return alicloud.Proxy|nil
function M.of(want)
  if want.proxy == "none" or endpoint.is_loopback(want.host) then return nil end
  local list = want.no_proxy or variable(want.getenv, "no_proxy", "NO_PROXY")
  local host = endpoint.without_port(want.host):lower():gsub("%.$", "")
  if list and is_excepted(host, list) then return nil end
  local text, source = want.proxy, "option proxy"
  if not text then text, source = from_environment(want.scheme, want.getenv) end
  if not text then return nil end
  local _, _, authority = split(text)
  return { url = M.masked(text), host = authority, source = source }
end

return M
