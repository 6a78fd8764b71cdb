--- Checks what a journal proves beyond its chain: who signed which approvals, whether each gate was
--- passed by them, who signed the ends of attempts, and which witnesses got heads. A record alone
--- is no proof; everything is checked against the records before it.

local approvals = require "alicloud.dr.playbook.approval"
local decisions = require "alicloud.dr.playbook.decision"
local signatures = require "alicloud.dr.playbook.signature"
local states = require "alicloud.dr.playbook.state"

local M = {}

---@class alicloud.dr.ProofOfApproval
---@field verdict "checked"|"unchecked"|"forged"
---@field why string? why it does not count
---@field key string? public key of the approver, as the journal has it
---@field from string? "playbook", or where the operator had the key from
---@field known boolean? whether the reader has a key of this name; nil: the reader has no keys

---@class alicloud.dr.ProofOfPass
---@field verdict "checked"|"unchecked"|"forged"|"broken"
---@field why string?

---@class alicloud.dr.ProofOfEnd
---@field verdict "checked"|"forged"
---@field why string?
---@field by string
---@field key string
---@field at number unix seconds
---@field records integer how many records it covers
---@field known boolean? whether the reader has a key of this name; nil: the reader has no keys

---@class alicloud.dr.Proof
---@field approvals table<table, alicloud.dr.ProofOfApproval> by record
---@field passes table<table, alicloud.dr.ProofOfPass> by record
---@field ends alicloud.dr.ProofOfEnd[]
---@field anchors table[] records
---@field vouched integer the last record that a good signature covers; 0: none
---@field forged { line: integer, text: string }[]
---@field unproven { line: integer, text: string }[] gates that the reader's own keys do not prove

local OLD = "an older version has made it, and it does not say what was decided"

local Reader = {}
Reader.__index = Reader

function Reader:forge(text)
  self.proof.forged[#self.proof.forged + 1] = { line = self.line, text = text }
end

function Reader:doubt(gate, why)
  self.proof.unproven[#self.proof.unproven + 1] = { line = self.line,
    text = ("gate %q is not proven by the keys at hand: %s"):format(gate, why) }
end

-- The fault if the reader has another key of that name.
function Reader:key_fault(name, key)
  local own = self.keys and self.keys[name]
  if not own or own:lower() == key:lower() then return nil end
  return ("the journal has another key of %s than the one at hand"):format(name)
end

-- Whether the reader has a key of that name; nil: the reader has no keys.
function Reader:knows(name)
  if not self.keys then return nil end
  return self.keys[name] ~= nil
end

function Reader:was_asked(name)
  local gate = self.state.gates[name]
  return gate ~= nil and next(gate.decisions) ~= nil
end

function Reader:approval_fault(event)
  local gate = self.state.gates[event.gate]
  local decision = gate and gate.decisions[event.decision or ""]
  if not decision then return "nobody was asked for what it is for" end
  local lie = self.lies[event.decision]
  if lie then return ("the %s in what was asked is not the run's"):format(lie) end
  return approvals.fault(approvals.of_event(event, self.state.run.run_id), { decision = decision,
    barred = states.barred(self.state), now = event.at })
    or self:key_fault(event.by, decisions.key_of(decision, event.by))
end

local TAKE = {}

-- A decision that contradicts the records before it was not made by the run.
function TAKE.gate_open(self, event)
  local decision = event.decision
  if not decision then return end
  local lie = decision.gate ~= event.gate and "gate"
    or decisions.contradiction(decision, self.state)
  self.lies[decisions.digest(decision)] = lie or nil
  if lie then
    self:forge(("gate %q: the %s in what was asked is not the run's"):format(event.gate, lie))
  end
end

function TAKE.approval(self, event)
  local gate = self.state.gates[event.gate]
  local decision = gate and event.decision and gate.decisions[event.decision]
  local key, from
  if decision then key, from = decisions.key_of(decision, event.by) end
  local found = { verdict = "checked", key = key, known = self:knows(event.by),
    from = from == "requester" and gate.keys_from or from }
  if not event.decision and not self:was_asked(event.gate) then
    found.verdict, found.why = "unchecked", OLD
  else
    found.why = self:approval_fault(event)
    if not found.why and found.known == false then
      found.verdict, found.why = "unchecked", ("no key of %s is at hand"):format(event.by)
      self.unknown[event.gate] = true
    elseif found.why then
      found.verdict = "forged"
      self:forge(("an approval of gate %q by %s does not count: %s"):format(event.gate, event.by,
        found.why))
    end
  end
  self.proof.approvals[event] = found
  if found.verdict == "checked" then
    local list = self.good[event.gate] or {}
    self.good[event.gate], list[#list + 1] = list, event
  end
end

function Reader:pass_fault(event)
  local gate = self.state.gates[event.gate]
  local decision = gate and gate.decisions[event.decision or ""]
  if not decision then return "it does not say for which decision" end
  local changed = decisions.contradiction(decision, self.state)
  if changed then return ("the %s is not what was approved"):format(changed) end
  local total = approvals.count(self.good[event.gate] or {}, self.state.run.run_id,
    { decision = decision, barred = states.barred(self.state), now = event.at })
  if total >= decision.need then return nil end
  return ("only %d of %d approvals are genuine"):format(total, decision.need)
end

function TAKE.gate_pass(self, event)
  local found = { verdict = "checked" }
  if event.broken and event.why then
    found.verdict = "broken"
  elseif not event.decision and not self:was_asked(event.gate) then
    found.verdict, found.why = "unchecked", OLD
    if self.keys then self:doubt(event.gate, OLD) end
  else
    found.why = self:pass_fault(event)
    if found.why and self.unknown[event.gate] then
      found.verdict = "unchecked"
      self:doubt(event.gate, found.why)
    elseif found.why then
      found.verdict = "forged"
      self:forge(("gate %q is written down as passed, but %s"):format(event.gate, found.why))
    end
  end
  self.proof.passes[event] = found
end

function TAKE.signed(self, event)
  local head = self.sums and self.sums[self.line - 1]
  local why = signatures.fault(event, self.state.run.run_id, self.line - 1, head)
    or self:key_fault(event.by, event.key)
  if why then
    self:forge(("the signature of %s over the records before it does not count: %s"):format(
      event.by, why))
  else
    self.proof.vouched = self.line - 1
  end
  table.insert(self.proof.ends, { verdict = why and "forged" or "checked", why = why,
    by = event.by, key = event.key, at = event.signed_at, records = event.records,
    known = self:knows(event.by) })
end

function TAKE.anchored(self, event)
  table.insert(self.proof.anchors, event)
  if event.records >= self.line or self.sums and self.sums[event.records] ~= event.head then
    self:forge(("what was handed over at %q is not the sum of record %d"):format(event.moment,
      event.records))
  end
end

--- Checks all that is signed in a run's records.
---@param events table[] checked by alicloud.dr.playbook.events; the first one is of type "run"
---@param sums string[]|nil sums of their lines
---@param keys table<string, string>|nil public keys that the reader holds, by name
---@return alicloud.dr.Proof
function M.of(events, sums, keys)
  local proof = { approvals = {}, passes = {}, ends = {}, anchors = {}, vouched = 0, forged = {},
    unproven = {} }
  local self = setmetatable({ proof = proof, state = states.new(), sums = sums, keys = keys,
    lies = {}, good = {}, unknown = {} }, Reader)
  for i, event in ipairs(events) do
    self.line = i
    local take = TAKE[event.type]
    if take then take(self, event) end
    states.apply(self.state, event)
  end
  return proof
end

return M
