--- Disaster recovery of replication pair-consistent groups.
--
--     local dr = require "alicloud.dr"
--     local group = dr.group(client, "pg-orders", { region = "cn-shanghai" })
--     local report = assert(group:precheck { max_rpo = "20m" })
--     local result, err = group:failover { max_rpo = "20m" }

require "alicloud.base.lua_version"
local formats = require "alicloud.base.formats"
local lazy = require "alicloud.base.lazy"
local schema = require "alicloud.base.schema"

---@module "alicloud.dr.read.drills"
local drills = lazy.module "alicloud.dr.read.drills"
---@module "alicloud.dr.fleet"
local fleets = lazy.module "alicloud.dr.fleet"
---@module "alicloud.dr.group"
local groups = lazy.module "alicloud.dr.group"
---@module "alicloud.dr.read.groups"
local group_reads = lazy.module "alicloud.dr.read.groups"
---@module "alicloud.dr.playbook"
local playbooks = lazy.module "alicloud.dr.playbook"
---@module "alicloud.dr.read.prechecks"
local prechecks = lazy.module "alicloud.dr.read.prechecks"
---@module "alicloud.dr.read.readiness"
local readiness = lazy.module "alicloud.dr.read.readiness"
---@module "alicloud.base.readable"
local readable = lazy.module "alicloud.base.readable"
---@module "alicloud.dr.report"
local reports = lazy.module "alicloud.dr.report"

-- Each function gives its place on the stack away, so that misuse is told of the caller's line.
local M = {}

local REGION_ONLY = { region = formats.REGION }
local FILTER = { region = formats.REGION, site = schema.choice("backup", "production"),
  name = schema.text, lone_pairs = schema.boolean }
local AGE = formats.seconds(0, formats.YEAR)
local LISTED = schema.typed "table"
local PRECHECK = { max_rpo = AGE, outage_at = formats.MOMENT, settle = formats.WINDOW,
  listed = LISTED, progress = schema.callable }
local READINESS = { max_rpo = AGE, max_drill_age = AGE, listed = LISTED,
  progress = schema.callable }

local function with_region(where, client, options, rules)
  local given = schema.check(where, options, rules, 3)
  given.region = given.region or client.region
  if formats.REGION.test(given.region) then return given end
  return error(("%s: region: got %s; allowed: %s"):format(where, schema.show(given.region),
    formats.REGION.allowed), 3)
end

--- Names one group, seen from its secondary site. Nothing is asked yet.
---@param client alicloud.Client
---@param id string e.g. "pg-orders"
---@param options? { region: string } the region of its secondary site; else the client's
---@return alicloud.dr.Group
function M.group(client, id, options)
  return groups.new(client, id, options)
end

--- Makes a playbook; see alicloud.dr.playbook.
---@param name string
---@param options? alicloud.dr.PlaybookOptions may be left out
---@param body fun(run: alicloud.dr.PlaybookRun)
---@return alicloud.dr.Playbook
---@overload fun(name: string, body: fun(run: alicloud.dr.PlaybookRun)): alicloud.dr.Playbook
function M.playbook(name, options, body)
  return playbooks.new(name, options, body)
end

--- Runs a playbook over a journal, or goes on with the run that the journal holds.
---@param playbook alicloud.dr.Playbook
---@param options alicloud.dr.RunOptions
---@return alicloud.dr.RunResult|nil
---@return alicloud.Error? err
function M.run(playbook, options)
  return playbooks.run(playbook, options)
end

--- Walks through a playbook, one step at a time; see alicloud.dr.playbook.walk.
---@param playbook alicloud.dr.Playbook|string a playbook, or the path of its file
---@param options alicloud.dr.RunOptions
---@return alicloud.dr.Walk
function M.walk(playbook, options)
  return playbooks.walk(playbook, options)
end

--- Opens a fleet: many groups, each a run of its own in a shared store, that several controllers
--- take one by one. Makes it, or joins it; see alicloud.dr.fleet.
---@param options alicloud.dr.FleetOptions
---@return alicloud.dr.Fleet|nil
---@return alicloud.Error? err
function M.fleet(options)
  return fleets.open(options)
end

--- Reads the evidence of a run from its journal; see alicloud.dr.report.
---@param source string|table[] path or address of a journal, or its records (`event`s)
---@param options? { head: string?, approvers: table<string, string>?,
---stores: alicloud.dr.StoreContext? }
---@return alicloud.dr.Evidence|nil
---@return alicloud.Error? err it cannot be read, or it holds no run
function M.report(source, options)
  return reports.read(source, options)
end

--- Puts the evidence of two runs beside each other, an older and a newer drill.
---@param a alicloud.dr.Evidence
---@param b alicloud.dr.Evidence
---@return alicloud.dr.Comparison
function M.compare(a, b)
  return reports.compare(a, b)
end

--- Looks at every group that a region lists, as secondary or as primary site.
---@param client alicloud.Client
---@param options? { region: string } else the client's region
---@return alicloud.dr.Snapshot[]|nil sorted by group id
---@return alicloud.Error? err
function M.groups(client, options)
  local region = with_region("dr.groups", client, options, REGION_ONLY).region
  return readable.printed(group_reads.all(client, region))
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
  local region = with_region("dr.drills", client, options, REGION_ONLY).region
  return readable.printed(drills.all(client, region))
end

--- What the service would say to a failover of each of these groups now: `group:precheck` for many,
--- whose reads are made together. Reads only. No group at all is not ok.
---@param list alicloud.dr.Group[]
---@param options? { max_rpo: number|string, outage_at: number|string, settle: number|string,
---listed: alicloud.dr.Sweep, progress: fun(event: table) } as of `group:precheck`, for all of them;
---`listed`: what has just told which groups there are, and is not read once more
---@return alicloud.dr.PrecheckList
function M.precheck(list, options)
  local given = formats.with_seconds(schema.check("dr.precheck", options, PRECHECK, 2),
    { max_rpo = false, settle = false })
  for _, group in ipairs(list) do groups.demand(group, 2) end
  return readable.printed(prechecks.judge(list, given))
end

--- Whether groups could be failed over now: one line each, ok, warn or fail. Reads only. No group
--- at all is "fail".
---@param list alicloud.dr.Group[]
---@param options? { max_rpo: number|string, max_drill_age: number|string,
---listed: alicloud.dr.Sweep, progress: fun(event: alicloud.dr.JudgedEvent) } a drill that is open
---for longer is worth a warning (1d); `listed` as of `precheck`
---@return alicloud.dr.ReadinessReport
function M.readiness(list, options)
  local given = formats.with_seconds(schema.check("dr.readiness", options, READINESS, 2),
    { max_rpo = false, max_drill_age = 86400 })
  for _, group in ipairs(list) do groups.demand(group, 2) end
  return readable.printed(readiness.judge(list, given))
end

return M
