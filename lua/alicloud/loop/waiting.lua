--- Keeps the waits of a loop: which waiter waits for which transport, operation or time, and which
--- one is resumed next.
--
-- The scheduler (alicloud.loop.scheduler) extends this class with tasks and what runs them.

local core = require "alicloud.core"
local poll_sets = require "alicloud.loop.poll_set"
local timers = require "alicloud.loop.timers"

local M = {}

-- An operation to wait for. Its pollable has `ended`, which gives the tickets of those that ended.
---@class alicloud.loop.Op
---@field done fun(self: table): boolean
---@field ticket fun(self: table): integer

-- One wait. Without a task, its coroutine is parked by the host, or runs the tasks meanwhile.
---@class alicloud.loop.Waiter
---@field task alicloud.Task?
---@field parked boolean? the host has suspended its coroutine
---@field adopted boolean? the host waits for what its task has yielded
---@field deadline number monotonic seconds
---@field pollable table?
---@field op alicloud.loop.Op? the operation it waits for
---@field ticket integer? ticket of `op`
---@field timed boolean? has a place among the timers
---@field ready boolean
---@field cancelled boolean? it is ready only because its scope was cancelled
---@field over boolean nobody waits with it any more

---@class alicloud.loop.Waits
---@field base alicloud.Loop|alicloud.loop.Host
---@field hosted boolean whether `base` is the event loop of a program
---@field pid integer process whose tasks these are, see alicloud.loop.forked
---@field poll_set alicloud.loop.PollSet
---@field timers alicloud.loop.Timers
---@field queue table<integer, alicloud.loop.Waiter> those that are ready, from `first` to `last`
local Waiting = {}
Waiting.__index = Waiting

M.Waiting = Waiting

local function is_gone(waiter)
  return waiter.ready or waiter.over
end

--- The fields of a new object of this class.
---@param base alicloud.Loop|alicloud.loop.Host
---@return table
function M.fields(base)
  return { pid = core.pid(), base = base, hosted = base.arm ~= nil, poll_set = poll_sets.new(),
    timers = timers.new(is_gone), queue = {}, first = 1, last = 0, stepping = false }
end

-- Tells the host that the waits have changed. It need not be told in a step, after which it looks.
function Waiting:alter()
  if not self.stepping then self.base.arm() end
end

-- A transport ends its calls long before the deadline here, which is for a transport that is lost.
-- So all who wait for operations of one transport share a timer, with the earliest deadline.
function Waiting:watch(list, deadline)
  local watch = list.watch
  if watch and watch.deadline <= deadline then return end
  if watch then self:unwatch(list) end
  list.watch = { list = list, deadline = deadline, ready = false, over = false }
  self.timers.add(deadline, list.watch)
end

function Waiting:unwatch(list)
  list.watch.over, list.watch = true, nil
  self.timers.retired()
end

function Waiting:wake_late(list, now)
  list.watch = nil
  local first = math.huge
  for i = #list, 1, -1 do
    local waiter = list[i]
    if waiter.op and waiter.deadline <= now then
      self:wake(waiter)
    elseif waiter.op and waiter.deadline < first then
      first = waiter.deadline
    end
  end
  if first < math.huge then self:watch(list, first) end
end

function Waiting:retire(waiter)
  local list = waiter.place and self.poll_set:remove(waiter)
  if list and list.watch and not list[1] then self:unwatch(list) end
  if waiter.timed then
    waiter.timed = nil
    self.timers.retired()
  end
end

--- Lets a wait end at the next turn.
---@param waiter alicloud.loop.Waiter
function Waiting:wake(waiter)
  if waiter.ready or waiter.over then return end
  waiter.ready = true
  self:retire(waiter)
  if waiter.parked then return self.base.unpark(waiter) end
  if not waiter.task then return end
  self.last = self.last + 1
  self.queue[self.last] = waiter
  if self.hosted then self:alter() end
end

--- Drops a waiter that nobody waits with any more.
---@param waiter alicloud.loop.Waiter
function Waiting:forget(waiter)
  if waiter.over then return end
  waiter.over = true
  self:retire(waiter)
  if waiter.adopted then self.base.abandon(waiter) end
  -- The host may be waiting until this deadline.
  if self.hosted and not waiter.ready then self:alter() end
end

-- Begins a wait. An operation that ended before it was waited for is never announced again.
function Waiting:enlist(waiter)
  local op = waiter.op
  if op and op:done() then return self:wake(waiter) end
  if op then waiter.ticket = op:ticket() end
  local list = waiter.pollable and self.poll_set:add(waiter)
  if op then
    self:watch(list, waiter.deadline)
  elseif waiter.deadline < math.huge then
    waiter.timed = true
    self.timers.add(waiter.deadline, waiter)
  end
  if self.hosted then self:alter() end
end

function Waiting:wake_due()
  local now = self.base.now()
  local waiter = self.timers.take(now)
  while waiter do
    if waiter.list then
      self:wake_late(waiter.list, now)
    elseif waiter.expire then
      waiter:expire()
    else
      waiter.timed = nil
      self:wake(waiter)
    end
    waiter = self.timers.take(now)
  end
end

-- Wakes the waiters of a pollable after its step: with an operation, if that has ended; without
-- one, unless the step finished nothing (0).
function Waiting:stepped(pollable, finished)
  local list = self.poll_set:of(pollable)
  if not list then return end
  if list.others > 0 and finished ~= 0 then
    for i = #list, 1, -1 do
      if not list[i].op then self:wake(list[i]) end
    end
  end
  local tickets = list.tickets
  while next(tickets) do
    local ticket = pollable:ended()
    if not ticket then return end
    if tickets[ticket] then self:wake(tickets[ticket]) end
  end
end

function Waiting:step_all(list)
  for _, pollable in ipairs(list) do
    local finished = pollable:step()
    self:stepped(pollable, finished)
  end
end

--- Seconds until there is something to do by the clock.
---@return number? nil: there is nothing
function Waiting:timeout()
  if self.first <= self.last then return 0 end
  local due = self.timers.next()
  local seconds = due and math.max(due - self.base.now(), 0)
  local clock = poll_sets.earliest(self.poll_set:pollables())
  if not (seconds and clock) then return seconds or clock end
  return math.min(seconds, clock)
end

--- Whether a finalizer is running. It may start wherever a table is made, also in the middle of a
--- change of the waits, so it must not wait, not even outside of tasks.
---@return boolean
function M.in_finalizer()
  -- Lua stops the collector while a finalizer runs.
  if collectgarbage "isrunning" then return false end
  -- Up to 5.4.3 Lua answers "count" in a finalizer, too, as it does where the program has stopped
  -- the collector: then only the call stack tells.
  if not collectgarbage "count" then return true end
  local level, info = 1, debug.getinfo(1, "n")
  while info and info.name ~= "__gc" do
    level = level + 1
    info = debug.getinfo(level, "n")
  end
  return info ~= nil
end

--- Wakes the waiters of a pollable that is going to be closed.
---@param pollable table
function Waiting:release(pollable)
  local list = self.poll_set:of(pollable)
  for i = list and #list or 0, 1, -1 do self:wake(list[i]) end
  self.poll_set:release(pollable)
end

return M
