--- An approval: a small signed line that says who lets which gate of which run go on. It is made
--- offline with a key that only the approver has, and bound to run and playbook, so that it cannot
--- be used for another one or for an edited text.

local core = require "alicloud.core"

local M = {}

---@class alicloud.dr.Approval
---@field type "approval"
---@field run string run id
---@field playbook string digest
---@field gate string
---@field by string
---@field at integer unix seconds
---@field signature string Ed25519, 128 hex digits

local function text_of(approval)
  local fields = { "alicloud-dr approval 1", approval.run, approval.playbook, approval.gate,
    approval.by, ("%d"):format(approval.at) }
  for i, field in ipairs(fields) do fields[i] = #field .. ":" .. field end
  return table.concat(fields, "\n")
end

--- Makes an approval.
---@param fields { run: string, playbook: string, gate: string, by: string, at: integer }
---@param seed string|alicloud.Secret 64 hex digits
---@return alicloud.dr.Approval
function M.sign(fields, seed)
  return { type = "approval", run = fields.run, playbook = fields.playbook, gate = fields.gate,
    by = fields.by, at = fields.at, signature = core.ed25519_sign(seed, text_of(fields)) }
end

--- Whether nothing is missing from an approval; says nothing of its signature.
---@param approval table from outside
---@return boolean
function M.is_whole(approval)
  for _, name in ipairs { "run", "playbook", "gate", "by", "signature" } do
    if type(approval[name]) ~= "string" then return false end
  end
  return math.type(approval.at) == "integer" and approval.signature:find("^%x+$") ~= nil
    and #approval.signature == 128
end

--- Why an approval does not count, or nil.
---@param approval table from outside
---@param key string|nil public key of the approver
---@param demand { run: string, playbook: string, gate: string, requester: string, now: number,
---expires: number }
---@return string|nil
function M.fault(approval, key, demand)
  if not M.is_whole(approval) then return "it is not whole" end
  if approval.run ~= demand.run then return "it is for another run" end
  if approval.playbook ~= demand.playbook then return "it is for another text of the playbook" end
  if approval.gate ~= demand.gate then return "it is for another gate" end
  if approval.by == demand.requester then return "who asked for the run cannot approve it" end
  if not key then return approval.by .. " is not among those who may approve" end
  local age = demand.now - approval.at
  if age > demand.expires then return "it has expired" end
  if age < -M.SKEW then return "it is from the future" end
  if not core.ed25519_verify(key, approval.signature, text_of(approval)) then
    return "its signature is wrong"
  end
  return nil
end

--- How far the clocks of approver and run may differ, seconds.
M.SKEW = 60

return M
