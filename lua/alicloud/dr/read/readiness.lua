--- Judges whether groups could be failed over now, and whether the data would be good. Reads only;
--- made to be run by a timer. One line per group: ok, warn, unknown or fail.

local at_once = require "alicloud.base.at_once"
local attachment = require "alicloud.dr.read.attachment"
local direction = require "alicloud.dr.model.direction"
local drills = require "alicloud.dr.read.drills"
local duration = require "alicloud.base.duration"
local guard = require "alicloud.base.guard"
local many = require "alicloud.dr.read.many"
local precheck = require "alicloud.dr.model.precheck"
local snapshots = require "alicloud.dr.model.snapshot"
local tables = require "alicloud.base.tables"
local unprotected = require "alicloud.dr.read.unprotected"

local M = {}

---@alias alicloud.dr.Readiness
---| "ok"
---| "warn" # a failover would be accepted, but somebody should look
---| "unknown" # something is not known
---| "fail" # a failover would be refused, or lose too much

---@class alicloud.dr.ReadinessLine
---@field group_id string
---@field region string
---@field verdict alicloud.dr.Readiness
---@field reasons string[] why it is not ok, the worst first
---@field code string? of the first reason
---@field age number? seconds since the oldest recovery point
---@field max_rpo number? seconds
---@field declared_rpo integer? seconds
---@field open_drills integer?
---@field unprotected { disk: string, instance: string, name: string? }[]? data disks of the same
---instances that no pair replicates
---@field untold string? why `unprotected` is not known; a failover does not depend on it
---@field snapshot alicloud.dr.Snapshot?
---@field report alicloud.dr.Report?
---@field err alicloud.Error? why the group could not be read

---@class alicloud.dr.ReadinessReport
---@field verdict alicloud.dr.Readiness the worst of all lines
---@field lines alicloud.dr.ReadinessLine[]
---@field exit 0|1|2|3 exit code of the command: ok, warn, fail, unknown

---@class alicloud.dr.ReadinessOptions
---@field max_rpo number? seconds
---@field max_drill_age number seconds
---@field listed? alicloud.dr.Sweep the sweep that has just found the groups: it is the look at them
---@field progress? fun(event: alicloud.dr.JudgedEvent) called at the beginning and after each group

---@class alicloud.dr.JudgedEvent
---@field event "judged"
---@field done integer how many groups are judged
---@field failed integer how many of these are "fail"
---@field count integer how many groups there are

local EXIT = { ok = 0, warn = 1, fail = 2, unknown = 3 }

-- A known fault counts more than an unknown fact.
local RANK = { ok = 0, warn = 1, unknown = 2, fail = 3 }

-- For how many groups at a time drills and disks are read.
local AT_ONCE = 20

-- Statuses in which a failover is allowed, but no new data is copied.
local UNPROTECTED = {
  stopping = "replication is being stopped", stopped = "replication is stopped",
  stop_failed = "replication could not be stopped", failovering = "it is being failed over",
  failovered = "it is failed over and not protected: reprotect and start it",
  failover_failed = "a failover has failed: look why, then fail over again",
}

-- A recovery point that is older than so many times the declared RPO gives a warning.
local LATE = 2

