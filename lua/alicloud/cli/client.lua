--- Makes the client of a command from its options.

local alicloud = require "alicloud"
local guard = require "alicloud.base.guard"
local lazy = require "alicloud.base.lazy"
local network = require "alicloud.cli.options.network"
local options = require "alicloud.cli.options"
local outage = require "alicloud.cli.options.outage"
local runtimes = require "alicloud.base.runtime"
local terminal = require "alicloud.cli.terminal"

---@module "alicloud.cli.fold"
local fold = lazy.module "alicloud.cli.fold"
---@module "alicloud.credentials"
local credentials = lazy.module "alicloud.credentials"
---@module "alicloud.cli.recording"
local recordings = lazy.module "alicloud.cli.recording"
---@module "alicloud.cli.tracing"
local tracing = lazy.module "alicloud.cli.tracing"

local M = {}

-- Placeholder for credentials: a recording answers without a signature.
local NO_KEY = "replay"

--- The runtime of a command: warnings and the output of programs go to standard error.
---@param io alicloud.cli.Io
---@return alicloud.Runtime
function M.runtime(io)
  local overrides = { warn = function(message)
    io.err(fold.hang_command(io, "alicloud-dr: warning: " .. terminal.clean(message, 1000), 2)
      .. "\n")
  end, said = function(program, line)
    io.err(("  | %s: %s\n"):format(terminal.clean(program), line))
  end }
  for name, value in pairs(io.runtime or {}) do overrides[name] = value end
  return runtimes.new(overrides)
end

--- The recorder of a command, if one was asked for. Its modules are loaded only then.
---@param args table
---@param io alicloud.cli.Io
---@param runtime alicloud.Runtime
---@return alicloud.Recorder|nil
function M.recorder(args, io, runtime)
  local is_wanted = args.record or args.keep_map or args.drop_request_ids
  return is_wanted and recordings.recorder(args, io, runtime) or nil
end

local function make(given)
  local ok, client = guard.call(alicloud.client, given)
  if not ok then options.refuse_misuse(client) end
  return client
end

--- Makes a client without a region.
---@param args table of argparse, with profile and endpoint
---@param io alicloud.cli.Io
---@param metadata_endpoint? string in place of the metadata service's, for tests
---@return alicloud.Client
function M.anywhere(args, io, metadata_endpoint)
  local chain = metadata_endpoint
    and credentials.default { metadata_endpoint = metadata_endpoint } or nil
  network.log_keys(args, io, options.refuse)
  local given = network.read(args, options.refuse)
  given.endpoint, given.profile, given.credentials = options.endpoint(args), args.profile, chain
  given.transport, given.runtime = io.transport, M.runtime(io)
  given.recorder = M.recorder(args, io, given.runtime)
  return make(given)
end

-- Whether the environment asks for traces; their modules are loaded only then.
local function is_traced(getenv)
  return (getenv "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT" or "") ~= ""
    or (getenv "OTEL_EXPORTER_OTLP_ENDPOINT" or "") ~= ""
end

--- Makes the client of the options; wrong options are refused here, before anything is sent.
---@param args table of argparse, with the options of options.add_common
---@param io alicloud.cli.Io
---@return alicloud.Client
---@return string region
function M.open(args, io)
  local runtime = M.runtime(io)
  local region = options.region(args, runtime.getenv)
  network.log_keys(args, io, options.refuse)
  local given = network.read(args, options.refuse)
  for name, value in pairs(outage.read(args, io, options.refuse)) do given[name] = value end
  given.region, given.endpoint, given.profile = region, options.endpoint(args), args.profile
  given.transport, given.runtime = io.transport, runtime
  given.recorder = M.recorder(args, io, runtime)
  local traced = not io.replay and is_traced(runtime.getenv)
  given.tracer = traced and tracing.tracer(args, io, runtime) or nil
  if io.replay then
    given.profile, given.access_key_id, given.access_key_secret = nil, NO_KEY, NO_KEY
  end
  local client = make(given)
  local fine, complaint = client:validate("ebs:DescribeDiskReplicaGroups", { RegionId = region })
  if not fine then options.refuse(complaint) end
  args.client = client
  return client, region
end

--- Puts into an error's hint whose fault it is; that may need a request to another region.
---@param client alicloud.Client
---@param err alicloud.Error
---@return alicloud.Error err the same
function M.diagnosed(client, err)
  if err.stopped ~= "patience" then client:diagnose(err) end
  return err
end

--- Ends the traces and the recording of a command, and prints --stats.
---@param args table of argparse, with the client
---@param io alicloud.cli.Io
---@param exit_code integer|nil nil: the command raised an error
function M.finish(args, io, exit_code)
  -- An interruption of the last sending of traces must not change the command's result.
  if io.tracing then pcall(io.tracing.finish, io.tracing, exit_code, M.runtime(io).warn) end
  if io.recorder then io.recorder:close() end
  if not args.client or not args.stats then return end
  io.err("alicloud-dr: " .. outage.stats_line(args.client:stats()) .. "\n")
end

return M
