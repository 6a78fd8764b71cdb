--- Many things at a time on one thread: a loop over another loop, whose `wait` and `sleep` let the
--- other tasks go on.
--
-- Inside a task they hand the thread over; outside they drive all tasks until they are due. So the
-- same code serves one call and a thousand, with real descriptors and on a virtual clock. Tasks
-- move only while somebody waits, sleeps, steps, or asks one of them whether it is done. Over the
-- event loop of a program (alicloud.loop.cqueues, alicloud.loop.luv) that one steps them, and its
-- coroutines are parked while they wait.

local poll_sets = require "alicloud.loop.poll_set"
local tasks = require "alicloud.loop.task"
local timers = require "alicloud.loop.timers"

local M = {}

---@class alicloud.loop.Scheduler: alicloud.Loop
---@field spawn fun(body: function, ...): alicloud.Task starts at the next turn
---@field step fun() lets all that is ready go on once; never waits
---@field timeout fun(): number? seconds until `step` is due by the clock
---@field pollables fun(): table[] what is waited for at this moment
---@field release fun(pollable: table) is called before a pollable is closed
---@field resume fun(waiter: alicloud.loop.Waiter, ...) ends a wait that the host adopted
---@field gate fun(): { wait: fun(), open: fun() } one waits until another one lets it go on

-- The event loop of a program. Outside of its coroutines it waits like any other loop.
---@class alicloud.loop.Host: alicloud.Loop
---@field parks fun(in_task: boolean): boolean whether the running coroutine can be parked
---@field park fun(waiter: alicloud.loop.Waiter) comes back when the waiter is ready
---@field unpark fun(waiter: alicloud.loop.Waiter) the waiter is ready
---@field arm fun() `step` is wanted, or what it waits for has changed
---@field disarm fun(pollable: table) it is going to be closed
---@field adopt? fun(waiter: alicloud.loop.Waiter, ...): boolean a task yielded what only the host
--- understands
---@field abandon? fun(waiter: alicloud.loop.Waiter) nobody waits for what was adopted

-- What a wait can be for. Its pollable has `ended`, which gives the tickets of those that ended.
---@class alicloud.loop.Op
---@field done fun(self: table): boolean
---@field ticket fun(self: table): integer

-- One wait. Without a task it belongs to somebody who is parked by the host, or who drives the
-- tasks until it is ready.
---@class alicloud.loop.Waiter
---@field task alicloud.Task?
---@field parked boolean?
---@field adopted boolean?
---@field deadline number
---@field pollable table?
---@field op alicloud.loop.Op? the waiter sleeps until it is done
---@field ticket integer? of `op`
---@field timed boolean? has a place among the timers
---@field ready boolean
---@field over boolean nobody waits any more

-- The loop below wants a finite time.
local LONGEST = 3600

local Scheduler = {}
Scheduler.__index = Scheduler

-- Whoever steps us looks at what there is to wait for when the step is over.
function Scheduler:alter()
  if not self.stepping then self.base.arm() end
end

-- A call is ended by its transport, long before its deadline here, which is for a transport that is
-- lost. So all that wait for operations of one transport share a timer, of the first deadline.
function Scheduler:watch(list, deadline)
  local watch = list.watch
  if watch and watch.deadline <= deadline then return end
  if watch then self:unwatch(list) end
  list.watch = { list = list, deadline = deadline, ready = false, over = false }
  self.timers.add(deadline, list.watch)
end

function Scheduler:unwatch(list)
  list.watch.over, list.watch = true, nil
  self.timers.retired()
end

function Scheduler:wake_late(list, now)
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

function Scheduler:retire(waiter)
  local list = waiter.place and self.poll_set:remove(waiter)
  if list and list.watch and not list[1] then self:unwatch(list) end
  if waiter.timed then
    waiter.timed = nil
    self.timers.retired()
  end
end

