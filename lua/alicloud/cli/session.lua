--- From the command line to a client.

local alicloud = require "alicloud"
local guard = require "alicloud.guard"
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
---@param args table of argparse, with region and endpoint
---@param io alicloud.cli.Io
---@return alicloud.Client
---@return string region
function M.open(args, io)
  local region = options.region(args, M.runtime(io).getenv)
  local given = {
    region = region, endpoint = options.endpoint(args), transport = io.transport,
    runtime = io.runtime,
  }
  local ok, client = guard.call(alicloud.client, given)
  if not ok then options.refuse_misuse(client) end
  local fine, complaint = client:validate("ebs:DescribeDiskReplicaGroups", { RegionId = region })
  if not fine then options.refuse(complaint) end
  return client, region
end

return M
