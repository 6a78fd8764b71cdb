--- Prints the end of a command, as JSON or in words, and chooses its exit code.

local core = require "alicloud.core"
local json = require "alicloud.cli.json"
local lazy = require "alicloud.base.lazy"
local terminal = require "alicloud.cli.terminal"

---@module "alicloud.cli.fold"
local fold = lazy.module "alicloud.cli.fold"
---@module "alicloud.cli.hints"
local hints = lazy.module "alicloud.cli.hints"
---@module "alicloud.cli.listeners"
local listeners = lazy.module "alicloud.cli.listeners"
---@module "alicloud.dr.model.precheck"
local precheck = lazy.module "alicloud.dr.model.precheck"
---@module "alicloud.dr.model.snapshot"
local snapshots = lazy.module "alicloud.dr.model.snapshot"

local M = {}

--- Exit codes of a command.
M.EXIT = { done = 0, failed = 1, usage = 2, unknown = 3, incomplete = 4 }

--- The field `schema` of every JSON object: it grows where a field changes its meaning or goes.
--- What each command prints is declared in alicloud.cli.json_shapes.
M.SCHEMA = 1

-- The exit code is 128 plus the signal's number, as in a shell; without a number it was SIGINT.
local BY_SIGNAL, SIGINT = 128, 2

--- Exit code of a command that a signal ended: 130, 143 (SIGTERM) or 129 (SIGHUP).
---@param io alicloud.cli.Io
---@return integer
function M.interrupted(io)
  return BY_SIGNAL + (io.ended_by() or SIGINT)
end

-- Codes that mean that the command line names the wrong group, region or side.
local WRONG_PLACE = {
  ["NoSuchResource"] = true, ["OperationDenied.OperateNotAllowedForPrimary"] = true,
  ["Client.DirectionNeeded"] = true, ["Client.UnknownSide"] = true,
}

--- Exit code for a failure.
---@param err alicloud.Error
---@param changes boolean whether the command may change something
---@return integer
function M.exit_code(err, changes)
  if err.kind == "credentials" and err.outcome == "not_sent" then return M.EXIT.usage end
  if err.outcome == "not_sent" and WRONG_PLACE[err.code] then return M.EXIT.usage end
  return changes and err.outcome == "unknown" and M.EXIT.unknown or M.EXIT.failed
end

--- Prints one JSON object and puts the exit code into it.
---@param io alicloud.cli.Io
---@param code integer
---@param object table
---@return integer exit_code
function M.json(io, code, object)
  object.schema, object.exit = M.SCHEMA, code
  io.out(json.encode(object) .. "\n")
  return code
end

--- Prints a failure that did not come from the service.
---@param io alicloud.cli.Io
---@param as_json boolean
---@param code integer
---@param fields { kind: string, code: string, message: string, outcome: string? }
---@param speaker? string begins the line in place of "alicloud-dr"
---@return integer exit_code
function M.complain(io, as_json, code, fields, speaker)
  if as_json then return M.json(io, code, { error = fields }) end
  io.err(fold.lines(io, ("%s: %s\n"):format(speaker or "alicloud-dr",
    terminal.clean(fields.message, 2000))))
  return code
end

local function place(where)
  if where.region == "" then return nil end
  return { region = where.region, zone = where.zone }
end

local function pair_object(pair)
  return {
    id = pair.id, status = pair.status, status_message = pair.status_message,
    recover_point = pair.recover_point, from = place(pair.from), to = place(pair.to),
    source_disk = pair.source_disk, destination_disk = pair.destination_disk,
  }
end

local function map(list, convert)
  local result = {}
  for i, value in ipairs(list) do result[i] = convert(value) end
  return core.array(result)
end

---@param snapshot alicloud.dr.Snapshot
---@return table
function M.snapshot_object(snapshot)
  return {
    group_id = snapshot.group_id, name = snapshot.name, region = snapshot.region,
    role = snapshot.role, status = snapshot.status, from = place(snapshot.from),
    to = place(snapshot.to), reversed = snapshot.reversed, declared_rpo = snapshot.declared_rpo,
    recover_point = snapshot.recover_point, oldest_pair = snapshot.oldest_pair,
    recover_point_age = snapshots.recover_point_age(snapshot),
    server_time = snapshot.read_at, pair_number = snapshot.pair_number,
    pairs = map(snapshot.pairs, pair_object),
  }
