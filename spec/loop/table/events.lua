--- The events of the table. Each is given a function that starts the task, one that comes back when
--- the task is in its state, and one that looks what has become of it.

local child = require "spec.child"
local core = require "alicloud.core"

---@type table<string, fun(world: spec.table.World, start: function, enter: function,
--- look: function, seen: spec.table.Seen)>
local EVENTS = {}

-- It is there from now on.
local function happens(world)
  world.is_there = true
end

function EVENTS.cancel(world, start, enter)
  local task = start()
  enter()
  happens(world)
  task:cancel()
  task:wait()
end

function EVENTS.timeout(world, start)
  local loop = world.loop
  world.happened = function() return loop.now() >= world.due end
  local nothing, err = loop.scope(function() return start():result() end, { timeout = world.at })
  assert(nothing == nil and (not err or err.kind == "timeout"))
end

function EVENTS.failure(world, start, enter)
  local ok, raised = pcall(world.loop.scope, function()
    start()
    enter()
    happens(world)
    error("broken", 0)
  end)
  assert(not ok and raised == "broken")
end

-- What the command's loop sees of a signal, on any loop.
function EVENTS.interrupt(world, start, enter)
  local ended_by = core.ended_by
  local _ <close> = setmetatable({}, { __close = function() core.ended_by = ended_by end })
  local ok, raised = pcall(world.loop.scope, function()
    start()
    enter()
    happens(world)
    core.ended_by = function() return 15 end
    world.loop.sleep(world.long)
  end)
  assert(not ok and raised == "interrupted!")
end

function EVENTS.close(world, start, enter, look)
  local task = start()
  enter()
  happens(world)
  world.client:close()
  -- A program would go on for too long.
  if world.pids then
    look()
    task:cancel()
  end
  task:wait()
end

local CHILD = 0.03

-- A child of a task, or of a coroutine of a host's loop, can do nothing with the loop, and is told
-- so at once. Then it steps the tasks until they would have been due.
local function is_told(world)
  local ok, err = pcall(world.loop.sleep, CHILD)
  if ok then return world.way.forks_outside end
  local ends = core.monotonic() + CHILD
  repeat
    pcall(world.loop.step)
    core.poll(nil, "r", 0.005)
  until core.monotonic() > ends
  return not world.way.forks_outside and err.code == "Client.CannotWait"
end

-- Neither what has begun nor what has not goes on in the child.
function EVENTS.fork(world, start, enter, look, seen)
  local task, loop = start(), world.loop
  enter()
  local other = loop.spawn(function() world.other = true end)
  local code = child.run(function()
    return is_told(world) and not (task.finished or seen.left or world.other) and 0 or 1
  end)
  seen.early = seen.left
  happens(world)
  other:wait()
  world.stays = code == 0 and world.other
  look()
  task:cancel()
  task:wait()
end

return EVENTS
