--- The pre-check: would the service accept a failover of this group now, and would its data be
--- good? One finding per documented code of FailoverDiskReplicaGroup, and three of our own: the
--- first full sync, the age of the recovery point, the whole pair set. Pure: a snapshot in, a
--- report out.

local direction = require "alicloud.dr.model.direction"
local findings = require "alicloud.dr.model.finding"
local forces = require "alicloud.dr.model.force"
local lazy = require "alicloud.base.lazy"
local plural = require "alicloud.base.plural"
local recovery_checks = require "alicloud.dr.model.recovery_checks"
local snapshots = require "alicloud.dr.model.snapshot"
local states = require "alicloud.dr.model.states"
local tables = require "alicloud.base.tables"

---@module "alicloud.service.ebs.errors"
local documented = lazy.module "alicloud.service.ebs.errors"

local ok, block, unknown = findings.ok, findings.block, findings.unknown
local only_call, passing, firm = findings.only_call, findings.passing, findings.firm

local M = {}

---@alias alicloud.dr.Verdict
---| "ok"      # the fact that was read allows the failover
---| "block"   # the fact that was read forbids the failover
---| "unknown" # the fact could not be read, or no read can tell

---@class alicloud.dr.Finding
---@field id string name of the rule
---@field code string documented code that the call would answer with, or `Client.*`
---@field title string a few words for a person
---@field verdict alicloud.dr.Verdict
---@field fact string what was read
---@field cure string? what to do about it
---@field only_call boolean? no read can tell, so an unknown here does not stop a failover
---@field passes boolean? it may pass by itself within a cycle or a stop: another look is worth it
---@field copies boolean? it may pass when the running synchronization ends
---@field forcible boolean? a person may overrule it, since the service may accept the call
---@field forced { code: string, why: string, by: string }? by whom it was overruled, and why

---@class alicloud.dr.Report
---@field ok boolean
---@field verdict alicloud.dr.Verdict
---@field findings alicloud.dr.Finding[]
---@field snapshot alicloud.dr.Snapshot
---@field forced alicloud.dr.Force[] entries of `force` that have overruled a finding
---@field unneeded alicloud.dr.Force[] entries of `force` for which there was no such finding

---@class alicloud.dr.PrecheckTerms
---@field max_rpo number? seconds; nil: the loss is only shown
---@field outage_at number|string? a moment (alicloud.base.moment) since when nothing has been
---written: the loss is counted up to it; nil: up to the look
---@field force alicloud.dr.Force[]? findings that a person overrules
---@field synced_since number? unix seconds since when the direction is known to be the present one:
---a recovery point that is not older is of this direction

local LEGAL_LIST = states.legal "FailoverDiskReplicaGroup"
local LEGAL = tables.set(LEGAL_LIST)
local LEGAL_OF_PAIR = tables.set(states.legal "FailoverDiskReplicaPair")

local OWN_CURES = {
  ["Client.FirstSyncUnfinished"] = "wait until the first full sync has ended: before that the "
    .. "secondary disks do not hold a usable copy",
  ["Client.RecoveryPointUnclear"] = "look again; if it stays so, read the recovery point in the "
    .. "console: what the service gives is no time that has been",
  ["Client.OutageInFuture"] = "give the time again, with its offset from UTC if it is not in UTC",
  ["Client.OutageContradicted"] = "give the time again (outage_at), with its offset from UTC if it "
    .. "is not in UTC; or leave it out, and the loss is counted to now",
  ["Client.RecoveryPointTooOld"] = "accept the loss with a larger max_rpo; or, if nothing has been "
    .. "written since an outage, say when that began (outage_at); or wait for the "
    .. "next recovery point if the primary site still replicates",
  ["Client.ServerTimeUnknown"] = "look again: the answer had no usable Date header, which a proxy "
    .. "may have taken out; without max_rpo the age does not count",
  ["Client.PairSetIncomplete"] = "look again in a few seconds: the lists of group and pairs may "
    .. "lag behind each other; if it stays so, see in the console which pairs the group has; a "
    .. "failover moves the whole group, so a person may overrule this",
}

local function cure_of(code)
  if OWN_CURES[code] then return OWN_CURES[code] end
  return documented[code] and documented[code].cure
end

local function quoted(word)
  return word == "" and "no status" or word
end

local function check_exists(snapshot)
  local both = snapshot.role == "both"
  return ok(("listed in %s as %s"):format(snapshot.region,
    both and "both of its sites" or snapshot.role .. " site"))
end

local function check_direction(snapshot)
  if snapshot.role == "secondary" then
    return ok(("%s: %s is the secondary site"):format(
      snapshots.direction(snapshot), direction.name(snapshot, snapshot.to)))
  end
  if snapshot.role == "primary" then
    local message, cure = direction.wrong_side(snapshot, "fail over in")
    return block(message, nil, cure)
  end
  local problem = direction.problem(snapshot) --[[@as alicloud.dr.DirectionProblem]]
  return block(problem.message, problem.code, problem.hint)
end

local function check_standby(snapshot)
  return ok("a failover is asked at the secondary site, " .. snapshots.place_name(snapshot.to))
