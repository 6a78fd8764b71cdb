--- Polls the object of a change (a group, a drill, a disk, an instance) until its looks allow a
--- conclusion. The target of the change says what is read, and what a look means.
---
--- A single read proves little: it may be stale, a list may be cut, a group may run ahead of its
--- pairs. So success needs the whole pair set in its final state. "Nothing has happened" and
--- "somebody else has intervened" need several reads that agree over some time.

local phases = require "alicloud.dr.model.phase"

local M = {}

--- The stability threshold: how many reads must agree, over how many seconds, before "nothing has
--- happened" is believed.
M.STABLE = { reads = 3, span = 15 }

--- After an accepted call: how many reads, over how many seconds, must show no effect before it is
--- believed that the service knew the token and only repeated an old answer.
M.REPLAYED = { reads = 6, span = 40 }

local FIRST_PAUSE = 1
local GROWTH = 1.5
local READ_DEADLINE = 30
-- BATCHED_FOR: after so many seconds of sweeps only, an own look is due. UNDENIED_FOR: if that look
-- shows anything but progress, sweeps are not used for so many seconds.
local BATCHED_FOR, UNDENIED_FOR = 120, 60

---@class alicloud.dr.Poller
---@field last alicloud.dr.Snapshot? the newest look that succeeded
---@field last_error alicloud.Error? why the newest look failed
---@field has_moved boolean a look has shown the change under way
---@field moving_at number? server time of the first such look, unix seconds
---@field reason string? words about the newest phase
---@field looked_at number monotonic seconds of the newest look that no sweep has told
---@field batched_from number monotonic seconds before which no sweep is used
---@field heard_from number monotonic seconds: only a sweep that began later is believed
---@field heard string? signature of the latest sweep's state, if the change was under way
---@field is_told boolean the newest look came from a sweep
---@field blind number seconds of the newest look in which no sweep succeeded
local Poller = {}
Poller.__index = Poller

---@class alicloud.dr.PollerOptions
---@field target alicloud.dr.Target
---@field client alicloud.Client whose loop and whose waiting for the cloud are used
---@field poll number longest pause between two looks, seconds
---@field emit fun(event: table)

---@param options alicloud.dr.PollerOptions
---@return alicloud.dr.Poller
function M.new(options)
  local loop = options.client.loop
  local now = loop.now()
  return setmetatable({
    target = options.target, client = options.client, loop = loop, poll = options.poll,
    emit = options.emit, looked_at = now, batched_from = now, heard_from = now, is_told = false,
    blind = 0, has_moved = false,
  }, Poller)
end

function Poller:now()
  return self.loop.now()
end

function Poller:call_options(deadline)
  return { deadline = math.max(1, math.min(READ_DEADLINE, deadline - self:now())) }
end

function Poller:phase_of(snapshot)
  local target = self.target
  if target.judge then return target.judge(target.intent, snapshot) end
  return phases.of(target.transition, target.intent, snapshot)
end

function Poller:record(snapshot, phase, reason)
  self.last, self.last_error, self.reason = snapshot, nil, reason
  if not self.has_moved and (phase == "in_progress" or phase == "completed") then
    self.has_moved, self.moving_at = true, snapshot.read_at
  end
  self.emit { event = "state", snapshot = snapshot, phase = phase, reason = reason,
    state = self.target.describe(snapshot) }
  return phase
end

--- Judges a look that was made already.
---@param seen table|nil nil: the look failed
---@param err alicloud.Error?
---@return alicloud.dr.Phase|nil nil if the look failed
function Poller:take(seen, err)
  if not seen then
    self.last_error = err
    self.emit { event = "look_failed", err = err }
    return nil
  end
  self.looked_at = self:now()
  return self:record(seen, self:phase_of(seen))
end

--- Reads the state once, and judges it.
---@param deadline number monotonic seconds
---@return alicloud.dr.Phase|nil nil if the look failed
function Poller:look(deadline)
  return self:take(self.target.read(self:call_options(deadline)))
end

function Poller:may_batch(ends)
  local batched, now = self.target.batched, self:now()
  return batched ~= nil and now >= self.batched_from and now < ends and batched:has_company()
end

-- An own look, although sweeps could be used.
function Poller:look_instead(deadline)
  self.is_told = false
  local phase = self:look(deadline)
  if phase ~= "in_progress" then self.batched_from = self:now() + UNDENIED_FOR end
  return phase
end

