--- Chooses the host that a call is sent to.
--
-- In this order: the option, ALIBABA_CLOUD_ENDPOINT_<PRODUCT>, ALIBABA_CLOUD_ENDPOINT, the
-- product's pattern with the region. A signed request must not be read on its way, so the scheme is
-- https unless the endpoint is a loopback address or the caller allowed plain HTTP.

local address = require "alicloud.net.address"
local formats = require "alicloud.base.formats"
local schema = require "alicloud.base.schema"

local M = {}

---@class alicloud.Endpoint
---@field scheme "https"|"http"
---@field host string host[:port] as it is signed and sent in the Host header
---@field source string where it comes from: "option", the variable's name, or "pattern"
---@field secure boolean true for https or loopback: its responses (the Date header) are trusted

local FORM = "host[:port] with optional http:// or https://"
local DEFAULT_PATTERN = { public = "%s.%%s.aliyuncs.com", vpc = "%s-vpc.%%s.aliyuncs.com" }

local function split_port(authority)
  local host, port = authority:match("^(%[[^%]]*%])(.*)$")
  if not host then host, port = authority:match("^([^:]*)(.*)$") end
  return host, port
end

local function ipv6_fault(host)
  local inner = host:sub(2, -2)
  if inner:find(":", 1, true) and address.parse(inner) then return nil end
  return "the IPv6 address is malformed"
end

local function label_fault(label)
  if label == "" then return "it has an empty label" end
  if #label > 63 then return "a label is longer than 63 characters" end
  if label:find("^%-") or label:find("%-$") then return "a label begins or ends with a hyphen" end
end

local function host_fault(host)
  if host == "" then return "the host is missing" end
  if host:sub(1, 1) == "[" then return ipv6_fault(host) end
  if host:find("[^%w%.%-]") then
    return "the host has a character other than letters, digits, dots and hyphens"
  end
  if #host > 253 then return "the host is longer than 253 characters" end
  for label in (host .. "."):gmatch("(.-)%.") do
    local fault = label_fault(label)
    if fault then return fault end
  end
end

local function port_fault(port)
  if port == "" then return nil end
  local digits = port:match("^:(%d+)$")
  local number = digits and #digits <= 5 and tonumber(digits)
  if not number or number < 1 or number > 65535 then return "the port is not in 1-65535" end
end

local function text_fault(rest)
  if rest:find("%c") then return "it has a control character" end
  if rest:find("%s") then return "it has a space" end
  if rest:find("@", 1, true) then return "it has user information" end
  if rest:find("?", 1, true) then return "it has a query" end
  if rest:find("#", 1, true) then return "it has a fragment" end
  if rest:find("[/\\]") then return "it has a path" end
end

--- Why a text is not host[:port]; nil if it is.
---@param text string
---@return string? fault
function M.authority_fault(text)
  local host, port = split_port(text)
  return text_fault(text) or host_fault(host) or port_fault(port)
end

-- The text as a message may show it: without user and password.
local function show(text)
  if type(text) ~= "string" then return schema.show(text) end
  local scheme, rest = text:match("^(%a*://)(.*)$")
  return schema.show((scheme or "") .. (rest or text):gsub("^.*@", "***@"))
end

--- The message that refuses an endpoint; it does not show a password.
---@param name string where it came from
---@param text any the endpoint as given
---@param reason string as returned by `parse`
---@return string
function M.refusal(name, text, reason)
  return ("%s: got %s: %s; allowed: %s"):format(name, show(text), reason, FORM)
end

--- The host of host[:port].
---@param authority string
---@return string
function M.without_port(authority)
  return (split_port(authority))
end

--- Whether a host (with or without port) is a loopback address of this machine. "127.0.0.999" is
--- not one: it is a name, and somebody's resolver says whose.
---@param host string
---@return boolean
function M.is_loopback(host)
  local name = split_port(host):lower()
  local bytes = address.parse(name)
  return name == "localhost" or name == "[::1]"
    or bytes ~= nil and address.within(bytes, "127.0.0.0/8")
