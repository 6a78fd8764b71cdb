--- Disaster recovery of replication pair-consistent groups.
--
--     local dr = require "alicloud.dr"
--     local group = dr.group(client, "pg-orders", { region = "cn-shanghai" })
--     local report = assert(group:precheck { max_rpo = "20m" })
--     local result, err = group:failover { max_rpo = "20m" }

local groups = require "alicloud.dr.group"
local observe = require "alicloud.dr.observe"
local option = require "alicloud.options"
local rules = require "alicloud.dr.rules"

local M = {}

--- Names one group, seen from its secondary site; see alicloud.dr.Group.
M.group = groups.new

--- Looks at every group that a region lists, as secondary or as primary site.
---@param client alicloud.Client
---@param options? { region: string } else the client's region
---@return alicloud.dr.Snapshot[]|nil sorted by group id
---@return alicloud.Error? err
function M.groups(client, options)
  local given = option.check("dr.groups", options, { region = rules.REGION }, 2)
  local region = given.region or client.region
  if not rules.REGION.test(region) then
    error(("dr.groups: region: got %s; allowed: %s"):format(
      option.show(region), rules.REGION.allowed), 2)
  end
  return observe.all(client, region)
end

return M
