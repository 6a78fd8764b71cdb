--- One change of a group, a drill, a disk or an instance, made once: send, look again as long as
--- the answer is in doubt, wait until what is seen says done.
---
--- The service offers an idempotency token but no compare-and-set, and nobody says how long it
--- remembers a token. So nothing is sent again unless several looks agree that nothing has
--- happened, only with the same token, and only within a short window after the first send.
--- What the change is, and what a look at it means, is told by its goal.
--- A journal may be told before and after, and a change whose process died be continued: the rules
--- of both are those of alicloud.dr.journal.protocol.

local core = require "alicloud.core"
local guard = require "alicloud.base.guard"
local intents = require "alicloud.dr.model.intent"
local metas = require "alicloud.base.meta"
local seam = require "alicloud.dr.journal.protocol"
local states = require "alicloud.dr.model.states"
local verdict = require "alicloud.dr.change.failures"
local watches = require "alicloud.dr.change.poller"

local M = {}

local THROTTLE_PAUSE = 5
local SHORTEST_CALL = 1

-- A look that is this fresh is enough where no effect can exist: the service has said so.
local ONE_LOOK = { reads = 1, span = 0 }

-- Refusals that pass by themselves, or that a change under way causes, by product.
local WORTH_A_LOOK = {
  ebs = {
    ["OperationDenied.InvalidStatus"] = true,
    ["OperationDenied.PairGroupStatusConflict"] = true,
  },
  ecs = {
    ["IncorrectDiskStatus"] = true,
    ["IncorrectInstanceStatus"] = true,
    ["InvalidDisk.InUse"] = true,
    ["InvalidDisk.AlreadyDetached"] = true,
  },
}

-- Refusals of a call that another region may serve: which one serves the calls of a group after a
-- reversal is not documented.
local WRONG_REGION = {
  ["NoSuchResource"] = true,
  ["OperationDenied.OperateNotAllowedForPrimary"] = true,
  ["OperationDenied.OperateNotAllowedForStandby"] = true,
}

---@class alicloud.dr.Goal
---@field regions string[] where the call may be served, the likeliest first
---@field params table without RegionId and ClientToken
---@field takes_region boolean? false: the operation has no RegionId
---@field intent alicloud.dr.Intent|table what was decided; its client_token goes with the call
---@field read fun(options: table): table|nil, alicloud.Error?
---@field glance alicloud.dr.Glance? for whoever waits for the end
---@field judge fun(intent: table, seen: table): alicloud.dr.Judgement, string
---@field describe fun(seen: table): string
---@field same fun(earlier: table, later: table): boolean no news between two looks
---@field began_failed boolean? what was decided on had failed before
---@field on_accept fun(answer: table)?
---@field terms table? more fields of what the journal is told, e.g. max_rpo
---@field unjournaled boolean? it has no token, so there is nothing to continue

---@class alicloud.dr.MutationOptions
---@field timeout number seconds from the call to the end
---@field stall number seconds without any change
---@field poll number
---@field resend_window number
---@field client_token string?
---@field incident string?
---@field progress fun(event: table)?
---@field journal alicloud.dr.Journal?
---@field continue alicloud.dr.Continue?

---@class alicloud.dr.Mutation
---@field words alicloud.dr.Words
---@field group alicloud.dr.Group
---@field options alicloud.dr.MutationOptions
---@field runtime alicloud.Runtime wall clock and chance
---@field loop alicloud.Loop every wait goes through it
---@field goal alicloud.dr.Goal? from the decision on
---@field intent alicloud.dr.Intent|table? from the decision on
---@field region string? where the call goes, from the decision on
---@field watch alicloud.dr.Watch? from the decision on
---@field attempts integer
---@field request_ids string[]
---@field doubtful boolean an attempt ended without a usable answer
---@field accepted { request_id: string, server_time: number? }?
---@field seen_refusals table<string, boolean>
---@field joined boolean what is awaited cannot be the effect of a call of ours
local Mutation = {}
Mutation.__index = Mutation

--- Begins a change; nothing is sent yet.
---@param group alicloud.dr.Group
---@param words alicloud.dr.Words
---@param options alicloud.dr.MutationOptions
---@return alicloud.dr.Mutation
function M.new(group, words, options)
  local client = group.client
  return setmetatable({
    words = words, group = group, options = options,
    runtime = client.runtime, loop = client.loop, started = client.loop.now(),
    attempts = 0, request_ids = {}, doubtful = false, joined = false, seen_refusals = {},
    place = 1,
  }, Mutation)
end

function Mutation:now()
  return self.loop.now()
end

--- Seconds since the beginning.
---@return number
function Mutation:elapsed()
  return self:now() - self.started
end