end

local function check_status(snapshot)
  local alone = snapshot.unit == "pair"
  if (alone and LEGAL_OF_PAIR or LEGAL)[snapshot.status] then
    return ok("status " .. snapshot.status)
  end
  if alone then return block(("status %s of a pair"):format(quoted(snapshot.status))) end
  local note = states.KNOWN[snapshot.status] and "" or " (a word this version does not know)"
  return block(("status %s%s; allowed: %s"):format(
    quoted(snapshot.status), note, table.concat(LEGAL_LIST, ", ")))
end

local function check_not_empty(snapshot)
  local claimed = snapshot.pair_number or snapshot.pair_ids and #snapshot.pair_ids or 0
  local count = math.max(claimed, #snapshot.pairs)
  if count == 0 then return block "the group has no pairs" end
  return ok(plural.of(count, "pair"))
end

-- A failover that stopped half way leaves some pairs failovered and some failover_failed. The
-- documents allow another one from failover_failed, and forbid one of pairs that differ.
local function is_half_done(snapshot)
  if snapshot.status ~= "failover_failed" then return false end
  local done = snapshots.count(snapshot, "failovered")
  return done + snapshots.count(snapshot, "failover_failed") == #snapshot.pairs
end

-- A replication cycle, or a stop, takes group and pairs through legal statuses one after the other.
local function is_on_the_way(snapshot)
  if not LEGAL[snapshot.status] then return false end
  for _, pair in ipairs(snapshot.pairs) do
    if not LEGAL[pair.status] then return false end
  end
  return true
end

local function check_pair_states(snapshot)
  local odd = findings.name_pairs(snapshot, function(pair)
    return pair.status ~= snapshot.status and "is " .. quoted(pair.status)
  end)
  if not odd then
    return ok(("%d of %d pairs %s"):format(#snapshot.pairs, #snapshot.pairs, snapshot.status))
  end
  local fact = ("group %s, but %s"):format(quoted(snapshot.status), odd)
  if is_half_done(snapshot) then return only_call(fact .. " (a failover stopped half way)") end
  return is_on_the_way(snapshot) and passing(block(fact)) or block(fact)
end

local function check_zones(snapshot)
  local odd = findings.name_pairs(snapshot, function(pair)
    if snapshots.same_place(pair.from, snapshot.from)
      and snapshots.same_place(pair.to, snapshot.to) then
      return nil
    end
    return "goes " .. snapshots.direction(pair)
  end)
  if odd then
    return passing(block(("group goes %s, but %s"):format(snapshots.direction(snapshot), odd)))
  end
  return ok("every pair goes " .. snapshots.direction(snapshot))
end

local function check_membership(snapshot)
  local odd = findings.name_pairs(snapshot, function(pair)
    -- Only pairs of the group were asked for, so one that names no group counts as its pair.
    if not pair.group_id or pair.group_id == snapshot.group_id then return nil end
    return "belongs to " .. pair.group_id
  end)
  return odd and passing(block(odd)) or ok("every pair belongs to " .. snapshot.group_id)
end

local function check_pair_set(snapshot)
  if #snapshot.pairs == 0 then return firm(passing(block "the pair list is empty")) end
  local fault = snapshots.pair_set_fault(snapshot)
  if fault then return passing(block(fault)) end
  local read = ("%d/%d pairs read"):format(#snapshot.pairs,
    snapshot.pair_number or #snapshot.pairs)
  return ok(snapshot.pair_note and ("%s; %s"):format(read, snapshot.pair_note) or read)
end

local DENIED = "OperationDenied."

-- The order of the findings decides which code a refusal carries: rules that make the others
-- pointless come first.
local RULES = {
  { id = "exists", code = "NoSuchResource", title = "group", check = check_exists },
  { id = "direction", code = DENIED .. "OperateNotAllowedForPrimary", title = "direction",
    check = check_direction },
  { id = "secondary_site", code = DENIED .. "OperateNotAllowedForStandby",
    title = "secondary site", check = check_standby },
  { id = "pairs", code = DENIED .. "NoPairInGroup", title = "pairs", check = check_not_empty },
  { id = "pair_set", code = "Client.PairSetIncomplete", title = "pair set",
    check = check_pair_set },
  { id = "pair_states", code = DENIED .. "PairGroupStatusConflict", title = "pair states",
    reads_pairs = true, check = check_pair_states },
  { id = "zones", code = DENIED .. "PairGroupAZoneConflict", title = "zones",
    reads_pairs = true, check = check_zones },
  { id = "membership", code = DENIED .. "PairInAnotherGroup", title = "membership",
    reads_pairs = true, check = check_membership },
  { id = "status", code = DENIED .. "InvalidStatus", title = "status", check = check_status },
  { id = "first_sync", code = "Client.FirstSyncUnfinished", title = "first full sync",
    reads_pairs = true, check = recovery_checks.first_sync },
  { id = "rpo", code = "Client.RecoveryPointTooOld", title = "RPO", check = recovery_checks.age },
  { id = "permission", code = "Forbidden", title = "permission",
    untold = "only the call can tell" },
  { id = "action_permission", code = "Forbidden.Action", title = "permission for the action",
    untold = "only the call can tell; RAM action ebs:FailoverDiskReplicaGroup" },
  { id = "operation", code = "OperationDenied", title = "operation",
    untold = "the service gives no rule for it; only the call can tell" },
  { id = "internal", code = "InternalError", title = "service",
    untold = "only the call can tell; answered by looking, then the same token" },
  { id = "timeout", code = "RequestTimeout", title = "answer in time",
    untold = "only the call can tell; answered by looking, then the same token" },
}

local function apply(rule, snapshot, terms)
  if rule.untold then return only_call(rule.untold) end
  if snapshot.role == "absent" then
    if rule.id ~= "exists" then return unknown "the group could not be read" end
    if snapshot.member_of then
      return block(("%s is a pair of %s and moves with it: name the group"):format(
        snapshot.group_id, snapshot.member_of))
    end
    return block(("%s is on neither site of %s%s"):format(snapshot.group_id, snapshot.region,
      snapshot.near or ""))
  end
  -- A rule about every pair proves nothing if no pair was read.
  if rule.reads_pairs and #snapshot.pairs == 0 then return passing(unknown "no pair was read") end
  return rule.check(snapshot, terms)
end

-- A code may be overruled if it forbids the failover, or the finding names it as the code of a
-- doubt; not if the facts could not be read.
local function is_forcible(result, code)
  local stands = not result.only_call and not result.firm and result.verdict ~= "ok"
  return stands and (result.verdict == "block" or result.code ~= nil)
    and forces.is_forcible(code) or nil
end

local function finding_of(rule, result, terms)
  local code = result.code or rule.code
  -- If group or pairs could not be read, the cure for the code does not help.
  local has_cure = result.verdict == "block" or result.code or result.only_call
  local forcible = is_forcible(result, code)
  return {
    id = rule.id, code = code, title = rule.title, verdict = result.verdict, fact = result.fact,
    cure = result.cure or has_cure and cure_of(code) or nil, only_call = result.only_call,
    passes = result.passes, copies = result.copies,
    forcible = forcible, forced = forcible and forces.of(terms.force, code) or nil,
  }
end

-- Whether a finding stops a failover.
local function is_obstacle(finding, verdict)
  return finding.verdict == verdict and not finding.only_call and not finding.forced
end

--- The verdict over all findings.
---@param list alicloud.dr.Finding[]
---@return alicloud.dr.Verdict
function M.verdict(list)
  local verdict = "ok"
  for _, finding in ipairs(list) do
    if is_obstacle(finding, "block") then return "block" end
    if is_obstacle(finding, "unknown") then verdict = "unknown" end
  end
  return verdict
end

-- Splits `force` into the entries that were needed and those that were not.
local function sort_force(list, force)
  local used, needed, unneeded = {}, {}, {}
  for _, finding in ipairs(list) do
    if finding.forced then used[finding.forced] = true end
  end
  for _, each in ipairs(force or {}) do
    local which = used[each] and needed or unneeded
    which[#which + 1] = each
  end
  return needed, unneeded
end

--- Judges a snapshot. `report.ok` needs every fact that a read can give. Facts that only the call
--- can tell (permission) are listed as unknown and do not count against it; overruled findings do
--- not either.
---@param snapshot alicloud.dr.Snapshot
---@param terms alicloud.dr.PrecheckTerms?
---@return alicloud.dr.Report
---Source: FailoverDiskReplicaGroup, usage notes and error codes.
function M.evaluate(snapshot, terms)
  terms = terms or {}
  local list = {}
  for i, rule in ipairs(RULES) do
    list[i] = finding_of(rule, apply(rule, snapshot, terms), terms)
  end
  local verdict = M.verdict(list)
  local forced, unneeded = sort_force(list, terms.force)
  return { ok = verdict == "ok", verdict = verdict, findings = list, snapshot = snapshot,
    forced = forced, unneeded = unneeded }
end

--- The findings that stop a failover, the most important first.
---@param report alicloud.dr.Report
---@return alicloud.dr.Finding[]
function M.obstacles(report)
  local list = {}
  for _, wanted in ipairs { "block", "unknown" } do
    for _, finding in ipairs(report.findings) do
      if is_obstacle(finding, wanted) then list[#list + 1] = finding end
    end
  end
  return list
end

--- The codes with which a person may overrule all that stops a failover.
---@param report alicloud.dr.Report
---@return string[]|nil codes nil if a finding cannot be overruled, or there is none
function M.forcible_codes(report)
  local codes, known = {}, {}
  for _, finding in ipairs(M.obstacles(report)) do
    if not finding.forcible then
      -- An unknown without a cure could not be read because of another finding, and passes with it.
      if finding.verdict == "block" or finding.cure then return nil end
    elseif not known[finding.code] then
      codes[#codes + 1], known[finding.code] = finding.code, true
    end
  end
  return #codes > 0 and codes or nil
end

--- The first finding that stops a failover.
---@param report alicloud.dr.Report
---@return alicloud.dr.Finding|nil
function M.first_obstacle(report)
  return M.obstacles(report)[1]
end

return M
