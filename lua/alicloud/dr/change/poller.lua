--- Looking at a group, or whatever is changed, again and again until what is seen allows a
--- conclusion.
---
--- A single read proves little: it may be stale, a list may be cut, a group may run ahead of its
--- pairs. So the conclusions that matter need the whole set (success), or several reads that agree
--- over some time (nothing has happened, somebody else has intervened).

local M = {}

--- How many reads must agree, over how many seconds, before "nothing has happened" is believed.
M.PATIENCE = { reads = 3, span = 15 }

local FIRST_PAUSE = 1
local GROWTH = 1.5
local READ_DEADLINE = 30
-- After so many seconds of glances a look of one's own is due; after one that has told nothing
-- there is none for as long.
local GLANCES_FOR = 60

---@class alicloud.dr.Watch
---@field last alicloud.dr.Snapshot? the newest look that succeeded
---@field last_error alicloud.Error? why the newest look failed
---@field first_moving alicloud.dr.Snapshot? the first look that showed the change under way
---@field reason string? words about the newest judgement
local Watch = {}
Watch.__index = Watch

---@class alicloud.dr.WatchOptions
---@field read fun(options: table): alicloud.dr.Snapshot?, alicloud.Error?
---@field judge fun(seen: alicloud.dr.Snapshot): alicloud.dr.Judgement, string
---@field describe fun(seen: alicloud.dr.Snapshot): string words for people
---@field same fun(earlier: alicloud.dr.Snapshot, later: alicloud.dr.Snapshot): boolean no news
---@field began_failed boolean what was decided on had failed before
---@field loop alicloud.Loop
---@field poll number longest pause between two looks, seconds
---@field emit fun(event: table)
---@field outlasted fun(): number seconds of outages that the readings have outlasted so far
---@field glance alicloud.dr.Glance? shared with others who wait

---@param options alicloud.dr.WatchOptions
---@return alicloud.dr.Watch
function M.new(options)
  local watch = {}
  for name, value in pairs(options) do watch[name] = value end
  watch.looked_at = watch.loop.now()
  watch.glance_from = watch.looked_at
  return setmetatable(watch, Watch)
end

function Watch:now()
  return self.loop.now()
end

function Watch:call_options(deadline)
  return { deadline = math.max(1, math.min(READ_DEADLINE, deadline - self:now())) }
end

function Watch:take(snapshot, judgement, reason)
  self.last, self.last_error, self.reason = snapshot, nil, reason
  if judgement == "moving" or judgement == "arrived" then
    self.first_moving = self.first_moving or snapshot
  end
  self.emit { event = "state", snapshot = snapshot, judgement = judgement, reason = reason }
  return judgement
end

--- One look, judged.
---@param deadline number monotonic
---@return alicloud.dr.Judgement|nil nil if the look failed
function Watch:look(deadline)
  local snapshot, err = self.read(self:call_options(deadline))
  if not snapshot then
    self.last_error = err
    self.emit { event = "look_failed", err = err }
    return nil
  end
  self.looked_at = self:now()
  return self:take(snapshot, self.judge(snapshot))
end

function Watch:may_glance()
  local glance, now = self.glance, self:now()
  return glance ~= nil and now >= self.glance_from and now - self.looked_at < GLANCES_FOR
    and glance.has_company()
end

-- What a look shows must not be denied by glances.
function Watch:look_instead(deadline, told_nothing)
  local judgement = self:look(deadline)
  if told_nothing or judgement ~= "moving" then self.glance_from = self:now() + GLANCES_FOR end
  return judgement
end

--- A glance is believed if it shows the change under way, not for too long, and not by whoever
--- gives up; else one looks.
---@param deadline number monotonic
---@param ends number monotonic, when the wait is given up
---@return alicloud.dr.Judgement|nil nil if the look failed
function Watch:glimpse(deadline, ends)
  if not self:may_glance() then return self:look_instead(deadline) end
  local snapshot = self.glance.look(self:call_options(ends))
  if snapshot and self:now() < ends then
    local judgement, reason = self.judge(snapshot)
    if judgement == "moving" then return self:take(snapshot, judgement, reason) end
  end
  return self:look_instead(deadline, true)
end