-- Counts what a sweep shows as a look. Returns nil if it cannot be judged.
function Poller:record_told(told)
  local phase, reason = self:phase_of(told.snapshot)
  if phase == "unknown" then return nil end
  self.is_told, self.heard_from = true, told.began
  self.heard = phase == "in_progress" and told.signature or nil
  return self:record(told.snapshot, phase, reason)
end

--- One look, taken from a sweep if other groups are at work too. While the change is under way,
--- this waits until a sweep shows another state.
---@param deadline number monotonic seconds
---@param ends number? monotonic seconds, when the wait is given up (`deadline`)
---@return alicloud.dr.Phase|nil nil if the look failed
function Poller:look_batched(deadline, ends)
  self.blind = 0
  if not self:may_batch(ends or deadline) then return self:look_instead(deadline) end
  local told = self.target.batched:tell { after = self.heard_from, seen = self.heard,
    ends = ends or deadline, due = self.looked_at + BATCHED_FOR }
  self.blind = told.blind
  return told.snapshot and self:record_told(told) or self:look_instead(deadline)
end

-- From now on only sweeps that begin later are believed.
function Poller:listen()
  self.heard_from, self.heard, self.is_told = self:now(), nil, false
end

--- Looks, and measures how long an outage held the look up. That time counts neither for a deadline
--- nor as a stall.
---@param look fun(self: alicloud.dr.Poller, deadline: number, ends: number?): alicloud.dr.Phase|nil
---@param deadline number monotonic seconds
---@param ends number? monotonic seconds
---@return alicloud.dr.Phase|nil
---@return number held seconds
function Poller:held_up_by_outage(look, deadline, ends)
  local before = self.client:patience()
  self.blind = 0
  local phase = look(self, deadline, ends)
  return phase, math.max(0, before - self.client:patience()) + self.blind
end

-- Counts reads in a row that show the same phase. A failed read does not interrupt the row.
local function count(evidence, phase, now)
  if evidence.phase ~= phase then
    evidence.phase, evidence.since, evidence.reads = phase, now, 0
  end
  evidence.reads = evidence.reads + 1
end

local function is_stable(evidence, stability, now)
  return evidence.reads >= stability.reads and now - evidence.since >= stability.span
end

function Poller:pause(seconds, deadline)
  self.loop.sleep(math.max(0, math.min(seconds, deadline - self:now())))
end

-- Phases that contradict the intent. One look may be stale, so they need several.
local ODD = { direction_changed = true, conflict = true }
-- Phases for which a sweep is enough.
local UNDER_WAY = { in_progress = true, completed = true }

-- The phase that the looks so far settle, or nil. Once a look has contradicted the intent,
-- "not_started" is not believed any more: the look that shows it may be the stale one, and a call
-- would be sent to a group that has changed.
local function settled_phase(evidence, phase, stability, now)
  if not phase or phase == "unknown" then return nil end
  if ODD[phase] then
    evidence.odd = true
    return is_stable(evidence, M.STABLE, now) and phase or nil
  end
  if phase ~= "not_started" then return phase end
  return not evidence.odd and is_stable(evidence, stability, now) and phase or nil
end

--- Looks until it is settled whether the change has begun.
---@param stability { reads: integer, span: number } needed to believe "not_started"
---@param deadline number monotonic seconds
---@return alicloud.dr.Phase|nil phase never "unknown"; nil: still not settled at the deadline
function Poller:until_stable(stability, deadline)
  local evidence, look = {}, self.look_batched
  self:listen()
  while true do
    local phase, held = self:held_up_by_outage(look, deadline)
    deadline = deadline + held
    if phase then count(evidence, phase, self:now()) end
    local settled = settled_phase(evidence, phase, stability, self:now())
    if settled and (not self.is_told or UNDER_WAY[settled]) then return settled end
    if self:now() >= deadline then
      return ODD[phase] and evidence.reads > 1 and phase or nil
    end
    -- A phase that lets a call be sent again, or ends the change, is confirmed by an own look.
    look = settled and self.look_instead or self.look_batched
    if not self.is_told then self:pause(self.poll, deadline) end
  end
end

-- Whether a stopped group may have synchronized between two looks: then its status is as before,
-- and only its recovery point is newer. If a point is missing, or older than before, that cannot be
-- known; then the answer is whether the change is a synchronization at all.
local function may_have_synchronized(target, last)
  local intent, transition = target.intent, target.transition
  if intent.status ~= "stopped" or not last then return false end
  local before, now = intent.group_recover_point, last.group_recover_point
  if before and now and now >= before then return now > before end
  return transition and transition.renews
end