function Scheduler:wake(waiter)
  if waiter.ready or waiter.over then return end
  waiter.ready = true
  self:retire(waiter)
  if waiter.parked then return self.base.unpark(waiter) end
  if not waiter.task then return end
  self.last = self.last + 1
  self.queue[self.last] = waiter
  if self.hosted then self:alter() end
end

function Scheduler:forget(waiter)
  if waiter.over then return end
  waiter.over = true
  self:retire(waiter)
  if waiter.adopted then self.base.abandon(waiter) end
end

-- An operation that ended before it was waited for is never announced again.
function Scheduler:enlist(waiter)
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

function Scheduler:finish(task, ok, ...)
  task.finished, task.ok, task.results = true, ok, table.pack(...)
  for _, waiter in ipairs(task.joiners) do self:wake(waiter) end
  task.joiners = nil
  self.alive = self.alive - 1
end

function Scheduler:new_waiter(task)
  local waiter = { scheduler = self, task = task, deadline = math.huge, ready = false,
    over = false }
  task.waiter = waiter
  return waiter
end

-- What a body yields by itself is for the host, or means only: let the others go first.
function Scheduler:took(task, ok, waiter, ...)
  if type(waiter) == "table" and waiter.scheduler == self then
    task.waiter = waiter
    return
  end
  if coroutine.status(task.coroutine) == "dead" then
    -- An error leaves open what the body had open.
    if not ok then coroutine.close(task.coroutine) end
    return self:finish(task, ok, waiter, ...)
  end
  local adopt, own = self.base.adopt, self:new_waiter(task)
  own.adopted = adopt and adopt(own, waiter, ...)
  if not own.adopted then self:wake(own) end
end

function Scheduler:resume(task, ...)
  local previous = self.current
  self.current = task
  self:took(task, coroutine.resume(task.coroutine, ...))
  self.current = previous
  if task.detached and task.finished and not task.ok then error(task.results[1], 0) end
end

-- One after the other is taken out, because an interrupt may be raised between any two of them.
-- Who comes meanwhile is for the next time.
function Scheduler:run_queue()
  local last = self.last
  if self.first > last then return false end
  while self.first <= last do
    local waiter = self.queue[self.first]
    self.queue[self.first] = nil
    self.first = self.first + 1
    if not waiter.over then
      waiter.over = true
      local arguments = waiter.arguments
      if arguments then
        self:resume(waiter.task, table.unpack(arguments, 1, arguments.n))
      else
        self:resume(waiter.task)
      end
    end
  end
  return true
end

function Scheduler:wake_due()
  local now = self.base.now()
  local waiter = self.timers.take(now)
  while waiter do
    if waiter.list then
      self:wake_late(waiter.list, now)
    else
      waiter.timed = nil
      self:wake(waiter)
    end
    waiter = self.timers.take(now)
  end
end

-- Who waits for operations is woken by theirs; who waits for the pollable, by every step.
function Scheduler:stepped(pollable, finished)
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

function Scheduler:step_all(list)
  for _, pollable in ipairs(list) do
    local finished = pollable:step()
    self:stepped(pollable, finished)
  end
end

function Scheduler:wait_below(deadline)
  local list, base = self.poll_set:pollables(), self.base
  if #list > 0 then
    base.wait(poll_sets.together(list), math.min(deadline, base.now() + LONGEST))
    return self:step_all(list)
  end
  if deadline == math.huge then error("every task waits for another one", 0) end
  local seconds = deadline - base.now()
  if seconds > 0 then base.sleep(seconds) end
end

-- Whoever drives us is asked after every run whether it goes on. Tasks that only let each other go
-- first must not keep the transports from being stepped.
function Scheduler:turn(deadline)
  self:wake_due()
  local ran = self:run_queue()
  self.busy = ran and not self.busy
  if self.busy then return end
  local ends = math.min(self.timers.next() or math.huge, deadline)
  self:wait_below(ran and self.base.now() or ends)
  self:wake_due()
  self:run_queue()
end

