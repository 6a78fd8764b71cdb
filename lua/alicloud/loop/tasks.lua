--- Many things at a time on one thread: a loop over another loop, whose `wait` and `sleep` let the
--- other tasks go on.
--
-- Inside a task they hand the thread over; outside they drive all tasks until they are due. So the
-- same code serves one call and a thousand, with real descriptors and on a virtual clock. Tasks
-- move only while somebody waits, sleeps, or asks one of them whether it is done.

local errors = require "alicloud.error"
local pollables = require "alicloud.loop.pollables"
local timers = require "alicloud.loop.timers"

local M = {}

---@class alicloud.loop.Tasks: alicloud.Loop
---@field spawn fun(body: function, ...): alicloud.Task starts at the next turn
---@field turn fun(deadline: number) lets all that is ready go on once; waits if nothing is
---@field due fun(): number? when the next task is due by the clock, 0 if one is ready now
---@field pollables fun(): table[] what tasks wait for at this moment

---@class alicloud.Task
local Task = {}

-- One wait of one task. Whoever waits outside of every task has a waiter without a task, and
-- drives the others until it is ready.
---@class alicloud.loop.Waiter
---@field task alicloud.Task?
---@field deadline number
---@field pollable table?
---@field op { done: fun(self: table): boolean }? the waiter sleeps until it is done
---@field ready boolean
---@field over boolean nobody waits any more

-- The loop below wants a finite time.
local LONGEST = 3600

local NONE = { n = 0 }

local Scheduler = {}
Scheduler.__index = Scheduler

