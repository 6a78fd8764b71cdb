-- Runs calls of alicloud.transport against spec.server in one process: both sides are stepped in
-- turn until the call is done.

local behaviour = require "spec.server.behaviour"
local core = require "alicloud.core"
local reply = require "spec.server.reply"
local server_module = require "spec.server"
local transport = require "alicloud.transport"

local M = {}

-- No call of the specs is allowed more; one that needs it hangs.
local patience = 60

---Steps both sides until `done` says so.
---@param server spec.Server|nil
---@param client alicloud.Transport
---@param done fun(): boolean
function M.run_until(server, client, done)
  local limit = core.monotonic() + patience
  while not done() do
    client:step()
    if server then server:step() else core.poll(client:pollfd(), "r", 0.02) end
    if core.monotonic() > limit then error("the call hangs", 2) end
  end
end

---A signed call to the server, ready for `transport:submit`.
---@param url string  "http://127.0.0.1:port"
---@param changes table|nil  fields of the request that replace the usual ones
---@return table
function M.request(url, changes)
  local scheme, host = url:match("^(%a+)://(.+)$")
  local signed = core.sign {
    algorithm = "ACS3-HMAC-SHA256", method = "POST", scheme = scheme, host = host, path = "/",
    action = "DescribeRegions", version = "2021-07-30",
    access_key_id = "spec", access_key_secret = "spec-secret",
    date = "2026-01-02T03:04:05Z", nonce = "0123456789abcdef",
  }
  local request = {
    method = signed.method, url = signed.url, headers = signed.headers, body = signed.body,
    timeout = 30,
  }
  for field, value in pairs(changes or {}) do request[field] = value end
  return request
end

---Submits one call and steps until it is done.
---@param server spec.Server|nil
---@param client alicloud.Transport
---@param request table
---@return table exchange
function M.call(server, client, request)
  local op = client:submit(request)
  M.run_until(server, client, function() return op:done() end)
  return op:result()
end

---A server that answers and a transport without settings.
---@return spec.Server server
---@return alicloud.Transport client
function M.open()
  return server_module.new(behaviour.answer(reply.http())), transport.new {}
end

---Both are done with; the client may be closed already.
---@param server spec.Server
---@param client alicloud.Transport
function M.close(server, client)
  client:close()
  server:close()
end

---One call to the server once it behaves like this.
---@param server spec.Server
---@param client alicloud.Transport
---@param behave spec.Behaviour
---@param changes table|nil  as for `request`
---@return table exchange
function M.against(server, client, behave, changes)
  server:play(behave)
  return M.call(server, client, M.request(server.url, changes))
end

---What the classifier makes of an exchange.
---@return "accepted"|"rejected"|"unknown"|"not_sent" outcome
---@return table fields  of the error, or the information about the success
function M.outcome(exchange)
  local result, fields = core.read(exchange)
  return result and "accepted" or fields.outcome, fields
end

return M
