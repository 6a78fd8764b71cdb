--- Scopes: groups of tasks that end together, and whose waits are cancelled together.
--
-- As trio's nurseries and cancel scopes: a scope ends when its tasks have; when it is cancelled,
-- fails or its time is over, every wait within it raises, until all tasks have ended. A task is a
-- small scope of its own for its waits, but what it spawns belongs to the scope around it.
-- (https://trio.readthedocs.io/en/stable/reference-core.html#cancellation-and-timeouts)

local core = require "alicloud.core"
local deadlines = require "alicloud.loop.deadline"
local duration = require "alicloud.base.duration"
local errors = require "alicloud.base.error"
local guard = require "alicloud.base.guard"
local schema = require "alicloud.base.schema"
local tables = require "alicloud.base.tables"

local M = {}

-- What can be cancelled: a scope or a task.
---@class alicloud.loop.Node
---@field scheduler alicloud.loop.Scheduler
---@field parent alicloud.loop.Node? nil: none is around it
---@field children alicloud.loop.Node[]? in no promised order
---@field place integer? among the children of its parent
---@field waiter alicloud.loop.Waiter? the wait that its code is in now
---@field raised any what every wait in it raises, once it is cancelled
---@field reason alicloud.Error? why it was cancelled, as `cancel` was given it
---@field shield boolean? cancellations and interrupts from outside are not raised inside

---@class alicloud.Scope: alicloud.loop.Node
---@field opened_in alicloud.Scope[] the open scopes of its task, or of the loop
---@field live integer tasks that have not ended
---@field cancelled alicloud.Error? why, once it is cancelled
---@field closed boolean it has ended
---@field cut_off boolean? some of its tasks were ended by its cancellation
---@field seconds number? its timeout
---@field due number? monotonic seconds at which its timeout is over
local Scope = { nursery = true, closed = false }
Scope.__index = Scope

---@class alicloud.ScopeOptions
---@field timeout? number|string seconds, or a duration, after which it is cancelled
---@field shield? boolean neither an outer cancellation nor an interrupt is raised inside; needs a
---timeout

local SCHEMA = {
  timeout = schema.rule(duration.ALLOWED, function(value)
    return duration.parse(value) ~= nil
  end),
  shield = schema.boolean,
}

--- Makes a node the child of another, with which it is cancelled.
---@param node alicloud.loop.Node
---@param parent alicloud.loop.Node?
function M.attach(node, parent)
  node.parent = parent
  if not parent then return end
  -- Making a table may run a finalizer, which may spawn, too: so `children` is read again after it.
  local made = not parent.children and {} or nil
  local children = parent.children or made
  parent.children = children
  node.place = #children + 1
  children[node.place] = node
end

--- Takes a node out of its parent's children.
---@param node alicloud.loop.Node
function M.detach(node)
  local children, place = node.parent and node.parent.children, node.place
  if not children or not place then return end
  local count = #children
  local last = children[count]
  children[count] = nil
  if last ~= node then children[place], last.place = last, place end
  node.place = nil
end

--- What a wait in a node has to raise.
---@param node alicloud.loop.Node?
---@return any? raised nil: nothing, the code may wait
---@return boolean shielded whether a shield ended the search
function M.stop_of(node)
  while node do
    if node.raised ~= nil then return node.raised, false end
    if node.shield then return nil, true end
    node = node.parent
  end
  return nil, false
end

local function tell(node)
  local waiter, children = node.waiter, node.children
  if waiter then node.scheduler:break_off(waiter) end
  for i = 1, children and #children or 0 do
    if not children[i].shield then tell(children[i]) end
  end
end

--- The error that cancelled waits raise.
---@param reason? alicloud.Error why they were cancelled
---@return alicloud.Error
function M.cancellation(reason)
  local known = errors.is_error(reason)
  return guard.cancellation(errors.new { kind = "cancelled", code = "Client.Cancelled",
    outcome = known and reason.outcome or "unknown", cause = reason,
    message = reason and "cancelled: " .. (known and reason.message or errors.text_of(reason))
      or "the task was cancelled; what it had sent may have been done" })
end

--- Turns a cancellation into an ordinary error, for code that asks how something has ended but is
--- not cancelled itself. Other values are returned as they are.
---@param raised any
---@return any
function M.told(raised)
  if not guard.is_cancellation(raised) then return raised end
  return errors.new(tables.copy(raised))
end

--- Cancels a node and its children, but none that has a shield.
---@param node alicloud.loop.Node
---@param reason? alicloud.Error
---@param raised? any what waits raise; default: an error of kind "cancelled"
---@type fun(node: alicloud.loop.Node, reason?: alicloud.Error, raised?: any)
M.cancel = core.aside(function(node, reason, raised)
  if node.raised ~= nil then return end
  node.reason, node.raised = M.told(reason), raised == nil and M.cancellation(reason) or raised
  tell(node)
end)

--- Cancels the scope: waits inside raise; when all has ended `loop.scope` gives nil and the reason.
---@param reason? alicloud.Error
---@type fun(self: alicloud.Scope, reason?: alicloud.Error)
Scope.cancel = core.aside(function(self, reason)
  if self.closed or self.raised ~= nil then return end
  M.cancel(self, reason)
  self.cancelled = self.reason or M.told(self.raised)
end)

--- Starts a task of this scope; the caller may be outside of it.
---@param body function
---@param ... any its arguments
---@return alicloud.Task
function Scope:spawn(body, ...)
  if self.closed then error("the scope has ended, and takes no more tasks", 2) end
  return self.scheduler:spawn_in(self, body, ...)
end

--- Whether the running code is in this scope.
---@return boolean
function Scope:is_around()
  local node = self.scheduler:node_here()
  while node and node ~= self do node = node.parent end
  return node ~= nil
end

--- Seconds by which its timeout is overrun; nil: it is not, or by less than a second.
---@return number|nil seconds
function Scope:late() return deadlines.late(self) end

--- Takes note that a task of the scope has ended.
---@param task alicloud.Task
function Scope:left(task)
  M.detach(task)
  self.live = self.live - 1
  self.cut_off = self.cut_off or task.cut_off and self.raised ~= nil
  if not task.ok then
    self.failed = self.failed or {}
    self.failed[#self.failed + 1] = task
    task.failed_untold = task.failed_untold or M.stop_of(self) == nil
  end
  if self.live == 0 and self.joiner then self.scheduler:wake(self.joiner) end
end

-- Waits until all tasks of a scope have ended. If an outer scope is cancelled meanwhile, or an
-- interrupt comes, the tasks are cancelled, and that is raised when they have ended.
local function join(scope)
  local raised
  while scope.live > 0 do
    local joiner = { deadline = math.huge }
    scope.joiner = joiner
    local ok, stop = pcall(scope.scheduler.await, scope.scheduler, joiner, scope.raised ~= nil)
    scope.joiner = nil
    if not ok then
      if scope.raised ~= nil and not guard.is_stop(stop) then error(stop, 0) end
      -- The cancellation of this scope itself is told in `conclude`.
      if stop ~= scope.raised then
        raised = raised == nil and stop or raised
        M.cancel(scope, nil, stop)
      end
    end
  end
  if raised ~= nil then error(raised, 0) end
end

local function is_shielded(node)
  while node do
    if node.shield then return true end
    node = node.parent
  end
  return false
end

--- Tells the core whether the code that goes on now is shielded from interrupts.
---@param scheduler alicloud.loop.Scheduler
---@param node alicloud.loop.Node?
function M.hold_interrupts(scheduler, node)
  if scheduler.shields > 0 then core.shield_interrupt(is_shielded(node)) end
end

local function raise_shield(scope)
  scope.scheduler.shields = scope.scheduler.shields + 1
  core.shield_interrupt(true)
end

-- Ends the shield of a scope; the code that follows runs in a node.
local function lower_shield(scope, node)
  core.shield_interrupt(is_shielded(node))
  scope.scheduler.shields = scope.scheduler.shields - 1
end

-- Gives the tasks of an abandoned scope to the scope around it, and cancels them.
local function hand_over(scope, heir)
  local children = scope.children or {}
  for i = #children, 1, -1 do
    local child = children[i]
    if child.nursery then
      M.abandon(child, heir)
    else
      M.detach(child)
      M.attach(child, heir)
      if heir then heir.live = heir.live + 1 end
      M.cancel(child, scope.reason, scope.raised)
      if not child.begun then scope.scheduler:drop(child) end
    end
  end
  scope.live = 0
end

local function shut(scope, node)
  scope.closed = true
  if scope.shield then lower_shield(scope, node) end
  deadlines.clear(scope)
  scope.scheduler:leave(scope)
  M.detach(scope)
end

-- The innermost open scope around a node.
local function nursery_around(node)
  node = node.parent
  while node and (not node.nursery or node.closed) do node = node.parent end
  return node
end

--- Ends a scope whose coroutine is never resumed again.
---@param scope alicloud.Scope
---@param heir? alicloud.Scope that takes its tasks over and waits for them (the one around it)
function M.abandon(scope, heir)
  if scope.closed then return end
  heir = heir or nursery_around(scope)
  M.cancel(scope)
  shut(scope, scope.scheduler:node_here())
  hand_over(scope, heir)
end

--- Ends the scopes that are still open in a node when the node ends, e.g. in a generator that was
--- left in the middle.
---@param node alicloud.loop.Node
---@param heir alicloud.Scope?
function M.desert(node, heir)
  local children = node.children
  for i = #children, 1, -1 do
    local child = children[i]
    if child and child.nursery then M.abandon(child, heir) end
  end
end

-- Ends a scope that is left in the middle, e.g. by an interrupt: its tasks are cancelled.
local function close(scope)
  if scope.closed or not scope.opened then return end
  local ok, raised = true, nil
  if scope.live > 0 then
    M.cancel(scope)
    if scope.scheduler:can_wait() then ok, raised = pcall(join, scope) end
  end
  local heir = nursery_around(scope)
  shut(scope, scope.parent)
  if scope.live > 0 then hand_over(scope, heir) end
  if not ok then error(raised, 0) end
end

Scope.__close = core.aside(close)

-- Opens a scope aside, so that no interrupt finds it half open.
local open = core.aside(function(scope, owner, seconds)
  local scheduler = scope.scheduler
  M.attach(scope, scheduler:node_here())
  scheduler:enter(scope, owner)
  if scope.shield then raise_shield(scope) end
  deadlines.set(scope, seconds)
  scope.opened = true
end)

-- The interrupt that has ended tasks of a scope; nil: none. It is raised once.
local function interrupt_of(scope)
  local found
  for _, task in ipairs(scope.failed or {}) do
    if not task.taken and guard.is_interrupt(task.results[1]) then
      found, task.taken = found or task.results[1], true
    end
  end
  return found
end

-- The first error of a task that nobody has asked for; if `untold`, of a task that had not been
-- told to stop when it failed.
local function forgotten(scope, untold)
  for _, task in ipairs(scope.failed or {}) do
    if not task.taken and (task.failed_untold or not untold) then
      task.taken = true
      return task.results[1]
    end
  end
end

-- If the function has returned: its results, also if it has cancelled its own scope. If the timeout
-- has ended tasks, some work is missing: nil and the reason.
local function conclude_well(scope, ...)
  local raised = forgotten(scope)
  if raised ~= nil then error(raised, 0) end
  if scope.expired and scope.cut_off then return nil, scope.reason end
  return ...
end

-- If the function was told to stop because a task had failed, that task's error is raised: it is
-- the cause. The current task fails with it in place of that task.
local function raise_cause(scope)
  local cause, task = forgotten(scope, true), scope.scheduler.current
  if cause == nil then return end
  if task then task.failed_untold = true end
  error(cause, 0)
end

local function conclude(scope, ok, ...)
  local interrupt = interrupt_of(scope)
  if interrupt ~= nil then error(interrupt, 0) end
  if ok then return conclude_well(scope, ...) end
  local raised = ...
  if guard.is_cancellation(raised) then raise_cause(scope) end
  if not (scope.cancelled and guard.is_cancellation(raised)) then error(raised, 0) end
  local outer = M.stop_of(not scope.shield and scope.parent or nil)
  if outer ~= nil then error(outer, 0) end
  -- The outcome of the call that the timeout cut short.
  if scope.expired then scope.reason.outcome = raised.outcome end
  return nil, scope.reason or M.told(raised)
end

--- Runs a function within a scope of its own; see loop.scope.
---@param scheduler alicloud.loop.Scheduler
---@param fn fun(scope: alicloud.Scope): ...
---@param options? alicloud.ScopeOptions
---@return any ...
function M.run(scheduler, fn, options)
  options = schema.check("loop.scope", options, SCHEMA, 3)
  if options.shield and not options.timeout then
    error("loop.scope: option shield: what is not told to stop needs a timeout", 3)
  end
  -- A scope without options has these eight fields: naming them makes the table in its final size.
  local scope <close> = setmetatable({ scheduler = scheduler, live = 0, opened = false,
    parent = nil, place = nil, children = nil, opened_in = nil, joiner = nil }, Scope)
  scope.shield = options.shield
  open(scope, coroutine.running(), options.timeout and duration.parse(options.timeout))
  local results = table.pack(pcall(fn, scope))
  if not results[1] then
    local raised = results[2]
    M.cancel(scope, nil, guard.is_stop(raised) and raised or nil)
  end
  if scope.children then M.desert(scope, scope) end
  join(scope)
  return conclude(scope, table.unpack(results, 1, results.n))
end

return M
