--- Carries out an admitted call: checks permissions, looks up its ClientToken, then runs the
-- operation on the model, at once or later.

local errors = require "alicloud.emulator.gateway.errors"
local faults = require "alicloud.emulator.gateway.faults"
local operations = require "alicloud.emulator.operations"
local permissions = require "alicloud.emulator.gateway.permissions"
local regions = require "alicloud.emulator.model.regions"
local tokens = require "alicloud.emulator.gateway.tokens"

local M = {}

local refuse = errors.refuse

---@class alicloud.emulator.Reply  an object, not bytes: a repeat may ask for another format
---@field object table|nil  answer of a success, with RequestId
---@field refusal alicloud.emulator.Refusal|nil
---@field request_id string  where a token repeats an answer, that of the first request

---@class alicloud.emulator.Work  a call that was accepted and is not done yet
---@field action string
---@field version string
---@field host string
---@field params table<string, string>
---@field request_id string
---@field plan alicloud.emulator.Plan
---@field wait number|nil  model seconds of a further delay (`apply_late`); nil: none

---@class alicloud.emulator.Context
---@field now number  model time of the work
---@field request_id string
---@field host string
---@field action string
---@field plan alicloud.emulator.Plan
---@field key_id string|nil  AccessKeyId of the caller
---@field effect boolean|nil  set by an operation that changed the world

--- The reply to a call that is refused.
---@param call alicloud.emulator.Call
---@param refusal alicloud.emulator.Refusal
---@return alicloud.emulator.Reply
function M.refused(call, refusal)
  return { refusal = errors.as_said_by(call.action, refusal), request_id = call.request_id }
end

--- Describes a call that is not done yet, for snapshots.
---@param call alicloud.emulator.Call
---@param plan alicloud.emulator.Plan
---@param wait number|nil  model seconds of a further delay; nil: none
---@return alicloud.emulator.Work
function M.work(call, plan, wait)
  return { action = call.action, version = call.version, host = call.host, params = call.params,
    request_id = call.request_id, plan = plan, wait = wait }
end

local function missing_parameter(operation, params)
  for _, name in ipairs(operation.required) do
    if not params[name] or params[name] == "" then return errors.missing(name) end
  end
  return nil
end

-- By product: the switch that says whether an endpoint serves its own region only.
local ENDPOINT = { ebs = "endpoint_region", ecs = "ecs_endpoint_region" }

local function check_endpoint(emu, call, region)
  local asked, switch = call.params.RegionId, ENDPOINT[call.product]
  if not region or not asked or asked == "" or asked == region.id then return nil end
  if not switch or emu.settings[switch] == "ignore" then return nil end
  local refusal = refuse("InvalidOperation.NotSupportedEndpoint")
  refusal.recommend = ""
  refusal.near_miss = ("the endpoint is that of %s, RegionId is %s"):format(region.id, asked)
  return refusal
end

local function check_call(emu, call, region)
  local account, operation, params = emu.world.account, call.operation, call.params
  if region and region.state == "failing" then return refuse("InternalError") end
  return check_endpoint(emu, call, region) or permissions.check_action(account, call)
    or missing_parameter(operation, params)
    or permissions.check_resources(account, call, operation)
end

local function token_problem(token)
  if #token <= 64 and not token:find("[^\x20-\x7e]") then return nil end
  return errors.invalid("ClientToken", "at most 64 ASCII characters")
end

local function heeds(emu, operation, token)
  if not token or token == "" or not operation.heeds_token then return false end
  return not operation.assumed_token or emu.settings.token_everywhere == "heed"
end

-- Returns the fingerprint of a call whose token counts, and the reply if the token already has one.
local function recall(emu, call, now)
  local token = call.params.ClientToken
  if not heeds(emu, call.operation, token) then return nil end
  local refusal = token_problem(token)
  if refusal then return nil, M.refused(call, refusal) end
  local fingerprint = tokens.fingerprint(call)
  local known
  known, refusal = emu.tokens:recall(token, fingerprint, now, emu.settings)
  return fingerprint, known or refusal and M.refused(call, refusal)
end

local function remember(emu, call, fingerprint, reply, now)
  if not fingerprint then return end
  local token = call.params.ClientToken
  local refusal = reply.refusal
  if refusal and not tokens.keeps(refusal, emu.settings, emu.ids) then
    emu.tokens:release(token)
  else
    emu.tokens:remember(token, fingerprint, reply, now)
  end
end

