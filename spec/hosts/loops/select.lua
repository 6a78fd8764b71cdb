-- A program with a select loop of its own (LuaSocket). Its own work goes into tasks; the loop
-- watches one descriptor, and calls `step` when it is readable or its time has come.

local socket = require "socket"

-- socket.select wants objects that know their descriptor.
local function watched(pollable)
  return { getfd = function() return pollable:pollfd() end }
end

local function run(client, body)
  local pollable = client:pollable()
  local mine = watched(pollable)
  local task = client.loop.spawn(body, client)
  while not task.finished do
    socket.select({ mine }, nil, pollable:timeout())   -- and the program's own sockets
    pollable:step()
  end
  return task:result()
end

return { loop = function() end, run = run }
