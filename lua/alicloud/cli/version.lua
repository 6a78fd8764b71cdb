--- `alicloud-dr version`: what is running.

local alicloud = require "alicloud"
local core = require "alicloud.core"
local options = require "alicloud.cli.options"
local output = require "alicloud.cli.output"

local M = { name = "version", summary = "Print the versions of the command and its libraries." }

---@param command table of argparse
function M.configure(command)
  options.add_json(command)
end

--- Runs the command.
---@param args table
---@param io alicloud.cli.Io
---@return integer exit_code
function M.run(args, io)
  local parts = {}
  for name, version in pairs(core.version) do
    if name ~= "core" then parts[#parts + 1] = name .. " " .. version end
  end
  table.sort(parts)
  if args.json then
    output.json(io, { version = core.version.core, libraries = core.version })
  else
    io.out(("%s (%s, %s)\n"):format(alicloud._VERSION, _VERSION, table.concat(parts, ", ")))
  end
  return output.EXIT.done
end

return M
