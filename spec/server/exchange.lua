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

---@class spec.Peers  a server and a transport, new ones for each spec
---@field server spec.Server
---@field client alicloud.Transport
local Peers = {}
Peers.__index = Peers

---Peers for every spec of a block: a server that answers, and a transport.
---@param before_each fun(block: fun())  of busted, as it is in the block
---@param after_each fun(block: fun())
---@param options? table  of `transport.new`
---@return spec.Peers
function M.peers(before_each, after_each, options)
  local peers = setmetatable({}, Peers)
  before_each(function()
    peers.server = server_module.new(behaviour.answer(reply.http()))
    peers.client = transport.new(options or {})
  end)
  after_each(function()
    peers.client:close()
    peers.server:close()
  end)
  return peers
end

---@param changes table|nil  as for `request`
---@return table  a signed call to the server
function Peers:request(changes) return M.request(self.server.url, changes) end

---@param changes table|nil  as for `request`
---@return alicloud.Op
function Peers:submit(changes) return self.client:submit(self:request(changes)) end

---One call to the server.
---@param changes table|nil  as for `request`
---@return table exchange
function Peers:send(changes) return M.call(self.server, self.client, self:request(changes)) end

---One call to the server once it behaves like this.
---@param behave spec.Behaviour
---@param changes table|nil  as for `request`
---@return table exchange
function Peers:against(behave, changes)
  self.server:play(behave)
  return self:send(changes)
end

---Steps both sides until `done` says so.
---@param done fun(): boolean
function Peers:run_until(done) M.run_until(self.server, self.client, done) end

---What the classifier makes of an exchange.
---@return "accepted"|"rejected"|"unknown"|"not_sent" outcome
---@return table fields  of the error, or the information about the success
function M.outcome(exchange)
  local result, fields = core.read(exchange)
  return result and "accepted" or fields.outcome, fields
end

return M
