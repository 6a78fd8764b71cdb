--- Tells what stands against a whole move before its first change: the status for each step to
--- come, the instances and disks of both sides, and disks of others on those instances. Pure: facts
--- in, findings out, in the shape of a pre-check (alicloud.dr.model.precheck).

local hosts = require "alicloud.dr.model.hosts"
local plural = require "alicloud.base.plural"
local precheck = require "alicloud.dr.model.precheck"
local schema = require "alicloud.base.schema"
local snapshots = require "alicloud.dr.model.snapshot"
local states = require "alicloud.dr.model.states"
local tables = require "alicloud.base.tables"

local M = {}

---@alias alicloud.dr.Move
---| "failover" # the old side is lost, or as good as lost
---| "planned"  # both sides work, and nothing is lost
---| "failback" # as planned, from the side that a failover has opened, back to the other

---@class alicloud.dr.MoveFacts
---@field move alicloud.dr.Move
---@field snapshot alicloud.dr.Snapshot
---@field strict boolean the old side has to be fenced, so a problem there blocks the move
---@field leaving alicloud.dr.SideUse? the side where the service runs; nil: it is not touched
---@field neighbours alicloud.dr.Neighbour[]? other disks on the instances there; nil: not known
---@field neighbours_err alicloud.Error?
---@field shared { words: string, instances: string[] }? instances with disks of another group
---@field unnamed { words: string, instances: string[] }? those of them not named in `stop_shared`
---@field standby alicloud.dr.SideUse? the disks that are copied onto before the switch
---@field busy string? which of the standby disks are attached, in words
---@field busy_passes boolean? each of those disks is free soon, and the move waits for that
---@field taking alicloud.dr.TakingFacts? nil: no disks are to be attached
---@field drills alicloud.dr.Drill[]? nil: not known
---@field drills_err alicloud.Error?

---@class alicloud.dr.TakingFacts
---@field place alicloud.dr.Place of the side that takes over
---@field disks alicloud.dr.SideUse
---@field mapping table<string, string> instance by disk
---@field known table<string, true> the disks of that side
---@field hosts table<string, table>? instances of the mapping by id; nil: not known
---@field hosts_err alicloud.Error?
---@field others string[]? more instances of that region, to suggest in place of a missing one

-- Title and code of each finding, by its id.
local ABOUT = {
  steps = { "steps to come", "OperationDenied.InvalidStatus" },
  old_side = { "old side", "Client.OldSideUnknown" },
  instances = { "instances to stop", "IncorrectInstanceStatus" },
  shared = { "shared instances", "Client.SharedInstance" },
  standby = { "disks copied onto", "OperationDenied.StandbyDeviceAttached" },
  attach = { "who takes over", "InvalidInstanceId.NotFound" },
  drills = { "open drills", "Client.DrillOpen" },
  runs = { "unfinished runs", "Client.RunUnfinished" },
  sync = { "last sync", "OperationDenied.ManualSyncLimit" },
}

-- A finding with `told` also goes into the notes of the report.
local function finding(id, verdict, fact, more)
  return tables.merged({ id = id, title = ABOUT[id][1], code = ABOUT[id][2], verdict = verdict,
    fact = fact }, more)
end

--- A finding that allows the move.
---@param id string
---@param fact string
---@param is_told boolean? it also goes into the notes of the report
---@return alicloud.dr.Finding
function M.fine(id, fact, is_told)
  return finding(id, "ok", fact, { told = is_told })
end

local function block(id, code, fact, cure)
  return finding(id, "block", fact, { code = code, cure = cure })
end

--- A finding that does not stop the move, but goes into the notes of the report.
---@param id string
---@param code string?
---@param fact string
---@return alicloud.dr.Finding
function M.told(id, code, fact)
  return finding(id, "unknown", fact, { code = code, only_call = true, told = true })
end

local STOPPABLE = tables.set(states.legal "StopDiskReplicaGroup")
local REVERSIBLE = tables.set(states.legal "ReprotectDiskReplicaGroup")
REVERSIBLE.reprotecting, REVERSIBLE.reprotect_failed = true, true

local function words(set) return table.concat(tables.keys(set), ", ") end

local function status_fault(snapshot, allowed, first, cure)
  return block("steps", "OperationDenied.InvalidStatus",
    ("status %s, but %s; allowed: %s"):format(snapshot.status == "" and "missing"
      or snapshot.status, first, words(allowed)), cure)
end

local GO_ON = "what is open is served by the playbook failover, and brought back by failback"

local function planned_steps(snapshot)
  if STOPPABLE[snapshot.status] then return M.fine("steps", "status " .. snapshot.status) end
  return status_fault(snapshot, STOPPABLE, "a planned move stops replication first", GO_ON)
end

--- Whether the destination of a group was opened by a failover, so that the service runs there.
---@param snapshot alicloud.dr.Snapshot
---@return boolean
function M.is_open(snapshot)
  return REVERSIBLE[snapshot.status] == true
end

