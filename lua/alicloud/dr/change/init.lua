--- Makes one change of a group, a drill, a disk or an instance once: sends the call, takes looks
--- while its outcome is in doubt, and waits until the looks show the change as done.
---
--- The service offers an idempotency token but no compare-and-set, and it is not documented how
--- long it remembers a token. So a call is sent again only with the same token, and only if several
--- looks agree that nothing has happened. After a lost answer the resend window must also be open.
--- alicloud.dr.change.refusal decides how to go on after a call that was not accepted, and
--- alicloud.dr.change.token when a token has ended.
--- The target of the change holds its parameters and says what a look at it means.
--- alicloud.dr.journal.protocol has the rules for the journal, and for continuing a change whose
--- process died.

-- Load the explanations of errors before a call leaves: later the files may be out of reach.
require "alicloud.base.codes"
local core = require "alicloud.core"
local failures = require "alicloud.dr.change.failures"
local fresh = require "alicloud.dr.change.fresh"
local guard = require "alicloud.base.guard"
local intents = require "alicloud.dr.model.intent"
local metas = require "alicloud.base.meta"
local passing = require "alicloud.dr.change.passing"
local pollers = require "alicloud.dr.change.poller"
local protocol = require "alicloud.dr.journal.protocol"
local refusal = require "alicloud.dr.change.refusal"
local tables = require "alicloud.base.tables"
local tokens = require "alicloud.dr.change.token"

local M = {}

local SHORTEST_CALL = 1

---@class alicloud.dr.Target
---@field regions string[] regions that may serve the call, the likeliest first
---@field params table without RegionId and ClientToken
---@field takes_region boolean? false: the operation has no RegionId
---@field intent alicloud.dr.Intent|table what was decided; its client_token goes with the call
---@field read fun(options: table): table|nil, alicloud.Error? takes one look
---@field batched alicloud.dr.BatchedRead? shared sweeps that can take the place of own looks
---@field transition alicloud.dr.Transition? of a group: what its statuses mean
---@field judge? fun(intent: table, seen: table): alicloud.dr.Phase, string of anything else
---@field describe fun(seen: table): string
---@field same fun(earlier: table, later: table): boolean whether two looks show the same state
---@field began_failed boolean? the status at the decision was that of a failed attempt
---@field on_accept fun(answer: table)?
---@field terms table? more fields of the intent's record in the journal, e.g. max_rpo
---@field unjournaled boolean? the call has no token, so it is neither journaled nor continued
---@field look_again? fun(): "send"|"wait"|nil, alicloud.Error? decides anew if no call had effect
---@field passes? fun(err: alicloud.Error): string? why the obstacle behind a refusal ends by itself
---@field put_off table<string, true>? codes of refusals after which `together` sends the call later

---@class alicloud.dr.Change
---@field words alicloud.dr.Words
---@field group alicloud.dr.Group
---@field options alicloud.dr.CheckedOptions
---@field runtime alicloud.Runtime wall clock and chance
---@field loop alicloud.Loop every wait goes through it
---@field target alicloud.dr.Target? nil before the decision
---@field intent alicloud.dr.Intent|table? nil before the decision
---@field region string? where the call goes; nil before the decision
---@field poller alicloud.dr.Poller? nil before the decision
---@field attempts integer
---@field request_ids string[]
---@field doubtful boolean the outcome of an attempt is unknown
---@field accepted { request_id: string, server_time: number? }?
---@field first_send { monotonic: number, wall: number }? first send with unsettled effect
---@field began { monotonic: number, wall: number }? the first send of this process
---@field seen_refusals table<string, boolean>
---@field misled boolean? the first look showed it as done, and a later look showed that it was not
---@field pause number? seconds of the latest pause between two refused calls
---@field refused_at number? monotonic seconds, end of the latest wait for the cloud after a refusal
---@field deadline number? monotonic seconds
---@field place integer index of `region` in the target's list
---@field incident string? the name, or a later generation of it, that the token was derived from
---@field spent table<string, boolean|"refused">? tokens that must not be used again
---@field derive? fun(incident: string): string the token of an incident
---@field calling boolean? a call is under way
---@field looked { monotonic: number, wall: number }? time of the look that led to the decision;
---nil: the call may leave at any age of that look
---@field fresh_for number? seconds for which that look counts as fresh; nil: the usual time
---@field late_since number? monotonic seconds since when the call is held back by a look too old
---@field joined boolean the change that is waited for cannot be the effect of a call of ours
local Change = {}
Change.__index = Change

