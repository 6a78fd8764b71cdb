--- From the command line to a client.

local alicloud = require "alicloud"
local guard = require "alicloud.guard"
local network = require "alicloud.cli.network"
local options = require "alicloud.cli.options"
local runtimes = require "alicloud.runtime"

local M = {}

--- The runtime of a command.
---@param io alicloud.cli.Io
---@return alicloud.Runtime
function M.runtime(io)
  return runtimes.new(io.runtime)
end

--- Makes the client that the options describe; what is wrong with them is refused here, before
--- anything is sent.
---@param args table of argparse, with the options of options.add_common
---@param io alicloud.cli.Io
---@return alicloud.Client
---@return string region
function M.open(args, io)
  local region = options.region(args, M.runtime(io).getenv)
  local given = network.read(args, options.refuse)
  given.region, given.endpoint = region, options.endpoint(args)
  given.transport, given.runtime = io.transport, io.runtime
  local ok, client = guard.call(alicloud.client, given)
  if not ok then options.refuse_misuse(client) end
  local fine, complaint = client:validate("ebs:DescribeDiskReplicaGroups", { RegionId = region })
  if not fine then options.refuse(complaint) end
  return client, region
end

return M
