--- Traces of a command, if the environment asks for them: see alicloud.otel.

local otel = require "alicloud.otel"
local settings = require "alicloud.otel.settings"

local M = {}

-- A fault of the settings is warned of once, and the command goes on without traces.
local function begin(args, io, runtime)
  local read, fault = settings.read(runtime.getenv)
  if fault then runtime.warn("no traces are sent: " .. fault) end
  if read then io.tracing = otel.begin(read, args.command, runtime.time) end
end

--- The tracer of a command's clients; the first call begins the traces.
---@param args table of argparse
---@param io alicloud.cli.Io
---@param runtime alicloud.Runtime
---@return alicloud.Tracer|nil
function M.tracer(args, io, runtime)
  if io.tracing == nil then
    io.tracing = false
    begin(args, io, runtime)
  end
  return io.tracing and io.tracing.tracer or nil
end

return M
