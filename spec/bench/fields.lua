--- The header fields that a program really sends, read off the wire.

local posix = require "spec.posix"
local socket = require "socket"

local M = {}

local BODY = '{"RequestId":"5F1D0C9A-6A4C-4F2B-9F30-2A5E6C7B8D90"}'
local ANSWER = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: " .. #BODY
  .. "\r\n\r\n" .. BODY

--- Lets a program make one call to a server that reads it.
---@param words string[] all but the server's URL and the number of calls, which is 1
---@return string names of the fields, sorted, without regard to case
function M.sent(words)
  local listening = assert(socket.bind("127.0.0.1", 0))
  listening:settimeout(10)
  local argv = table.move(words, 1, #words, 1, {})
  argv[#argv + 1] = "http://127.0.0.1:" .. select(2, listening:getsockname())
  argv[#argv + 1] = "1"
  local pid, output = posix.spawn(argv)
  local connection = assert(listening:accept())
  connection:settimeout(10)
  local names = {}
  for line in function() return connection:receive() end do
    if line == "" then break end
    names[#names + 1] = line:match "^([^%s:]+):"
  end
  connection:send(ANSWER)
  local text = output:read "a"
  local how, code = posix.wait(pid)
  output:close()
  connection:close()
  listening:close()
  assert(how == "exit" and code == 0, text)
  for i, name in ipairs(names) do names[i] = name:lower() end
  table.sort(names)
  return table.concat(names, ", ")
end

return M
