--- Runs the tasks in turns: each waits for the next event and resumes what is ready. Turns are made
--- in a coroutine of their own, the driver.
--
-- The stand-alone interpreter raises Ctrl-C between any two instructions of the main thread: so it
-- comes between two turns, and never in the middle of one. A part of the scheduler
-- (alicloud.loop.scheduler).

local errors = require "alicloud.base.error"
local forked = require "alicloud.loop.forked"
local guard = require "alicloud.base.guard"
local poll_sets = require "alicloud.loop.poll_set"
local running = require "alicloud.loop.running"
local scopes = require "alicloud.loop.scope"
local waiting = require "alicloud.loop.waiting"

local M = {}

-- Seconds; the base loop wants a finite time.
local LONGEST = 3600
-- What a driver yields after its turn.
local TURNED = {}

---@class alicloud.loop.Driving: alicloud.loop.Running
---@field open alicloud.Scope[] scopes outside of tasks, the innermost last
---@field owners table<alicloud.Scope, thread> opener of each; weak: a host may drop a coroutine
---@field drivers thread[] idle ones, which have done their turn
---@field known_drivers table<thread, true> all of them
---@field busy boolean the last turn ran tasks and did not step the transports
---@field known any the interrupt that the waits know of already; false: none
local Driving = setmetatable({}, { __index = running.Running })
Driving.__index = Driving

M.Driving = Driving

--- The error of a wait where code cannot wait.
---@param obstacle string
---@return alicloud.Error
function M.cannot_wait(obstacle)
  return errors.new { kind = "state", code = "Client.CannotWait", outcome = "not_sent",
    message = "nobody can wait " .. obstacle }
end

-- Ends the scopes of coroutines that the host has dropped: their code never goes on.
function Driving:sweep()
  for i = #self.open, 1, -1 do
    local scope = self.open[i]
    if scope and not self.owners[scope] then scopes.abandon(scope) end
  end
end

function Driving:wait_below(deadline)
  local list, base = self.poll_set:pollables(), self.base
  if #list > 0 then
    base.wait(poll_sets.together(list), math.min(deadline, base.now() + LONGEST))
    return self:step_all(list)
  end
  if deadline == math.huge then error("every task waits for another one", 0) end
  local seconds = deadline - base.now()
  if seconds > 0 then base.sleep(math.min(seconds, base.longest or seconds), self.known) end
end

-- Returns after each run of the tasks, so that the caller can see whether to go on. Of two turns in
-- a row one steps the transports, even if tasks only let each other go first.
function Driving:turn(deadline)
  self:sweep()
  self:wake_due()
  local ran = self:run_queue()
  self.busy = ran and not self.busy
  if self.busy then return end
  local ends = math.min(self.timers.next() or math.huge, deadline)
  self:wait_below(ran and self.base.now() or ends)
  self:wake_due()
  self:run_queue()
end

function Driving:step_once()
  self:sweep()
  self:wake_due()
  self:step_all(self.poll_set:pollables())
  self:run_queue()
end

local function drive_for_ever(scheduler, deadline)
  while true do
    if deadline then scheduler:turn(deadline) else scheduler:step_once() end
    deadline = coroutine.yield(TURNED)
  end
end

-- Returns when the turn is done. A clock of the program's own may yield before that: its yield is
-- passed on to the code that runs the program.
local function after_turn(scheduler, driver, ok, yielded, ...)
  if not ok then error(yielded, 0) end
  if yielded == TURNED then
    scheduler.drivers[#scheduler.drivers + 1] = driver
    return
  end
  return after_turn(scheduler, driver, coroutine.resume(driver, coroutine.yield(yielded, ...)))
end

-- One turn up to a deadline, or one step.
function Driving:drive_once(deadline)
  local driver = table.remove(self.drivers)
  if driver then return after_turn(self, driver, coroutine.resume(driver, deadline)) end
  driver = coroutine.create(drive_for_ever)
  self.known_drivers[driver] = true
  return after_turn(self, driver, coroutine.resume(driver, self, deadline))
end

-- Raises an interrupt that has ended a task nobody waited for. Shielded code leaves it to others.
function Driving:hear(node)
  local task = self.unheard
  if not task or select(2, scopes.stop_of(node)) then return end
  self.unheard = nil
  if not task.taken then error(guard.INTERRUPTED, 0) end
end

function Driving:step()
  forked.look(self)
  if self.stepping then error("the tasks are being stepped already", 3) end
  if waiting.in_finalizer() then error(M.cannot_wait "in a finalizer", 3) end
  local _ <close> = setmetatable({}, { __close = function() self.stepping = false end })
  self.stepping = true
  self:drive_once()
  self:hear()
end

return M