-- How a wait ends after a look with this phase; nil: the wait goes on.
function Poller:conclusion(phase, evidence, replayable)
  if phase == "completed" then return "completed" end
  if phase == "failed" then return "failed" end
  if not is_stable(evidence, M.STABLE, self:now()) then return nil end
  if phase == "partially_failed" then return "failed" end
  if ODD[phase] then return "superseded" end
  if phase == "not_started" then
    -- After a failed first attempt, a second one that fails leads to the same status as before.
    if self.target.began_failed then return "failed" end
    if self.has_moved then return "superseded" end
    if replayable and not may_have_synchronized(self.target, self.last)
      and is_stable(evidence, M.REPLAYED, self:now()) then
      return "replayed"
    end
  end
  return nil
end

---@class alicloud.dr.Wait
---@field deadline number monotonic seconds
---@field stall number seconds without any change of state after which the wait is given up
---@field replayable boolean? the service may have repeated an old answer to this token
---@field evidence table
---@field changed_at number monotonic seconds of the latest change of state
---@field state table? the newest look whose phase was known
---@field pause number seconds until the next look

---@alias alicloud.dr.Ending "completed"|"failed"|"superseded"|"replayed"|"stalled"|"timeout"

--- Begins to wait until the change is done, or can no longer be completed.
---@param deadline number monotonic seconds
---@param stall number seconds
---@param replayable boolean?
---@return alicloud.dr.Wait
function Poller:begin_wait(deadline, stall, replayable)
  return { deadline = deadline, stall = stall, replayable = replayable, evidence = {},
    changed_at = self:now(), pause = math.min(FIRST_PAUSE, self.poll) }
end

--- When a wait is given up if nothing changes before.
---@param wait alicloud.dr.Wait
---@return number monotonic seconds
function M.ends(wait)
  return math.min(wait.deadline, wait.changed_at + wait.stall)
end

--- Counts one look of a wait, and decides whether the wait ends.
---@param wait alicloud.dr.Wait
---@param phase alicloud.dr.Phase|nil nil: the look failed
---@param held number seconds for which an outage held the look up
---@return alicloud.dr.Ending|nil nil: the wait goes on
function Poller:settle(wait, phase, held)
  wait.deadline, wait.changed_at = wait.deadline + held, wait.changed_at + held
  local now = self:now()
  if phase then
    count(wait.evidence, phase, now)
    local conclusion = self:conclusion(phase, wait.evidence, wait.replayable)
    if conclusion then return conclusion end
    if phase ~= "unknown" then
      local is_same = wait.state and self.target.same(wait.state, self.last)
      if not is_same then wait.changed_at = now end
      wait.state = self.last
    end
  end
  if now >= wait.deadline then return "timeout" end
  return now - wait.changed_at >= wait.stall and "stalled" or nil
end

--- Sleeps until the next look of a wait.
---@param wait alicloud.dr.Wait
---@param ends number monotonic seconds, when to wake up at the latest
function Poller:rest(wait, ends)
  self:pause(wait.pause, ends)
  wait.pause = math.min(wait.pause * GROWTH, self.poll)
end

--- Waits until the change is done, or can no longer be completed. A sweep that began after this
--- call may show that it is done; every other end is confirmed by an own look.
---@param deadline number monotonic seconds
---@param stall number seconds without any change of state after which the wait is given up
---@param replayable boolean? the service may have repeated an old answer to this token
---@return alicloud.dr.Ending
function Poller:until_completed(deadline, stall, replayable)
  local wait, look = self:begin_wait(deadline, stall, replayable), self.look_batched
  self:listen()
  while true do
    local phase, held = self:held_up_by_outage(look, wait.deadline, M.ends(wait))
    local ending = self:settle(wait, phase, held)
    if ending and (not self.is_told or ending == "completed") then return ending end
    look = ending and self.look_instead or self.look_batched
    if not self.is_told then self:rest(wait, M.ends(wait)) end
  end
end

--- What the looks have shown, in words for errors.
---@return string
function Poller:knowledge()
  local describe = self.target.describe
  if self.last_error then
    local before = self.last and "; before that: " .. describe(self.last) or ""
    return "the last look failed (" .. self.last_error.code .. ")" .. before
  end
  return self.last and (self.reason or describe(self.last)) or "nothing was looked at"
end

--- When a look first showed the change under way: an upper bound for the time at which it began.
---@return number|nil seconds unix seconds by the server's clock; nil: no look has shown it
function Poller:seen_moving_at()
  return self.moving_at
end

return M
