-- Behaviours for spec.server: what one connection of a broken, slow or odd peer does.

local M = {}

---@alias spec.Behaviour fun(connection: spec.Connection)

---Answers every request on the connection with the same bytes and keeps it open.
---@param bytes string
---@return spec.Behaviour
function M.answer(bytes)
  return function(connection)
    while connection:read_request() do
      if not connection:send(bytes) then return connection:hang() end
    end
    connection:finish("peer")
  end
end

---Answers one request with these bytes and then closes.
---@param bytes string
---@param how "fin"|"rst"
---@return spec.Behaviour
function M.answer_and_close(bytes, how)
  return function(connection)
    if not connection:read_request() then return connection:finish("peer") end
    connection:send(bytes)
    connection[how](connection)
  end
end

---Closes after `n` bytes of the request arrived, before any answer.
---@param n integer
---@param how "fin"|"rst"
---@return spec.Behaviour
function M.cut_request(n, how)
  return function(connection)
    connection:wait_for(n)
    connection[how](connection)
  end
end

---Reads the request and then says nothing.
function M.hang(connection)
  connection:read_request()
  connection:hang()
end

---Reads the request, closes its own side and waits.
function M.half_close(connection)
  connection:read_request()
  connection:half_close()
  connection:hang()
end

---Answers byte by byte, one with each step of the server; never ends if `forever` repeats.
---@param bytes string
---@param forever string|nil  sent again and again after `bytes`
---@return spec.Behaviour
function M.dribble(bytes, forever)
  return function(connection)
    if not connection:read_request() then return connection:finish("peer") end
    for byte in bytes:gmatch(".") do
      if not connection:send(byte) then return connection:hang() end
      connection:pause()
    end
    while forever and connection:send(forever) do connection:pause() end
    connection:hang()
  end
end

---Answers the first request, then closes the idle connection; the reset reaches a peer that
---is about to send its next request.
---@param bytes string
---@param how "fin"|"rst"
---@return spec.Behaviour
function M.answer_then_die(bytes, how)
  return function(connection)
    if not connection:read_request() then return connection:finish("peer") end
    connection:send(bytes)
    local first = #connection.received
    connection:wait_for(first + 1)
    connection[how](connection)
  end
end

return M
