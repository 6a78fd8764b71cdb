-- Debian's tinyproxy.

local daemon = require "spec.server.daemon"

local M = {}

---A proxy on a free port of 127.0.0.1.
---@param dir string  for its files
---@param options { connect: integer|nil, user: string|nil, password: string|nil }  the only port
---that CONNECT may ask for, and who may ask
---@return spec.Daemon
function M.start(dir, options)
  return daemon.start(dir, {
    name = "tinyproxy",
    ready = "Accepting connections",
    config = function(port)
      local lines = { "Port " .. port, "Listen 127.0.0.1", "Allow 127.0.0.1", "MaxClients 20",
        "Timeout 10", "LogLevel Info" }
      if options.connect then lines[#lines + 1] = "ConnectPort " .. options.connect end
      if options.user then
        lines[#lines + 1] = ("BasicAuth %s %s"):format(options.user, options.password)
      end
      return table.concat(lines, "\n") .. "\n"
    end,
    command = function(path) return { "tinyproxy", "-d", "-c", path } end,
  })
end

return M
