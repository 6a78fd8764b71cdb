--- One failover of one group: look, pre-check, ask, look again as long as the answer is in doubt,
--- wait until the group and every pair are open.
---
--- The service offers an idempotency token but no compare-and-set, and nobody says how long it
--- remembers a token. So nothing is sent again unless several looks agree that nothing has
--- happened, only with the same token, and only within a short window after the first send.
--- A journal may be told before and after, and a failover whose process died be continued: the
--- rules of both are those of alicloud.dr.seam.
--- Source: FailoverDiskReplicaGroup; "How to ensure idempotence".

local alicloud = require "alicloud"
local guard = require "alicloud.guard"
local intents = require "alicloud.dr.intent"
local precheck = require "alicloud.dr.precheck"
local seam = require "alicloud.dr.seam"
local snapshots = require "alicloud.dr.snapshot"
local states = require "alicloud.dr.states"
local verdict = require "alicloud.dr.verdict"
local watches = require "alicloud.dr.watch"

local M = {}

local ACTION = "FailoverDiskReplicaGroup"

-- Looks at a group whose lists do not agree, before that is held against it.
local SETTLING_LOOKS = 3
local SETTLING_PAUSE = 2

local THROTTLE_PAUSE = 5
local SHORTEST_CALL = 1

-- A look that is this fresh is enough where no effect can exist: the service has said so.
local ONE_LOOK = { reads = 1, span = 0 }

-- Refusals that a moving group causes, or that pass by themselves.
local WORTH_A_LOOK = {
  ["OperationDenied.InvalidStatus"] = true,
  ["OperationDenied.PairGroupStatusConflict"] = true,
}

---@class alicloud.dr.Run
---@field group alicloud.dr.Group
---@field options alicloud.dr.FailoverOptions durations in seconds
---@field runtime alicloud.Runtime wall clock and chance
---@field loop alicloud.Loop every wait goes through it
---@field intent alicloud.dr.Intent? from the decision on
---@field watch alicloud.dr.Watch?
---@field attempts integer
---@field request_ids string[]
---@field doubtful boolean an attempt ended without a usable answer
---@field accepted { request_id: string, server_time: number? }?
---@field joined boolean what is awaited cannot be the effect of a call of ours
---@field seen_refusals table<string, boolean>
local Run = {}
Run.__index = Run

function Run:now()
  return self.loop.now()
end

function Run:elapsed()
  return self:now() - self.started
end

-- Whoever listens can neither break nor change a failover; only Ctrl-C gets through.
function Run:emit(event)
  local listener = self.options.progress
  if not listener then return end
  event.elapsed = self:elapsed()
  event.client_token = event.client_token or self.intent and self.intent.client_token
  guard.call(listener, event)
end

function Run:look(options)
  local snapshot, err = self.group:observe(options)
  if snapshot then self:emit { event = "looked", snapshot = snapshot } end
  return snapshot, err
end

-- Membership lags behind on the service's side, so lists that do not agree get a second chance.
function Run:first_look()
  local snapshot, err
  for i = 1, SETTLING_LOOKS do
    snapshot, err = self:look()
    if not snapshot or snapshot.role ~= "secondary" then break end
    if not snapshots.pair_set_fault(snapshot) then break end
    if i < SETTLING_LOOKS then self.loop.sleep(SETTLING_PAUSE) end
  end
  return snapshot, err
end

local function is_under_way(snapshot)
  if snapshot.role ~= "secondary" or #snapshot.pairs == 0 then return false end
  if snapshots.pair_set_fault(snapshot) then return false end
  return snapshot.status == "failovering"
    or snapshot.status == "failovered" and snapshots.count(snapshot, "failover_failed") == 0
end

-- "done", "join", "send", or a refusal.
function Run:decide(snapshot)
  if snapshots.is_failovered(snapshot) then return "done" end
  if is_under_way(snapshot) then return "join" end
  local report = precheck.evaluate(snapshot, self.options.max_rpo)
  self:emit { event = "checked", snapshot = snapshot, report = report }
  if not report.ok then return nil, report end
  return "send", report
end

