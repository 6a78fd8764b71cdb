--- Gathers the steps and gates of a run, with their results, from its records.

local core = require "alicloud.core"

local subjects = require "alicloud.dr.report.subjects"

local M = {}

--- How many digits of a token a report shows: enough to find the token, too few to use it.
M.TOKEN_DIGITS = 8

---@alias alicloud.dr.EvidenceStepStatus
---| "begun" | "done" | "failed" | "skipped" | "undone" # of a step
---| "running" # begun by a process that is at work now
---| "open" | "passed" | "broken" | "expired" | "refused" # of a gate, or a question to people
---| "unproven" # a gate that the journal calls passed, but without genuine approvals
---| "unchecked" # a gate passed by approvals of an older version, which cannot be checked

---@class alicloud.dr.EvidenceStep
---@field step string key
---@field kind "step"|"verify"|"gate"|"release"
---@field lane string? name of its branch, usually a group
---@field status alicloud.dr.EvidenceStepStatus
---@field begun_at number? unix seconds, when it was first begun
---@field ended_at number? unix seconds
---@field seconds number in which it was worked on, over all spans
---@field spans { from: number, to: number, cut: boolean? }[] one for each time it was begun; cut:
---its process was killed
---@field no_return boolean? it is the point of no return
---@field critical boolean?
---@field why string? reason of a skip, or of a broken or unproven gate
---@field by string? who skipped it, or broke the gate
---@field err table?
---@field calls table[] product, action, region, at, attempt, outcome, code, request_id, token
---@field group_id string? the group of its verb
---@field result table? outcome, rto, rpo, direction of its verb
---@field found boolean? its own check said that it was done already
---@field asked table[] answers of people
---@field need integer? how many approvals a gate needs
---@field of string[]? who may approve at a gate
---@field approvals table[]? by, at, signature, and verdict, why, key, from, known of
---alicloud.dr.ProofOfApproval
---@field subjects alicloud.dr.Subjects the groups, disks, instances etc. that it was about
---@field outputs { at: number, text: string, cut: boolean?, cut_short: boolean?, ok: boolean,
---bytes: integer?, kept: integer?, file: string? }[] output of programs, if the playbook keeps it;
---`file` holds `kept` of the `bytes` of a program that wrote too much
---@field undo { at: number, ok: boolean, err: table? }? the end of its undo

local Gatherer = {}
Gatherer.__index = Gatherer