function Scheduler:wake(waiter)
  if waiter.ready or waiter.over then return end
  waiter.ready = true
  if waiter.deadline < math.huge then self.timers.retire() end
  self.interests:remove(waiter)
  if waiter.task then self.queue[#self.queue + 1] = waiter end
end

function Scheduler:forget(waiter)
  if not waiter.ready and waiter.deadline < math.huge then self.timers.retire() end
  waiter.over = true
  self.interests:remove(waiter)
end

function Scheduler:enlist(waiter)
  if waiter.deadline < math.huge then self.timers.add(waiter.deadline, waiter) end
  if waiter.pollable then self.interests:add(waiter) end
end

function Scheduler:finish(task, ok, ...)
  task.finished, task.ok, task.results = true, ok, table.pack(...)
  for _, waiter in ipairs(task.joiners) do self:wake(waiter) end
  task.joiners = nil
  self.alive = self.alive - 1
end

-- What a body yields by itself means only: let the others go first.
function Scheduler:took(task, ok, waiter, ...)
  if coroutine.status(task.coroutine) == "dead" then
    return self:finish(task, ok, waiter, ...)
  end
  if not (type(waiter) == "table" and waiter.scheduler == self) then
    waiter = { scheduler = self, task = task, deadline = math.huge, ready = false, over = false }
    self:wake(waiter)
  end
  task.waiter = waiter
end

function Scheduler:resume(task, ...)
  local previous = self.current
  self.current = task
  self:took(task, coroutine.resume(task.coroutine, ...))
  self.current = previous
end

function Scheduler:run_queue()
  local queue = self.queue
  if #queue == 0 then return false end
  self.queue = {}
  for _, waiter in ipairs(queue) do
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
    self:wake(waiter)
    waiter = self.timers.take(now)
  end
end

-- A transport that can tell which operations have ended saves asking all of them.
function Scheduler:wake_ended(pollable)
  local ended, woken = pollable.ended, false
  local ticket = ended(pollable)
  while ticket do
    local waiter = self.interests:holder(pollable, ticket)
    if waiter then self:wake(waiter) end
    woken = woken or waiter ~= nil
    ticket = ended(pollable)
  end
  return woken, ticket == false
end

-- A transport that was closed meanwhile has ended its operations, so they are looked at first.
function Scheduler:wake_finished(pollable, stepped)
  local woken = false
  if pollable.ended then
    local closed
    woken, closed = self:wake_ended(pollable)
    if not closed then return woken end
  end
  for _, waiter in ipairs(self.interests:of(pollable)) do
    local finished
    if waiter.op then finished = waiter.op:done() else finished = stepped end
    if finished then self:wake(waiter) end
    woken = woken or finished
  end
  return woken
end

function Scheduler:wait_below(deadline)
  local list, woken = self.interests:pollables(), false
  for _, pollable in ipairs(list) do woken = self:wake_finished(pollable, false) or woken end
  if woken then return end
  local base = self.base
  if #list == 0 then
    if deadline == math.huge then error("every task waits for another one", 0) end
    return base.sleep(math.max(deadline - base.now(), 0))
  end
  base.wait(pollables.together(list), math.min(deadline, base.now() + LONGEST))
  for _, pollable in ipairs(list) do
    pollable:step()
    self:wake_finished(pollable, true)
  end
end

function Scheduler:turn(deadline)
  self:wake_due()
  if self:run_queue() then return end
  self:wait_below(math.min(self.timers.next() or math.huge, deadline))
  self:wake_due()
  self:run_queue()
end

function Scheduler:drive(waiter)
  self:enlist(waiter)
  local _ <close> = setmetatable({}, { __close = function() self:forget(waiter) end })
  while not waiter.ready do self:turn(waiter.deadline) end
end

function Scheduler:is_inside(task)
  return task ~= nil and coroutine.running() == task.coroutine
end

function Scheduler:await(waiter)
  waiter.scheduler, waiter.ready, waiter.over = self, false, false
  if not self:is_inside(self.current) then return self:drive(waiter) end
  waiter.task = self.current
  self:enlist(waiter)
  coroutine.yield(waiter)
end

--- Whether it has ended. The tasks go on before the answer is given, but nothing is waited for.
---@return boolean
function Task:done()
  if self.finished then return true end
  local scheduler = self.scheduler
  local now = scheduler.base.now()
  if scheduler:is_inside(scheduler.current) then
    scheduler:await { deadline = now }
  else
    scheduler:turn(now)
  end
  return self.finished
end

--- Waits for its end.
---@param timeout? number seconds (no limit)
---@return boolean done
function Task:wait(timeout)
  if self.finished then return true end
  local scheduler = self.scheduler
  if scheduler:is_inside(self) then error("a task cannot wait for its own end", 2) end
  local waiter = { deadline = scheduler.base.now() + (timeout or math.huge) }
  self.joiners[#self.joiners + 1] = waiter
  scheduler:await(waiter)
  return self.finished
end

--- Waits for its end and gives what its body returned, or raises what its body raised. Of a task
--- that was cancelled: nil and what `cancel` was given.
---@return any ...
function Task:result()
  self:wait()
  if not self.ok then error(self.results[1], 0) end
  return table.unpack(self.results, 1, self.results.n)
end

local function cancelled()
  return errors.new {
    kind = "cancelled", code = "Client.Cancelled", outcome = "unknown",
    message = "the task was cancelled; what it had sent may have been done",
  }
end

--- Ends it where it waits: its to-be-closed variables are closed, so a call in flight is given up.
---@param err? alicloud.Error second result of the task
---@return boolean cancelled false if it had ended before
function Task:cancel(err)
  if self.finished then return false end
  local status = coroutine.status(self.coroutine)
  if status ~= "suspended" then error("a running task cannot be cancelled", 2) end
  self.scheduler:forget(self.waiter)
  local ok, failure = coroutine.close(self.coroutine)
  if ok then
    self.scheduler:finish(self, true, nil, err or cancelled())
  else
    self.scheduler:finish(self, false, failure)
  end
  return true
end

local task_metatable = { __name = "alicloud.Task", __index = Task, __close = Task.cancel }

function Scheduler:spawn(body, ...)
  local task = setmetatable({
    scheduler = self, coroutine = coroutine.create(body), finished = false, joiners = {},
  }, task_metatable)
  local waiter = { scheduler = self, task = task, deadline = math.huge,
    arguments = table.pack(...), ready = false, over = false }
  task.waiter = waiter
  self.alive = self.alive + 1
  self:wake(waiter)
  return task
end

local function is_gone(waiter)
  return waiter.ready or waiter.over
end

--- Makes a loop that carries tasks.
---@param base alicloud.Loop
---@return alicloud.loop.Tasks
function M.new(base)
  local scheduler = setmetatable({
    base = base, alive = 0, queue = {}, interests = pollables.new(), timers = timers.new(is_gone),
  }, Scheduler)
  local loop = { now = base.now }

  function loop.wait(pollable, deadline, op)
    if scheduler.alive == 0 then return base.wait(pollable, deadline) end
    scheduler:await { pollable = pollable, deadline = deadline, op = op }
  end

  function loop.sleep(seconds)
    if scheduler.alive == 0 then return base.sleep(seconds) end
    scheduler:await { deadline = base.now() + seconds }
  end

  function loop.spawn(body, ...)
    return scheduler:spawn(body, ...)
  end

  function loop.turn(deadline)
    scheduler:turn(deadline)
  end

  function loop.due()
    return #scheduler.queue > 0 and 0 or scheduler.timers.next()
  end

  function loop.pollables()
    return scheduler.interests:pollables()
  end

  return loop
end

return M