-- A failback of a group that is reversed already goes on with the steps that are left.
local function failback_steps(snapshot)
  if snapshot.role == "absent" then
    return block("steps", "NoSuchResource",
      ("%s is on neither site of %s"):format(snapshot.group_id, snapshot.region))
  end
  if M.is_open(snapshot) then return M.fine("steps", "status " .. snapshot.status) end
  if snapshot.role == "primary" then
    if STOPPABLE[snapshot.status] or snapshot.status == "created" then
      return M.fine("steps", "reversed already, status " .. snapshot.status)
    end
    return status_fault(snapshot, STOPPABLE, "its sides have changed places")
  end
  return status_fault(snapshot, REVERSIBLE, "a failback begins after a failover")
end

local STEPS = { planned = planned_steps, failback = failback_steps }

--- Why the status of a group forbids a move, in words.
---@param move alicloud.dr.Move
---@param snapshot alicloud.dr.Snapshot
---@return string|nil
function M.obstacle(move, snapshot)
  local found = STEPS[move](snapshot)
  return found.verdict == "block" and found.fact or nil
end

-- The only finding about an old side that could not be read.
local function unreadable(facts)
  local side = facts.leaving
  local code = side.err and side.err.code or "Client.OldSideUnknown"
  if facts.strict then
    return block("old_side", code, side.why, facts.move == "failover"
      and "without it: fence=try, or --mode ungraceful"
      or "both sides have to answer; to give one up: the playbook failover")
  end
  return M.told("old_side", code, side.why .. "; it is fenced as far as it answers")
end

local SETTLED = { Running = true, Stopped = true }

