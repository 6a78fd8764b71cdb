--- Runs calls in the event loop of libuv, through luv: calls suspend the coroutine that makes them,
--- and tasks go on whenever the loop runs.
--
-- There is one poll handle, for the descriptor that stands for all pollables, and one timer. Both
-- exist only while something is waited for, so that the loop can end. Outside of a coroutine a call
-- blocks; in a callback, where it would hold the event loop up, it is refused.

local blocking = require "alicloud.loop.blocking"
local core = require "alicloud.core"
local errors = require "alicloud.base.error"
local forked = require "alicloud.loop.forked"
local runtimes = require "alicloud.base.runtime"
local schedulers = require "alicloud.loop.scheduler"
local uv = require "luv"

local M = {}

-- Milliseconds after which a timer is due again if an interrupt kept it from being answered.
local AGAIN = 1000

local State = {}
State.__index = State

local function cannot_wait(message)
  return errors.new { kind = "state", code = "Client.CannotWait", outcome = "not_sent",
    message = message }
end

-- Watches a descriptor, or none (nil); in a forked child it is another one.
function State:watch(fd)
  if self.fd == fd then return end
  if self.poll then self.poll:close() end
  self.poll, self.fd = nil, fd
  if not fd then return end
  self.poll = assert(uv.new_poll(fd))
  assert(self.poll:start("r", self.on_event))
end

-- If nothing is waited for, the timer is closed: an open handle would keep the loop from ending.
function State:set_timer(seconds, idle)
  if idle then
    if self.timer then self.timer:close() end
    self.timer = nil
    return
  end
  self.timer = self.timer or assert(uv.new_timer())
  self.timer:stop()
  if seconds then self.timer:start(math.ceil(seconds * 1000), AGAIN, self.on_event) end
end

function State:rearm()
  local scheduler = self.scheduler
  local seconds, waits = scheduler.timeout(), #scheduler.pollables() > 0
  if #self.woken > 0 then seconds = 0 end
  self:watch(waits and scheduler.descriptor() or nil)
  self:set_timer(seconds, not waits and not seconds)
end

-- Resumes the parked coroutines that are ready. The error of one is raised to the code that runs
-- the loop, after all that the coroutine had open is closed.
function State:resume_woken()
  local count = #self.woken
  for _ = 1, count do
    local waiter = table.remove(self.woken, 1)
    if not waiter.over then
      local ok, raised = coroutine.resume(waiter.coroutine)
      if not ok then
        coroutine.close(waiter.coroutine)
        error(raised, 0)
      end
    end
  end
end

function State:tick()
  local _ <close> = setmetatable({}, { __close = function()
    self.ticking = false
    self:rearm()
  end })
  self.ticking = true
  self.scheduler.step()
  self:resume_woken()
end

-- The interpreter raises an interrupt between any two instructions of the main thread, in which
-- callbacks run. So a tick runs in a coroutine of its own, the driver.
function State:new_driver()
  return coroutine.wrap(function()
    while true do
      local ok, raised = pcall(self.tick, self)
      if not ok then
        self.driver = self:new_driver()
        error(raised, 0)
      end
      coroutine.yield()
    end
  end)
end

-- Whether the running coroutine can be suspended; if not, calls block, or raise within the loop.
local function parks(pid)
  if coroutine.isyieldable() then
    forked.refuse_host(pid)
    return true
  end
  if uv.loop_mode() then
    error(cannot_wait("a call in a callback, or where its coroutine cannot yield, would hold the "
      .. "event loop up; use client:start, a coroutine or a task"))
  end
  return false
end

function State:arm()
  if self.ticking then return end
  self:set_timer(0)
end

local function add_host(state, host)
  function host.parks() return parks(state.pid) end

  function host.park(waiter)
    waiter.coroutine = coroutine.running()
    while not waiter.ready do coroutine.yield() end
  end

  function host.unpark(waiter)
    if not waiter.coroutine then return end
    state.woken[#state.woken + 1] = waiter
    state:arm()
  end

  function host.arm() state:arm() end

  return host
end

--- Makes a loop for the option `loop` of a client, over the default loop of luv.
---@return alicloud.loop.Loop
function M.new()
  local state = setmetatable({ woken = {}, ticking = false, pid = core.pid() }, State)
  state.driver = state:new_driver()
  state.on_event = function() state.driver() end
  state.scheduler = schedulers.new(add_host(state, blocking.new(runtimes.new())))
  return state.scheduler
end

return M
