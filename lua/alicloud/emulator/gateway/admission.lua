--- Decides whether a request is admitted: it is readable, signed by a known key, fresh, not
-- repeated, names an operation, and is within its quota.

local core = require "alicloud.core"
local closed = require "alicloud.emulator.gateway.closed"
local errors = require "alicloud.emulator.gateway.errors"
local nonces = require "alicloud.emulator.gateway.nonces"
local operations = require "alicloud.emulator.operations"
local quotas = require "alicloud.emulator.gateway.quotas"
local signature = require "alicloud.emulator.gateway.signature"
local sts = require "alicloud.emulator.gateway.sts"

local M = {}

local refuse = errors.refuse
local METHODS = { GET = true, POST = true }

-- A plan has no signature, so only its key and the end of its session are checked.
local function authenticate(emu, call, now)
  if emu.auth == "off" then return nil end
  if call.by_value then
    return signature.check_key(call, emu.keys, emu.settings) or sts.check(emu, call, now)
  end
  local refusal = signature.check(call, emu.keys, emu.settings) or sts.check(emu, call, now)
  if refusal then return refusal end
  local date, nonce = signature.freshness(call)
  local settings = emu.settings
  local own = call.protocol == "RPC" and settings.time_window_rpc or settings.time_window
  return nonces.check_date(date, now, own, settings.wall_clock == "accept")
    or emu.nonces:take(call.access_key_id, nonce, now,
      math.max(settings.time_window, settings.time_window_rpc))
end

local function find_operation(emu, call)
  call.operation, call.product = operations.find(call.version, call.action)
  if call.operation then return nil end
  if operations.of_action(call.action) then return refuse("InvalidVersion") end
  -- An operation that the product has and the emulator lacks is answered as not open to the caller.
  local code = closed.knows(call.version, call.action) and "InvalidApi.NotFound"
    or emu.settings.unknown_action
  local refusal = refuse(code)
  local nearest = core.suggest(call.action, operations.names(call.version))
  refusal.near_miss = nearest and ("no operation %s, nearest is %s"):format(call.action, nearest)
  return refusal
end

local function check_envelope(emu, call)
  if not METHODS[call.method:upper()] then return refuse("UnsupportedHTTPMethod") end
  if call.path ~= "/" and call.path ~= "" then return refuse("InvalidApi.NotFound") end
  if not call.action then return errors.missing "Action" end
  return find_operation(emu, call)
end

--- Refuses a request, or admits it and sets its `product` and `operation`.
---@param emu alicloud.emulator.Emulator
---@param call alicloud.emulator.Call
---@param readable boolean  false: it has a broken escape sequence
---@param now number  model time
---@return alicloud.emulator.Refusal|nil
function M.check(emu, call, readable, now)
  if not readable then
    return errors.invalid("Query", "the request has a broken percent escape")
  end
  return not sts.is_anonymous(call) and authenticate(emu, call, now)
    or check_envelope(emu, call) or quotas.take(emu, call, now)
end

return M
