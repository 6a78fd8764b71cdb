--- One request through the model: who asks, what, may it, does a fault intervene, what is answered.
-- Both mounts call this; neither a socket nor a sleep is in here.

local core = require "alicloud.core"
local answer = require "alicloud.emulator.gateway.answer"
local errors = require "alicloud.emulator.gateway.errors"
local faults = require "alicloud.emulator.gateway.faults"
local limiter = require "alicloud.emulator.gateway.quotas"
local metadata = require "alicloud.emulator.gateway.metadata"
local products = require "alicloud.emulator.operations"
local policy = require "alicloud.emulator.gateway.permissions"
local regions = require "alicloud.emulator.model.regions"
local nonces = require "alicloud.emulator.gateway.nonces"
local state = require "alicloud.emulator.model.state"
local sts = require "alicloud.emulator.gateway.sts"
local tokens = require "alicloud.emulator.gateway.tokens"
local verify = require "alicloud.emulator.gateway.signature"
local wire = require "alicloud.emulator.gateway.request"
local tables = require "alicloud.base.tables"

local M = {}

local refuse = errors.refuse
local LATEST = "2021-07-30"
local METHODS = { GET = true, POST = true }
local NO_EFFECT = {}

---@class alicloud.emulator.Outcome  exactly one of the five, or an alicloud.Performed
---@field answer alicloud.emulator.Answer|nil
---@field drop boolean|nil  close the connection without an answer
---@field refused boolean|nil  nobody listens
---@field silent boolean|nil  take the request and never answer
---@field at number|nil  model time at which to call `resume`
---@field resume (fun(now: number): alicloud.emulator.Outcome)|nil
---@field work alicloud.emulator.Work|nil  what `resume` will do to the world

---@class alicloud.emulator.Work  a call that was accepted and is not done yet
---@field action string
---@field version string
---@field host string
---@field params table<string, string>
---@field request_id string
---@field plan alicloud.emulator.Plan
---@field wait number|nil  model seconds that it will be put off once more

---@class alicloud.emulator.Context
---@field now number  model time of the work
---@field request_id string
---@field host string
---@field action string
---@field plan alicloud.emulator.Plan
---@field wait number|nil  model seconds that it will be put off once more
---@field key_id string|nil  who asks
---@field effect boolean|nil  set by an operation that changed the world

-- A plan carries no signature, so its key can only be known or not.
local function authenticate(emu, call, now)
  if emu.auth == "off" then return nil end
  if call.by_value then
    return verify.key(call, emu.keys, emu.settings) or sts.check(emu, call, now)
  end
  local refusal = verify.signature(call, emu.keys, emu.settings)
  refusal = refusal or sts.check(emu, call, now)
  if refusal then return refusal end
  local date, nonce = verify.freshness(call)
  return nonces.check_date(date, now, emu.settings)
    or emu.nonces:take(call.access_key_id, nonce, now, emu.settings.time_window)
end

local function is_known(action)
  for _, product in pairs(products) do
    if product.operations[action] then return true end
  end
  return false
end

local function find_operation(emu, call)
  local product = products[call.version]
  local operation = product and product.operations[call.action]
  if operation then
    call.product, call.operation = product.product, operation
    return nil
  end
  if is_known(call.action) then return refuse("InvalidVersion") end
  local refusal = refuse(emu.settings.unknown_action)
  local nearest = core.suggest(call.action,
    tables.keys((product or products[LATEST]).operations))
  refusal.near_miss = nearest and ("no operation %s, nearest is %s"):format(call.action, nearest)
  return refusal
end

