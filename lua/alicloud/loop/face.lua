--- The functions of a loop with tasks, for all code but the scheduler itself.

local core = require "alicloud.core"
local schema = require "alicloud.base.schema"
local scopes = require "alicloud.loop.scope"
local waiting = require "alicloud.loop.waiting"

local M = {}

-- Without tasks and scopes, a wait goes straight to the base loop. In a finalizer it is refused.
local function is_plain(scheduler)
  return scheduler.alive == 0 and not scheduler.hosted and scheduler.open[1] == nil
    and not waiting.in_finalizer()
end

local function checkpoint(scheduler)
  if is_plain(scheduler) and not scheduler.base.interrupted() then return end
  local raised = scheduler:stop_of(scheduler:node_here())
  if raised ~= nil then scheduler:refuse(raised) end
end

-- Any other value would make a sleep without an end, or an error in the code that runs the tasks.
local function check_seconds(seconds)
  if type(seconds) == "number" and seconds == seconds then return end
  error("loop.sleep: a number of seconds expected, got " .. schema.show(seconds), 3)
end

local function check_function(where, body)
  if type(body) == "function" then return end
  error(("%s: a function expected, got %s"):format(where, schema.show(body)), 3)
end

local function add_waits(loop, scheduler)
  local base = scheduler.base
  local interrupted = base.interrupted

  function loop.wait(pollable, deadline, op)
    if not is_plain(scheduler) then
      -- All fields are named at once: a table that grows is made anew each time.
      return scheduler:await { pollable = pollable, deadline = deadline, op = op, ticket = nil,
        place = nil, scheduler = scheduler, task = nil, ready = false, over = false }
    end
    if interrupted() then checkpoint(scheduler) end
    base.wait(pollable, deadline)
    pollable:step()
  end

  function loop.sleep(seconds)
    check_seconds(seconds)
    if not is_plain(scheduler) then
      return scheduler:await { deadline = base.now() + seconds }
    end
    checkpoint(scheduler)
    base.sleep(seconds, false)
    checkpoint(scheduler)
  end

  function loop.gate()
    local waiter
    return {
      wait = function(deadline)
        waiter = { deadline = deadline or math.huge }
        return scheduler:await(waiter)
      end,
      open = core.aside(function()
        if waiter then scheduler:wake(waiter) end
      end),
    }
  end
end

local function add_scopes(loop, scheduler)
  function loop.spawn(body, ...)
    check_function("loop.spawn", body)
    return scheduler:spawn_in(scheduler:nursery(), body, ...)
  end
  function loop.spawn_shared(body, ...) return scheduler:spawn_in(nil, body, ...) end
  function loop.scope(fn, options)
    check_function("loop.scope", fn)
    return scopes.run(scheduler, fn, options)
  end
  function loop.checkpoint() checkpoint(scheduler) end
  function loop.is_crowded() return scheduler:is_crowded() end
  function loop.give_way() scheduler:give_way() end
  function loop.stopping() return scheduler:stop_of(scheduler:node_here()) end
  loop.coroutine = { wrap = scheduler.carrier.wrap, resume = scheduler.carrier.resume }
end

--- Makes the loop of a scheduler.
---@param scheduler alicloud.loop.Scheduler
---@return alicloud.loop.Loop
function M.new(scheduler)
  local loop = { now = scheduler.base.now }
  add_waits(loop, scheduler)
  add_scopes(loop, scheduler)

  function loop.step() scheduler:step() end
  loop.timeout = core.aside(function() return scheduler:timeout() end)
  loop.pollables = core.aside(function() return scheduler.poll_set:pollables() end)
  loop.descriptor = core.aside(function() return scheduler.poll_set:descriptor() end)
  loop.release = core.aside(function(pollable) scheduler:release(pollable) end)

  loop.resume = core.aside(function(waiter, ...)
    waiter.arguments = table.pack(...)
    scheduler:wake(waiter)
  end)

  return loop
end

return M
