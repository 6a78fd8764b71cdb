--- Measures the progress of many jobs at a time: how many have ended, how much of the quota is
--- used, and when the last one may be expected to end. Of a single step, it tells for how long the
--- step has been under way, and what its last look has shown.

local tables = require "alicloud.base.tables"

local M = {}

---@class alicloud.dr.Counts
---@field count integer
---@field done integer
---@field failed integer
---@field left_out integer
---@field under_way integer
---@field open integer neither ended nor begun

---@class alicloud.dr.HeadwayEvent: alicloud.dr.Counts
---@field type "headway"
---@field word string? the word for a job that has ended well ("done")
---@field step string? the branch of the run:each; nil: the whole run
---@field calls number? calls per second of the action that uses most of its quota, over all
---accounts
---@field calls_allowed number? calls per second that the quota allows
---@field last boolean? the last event: all jobs have ended
---@field ends_at number? unix seconds at which the last may be expected to end; nil: not known

---@class alicloud.dr.Headway
---@field count integer
---@field begun integer
---@field ended table<"done"|"failed"|"left_out", integer>
---@field seconds number total seconds of the jobs that were done and timed
---@field timed integer how many these are
---@field times table<integer, number> by place: monotonic seconds at which the jobs under way began
---@field first integer no job before this place is under way
local Headway = {}
Headway.__index = Headway

---@param count integer
---@return alicloud.dr.Headway
function M.new(count)
  return setmetatable({ count = count, begun = 0, ended = { done = 0, failed = 0, left_out = 0 },
    seconds = 0, timed = 0, times = {}, first = 1 }, Headway)
end

--- Counts a job that begins.
---@param now number monotonic seconds
---@return integer place to give to `finish`
function Headway:begin(now)
  self.begun = self.begun + 1
  self.times[self.begun] = now
  return self.begun
end

--- Counts a job that has ended.
---@param place integer
---@param outcome "done"|"failed"|"left_out"|nil nil: another process continues it
---@param seconds number? time that it took; nil: not to be used for the estimate
function Headway:finish(place, outcome, seconds)
  self.times[place] = nil
  if not outcome then return end
  self.ended[outcome] = self.ended[outcome] + 1
  if outcome == "done" and seconds then
    self.seconds, self.timed = self.seconds + seconds, self.timed + 1
  end
end

--- The present counts.
---@return alicloud.dr.Counts
function Headway:counts()
  local counts = tables.copy(self.ended)
  counts.count, counts.open = self.count, self.count - self.begun
  counts.under_way = self.begun - counts.done - counts.failed - counts.left_out
  return counts
end

-- The times at which the jobs under way began, the oldest first.
local function begun_at(self)
  local list = {}
  while self.first <= self.begun and not self.times[self.first] do self.first = self.first + 1 end
  for place = self.first, self.begun do list[#list + 1] = self.times[place] end
  return list
end

--- Estimates when the last job ends: each takes the mean time of those before, and the next begins
--- when one ends.
---@param now number monotonic seconds
---@param counts alicloud.dr.Counts
---@return number|nil seconds nil: not known yet, or the last job takes longer than the mean
function Headway:left(now, counts)
  if counts.open + counts.under_way == 0 then return 0 end
  local times = begun_at(self)
  if self.timed == 0 or #times == 0 then return nil end
  local mean = self.seconds / self.timed
  -- If other processes run jobs as well, they take their part of the open ones.
  local open = math.ceil(counts.open * #times / math.max(counts.under_way, #times))
  local before = times[(open - 1) % #times + 1]
  if open == 0 then
    local left = before + mean - now
    return left >= 0 and left or nil
  end
  -- A job that has taken longer than the mean is taken to end now.
  return math.max(before + mean - now, 0) + mean * ((open - 1) // #times + 1)
end

-- Adds the use of the quotas over all clients, one for each account.
local function add_calls(event, clients)
  for _, client in ipairs(clients) do
    local use = client:rate_use()
    if use then
      event.calls = (event.calls or 0) + use.used
      event.calls_allowed = (event.calls_allowed or 0) + use.allowed
    end
  end
end

---@class alicloud.dr.HeadwayWish
---@field headway alicloud.dr.Headway
---@field every number seconds between two events
---@field loop alicloud.loop.Loop
---@field time fun(): number unix seconds
---@field counts fun(): alicloud.dr.Counts
---@field clients fun(): alicloud.Client[] one for each account
---@field tell fun(event: alicloud.dr.HeadwayEvent)

local function tell(wish, is_last)
  local counts = wish.counts()
  local event = tables.merged(counts, { type = "headway", last = is_last })
  add_calls(event, wish.clients())
  local left = wish.headway:left(wish.loop.now(), counts)
  event.ends_at = left and wish.time() + left
  wish.tell(event)
end

--- Sends events of progress at intervals, and a last one when it is closed.
---@param wish alicloud.dr.HeadwayWish
---@return { __close: function } keeper to be closed when the work ends
function M.keep(wish)
  local task = wish.loop.spawn(function()
    while true do
      tell(wish)
      wish.loop.sleep(wish.every)
    end
  end)
  return setmetatable({}, { __close = function()
    task:close()
    tell(wish, true)
  end })
end

--- Sends events of progress of a run:each, if the run has the option `headway`.
---@param branch alicloud.dr.PlaybookRun
---@param headway alicloud.dr.Headway
---@param word string? the word for a job that has ended well
---@return { __close: function }|nil keeper to be closed when the work ends
function M.of_each(branch, headway, word)
  local engine = branch.engine
  if not engine.options.headway then return nil end
  return M.keep { headway = headway, every = engine.options.headway, loop = engine.loop,
    time = engine.runtime.time, counts = function() return headway:counts() end,
    clients = function() return { engine.client } end,
    tell = function(event)
      event.word = word
      event.step = branch.prefix ~= "" and branch.prefix:sub(1, -2) or nil
      engine:tell(event)
    end }
end

---@class alicloud.dr.UnderWayEvent
---@field type "under_way"
---@field step string
---@field elapsed number seconds since the step began
---@field seen string? what the step's last look has shown, in words
---@field last boolean? the last event: the step has ended

--- Sends events that a step is under way, if the run has the option `headway` and the step is in no
--- branch: for branches there are the events of their run:each.
---@param branch alicloud.dr.PlaybookRun
---@param key string of the step
---@return { __close: function }|nil keeper to be closed when the step ends
function M.of_step(branch, key)
  local engine = branch.engine
  local every, began = engine.options.headway, engine.loop.now()
  if not every or branch.prefix ~= "" then return nil end
  branch.seen = nil
  local function say(is_last)
    engine:tell { type = "under_way", step = key, elapsed = engine.loop.now() - began,
      seen = branch.seen, last = is_last }
  end
  local task = engine.loop.spawn(function()
    while true do
      engine.loop.sleep(every)
      say()
    end
  end)
  return setmetatable({}, { __close = function()
    task:close()
    say(true)
  end })
end

return M