end

---@param list alicloud.dr.Snapshot[]
---@return table JSON array
function M.snapshot_list(list)
  return map(list, M.snapshot_object)
end

local function finding_object(finding)
  return {
    id = finding.id, code = finding.code, verdict = finding.verdict, fact = finding.fact,
    cure = finding.cure, only_the_call_can_tell = finding.only_call,
    forcible = finding.forcible, forced = finding.forced,
  }
end

--- A pre-check; its `error` is the first finding that stands against a failover.
---@param report alicloud.dr.Report
---@return table
function M.report_object(report)
  local obstacle = precheck.first_obstacle(report)
  return {
    ok = report.ok, verdict = report.verdict, findings = map(report.findings, finding_object),
    group = M.snapshot_object(report.snapshot),
    error = obstacle and { kind = "precheck", code = obstacle.code, message = obstacle.fact,
      hint = obstacle.cure, outcome = "not_sent" },
  }
end

---@param result alicloud.dr.Result
---@return table
function M.result_object(result)
  return {
    outcome = result.outcome, group_id = result.group_id, region = result.region,
    from = place(result.from), to = place(result.to), pairs = map(result.pairs, pair_object),
    joined = result.joined, rpo = result.rpo, rpo_basis = result.rpo_basis,
    rpo_to = result.rpo_to, rto = result.rto, rto_basis = result.rto_basis,
    outage_at = result.outage_at,
    recover_point = result.recover_point, oldest_pair = result.oldest_pair,
    request_id = result.request_id, request_ids = core.array(result.request_ids),
    client_token = result.client_token, attempts = result.attempts,
    unseen = result.unseen, forced = result.forced and core.array(result.forced),
    unneeded_force = result.unneeded_force and core.array(result.unneeded_force),
  }
end

local function disk_object(disk)
  return { id = disk.id, pair = disk.pair, status = disk.status,
    hosts = map(disk.hosts, function(host)
      return { id = host.id, name = host.name, status = host.status }
    end) }
end

local function side_object(side)
  return side and { region = side.region, known = side.known, why = side.why,
    disks = map(side.disks, disk_object) }
end

---@param result alicloud.dr.ChangeResult
---@return table
function M.change_object(result)
  return {
    outcome = result.outcome, group_id = result.group_id, region = result.region,
    from = place(result.from), to = place(result.to), pairs = map(result.pairs, pair_object),
    joined = result.joined, reverse = result.reverse, elapsed = result.elapsed,
    recover_point = result.recover_point, old_side = side_object(result.old_side),
    request_id = result.request_id, request_ids = core.array(result.request_ids),
    client_token = result.client_token, attempts = result.attempts,
  }
end

--- A result of fence, unfence or serve.
---@param result alicloud.dr.FenceResult|alicloud.dr.ServeResult
---@return table
function M.compute_object(result)
  return {
    outcome = result.outcome, group_id = result.group_id, region = result.region,
    stopped = result.stopped and core.array(result.stopped),
    detached = result.detached and core.array(result.detached),
    attached = result.attached and core.array(result.attached),
    started = result.started and core.array(result.started),
    unmapped = result.unmapped and core.array(result.unmapped), unproven = result.unproven,
    unseen = result.unseen,
    side = side_object(result.side), old_side = side_object(result.old_side),
    old_side_fenced = result.old_side_fenced, old_side_fenced_at = result.old_side_fenced_at,
    data_ready_at = result.data_ready_at, elapsed = result.elapsed,
    request_ids = core.array(result.request_ids or {}),
  }
end

local function drill_disk(disk)
  return { pair = disk.pair, disk = disk.disk, status = disk.status }
end

---@param drill alicloud.dr.Drill
---@return table
function M.drill_object(drill)
  return {
    drill_id = drill.id, group_id = drill.group_id, region = drill.region, status = drill.status,
    message = drill.message, started_at = drill.started_at, recover_point = drill.recover_point,
    age = drill.age, warning = drill.warning, disks = map(drill.disks, drill_disk),
  }
