--- The state of a run: the fold of the events in its journal. The engine also applies every event
--- that it writes, so a process and its successor know the same.
---
---   run         who asked for what: playbook, digest, params, kind, requester, incident, declared
---   attempt     a process took the run over: n, owner, host, pid, fence, digest, edited
---   step_begin  step_end  step_skip  undo_begin  undo_end
---   intent      a verb decided (alicloud.dr.journal.protocol)            outcome   how it ended
---   call        a changing attempt is about to leave           answer    the answer to it
---   gate_open   approval  gate_pass  gate_fail
---   mode        graceful or ungraceful, by whom and why      accept_loss
---   correction  a new value of a parameter, by whom and why
---   mark        a finish line was reached   look   a look at a group   outage   a declared outage
---   confirmed   somebody agreed to the run      settled   an intent in doubt has had no effect
---   production  a group's production: stopped by the run, back again, or serving
---   note        asked  interrupted  stopped  finished
---   signed      an attempt's end, by a key                 anchored  a witness got a head

local decisions = require "alicloud.dr.playbook.decision"
local outage_time = require "alicloud.dr.playbook.outage_time"
local productions = require "alicloud.dr.playbook.production"
local tables = require "alicloud.base.tables"

local M = {}

---@class alicloud.dr.StepState
---@field key string
---@field status "begun"|"done"|"failed"|"skipped"|"undone"
---@field runs integer how often it was begun
---@field begun_at number? unix seconds
---@field ended_at number? unix seconds
---@field result any
---@field err table? plain
---@field why string? reason of a skip
---@field calls table[]
---@field undone_calls integer? so many of its calls an undo has taken back
---@field intents table[]
---@field no_return boolean it is a point of no return
---@field went_on boolean? it failed, and the run went on
---@field definition string? text of its options, to notice an edit
---@field stops_production boolean
---@field used table<string, boolean> parameters that were read for it
---@field may_have_acted boolean? of a failed step: false if nothing of it can have had an effect

---@class alicloud.dr.RunState
---@field run table? the event
---@field params table<string, any> as the journal has them, with all corrections
---@field corrections table[] events
---@field attempts integer
---@field steps table<string, alicloud.dr.StepState>
---@field order string[] keys by first mention
---@field calls table[]
---@field intents table[]
---@field intents_of table<string, table[]> the same by group id, since a fleet has thousands
---@field gates table<string, alicloud.dr.GateState>
---@field marks table<string, number> unix seconds
---@field mode "graceful"|"ungraceful"
---@field accept_loss table?
---@field outage alicloud.dr.DeclaredOutage?
---@field clocks alicloud.dr.RunClocks
---@field confirmed table? the event
---@field declined boolean? a person was asked to confirm the run, and did not agree
---@field force alicloud.dr.Force[]? overruled findings, one entry for each code
---@field ending table? the last "stopped", "interrupted" or "finished"
---@field is_over boolean the run has finished: nothing of it is left to do
---@field digest string? of the playbook in the newest attempt
---@field region string? of the client in the newest attempt
---@field way alicloud.dr.Way? how the newest attempt reaches the service
---@field owner string? who runs the newest attempt
---@field owner_key string? public key that signs the end of the newest attempt
---@field requester_key string? public key that signs the end of the first attempt
---@field looks table<string, table> newest look by group
---@field pairs table<string, string[]> by group: the pairs that any look has named or listed
---@field production table<string, alicloud.dr.Production> by group
---@field taken_lines table<string, boolean> digests of the lines that the inbox has taken

--- The records of a gate. Whether an approval counts is judged by alicloud.dr.playbook.gate and
--- alicloud.dr.playbook.proof.
---@class alicloud.dr.GateState
---@field name string
---@field status "open"|"passed"|"failed"
---@field decisions table<string, alicloud.dr.Decision> decisions that were asked for, by digest
---@field asked alicloud.dr.Decision? the latest of them
---@field keys_from string? where the keys come from that are not in the playbook
---@field keys_file string? absolute path of their file, for the command that resumes the run
---@field approvals table[] events
---@field passes { at: number, broken: boolean?, why: string?, barred: alicloud.dr.Barred }[]

--- The people who may not approve.
---@class alicloud.dr.Barred
---@field names string[]
---@field keys table<string, string> names by public key