--- Stores the refusal of a fault rule under the call's ClientToken, if the operation itself could
--- have refused so.
---@param emu alicloud.emulator.Emulator
---@param call alicloud.emulator.Call
---@param refusal alicloud.emulator.Refusal
---@param now number
function M.note_refusal(emu, call, refusal, now)
  local token = call.params.ClientToken
  if not heeds(emu, call.operation, token) or emu.tokens.entries[token] then return end
  if not tokens.is_operation_own(refusal) then return end
  remember(emu, call, tokens.fingerprint(call), M.refused(call, refusal), now)
end

-- Runs the operation on the model. The operation itself writes its effects into the ledger.
local function operate(emu, call, now, plan)
  emu.world:advance_to(now)
  local context = { now = now, request_id = call.request_id, host = call.host,
    action = call.action, key_id = call.access_key_id, plan = plan }
  local result, refusal = call.operation.run(emu, call.params, context)
  if context.effect then call.entry.effect = true end
  if not result then return M.refused(call, refusal) end
  result.RequestId = call.request_id
  return { object = result, request_id = call.request_id }
end

local function put_off(emu, call, plan, now, at, fingerprint)
  if fingerprint then
    emu.tokens:hold(call.params.ClientToken, fingerprint, call.request_id, now)
  end
  emu:later(at, function(moment)
    remember(emu, call, fingerprint, operate(emu, call, moment, plan), moment)
  end, M.work(call, plan))
end

--- Checks a call now and runs it `apply_late` seconds later. The answer is RequestTimeout or the
--- rule's error, unless the check refuses.
local function operate_late(emu, call, now, plan, fingerprint)
  emu.world:advance_to(now)
  local check = call.operation.check
  local refusal = check and check(emu, call.params, now)
  if refusal then
    local reply = M.refused(call, refusal)
    remember(emu, call, fingerprint, reply, now)
    return reply
  end
  put_off(emu, call, plan, now, now + plan.apply_late, fingerprint)
  return M.refused(call, plan.error and faults.refusal(plan.error) or refuse("RequestTimeout"))
end

-- The plan of a call to an overloaded region: answered with RequestTimeout, and done later.
local function overloaded_plan(emu, plan)
  local late = {}
  for name, value in pairs(plan) do late[name] = value end
  late.apply_late = late.apply_late or emu.world.timings.overload
  return late
end

--- Runs a call, now or later.
---@param emu alicloud.emulator.Emulator
---@param call alicloud.emulator.Call  admitted by `admission.check`
---@param plan alicloud.emulator.Plan  effect of the fault rule that fires, or an empty table
---@param now number  model time
---@return alicloud.emulator.Reply
function M.run(emu, call, plan, now)
  local region = regions.of(emu.world, call)
  local refusal = check_call(emu, call, region)
  if refusal then return M.refused(call, refusal) end
  local fingerprint, known = recall(emu, call, now)
  if known then return known end
  local changes = call.operation.mutating or fingerprint ~= nil
  if region and region.state == "overloaded" then
    if not changes then return M.refused(call, refuse("RequestTimeout")) end
    plan = overloaded_plan(emu, plan)
  end
  if plan.apply_late and changes then return operate_late(emu, call, now, plan, fingerprint) end
  local reply = operate(emu, call, now, plan)
  remember(emu, call, fingerprint, reply, now)
  return reply
end

--- Checks the list `later` of a description: operations that exist, with required parameters.
---@param list table[]|nil
---@return string|nil problem
function M.late_problem(list)
  for index, late in ipairs(list or {}) do
    local operation = operations.find(late.version, late.action)
    if not operation then
      return ("later[%d].action: no operation %q of version %q"):format(index, late.action,
        late.version)
    end
    for _, name in ipairs(operation.required) do
      if not late.params[name] then
        return ("later[%d].params.%s: is required"):format(index, name)
      end
    end
  end
  return nil
end

--- Schedules a call that a description lists as accepted and not done yet.
---@param emu alicloud.emulator.Emulator
---@param late table  an element of `later`
function M.resume(emu, late)
  local call = { action = late.action, version = late.version, host = late.host or "",
    params = late.params, request_id = late.request_id, entry = {},
    operation = operations.find(late.version, late.action) }
  local counts = heeds(emu, call.operation, late.params.ClientToken)
  put_off(emu, call, { stuck = late.stuck, partial = late.partial }, emu:now(), late.at,
    counts and tokens.fingerprint(call) or nil)
end

return M
