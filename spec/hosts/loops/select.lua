-- A program with a select loop of its own (LuaSocket). Its own work goes into tasks; the loop
-- watches one descriptor, and calls `step` when it is readable or its time has come.

local socket = require "socket"

-- socket.select wants objects that know their descriptor.
local function watched(pollable)
  return { getfd = function() return pollable:pollfd() end }
end

local function run(client, body)
  local pollable = client:pollable()
  local mine, over = watched(pollable), false
  local task = client.loop.spawn(function()
    local _ <close> = setmetatable({}, { __close = function() over = true end })
    return body(client)
  end)
  while not over do
    socket.select({ mine }, nil, pollable:timeout())   -- and the program's own sockets
    pollable:step()
  end
  return task:result()
end

return { loop = function() end, run = run }
