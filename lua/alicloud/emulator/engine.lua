--- One request through the model: who asks, what, may it, does a fault intervene, what is answered.
-- Both mounts call this; neither a socket nor a sleep is in here.

local core = require "alicloud.core"
local answer = require "alicloud.emulator.answer"
local errors = require "alicloud.emulator.errors"
local faults = require "alicloud.emulator.faults"
local operations = require "alicloud.emulator.operations"
local replay = require "alicloud.emulator.replay"
local shape = require "alicloud.emulator.shape"
local tokens = require "alicloud.emulator.tokens"
local verify = require "alicloud.emulator.verify"
local wire = require "alicloud.emulator.wire"

local M = {}

local refuse = errors.refuse
local VERSION = "2021-07-30"
local METHODS = { GET = true, POST = true }
local NO_EFFECT = {}

---@class alicloud.emulator.Outcome  exactly one of the three
---@field answer alicloud.emulator.Answer|nil
---@field drop boolean|nil  close the connection without an answer
---@field at number|nil  model time at which to call `resume`
---@field resume (fun(now: number): alicloud.emulator.Outcome)|nil

---@class alicloud.emulator.Context
---@field now number  model time of the work
---@field request_id string
---@field host string
---@field plan alicloud.emulator.Plan
---@field effect boolean|nil  set by an operation that changed the world

local function authenticate(emu, call, now)
  if emu.auth == "off" then return nil end
  local refusal = verify.signature(call, emu.keys, emu.settings)
  if refusal then return refusal end
  local date, nonce = verify.freshness(call)
  return replay.check_date(date, call.mount, emu.clock, emu.settings)
    or emu.replay:take(call.access_key_id, nonce, now, emu.settings.time_window)
end

local function check_envelope(emu, call)
  if not METHODS[call.method:upper()] then return refuse("UnsupportedHTTPMethod") end
  if call.path ~= "/" and call.path ~= "" then return refuse(emu.settings.unknown_action) end
  if not call.action then
    return refuse("MissingParameter",
      "The parameter Action, which names the operation, is missing.")
  end
  if operations[call.action] then
    return call.version ~= VERSION and refuse("InvalidVersion") or nil
  end
  local refusal = refuse(emu.settings.unknown_action)
  local nearest = core.suggest(call.action, shape.names(operations))
  refusal.near_miss = nearest and ("no operation %s, nearest is %s"):format(call.action, nearest)
  return refusal
end

local function missing_parameter(operation, params)
  for _, name in ipairs(operation.required) do
    if not params[name] or params[name] == "" then
      return refuse("MissingParameter",
        ("The parameter %s that is mandatory for this request is missing."):format(name))
    end
  end
  return nil
end

local function token_problem(token)
  if #token <= 64 and not token:find("[^\x20-\x7e]") then return nil end
  return refuse("InvalidParameter",
    "The specified parameter ClientToken is not valid: at most 64 ASCII characters.")
end

--- Answers are kept as objects, not as bytes, so that a repeat may ask for another format.
local function success(result, request_id)
  result.RequestId = request_id
  return { object = result, request_id = request_id }
end

local function failure(refusal, request_id)
  return { refusal = refusal, request_id = request_id }
end

local function run(emu, call, operation, now, plan)
  local context = {
    now = now, request_id = call.request_id, host = call.host, plan = plan or NO_EFFECT,
  }
  local result, refusal = operation.run(emu, call.params, context)
  if context.effect then call.entry.effect = true end
  if result then return success(result, call.request_id) end
  return failure(refusal, call.request_id)
end

local function settle_token(emu, token, fingerprint, reply, now)
  if not token then return end
  if reply.refusal and emu.settings.token_errors == "forget" then
    emu.tokens:release(token)
  else
    emu.tokens:remember(token, fingerprint, reply, now)
  end
end

