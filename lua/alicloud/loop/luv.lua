--- The event loop of libuv through luv: calls suspend the coroutine that makes them, and tasks go
--- on whenever the loop runs.
--
-- One poll handle for each transport, since libuv allows no more, and one timer; all of them only
-- while something is waited for, so that the loop can end. Outside of a coroutine a call blocks,
-- and inside a callback, where that would hold the program up, it is refused.

local blocking = require "alicloud.loop.blocking"
local runtimes = require "alicloud.base.runtime"
local schedulers = require "alicloud.loop.scheduler"
local uv = require "luv"

local M = {}

local State = {}
State.__index = State

function State:unwatch(pollable)
  local handle = self.handles[pollable]
  if not handle then return end
  self.handles[pollable] = nil
  handle:stop()
  handle:close()
end

-- What is not waited for any more goes first: a helper program may have ended and closed its
-- descriptor, and the next transport got the same number.
function State:watch(list)
  local wanted = {}
  for _, pollable in ipairs(list) do wanted[pollable] = true end
  for pollable in pairs(self.handles) do
    if not wanted[pollable] then self:unwatch(pollable) end
  end
  for _, pollable in ipairs(list) do
    if not self.handles[pollable] then
      local handle = assert(uv.new_poll(pollable:pollfd()))
      self.handles[pollable] = handle
      assert(handle:start("r", self.on_event))
    end
  end
end

-- Without anything to wait for, no handle is left that would keep the loop from ending.
function State:set_timer(seconds, idle)
  if idle then
    if self.timer then self.timer:close() end
    self.timer = nil
    return
  end
  self.timer = self.timer or assert(uv.new_timer())
  self.timer:stop()
  if seconds then self.timer:start(math.ceil(seconds * 1000), 0, self.on_event) end
end

function State:rearm()
  local list, seconds = self.scheduler.pollables(), self.scheduler.timeout()
  if #self.woken > 0 then seconds = 0 end
  self:watch(list)
  self:set_timer(seconds, #list == 0 and not seconds)
end

-- An error of a coroutine that nobody else resumes goes to whoever runs the loop.
function State:resume_woken()
  local count = #self.woken
  for _ = 1, count do
    local waiter = table.remove(self.woken, 1)
    if not waiter.over then
      local ok, raised = coroutine.resume(waiter.coroutine)
      if not ok then error(raised, 0) end
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

function State:parks(in_task)
  local _, is_main = coroutine.running()
  if is_main and uv.loop_mode() then
    error("a call in a callback would hold the event loop up; use client:start or a coroutine", 0)
  end
  if in_task and not is_main then
    error("a coroutine inside a task cannot wait by itself; spawn another task", 0)
  end
  return not is_main
end

function State:arm()
  if self.ticking then return end
  self:set_timer(0)
end

local function add_host(state, host)
  function host.parks(in_task) return state:parks(in_task) end

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
  function host.disarm(pollable) state:unwatch(pollable) end

  return host
end

--- Makes a loop for the option `loop` of a client, over the default loop of luv.
---@return alicloud.loop.Scheduler
function M.new()
  local state = setmetatable({ handles = {}, woken = {}, ticking = false }, State)
  state.on_event = function() state:tick() end
  state.scheduler = schedulers.new(add_host(state, blocking.new(runtimes.new())))
  return state.scheduler
end

return M