-- People take minutes to answer; the world that they answered for may be gone by then.
function Run:confirm(snapshot, report)
  local agreed = self.options.confirm(snapshot, report)
  if not agreed then return verdict.not_confirmed(self) end
  local asked = intents.new(snapshot, "")
  local now, err = self:first_look()
  if not now then return verdict.unreadable(self, err) end
  if now.role == "absent" then return verdict.refused(self, precheck.evaluate(now)) end
  local difference = intents.difference(asked, now)
  if difference then return verdict.world_changed(self, difference) end
  return now
end

function Run:token_for(snapshot)
  local options = self.options
  if options.continue then return options.continue.intent.client_token end
  if options.incident then return intents.incident_token(snapshot, options.incident) end
  return options.client_token or self.runtime.random_hex(16)
end

function Run:commit(intent)
  self.intent = intent
  self.watch = watches.new {
    judge = function(seen) return intents.judge(self.intent, seen) end,
    describe = snapshots.state, same = snapshots.same_state,
    began_failed = self.intent.status == "failover_failed",
    loop = self.loop, poll = self.options.poll,
    read = function(options) return self.group:observe(options) end,
    emit = function(event) self:emit(event) end,
    outlasted = function() return self.group.client:stats().waited_for_cloud end,
  }
  self.deadline = self:now() + self.options.timeout
end

-- A suspended machine stops the monotonic clock but not the service, so the wall clock counts too.
function Run:since_first_send()
  if not self.first_send then return 0 end
  return math.max(self:now() - self.first_send.monotonic,
    self.runtime.time() - self.first_send.wall)
end

function Run:window_left()
  return self.options.resend_window - self:since_first_send()
end

function Run:call_options()
  local options = { region = self.group.region, resend = "never" }
  if self.first_send then options.deadline = math.max(SHORTEST_CALL, self:window_left()) end
  return options
end