---@return alicloud.dr.RunState
function M.new()
  return { attempts = 0, params = {}, corrections = {}, steps = {}, order = {}, calls = {},
    intents = {}, intents_of = {}, gates = {}, marks = {}, clocks = { marks = {} }, looks = {},
    pairs = {}, production = {}, taken_lines = {}, mode = "graceful" }
end

local function step_of(state, key)
  local step = state.steps[key]
  if not step then
    step = { key = key, runs = 0, calls = {}, intents = {}, used = {}, no_return = false,
      stops_production = false, status = "begun" }
    state.steps[key], state.order[#state.order + 1] = step, key
  end
  return step
end

local function gate_of(state, name)
  state.gates[name] = state.gates[name]
    or { name = name, decisions = {}, approvals = {}, passes = {} }
  return state.gates[name]
end

--- The people who may not approve now: the requester of the run, and its present owner.
---@param state alicloud.dr.RunState
---@return alicloud.dr.Barred
function M.barred(state)
  local requester = state.run and state.run.requester or state.owner
  local barred = { names = { requester, state.owner }, keys = {} }
  if state.owner_key then barred.keys[state.owner_key:lower()] = state.owner end
  if state.requester_key then barred.keys[state.requester_key:lower()] = requester end
  return barred
end

local APPLY = {}

function APPLY.run(state, event)
  state.run, state.digest, state.mode = event, event.digest, event.mode or "graceful"
  state.region, state.params = event.region, tables.copy(event.params or {})
end

function APPLY.correction(state, event)
  state.params[event.name] = event.new
  state.corrections[#state.corrections + 1] = event
end

function APPLY.attempt(state, event)
  state.attempts, state.digest, state.ending, state.is_over = event.n, event.digest, nil, false
  state.region, state.way = event.region or state.region, event.way
  state.owner, state.owner_key = event.owner, event.key
  if event.n == 1 then state.requester_key = event.key end
end

function APPLY.step_begin(state, event)
  local step = step_of(state, event.step)
  -- A finished step that is run once more has to mark its finish line again.
  if event.marks and step.status == "done" then state.marks[event.marks] = nil end
  step.status, step.runs, step.begun_at = "begun", step.runs + 1, event.at
  step.no_return, step.definition = event.no_return == true, event.definition
  step.stops_production, step.may_have_acted = event.stops_production == true, nil
  step.err, step.why = nil, nil
end

-- Frees the results of verbs in a finished step: only the step's own result is still needed.
local function drop_results(step)
  for _, entry in ipairs(step.intents) do
    if entry.outcome then entry.outcome.result = nil end
  end
end

function APPLY.step_end(state, event)
  local step = step_of(state, event.step)
  if event.ok then drop_results(step) end
  step.status, step.ended_at = event.ok and "done" or "failed", event.at
  step.result, step.err, step.went_on = event.result, event.err, event.went_on
  step.may_have_acted, step.used = event.may_have_acted, tables.set(event.used or {})
end

function APPLY.step_skip(state, event)
  local step = step_of(state, event.step)
  step.status, step.why, step.ended_at = "skipped", event.why, event.at
end

-- While the undo has no end, the step counts as begun: what is left of it is not known.
function APPLY.undo_begin(state, event)
  step_of(state, event.step).status = "begun"
end

function APPLY.undo_end(state, event)
  if not event.ok then return end
  local step = step_of(state, event.step)
  step.status, step.undone_calls = "undone", #step.calls
  drop_results(step)
end

function APPLY.call(state, event)
  local call = { n = event.call, at = event.at, step = event.step, product = event.product,
    action = event.action, client_token = event.client_token, digest = event.digest,
    stable = event.stable, verb = event.verb, process = state.attempts }
  state.calls[event.call] = call
  table.insert(step_of(state, event.step).calls, call)
end

function APPLY.answer(state, event)
  local call = state.calls[event.call]
  if call then call.answer = event end
end

function APPLY.intent(state, event)
  local entry = { verb = event.verb, of = event.of or event.verb, intent = event.intent,
    at = event.at, step = event.step, resend_window = event.resend_window,
    one_shot = event.one_shot, reverse = event.reverse, force = event.force }
  state.intents[#state.intents + 1] = entry
  local group_id = event.intent.group_id
  state.intents_of[group_id] = state.intents_of[group_id] or {}
  table.insert(state.intents_of[group_id], entry)
  table.insert(step_of(state, event.step).intents, entry)
end

-- Settles the newest intent with the token; a good one also older ones, which kills left open.
function APPLY.outcome(state, event)
  local intents, is_newest = state.intents_of[event.group_id] or {}, true
  for i = #intents, 1, -1 do
    local entry = intents[i]
    local same = entry.verb == event.verb and entry.intent.client_token == event.client_token
    local is_open = not entry.outcome or entry.outcome.outcome == "unknown"
    if same and (is_newest or event.ok and is_open) then
      is_newest = false
      entry.outcome = { ok = event.ok, outcome = event.outcome, code = event.code,
        drill_id = event.drill_id, request_id = event.request_id, result = event.result,
        at = event.at, unseen = event.result and event.result.unseen }
    end
  end
end

local function was_accepted(state, token)
  for _, call in ipairs(state.calls) do
    local answer = call.client_token == token and call.answer
    if answer and answer.outcome == "accepted" then return true end
  end
  return false
end

-- The change of an intent in doubt has not happened, or was taken back, and will not happen any
-- more.
function APPLY.settled(state, event)
  for _, entry in ipairs(state.intents) do
    local same = entry.verb == event.verb and entry.intent.client_token == event.client_token
    if same and (not entry.outcome or entry.outcome.outcome == "unknown") then
      entry.outcome = entry.outcome or { ok = false, at = event.at }
      entry.outcome.settled = true
      entry.outcome.outcome = was_accepted(state, event.client_token) and "accepted" or "rejected"
    end
  end
end

function APPLY.gate_open(state, event)
  local gate = gate_of(state, event.gate)
  gate.status, gate.asked = "open", event.decision
  gate.keys_from, gate.keys_file = event.keys_from, event.keys_file
  if event.decision then gate.decisions[decisions.digest(event.decision)] = event.decision end
end

function APPLY.approval(state, event)
  table.insert(gate_of(state, event.gate).approvals, event)
end

function APPLY.gate_pass(state, event)
  local gate = gate_of(state, event.gate)
  gate.status = "passed"
  table.insert(gate.passes, { at = event.at, broken = event.broken, why = event.why,
    barred = M.barred(state) })
end

function APPLY.gate_fail(state, event)
  gate_of(state, event.gate).status = "failed"
end

function APPLY.mode(state, event)
  state.mode = event.mode
end

function APPLY.accept_loss(state, event)
  state.accept_loss = { seconds = event.seconds, by = event.by, why = event.why }
end

function APPLY.force(state, event)
  local list = {}
  for _, force in ipairs(state.force or {}) do
    if force.code ~= event.code then list[#list + 1] = force end
  end
  list[#list + 1] = { code = event.code, why = event.why, by = event.by }
  state.force = list
end

-- "verified" keeps its first time. The other marks keep the last one: data is ready when that of
-- the last group is.
function APPLY.mark(state, event)
  if event.mark == "verified" and state.marks.verified then return end
  state.marks[event.mark] = event.at
end

function APPLY.production(state, event)
  productions.apply(state.production, event, state.looks[event.group_id])
end

function APPLY.look(state, event)
  state.looks[event.group_id], state.last_look = event, event
  state.pairs[event.group_id] = event.pairs or state.pairs[event.group_id]
end

function APPLY.confirmed(state, event)
  state.confirmed = event
end

local function ending(state, event)
  state.ending, state.is_over = event, event.type == "finished"
  if event.err and event.err.code == "Client.NotConfirmed" then state.declined = true end
end

APPLY.stopped, APPLY.interrupted, APPLY.finished = ending, ending, ending

--- Applies one event to a state.
---@param state alicloud.dr.RunState
---@param event table
function M.apply(state, event)
  if event.mail then state.taken_lines[event.mail] = true end
  local apply = APPLY[event.type]
  if apply then apply(state, event) end
  outage_time.apply(state, event)
end

--- Makes the state from all events of a run.
---@param events table[]
---@return alicloud.dr.RunState
function M.fold(events)
  local state = M.new()
  for _, event in ipairs(events) do M.apply(state, event) end
  return state
end

--- Whether somebody has agreed to a run, or it has already sent a change.
---@param state alicloud.dr.RunState
---@return boolean
function M.is_agreed(state) return state.confirmed ~= nil or #state.calls + #state.intents > 0 end

return M
