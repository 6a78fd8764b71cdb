--- The states of a task in the table of the manual's topic "tasks". Each has a body, which notes
--- what it sees, and words for what that means.

local child = require "spec.child"
local core = require "alicloud.core"
local dr = require "alicloud.dr"
local memory = require "alicloud.dr.store.memory"
local programs = require "alicloud.base.program"
local scratch = require "spec.scratch"

---@class spec.table.World
---@field client alicloud.Client
---@field loop alicloud.loop.Loop
---@field listening table a socket; whoever is taken by it is never answered
---@field at number seconds until the event
---@field due number when that is (monotonic)
---@field long number seconds for which a state lasts
---@field happened fun(): boolean whether the event was there
---@field journal string? the outcome of the change
---@field pids string? path of a program's number

---@class spec.table.Seen
---@field began number
---@field entered boolean? it came to its state before the event
---@field early boolean? its state was over before the event
---@field left boolean? it is over
---@field ok boolean? the wait came to its end
---@field err any what it raised
---@field took number seconds
---@field again boolean? the next wait raises, too

---@class spec.table.State
---@field body fun(world: spec.table.World, seen: spec.table.Seen)
---@field judge fun(seen: spec.table.Seen, world: spec.table.World, event: string): string?
---@field is_entered? fun(world: spec.table.World, seen: spec.table.Seen): boolean
---@field is_brief? boolean nothing ends it early

---@type table<string, spec.table.State>
local STATES = {}

-- What a state is about. No other task runs between the note and the first wait in it.
local function be_in_it(world, seen, act, ...)
  seen.entered = not world.happened()
  seen.ok, seen.err = pcall(act, ...)
  seen.left, seen.early = true, not world.happened()
  seen.took = world.loop.now() - seen.began
end

-- Waits, and then once more; what the first wait raised is raised again.
local function wait_twice(world, seen, wait, ...)
  be_in_it(world, seen, wait, ...)
  seen.again = not pcall(world.loop.sleep, 0)
  if not seen.ok then error(seen.err, 0) end
end

local function was_told(seen, event)
  if event == "interrupt" then return seen.err == "interrupted!" end
  return type(seen.err) == "table" and seen.err.kind == "cancelled"
end

local function judge_wait(seen, world, event)
  if seen.ok and seen.took >= world.long and not seen.again then return "goes on" end
  if was_told(seen, event) and seen.took < world.long and seen.again then return "raises" end
end

STATES.waiting = { judge = judge_wait, body = function(world, seen)
  wait_twice(world, seen, world.loop.sleep, world.long)
end }

-- The event is due while it computes.
STATES.computing = { body = function(world, seen)
  local now = world.loop.now
  seen.entered = now() < world.due
  repeat local over = now() > world.due + 0.002 until over
  seen.computed = true
  seen.ok, seen.err = pcall(world.loop.sleep, world.long)
  seen.left, seen.early = true, not world.happened()
  if not seen.ok then error(seen.err, 0) end
end, judge = function(seen, _, event)
  if not seen.computed then return nil end
  if seen.ok then return "goes on" end
  return was_told(seen, event) and "runs on" or nil
end }

STATES.sending = { is_entered = function(world)
  world.accepted = world.accepted or world.listening:accept()
  if not world.accepted then return false end
  world.accepted:settimeout(0)
  world.line = world.line or world.accepted:receive "*l"
  return world.line ~= nil
end, body = function(world, seen)
  be_in_it(world, seen, function()
    local _, err = world.client:call("FailoverDiskReplicaGroup", { ReplicaGroupId = "pg-orders" },
      { deadline = world.long })
    seen.told = err
  end)
  if not seen.ok then error(seen.err, 0) end
end, judge = function(seen, world, event)
  local err = seen.told or seen.err
  local told = event == "interrupt" and was_told(seen, event)
    or type(err) == "table" and err.outcome == "unknown"
  return told and world.journal == "unknown" and seen.took < world.long and "tells" or nil
end }

local function text_of(path)
  local file <close> = path and io.open(path)
  return file and file:read "a"
end

-- It was killed by now; the system takes a moment for that.
local function dies(pid)
  for _ = 1, 2000 do
    if not child.is_alive(pid) then return true end
    core.poll(nil, "r", 0.01)
  end
  return false
end

local PROGRAM = "sleep 60 & echo $! >PATH.new; mv PATH.new PATH; wait"

STATES["in a program"] = { body = function(world, seen)
  world.pids = scratch.path()
  local line = PROGRAM:gsub("PATH", world.pids)
  wait_twice(world, seen, programs.run, world.loop, { "sh", "-c", line }, { max = 100 })
end, is_entered = function(world)
  return text_of(world.pids) ~= nil
end, judge = function(seen, world, event)
  local pid = tonumber(text_of(world.pids))
  if not pid then return nil end
  if not seen.left then return child.is_alive(pid) and "goes on" or nil end
  return was_told(seen, event) and dies(pid) and "kills" or nil
end }

STATES["cleaning up"] = { is_brief = true, body = function(world, seen)
  be_in_it(world, seen, world.loop.scope, function() world.loop.sleep(world.long) end,
    { shield = true, timeout = 60 + world.long })
  seen.told = not pcall(world.loop.checkpoint)
end, judge = function(seen, world, event)
  if not seen.ok or seen.err ~= nil or seen.took < world.long then return nil end
  return seen.told == (event ~= "close") and "goes on" or nil
end }

STATES.asking = { judge = judge_wait, body = function(world, seen)
  local book = dr.playbook("asking", function(run)
    run:step("a", { on_error = "ask" }, function() error "broken" end)
  end)
  local result, err = dr.run(book, { client = world.client, store = memory.disk():open "run",
    requester = "operator", ask = function()
      wait_twice(world, seen, world.loop.sleep, world.long)
      return "skip"
    end })
  seen.run = result and result.status or err.code
end }

for _, state in pairs(STATES) do
  state.is_entered = state.is_entered or function(_, seen) return seen.entered == true end
end

return STATES
