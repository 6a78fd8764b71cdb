--- Walks through a run one step at a time, e.g. from a REPL.
---
---     run = dr.walk("my-orders.lua", { client = client, journal = "orders.jsonl" })
---     run:next()      -- does one step, tells how it ended and which is next
---     run:rest()      -- does the others without a pause
---
--- It is a run like any other: it is journaled, and `dr.run` or the command can resume it. Steps of
--- branches that run at the same time are not held; they run with the step before them.

local errors = require "alicloud.base.error"
local runner = require "alicloud.dr.playbook.runner"
local schema = require "alicloud.base.schema"

local M = {}

---@class alicloud.dr.Walk
local Walk = {}

---@class alicloud.dr.Pace what one `next` has done
---@field step string? the step that was run; nil: there was none left
---@field ok boolean?
---@field err table? the error of a failed step
---@field upcoming string? the step that `next` would begin; nil: the run has ended
---@field result alicloud.dr.RunResult? result of the run, if it has finished
---@field stopped alicloud.Error? why the run has stopped
local Pace = {}
Pace.__index = Pace
Pace.__name = "alicloud.dr.Pace"

function Pace:__tostring()
  local words = {}
  if self.step then
    words[1] = ("%s %s"):format(self.ok and "✔" or "✘", self.step)
    if self.err then words[1] = words[1] .. ": " .. errors.text_of(self.err.message) end
  end
  if self.upcoming then
    words[#words + 1] = "next: " .. self.upcoming
  elseif self.result then
    words[#words + 1] = "the run is " .. self.result.status
  else
    words[#words + 1] = "the run stopped: " .. errors.text_of(self.stopped)
  end
  return table.concat(words, "\n")
end

local function listen(walk, listener)
  return function(event)
    if event.type == "step_end" and event.step == walk.doing then walk.ended = event end
    if listener then listener(event) end
  end
end

-- Makes the function that the run calls before each step: it waits there for the next `next`.
local function hold(walk)
  return function(key)
    if not walk.held or coroutine.running() ~= walk.task.coroutine then return end
    walk.upcoming = key
    walk.arrived.open()
    walk.permit.wait()
  end
end

-- Lets the run go on to its next step, or to its end. Returns its results at the end, else nil.
local function go(walk)
  walk.doing, walk.upcoming = walk.upcoming, nil
  if walk.task then
    walk.permit.open()
  else
    walk.task = walk.loop.spawn(walk.body)
  end
  walk.arrived.wait()
  if walk.upcoming then return nil end
  walk.over = true
  return table.pack(walk.task:result())
end

local function pace_of(walk, ending)
  local ended = walk.ended
  return setmetatable({
    step = ended and ended.step, ok = ended and ended.ok, err = ended and ended.err,
    upcoming = walk.upcoming, result = ending and ending[1] or nil, stopped = ending and ending[2],
  }, Pace)
end

local function demand_way(walk)
  if walk.over then error("the run has ended; dr.walk begins or resumes another", 3) end
end

--- Runs the next step.
---@return alicloud.dr.Pace
function Walk:next()
  demand_way(self)
  self.ended = nil
  local ending
  -- The first call also runs the code before the first step.
  if not self.upcoming then ending = go(self) end
  if not ending then ending = go(self) end
  return pace_of(self, ending)
end

--- Runs all steps that are left.
---@return alicloud.dr.RunResult|nil
---@return alicloud.Error? err
function Walk:rest()
  demand_way(self)
  self.held = false
  local ending = go(self)
  return ending[1], ending[2]
end

--- Leaves the run where it is, and waits until its journal is closed, so that it can be resumed.
function Walk:close()
  self.over = true
  if self.task then self.task:close() end
end

local metatable = {
  __name = "alicloud.dr.Walk", __index = Walk, __close = Walk.close,
  __tostring = function(walk)
    return ("alicloud.dr.Walk(%s)"):format(walk.over and "over" or walk.upcoming or "not begun")
  end,
}

local function leave(walk, ok, ...)
  walk.arrived.open()
  if not ok then error((...), 0) end
  return ...
end

--- Makes a walk. Nothing is opened before the first `next`.
---@param playbook alicloud.dr.Playbook
---@param options alicloud.dr.RunOptions
---@return alicloud.dr.Walk
function M.new(playbook, options)
  if type(options) ~= "table" then
    error(("dr.walk: options: got %s; allowed: a table"):format(schema.show(options)), 3)
  end
  local own = {}
  for name, value in pairs(options) do own[name] = value end
  local loop = rawget(options, "client") and options.client.loop
  if not loop then error("dr.walk: option client is required", 3) end
  local walk = setmetatable({
    held = true, over = false, loop = loop, arrived = loop.gate(), permit = loop.gate(),
  }, metatable)
  own.progress, own.pace = listen(walk, options.progress), hold(walk)
  function walk.body()
    return leave(walk, pcall(runner.run, playbook, own))
  end
  return walk
end

return M
