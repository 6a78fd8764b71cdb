--- Scopes: which tasks end with what, and who is told that it is to stop.
--
-- As trio's nurseries and cancel scopes: a scope ends when its tasks have; when it is cancelled,
-- fails or its time is over, every wait within it raises, until all have ended. A task is a small
-- scope of its own for its waits, but what it spawns belongs to the scope around it.
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
---@field parent alicloud.loop.Node? nil: only the loop itself
---@field children alicloud.loop.Node[]? in no promised order
---@field place integer? among the children of its parent
---@field waiter alicloud.loop.Waiter? what is waited for in it now
---@field raised any what every wait in it raises, once it is cancelled
---@field reason alicloud.Error? why, as it was given
---@field shield boolean? what is around it is not told inside

---@class alicloud.Scope: alicloud.loop.Node
---@field opened_in alicloud.Scope[] those of its task, or of the loop
---@field live integer tasks that have not ended
---@field cancelled alicloud.Error? why, once it is cancelled
---@field closed boolean it has ended
---@field cut_off boolean? tasks of it have ended because it was cancelled
---@field seconds number? of its timeout
---@field due number? when that is over, by the loop's clock
local Scope = { nursery = true, closed = false }
Scope.__index = Scope

---@class alicloud.ScopeOptions
---@field timeout? number|string seconds, or a duration, after which it is cancelled
---@field shield? boolean neither an outer cancellation nor an interrupt is told inside; needs a
---timeout

local SCHEMA = {
  timeout = schema.rule(duration.ALLOWED, function(value)
    return duration.parse(value) ~= nil
  end),
  shield = schema.boolean,
}

--- Puts a node among those that end with another one.
---@param node alicloud.loop.Node
---@param parent alicloud.loop.Node?
function M.attach(node, parent)
  node.parent = parent
  if not parent then return end
  -- A table that is made may let a finalizer run, and that one may spawn, too.
  local made = not parent.children and {} or nil
  local children = parent.children or made
  parent.children = children
  node.place = #children + 1
  children[node.place] = node
end

--- Takes a node out again.
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

--- What a wait in a node is to raise.
---@param node alicloud.loop.Node?
---@return any? raised nil: nothing, it may wait
---@return boolean shielded
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

--- What is raised where something waits, for a reason.
---@param reason? alicloud.Error
---@return alicloud.Error
function M.cancellation(reason)
  local known = errors.is_error(reason)
  return guard.cancellation(errors.new { kind = "cancelled", code = "Client.Cancelled",
    outcome = known and reason.outcome or "unknown", cause = reason,
    message = reason and "cancelled: " .. (known and reason.message or errors.text_of(reason))
      or "the task was cancelled; what it had sent may have been done" })
end

--- What is told of a cancellation to whoever asks how something has ended. It says the same, but he
--- is not cancelled: raised by him it is an error like any other.
---@param raised any
---@return any
function M.told(raised)
  if not guard.is_cancellation(raised) then return raised end
  return errors.new(tables.copy(raised))
end

--- Cancels what a node is about, and all that ends with it.
---@param node alicloud.loop.Node
---@param reason? alicloud.Error
---@param raised? any what waits raise; else an error of kind "cancelled"
---@type fun(node: alicloud.loop.Node, reason?: alicloud.Error, raised?: any)
M.cancel = core.aside(function(node, reason, raised)
  if node.raised ~= nil then return end
  node.reason, node.raised = M.told(reason), raised == nil and M.cancellation(reason) or raised
  tell(node)
end)

--- Cancels it: waits inside raise, and when all has ended `loop.scope` gives nil and the reason.
---@param reason? alicloud.Error
---@type fun(self: alicloud.Scope, reason?: alicloud.Error)
Scope.cancel = core.aside(function(self, reason)
  if self.closed or self.raised ~= nil then return end
  M.cancel(self, reason)
  self.cancelled = self.reason or M.told(self.raised)
end)

--- Starts a task of this scope, wherever the caller is.
---@param body function
---@param ... any its arguments
---@return alicloud.Task
function Scope:spawn(body, ...)
  if self.closed then error("the scope has ended, and takes no more tasks", 2) end
  return self.scheduler:spawn_in(self, body, ...)
