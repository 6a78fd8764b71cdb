--- Makes the model of a report from the records of a journal: one plain value from which all
--- formats are rendered. Times are unix seconds, durations seconds.

local core = require "alicloud.core"
local corrections = require "alicloud.dr.playbook.corrections"
local effects = require "alicloud.dr.playbook.effect"
local pasts = require "alicloud.dr.playbook.past"
local places = require "alicloud.dr.store.place"
local presences = require "alicloud.dr.report.liveness"
local productions = require "alicloud.dr.playbook.production"
local proofs = require "alicloud.dr.playbook.proof"
local shell = require "alicloud.base.shell"
local states = require "alicloud.dr.playbook.state"
local steps = require "alicloud.dr.report.steps"
local subjects = require "alicloud.dr.report.subjects"
local summary = require "alicloud.dr.playbook.summary"
local vouches = require "alicloud.dr.report.vouch"
local ways = require "alicloud.dr.playbook.way"

local M = {}

--- Version of the model.
M.VERSION = 1

---@alias alicloud.dr.EvidenceStatus
---| "completed" # it came to its end, and nothing was left out
---| "completed_with_exceptions" # it came to its end, with skips, failures that it went on from, …
---| "stopped"    # it stopped before its end without a known failure, and can be resumed
---| "failed"     # a step failed
---| "rolled_back" # a step failed, and all that the run had done was undone
---| "running"    # no end is written, and its process holds the lock
---| "interrupted" # no end is written, and its process is gone
---| "unfinished" # no end is written, and it is not known whether its process is gone

---@class alicloud.dr.EvidenceModel
---@field version integer
---@field status alicloud.dr.EvidenceStatus
---@field journal string?
---@field copied boolean? it is this machine's copy of a run in a shared store
---@field chain alicloud.dr.Chain
---@field playbook { name: string, digest: string, file: string? }
---@field run { id: string, kind: string, mode: string, incident: string?, requester: string,
---region: string?, params: table }
---@field began_at number
---@field ended_at number of the last record
---@field elapsed number
---@field rto { declared: number?, achieved: number?, met: boolean?, basis: string?, from: string?,
---from_at: number?, why: string? } as of alicloud.dr.RecoveryTime
---@field rpo { declared: number?, achieved: number?, met: boolean?, basis: string?, to: number?,
---group_id: string?, recover_point: number? } as of alicloud.dr.RecoveryPoint
---@field subjects alicloud.dr.Subjects names of the groups, disks etc. that the run was about
---@field outages { said: string, by: string?, at: number, behind: string? }[] that were declared
---@field finish { data_ready: number?, old_side_fenced: number?, verified: number? }
---@field no_return { step: string, at: number }?
---@field steps alicloud.dr.EvidenceStep[] and gates, in the order in which the run came to them
---@field processes table[] who ran it: n, owner, host, pid, at, ended_at, ending, key, way
---@field losses { seconds: number, by: string, why: string, at: number, behind: string? }[]
---accepted losses; behind: the last gate that was passed before, if none was passed since
---@field forces { code: string, by: string, why: string, at: number, behind: string? }[] overruled
---findings of pre-checks
---@field modes { mode: string, by: string?, why: string, from: string?, at: number,
---behind: string? }[] changes of the mode; from: who left the file with the order
---@field corrections { name: string, old: any, new: any, by: string, why: string,
---at: number }[] parameters that were corrected
---@field notes { at: number, text: string, fields: table? }[]
---@field open { verb: string, group_id: string, region: string, token: string, step: string?,
---at: number, sent: integer, doubtful: boolean, accepted: string? }[] intents without an outcome
---@field exceptions string[]
---@field error table? the error that ended the run
---@field vouching alicloud.dr.Vouching signed ends, witnesses, and forged records
---@field presence alicloud.dr.Presence? nil: the run has an end
---@field production_down string? what the run has stopped and not brought back, in words
---@field ways_up alicloud.dr.WayUp[] where each group that is down can come up
---@field resume string? the command that continues the run
---@field fleet string? the command that continues the fleet of which the run is an item
---@field again string? the command that resumes with a step that is in doubt, run once more

local TAKE = {}

