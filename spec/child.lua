--- Children that specs fork, to see what a forked process may do to its parent.

local core = require "alicloud.core"
local posix = require "spec.posix"

local M = {}

--- Runs `body` in a child. Its exit code is what `body` returns, 0 for nothing, or 99 if it raises.
---@param body fun(): integer|nil
---@return integer pid
function M.start(body)
  local pid = posix.fork()
  if pid ~= 0 then return pid end
  local ok, code = pcall(body)
  if not ok then io.stderr:write(tostring(code), "\n") end
  posix.exit(ok and (code or 0) or 99)
  error "not reached"
end

--- The same, and waits for it.
---@param body fun(): integer|nil
---@return integer code  also of a signal
function M.run(body)
  local _, code = posix.wait(M.start(body))
  return code
end

--- Whether a process is there. One that has ended, and that nobody has waited for, is not.
---@param pid integer
---@return boolean
function M.is_alive(pid)
  local status <close> = io.open(("/proc/%d/stat"):format(pid))
  -- It may go between the opening and the reading.
  local text = status and status:read "a"
  return text ~= nil and not text:find "%) [ZX] "
end

--- Closes what nobody refers to any more, of earlier specs too: the collector would do that between
--- two looks at what is open. To be called before the first of them.
function M.settle()
  collectgarbage()
  collectgarbage()
end

--- The descriptors that this process has open and of which the system's name holds `word`.
---@param word string  "socket:", "pipe:", a path
---@return table<integer, boolean>
function M.open_descriptors(word)
  local list <close> = assert(io.popen(("ls -l /proc/%d/fd"):format(core.process().pid)))
  local open = {}
  for fd, name in list:read "a":gmatch " (%d+) %-> ([^\n]*)" do
    if name:find(word, 1, true) then open[tonumber(fd)] = true end
  end
  return open
end

--- How many they are.
---@param word string
---@return integer
function M.descriptors(word)
  local n = 0
  for _ in pairs(M.open_descriptors(word)) do n = n + 1 end
  return n
end

return M
