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

-- Each function passes its stack level on, so that an error about misuse names the caller's line.
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

--- Makes the object of one group, seen from its secondary site. The service is not called yet.
---@param client alicloud.Client
---@param id string e.g. "pg-orders"
---@param options? { region: string } the region of its secondary site; nil: the client's
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

--- Runs a playbook with a journal, or continues the run that the journal holds.
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

--- Opens a fleet, or makes it: many groups, each a run of its own in a shared store. Several
--- controllers take them one by one; see alicloud.dr.fleet.
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
---@return alicloud.Error? err the journal cannot be read, or holds no run
function M.report(source, options)
  return reports.read(source, options)
end

--- Compares the evidence of two runs, e.g. of an older and a newer drill.
---@param a alicloud.dr.Evidence of the older run
---@param b alicloud.dr.Evidence of the newer run
---@return alicloud.dr.Comparison
function M.compare(a, b)
  return reports.compare(a, b)
end

--- Looks at every group that has its secondary or its primary site in a region.
---@param client alicloud.Client
---@param options? { region: string } nil: the client's region
---@return alicloud.dr.Snapshot[]|nil sorted by group id
---@return alicloud.Error? err
function M.groups(client, options)
  local region = with_region("dr.groups", client, options, REGION_ONLY).region
  return readable.printed(group_reads.all(client, region))
end

--- The ids of the groups of a region, without reading their pairs.
---@param client alicloud.Client
---@param filter? alicloud.dr.GroupFilter e.g. { site = "backup" }: groups that fail over to the
---region
---@return string[]|nil sorted
---@return alicloud.Error? err
function M.group_ids(client, filter)
  return group_reads.ids(client, with_region("dr.group_ids", client, filter, FILTER))
end

--- The open drills of all groups that have their secondary site in a region: their disks cost money
--- until they are cleared. Drills of pairs without a group are not among them.
---@param client alicloud.Client
---@param options? { region: string } nil: the client's region
---@return alicloud.dr.Drill[]|nil oldest first
---@return alicloud.Error? err
function M.drills(client, options)
  local region = with_region("dr.drills", client, options, REGION_ONLY).region
  return readable.printed(drills.all(client, region))
end

--- Runs `group:precheck` for many groups, with their reads made together. Reads only. An empty list
--- is not ok.
---@param list alicloud.dr.Group[]
---@param options? { max_rpo: number|string, outage_at: number|string, settle: number|string,
---listed: alicloud.dr.Sweep, progress: fun(event: table) } as of `group:precheck`, for all of them;
---`listed`: the sweep that has just found the groups: it is the first look at them
---@return alicloud.dr.PrecheckList
function M.precheck(list, options)
  local given = formats.with_seconds(schema.check("dr.precheck", options, PRECHECK, 2),
    { max_rpo = false, settle = false })
  for _, group in ipairs(list) do groups.demand(group, 2) end
  return readable.printed(prechecks.judge(list, given))
end

--- Judges whether groups could be failed over now: one line each, ok, warn, unknown or fail. Reads
--- only. An empty list is "fail".
---@param list alicloud.dr.Group[]
---@param options? { max_rpo: number|string, max_drill_age: number|string,
---listed: alicloud.dr.Sweep, progress: fun(event: alicloud.dr.JudgedEvent) } `max_drill_age`: a
---drill that is open for longer gives a warning (1d); `listed` as of `precheck`
---@return alicloud.dr.ReadinessReport
function M.readiness(list, options)
  local given = formats.with_seconds(schema.check("dr.readiness", options, READINESS, 2),
    { max_rpo = false, max_drill_age = 86400 })
  for _, group in ipairs(list) do groups.demand(group, 2) end
  return readable.printed(readiness.judge(list, given))
end

return M