local function add(list, event, names)
  local entry = { at = event.at }
  for _, name in ipairs(names) do entry[name] = event[name] end
  list[#list + 1] = entry
end

local function close_process(model, ending, at)
  local process = model.processes[#model.processes]
  if process and not process.ending then process.ending, process.ended_at = ending, at end
end

function TAKE.attempt(model, event)
  close_process(model, "killed", model.last_at)
  add(model.processes, event, { "n", "owner", "host", "pid", "digest", "edited_from",
    "cut_bytes", "key", "taken_from", "way" })
end

-- Marks a record as later than the last gate: the people who approved there did not know of it. The
-- next gate that is passed removes the mark.
local function late(model, list)
  list[#list].behind = model.passed
end

function TAKE.accept_loss(model, event)
  add(model.losses, event, { "seconds", "by", "why" })
  late(model, model.losses)
end

function TAKE.force(model, event)
  add(model.forces, event, { "code", "by", "why" })
  late(model, model.forces)
end

function TAKE.outage(model, event)
  add(model.outages, event, { "said", "by" })
  late(model, model.outages)
end

function TAKE.mode(model, event)
  add(model.modes, event, { "mode", "by", "why", "from" })
  late(model, model.modes)
end

function TAKE.gate_pass(model, event)
  if event.broken then return end
  model.passed = event.gate
  for _, loss in ipairs(model.losses) do loss.behind = nil end
  for _, force in ipairs(model.forces) do force.behind = nil end
  for _, mode in ipairs(model.modes) do mode.behind = nil end
  for _, outage in ipairs(model.outages) do outage.behind = nil end
end

function TAKE.correction(model, event)
  add(model.corrections, event, { "name", "old", "new", "by", "why" })
end

function TAKE.note(model, event)
  add(model.notes, event, { "text", "fields" })
end

local function ending(model, event)
  close_process(model, event.type, event.at)
end

TAKE.finished, TAKE.stopped, TAKE.interrupted = ending, ending, ending

local WITHOUT_END = { running = "running", gone = "interrupted", unknown = "unfinished" }

local function status_of(state, presence)
  local last = state.ending
  if not last then return WITHOUT_END[presence.verdict] end
  if last.type == "finished" then return last.status end
  if last.type == "interrupted" then return "stopped" end
  if last.rolled_back then return "rolled_back" end
  -- If nothing was sent, or the outcome is unknown, nothing is known to have failed.
  local outcome = type(last.err) == "table" and last.err.outcome
  return (outcome == "not_sent" or outcome == "unknown") and "stopped" or "failed"
end

local function target(declared, achieved)
  local met
  if declared and achieved then met = achieved <= declared end
  return { declared = declared, achieved = achieved, met = met }
end

local function open_intents(state)
  local list = {}
  for _, entry in ipairs(state.intents) do
    if pasts.is_open(entry) then
      local past, intent = pasts.continuation(state, entry), entry.intent
      list[#list + 1] = { verb = entry.verb, group_id = intent.group_id, region = intent.region,
        token = intent.client_token:sub(1, steps.TOKEN_DIGITS), step = entry.step, at = entry.at,
        sent = past.attempts, first_send_at = past.first_send_wall,
        resend_window = entry.resend_window, doubtful = past.doubtful,
        accepted = past.accepted and past.accepted.request_id }
    end
  end
  return core.array(list)
end

-- The exceptions that the run wrote at its end, and those in its records that this list lacks.
local function exceptions_of(state, list)
  local last, found, known = state.ending, {}, {}
  for i, text in ipairs(last and last.type == "finished" and last.exceptions or {}) do
    found[i], known[text] = text, true
  end
  local function add_once(text)
    if not known[text] then found[#found + 1] = text end
  end
  for _, step in ipairs(list) do
    if step.status == "skipped" then
      add_once(("step %q was skipped: %s"):format(step.step, step.why))
    elseif step.status == "broken" then
      add_once(("gate %q was broken open: %s"):format(step.step, step.why))
    end
  end
  for _, text in ipairs(summary.overruled(state)) do add_once(text) end
  return core.array(found)
end

local function weigh(status, exceptions)
  return status == "completed" and #exceptions > 0 and "completed_with_exceptions" or status
end

local function no_return_of(state)
  local key = effects.no_return(state)
  return key and { step = key, at = state.steps[key].begun_at } or nil
end

local function run_of(state)
  local run = state.run
  return { id = run.run_id, kind = run.kind, mode = state.mode, incident = run.incident,
    requester = run.requester, region = run.region, params = state.params,
    replay = run.replay }
end

local function take_all(events)
  local model = { processes = core.array {}, losses = core.array {}, forces = core.array {},
    modes = core.array {}, notes = core.array {}, corrections = core.array {},
    outages = core.array {} }
  for _, event in ipairs(events) do
    local take = TAKE[event.type]
    if take then take(model, event) end
    model.last_at = event.at or model.last_at
  end
  return model
end

local function stopped_by(state)
  return state.ending and state.ending.type == "stopped" and state.ending.err or {}
end

-- The option --approvers of a resume: keys from a file are needed again, even after the approvals.
local function approvers_of(state)
  for _, gate in pairs(state.gates) do
    for _, each in ipairs(gate.keys_from and gate.asked and gate.asked.approvers or {}) do
      if each.from == "requester" then
        return gate.keys_file and shell.option("--approvers", gate.keys_file)
          or "--approvers FILE"
      end
    end
  end
  return stopped_by(state).code == "Client.NoApproverKey" and "--approvers FILE" or nil
end

-- After these errors the parameter that names the side has to be corrected.
local UNSAID = { ["Client.DirectionNeeded"] = true, ["Client.UnknownSide"] = true }

--- The options with which another command reaches the service as the run's newest process did. A
--- journal that is damaged, or that strangers may have written, gives none: they would lead the
--- reader, and the reader's keys, to wherever it says.
---@param source alicloud.dr.EvidenceSource
---@param way table? as the newest process has written it
---@return string[] options
function M.way(source, way)
  if source.strange or source.chain.verdict == "damaged" then return {} end
  return ways.options(way)
end

-- The command that resumes the run; nil: it is running or finished, its journal is damaged or a
-- copy, or somebody else has moved its group.
local function resume_of(source, state, presence)
  local possible = source.name and not state.is_over and not source.copied
    and source.chain.verdict ~= "damaged" and not (presence and presence.verdict == "running")
    and stopped_by(state).code ~= productions.MOVED
  if not possible then return nil end
  local cure, why = corrections.cure(stopped_by(state), state.params)
  local side = UNSAID[stopped_by(state).code] and " --to PLACE --why TEXT" or why
  local options = M.way(source, state.way)
  options[#options + 1] = approvers_of(state)
  options[#options + 1] = state.run.replay and shell.option("--replay", state.run.replay)
  return shell.command("resume", { source.name, cure }, options) .. side
end

-- The command of the fleet that a run belongs to: the fleet decides which item is next, and whether
-- it may begin. Fleets name their runs FLEET.ACCOUNT.GROUP. If a run stopped by itself, its item
-- has ended, and is taken again only with --again.
local function fleet_of(source, state)
  local address = source.name and places.is_address(source.name) and places.parse(source.name)
  local run = address and address.run or ""
  local fleet, account, group = run:match "^([%w_-]+)%.(%d+)%.(.+)$"
  if not fleet or group ~= state.params.group then return nil end
  local again = state.ending and state.ending.type == "stopped"
  local options = again and { shell.option("--again", account .. "/" .. group) }
    or M.way(source, state.way)
  table.insert(options, 1, shell.option("--store", address.store))
  return shell.command("fleet", { fleet }, options)
end

-- Sets the end of the newest process, if no end is written.
local function end_process(model, verdict)
  if verdict == "gone" then return close_process(model, "killed", model.last_at) end
  local process = model.processes[#model.processes]
  if verdict == "running" and process then process.ending = "running" end
end

local function presence_of(source, state, model)
  if state.ending then return nil end
  local presence = presences.of(source.hold, model.processes[#model.processes])
  end_process(model, presence.verdict)
  return presence
end

local function all_subjects(list)
  local sets = subjects.new()
  for _, entry in ipairs(list) do subjects.join(sets, entry.subjects) end
  return subjects.lists(sets)
end

--- Makes the model.
---@param source alicloud.dr.EvidenceSource
---@return alicloud.dr.EvidenceModel|nil nil: the records hold no run
function M.model(source)
  local state = states.fold(source.events)
  if not state.run then return nil end
  local proof = proofs.of(source.events, source.sums, source.keys)
  local model, declared = take_all(source.events), state.run.declared or {}
  local figures = summary.figures(state)
  local time, point = figures.rto, figures.rpo
  model.presence = presence_of(source, state, model)
  model.version, model.status = M.VERSION, status_of(state, model.presence)
  model.chain, model.resume = source.chain, resume_of(source, state, model.presence)
  model.fleet = model.resume and fleet_of(source, state)
  model.again = model.resume and stopped_by(state).again
    and ("%s %s"):format(model.resume, shell.option("--again", stopped_by(state).again)) or nil
  model.journal, model.copied = source.name, source.copied or nil
  model.playbook = { name = state.run.playbook, digest = state.digest, file = state.run.file }
  model.run = run_of(state)
  model.began_at, model.ended_at = state.run.at, model.last_at
  model.last_at, model.passed = nil, nil
  model.elapsed = model.ended_at - model.began_at
  model.rto = target(declared.rto, time.seconds)
  model.rto.basis, model.rto.from, model.rto.from_at = time.basis, time.from, time.from_at
  model.rto.why = time.why
  model.rpo = target(declared.rpo, point.seconds)
  model.rpo.basis, model.rpo.to, model.rpo.group_id = point.basis, point.to, point.group_id
  model.rpo.recover_point = point.recover_point
  model.finish, model.no_return = state.marks, no_return_of(state)
  model.steps = steps.gather(source.events, model.status == "running", proof)
  model.subjects = all_subjects(model.steps)
  model.vouching = vouches.of(proof)
  model.open = open_intents(state)
  model.exceptions = exceptions_of(state, model.steps)
  model.status = weigh(model.status, model.exceptions)
  model.production_down = model.status ~= "running" and productions.words(state) or nil
  model.ways_up = core.array(model.status ~= "running"
    and productions.ways_up(state, effects.no_return(state) ~= nil) or {})
  model.error = state.ending and state.ending.err or nil
  return model
end

return M
