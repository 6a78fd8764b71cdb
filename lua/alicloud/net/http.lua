--- One plain HTTP request of a credentials provider, with a few attempts; not signed.

local adapter = require "alicloud.net.adapter"
local core = require "alicloud.core"

local M = {}

local ATTEMPTS = 3
local BASE = 0.2

---@class alicloud.http.Ask
---@field method string
---@field url string
---@field headers? table<string, string>
---@field body? string
---@field timeout number seconds
---@field way "usual"|"metadata" "metadata": without a proxy, with a short connect timeout
---@field attempts? integer (3)

---@class alicloud.http.Answer
---@field status integer
---@field body string
---@field headers table<string, string>
---@field date? number unix seconds of the server's clock

--- Splits an http or https URL that a transport takes.
---@param url any
---@return { scheme: string, authority: string, host: string }|nil
---@return string? reason without the URL, which may contain a token
function M.parse_url(url)
  if type(url) ~= "string" or url:find("[^\x21-\x7e]") then
    return nil, "it is no URL of printable ASCII"
  end
  local scheme, authority = url:match("^([Hh][Tt][Tt][Pp][Ss]?)://([^/?#]+)")
  if not scheme then return nil, "it does not begin with http://host or https://host" end
  if authority:find("@", 1, true) then return nil, "it has user information" end
  if authority:find "[^%w%-._:%[%]%%]" then
    return nil, "its host has a character that no host has"
  end
  if url:find("#", 1, true) then return nil, "it has a fragment, which is not sent" end
  local host = authority:match("^(%[[^%]]*%])") or authority:match("^[^:]+")
  if not host then return nil, "the host is missing" end
  return { scheme = scheme:lower(), authority = authority, host = host:lower() }
end

local function once(context, ask, host)
  local headers = { accept = "*/*", host = host }
  for name, value in pairs(ask.headers or {}) do headers[name] = value end
  return context.send({
    method = ask.method, url = ask.url, host = host, headers = headers, body = ask.body,
    timeout = ask.timeout, mutating = false, action = "(credentials)", plain_http = true,
  }, ask.way)
end

local function is_passing(exchange)
  local failure = exchange.failure
  if failure then return not failure:find "^tls" and not failure:find "^proxy_" end
  return exchange.status == 429 or exchange.status >= 500
end

--- Sends a request, with retries after failures that may pass: a provider's requests only read.
---@param context { loop: alicloud.Loop, runtime: alicloud.Runtime, send: function }
---@param ask alicloud.http.Ask
---@return alicloud.http.Answer|nil
---@return string? message why there is no response
---@return boolean? unreached true if no byte of the request can have left
function M.fetch(context, ask)
  local target, reason = M.parse_url(ask.url)
  if not target then return nil, reason end
  local attempts, exchange = ask.attempts or ATTEMPTS, nil
  for attempt = 1, attempts do
    exchange = once(context, ask, target.authority)
    if attempt == attempts or not is_passing(exchange) then break end
    context.loop.sleep(context.runtime.random() * BASE * 2 ^ (attempt - 1))
  end
  if exchange.failure then
    return nil, ("no answer from %s: %s"):format(target.authority, adapter.words(exchange)),
      exchange.sent == false
  end
  local headers = exchange.headers or {}
  return { status = exchange.status, body = exchange.body or "", headers = headers,
    date = headers.date and core.http_date(headers.date) }
end

return M