--- Accepts now and works later: the answer is lost in a timeout meanwhile.
local function run_late(emu, call, operation, now, plan, fingerprint)
  local refusal = operation.check and operation.check(emu, call.params, now)
  if refusal then return failure(refusal, call.request_id) end
  local token = call.params.ClientToken
  if token then emu.tokens:hold(token, fingerprint, call.request_id, now) end
  emu:later(now + plan.apply_late, function(at)
    settle_token(emu, token, fingerprint, run(emu, call, operation, at, plan), at)
  end)
  return failure(plan.error and faults.refusal(plan.error) or refuse("RequestTimeout"),
    call.request_id)
end

local function perform(emu, call, plan, now)
  local operation, params = operations[call.action], call.params
  local refusal = missing_parameter(operation, params)
  if refusal then return failure(refusal, call.request_id) end
  if not operation.mutating then return run(emu, call, operation, now, plan) end
  local token, fingerprint = params.ClientToken, nil
  if token then
    refusal = token_problem(token)
    if refusal then return failure(refusal, call.request_id) end
    fingerprint = tokens.fingerprint(call)
    local known
    known, refusal = emu.tokens:recall(token, fingerprint, now, emu.settings)
    if known then return known end
    if refusal then return failure(refusal, call.request_id) end
  end
  if plan.apply_late then return run_late(emu, call, operation, now, plan, fingerprint) end
  local reply = run(emu, call, operation, now, plan)
  settle_token(emu, token, fingerprint, reply, now)
  return reply
end

local function speak(emu, call, reply, now)
  local entry, date = call.entry, emu.clock:date(now)
  entry.request_id = reply.request_id
  local refusal = reply.refusal
  if not refusal then
    entry.status = 200
    return { answer = answer.render(call, 200, reply.object, date) }
  end
  entry.status, entry.code = refusal.status, refusal.code
  local detail = call.near_miss or refusal.near_miss
  if detail then emu.journal:near_miss(call, refusal.code, detail, now) end
  return { answer = answer.refusal(call, refusal, date) }
end

local function drop(call)
  call.entry.code = "dropped"
  return { drop = true }
end

local function hold(at, resume) return { at = at, resume = resume } end

--- Applies the request, and afterwards whatever the rule does to the answer.
local function work(emu, call, rule, now)
  local effect = rule and rule.effect or NO_EFFECT
  local after = rule ~= nil and rule.when == "after"
  local reply = perform(emu, call, effect, now)
  if effect.drop and (after or effect.apply_late) then return drop(call) end
  if after and effect.error then reply = failure(faults.refusal(effect.error), call.request_id) end
  if not (after and effect.delay) then return speak(emu, call, reply, now) end
  return hold(now + effect.delay, function(at) return speak(emu, call, reply, at) end)
end

local function intervene(emu, call, now)
  local rule = emu.faults:select(call)
  if not rule then return work(emu, call, nil, now) end
  local effect = rule.effect
  call.entry.fault = rule.name
  if rule.when == "after" then return work(emu, call, rule, now) end
  local function go_on(at)
    -- What is applied late must get as far as being accepted; its answer is lost there.
    if effect.apply_late then return work(emu, call, rule, at) end
    if effect.error then
      return speak(emu, call, failure(faults.refusal(effect.error), call.request_id), at)
    end
    if effect.drop then return drop(call) end
    return work(emu, call, rule, at)
  end
  if effect.delay then return hold(now + effect.delay, go_on) end
  return go_on(now)
end

--- Handles one request.
---@param emu alicloud.emulator.Emulator
---@param request table  { method, path, query, headers (lower-case names), body, mount }
---@return alicloud.emulator.Outcome
function M.handle(emu, request)
  emu:catch_up()
  local now = emu.clock:now()
  local call, readable = wire.read(request, emu.settings)
  call.request_id = emu.ids:request_id()
  call.entry = emu.journal:open(call, now)
  local refusal
  if not readable then
    refusal = refuse("InvalidParameter", "The request has a broken percent escape.")
  else
    refusal = authenticate(emu, call, now) or check_envelope(emu, call)
  end
  if refusal then return speak(emu, call, failure(refusal, call.request_id), now) end
  call.token_use = emu.tokens:meet(call.params.ClientToken)
  call.entry.token = call.params.ClientToken and call.token_use or nil
  return intervene(emu, call, now)
end

return M