--- Tells whoever listens, who can neither break nor change anything; only Ctrl-C gets through.
---@param event table
function Mutation:emit(event)
  local listener = self.options.progress
  if not listener then return end
  event.elapsed, event.verb = self:elapsed(), self.words.verb
  event.client_token = event.client_token or self.intent and self.intent.client_token
  guard.call(listener, event)
end

--- The token that the change goes under.
---@param snapshot alicloud.dr.Snapshot by which it was decided
---@param derive fun(snapshot: alicloud.dr.Snapshot, incident: string, words: alicloud.dr.Words):
---string the token of an incident
---@return string
function Mutation:token(snapshot, derive)
  local options = self.options
  if options.continue then return options.continue.intent.client_token end
  if options.incident then return derive(snapshot, options.incident, self.words) end
  return options.client_token or self.runtime.random_hex(16)
end

-- Where the call goes is part of what was decided.
function Mutation:aim()
  self.region = self.goal.regions[self.place]
  self.intent.region = self.region
end

function Mutation:commit(goal)
  self.goal, self.intent = goal, goal.intent
  self:aim()
  self.watch = watches.new {
    judge = function(seen) return goal.judge(goal.intent, seen) end,
    describe = goal.describe, same = goal.same,
    began_failed = goal.began_failed or false,
    outlasted = function() return self.group.client:stats().waited_for_cloud end,
    read = goal.read, glance = goal.glance, loop = self.loop, poll = self.options.poll,
    emit = function(event)
      event.state = event.snapshot and goal.describe(event.snapshot)
      self:emit(event)
    end,
  }
  self.deadline = self:now() + self.options.timeout
end

function Mutation:write_down()
  if self.goal.unjournaled then return true end
  local record = {
    verb = self.words.verb, action = self.words.action, intent = self.intent,
    resend_window = self.options.resend_window,
  }
  for name, value in pairs(self.goal.terms or {}) do record[name] = value end
  local ok, err = seam.intent(self.options.journal, record)
  self.written = ok
  return ok, err
end

--- Tells the journal how it ended, if it was told of the intent.
---@param result table|nil
---@param err alicloud.Error|nil
function Mutation:note_end(result, err)
  if not self.written then return end
  seam.outcome(self.options.journal, self.words.verb, self.intent, result, err)
end

-- A suspended machine stops the monotonic clock but not the service, so the wall clock counts too.
function Mutation:since_first_send()
  if not self.first_send then return 0 end
  return math.max(self:now() - self.first_send.monotonic,
    self.runtime.time() - self.first_send.wall)
end

function Mutation:window_left()
  return self.options.resend_window - self:since_first_send()
end

function Mutation:call_options()
  local options = { region = self.region, resend = "never" }
  if self.first_send then options.deadline = math.max(SHORTEST_CALL, self:window_left()) end
  return options
end

function Mutation:params()
  local params = { ClientToken = self.intent.client_token }
  if self.goal.takes_region ~= false then params.RegionId = self.region end
  for name, value in pairs(self.goal.params) do params[name] = value end
  return params
end