local function append(list, more)
  for _, value in ipairs(more or {}) do list[#list + 1] = value end
end

-- One call, which may be several attempts as long as each is known to have had no effect.
function Run:send()
  local options = self:call_options()
  self.first_send = self.first_send
    or { monotonic = self:now(), wall = self.runtime.time() }
  self:emit { event = "sending", attempt = self.attempts + 1 }
  local answer, err = self.group.client:call(ACTION, { RegionId = self.group.region,
    ReplicaGroupId = self.group.id, ClientToken = self.intent.client_token }, options)
  local meta = answer and alicloud.meta(answer) or err
  self.attempts = self.attempts + (meta.attempts or 1)
  append(self.request_ids, meta.request_ids)
  if answer then
    self.accepted = { request_id = meta.request_id, server_time = meta.server_time }
    self:emit { event = "accepted", request_id = meta.request_id }
    return nil
  end
  self.doubtful = self.doubtful or err.outcome == "unknown"
  self:emit { event = "unanswered", err = err }
  return err
end

-- A refusal because of the group's state is worth one more call, or several while the state is one
-- that ends by itself.
function Run:may_pass(err)
  if not WORTH_A_LOOK[err.code] then return false end
  local last = self.watch.last
  local first_time = not self.seen_refusals[err.code]
  self.seen_refusals[err.code] = true
  return first_time or last ~= nil and states.TRANSITIONAL[last.status] == true
end

-- How sure a look must be before the call may be made again; nil if the error is final.
function Run:patience_after(err)
  if self.doubtful and err.retryable or err.outcome == "unknown" or self:may_pass(err) then
    return watches.PATIENCE
  end
  return err.retryable and ONE_LOOK or nil
end

function Run:rest(err)
  if err.outcome == "unknown" or not err.retryable then return end
  local wish = math.max(err.retry_after or 0, THROTTLE_PAUSE)
  self.loop.sleep(math.max(0, math.min(wish, self:window_left())))
end

function Run:give_up(err)
  if self.doubtful then return verdict.unknown(self, err) end
  return verdict.rejected(self, err)
end

-- What the looks say of a call without a usable answer: "wait" if a failover is under way, "send"
-- if nothing has happened, or the end.
function Run:find_out(patience, err)
  -- Even when nothing may be sent any more, what has become of the call is worth some looks.
  local time = math.max(self:window_left(), patience.span)
  local judgement = self.watch:settle(patience, self:now() + time)
  if judgement == "arrived" or judgement == "moving" or judgement == "partial" then
    self.joined = not self.doubtful
    return "wait"
  end
  if judgement == "turned" or judgement == "changed" then return verdict.superseded(self, err) end
  if judgement == "failed" then return verdict.failed(self) end
  if judgement == "as_planned" and self:window_left() > 0 then return "send" end
  return self:give_up(err)
end

function Run:settle(err)
  local patience = self:patience_after(err)
  if not patience then return verdict.rejected(self, err) end
  self:rest(err)
  return self:find_out(patience, err)
end

function Run:carry_out()
  while true do
    local err = self:send()
    if not err then return self:wait() end
    local step, failure = self:settle(err)
    if step == "wait" then return self:wait() end
    if step ~= "send" then return nil, failure end
  end
end

function Run:write_down()
  local options = self.options
  return seam.intent(options.journal, {
    verb = "failover", action = ACTION, intent = self.intent,
    resend_window = options.resend_window, max_rpo = options.max_rpo,
    accept_loss = options.accept_loss,
  })
end

function Run:wait()
  local ending = self.watch:until_done(self.deadline, self.options.stall)
  if ending == "arrived" then
    local result = verdict.failovered(self)
    self:emit { event = "failovered", result = result, snapshot = result.snapshot }
    return result
  end
  if ending == "failed" then return verdict.failed(self) end
  if ending == "superseded" then return verdict.superseded(self) end
  return verdict.timeout(self, ending == "stalled")
end

function Run:follow(route, detail, snapshot)
  if route == "done" then return verdict.already(self, snapshot) end
  if not route then return verdict.refused(self, detail) end
  self:commit(intents.new(snapshot, self:token_for(snapshot)))
  if route == "send" then
    local written, fault = self:write_down()
    if not written then return verdict.unwritten(self, fault) end
    return self:carry_out()
  end
  self.joined = true
  self:emit { event = "joined", snapshot = snapshot }
  return self:wait()
end

function Run:begin()
  local snapshot, err = self:first_look()
  if not snapshot then return verdict.unreadable(self, err) end
  local past = self.options.continue
  local difference = past and snapshot.role ~= "absent"
    and intents.difference(past.intent, snapshot)
  if difference then return verdict.world_changed(self, difference) end
  local route, detail = self:decide(snapshot)
  if route == "send" and self.options.confirm then
    local confirmed, refusal = self:confirm(snapshot, detail)
    if not confirmed then return nil, refusal end
    snapshot = confirmed
    route, detail = self:decide(snapshot)
  end
  return self:follow(route, detail, snapshot)
end

-- A wall clock that went back tells as little as one that went ahead.
local function moment_of(past, loop, runtime)
  local age = math.abs(runtime.time() - past.first_send_wall)
  return { monotonic = loop.now() - age, wall = past.first_send_wall }
end

-- What was sent by a process that is gone: nothing is decided again, it is found out.
function Run:take_up(past)
  self:commit(past.intent)
  self.first_send = moment_of(past, self.loop, self.runtime)
  self.attempts, self.doubtful, self.accepted = past.attempts or 1, past.doubtful, past.accepted
  append(self.request_ids, past.request_ids)
  if self.accepted then return self:wait() end
  local step, failure = self:find_out(watches.PATIENCE, verdict.lost_answer(self))
  if step == "wait" then return self:wait() end
  if step == "send" then return self:carry_out() end
  return nil, failure
end

--- Runs one failover to its end.
---@param group alicloud.dr.Group
---@param options alicloud.dr.FailoverOptions durations in seconds, defaults filled in
---@return alicloud.dr.Result|nil
---@return alicloud.Error? err kind "precheck", "state", "timeout", "cancelled", "journal" or that
---of the call
function M.run(group, options)
  local client = group.client
  local run = setmetatable({
    words = verdict.FAILOVER, group = group, options = options,
    runtime = client.runtime, loop = client.loop,
    started = client.loop.now(),
    attempts = 0, request_ids = {}, doubtful = false, joined = false, seen_refusals = {},
  }, Run)
  local past = options.continue
  local result, err
  if past and past.first_send_wall then
    result, err = run:take_up(past)
  else
    result, err = run:begin()
  end
  if run.intent then seam.outcome(options.journal, "failover", run.intent, result, err) end
  return result, err
end

return M