-- A gate and a step may have the same name, so the key has the kind, too.
function Gatherer:entry(key, kind)
  local id = (kind == "gate" and "gate " or "step ") .. key
  local entry = self.by_key[id]
  if not entry then
    entry = { step = key, kind = kind or "step", lane = key:match("^(.*)/[^/]*$"), status = "begun",
      spans = core.array {}, calls = core.array {}, asked = core.array {},
      outputs = core.array {}, seconds = 0, subjects = subjects.new() }
    self.by_key[id], self.list[#self.list + 1] = entry, entry
  end
  return entry
end

local function begin_span(entry, at)
  entry.begun_at = entry.begun_at or at
  entry.spans[#entry.spans + 1] = { from = at }
end

local function end_span(entry, at, cut)
  local span = entry.spans[#entry.spans]
  if not span or span.to then return end
  span.to, span.cut = at, cut or nil
  entry.ended_at, entry.seconds = at, entry.seconds + at - span.from
end

local TAKE = {}

-- If the process before was killed, the spans that it has begun end with its last record.
function TAKE.attempt(self)
  for _, entry in ipairs(self.list) do end_span(entry, self.last_at, true) end
end

function TAKE.step_begin(self, event)
  local entry = self:entry(event.step, event.verify and "verify" or "step")
  entry.status, entry.no_return, entry.critical = "begun", event.no_return, event.critical
  entry.err, entry.why, entry.by = nil, nil, nil
  begin_span(entry, event.at)
end

local VERB_FACTS = { "outcome", "rto", "rto_basis", "rpo", "rpo_basis", "rpo_to",
  "recover_point", "region", "request_id", "attempts", "joined" }

local function facts_of(result)
  if type(result) ~= "table" or type(result.outcome) ~= "string" then return nil end
  local facts = {}
  for _, name in ipairs(VERB_FACTS) do facts[name] = result[name] end
  for _, side in ipairs { "from", "to" } do
    if type(result[side]) == "table" then facts[side] = result[side].region end
  end
  return facts
end

function TAKE.step_end(self, event)
  local entry = self:entry(event.step)
  if not entry.begun_at then begin_span(entry, event.at) end
  end_span(entry, event.at)
  entry.status, entry.err, entry.found = event.ok and "done" or "failed", event.err, event.found
  entry.result = facts_of(event.result)
  subjects.add(entry.subjects, event.result)
end

function TAKE.step_skip(self, event)
  local entry = self:entry(event.step)
  end_span(entry, event.at)
  entry.status, entry.why, entry.by, entry.ended_at = "skipped", event.why, event.by, event.at
end

function TAKE.undo_end(self, event)
  local entry = self:entry(event.step)
  entry.undo = { at = event.at, ok = event.ok, err = event.err }
  if event.ok then entry.status = "undone" end
end

function TAKE.intent(self, event)
  if not event.step then return end
  local entry = self:entry(event.step)
  entry.group_id = event.intent.group_id
  subjects.add(entry.subjects, event.intent)
end

function TAKE.call(self, event)
  local token = event.client_token
  local call = { product = event.product, action = event.action, region = event.region,
    at = event.at, attempt = event.attempt, token = token and token:sub(1, M.TOKEN_DIGITS) }
  self.calls[event.call] = call
  table.insert(self:entry(event.step).calls, call)
end

function TAKE.output(self, event)
  table.insert(self:entry(event.step).outputs, { at = event.at, text = event.text,
    cut = event.cut, cut_short = event.cut_short, ok = event.ok, bytes = event.bytes,
    kept = event.kept, file = event.file })
end

function TAKE.answer(self, event)
  local call = self.calls[event.call]
  if not call then return end
  call.outcome, call.code, call.status = event.outcome, event.code, event.status
  call.request_id, call.answered_at = event.request_id, event.at
end

-- A question about a step that was begun, or about the release of more groups than run:each may
-- take by itself.
function TAKE.asked(self, event)
  local entry = self.by_key["step " .. event.step]
  if not entry then
    entry = self:entry(event.step, "release")
    begin_span(entry, event.at)
    end_span(entry, event.at)
    entry.status = event.answer == "stop" and "refused" or "passed"
  end
  table.insert(entry.asked, { answer = event.answer, by = event.by, at = event.at })
end

function TAKE.gate_open(self, event)
  local gate = self:entry(event.gate, "gate")
  gate.status, gate.need, gate.of = "open", event.need, event.of
  gate.approvals = gate.approvals or core.array {}
  begin_span(gate, event.at)
end

function TAKE.approval(self, event)
  local gate, proof = self:entry(event.gate, "gate"), self.proof.approvals[event]
  gate.approvals = gate.approvals or core.array {}
  table.insert(gate.approvals, { by = event.by, at = event.approved_at,
    signature = event.signature:sub(1, 16), verdict = proof.verdict, why = proof.why,
    key = proof.key, from = proof.from, known = proof.known })
end

local function end_gate(self, event, status)
  local gate = self:entry(event.gate, "gate")
  if not gate.begun_at then begin_span(gate, event.at) end
  end_span(gate, event.at)
  gate.status, gate.why, gate.by = status, event.why, event.by
  gate.approvals = gate.approvals or core.array {}
end

local PASSED = { checked = "passed", broken = "broken", forged = "unproven",
  unchecked = "unchecked" }

function TAKE.gate_pass(self, event)
  local proof = self.proof.passes[event]
  end_gate(self, event, PASSED[proof.verdict])
  if proof.why then self:entry(event.gate, "gate").why = proof.why end
end

function TAKE.gate_fail(self, event)
  end_gate(self, event, "expired")
end

-- Ends the last span of a step without an end: it was cut off, unless its process is at work.
local function leave_open(entry, last_at, at_work)
  local span = entry.spans[#entry.spans]
  local under_way = at_work and span ~= nil and not span.to
  end_span(entry, last_at, not under_way)
  entry.ended_at = nil
  if under_way and entry.status == "begun" then entry.status = "running" end
end

--- Gathers the steps and gates.
---@param events table[]
---@param at_work boolean? whether the newest process is at work
---@param proof alicloud.dr.Proof of these records
---@return alicloud.dr.EvidenceStep[]
function M.gather(events, at_work, proof)
  local self = setmetatable({ by_key = {}, list = core.array {}, calls = {}, proof = proof },
    Gatherer)
  for _, event in ipairs(events) do
    local take = TAKE[event.type]
    if take then take(self, event) end
    self.last_at = event.at or self.last_at
  end
  for _, entry in ipairs(self.list) do
    if entry.status == "begun" or entry.status == "open" then
      leave_open(entry, self.last_at, at_work)
    end
    entry.subjects = subjects.lists(entry.subjects)
  end
  return self.list
end

--- The request ids of a step, in order.
---@param entry alicloud.dr.EvidenceStep
---@return string[]
function M.request_ids(entry)
  local ids = {}
  for _, call in ipairs(entry.calls) do ids[#ids + 1] = call.request_id end
  return ids
end

return M
