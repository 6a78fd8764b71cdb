--- Looking at a group, or whatever is changed, again and again until what is seen allows a
--- conclusion. What is read, and what a look means, is told by the target of the change.
---
--- A single read proves little: it may be stale, a list may be cut, a group may run ahead of its
--- pairs. So the conclusions that matter need the whole set (success), or several reads that agree
--- over some time (nothing has happened, somebody else has intervened).

local phases = require "alicloud.dr.model.phase"

local M = {}

--- The stability threshold: how many reads must agree, over how many seconds, before "nothing has
--- happened" is believed.
M.STABLE = { reads = 3, span = 15 }

--- How many reads over how many seconds have to show nothing of a call that the service took, until
--- it is believed that it has taken its token for an old one.
M.REPLAYED = { reads = 6, span = 40 }

local FIRST_PAUSE = 1
local GROWTH = 1.5
local READ_DEADLINE = 30
-- After so many seconds of sweeps a look of one's own is due; what it shows must not be denied by
-- sweeps for so many.
local BATCHED_FOR, UNDENIED_FOR = 120, 60

---@class alicloud.dr.Poller
---@field last alicloud.dr.Snapshot? the newest look that succeeded
---@field last_error alicloud.Error? why the newest look failed
---@field has_moved boolean a look has shown the change under way
---@field moving_at number? server time of the first that did
---@field reason string? words about the newest phase
---@field looked_at number monotonic seconds of the newest look of its own
---@field batched_from number monotonic seconds before which no sweep is believed
---@field heard_from number monotonic seconds: only a sweep that began later tells anything
---@field heard string? the signature of what the latest sweep has shown, if it was under way
---@field is_told boolean the newest look was a sweep's
---@field blind number seconds of it in which no sweep succeeded
local Poller = {}
Poller.__index = Poller

---@class alicloud.dr.PollerOptions
---@field target alicloud.dr.Target
---@field client alicloud.Client its loop is waited in, its outages are waited out
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

--- Takes a look, and judges it.
---@param seen table|nil nil: it failed
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

--- One look, judged.
---@param deadline number monotonic
---@return alicloud.dr.Phase|nil nil if the look failed
function Poller:look(deadline)
  return self:take(self.target.read(self:call_options(deadline)))
end

function Poller:may_batch(ends)
  local batched, now = self.target.batched, self:now()
  return batched ~= nil and now >= self.batched_from and now < ends and batched:has_company()
end

-- A look of its own although sweeps could tell.
function Poller:look_instead(deadline)
  self.is_told = false
  local phase = self:look(deadline)
  if phase ~= "in_progress" then self.batched_from = self:now() + UNDENIED_FOR end
  return phase
end

-- What a sweep shows counts as a look does; nil if it cannot be judged.
function Poller:record_told(told)
  local phase, reason = self:phase_of(told.snapshot)
  if phase == "unknown" then return nil end
  self.is_told, self.heard_from = true, told.began
  self.heard = phase == "in_progress" and told.signature or nil
  return self:record(told.snapshot, phase, reason)
end

--- One look, told by a sweep if others are at work too. While the change is under way a sweep tells
--- only what is new.
---@param deadline number monotonic
---@param ends number? monotonic, when the wait is given up (`deadline`)
---@return alicloud.dr.Phase|nil nil if the look failed
function Poller:look_batched(deadline, ends)
  self.blind = 0
  if not self:may_batch(ends or deadline) then return self:look_instead(deadline) end
  local told = self.target.batched:tell { after = self.heard_from, seen = self.heard,
    ends = ends or deadline, due = self.looked_at + BATCHED_FOR }
  self.blind = told.blind
  return told.snapshot and self:record_told(told) or self:look_instead(deadline)
end

-- Only what began after now is heard.
function Poller:listen()
  self.heard_from, self.heard, self.is_told = self:now(), nil, false
end

--- Looks, and tells how long the look was held up by an outage: time in which nothing could be
--- seen counts neither for a deadline nor as a stall.
---@param look fun(self: alicloud.dr.Poller, deadline: number, ends: number?): alicloud.dr.Phase|nil
---@param deadline number monotonic
---@param ends number? monotonic
---@return alicloud.dr.Phase|nil
---@return number held seconds
function Poller:held_up_by_outage(look, deadline, ends)
  local before = self.client:patience()
  self.blind = 0
  local phase = look(self, deadline, ends)
  return phase, math.max(0, before - self.client:patience()) + self.blind
