--- The way of a run's process to the service, as somebody has typed it: endpoint, profile, proxy,
--- trust. The journal keeps it, so that a command that goes on from there reaches the same service.
--- None of it is a secret: keys are in files, and a proxy with a password is refused at once.

local shell = require "alicloud.base.shell"

local M = {}

---@alias alicloud.dr.Way table<string, string|string[]>

--- What it is of: options of the command, in the order in which they are printed.
M.NAMES = { "endpoint", "profile", "network", "proxy", "no_proxy", "resolve", "ca_file", "ca_path",
  "client_cert", "client_key" }

--- The options that take this way once more.
---@param way alicloud.dr.Way|nil
---@return string[] as alicloud.base.shell makes them
function M.options(way)
  local all = {}
  for _, name in ipairs(M.NAMES) do
    local value = way and way[name]
    for _, each in ipairs(type(value) == "table" and value or { value }) do
      all[#all + 1] = shell.option("--" .. name:gsub("_", "-"), each)
    end
  end
  return all
end

return M
