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

local function try(dir, options, port)
  local path = ("%s/%s-%d.conf"):format(dir, options.name, port)
  scratch.write(path, options.config(port))
  local pid, output = posix.spawn(options.command(path))
  local seen = {}
  for line in output:lines() do
    if line:find(options.ready, 1, true) then
      return setmetatable({ pid = pid, output = output, port = port }, Daemon)
    end
    seen[#seen + 1] = line
  end
  output:close()
  posix.wait(pid)
  return nil, table.concat(seen, "\n")
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
    daemon, why = try(dir, options, server_module.closed_port())
    if daemon then return daemon end
  end
  error(options.name .. ": " .. why, 2)
end

return M