end

---@param list alicloud.dr.Drill[]
---@return table JSON array
function M.drill_list(list)
  return map(list, M.drill_object)
end

---@param result alicloud.dr.DrillResult
---@return table
function M.drill_result(result)
  return {
    outcome = result.outcome, group_id = result.group_id, region = result.region,
    drill_id = result.drill_id, elapsed = result.elapsed, adopted = result.adopted,
    drill = result.drill and M.drill_object(result.drill), request_id = result.request_id,
    open = result.open and M.drill_list(result.open),
    request_ids = core.array(result.request_ids), client_token = result.client_token,
    attempts = result.attempts,
  }
end

---@param line alicloud.dr.ReadinessLine
---@return table
function M.readiness_object(line)
  return {
    group_id = line.group_id, region = line.region, verdict = line.verdict, code = line.code,
    reasons = core.array(line.reasons), recover_point_age = line.age, max_rpo = line.max_rpo,
    declared_rpo = line.declared_rpo, open_drills = line.open_drills,
    unprotected = line.unprotected and core.array(line.unprotected), untold = line.untold,
    group = line.snapshot and M.snapshot_object(line.snapshot) or nil,
    error = line.err and M.error_object(line.err) or nil,
  }
end

---@param report alicloud.dr.ReadinessReport
---@return table
function M.readiness_report(report)
  return { verdict = report.verdict, groups = map(report.lines, M.readiness_object) }
end

local function precheck_object(line)
  local object = line.report and M.report_object(line.report)
    or { ok = false, verdict = line.verdict, findings = core.array {},
      error = M.error_object(line.err) }
  object.group_id, object.region = line.group_id, line.region
  return object
end

--- Pre-checks of several groups.
---@param list alicloud.dr.PrecheckList
---@return table
function M.precheck_list(list)
  return { ok = list.ok, verdict = list.verdict, groups = map(list.lines, precheck_object) }
end

local ERROR_FIELDS = {
  "kind", "code", "message", "outcome", "retryable", "hint", "product", "action", "region",
  "endpoint", "status", "request_id", "host_id", "recommend", "attempts", "client_token",
  "retry_after", "group_id", "parameter", "drill_id", "cleared",
}

-- A list of the values of a type; an error of a playbook's own may hold anything in this field.
local function list_of(value, kind, convert)
  if type(value) ~= "table" then return nil end
  local list = core.array {}
  for _, item in ipairs(value) do
    if type(item) == kind then list[#list + 1] = convert and convert(item) or item end
  end
  return list
end

---@param err alicloud.Error
---@return table
function M.error_object(err)
  local object = {}
  for _, name in ipairs(ERROR_FIELDS) do
    local value = err[name]
    -- An error of a playbook's own may hold NaN or an infinity, which JSON cannot carry.
    if math.type(value) ~= "float" or value - value == 0 then object[name] = value end
  end
  object.findings = list_of(err.findings, "table", finding_object)
  object.forcible = list_of(err.forcible, "string")
  if err.last and err.last.pairs then object.last_seen = M.snapshot_object(err.last) end
  object.old_side = side_object(err.old_side)
  object.done_so_far = err.done_so_far and M.compute_object(err.done_so_far)
  object.request_ids = list_of(err.request_ids, "string")
  if err.access_denied_detail then object.access_denied_detail = err.access_denied_detail end
  return object
end

--- Prints a failure of a command that adds nothing to it.
---@param io alicloud.cli.Io
---@param args table
---@param err alicloud.Error
---@param changes? boolean whether the command may change something
---@return integer exit_code
function M.fail(io, args, err, changes)
  local code = M.exit_code(err, changes or false)
  listeners.tell(io, "failed", err)
  hints.at_the_shell(err, args)
  if args.json then return M.json(io, code, { error = M.error_object(err) }) end
  io.err(fold.lines(io, "alicloud-dr: " .. terminal.clean(err, 4000) .. "\n"))
  return code
end

return M
