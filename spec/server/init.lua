-- A scripted server on loopback that writes exactly the bytes it is told and records every byte it
-- gets. It runs inside the spec's own process: the spec alternates the client's step with
-- `server:step()`, so nothing sleeps, nothing races and every run is the same.
--
-- One behaviour serves one connection. It is a function of a connection and runs as a coroutine
-- that pauses while the peer has nothing to read from or to write to; `spec.server.behaviour` has
-- the usual ones.

local socket = require "socket"

local M = {}

---@class spec.Connection
---@field index integer  1 for the first connection that was accepted
---@field received string  every byte the peer sent
---@field closed string|nil  how it ended: "fin", "rst" or "peer"
local Connection = {}
Connection.__index = Connection

-- Takes what the socket holds. False once the peer has closed.
local function pull(connection)
  local bytes, reason, partial = connection.socket:receive(65536)
  local got = bytes or partial
  if got and got ~= "" then
    connection.received = connection.received .. got
    return true
  end
  return reason ~= "closed"
end

---Waits until `n` bytes of the connection are there; they stay recorded in `received`.
---@param n integer  counted from the start of the connection
---@return boolean  false if the peer closed before
function Connection:wait_for(n)
  while #self.received < n do
    if not pull(self) then return false end
    if #self.received < n then coroutine.yield() end
  end
  return true
end

---Waits for one more whole request (RFC 9112 section 6, Content-Length framing only).
---@return string|nil head, string|nil body  nil if the peer closed before
function Connection:read_request()
  local from = self.consumed + 1
  while true do
    local _, head_end = self.received:find("\r\n\r\n", from, true)
    if head_end then
      local head = self.received:sub(from, head_end)
      local length = tonumber(head:lower():match("\r\ncontent%-length:%s*(%d+)")) or 0
      if not self:wait_for(head_end + length) then return nil end
      self.consumed = head_end + length
      self.requests[#self.requests + 1] = self.received:sub(from, self.consumed)
      return head, self.received:sub(head_end + 1, self.consumed)
    end
    if not self:wait_for(#self.received + 1) then return nil end
  end
end

---Sends every byte, pausing while the peer does not take them. False if the peer is gone.
---@param bytes string
---@return boolean
function Connection:send(bytes)
  local sent = 0
  while sent < #bytes do
    local last, reason, partial = self.socket:send(bytes, sent + 1)
    sent = last or partial
    if reason == "closed" then return false end
    if sent < #bytes then coroutine.yield() end
  end
  return true
end

---Lets the other side run before the behaviour goes on.
function Connection:pause()
  coroutine.yield()
end

---An orderly close: the peer reads what was sent and then the end.
function Connection:fin()
  -- Unread bytes would turn the close into a reset.
  self.socket:shutdown("send")
  while pull(self) do coroutine.yield() end
  self:finish("fin")
end

---Closes the sending side only and keeps reading, as a half-dead peer does.
function Connection:half_close()
  self.socket:shutdown("send")
end

---A reset: whatever the peer has not read yet is lost.
function Connection:rst()
  self.socket:setoption("linger", { on = true, timeout = 0 })
  self:finish("rst")
end

---Never answers; returns when the peer gives up.
function Connection:hang()
  while pull(self) do coroutine.yield() end
  self:finish("peer")
end

function Connection:finish(how)
  self.closed = self.closed or how
  self.socket:close()
end

---@class spec.Server
---@field port integer
---@field url string  "http://127.0.0.1:port"
---@field connections spec.Connection[]
local Server = {}
Server.__index = Server

local function run(connection)
  local ok, problem = coroutine.resume(connection.thread)
  if not ok then error(debug.traceback(connection.thread, problem), 0) end
  -- A behaviour that just returns leaves an idle kept-alive connection behind.
  if coroutine.status(connection.thread) == "dead" and not connection.closed then
    connection.thread = coroutine.create(function() connection:hang() end)
  end
end

---Accepts what waits and lets every connection do what it can. Never blocks.
function Server:step()
  local client = self.listener:accept()
  while client do
    client:settimeout(0)
    client:setoption("tcp-nodelay", true)
    local index = #self.connections + 1
    local connection = setmetatable({
      index = index, socket = client, received = "", consumed = 0, requests = {},
    }, Connection)
    local behaviour = self.script[math.min(index, #self.script)]
    connection.thread = coroutine.create(function() behaviour(connection) end)
    self.connections[index] = connection
    client = self.listener:accept()
  end
  for _, connection in ipairs(self.connections) do
    if not connection.closed then run(connection) end
  end
end

---Every request that arrived whole, over all connections, in the order of the connections.
---@return string[]
function Server:requests()
  local all = {}
  for _, connection in ipairs(self.connections) do
    for _, request in ipairs(connection.requests) do all[#all + 1] = request end
  end
  return all
end

---Every byte that arrived, over all connections.
---@return string
function Server:received()
  local all = {}
  for index, connection in ipairs(self.connections) do all[index] = connection.received end
  return table.concat(all)
end

---How many times the server was sent the first line of such a request.
---@param method string
---@return integer
function Server:count(method)
  local n = 0
  for _, connection in ipairs(self.connections) do
    for _ in ("\n" .. connection.received):gmatch("\n" .. method .. " /") do n = n + 1 end
  end
  return n
end

---Forgets the connections so far and serves the next ones by another script.
---@param ... function  behaviours
function Server:play(...)
  for _, connection in ipairs(self.connections) do
    if not connection.closed then connection:rst() end
  end
  self.connections, self.script = {}, { ... }
end

function Server:close()
  self:play()
  self.listener:close()
end

Server.__close = Server.close

local function port_of(bound)
  local _, port = bound:getsockname()
  return math.tointeger(tonumber(port))
end

---Starts listening on a free port of 127.0.0.1.
---@param ... function  the n-th serves the n-th connection; the last serves all further ones
---@return spec.Server
function M.new(...)
  local listener = assert(socket.bind("127.0.0.1", 0, 128))
  listener:settimeout(0)
  local port = port_of(listener)
  return setmetatable({
    listener = listener,
    port = port,
    url = ("http://127.0.0.1:%d"):format(port),
    connections = {},
    script = { ... },
  }, Server)
end

local kept

---A port of 127.0.0.1 on which nothing listens, now and later: who has it here does not listen, and
---nobody else can have it. It is the same one each time.
---@return integer
function M.closed_port()
  if not kept then
    kept = assert(socket.tcp4())
    assert(kept:bind("127.0.0.1", 0))
  end
  return port_of(kept)
end

---Ports of 127.0.0.1 that are free for somebody who takes no port 0, all different. Others may take
---them before.
---@param count integer
---@return integer ...
function M.free_ports(count)
  local listeners, ports = {}, {}
  for i = 1, count do
    listeners[i] = assert(socket.bind("127.0.0.1", 0))
    ports[i] = port_of(listeners[i])
  end
  for _, listener in ipairs(listeners) do listener:close() end
  return table.unpack(ports)
end

return M