local function add(line, verdict, code, reason)
  if RANK[verdict] > RANK[line.verdict] then
    line.verdict = verdict
    table.insert(line.reasons, 1, reason)
    line.code = code
  else
    line.reasons[#line.reasons + 1] = reason
    line.code = line.code or code
  end
end

-- Adds the findings with the verdict of the report. If that is "block", unknown facts are left out.
local function judge_report(line, report)
  local wanted = report.verdict
  for _, finding in ipairs(report.findings) do
    if wanted ~= "ok" and finding.verdict == wanted and not finding.only_call then
      add(line, wanted == "block" and "fail" or "unknown", finding.code, finding.fact)
    end
  end
end

local function judge_age(line, snapshot)
  local declared = snapshot.declared_rpo
  if not line.age or not declared or line.max_rpo then return end
  if line.age > LATE * declared then
    add(line, "warn", "Client.RecoveryPointTooOld", ("recovery point %s old, declared RPO %s")
      :format(duration.format(line.age), duration.format(declared)))
  end
end

local function judge_drills(line, group, max_age)
  local list, err = drills.of_group(group.client, group.id, group.region)
  if not list then
    return add(line, "warn", err.code, "drills could not be read: " .. err.code)
  end
  line.open_drills = #list
  for _, drill in ipairs(list) do
    if drill.age and drill.age > max_age then
      add(line, "warn", "Client.DrillOpen", ("drill %s: %s"):format(drill.id,
        drill.warning or "open for " .. duration.format(drill.age)))
    end
  end
end

local function judge_disks(line, reader, side)
  local list, why = unprotected.of(reader, line.snapshot, side)
  line.unprotected, line.untold = list, why
  for _, found in ipairs(list or {}) do
    local host = found.name and ("%s (%s)"):format(found.instance, found.name) or found.instance
    add(line, "warn", "Client.NotProtected",
      ("disk %s of %s is not replicated"):format(found.disk, host))
  end
end

-- The line of a group by its look alone, before drills and disks are read.
local function line_of(group, options, seen)
  local line = { group_id = group.id, region = group.region, verdict = "ok", reasons = {},
    max_rpo = options.max_rpo }
  local snapshot, err = seen.snapshot, seen.err
  if not snapshot then
    line.err = err
    add(line, "unknown", err.code, "could not be read: " .. err.message)
    return line
  end
  -- If no side is named, the destination is meant.
  if snapshot.role == "both" then
    snapshot = direction.towards(snapshot, direction.name(snapshot, snapshot.to))
  end
  line.snapshot, line.age = snapshot, snapshots.recover_point_age(snapshot)
  line.declared_rpo = snapshot.declared_rpo
  line.report = precheck.evaluate(snapshot, { max_rpo = options.max_rpo })
  judge_report(line, line.report)
  return line
end

local function is_secondary(line)
  return line.snapshot ~= nil and line.snapshot.role == "secondary"
end

-- Adds what its status, its drills and its disks say to the line of a group.
local function judge_more(line, group, options, reader, side)
  local snapshot = line.snapshot
  if UNPROTECTED[snapshot.status] then
    add(line, "warn", "Client.NotProtected", UNPROTECTED[snapshot.status])
  end
  judge_age(line, snapshot)
  if snapshot.unit ~= "pair" then judge_drills(line, group, options.max_drill_age) end
  judge_disks(line, reader, side)
end

-- Reads the source sides of all groups, together for each client.
local function read_sources(groups, lines)
  local by_client, sides = {}, {}
  for i, line in ipairs(lines) do
    local client = groups[i].client
    by_client[client] = by_client[client] or {}
    if is_secondary(line) then table.insert(by_client[client], line.snapshot) end
  end
  for client, list in pairs(by_client) do
    sides[client] = attachment.of_sides_at_once(client, list, "from")
  end
  return sides
end

-- The reader of a client and region: groups of a region may be of several accounts.
local function reader_of(readers, group)
  local client, region = group.client, group.region
  local own = readers[client] or {}
  own[region] = own[region] or unprotected.reader(client, region)
  readers[client] = own
  return own[region]
end

-- Sends progress events; returns the function to call after each group.
local function teller(groups, options)
  local told = { event = "judged", done = 0, failed = 0, count = #groups }
  local function tell()
    if options.progress then guard.call(options.progress, tables.copy(told)) end
  end
  tell()
  return function(line)
    told.done = told.done + 1
    told.failed = told.failed + (line.verdict == "fail" and 1 or 0)
    tell()
  end
end

local function read_lines(groups, options)
  local tell = teller(groups, options)
  local lines, readers, seen = {}, {}, many.look(groups, nil, options.listed)
  for i, group in ipairs(groups) do lines[i] = line_of(group, options, seen[i]) end
  local sides = read_sources(groups, lines)
  local function judge(group, i)
    local line = lines[i]
    if is_secondary(line) then
      local reader = reader_of(readers, group)
      judge_more(line, group, options, reader, sides[group.client][line.snapshot])
    end
    tell(line)
  end
  if groups[1] then at_once.each(groups[1].client.loop, groups, AT_ONCE, judge) end
  return lines
end

--- Judges groups. Reads are made together as far as possible.
---@param groups alicloud.dr.Group[]
---@param options alicloud.dr.ReadinessOptions
---@return alicloud.dr.ReadinessReport
function M.judge(groups, options)
  local report = { verdict = "ok", lines = read_lines(groups, options) }
  -- An empty list is not ready.
  if #groups == 0 then report.verdict = "fail" end
  for _, line in ipairs(report.lines) do
    if RANK[line.verdict] > RANK[report.verdict] then report.verdict = line.verdict end
  end
  report.exit = EXIT[report.verdict]
  return report
end

--- One line of a report, for people.
---@param line alicloud.dr.ReadinessLine
---@return string
function M.describe(line)
  local facts = {}
  if line.snapshot and line.snapshot.role ~= "absent" then
    facts[1] = snapshots.direction(line.snapshot)
    facts[2] = line.snapshot.status
    facts[3] = line.age and "RPO " .. duration.format(line.age) or "RPO unknown"
  end
  if #line.reasons > 0 then facts[#facts + 1] = table.concat(line.reasons, "; ") end
  local name = line.snapshot and line.snapshot.name
  local who = name and name ~= line.group_id and ("%s (%s)"):format(line.group_id, name)
    or line.group_id
  return ("%-4s  %s  %s"):format(line.verdict, who, table.concat(facts, "  "))
end

return M