end

-- Counts reads in a row that said the same. A failed read says nothing and breaks nothing.
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

-- A world that is not the intent's. One look may be of the past, so it takes several.
local ODD = { direction_changed = true, conflict = true }
-- What a sweep may settle.
local UNDER_WAY = { in_progress = true, completed = true }

-- What the looks so far settle. "not_started" is not believed any more once a look has shown
-- another world: it may be the later one that is of the past, and then something would be sent
-- into it.
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
---@param stability { reads: integer, span: number } what it takes to believe "not_started"
---@param deadline number monotonic
---@return alicloud.dr.Phase|nil phase never "unknown"; nil at the deadline
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
    -- What lets a call be sent again, or ends the change, is seen by a look of its own.
    look = settled and self.look_instead or self.look_batched
    if not self.is_told then self:pause(self.poll, deadline) end
  end
end

-- Nothing but a synchronization moves the recovery point of a stopped group. One that has come and
-- gone, while nobody looked, leaves the group as it was; without both points, or with one that is
-- older now than it was, nobody can tell.
local function may_have_synchronized(target, last)
  local intent, transition = target.intent, target.transition
  if intent.status ~= "stopped" or not last then return false end
  local before, now = intent.group_recover_point, last.group_recover_point
  if before and now and now >= before then return now > before end
  return transition and transition.renews
end

-- What a phase means for somebody who waits for the end; nil means go on.
function Poller:conclusion(phase, evidence, replayable)
  if phase == "completed" then return "completed" end
  if phase == "failed" then return "failed" end
  if not is_stable(evidence, M.STABLE, self:now()) then return nil end
  if phase == "partially_failed" then return "failed" end
  if ODD[phase] then return "superseded" end
  if phase == "not_started" then
    -- A second attempt that fails as the first did looks as if nothing had happened.
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
---@field deadline number monotonic
---@field stall number seconds without any change of state
---@field replayable boolean? the service may have taken the call for one that it had before
---@field evidence table
---@field changed_at number monotonic
---@field state table? the look that showed the newest state
---@field pause number seconds until the next look

---@alias alicloud.dr.Ending "completed"|"failed"|"superseded"|"replayed"|"stalled"|"timeout"

--- Begins to wait until the change is done, or cannot get there any more.
---@param deadline number monotonic
---@param stall number
---@param replayable boolean?
---@return alicloud.dr.Wait
function Poller:begin_wait(deadline, stall, replayable)
  return { deadline = deadline, stall = stall, replayable = replayable, evidence = {},
    changed_at = self:now(), pause = math.min(FIRST_PAUSE, self.poll) }
end

--- When a wait is given up, if nothing changes until then.
---@param wait alicloud.dr.Wait
---@return number monotonic
function M.ends(wait)
  return math.min(wait.deadline, wait.changed_at + wait.stall)
end

--- Counts a look of a wait.
---@param wait alicloud.dr.Wait
---@param phase alicloud.dr.Phase|nil nil: the look failed
---@param held number seconds for which an outage has held it up
---@return alicloud.dr.Ending|nil nil: it goes on
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
---@param ends number monotonic
function Poller:rest(wait, ends)
  self:pause(wait.pause, ends)
  wait.pause = math.min(wait.pause * GROWTH, self.poll)
end

--- Waits until the change is done, or cannot get there any more. That it is done a sweep may tell,
--- if it began after this; every other end is seen by a look of its own.
---@param deadline number monotonic
---@param stall number seconds without any change of state
---@param replayable boolean? the service may have taken the call for one that it had before
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

--- What is known, in words, for errors.
---@return string
function Poller:knowledge()
  local describe = self.target.describe
  if self.last_error then
    local before = self.last and "; before that: " .. describe(self.last) or ""
    return "the last look failed (" .. self.last_error.code .. ")" .. before
  end
  return self.last and (self.reason or describe(self.last)) or "nothing was looked at"
end

--- Server time of the moment at which the change was first seen under way, an upper bound for the
--- moment at which it began.
---@return number|nil
function Poller:seen_moving_at()
  return self.moving_at
end

return M