function Scheduler:step()
  if self.stepping then error("the tasks are being stepped already", 3) end
  self.stepping = true
  local _ <close> = setmetatable({}, { __close = function() self.stepping = false end })
  self:wake_due()
  self:step_all(self.poll_set:pollables())
  self:run_queue()
end

function Scheduler:timeout()
  if self.first <= self.last then return 0 end
  local due = self.timers.next()
  local seconds = due and math.max(due - self.base.now(), 0)
  local clock = poll_sets.earliest(self.poll_set:pollables())
  if not (seconds and clock) then return seconds or clock end
  return math.min(seconds, clock)
end

function Scheduler:is_inside(task)
  return task ~= nil and coroutine.running() == task.coroutine
end

function Scheduler:wait_outside(waiter)
  local base = self.base
  waiter.parked = base.parks ~= nil and base.parks(self.current ~= nil)
  local _ <close> = setmetatable({}, { __close = function() self:forget(waiter) end })
  self:enlist(waiter)
  if waiter.parked then return base.park(waiter) end
  while not waiter.ready do self:turn(waiter.deadline) end
end

function Scheduler:await(waiter)
  waiter.scheduler, waiter.ready, waiter.over = self, false, false
  local task = self.current
  if not self:is_inside(task) then return self:wait_outside(waiter) end
  waiter.task = task
  self:enlist(waiter)
  coroutine.yield(waiter)
end

--- Lets what is ready go on, without waiting.
function Scheduler:glance()
  local now = self.base.now()
  if self:is_inside(self.current) then return self:await { deadline = now } end
  if self.hosted then
    if not self.stepping then self:step() end
    return self:alter()
  end
  self:turn(now)
end

function Scheduler:spawn(body, ...)
  local task = tasks.new(self, body)
  local waiter = self:new_waiter(task)
  waiter.arguments = table.pack(...)
  self.alive = self.alive + 1
  self:wake(waiter)
  return task
end

function Scheduler:release(pollable)
  local list = self.poll_set:of(pollable)
  for i = list and #list or 0, 1, -1 do self:wake(list[i]) end
  if self.base.disarm then self.base.disarm(pollable) end
end

local function is_gone(waiter)
  return waiter.ready or waiter.over
end

--- Makes a loop that carries tasks over one that need not.
---@param base alicloud.Loop|alicloud.loop.Host
---@return alicloud.loop.Scheduler
function M.new(base)
  local scheduler = setmetatable({
    base = base, hosted = base.arm ~= nil, alive = 0, queue = {}, first = 1, last = 0,
    poll_set = poll_sets.new(),
    timers = timers.new(is_gone), stepping = false, busy = false,
  }, Scheduler)
  local loop = { now = base.now }

  -- Without tasks, nothing but one wait is to be looked after.
  function loop.wait(pollable, deadline, op)
    if scheduler.alive > 0 or scheduler.hosted then
      -- All fields at once, since a table that grows is made anew each time.
      return scheduler:await { pollable = pollable, deadline = deadline, op = op, ticket = nil,
        place = nil, scheduler = scheduler, task = nil, ready = false, over = false }
    end
    base.wait(pollable, deadline)
    pollable:step()
  end

  function loop.sleep(seconds)
    if scheduler.alive > 0 or scheduler.hosted then
      scheduler:await { deadline = base.now() + seconds }
    else
      base.sleep(seconds)
    end
  end

  function loop.spawn(body, ...) return scheduler:spawn(body, ...) end
  function loop.step() scheduler:step() end
  function loop.timeout() return scheduler:timeout() end
  function loop.pollables() return scheduler.poll_set:pollables() end
  function loop.release(pollable) scheduler:release(pollable) end

  function loop.gate()
    local waiter
    return {
      wait = function()
        waiter = { deadline = math.huge }
        scheduler:await(waiter)
      end,
      open = function()
        if waiter then scheduler:wake(waiter) end
      end,
    }
  end

  function loop.resume(waiter, ...)
    waiter.arguments = table.pack(...)
    scheduler:wake(waiter)
  end

  return loop
end

return M
