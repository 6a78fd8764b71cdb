--- Stops of a run: a signal, a cancellation by the host program, a timeout of a step or of a scope
--- around it, a cancelled task, a sibling that fails. This module draws them and applies them to a
--- stage.

local core = require "alicloud.core"
local errors = require "alicloud.base.error"
local lazy = require "alicloud.base.lazy"
local random = require "alicloud.simulation.random"
local tables = require "alicloud.base.tables"

---@module "alicloud.dr.playbook.executor"
local executor = lazy.module "alicloud.dr.playbook.executor"

local M = {}

local STREAM = 1 << 42

local function of_run(d)
  local trouble = { kind = "stops", name = d:pick { "interrupt", "interrupt", "host" } }
  if trouble.name == "interrupt" and d:chance(0.7) then
    trouble.wait = d:between(1, d:pick { 12, 40, 160 })
    return trouble
  end
  if d:chance(0.5) then
    trouble.send = d:pick { 1, 1, 1, 2 }
  else
    trouble.request = d:between(1, 20)
  end
  trouble.after, trouble.delay = d:chance(0.5), d:pick { 0, 0, 1, 2, 5, 30 }
  return trouble
end

local function of_step(d)
  return { kind = "stops", name = d:pick { "step", "scope", "task", "sibling" },
    nth_step = d:pick { 1, 2, 2, 2, 3, 4, 5 }, seconds = d:pick { 0.5, 1, 2, 4, 7, 15, 40, 90 },
    goes_on = d:chance(0.5) }
end