local function check_envelope(emu, call)
  if not METHODS[call.method:upper()] then return refuse("UnsupportedHTTPMethod") end
  if call.path ~= "/" and call.path ~= "" then return refuse(emu.settings.unknown_action) end
  if not call.action then
    return refuse("MissingParameter",
      "The parameter Action, which names the operation, is missing.")
  end
  return find_operation(emu, call)
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
  emu.world:advance_to(now)
  local context = {
    now = now, request_id = call.request_id, host = call.host, action = call.action,
    key_id = call.access_key_id,
    plan = plan or NO_EFFECT,
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

local function work_of(call, plan, wait)
  return { action = call.action, version = call.version, host = call.host, params = call.params,
    request_id = call.request_id, plan = plan, wait = wait }
end

local function put_off(emu, call, operation, plan, now, at, fingerprint)
  local token = fingerprint and call.params.ClientToken
  if token then emu.tokens:hold(token, fingerprint, call.request_id, now) end
  emu:later(at, function(moment)
    settle_token(emu, token, fingerprint, run(emu, call, operation, moment, plan), moment)
  end, work_of(call, plan))
end

--- Accepts now and works later: the answer is lost in a timeout meanwhile.
local function run_late(emu, call, operation, now, plan, fingerprint)
  emu.world:advance_to(now)
  local refusal = operation.check and operation.check(emu, call.params, now)
  if refusal then return failure(refusal, call.request_id) end
  put_off(emu, call, operation, plan, now, now + plan.apply_late, fingerprint)
  return failure(plan.error and faults.refusal(plan.error) or refuse("RequestTimeout"),
    call.request_id)
end

-- A region in trouble: what it accepts is lost in a timeout, and done when there is time for it.
local function overloaded_plan(emu, plan)
  local late = {}
  for name, value in pairs(plan) do late[name] = value end
  late.apply_late = late.apply_late or emu.world.timings.overload
  return late
end

local function check_call(emu, call, region)
  local account, operation, params = emu.world.account, call.operation, call.params
  if region and region.state == "failing" then return refuse("InternalError") end
  if region and emu.settings.endpoint_region == "match" and params.RegionId
    and params.RegionId ~= region.id then
    return refuse("NoSuchResource")
  end
  return policy.action(account, call) or missing_parameter(operation, params)
    or policy.resource(account, call, operation)
end

local function heeds(emu, operation, token)
  if not token or token == "" or not operation.heeds_token then return false end
  return not operation.assumed_token or emu.settings.token_everywhere == "heed"
end

local function use_token(emu, call, now)
  local token = call.params.ClientToken
  if not heeds(emu, call.operation, token) then return nil end
  local refusal = token_problem(token)
  if refusal then return nil, failure(refusal, call.request_id) end
  local fingerprint = tokens.fingerprint(call)
  local known
  known, refusal = emu.tokens:recall(token, fingerprint, now, emu.settings)
  return fingerprint, known or refusal and failure(refusal, call.request_id)
end

local function perform(emu, call, plan, now)
  local operation, region = call.operation, regions.of(emu.world, call)
  local refusal = check_call(emu, call, region)
  if refusal then return failure(refusal, call.request_id) end
  local fingerprint, known = use_token(emu, call, now)
  if known then return known end
  if region and region.state == "overloaded" then
    if not (operation.mutating or fingerprint) then
      return failure(refuse("RequestTimeout"), call.request_id)
    end
    plan = overloaded_plan(emu, plan)
  end
  if plan.apply_late and (operation.mutating or fingerprint) then
    return run_late(emu, call, operation, now, plan, fingerprint)
  end
  local reply = run(emu, call, operation, now, plan)
  if fingerprint then settle_token(emu, call.params.ClientToken, fingerprint, reply, now) end
  return reply
end

local function copy_of(value)
  if type(value) ~= "table" then return value end
  local copy = setmetatable({}, getmetatable(value))
  for key, member in pairs(value) do copy[key] = copy_of(member) end
  return copy
end

-- What a token remembers must not change in the hands of the client.
local function hand_over(call, reply, now)
  local object = reply.object
  if call.params.ClientToken then object = copy_of(object) end
  return { result = object, request_id = reply.request_id, status = 200, date = now // 1 | 0 }
end

local function speak(emu, call, reply, now)
  local entry = call.entry
  entry.request_id = reply.request_id
  local refusal = reply.refusal
  if not refusal then
    entry.status = 200
    if call.by_value and call.format == "JSON" then return hand_over(call, reply, now) end
    return { answer = answer.render(call, 200, reply.object, emu.clock:date(now)) }
  end
  entry.status, entry.code = refusal.status, refusal.code
  local detail = call.near_miss or refusal.near_miss
  if detail then emu.request_log:add_near_miss(call, refusal.code, detail, now) end
  return { answer = answer.refusal(call, refusal, emu.clock:date(now)) }
end

local function drop(call)
  call.entry.code = "dropped"
  return { drop = true }
end

local function hold(at, resume, work) return { at = at, resume = resume, work = work } end

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
  local rule = emu.faults:select(call, now - emu.first_request_at)
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
  if not effect.delay then return go_on(now) end
  local in_vain = not effect.apply_late and (effect.error or effect.drop)
  local work_left = call.operation.mutating and not in_vain
  return hold(now + effect.delay, go_on,
    work_left and work_of(call, effect, effect.apply_late) or nil)
end

local READS = "^Describe"

local function verdict(emu, call, readable, now)
  if not readable then
    return refuse("InvalidParameter", "The request has a broken percent escape.")
  end
  if sts.is_anonymous(call) then return check_envelope(emu, call) end
  return authenticate(emu, call, now) or check_envelope(emu, call)
end

local function dark_outcome(emu, call)
  local region = regions.of(emu.world, call)
  if not state.is_dark(region) then return nil end
  if region.state == "blackhole" then return { silent = true } end
  return { refused = true }
end

local function take(emu, call, readable)
  if emu.clock.mode == "poll" and call.action and call.action:find(READS) then
    emu.clock:advance(emu.clock.step)
  end
  if not emu.first_request_at then emu:begin_rehearsal() end
  emu:catch_up()
  local dark = dark_outcome(emu, call)
  if dark then return dark end
  local now = emu.clock:now()
  call.request_id = emu.ids:request_id()
  call.entry = emu.request_log:open(call, now)
  local refusal = verdict(emu, call, readable, now)
  refusal = refusal or limiter.refuse(emu, call, now)
  if refusal then return speak(emu, call, failure(refusal, call.request_id), now) end
  local token = call.params.ClientToken
  if token then
    call.token_use = emu.tokens:meet(token)
    call.entry.token = call.token_use
  end
  return intervene(emu, call, now)
end

local function find_operation_of(late)
  local product = products[late.version]
  return product and product.operations[late.action]
end

--- Looks for work in a description that no operation does.
---@param list table[]|nil
---@return string|nil problem
function M.late_problem(list)
  for index, late in ipairs(list or {}) do
    local operation = find_operation_of(late)
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

--- Puts off what a description says was accepted and is not done yet.
---@param emu alicloud.emulator.Emulator
---@param late table  an element of `later`
function M.resume(emu, late)
  local call = { action = late.action, version = late.version, host = late.host or "",
    params = late.params, request_id = late.request_id, entry = {} }
  local operation = find_operation_of(late)
  local token = late.params.ClientToken
  local counts = heeds(emu, operation, token)
  put_off(emu, call, operation, { stuck = late.stuck, partial = late.partial }, emu:now(), late.at,
    counts and tokens.fingerprint(call) or nil)
end

--- Handles one request.
---@param emu alicloud.emulator.Emulator
---@param request table  { method, path, query, headers (lower-case names), body, mount, region }
---@return alicloud.emulator.Outcome
function M.handle(emu, request)
  local beside = request.path ~= "/" and metadata.serve(emu, request)
  if beside then return beside end
  local call, readable = wire.read(request, emu.settings)
  return take(emu:of_key(verify.claimed_key(call)), call, readable)
end

--- Handles one request that never was bytes.
---@param emu alicloud.emulator.Emulator
---@param plan alicloud.PlannedRequest
---@return alicloud.emulator.Outcome
function M.perform(emu, plan)
  emu = emu:of_key(plan.access_key_id)
  -- Signing would have drawn a nonce; so both ways go on drawing the same tokens.
  emu.ids:skip()
  return take(emu, wire.of_plan(plan, emu.settings), true)
end

return M