local function append(list, more)
  for _, value in ipairs(more or {}) do list[#list + 1] = value end
end

--- Counts what a part of this change has sent as sent by the whole.
---@param part alicloud.dr.Mutation
function Mutation:count_in(part)
  self.attempts = self.attempts + part.attempts
  append(self.request_ids, part.request_ids)
end

function Mutation:take_answer(answer, meta)
  self.accepted = { request_id = meta.request_id, server_time = meta.server_time }
  if self.goal.on_accept then self.goal.on_accept(answer) end
  self:emit { event = "accepted", request_id = meta.request_id }
end

-- One call, which may be several attempts as long as each is known to have had no effect.
function Mutation:send()
  local options = self:call_options()
  self.first_send = self.first_send
    or { monotonic = self:now(), wall = self.runtime.time() }
  self:emit { event = "sending", attempt = self.attempts + 1 }
  local action = self.words.product .. ":" .. self.words.action
  local answer, err = self.group.client:call(action, self:params(), options)
  local meta = answer and metas.of(answer) or err
  self.attempts = self.attempts + (meta.attempts or 1)
  append(self.request_ids, meta.request_ids)
  if answer then return self:take_answer(answer, meta) end
  self.doubtful = self.doubtful or err.outcome == "unknown"
  self:emit { event = "unanswered", err = err }
  return err
end

-- A refusal because of the state is worth one more call, or several while the state is one that
-- ends by itself.
function Mutation:may_pass(err)
  if not WORTH_A_LOOK[self.words.product][err.code] then return false end
  local last = self.watch.last
  local first_time = not self.seen_refusals[err.code]
  self.seen_refusals[err.code] = true
  return first_time or last ~= nil and states.TRANSITIONAL[last.status] == true
end

-- How sure a look must be before the call may be made again; nil if the error is final.
function Mutation:patience_after(err)
  if self.doubtful and err.retryable or err.outcome == "unknown" or self:may_pass(err) then
    return watches.PATIENCE
  end
  return err.retryable and ONE_LOOK or nil
end

function Mutation:rest(err)
  if err.outcome == "unknown" or not err.retryable then return end
  local wish = math.max(err.retry_after or 0, THROTTLE_PAUSE)
  self.loop.sleep(math.max(0, math.min(wish, self:window_left())))
end

function Mutation:give_up(err)
  if self.doubtful then return verdict.unknown(self, err) end
  return verdict.rejected(self, err)
end

-- What the looks say of a call without a usable answer: "wait" if the change is under way, "send"
-- if nothing has happened, or the end.
function Mutation:find_out(patience, err)
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

function Mutation:settle(err)
  local patience = self:patience_after(err)
  if not patience then return verdict.rejected(self, err) end
  self:rest(err)
  return self:find_out(patience, err)
end

-- Another region is another request, so it has another token: one that follows from the first.
function Mutation:can_go_elsewhere(err)
  if self.doubtful or not self.goal.regions[self.place + 1] then return false end
  -- A region that is dark cannot serve it, and nothing can have got there.
  return WRONG_REGION[err.code] == true or err.kind == "network" and err.outcome == "not_sent"
end

function Mutation:go_elsewhere(err)
  self:note_end(nil, err)
  self.place, self.first_send = self.place + 1, nil
  self:aim()
  local token = self.intent.client_token
  if token then self.intent.client_token = core.sha256("elsewhere:" .. token) end
  return self:write_down()
end

function Mutation:carry_out()
  while true do
    local err = self:send()
    if not err then return self:wait() end
    if self:can_go_elsewhere(err) then
      local written, fault = self:go_elsewhere(err)
      if not written then return verdict.unwritten(self, fault) end
    else
      local step, failure = self:settle(err)
      if step == "wait" then return self:wait() end
      if step ~= "send" then return nil, failure end
    end
  end
end

function Mutation:wait()
  local ending = self.watch:until_done(self.deadline, self.options.stall)
  if ending == "arrived" then return self.watch.last end
  if ending == "failed" then return verdict.failed(self) end
  if ending == "superseded" then return verdict.superseded(self) end
  return verdict.timeout(self, ending == "stalled")
end

-- A wall clock that went back tells as little as one that went ahead.
local function moment_of(past, loop, runtime)
  local age = math.abs(runtime.time() - past.first_send_wall)
  return { monotonic = loop.now() - age, wall = past.first_send_wall }
end

-- What was sent by a process that is gone: nothing is decided again, it is found out.
function Mutation:take_up(past)
  self.first_send = moment_of(past, self.loop, self.runtime)
  self.attempts, self.doubtful, self.accepted = past.attempts or 1, past.doubtful, past.accepted
  append(self.request_ids, past.request_ids)
  if self.accepted then return self:wait() end
  local step, failure = self:find_out(watches.PATIENCE, verdict.lost_answer(self))
  if step == "wait" then return self:wait() end
  if step == "send" then return self:carry_out() end
  return nil, failure
end

--- Whether this change was sent by a process that is gone, so that nothing is decided again.
---@return boolean
function Mutation:is_continued()
  local past = self.options.continue
  return past ~= nil and past.first_send_wall ~= nil
end

--- How the world differs from that of an intent which never left, and which is decided anew.
---@param snapshot alicloud.dr.Snapshot
---@return string|nil
function Mutation:difference_to_past(snapshot)
  local past = self.options.continue
  return past and intents.difference(past.intent, snapshot) or nil
end

function Mutation:finish(seen, err)
  if not seen then self:note_end(nil, err) end
  return seen, err
end

--- Sends the change, or takes it up where another process left it, and waits for its end. Who makes
--- a result of it tells the journal with `note_end`.
---@param goal alicloud.dr.Goal
---@return table|nil seen the look that showed it done
---@return alicloud.Error? err
function Mutation:pursue(goal)
  self:commit(goal)
  self.written = self:is_continued()
  if self.written then return self:finish(self:take_up(self.options.continue)) end
  local written, fault = self:write_down()
  if not written then return verdict.unwritten(self, fault) end
  return self:finish(self:carry_out())
end

--- Waits for the end of what is under way already. Nothing is sent.
---@param goal alicloud.dr.Goal
---@return table|nil seen
---@return alicloud.Error? err
function Mutation:join(goal)
  self:commit(goal)
  self.joined = true
  self:emit { event = "joined" }
  return self:wait()
end

return M