--- Begins a change; nothing is sent yet.
---@param group alicloud.dr.Group
---@param words alicloud.dr.Words
---@param options alicloud.dr.CheckedOptions
---@return alicloud.dr.Change
function M.new(group, words, options)
  local client = group.client
  return setmetatable({
    words = words, group = group, options = options,
    runtime = client.runtime, loop = client.loop, started = client.loop.now(),
    attempts = 0, request_ids = {}, doubtful = false, joined = false, seen_refusals = {},
    place = 1,
  }, Change)
end

function Change:now()
  return self.loop.now()
end

---@return number seconds since the beginning
function Change:elapsed()
  return self:now() - self.started
end

--- Sends an event to the listener. Its errors are ignored; only Ctrl-C gets through.
---@param event table
function Change:emit(event)
  local listener = self.options.progress
  if not listener then return end
  event.elapsed, event.verb = self:elapsed(), self.words.verb
  event.client_token = event.client_token or self.intent and self.intent.client_token
  guard.call(listener, event)
end

--- The idempotency token of the change.
---@param snapshot alicloud.dr.Snapshot the look that the decision is based on
---@param derive fun(snapshot: alicloud.dr.Snapshot, incident: string, words: alicloud.dr.Words):
---string the token of an incident
---@return string
function Change:token(snapshot, derive) return tokens.choose(self, snapshot, derive) end

-- The service may know the token of an incident from an earlier call: then it repeats its old
-- answer and does nothing. A token that is new to it moves the group within seconds.
function Change:may_be_replayed()
  return self.accepted ~= nil and self.options.incident ~= nil and not self.doubtful
end

-- The region of the call is part of the intent.
function Change:choose_region()
  self.region = self.target.regions[self.place]
  self.intent.region = self.region
end

function Change:set_target(target)
  self.target, self.intent = target, target.intent
  self:choose_region()
  self.poller = pollers.new {
    target = target, client = self.group.client, poll = self.options.poll,
    emit = function(event) self:emit(event) end,
  }
  self.deadline = self:now() + self.options.timeout
end

function Change:write_intent()
  if self.target.unjournaled then return true end
  local record = {
    -- A copy, because a change of token changes the intent later.
    verb = self.words.verb, action = self.words.action, intent = tables.copy(self.intent),
    resend_window = self.options.resend_window,
  }
  for name, value in pairs(self.target.terms or {}) do record[name] = value end
  local ok, err = protocol.write_intent(self.options.journal, record)
  self.written = ok
  return ok, err
end

--- Tells the journal how the change ended, if the journal has its intent.
---@param result table|nil
---@param err alicloud.Error|nil
function Change:write_outcome(result, err)
  if not self.written then return end
  protocol.write_outcome(self.options.journal, self.words.verb, self.intent, result, err)
end

-- A suspended machine stops the monotonic clock but not the service, so the wall clock counts too.
function Change:since_first_send()
  if not self.first_send then return 0 end
  return math.max(self:now() - self.first_send.monotonic,
    self.runtime.time() - self.first_send.wall)
end

function Change:window_left()
  return self.options.resend_window - self:since_first_send()
end

function Change:call_options()
  local options = { region = self.region, resend = "never", leave_within = fresh.left(self) }
  if self.first_send then options.deadline = math.max(SHORTEST_CALL, self:window_left()) end
  return options