--- Looks, and tells how long the look was held up by an outage: time in which nothing could be
--- seen counts neither for a deadline nor as a stall.
---@param look fun(self: alicloud.dr.Watch, deadline: number, ends: number?):
---alicloud.dr.Judgement|nil
---@param deadline number monotonic
---@param ends number? monotonic
---@return alicloud.dr.Judgement|nil
---@return number held seconds
function Watch:patiently(look, deadline, ends)
  local before = self.outlasted()
  local judgement = look(self, deadline, ends)
  return judgement, self.outlasted() - before
end

-- Counts reads in a row that said the same. A failed read says nothing and breaks nothing.
local function count(evidence, judgement, now)
  if evidence.judgement ~= judgement then
    evidence.judgement, evidence.since, evidence.reads = judgement, now, 0
  end
  evidence.reads = evidence.reads + 1
end

local function is_steady(evidence, patience, now)
  return evidence.reads >= patience.reads and now - evidence.since >= patience.span
end

function Watch:pause(seconds, deadline)
  self.loop.sleep(math.max(0, math.min(seconds, deadline - self:now())))
end

--- Looks until it is settled whether the change has begun. As soon as a look shows a world that
--- is not the intent's, that is the answer: what a later, perhaps stale, look shows cannot undo it.
---@param patience { reads: integer, span: number } what it takes to believe "as_planned"
---@param deadline number monotonic
---@return alicloud.dr.Judgement|nil judgement never "unclear"; nil at the deadline
function Watch:settle(patience, deadline)
  local evidence = {}
  while true do
    local judgement, held = self:patiently(self.look, deadline)
    deadline = deadline + held
    if judgement then count(evidence, judgement, self:now()) end
    if judgement == "as_planned" then
      if is_steady(evidence, patience, self:now()) then return judgement end
    elseif judgement and judgement ~= "unclear" then
      return judgement
    end
    if self:now() >= deadline then return nil end
    self:pause(self.poll, deadline)
  end
end

-- What a judgement means for somebody who waits for the end; nil means go on.
function Watch:conclusion(judgement, evidence)
  if judgement == "arrived" then return "arrived" end
  if judgement == "turned" then return "superseded" end
  if judgement == "failed" then return "failed" end
  if not is_steady(evidence, M.PATIENCE, self:now()) then return nil end
  if judgement == "partial" then return "failed" end
  if judgement == "changed" then return "superseded" end
  if judgement == "as_planned" then
    -- A second attempt that fails as the first did looks as if nothing had happened.
    if self.began_failed then return "failed" end
    if self.first_moving then return "superseded" end
  end
  return nil
end

--- Waits until the change is done, or cannot get there any more.
---@param deadline number monotonic
---@param stall number seconds without any change of state
---@return "arrived"|"failed"|"superseded"|"stalled"|"timeout"
function Watch:until_done(deadline, stall)
  local evidence, state, pause = {}, nil, math.min(FIRST_PAUSE, self.poll)
  local changed_at = self:now()
  local _ <close> = self.glance and self.glance.enter()
  while true do
    local ends = math.min(deadline, changed_at + stall)
    local judgement, held = self:patiently(self.glimpse, deadline, ends)
    deadline, changed_at = deadline + held, changed_at + held
    local now = self:now()
    if judgement then
      count(evidence, judgement, now)
      local conclusion = self:conclusion(judgement, evidence)
      if conclusion then return conclusion end
      if judgement ~= "unclear" and not (state and self.same(state, self.last)) then
        state, changed_at = self.last, now
      end
    end
    if now >= deadline then return "timeout" end
    if now - changed_at >= stall then return "stalled" end
    self:pause(pause, math.min(deadline, changed_at + stall))
    pause = math.min(pause * GROWTH, self.poll)
  end
end

--- What is known, in words, for errors.
---@return string
function Watch:knowledge()
  if self.last_error then
    local before = self.last and "; before that: " .. self.describe(self.last) or ""
    return "the last look failed (" .. self.last_error.code .. ")" .. before
  end
  return self.last and (self.reason or self.describe(self.last)) or "nothing was looked at"
end

--- Server time of the moment at which the change was first seen under way, an upper bound for the
--- moment at which it began.
---@return number|nil
function Watch:seen_moving_at()
  return self.first_moving and self.first_moving.read_at
end

return M
