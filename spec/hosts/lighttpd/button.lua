-- GET /failover/GROUP shows the button, POST to its address spools the order and answers at once:
-- the server never speaks with the cloud, the worker does.
--
-- The address of the button carries user, group, a fresh ClientToken and a time, signed with the
-- key in DIR/key. So an order cannot be made up or be given by a page that was left open, and
-- pressing twice is one failover.

local core = require "alicloud.core"

local GOOD_FOR = 300 -- seconds

local directory = os.getenv "DIR"
local request = lighty.r
local attributes = request.req_attr

local function key()
  local file <close> = assert(io.open(directory .. "/key", "rb"))
  return file:read "a"
end

local function signature(order)
  return core.hmac_sha256(key(), core.encode { order.user, order.group, order.token,
    order.expires })
end

local function say(status, title, content)
  request.resp_header["Content-Type"] = "text/html; charset=utf-8"
  request.resp_header["Cache-Control"] = "no-store"
  request.resp_body:set { "<!DOCTYPE html><title>", title, "</title><h1>", title, "</h1>", content }
  return status
end

local function show_button(order)
  order.token = core.random_hex(16)
  order.expires = ("%.0f"):format(core.time() + GOOD_FOR)
  local address = ("?token=%s&expires=%s&signature=%s"):format(order.token, order.expires,
    signature(order))
  return say(200, "Fail over " .. order.group .. "?",
    '<form method="post" action="' .. address:gsub("&", "&amp;")
      .. '"><button>Fail over</button></form>')
end

-- One write to a file that is only appended to: orders of several processes do not mix.
local function spool(order)
  local file <close> = assert(io.open(directory .. "/orders.jsonl", "ab"))
  file:setvbuf("full")
  assert(file:write(core.encode(order), "\n"))
  assert(file:flush())
end

local function take(order)
  local query = {}
  for name, value in (attributes["uri.query"] or ""):gmatch "([^&=]+)=([^&]*)" do
    query[name] = value
  end
  order.token, order.expires = query.token or "", query.expires or ""
  if not core.equal(signature(order), query.signature or "") then
    return say(403, "Not signed", "Open the page again.")
  end
  if tonumber(order.expires) < core.time() then
    return say(410, "Too late", "Open the page again.")
  end
  spool(order)
  return say(202, "Ordered", "Token <code>" .. order.token .. "</code>")
end

local order = {
  user = request.req_env["REMOTE_USER"],
  group = attributes["uri.path"]:match "^/failover/([%w._-]+)$",
}
if not order.user or not order.group then return say(404, "Nothing here", "") end
if attributes["request.method"] == "POST" then return take(order) end
return show_button(order)