local function unsettled(side)
  local parts = {}
  for _, host in ipairs(hosts.of(side.disks)) do
    local status = host.status
    if not SETTLED[status] then parts[#parts + 1] = ("%s is %s"):format(host.id, status) end
  end
  for _, disk in ipairs(side.disks) do
    if disk.status ~= "In_use" and disk.status ~= "Available" then
      parts[#parts + 1] = ("%s is %s"):format(disk.id, disk.status)
    end
  end
  return #parts > 0 and table.concat(parts, ", ") or nil
end

local function names_of(side)
  local names = {}
  for i, host in ipairs(hosts.of(side.disks)) do names[i] = host.id end
  return #names > 0 and table.concat(names, ", ") or "none is attached"
end

local function shared(facts)
  if not facts.neighbours then
    local err = facts.neighbours_err
    return M.told("shared", err and err.code, "who else uses the instances could not be read")
  end
  local unnamed = facts.unnamed
  if unnamed and facts.strict then
    return block("shared", "Client.SharedInstance", unnamed.words .. ", and would be stopped",
      "if they may be stopped: stop_shared=" .. table.concat(unnamed.instances, ","))
  elseif unnamed then
    return M.told("shared", "Client.SharedInstance", unnamed.words .. ", and so is not stopped")
  elseif facts.shared then
    return M.fine("shared", facts.shared.words .. "; stopped all the same, as was said", true)
  end
  return M.fine("shared", "none")
end

local function unprotected(facts)
  local parts = {}
  for _, neighbour in ipairs(facts.neighbours or {}) do
    if not neighbour.pair then
      parts[#parts + 1] = ("%s on %s"):format(neighbour.disk, neighbour.instance)
    end
  end
  return #parts > 0 and "not replicated, so not at the other side: " .. table.concat(parts, ", ")
    or nil
end

local function leaving(add, facts)
  local side = facts.leaving
  if not side then return end
  if not side.known then return add(unreadable(facts)) end
  local left = unprotected(facts)
  local read = ("%s: %s read"):format(side.region, plural.of(#side.disks, "disk"))
  add(M.fine("old_side", left or read, left ~= nil))
  local moving = unsettled(side)
  add(moving and M.told("instances", "IncorrectInstanceStatus", moving .. "; it is waited for")
    or M.fine("instances", names_of(side)))
  add(shared(facts))
end

local function standby(add, facts)
  local side, busy = facts.standby, facts.busy
  if not side then return end
  if busy and facts.busy_passes then
    return add(M.told("standby", "IncorrectDiskStatus", busy .. "; it is waited for"))
  elseif busy then
    local code = facts.move == "failback" and "Client.OldSideInUse"
      or "OperationDenied.StandbyDeviceAttached"
    return add(block("standby", code, "disks that are copied onto are attached: " .. busy,
      "stop their instances and detach them: what writes to them would be overwritten"))
  elseif side.known then
    return add(M.fine("standby", "attached nowhere"))
  end
  -- An unknown standby side does not block here: the step that reverses judges it, and the service
  -- checks it, too.
  add(M.told("standby", side.err and side.err.code or "Client.OldSideUnknown", side.why))
end

local function missing_instance(taking, id, leaving_side)
  for _, host in ipairs(leaving_side and hosts.of(leaving_side.disks) or {}) do
    if host.id == id then
      return ("instance %s is in %s, the side that is left"):format(id, leaving_side.region)
    end
  end
  return ("instance %s is not listed in %s%s"):format(id, taking.place.region,
    schema.did_you_mean(id, tables.set(taking.others)))
end

local STARTABLE = tables.set { "Running", "Stopped", "Starting", "Pending", "Stopping" }

local function instance_fault(taking, id, zone, leaving_side)
  local host = taking.hosts[id]
  if not host then
    return "InvalidInstanceId.NotFound", missing_instance(taking, id, leaving_side)
  end
  if host.zone and zone and host.zone ~= zone then
    return "ResourcesNotInSameZone", ("instance %s is in %s, the disks are in %s"):format(id,
      host.zone, zone)
  end
  if host.locked then
    return "InstanceLockedForSecurity", ("instance %s is locked: %s"):format(id, host.locked)
  end
  if host.status and not STARTABLE[host.status] then
    return "IncorrectInstanceStatus", ("instance %s is %s"):format(id, host.status)
  end
  return nil
end

-- A disk on a stopped instance is no obstacle: it is detached from there.
local function disk_fault(disk, instance)
  local user
  for _, host in ipairs(disk.hosts) do
    if host.id == instance then return nil end
    if host.status ~= "Stopped" then user = user or host.id end
  end
  if not user then return nil end
  return "InvalidDisk.InUse", ("disk %s is on %s, not on %s"):format(disk.id, user, instance)
end

local function unknown_disk(taking)
  for _, disk in ipairs(tables.keys(taking.mapping)) do
    if not taking.known[disk] then
      return "InvalidDiskId.NotFound", ("attach: %s is no disk of the side that takes over%s")
        :format(disk, schema.did_you_mean(disk, taking.known))
    end
  end
end

-- Code and words for the first problem with the disks to attach, or with their instances.
local function taking_fault(taking, leaving_side)
  local code, fact = unknown_disk(taking)
  if code then return code, fact end
  local disks = tables.index(taking.disks.disks, "id")
  for _, id in ipairs(tables.keys(taking.mapping)) do
    local disk, instance = disks[id] or { id = id, hosts = {} }, taking.mapping[id]
    code, fact = instance_fault(taking, instance, disk.zone or taking.place.zone, leaving_side)
    if not code then code, fact = disk_fault(disk, instance) end
    if code then return code, fact end
  end
end

local function instances_of(mapping)
  local set = {}
  for _, instance in pairs(mapping) do set[instance] = true end
  return table.concat(tables.keys(set), ", ")
end

local ATTACH_CURE = "name another instance with attach=, of the zone of the disks"

local function attach(add, facts)
  local taking = facts.taking
  if not taking then return end
  if not taking.hosts then
    local err = taking.hosts_err
    local fact = ("%s could not be asked about %s: %s"):format(taking.place.region,
      instances_of(taking.mapping), err.code)
    -- A compute service that does not answer does not hold a failover up. A refusal does, since it
    -- would be refused later, too.
    if err.outcome == "rejected" or facts.move ~= "failover" then
      return add(block("attach", err.code, fact, "without attach= nothing is attached or started"))
    end
    return add(M.told("attach", err.code, fact))
  end
  local code, fact = taking_fault(taking, facts.leaving)
  if code then return add(block("attach", code, fact, ATTACH_CURE)) end
  add(M.fine("attach", ("%s in %s"):format(instances_of(taking.mapping),
    snapshots.place_name(taking.place))))
end

local function drills(add, facts)
  local list, err = facts.drills, facts.drills_err
  if err then return add(M.told("drills", err.code, "drills could not be read: " .. err.code)) end
  if not list or #list == 0 then return add(M.fine("drills", "none is open")) end
  local parts = {}
  for i, drill in ipairs(list) do
    parts[i] = ("drill %s is open: %s"):format(drill.id, drill.warning or drill.status)
  end
  add(M.fine("drills", table.concat(parts, "; "), true))
end

--- Adds the findings from the facts to those of a pre-check, and judges anew.
---@param report { findings: alicloud.dr.Finding[], snapshot: alicloud.dr.Snapshot }
---@param facts alicloud.dr.MoveFacts
---@return alicloud.dr.MoveReport
function M.evaluate(report, facts)
  local findings = table.move(report.findings, 1, #report.findings, 1, {})
  local function add(found) findings[#findings + 1] = found end
  local steps = STEPS[facts.move]
  if steps then add(steps(facts.snapshot)) end
  leaving(add, facts)
  standby(add, facts)
  attach(add, facts)
  drills(add, facts)
  return M.report(findings, facts.snapshot)
end

---@class alicloud.dr.MoveReport: alicloud.dr.Report
---@field notes string[] facts that do not block the move, but that people should know

--- Makes a report of findings.
---@param findings alicloud.dr.Finding[]
---@param snapshot alicloud.dr.Snapshot
---@return alicloud.dr.MoveReport
function M.report(findings, snapshot)
  local notes, verdict = {}, precheck.verdict(findings)
  for _, found in ipairs(findings) do
    if found.told then notes[#notes + 1] = ("%s: %s"):format(found.title, found.fact) end
  end
  return { ok = verdict == "ok", verdict = verdict, findings = findings, notes = notes,
    snapshot = snapshot }
end

return M