--- Adds stops to the troubles of some seeds, from a random stream of its own. Some come alone, to
--- runs whose requests take no time: these must end as undisturbed runs do.
---@param seed integer
---@param list alicloud.simulation.Trouble[]
---@return alicloud.simulation.Trouble[]
function M.with(seed, list)
  local d = random.new(seed + STREAM)
  if not d:chance(0.25) then return list end
  if d:chance(0.25) then
    return { of_run(d) }
  end
  list = d:chance(0.4) and {} or list
  for _ = 1, d:pick { 1, 1, 2 } do
    list[#list + 1] = d:chance(0.5) and of_run(d) or of_step(d)
  end
  local flight = d:pick { 0, 0.5, 1 }
  for _, trouble in ipairs(list) do
    if trouble.kind == "stops" and flight > 0 then trouble.flight = flight end
  end
  return list
end

--- A stop in words.
---@param trouble alicloud.simulation.Trouble
---@return string
function M.describe(trouble)
  local flight = trouble.flight and (", requests take %g s"):format(trouble.flight) or ""
  if trouble.nth_step then
    return ("%s around step %d: %g s%s%s"):format(trouble.name, trouble.nth_step, trouble.seconds,
      trouble.goes_on and ", and on" or "", flight)
  end
  local moment = trouble.wait and ("at wait %d"):format(trouble.wait)
    or ("%s %s %d + %g s"):format(trouble.after and "after" or "before",
      trouble.send and "change" or "request", trouble.send or trouble.request, trouble.delay)
  return ("stop by %s, %s%s"):format(trouble.name, moment, flight)
end

--- Whether a run with this stop, which somebody resumes, must end as without it.
---@param trouble alicloud.simulation.Trouble
---@return boolean
function M.is_harmless(trouble)
  return trouble.kind == "stops" and not trouble.nth_step and not trouble.flight
end

local function stops_of(case)
  local list = {}
  for _, trouble in ipairs(case.troubles) do
    if trouble.kind == "stops" then list[#list + 1] = trouble end
  end
  return list
end

-- The result of a cancelled step: its error, with which the playbook goes on, or which it raises.
local function gave_up(trouble, err)
  if trouble.goes_on then return nil, err end
  error(err, 0)
end

local AROUND = {}

function AROUND.scope(loop, trouble, act)
  local results
  local _, err = loop.scope(function() results = table.pack(act()) end,
    { timeout = trouble.seconds })
  if results then return table.unpack(results, 1, results.n) end
  return gave_up(trouble, err)
end

function AROUND.task(loop, trouble, act)
  local task <close> = loop.spawn(act)
  local done = task:wait(trouble.seconds)
  if not done then task:cancel() end
  local result, err = task:result()
  if done then return result, err end
  return gave_up(trouble, err)
end

function AROUND.sibling(loop, trouble, act)
  return loop.scope(function()
    local task = loop.spawn(act)
    if not task:wait(trouble.seconds) then
      error(errors.new { kind = "state", code = "Client.StepFailed", outcome = "unknown",
        message = "what goes on beside it has failed" }, 0)
    end
    return task:result()
  end)
end

local function nothing() end

-- Returns the stop of a step (false: none), and a function to call at the step's end. Steps are
-- numbered over all processes. A timeout, as part of the playbook, comes whenever the step is run;
-- other stops come once.
local function stop_around(stage, key)
  local known, ended = stage.stops.by_step[key], nothing
  if known == nil then
    stage.stops.steps = stage.stops.steps + 1
    known = false
    if stage.trace and stage.nested == 0 then
      ended = stage.trace:step(stage, stage.stops.steps)
    end
    for _, trouble in ipairs(stops_of(stage.case)) do
      if trouble.nth_step == stage.stops.steps then known = trouble end
    end
  end
  stage.stops.by_step[key] = known and known.name == "step" and known
  return known, ended
end

local function around(stage, branch, name, options, act)
  local trouble, ended = stop_around(stage, branch.prefix .. name)
  local _ <close> = setmetatable({}, { __close = ended })
  if not trouble then return act(options) end
  if trouble.name == "step" then
    return act(tables.merged(options or {}, { timeout = trouble.seconds }))
  end
  return AROUND[trouble.name](branch.engine.loop, trouble, function() return act(options) end)
end

--- The executor by which the steps of a run come under the stops of a stage.
---@param stage alicloud.simulation.Stage
---@return alicloud.dr.Executor|nil nil: the usual executor
function M.executor(stage)
  if #stops_of(stage.case) == 0 and not stage.trace then return nil end
  local own = setmetatable({}, { __index = executor })
  function own:step(branch, name, options, body)
    return around(stage, branch, name, options, function(given)
      return executor.step(self, branch, name, given, body)
    end)
  end
  function own:verify(branch, name, options, body)
    return around(stage, branch, name, options, function(given)
      return executor.verify(self, branch, name, given, body)
    end)
  end
  return own
end

--- Prepares a stage for its stops.
---@param stage alicloud.simulation.Stage
function M.prepare(stage)
  stage.stops = { waits = 0, steps = 0, by_step = {}, at_waits = {} }
  for _, trouble in ipairs(stops_of(stage.case)) do
    if trouble.wait then stage.stops.at_waits[trouble.wait] = true end
    stage.stops.flight = trouble.flight
  end
end

local function tell(stage)
  stage.stops.running.told = true
end

--- Whether the process that runs has to end; its runtime asks at each wait.
---@param stage alicloud.simulation.Stage
---@return boolean
function M.interrupted(stage)
  local stops = stage.stops
  if stage.nested == 0 and (stage.trace or next(stops.at_waits)) then
    stops.waits = stops.waits + 1
    if stage.trace then stage.trace:wait(stage, stops.waits) end
    if stops.at_waits[stops.waits] then
      stops.signal = true
      tell(stage)
    end
  end
  return stops.signal and stage.nested == 0 or core.ended_by() ~= nil
end

--- Applies a stop to the run.
---@param stage alicloud.simulation.Stage
---@param trouble alicloud.simulation.Trouble
function M.come(stage, trouble)
  local stops = stage.stops
  if not stops.running then return end
  if trouble.name == "interrupt" then
    stops.signal = true
    return tell(stage)
  end
  if stops.task and stops.task:cancel() then tell(stage) end
end

--- Lets the time pass that a request or an answer takes.
---@param stage alicloud.simulation.Stage
function M.fly(stage)
  local seconds = stage.stops.flight
  if seconds and stage.nested == 0 then stage.loop.sleep(seconds) end
end

--- Runs a process in a task, if the case has a stop by the host program, which cancels it.
---@param stage alicloud.simulation.Stage
---@param loop alicloud.loop.Loop of its client
---@param act fun(): table|nil, table|nil
---@return table|nil result
---@return table|nil err
function M.run(stage, loop, act)
  local by_host = false
  for _, trouble in ipairs(stops_of(stage.case)) do
    by_host = by_host or trouble.name == "host"
  end
  if not by_host then return act() end
  local task
  local ok, raised = pcall(loop.scope, function()
    task = loop.spawn(act)
    stage.stops.task = task
    task:wait()
  end)
  stage.stops.task = nil
  if task and not task.begun then
    return nil, errors.new { kind = "cancelled", code = "Client.Interrupted",
      outcome = "not_sent", message = "interrupted before it began" }
  end
  -- The host program that waits for the run is interrupted, too.
  if not task.finished or not task.ok then error(ok and task.results[1] or raised, 0) end
  return table.unpack(task.results, 1, task.results.n)
end

return M
