--- Asks the person at the terminal, one question at a time. The loop's other tasks run meanwhile.

local M = {}

-- The queue of each terminal; the first in it may ask.
local queues = setmetatable({}, { __mode = "k" })

-- Terminals at which a question was given up before its answer. What was typed for it is dropped
-- before the next question is shown.
local late = setmetatable({}, { __mode = "k" })

local function leave(queue, own)
  for i, gate in ipairs(queue) do
    if gate == own then
      table.remove(queue, i)
      break
    end
  end
  if queue[1] then queue[1].open() end
end

local Place = {}

function Place.__close(place)
  leave(place.queue, place.gate)
end

local function wait_for_turn(place)
  local queue, gate = place.queue, place.gate
  queue[#queue + 1] = gate
  while queue[1] ~= gate do gate.wait() end
end

-- Shows a prompt; whatever is printed while it is open gets its own line, and the prompt is shown
-- again behind it.
local function stand(io, prompt)
  local out, err = io.out, io.err
  err(prompt)
  local function around(write)
    return function(text)
      err "\n"
      write(text)
      err(prompt)
    end
  end
  if io.tty then io.out = around(out) end
  io.err = around(err)
  return function() io.out, io.err = out, err end
end

local function read(io, show, loop, prompt)
  if late[io] then io.drop_typed() end
  late[io] = nil
  show()
  local sit = prompt and stand(io, prompt)
  local typed, over
  io.asking = true
  local _ <close> = setmetatable({}, { __close = function()
    io.asking = nil
    if sit then sit() end
    -- Without an answer the cursor still stands behind the prompt.
    if not typed then io.err "\n" end
    late[io] = not over or nil
  end })
  typed = io.read_line(loop)
  over = true
  return typed
end

local function trimmed(typed)
  return typed and typed:match "^%s*(.-)%s*$"
end

-- Runs `act` when its turn comes; a question that is asked again keeps its turn.
local function in_turn(io, loop, act)
  if not (loop and loop.gate) then return act() end
  queues[io] = queues[io] or {}
  local place <close> = setmetatable({ queue = queues[io], gate = loop.gate() }, Place)
  wait_for_turn(place)
  return act()
end

--- Asks one question.
---@param io alicloud.cli.Io
---@param show fun() prints the question
---@param loop? alicloud.Loop its tasks run until there is an answer
---@return string|nil typed without blanks around it; nil at the end of the input
function M.ask(io, show, loop)
  return in_turn(io, loop, function() return trimmed(read(io, show, loop)) end)
end

--- Asks until an answer is understood.
---@param io alicloud.cli.Io
---@param show fun() prints the question
---@param loop alicloud.Loop its tasks run until there is an answer
---@param prompt string stands before the answer, and is shown again behind other output
---@param understand fun(typed: string|nil): any nil: ask again; typed is nil at the end of input
---@return any answer
function M.choose(io, show, loop, prompt, understand)
  return in_turn(io, loop, function()
    local answer
    repeat
      answer = understand(trimmed(read(io, show, loop, prompt)))
    until answer ~= nil
    return answer
  end)
end

return M
