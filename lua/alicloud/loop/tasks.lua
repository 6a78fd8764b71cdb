--- Many things at a time on one thread: a loop over another loop, whose `wait` and `sleep` let the
--- other tasks go on.
--
-- Inside a task they hand the thread over; outside they drive all tasks until they are due. So the
-- same code serves one call and a thousand, with real descriptors and on a virtual clock. Tasks
-- move only while somebody waits, sleeps, steps, or asks one of them whether it is done. Over the
-- event loop of a program (alicloud.loop.cqueues, alicloud.loop.luv) that one steps them, and its
-- coroutines are parked while they wait.

local pollables = require "alicloud.loop.pollables"
local task_class = require "alicloud.loop.task"
local timers = require "alicloud.loop.timers"

local M = {}

---@class alicloud.loop.Tasks: alicloud.Loop
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

-- One wait. Without a task it belongs to somebody who is parked by the host, or who drives the
-- tasks until it is ready.
---@class alicloud.loop.Waiter
---@field task alicloud.Task?
---@field parked boolean?
---@field adopted boolean?
---@field deadline number
---@field pollable table?
---@field op { done: fun(self: table): boolean }? the waiter sleeps until it is done
---@field timed boolean? has a place among the timers
---@field ready boolean
---@field over boolean nobody waits any more

-- The loop below wants a finite time.
local LONGEST = 3600

local NONE = { n = 0 }

local Scheduler = {}
Scheduler.__index = Scheduler

-- Whoever steps us looks at what there is to wait for when the step is over.
function Scheduler:alter()
  if self.base.arm and not self.stepping then self.base.arm() end
end

function Scheduler:retire(waiter)
  self.interests:remove(waiter)
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
  self:alter()
end

function Scheduler:forget(waiter)
  if waiter.over then return end
  waiter.over = true
  self:retire(waiter)
  if waiter.adopted then self.base.abandon(waiter) end
end

-- An operation that ended before it was waited for is never announced again.
function Scheduler:enlist(waiter)
  if waiter.op and waiter.op:done() then return self:wake(waiter) end
  if waiter.deadline < math.huge then
    waiter.timed = true
    self.timers.add(waiter.deadline, waiter)
  end
  if waiter.pollable then self.interests:add(waiter) end
  self:alter()
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
  if coroutine.status(task.coroutine) == "dead" then
    -- An error leaves open what the body had open.
    if not ok then coroutine.close(task.coroutine) end
    return self:finish(task, ok, waiter, ...)
  end
  if type(waiter) == "table" and waiter.scheduler == self then
    task.waiter = waiter
    return
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
      local arguments = waiter.arguments or NONE
      self:resume(waiter.task, table.unpack(arguments, 1, arguments.n))
    end
  end
  return true
end

function Scheduler:wake_due()
  local now = self.base.now()
  local waiter = self.timers.take(now)
  while waiter do
    waiter.timed = nil
    self:wake(waiter)
    waiter = self.timers.take(now)
  end
end

-- `finished` is how many operations have ended, of a pollable that counts them.
function Scheduler:stepped(pollable, finished)
  if finished == 0 then return end
  local list = self.interests:of(pollable)
  for i = #list, 1, -1 do
    local waiter = list[i]
    if not waiter.op or waiter.op:done() then self:wake(waiter) end
  end
end

function Scheduler:step_all(list)
  for _, pollable in ipairs(list) do
    local finished = pollable:step()
    self:stepped(pollable, finished)
  end
end

function Scheduler:wait_below(deadline)
  local list, base = self.interests:pollables(), self.base
  if #list > 0 then
    base.wait(pollables.together(list), math.min(deadline, base.now() + LONGEST))
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
  self:step_all(self.interests:pollables())
  self:run_queue()
end

function Scheduler:timeout()
  if self.first <= self.last then return 0 end
  local due = self.timers.next()
  local seconds = due and math.max(due - self.base.now(), 0)
  local clock = pollables.earliest(self.interests:pollables())
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
  if not self:is_inside(self.current) then return self:wait_outside(waiter) end
  waiter.task = self.current
  self:enlist(waiter)
  coroutine.yield(waiter)
end

--- Lets what is ready go on, without waiting.
function Scheduler:glance()
  local now = self.base.now()
  if self:is_inside(self.current) then return self:await { deadline = now } end
  if self.base.arm then
    if not self.stepping then self:step() end
    return self:alter()
  end
  self:turn(now)
end

function Scheduler:spawn(body, ...)
  local task = task_class.new(self, body)
  local waiter = self:new_waiter(task)
  waiter.arguments = table.pack(...)
  self.alive = self.alive + 1
  self:wake(waiter)
  return task
end

function Scheduler:release(pollable)
  local list = self.interests:of(pollable)
  for i = #list, 1, -1 do self:wake(list[i]) end
  if self.base.disarm then self.base.disarm(pollable) end
end

-- Without tasks, nothing but one wait is to be looked after.
function Scheduler:is_alone()
  return self.alive == 0 and not self.base.arm
end

local function is_gone(waiter)
  return waiter.ready or waiter.over
end

--- Makes a loop that carries tasks.
---@param base alicloud.Loop|alicloud.loop.Host
---@return alicloud.loop.Tasks
function M.new(base)
  local scheduler = setmetatable({
    base = base, alive = 0, queue = {}, first = 1, last = 0, interests = pollables.new(),
    timers = timers.new(is_gone), stepping = false, busy = false,
  }, Scheduler)
  local loop = { now = base.now }

  function loop.wait(pollable, deadline, op)
    if not scheduler:is_alone() then
      return scheduler:await { pollable = pollable, deadline = deadline, op = op }
    end
    base.wait(pollable, deadline)
    pollable:step()
  end

  function loop.sleep(seconds)
    if scheduler:is_alone() then return base.sleep(seconds) end
    scheduler:await { deadline = base.now() + seconds }
  end

  function loop.spawn(body, ...) return scheduler:spawn(body, ...) end
  function loop.step() scheduler:step() end
  function loop.timeout() return scheduler:timeout() end
  function loop.pollables() return scheduler.interests:pollables() end
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
