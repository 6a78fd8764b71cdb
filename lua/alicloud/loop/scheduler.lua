--- Runs many tasks on one thread: a loop over another loop, the base, whose `wait` and `sleep` let
--- other tasks go on.
--
-- Inside a task they yield; outside of tasks they run all tasks until the wait is over. So the same
-- code serves one call and a thousand, with real descriptors and on a virtual clock. Tasks run only
-- while somebody waits, sleeps, steps, or asks one of them whether it is done. Over the event loop
-- of a program (alicloud.loop.cqueues, alicloud.loop.luv), that loop steps the tasks, and its
-- coroutines are parked while they wait.
--
-- Which tasks end together, and which waits are cancelled: alicloud.loop.scope.
--
-- This module finds the scope that running code belongs to, raises cancellations, and makes code
-- wait. Who waits for what: alicloud.loop.waiting; how tasks go on: alicloud.loop.running; what
-- runs them: alicloud.loop.driving. Changes that the main thread makes are made aside, where no
-- interrupt comes (core.aside); a variable is declared to be closed before it holds anything.

local carriers = require "alicloud.loop.carrier"
local core = require "alicloud.core"
local driving = require "alicloud.loop.driving"
local faces = require "alicloud.loop.face"
local forked = require "alicloud.loop.forked"
local guard = require "alicloud.base.guard"
local running = require "alicloud.loop.running"
local scopes = require "alicloud.loop.scope"
local waiting = require "alicloud.loop.waiting"

local M = {}

---@class alicloud.loop.Loop: alicloud.Loop
---@field spawn fun(body: function, ...): alicloud.Task starts a task at the next turn, in the scope
--- that the caller is in
---@field spawn_shared fun(body: function, ...): alicloud.Task starts a task of no scope: several
--- may wait for it, and none of them cancels it when it is cancelled itself
---@field scope fun(fn: function, options?: alicloud.ScopeOptions): any runs `fn(scope)` at once,
--- and returns when it and all tasks that it has started have ended: its results; or nil and the
--- reason, if the scope was cancelled or its time was over. Raises what `fn` raises, and the error
--- of a task whose result nobody has asked for
---@field checkpoint fun() raises if the caller's scope is cancelled, or an interrupt came
---@field is_crowded fun(): boolean whether the caller's task can wait and other tasks are ready
---@field give_way fun() lets those tasks go first, without cancellation; only if `is_crowded`
---@field stopping fun(): any what `checkpoint` would raise
---@field coroutine { wrap: function, resume: function } for coroutines inside a task that wait
---@field step fun() lets all tasks that are ready go on once; never waits
---@field timeout fun(): number? seconds until `step` is due by the clock
---@field pollables fun(): table[] the pollables that are waited for now
---@field descriptor fun(): integer readable when one of them is ready; always the same
---@field release fun(pollable: table) to be called before a pollable is closed
---@field resume fun(waiter: alicloud.loop.Waiter, ...) ends a wait that the host adopted
---@field gate fun(): { wait: fun(deadline?: number), open: fun() } `wait` ends when another task
--- calls `open`, or at the deadline (monotonic seconds)

-- The event loop of a program. Outside of its coroutines it waits like any other loop.
---@class alicloud.loop.Host: alicloud.Loop
---@field parks fun(): boolean whether the running coroutine can be parked
---@field park fun(waiter: alicloud.loop.Waiter) suspends the coroutine until the waiter is ready
---@field unpark fun(waiter: alicloud.loop.Waiter) resumes it, for the waiter is ready
---@field arm fun() is told that `step` is wanted, or that what it waits for has changed
---@field adopt? fun(waiter: alicloud.loop.Waiter, ...): boolean waits for what a task yielded, if
--- it is the host's; false: it is not
---@field abandon? fun(waiter: alicloud.loop.Waiter) is told that nobody waits for it any more

---@class alicloud.loop.Scheduler: alicloud.loop.Driving
---@field shields integer number of open scopes with a shield
---@field carrier alicloud.loop.Carrier
local Scheduler = setmetatable({}, { __index = driving.Driving })
Scheduler.__index = Scheduler

function Scheduler:is_inside(task)
  if task == nil then return false end
  local co = coroutine.running()
  return co == task.coroutine or self.carrier:carries(co)
end

-- Code is in a scope if its coroutine has opened it, or has been resumed by the one that did.
function Scheduler:is_below(scope, co)
  local owner = self.owners[scope]
  return owner ~= nil and (owner == co or coroutine.status(owner) == "normal")
end

--- The innermost scope or task that the running code belongs to.
---@return alicloud.loop.Node? nil: none
function Scheduler:node_here()
  local task = self.current
  local open = (task or self).open
  if open and open[1] then
    local co = coroutine.running()
    for i = #open, 1, -1 do
      if self:is_below(open[i], co) then return open[i] end
    end
  end
  return task
end

