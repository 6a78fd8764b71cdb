-- A service in a process of its own that answers each call with what that call has asked for: late,
-- with an error, with half of the answer, or not at all, by the number in what was asked for.

local child = require "spec.child"
local posix = require "spec.posix"
local socket = require "socket"

local M = {}

local HEAD = "HTTP/1.1 %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s"

local function whole(status, body)
  return HEAD:format(status, #body, body)
end

-- Of each hundred calls so many get something else than their answer; and how many seconds late.
local function answer(id)
  local n = tonumber(id:match "%d+$") or 0
  local way = n * 7919 % 100
  local body = ('{"RequestId":"%s","ReplicaGroups":[{"ReplicaGroupId":"%s"}]}'):format(id, id)
  local bytes = whole("200 OK", body)
  local delay = n % 13 == 0 and n % 40 / 1000 or 0
  if way < 2 then return "", delay, true end
  if way < 4 then return bytes:sub(1, -9), delay, true end
  if way < 8 then
    return whole("500 Internal Server Error", '{"Code":"InternalError","RequestId":"x"}'), delay
  end
  if way < 10 then return "", 30 end
  return bytes, delay
end

local function take_requests(peer, late)
  while true do
    local head, length = peer.text:match "^(.-\r\n\r\n)()"
    if not head then return end
    local size = tonumber(head:lower():match "\r\ncontent%-length:%s*(%d+)") or 0
    if #peer.text < length - 1 + size then return end
    local request = peer.text:sub(1, length - 1 + size)
    peer.text = peer.text:sub(length + size)
    local bytes, delay, closes = answer(request:match "pg%-%d+" or "none")
    late[#late + 1] = { peer = peer, bytes = bytes, closes = closes, at = socket.gettime() + delay }
  end
end

local function send_late(late, drop)
  local now, least = socket.gettime(), nil
  for i = #late, 1, -1 do
    local entry = late[i]
    if entry.at <= now or entry.peer.gone then
      table.remove(late, i)
      if not entry.peer.gone then entry.peer.socket:send(entry.bytes) end
      if entry.closes then drop(entry.peer) end
    else
      least = math.min(least or entry.at, entry.at)
    end
  end
  return least and math.max(least - now, 0)
end

local function serve(listening)
  local peers, late, sockets = {}, {}, { listening }
  local function drop(peer)
    if peer.gone then return end
    peer.gone = true
    peer.socket:close()
    peers[peer.socket] = nil
    for i, one in ipairs(sockets) do
      if one == peer.socket then return table.remove(sockets, i) end
    end
  end
  while true do
    local ready = socket.select(sockets, nil, send_late(late, drop))
    for _, one in ipairs(ready) do
      if one == listening then
        local accepted = listening:accept()
        accepted:settimeout(0)
        accepted:setoption("tcp-nodelay", true)
        peers[accepted], sockets[#sockets + 1] = { socket = accepted, text = "" }, accepted
      elseif peers[one] then
        local peer = peers[one]
        local bytes, fault, part = one:receive(65536)
        peer.text = peer.text .. (bytes or part or "")
        if fault == "closed" then drop(peer) else take_requests(peer, late) end
      end
    end
  end
end

--- Starts it.
---@return { url: string, stop: fun() }
function M.start()
  local listening = assert(socket.bind("127.0.0.1", 0, 512))
  local _, port = listening:getsockname()
  local pid = child.start(function() serve(listening) end)
  listening:close()
  return { url = ("http://127.0.0.1:%d"):format(port), stop = function()
    posix.kill(pid, "KILL")
    posix.wait(pid)
  end }
end

return M
