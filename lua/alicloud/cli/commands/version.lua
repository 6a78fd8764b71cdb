--- `alicloud-dr version`: prints the versions of this program and its libraries.

local alicloud = require "alicloud"
local core = require "alicloud.core"
local options = require "alicloud.cli.options"
local output = require "alicloud.cli.output"
local transport = require "alicloud.transport"

---@type alicloud.cli.Command
local M = {}

function M.configure(command)
  options.add_json(command)
  command:epilog "Exit codes: 0 done, 2 usage."
end

function M.run(args, io)
  local libraries = { transport = transport.version }
  for name, version in pairs(core.version) do libraries[name] = version end
  libraries.build = nil
  if args.json then
    return output.json(io, output.EXIT.done,
      { version = core.version.core, build = core.version.build, libraries = libraries })
  end
  io.out(("%s (%s, %s, cjson %s, %s)\n"):format(alicloud._VERSION, libraries.lua,
    libraries.openssl, libraries.cjson, libraries.transport))
  return output.EXIT.done
end

return M