end

local function scheme_of(scheme, host, plain_http)
  local loopback = M.is_loopback(host)
  if not scheme then return loopback and "http" or "https" end
  if scheme == "https" or scheme == "http" and (loopback or plain_http) then return scheme end
  if scheme == "http" then
    return nil, "plain HTTP is for loopback addresses; plain_http = true allows it elsewhere"
  end
  return nil, "the scheme is neither http nor https"
end

--- Reads an endpoint as a person writes it.
---@param text string
---@param plain_http? boolean allows http:// to other machines
---@return { scheme: string, host: string, secure: boolean }|nil
---@return string? reason
function M.parse(text, plain_http)
  if text == "" then return nil, "it is empty" end
  local scheme, rest = text:match("^([%w%+%.%-]*)://(.*)$")
  rest = rest or text
  local fault = M.authority_fault(rest)
  if fault then return nil, fault end
  local host, port = split_port(rest)
  local chosen, reason = scheme_of(scheme and scheme:lower(), host, plain_http)
  if not chosen then return nil, reason end
  host = (host .. port):lower()
  return { scheme = chosen, host = host, secure = chosen == "https" or M.is_loopback(host) }
end

--- Which kind of endpoint is used: the option, else the variable of the vendor's command line tool.
---@param given "public"|"vpc"|nil
---@param getenv fun(name: string): string|nil
---@return "public"|"vpc"|nil
---@return string? message
function M.network(given, getenv)
  if given then return given end
  local name = "ALIBABA_CLOUD_ENDPOINT_TYPE"
  local text = getenv(name)
  if not text or text == "" then return "public" end
  if text == "public" or text == "vpc" then return text end
  return nil, ('%s: got %s; allowed: "public" or "vpc"'):format(name, schema.show(text))
end

local function environment(want)
  local product = want.product:upper():gsub("%-", "_")
  for _, name in ipairs { "ALIBABA_CLOUD_ENDPOINT_" .. product, "ALIBABA_CLOUD_ENDPOINT" } do
    local text = want.getenv(name)
    if text and text ~= "" then return text, name end
  end
end

local function explicit(want)
  local given = want.endpoint
  if type(given) == "table" then given = want.region and given[want.region] end
  if given then return given, "option" end
  return environment(want)
end

local function from_pattern(want)
  if not want.region then
    return nil, "no region: set the option region or ALIBABA_CLOUD_REGION_ID"
  end
  local fault = schema.refusal(formats.PARAMETER.region, want.region)
  if fault then return nil, "region: " .. fault end
  local network = want.network or "public"
  local patterns = want.patterns or {}
  local exception = network == "public" and patterns.exceptions
    and patterns.exceptions[want.region]
  local pattern = patterns[network] or DEFAULT_PATTERN[network]:format(want.product)
  return {
    scheme = "https", host = exception or pattern:format(want.region), source = "pattern",
    secure = true,
  }
end

---@class alicloud.endpoint.Patterns
---@field ["public"] string host name with %s for the region
---@field vpc string
---@field exceptions? table<string, string> public host names of regions that break the pattern

---@class alicloud.endpoint.Want
---@field product string
---@field region? string
---@field network? "public"|"vpc"
---@field endpoint? string|table<string, string> the option: one endpoint, or one per region
---@field patterns? alicloud.endpoint.Patterns
---@field plain_http? boolean
---@field getenv fun(name: string): string|nil

--- Chooses the endpoint of a call.
---@param want alicloud.endpoint.Want
---@return alicloud.Endpoint|nil
---@return string? message what is wrong, and where it comes from
function M.resolve(want)
  local text, source = explicit(want)
  if not text then return from_pattern(want) end
  local endpoint, reason = M.parse(text, want.plain_http)
  if not endpoint then
    local name = source == "option" and "option endpoint" or source
    return nil, M.refusal(name, text, reason)
  end
  endpoint.source = source
  return endpoint
end

return M
