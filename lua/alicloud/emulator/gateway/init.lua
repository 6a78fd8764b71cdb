--- One request through the emulator, in the order of its files: request → admission (signature,
-- nonces, quotas) → faults → dispatch (permissions, tokens, operations) → answer.
-- Both mounts call this module. It opens no socket and never sleeps.

local admission = require "alicloud.emulator.gateway.admission"
local answer = require "alicloud.emulator.gateway.answer"
local dispatch = require "alicloud.emulator.gateway.dispatch"
local errors = require "alicloud.emulator.gateway.errors"
local faults = require "alicloud.emulator.gateway.faults"
local metadata = require "alicloud.emulator.gateway.metadata"
local regions = require "alicloud.emulator.model.regions"
local requests = require "alicloud.emulator.gateway.request"
local signature = require "alicloud.emulator.gateway.signature"
local state = require "alicloud.emulator.model.state"
local tables = require "alicloud.base.tables"

local M = {}

local READS = "^Describe"
local NO_EFFECT = {}

---@class alicloud.emulator.Outcome  one of answer, drop, refused, silent, at; or alicloud.Performed
---@field answer alicloud.emulator.Answer|nil
---@field drop boolean|nil  close the connection without an answer
---@field refused boolean|nil  refuse the connection
---@field silent boolean|nil  take the request and never answer
---@field at number|nil  model time at which to call `resume`
---@field resume (fun(now: number): alicloud.emulator.Outcome)|nil
---@field work alicloud.emulator.Work|nil  the change that `resume` will make, for snapshots

local function dark_outcome(emu, call)
  local region = regions.of(emu.world, call)
  if not state.is_dark(region) then return nil end
  if region.state == "blackhole" then return { silent = true } end
  return { refused = true }
end

-- Applies the option `messages`. A message made for this request, not the catalogue's, stays.
local function as_seen(emu, refusal)
  local seen = emu.messages[refusal.code]
  if not seen then return refusal end
  local known = errors.catalogue[refusal.code]
  local is_usual = not known or refusal.message == known[2]
  return tables.merged(refusal, { status = seen.status,
    message = is_usual and seen.text or refusal.message })
end

local function refusal_outcome(emu, call, refusal, now)
  if next(emu.messages) then refusal = as_seen(emu, refusal) end
  call.entry.status, call.entry.code = refusal.status, refusal.code
  local detail = call.near_miss or refusal.near_miss
  if detail then emu.request_log:add_near_miss(call, refusal.code, detail, now) end
  return { answer = answer.refusal(call, refusal, emu.clock:date(now)) }
end

local function copy_of(value)
  if type(value) ~= "table" then return value end
  local copy = setmetatable({}, getmetatable(value))
  for key, member in pairs(value) do copy[key] = copy_of(member) end
  return copy
end

-- The reply is stored under its token, so the client gets a copy that it may change.
local function value_outcome(call, reply, now)
  local object = reply.object
  if call.params.ClientToken then object = copy_of(object) end
  return { result = object, request_id = reply.request_id, status = 200, date = now // 1 | 0 }
end

local function outcome_of(emu, call, reply, now)
  call.entry.request_id = reply.request_id
  if reply.refusal then return refusal_outcome(emu, call, reply.refusal, now) end
  call.entry.status = 200
  if call.by_value and call.format == "JSON" then return value_outcome(call, reply, now) end
  return { answer = answer.render(call, 200, reply.object, emu.clock:date(now)) }
end

local function drop(call)
  call.entry.code = "dropped"
  return { drop = true }
end

local function hold(at, resume, work) return { at = at, resume = resume, work = work } end

local function fault_reply(call, effect)
  return dispatch.refused(call, faults.refusal(effect.error))
end

--- Runs the call, then applies what the rule does to the answer.
local function do_call(emu, call, rule, now)
  local effect = rule and rule.effect or NO_EFFECT
  local after = rule ~= nil and rule.when == "after"
  local reply = dispatch.run(emu, call, effect, now)
  if effect.drop and (after or effect.apply_late) then return drop(call) end
  if after and effect.error then reply = fault_reply(call, effect) end
  if not (after and effect.delay) then return outcome_of(emu, call, reply, now) end
  return hold(now + effect.delay, function(at) return outcome_of(emu, call, reply, at) end)
end

--- Applies an error or a drop of the rule in place of the call, or runs the call.
local function do_or_fail(emu, call, rule, now)
  local effect = rule.effect
  -- With apply_late the call must be accepted first; dispatch gives the error, `do_call` the drop.
  if not effect.apply_late then
    if effect.error then
      local reply = fault_reply(call, effect)
      dispatch.note_refusal(emu, call, reply.refusal, now)
      return outcome_of(emu, call, reply, now)
    end
    if effect.drop then return drop(call) end
  end
  return do_call(emu, call, rule, now)
end

local function do_delayed(emu, call, rule, now)
  local effect = rule.effect
  local in_vain = not effect.apply_late and (effect.error or effect.drop)
  local work = call.operation.mutating and not in_vain
    and dispatch.work(call, effect, effect.apply_late) or nil
  return hold(now + effect.delay, function(at) return do_or_fail(emu, call, rule, at) end, work)
end

local function under_faults(emu, call, now)
  local rule = emu.faults:select(call, now - emu.first_request_at)
  if not rule then return do_call(emu, call, nil, now) end
  call.entry.fault = rule.name
  if rule.when == "after" then return do_call(emu, call, rule, now) end
  if rule.effect.delay then return do_delayed(emu, call, rule, now) end
  return do_or_fail(emu, call, rule, now)
end

local function meet_token(emu, call)
  local token = call.params.ClientToken
  if not token then return end
  call.token_use = emu.tokens:meet(token)
  call.entry.token = call.token_use
end

local function follow_clock(emu, call)
  if emu.clock.mode == "poll" and call.action and call.action:find(READS) then
    emu.clock:advance(emu.clock.step)
  end
  if not emu.first_request_at then emu:begin_rehearsal() end
  emu:catch_up()
end

local function take(emu, call, readable)
  follow_clock(emu, call)
  local dark = dark_outcome(emu, call)
  if dark then return dark end
  local now = emu.clock:now()
  call.request_id = emu.ids:request_id()
  call.entry = emu.request_log:open(call, now)
  local refusal = admission.check(emu, call, readable, now)
  if refusal then return outcome_of(emu, call, dispatch.refused(call, refusal), now) end
  meet_token(emu, call)
  return under_faults(emu, call, now)
end

--- Handles one request.
---@param emu alicloud.emulator.Emulator
---@param received table  { method, path, query, headers (lower-case names), body, mount, region }
---@return alicloud.emulator.Outcome
function M.handle(emu, received)
  local beside = received.path ~= "/" and metadata.serve(emu, received)
  if beside then return beside end
  local call, readable = requests.read(received, emu.settings)
  return take(emu:of_key(signature.claimed_key(call)), call, readable)
end

--- Handles one request that comes as a plan, not as bytes.
---@param emu alicloud.emulator.Emulator
---@param plan alicloud.PlannedRequest
---@return alicloud.emulator.Outcome
function M.perform(emu, plan)
  emu = emu:of_key(plan.access_key_id)
  -- Signing draws a nonce. Skipping one number keeps the later tokens the same on both ways.
  emu.ids:skip()
  return take(emu, requests.of_plan(plan, emu.settings), true)
end

return M
