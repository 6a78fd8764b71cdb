--- An approval: a small signed line of a person for a gate of a run. It is made offline with a key
--- that only the approver has. The signature covers the decision as it was shown, with signer and
--- time, so that the approval cannot be used for another decision.

local core = require "alicloud.core"
local decisions = require "alicloud.dr.playbook.decision"

local M = {}

---@class alicloud.dr.Approval
---@field type "approval"
---@field run string run id
---@field gate string
---@field decision string digest of the decision that was shown
---@field by string
---@field at integer unix seconds
---@field signature string Ed25519, 128 hex digits

-- The signed text. Each field follows its length: different fields never give the same text.
local function text_of(decision, by, at)
  local fields = { "alicloud-dr approval 2", decisions.text(decision), by, ("%d"):format(at) }
  for i, field in ipairs(fields) do fields[i] = #field .. ":" .. field end
  return table.concat(fields, "\n")
end

--- Makes an approval.
---@param decision alicloud.dr.Decision
---@param by string
---@param at integer unix seconds
---@param seed string|alicloud.Secret 64 hex digits
---@return alicloud.dr.Approval
function M.sign(decision, by, at, seed)
  return { type = "approval", run = decision.run, gate = decision.gate, by = by, at = at,
    decision = decisions.digest(decision),
    signature = core.ed25519_sign(seed, text_of(decision, by, at)) }
end

-- Most bytes of a field: an approval that is not accepted is quoted in a note.
local MOST_BYTES = 1000

--- Whether an approval has all its fields in the right form; the signature is not checked.
---@param approval table from outside
---@return boolean
function M.is_whole(approval)
  for _, name in ipairs { "run", "gate", "decision", "by", "signature" } do
    local text = approval[name]
    if type(text) ~= "string" or #text > MOST_BYTES then return false end
  end
  return math.type(approval.at) == "integer" and approval.signature:find("^%x+$") ~= nil
    and #approval.signature == 128
end

--- Whether the signature of an approval was made with a key for a decision.
---@param decision alicloud.dr.Decision
---@param approval { by: string, at: integer, signature: string } checked by `is_whole`
---@param key string public key
---@return boolean
function M.is_signed(decision, approval, key)
  return core.ed25519_verify(key, approval.signature, text_of(decision, approval.by, approval.at))
end

-- Why a person may not approve: the requester and the owner of a run may not, even with another
-- name for the same key.
local function bar(approval, key, barred)
  for _, name in ipairs(barred.names) do
    if approval.by == name then return "who asked for the run cannot approve it" end
  end
  local holder = key and barred.keys[key:lower()]
  if holder then
    return ("its key is also that of %s, who runs it and cannot approve it"):format(holder)
  end
  return nil
end

--- Why an approval does not count, or nil.
---@param approval table from outside
---@param demand { decision: alicloud.dr.Decision, barred: alicloud.dr.Barred, now: number }
---@return string|nil
function M.fault(approval, demand)
  local decision = demand.decision
  if not M.is_whole(approval) then return "it is not whole" end
  if approval.run ~= decision.run then return "it is for another run" end
  if approval.gate ~= decision.gate then return "it is for another gate" end
  if approval.decision ~= decisions.digest(decision) then
    return "it is for another decision than the one that is asked for; approve what is asked now"
  end
  local key = decisions.key_of(decision, approval.by)
  local barred = bar(approval, key, demand.barred)
  if barred then return barred end
  if not key then return approval.by .. " is not among those who may approve" end
  local age = demand.now - approval.at
  if age > decision.expires then return "it has expired" end
  if age < -M.SKEW then return "it is from the future" end
  if not M.is_signed(decision, approval, key) then return "its signature is wrong" end
  return nil
end

--- The approval as it was left for the run, made from its record.
---@param event table
---@param run_id string
---@return table
function M.of_event(event, run_id)
  return { run = run_id, gate = event.gate, decision = event.decision, by = event.by,
    at = event.approved_at, signature = event.signature }
end

--- How many people have approved; each counts once, by name and by key.
---@param events table[] records of approvals of one gate
---@param run_id string
---@param demand { decision: alicloud.dr.Decision, barred: alicloud.dr.Barred, now: number }
---@return integer
function M.count(events, run_id, demand)
  local people, total = {}, 0
  for _, event in ipairs(events) do
    local fresh = not people[event.by] and not M.fault(M.of_event(event, run_id), demand)
    local key = fresh and decisions.key_of(demand.decision, event.by):lower()
    if key and not people[key] then
      people[event.by], people[key], total = true, true, total + 1
    end
  end
  return total
end

--- How far the clocks of approver and run may differ, seconds.
M.SKEW = 60

return M
