--- The event loop of cqueues: calls park the cqueues coroutine that makes them, and tasks go on
--- whenever a controller runs.
--
-- A coroutine in the controller, there only while something is waited for, steps the tasks. When
-- nothing is, the controller has forgotten our descriptors, so that a client can be closed at any
-- time. Outside of a running controller a call blocks, like any other.

local blocking = require "alicloud.loop.blocking"
local condition = require "cqueues.condition"
local cqueues = require "cqueues"
local runtimes = require "alicloud.base.runtime"
local schedulers = require "alicloud.loop.scheduler"

local M = {}

local function watch(list, watched)
  local polls, seen = {}, {}
  for _, pollable in ipairs(list) do
    local fd = pollable:pollfd()
    seen[fd] = true
    polls[#polls + 1] = { pollfd = fd, events = pollable:events() }
  end
  for fd in pairs(watched) do
    if not seen[fd] then cqueues.cancel(fd) end
  end
  return polls, seen
end

-- Steps the tasks until there is nothing left to wait for, or another controller has taken over.
local function pump(state, controller)
  local watched = {}
  local _ <close> = setmetatable({}, { __close = function()
    watch({}, watched)
    if state.home == controller then state.home = nil end
  end })
  while state.home == controller do
    state.scheduler.step()
    local list, seconds = state.scheduler.pollables(), state.scheduler.timeout()
    if #list == 0 and not seconds then return end
    local polls
    polls, watched = watch(list, watched)
    cqueues.poll(state.altered, seconds, table.unpack(polls))
  end
end

-- What a task yields for cqueues is polled by a coroutine that cqueues knows.
local function adopt(state, waiter, token, ...)
  local controller = cqueues.running()
  if token ~= cqueues._POLL or not controller then return false end
  waiter.condition = condition.new()
  controller:wrap(function(...)
    state.scheduler.resume(waiter, cqueues.poll(waiter.condition, ...))
  end, ...)
  return true
end

local function add_host(state, host)
  function host.parks()
    return cqueues.running() ~= nil
  end

  function host.park(waiter)
    waiter.condition = condition.new()
    while not waiter.ready do cqueues.poll(waiter.condition) end
  end

  function host.unpark(waiter)
    if waiter.condition then waiter.condition:signal() end
  end

  function host.arm()
    local controller = cqueues.running() or state.controller
    state.altered:signal()
    if not controller or state.home == controller then return end
    state.home = controller
    controller:wrap(pump, state, controller)
  end

  function host.disarm(pollable)
    cqueues.cancel(pollable:pollfd())
  end

  function host.adopt(waiter, ...)
    return adopt(state, waiter, ...)
  end

  function host.abandon(waiter)
    waiter.condition:signal()
  end

  return host
end

--- Makes a loop for the option `loop` of a client. One client serves one controller at a time: the
--- one that is running when it is used.
---@param controller? table of cqueues.new(): what is started while none is running goes on there
---@return alicloud.loop.Scheduler
function M.new(controller)
  if controller ~= nil and cqueues.type(controller) ~= "controller" then
    error("alicloud.loop.cqueues: a controller of cqueues.new() expected, got "
      .. type(controller), 2)
  end
  local state = { controller = controller, altered = condition.new() }
  state.scheduler = schedulers.new(add_host(state, blocking.new(runtimes.new())))
  return state.scheduler
end

return M
