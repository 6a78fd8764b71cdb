--- Disaster recovery of replication pair-consistent groups.
--
--     local dr = require "alicloud.dr"
--     local group = dr.group(client, "pg-orders", { region = "cn-shanghai" })
--     local report = assert(group:precheck { max_rpo = "20m" })
--     local result, err = group:failover { max_rpo = "20m" }

require "alicloud.base.lua_version"
local drills = require "alicloud.dr.read.drills"
local formats = require "alicloud.base.formats"
local groups = require "alicloud.dr.group"
local group_reads = require "alicloud.dr.read.groups"
local option = require "alicloud.base.schema"
local playbooks = require "alicloud.dr.playbook"
local readiness = require "alicloud.dr.read.readiness"
local reports = require "alicloud.dr.report"

local M = {}

--- Names one group, seen from its secondary site; see alicloud.dr.Group.
M.group = groups.new

local REGION_ONLY = { region = formats.REGION }
local FILTER = { region = formats.REGION, site = option.choice("backup", "production"),
  name = option.text }
local AGE = formats.seconds(0, formats.YEAR)
local READINESS = { max_rpo = AGE, max_drill_age = AGE }

local function with_region(where, client, options, schema)
  local given = option.check(where, options, schema, 3)
  given.region = given.region or client.region
  if formats.REGION.test(given.region) then return given end
  return error(("%s: region: got %s; allowed: %s"):format(where, option.show(given.region),
    formats.REGION.allowed), 3)
end

--- Makes a playbook; see alicloud.dr.playbook.
M.playbook = playbooks.new

--- Runs a playbook over a journal, or goes on with the run that the journal holds.
M.run = playbooks.run

--- Walks through a playbook, one step at a time.
M.walk = playbooks.walk

--- Reads the evidence of a run from its journal; see alicloud.dr.report.
M.report = reports.read

--- Puts the evidence of two runs beside each other.
M.compare = reports.compare

--- Looks at every group that a region lists, as secondary or as primary site.
---@param client alicloud.Client
---@param options? { region: string } else the client's region
---@return alicloud.dr.Snapshot[]|nil sorted by group id
---@return alicloud.Error? err
function M.groups(client, options)
  return group_reads.all(client, with_region("dr.groups", client, options, REGION_ONLY).region)
end

--- The ids of the groups of a region, without reading their pairs.
---@param client alicloud.Client
---@param filter? alicloud.dr.GroupFilter e.g. { site = "backup" }: what fails over to the region
---@return string[]|nil sorted
---@return alicloud.Error? err
function M.group_ids(client, filter)
  return group_reads.ids(client, with_region("dr.group_ids", client, filter, FILTER))
end

--- The open drills of all groups that have their secondary site in a region: the ledger of what
--- costs money until it is cleared. Only drills of groups; a pair outside of groups has its own.
---@param client alicloud.Client
---@param options? { region: string } else the client's region
---@return alicloud.dr.Drill[]|nil oldest first
---@return alicloud.Error? err
function M.drills(client, options)
  return drills.all(client, with_region("dr.drills", client, options, REGION_ONLY).region)
end

--- Whether groups could be failed over now: one line each, ok, warn or fail. Reads only. No group
--- at all is "fail".
---@param list alicloud.dr.Group[]
---@param options? { max_rpo: number|string, max_drill_age: number|string } a drill that is open
--- for longer is worth a warning (1d)
---@return alicloud.dr.ReadinessReport
function M.readiness(list, options)
  local given = formats.with_seconds(option.check("dr.readiness", options, READINESS, 2),
    { max_rpo = false, max_drill_age = 86400 })
  for _, group in ipairs(list) do groups.demand(group, 2) end
  return readiness.judge(list, given)
end

return M