--- Enters a scope.
---@param scope alicloud.Scope
---@param owner thread the coroutine that opens it
function Scheduler:enter(scope, owner)
  forked.look(self)
  local place = self.current or self
  place.open = place.open or {}
  scope.opened_in, self.owners[scope] = place.open, owner
  place.open[#place.open + 1] = scope
end

--- Leaves a scope.
---@param scope alicloud.Scope
function Scheduler:leave(scope)
  local open = scope.opened_in
  for i = #open, 1, -1 do
    if open[i] == scope then return table.remove(open, i) end
  end
end

--- What a wait in a node has to raise; nil: the code may wait.
---@param node alicloud.loop.Node?
---@return any
function Scheduler:stop_of(node)
  local raised, shielded = scopes.stop_of(node)
  if raised == nil and not shielded and self.base.interrupted() then return guard.INTERRUPTED end
  return raised
end

function Scheduler:refuse(raised)
  local task = self.current
  if task and guard.is_stop(raised) and self:loses_patience(task) and coroutine.isyieldable() then
    coroutine.yield(running.GIVE_UP)
  end
  error(raised, 0)
end

-- Why the running code cannot wait at all; nil: it can.
function Scheduler:obstacle()
  local task = self.current
  if waiting.in_finalizer() then return "in a finalizer" end
  if not task then
    return self.known_drivers[coroutine.running()] and "in what the loop itself calls" or nil
  end
  if not self:is_inside(task) then
    return "in a coroutine of a task's own; make it with loop.coroutine.wrap"
  end
  return not coroutine.isyieldable() and "where Lua cannot yield: in a function that "
    .. "string.gsub, table.sort or another function of C has called" or nil
end

--- Whether the running code can wait.
---@param task? alicloud.Task for the end of this task
---@return boolean
function Scheduler:can_wait(task)
  return not self:obstacle() and not (task and self:is_inside(task))
end

function Scheduler:drive(waiter, node, unbroken)
  while not waiter.ready do
    self:drive_once(waiter.deadline)
    self.known = self.base.interrupted() or false
    if not unbroken then self:hear(node) end
    if not unbroken and not waiter.ready and self:stop_of(node) ~= nil then
      waiter.cancelled = true
      return
    end
  end
end

-- A wait outside of tasks. It begins and ends aside, so that no interrupt finds it half done.
local Outside = { __close = core.aside(function(waiter)
  local self, node = waiter.scheduler, waiter.node
  if node and node.waiter == waiter then node.waiter = nil end
  self:forget(waiter)
  scopes.hold_interrupts(self, self:node_here())
end) }

local begin_outside = core.aside(function(self, waiter, node, unbroken)
  if not unbroken then self:note(waiter, node) end
  self:enlist(waiter)
end)

function Scheduler:wait_outside(waiter, node, unbroken)
  local base = self.base
  waiter.parked = base.parks ~= nil and base.parks()
  local _ <close> = setmetatable(waiter, Outside)
  begin_outside(self, waiter, node, unbroken)
  if waiter.parked then return base.park(waiter) end
  self:drive(waiter, node, unbroken)
end

--- Suspends the running code until a waiter is ready. Raises if its scope is cancelled.
---@param waiter alicloud.loop.Waiter
---@param unbroken? boolean true: no cancellation ends the wait
function Scheduler:await(waiter, unbroken)
  forked.look(self)
  waiter.scheduler, waiter.ready, waiter.over = self, false, false
  self.known = self.base.interrupted() or false
  local node, task = self:node_here(), self.current
  local raised = not unbroken and self:stop_of(node) or nil
  if raised ~= nil then self:refuse(raised) end
  local obstacle = self:obstacle()
  if obstacle then error(driving.cannot_wait(obstacle), 0) end
  if task then
    if not unbroken then self:note(waiter, node) end
    waiter.task = task
    self:enlist(waiter)
    coroutine.yield(waiter)
  else
    self:wait_outside(waiter, node, unbroken)
  end
  if waiter.cancelled then self:refuse(self:stop_of(node)) end
end

function Scheduler:is_crowded()
  return self.current ~= nil and self.first <= self.last and not self:obstacle()
end

function Scheduler:give_way()
  local waiter = self:new_waiter(self.current)
  self:wake(waiter)
  coroutine.yield(waiter)
end

--- Lets tasks that are ready go on, without waiting.
function Scheduler:glance()
  forked.look(self)
  if waiting.in_finalizer() then return end
  local now = self.base.now()
  if self.current then return self:await { deadline = now } end
  if self.hosted then
    if not self.stepping then self:step() end
    return self:alter()
  end
  self:drive_once(now)
end

-- The innermost scope around the running code; nil: none.
function Scheduler:nursery()
  local node = self:node_here()
  while node and not node.nursery do node = node.parent end
  return node
end

local function never() return nil end

-- A loop of the user's may lack `interrupted`, and so do the event loops of programs.
local function understood(base)
  if base.interrupted then return base end
  return setmetatable({ interrupted = never }, { __index = base })
end

--- Makes a loop that runs tasks, over one that need not.
---@param base alicloud.Loop|alicloud.loop.Host
---@return alicloud.loop.Loop
function M.new(base)
  local fields = waiting.fields(understood(base))
  fields.alive, fields.open, fields.busy = 0, {}, false
  fields.shields, fields.owners = 0, setmetatable({}, { __mode = "kv" })
  fields.drivers, fields.known_drivers = {}, setmetatable({}, { __mode = "k" })
  local scheduler = setmetatable(fields, Scheduler)
  scheduler.carrier = carriers.new(function() return scheduler.current end)
  return faces.new(scheduler)
end

return M
