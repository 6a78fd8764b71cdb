--- Runs calls in the event loop of cqueues: calls park the cqueues coroutine that makes them, and
--- tasks go on whenever a controller runs.
--
-- One coroutine in the controller steps the tasks; it is there only while something is waited for.
-- At other times the controller holds none of our descriptors, so that a client can be closed at
-- any time. Outside of a running controller a call blocks, as with any other loop.

local blocking = require "alicloud.loop.blocking"
local condition = require "cqueues.condition"
local core = require "alicloud.core"
local cqueues = require "cqueues"
local errors = require "alicloud.base.error"
local forked = require "alicloud.loop.forked"
local runtimes = require "alicloud.base.runtime"
local schedulers = require "alicloud.loop.scheduler"

local M = {}

-- Steps the tasks until there is nothing left to wait for, or another controller has taken over.
-- One descriptor stands for all pollables, and outlives them.
local function serve(state, home, watched)
  local scheduler = state.scheduler
  while state.home == home do
    scheduler.step()
    local seconds = scheduler.timeout()
    if not seconds and #scheduler.pollables() == 0 then return end
    watched.pollfd = scheduler.descriptor()
    cqueues.poll(state.altered, seconds, watched)
  end
end

-- A controller closes nothing in a coroutine that raises: so the error is caught here first. It
-- then goes to the code that runs the controller; when that is run again the tasks go on.
local function pump(state, home)
  local watched = { events = "r" }
  local ok, raised = pcall(serve, state, home, watched)
  if watched.pollfd then cqueues.cancel(watched.pollfd) end
  if state.home == home then state.home = nil end
  if ok then return end
  state.host.arm()
  error(raised, 0)
end

-- Polls what a task has yielded for cqueues, in a new coroutine of the controller.
local function adopt(state, waiter, token, ...)
  local controller = cqueues.running()
  if token ~= cqueues._POLL or not controller then return false end
  waiter.condition = condition.new()
  controller:wrap(function(...)
    state.scheduler.resume(waiter, cqueues.poll(waiter.condition, ...))
  end, ...)
  return true
end

-- cqueues drops a coroutine that raised, or that waits when its controller is closed, without
-- closing what it has open. It is closed when it is collected, where nothing may wait. If the loop
-- is collected with it, the loop is not stepped any more: its descriptors are closed by now, and
-- the controller that runs may be one that it does not know.
local Wake, collecting = {}, false
local reachable = setmetatable({}, { __mode = "kv" })

function Wake:__gc()
  local status = coroutine.status(self.coroutine)
  -- At the end of the program this may be the coroutine that ends it.
  if status ~= "suspended" and status ~= "dead" then return end
  collecting = true
  coroutine.close(self.coroutine)
  collecting = false
end

local function hold_wake(state)
  local thread = coroutine.running()
  if not state.wakes[thread] then
    state.wakes[thread] = setmetatable({ coroutine = thread }, Wake)
  end
end

local function cannot_wait(message)
  error(errors.new { kind = "state", code = "Client.CannotWait", outcome = "not_sent",
    message = message })
end

-- By controller: the process in which it was seen first.
local pids = setmetatable({}, { __mode = "k" })

local function note_process(controller)
  pids[controller] = pids[controller] or core.pid()
end

local function parks()
  local controller, directly = cqueues.running()
  if collecting then cannot_wait "a coroutine that is collected cannot wait" end
  if not controller then return false end
  note_process(controller)
  forked.refuse_host(pids[controller])
  if not directly then
    cannot_wait("a coroutine inside one of the controller's cannot wait by itself; give it to "
      .. "the controller, or spawn a task")
  elseif not coroutine.isyieldable() then
    cannot_wait "the coroutine cannot yield here"
  end
  return true
end

local function add_host(state, host)
  host.parks = parks

  function host.park(waiter)
    waiter.condition = condition.new()
    hold_wake(state)
    while not waiter.ready do cqueues.poll(waiter.condition) end
  end

  function host.unpark(waiter)
    if waiter.condition then waiter.condition:signal() end
  end

  function host.arm()
    if not reachable[state] then return end
    local controller = cqueues.running() or state.controller
    state.altered:signal()
    if controller then note_process(controller) end
    if not controller or state.home and state.home.controller == controller then return end
    -- If an interrupt comes between the next statements, `pump` ends, since it is not `state.home`.
    -- The reference is weak: a controller that the program drops is not kept.
    local home = setmetatable({ controller = controller }, { __mode = "v" })
    controller:wrap(pump, state, home)
    state.home = home
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
---@param controller? table of cqueues.new(): carries what is started while no controller runs
---@return alicloud.loop.Loop
function M.new(controller)
  if controller ~= nil and cqueues.type(controller) ~= "controller" then
    error("alicloud.loop.cqueues: a controller of cqueues.new() expected, got "
      .. type(controller), 2)
  end
  local state = { controller = controller, altered = condition.new(),
    wakes = setmetatable({}, { __mode = "k" }) }
  state.host = add_host(state, blocking.new(runtimes.new()))
  state.scheduler = schedulers.new(state.host)
  reachable[state] = state.scheduler
  return state.scheduler
end

return M
