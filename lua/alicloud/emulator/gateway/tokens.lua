--- Memory for ClientTokens ("How to ensure idempotence"): same token and same parameters give the
-- first answer again, other parameters are refused. How long the service remembers is not public.

local errors = require "alicloud.emulator.gateway.errors"

local M = {}

---@class alicloud.emulator.TokenEntry
---@field fingerprint string  action and parameters
---@field at number  model time of the first request, later of its answer
---@field answer alicloud.emulator.Reply|nil  nil while the first request is still at work
---@field request_id string|nil  of the first request; nil once there is an answer

---@class alicloud.emulator.Tokens
---@field entries table<string, alicloud.emulator.TokenEntry>
---@field met table<string, boolean>  tokens that were seen
local Tokens = {}
local tokens_mt = { __name = "alicloud.emulator.Tokens", __index = Tokens }

---@return alicloud.emulator.Tokens
function M.new() return setmetatable({ entries = {}, met = {} }, tokens_mt) end

local IGNORED = {
  ClientToken = true, Signature = true, SignatureNonce = true, Timestamp = true,
  SignatureMethod = true, SignatureVersion = true, SignatureType = true, AccessKeyId = true,
  SecurityToken = true, Format = true, Action = true, Version = true,
}

--- What makes two requests the same: the operation and its own parameters, not the signature.
---@param call alicloud.emulator.Call
---@return string
function M.fingerprint(call)
  local parts = {}
  for name, value in pairs(call.params) do
    if not IGNORED[name] then parts[#parts + 1] = name .. "=" .. value end
  end
  table.sort(parts)
  return call.action .. "\n" .. table.concat(parts, "\n")
end

local function lifetime(settings)
  return settings.token_forget and 0 or settings.token_lifetime
end

-- Codes of refusals by the operation itself: for a state, a quota or a want of stock.
local KEPT = "^OperationDenied"

--- Whether a refusal is stored under its token, so that a repeat is refused alike.
---@param refusal alicloud.emulator.Refusal
---@param settings table<string, any>
---@param ids alicloud.emulator.Ids  the emulator's random numbers
---@return boolean
function M.keeps(refusal, settings, ids)
  if settings.token_errors_random then return ids:random() < 0.5 end
  if settings.token_errors == "some" then return refusal.code:find(KEPT) ~= nil end
  return settings.token_errors == "remember"
end

--- Whether a refusal that a fault rule gives in place of an operation may be stored under a token.
---@param refusal alicloud.emulator.Refusal
---@return boolean
function M.is_operation_own(refusal) return refusal.code:find(KEPT) ~= nil end

--- Tells whether a token was seen before, and marks it as seen.
---@param token string
---@return "first"|"repeat"
function Tokens:meet(token)
  if self.met[token] then return "repeat" end
  self.met[token] = true
  return "first"
end

--- Looks up the reply of a token's first request.
---@param token string
---@param fingerprint string
---@param now number
---@param settings table<string, any>
---@return alicloud.emulator.Reply|nil answer  nil: the token is unknown or forgotten, or refused
---@return alicloud.emulator.Refusal|nil  other parameters, or the first request is still at work
function Tokens:recall(token, fingerprint, now, settings)
  local entry = self.entries[token]
  if not entry then return nil end
  if now - entry.at >= lifetime(settings) then
    self.entries[token] = nil
    return nil
  end
  if entry.fingerprint ~= fingerprint and settings.token_mismatch == "error" then
    return nil, errors.refuse("IdempotentParameterMismatch")
  end
  if entry.answer then return entry.answer end
  if settings.token_pending == "accept" then
    return { object = { RequestId = entry.request_id }, request_id = entry.request_id }
  end
  return nil, errors.refuse("LastTokenProcessing")
end

--- Reserves a token for a request that is still at work.
---@param token string
---@param fingerprint string
---@param request_id string
---@param now number
function Tokens:hold(token, fingerprint, request_id, now)
  self.entries[token] = { fingerprint = fingerprint, at = now, request_id = request_id }
end

--- Stores the answer for repeats of a token.
---@param token string
---@param fingerprint string
---@param answer alicloud.emulator.Reply
---@param now number
function Tokens:remember(token, fingerprint, answer, now)
  self.entries[token] = { fingerprint = fingerprint, at = now, answer = answer }
end

--- Frees a token whose first request was refused.
---@param token string
function Tokens:release(token) self.entries[token] = nil end

return M