end

--- Whether the running code belongs to it.
---@return boolean
function Scope:is_around()
  local node = self.scheduler:node_here()
  while node and node ~= self do node = node.parent end
  return node ~= nil
end

--- How long nothing could end it after its time was over, or nil.
---@return number|nil seconds
function Scope:late() return deadlines.late(self) end

--- A task of it has ended.
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

-- What is around it may be cancelled meanwhile, or the program interrupted: then its tasks are,
-- too, and what is to be raised is told when they have ended: each of them raises at its next wait.
local function join(scope)
  local raised
  while scope.live > 0 do
    local joiner = { deadline = math.huge }
    scope.joiner = joiner
    local ok, stop = pcall(scope.scheduler.await, scope.scheduler, joiner, scope.raised ~= nil)
    scope.joiner = nil
    if not ok then
      if scope.raised ~= nil and not guard.is_stop(stop) then error(stop, 0) end
      -- Its own cancellation is told in `conclude`.
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

--- Tells who interrupts code that computes whether what goes on now is shielded.
---@param scheduler alicloud.loop.Scheduler
---@param node alicloud.loop.Node?
function M.hold_interrupts(scheduler, node)
  if scheduler.shields > 0 then core.shield_interrupt(is_shielded(node)) end
end

local function raise_shield(scope)
  scope.scheduler.shields = scope.scheduler.shields + 1
  core.shield_interrupt(true)
end

-- What goes on behind it belongs to a node.
local function lower_shield(scope, node)
  core.shield_interrupt(is_shielded(node))
  scope.scheduler.shields = scope.scheduler.shields - 1
end

-- What goes on in a scope that nobody comes back to belongs to the one around it, and is cancelled.
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

-- The scope around a node that still is open.
local function nursery_around(node)
  node = node.parent
  while node and (not node.nursery or node.closed) do node = node.parent end
  return node
end

--- Ends a scope whose coroutine nobody resumes any more, or can.
---@param scope alicloud.Scope
---@param heir? alicloud.Scope that waits for what goes on in it (the one around it)
function M.abandon(scope, heir)
  if scope.closed then return end
  heir = heir or nursery_around(scope)
  M.cancel(scope)
  shut(scope, scope.scheduler:node_here())
  hand_over(scope, heir)
end

--- Ends what was opened in a node, and is open though the node comes to its end: a generator that
--- was left in the middle has it.
---@param node alicloud.loop.Node
---@param heir alicloud.Scope?
function M.desert(node, heir)
  local children = node.children
  for i = #children, 1, -1 do
    local child = children[i]
    if child and child.nursery then M.abandon(child, heir) end
  end
end

-- Whoever leaves it in the middle, as an interrupt does, leaves no task behind.
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

-- Nobody may find it half open.
local open = core.aside(function(scope, owner, seconds)
  local scheduler = scope.scheduler
  M.attach(scope, scheduler:node_here())
  scheduler:enter(scope, owner)
  if scope.shield then raise_shield(scope) end
  deadlines.set(scope, seconds)
  scope.opened = true
end)

-- An interrupt is one, however many of its tasks it has ended.
local function interrupt_of(scope)
  local found
  for _, task in ipairs(scope.failed or {}) do
    if not task.taken and guard.is_interrupt(task.results[1]) then
      found, task.taken = found or task.results[1], true
    end
  end
  return found
end

-- The first error of a task that nobody has taken; on demand of one that had not been told to stop.
local function forgotten(scope, untold)
  for _, task in ipairs(scope.failed or {}) do
    if not task.taken and (task.failed_untold or not untold) then
      task.taken = true
      return task.results[1]
    end
  end
end

-- Whoever cancels a scope at the end of its function has what he wanted. Where the time was over
-- while tasks went on, something is missing.
local function conclude_well(scope, ...)
  local raised = forgotten(scope)
  if raised ~= nil then error(raised, 0) end
  if scope.expired and scope.cut_off then return nil, scope.reason end
  return ...
end

-- Whoever waited for what a task was to do, until he was told to stop, wants to know why it never
-- came. He says it on behalf of that task.
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
  -- What was known of a call that was cut short.
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
  -- Eight fields are all that one without options comes to have: it is made in that size at once.
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
