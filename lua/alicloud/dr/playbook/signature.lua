--- Signs the end of an attempt with a key of its owner, which proves to everybody who knows that
--- key who has written the records up to there. The chain alone does not prove it, since anybody
--- who can write the file can compute all sums anew.

local core = require "alicloud.core"
local guard = require "alicloud.base.guard"

local M = {}

---@class alicloud.dr.Signer
---@field by string
---@field key string|alicloud.Secret 64 hex digits, the private key
---@field ["public"] string the public key, set by `check`

local function text_of(run_id, event)
  local fields = { "alicloud-dr head 1", run_id, ("%d"):format(event.records), event.head, event.by,
    ("%d"):format(event.signed_at) }
  for i, field in ipairs(fields) do fields[i] = #field .. ":" .. field end
  return table.concat(fields, "\n")
end

--- Whether a value is a signer; sets its public key.
---@param value any
---@return boolean
function M.check(value)
  if type(value) ~= "table" or type(value.by) ~= "string" or value.by == "" then return false end
  local ok, public = guard.call(core.ed25519_public, value.key)
  if ok then value.public = public end
  return ok
end

--- The record of a signature over all records that a journal has so far.
---@param signer alicloud.dr.Signer
---@param run_id string
---@param records integer
---@param head string sum of the last record
---@param now number unix seconds
---@return table event
function M.sign(signer, run_id, records, head, now)
  local event = { type = "signed", by = signer.by, key = signer.public, records = records,
    head = head, signed_at = math.floor(now) }
  event.signature = core.ed25519_sign(signer.key, text_of(run_id, event))
  return event
end

--- Why a signature does not vouch for the records before it, or nil.
---@param event table checked by its schema
---@param run_id string
---@param records integer how many records are before it
---@param head string|nil sum of the last of them; nil: the records have no sums
---@return string|nil
function M.fault(event, run_id, records, head)
  if event.records ~= records then return ("it is over %d records"):format(event.records) end
  if head and event.head ~= head then return "it is over other records" end
  if not core.ed25519_verify(event.key, event.signature, text_of(run_id, event)) then
    return "its signature is wrong"
  end
  return nil
end

return M
