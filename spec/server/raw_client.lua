--- A raw HTTP client that shares its process with the server under test: it sends bytes, lets the
-- server step, and reads what came back.

local core = require "alicloud.core"
local socket = require "socket"

local M = {}

local Peer = {}
local peer_mt = { __index = Peer, __close = function(self) self.socket:close() end }

-- Loopback delivers at once, but a busy machine may take its time. What takes so many seconds will
-- not come.
local PATIENCE = 30

-- Lets the server work until `found()` is true, and waits in between for the peer to be ready.
local function step_until(self, found, reads, writes)
  local stop = core.monotonic() + PATIENCE
  repeat
    self.step()
    if found() then return true end
    socket.select(reads, writes, 0.0005)
  until core.monotonic() > stop
  return false
end

---@param port integer
---@param step fun()  lets the server work
function M.connect(port, step)
  local client = assert(socket.tcp4())
  assert(client:connect("127.0.0.1", port))
  client:settimeout(0)
  return setmetatable({ socket = client, step = step, received = "" }, peer_mt)
end

--- Sends everything, while the server takes it; false when the server has closed.
function Peer:send(bytes)
  local sent, reason = 0, nil
  local function is_over()
    local last, why, partial = self.socket:send(bytes, sent + 1)
    sent, reason = last or partial, why
    return sent == #bytes or reason == "closed"
  end
  if not is_over() and not step_until(self, is_over, nil, { self.socket }) then
    error("the server does not take what is sent")
  end
  return sent == #bytes
end

local function pull(self)
  local bytes, reason, partial = self.socket:receive(65536)
  self.received = self.received .. (bytes or partial or "")
  if reason == "closed" then self.closed = true end
end

--- Steps until `found()` is true; raises when that does not come.
function Peer:until_true(found)
  local function is_found()
    pull(self)
    return found()
  end
  if not step_until(self, is_found, { self.socket }) then
    error("the server did not get there; received: " .. self.received)
  end
end

--- Reads one whole answer.
---@return integer status
---@return table<string, string> headers  lower-case names
---@return string body
function Peer:answer()
  local head, rest
  self:until_true(function()
    local _, stop = self.received:find("\r\n\r\n", 1, true)
    if not stop then return false end
    head, rest = self.received:sub(1, stop), self.received:sub(stop + 1)
    local length = tonumber(head:lower():match("content%-length: (%d+)")) or 0
    return #rest >= length
  end)
  local headers = {}
  for name, value in head:gmatch("([^\r\n:]+): ([^\r\n]*)\r\n") do headers[name:lower()] = value end
  local length = tonumber(headers["content-length"]) or 0
  self.received = rest:sub(length + 1)
  return tonumber(head:match("^HTTP/1.1 (%d+)")), headers, rest:sub(1, length)
end

--- Reads until the server closes.
---@return string bytes
function Peer:to_end()
  self:until_true(function() return self.closed end)
  return self.received
end

function Peer:close() self.socket:close() end

return M
