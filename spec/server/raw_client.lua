--- A raw HTTP client that shares its process with the server under test: it sends bytes, lets the
-- server step, and reads what came back.

local socket = require "socket"

local M = {}

local Peer = {}
local peer_mt = { __index = Peer, __close = function(self) self.socket:close() end }

-- Loopback delivers at once, but the kernel may need a few rounds; nothing waits for a clock.
local ROUNDS = 2000

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
  local sent = 0
  for _ = 1, ROUNDS do
    local last, reason, partial = self.socket:send(bytes, sent + 1)
    sent = last or partial
    if sent == #bytes then return true end
    if reason == "closed" then return false end
    self.step()
  end
  error("the server does not take what is sent")
end

local function pull(self)
  local bytes, reason, partial = self.socket:receive(65536)
  self.received = self.received .. (bytes or partial or "")
  if reason == "closed" then self.closed = true end
end

--- Steps until `found()` is true; raises when that does not come.
function Peer:until_true(found)
  for _ = 1, ROUNDS do
    self.step()
    pull(self)
    if found() then return end
    socket.select({ self.socket }, nil, 0.0005)
  end
  error("the server did not get there; received: " .. self.received)
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