end

function Change:params()
  local params = { ClientToken = self.intent.client_token }
  if self.target.takes_region ~= false then params.RegionId = self.region end
  for name, value in pairs(self.target.params) do params[name] = value end
  return params
end

local function append(list, more)
  for _, value in ipairs(more or {}) do list[#list + 1] = value end
end

--- Adds the attempts and request ids of a part to those of the whole change.
---@param part alicloud.dr.Change
function Change:add_attempts_of(part)
  self.attempts = self.attempts + part.attempts
  append(self.request_ids, part.request_ids)
end

function Change:accept(answer, meta)
  self.accepted = { request_id = meta.request_id, server_time = meta.server_time }
  if self.target.on_accept then self.target.on_accept(answer) end
  self:emit { event = "accepted", request_id = meta.request_id }
end

-- One call, which may be several attempts as long as each is known to have had no effect. Returns
-- nil if the service accepted it, else the error.
function Change:send()
  local stale = fresh.refusal(self)
  if stale then return stale end
  local now = { monotonic = self:now(), wall = self.runtime.time() }
  self.first_send, self.began = self.first_send or now, self.began or now
  self:emit { event = "sending", attempt = self.attempts + 1 }
  stale = fresh.refusal(self)
  if stale then return stale end
  local action, options = self.words.product .. ":" .. self.words.action, self:call_options()
  self.calling = true
  local answer, err = self.group.client:call(action, self:params(), options)
  self.calling = false
  local meta = answer and metas.of(answer) or err
  self.attempts = self.attempts + (meta.attempts or 1)
  append(self.request_ids, meta.request_ids)
  if answer then return self:accept(answer, meta) end
  if fresh.is_too_late(self, err) then return err end
  self.doubtful = self.doubtful or err.outcome == "unknown"
  self:emit { event = "unanswered", err = err }
  return err
end

-- Looks even after the resend window, to find out what the call has done.
function Change:look_until_stable(stability)
  local time = math.max(self:window_left(), stability.span)
  return self.poller:until_stable(stability, self:now() + time)
end

function Change:may_send_again(phase, err)
  return phase == "not_started" and self:window_left() > 0 and not refusal.is_spent(err)
end

-- Decides by looks after a call that was not accepted: "wait" if the change is under way, "send" if
-- nothing has happened, else nil and the error that ends the change.
function Change:decide_by_looking(stability, err)
  local phase = self:look_until_stable(stability)
  if phase == "completed" or phase == "in_progress" or phase == "partially_failed" then
    self.joined = not self.doubtful
    return "wait"
  end
  local superseded = phase == "direction_changed" or phase == "conflict"
  if superseded then return failures.superseded(self, err) end
  if phase == "failed" then return failures.failed(self) end
  if self:may_send_again(phase, err) then
    if self.target.look_again then fresh.note(self) end
    return "send"
  end
  if self.doubtful then return failures.unknown(self, err) end
  return failures.rejected(self, err)
end

function Change:after_failed_send(err)
  if fresh.is_too_late(self, err) then return fresh.wait_and_look(self, err) end
  local stability = refusal.stability(self, err)
  if not stability or not refusal.wait(self, err) then return failures.rejected(self, err) end
  -- After the resend window there is no pause between calls, so deciding anew would never end.
  if fresh.is_wanted(self, err) and self:window_left() > 0 then return self.target.look_again() end
  return self:decide_by_looking(stability, err)
end

-- A call to another region is another request, so its token is another one, derived from the first.
function Change:try_other_region(err)
  self:write_outcome(nil, err)
  self.place, self.first_send = self.place + 1, nil
  self:choose_region()
  local token = self.intent.client_token
  if token then self.intent.client_token = core.sha256("elsewhere:" .. token) end
  return self:write_intent()
end

-- Sends until the change is under way.
function Change:get_under_way()
  while true do
    local err = self:send()
    if not err then return true end
    if refusal.is_for_other_region(self, err) then
      local written, fault = self:try_other_region(err)
      if not written then return failures.intent_not_written(self, fault) end
    else
      local step, failure = self:after_failed_send(err)
      if step == "wait" then return true end
      if step ~= "send" then return nil, failure end
      local written, fault = tokens.renew(self, err)
      if not written then return failures.intent_not_written(self, fault) end
    end
  end
end

function Change:execute()
  local ok, err = self:get_under_way()
  if not ok then return nil, err end
  return self:wait()
end

---@param ending alicloud.dr.Ending of a wait
function Change:conclude(ending)
  if ending == "completed" then return self.poller.last end
  return failures.of_ending(self, ending)
end

function Change:wait()
  return self:conclude(self.poller:until_completed(self.deadline, self.options.stall,
    self:may_be_replayed()))
end

-- If the wall clock was set back, the size of the negative difference is taken as the age.
local function moment_of(past, loop, runtime)
  local age = math.abs(runtime.time() - past.first_send_wall)
  return { monotonic = loop.now() - age, wall = past.first_send_wall }
end

-- Continues a change that a dead process sent: decides nothing anew, looks for what became of it.
function Change:resume(past)
  self.first_send = moment_of(past, self.loop, self.runtime)
  self.attempts, self.doubtful, self.accepted = past.attempts or 1, past.doubtful, past.accepted
  append(self.request_ids, past.request_ids)
  if self.accepted then return self:wait() end
  -- Until `resend_from` a request of that process may still arrive, so the looks last that long.
  local left = (past.resend_from or 0) - self.runtime.boottime()
  local stability = { reads = pollers.STABLE.reads, span = math.max(pollers.STABLE.span, left) }
  local step, failure = self:decide_by_looking(stability, failures.lost_answer(self))
  if step == "wait" then return self:wait() end
  if step == "send" then return self:execute() end
  return nil, failure
end

--- Whether an earlier process has sent this change, so that nothing is decided again.
---@return boolean
function Change:is_continued()
  local past = self.options.continue
  return past ~= nil and past.first_send_wall ~= nil
end

--- How a group differs from the intent of an earlier process that is decided anew.
---@param snapshot alicloud.dr.Snapshot
---@return string|nil difference nil: there is none, or no such intent
function Change:difference_to_past(snapshot)
  local past = self.options.continue
  return past and intents.difference(past.intent, snapshot) or nil
end

Change.until_passed, Change.await = passing.until_passed, passing.await

function Change:finish(seen, err)
  if not seen then self:write_outcome(nil, err) end
  return seen, err
end

-- A cancelled change tells the journal what is known of it. After an interrupt (Ctrl-C) the intent
-- stays open, and the next process looks.
local WhenCutShort = { __close = function(held, raised)
  local change = held.change
  if guard.is_cancellation(raised) then change:write_outcome(failures.cut_short(change, raised)) end
end }

--- Sends the change, or continues it where another process left it, and waits for its end. On
--- success the caller makes the result and gives it to `write_outcome`.
---@param target alicloud.dr.Target
---@return table|nil seen the look that showed the change as done
---@return alicloud.Error? err
function Change:apply(target)
  self.loop.checkpoint()
  self:set_target(target)
  local _ <close> = setmetatable({ change = self }, WhenCutShort)
  self.written = self:is_continued()
  if self.written then return self:finish(self:resume(self.options.continue)) end
  tokens.close_past(self)
  local written, fault = self:write_intent()
  if not written then return failures.intent_not_written(self, fault) end
  return self:finish(self:execute())
end

--- Waits for the end of a change that is under way already. Nothing is sent.
---@param target alicloud.dr.Target
---@return table|nil seen
---@return alicloud.Error? err
function Change:join(target)
  self:set_target(target)
  self.joined = true
  self:emit { event = "joined" }
  return self:wait()
end

return M
