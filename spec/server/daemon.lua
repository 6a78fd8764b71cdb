-- Servers of the distribution as processes of a spec. They take no port 0, so a free one is looked
-- for; who else finds it in between makes the next try.

local posix = require "spec.posix"
local scratch = require "spec.scratch"
local server_module = require "spec.server"

local M = {}

local TRIES = 5

---@class spec.Daemon
---@field port integer
local Daemon = {}
Daemon.__index = Daemon

function Daemon:close()
  if not self.pid then return end
  posix.kill(self.pid, "KILL")
  posix.wait(self.pid)
  self.output:close()
  self.pid = nil
end

Daemon.__close = Daemon.close

---Starts a program and reads its output until a line says that it listens.
---@param words string[]
---@param port_of fun(line: string): integer|nil  the port, once a line says so
---@return spec.Daemon|nil
---@return string|nil why  what it has said instead
function M.spawn(words, port_of)
  local pid, output = posix.spawn(words)
  local seen = {}
  for line in output:lines() do
    local port = port_of(line)
    if port then return setmetatable({ pid = pid, output = output, port = port }, Daemon) end
    seen[#seen + 1] = line
  end
  output:close()
  posix.wait(pid)
  return nil, table.concat(seen, "\n")
end

local function try(dir, options, port)
  local path = ("%s/%s-%d.conf"):format(dir, options.name, port)
  scratch.write(path, options.config(port))
  return M.spawn(options.command(path), function(line)
    return line:find(options.ready, 1, true) and port
  end)
end

---Starts a server and returns when it listens.
---@param dir string  for its files
---@param options { name: string, config: function, command: function, ready: string } the text of
---the configuration for a port, the words of the command for its path, what the log says when ready
---@return spec.Daemon
function M.start(dir, options)
  local why
  for _ = 1, TRIES do
    local daemon
    daemon, why = try(dir, options, server_module.free_ports(1))
    if daemon then return daemon end
  end
  error(options.name .. ": " .. why, 2)
end

return M
