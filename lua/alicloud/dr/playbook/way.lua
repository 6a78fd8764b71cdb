--- Keeps how a run's process reaches the service, as it was typed: endpoint, profile, proxy, trust.
--- It is in the journal, so that a printed command that continues the run reaches the same service.
--- It holds no secret: keys are in files, and a proxy with a password is refused.

local shell = require "alicloud.base.shell"

local M = {}

---@alias alicloud.dr.Way table<string, string|string[]>

--- The options of the command that make up a way, in the order in which they are printed.
M.NAMES = { "endpoint", "profile", "network", "proxy", "no_proxy", "resolve", "ca_file", "ca_path",
  "client_cert", "client_key" }

--- The options for a command that has to reach the service in the same way.
---@param way alicloud.dr.Way|nil nil: none was typed
---@return string[] options as alicloud.base.shell makes them
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
