--- Fails a group back: reverses it, replicates back, stops the service, synchronizes a last time,
--- switches, and protects again. Each step is a method of the group that can be called by itself,
--- looks before it acts, and is idempotent; this file only calls them in order.
---
--- Both sites have to answer until the switch, or it cannot be proved what would be lost. A side
--- that is lost is given up by a failover at the other one.
--- Source: user guide, "Failback".

local direction = require "alicloud.dr.model.direction"
local errors = require "alicloud.base.error"
local guard = require "alicloud.base.guard"
local precheck = require "alicloud.dr.model.precheck"
local settled = require "alicloud.dr.read.settled"
local snapshots = require "alicloud.dr.model.snapshot"
local tables = require "alicloud.base.tables"

local M = {}

---@class alicloud.dr.FailbackOptions
---@field to string region, or zone, that takes the service back; the group object names the side
---where it runs now
---@field stop? fun(context: alicloud.dr.FailbackContext): any stops the service where it runs now;
---false, or nil and a reason, ends the failback
---@field restart? fun(context: alicloud.dr.FailbackContext): any starts the service again where it
---ran, if the failback ends before the switch
---@field old_side? alicloud.dr.OldSide see reprotect
---@field fence? boolean stop the instances and detach the disks where the service ran (true)
---@field force? boolean see fence
---@field stop_shared? string[] see fence
---@field sync? boolean last one-shot synchronization, so that nothing is lost (true)
---@field max_rpo? number|string of the failover that switches
---@field attach? string|table<string, string> see serve
---@field restore? boolean replicate again afterwards, in the usual direction (true)
---@field confirm? fun(step: string, context: alicloud.dr.FailbackContext): boolean asked before
---each step
---@field timeout? number|string of each step; nil: the step's own default
---@field poll? number|string
---@field progress? fun(event: table)

---@class alicloud.dr.FailbackContext
---@field group alicloud.dr.Group where the service runs now
---@field back alicloud.dr.Group the same group at the side that takes the service
---@field options alicloud.dr.FailbackOptions
---@field steps table<string, table> results so far, by step
---@field doing string? the present step

---@class alicloud.dr.FailbackResult
---@field outcome "failed_back"|"already_failed_back"
---@field group_id string
---@field region string where the service runs at the end
---@field steps table<string, table> result of each step
---@field order string[] the steps in the order in which they were done
---@field elapsed number seconds

local function limits(context, more)
  local given = context.options
  return tables.merged(
    { timeout = given.timeout, poll = given.poll, progress = given.progress }, more)
end

local function catch_up(context)
  local start = context.steps.start
  return context.group:await_recovery_point(limits(context, { newer_than = start.server_time }))
end

local function stop_service(context)
  local hook = context.options.stop
  if not hook then return { outcome = "skipped" } end
  local ok, answer, why = guard.call(hook, context)
  if ok and answer ~= false and not (answer == nil and why) then
    return { outcome = "stopped_by_caller", answer = answer }
  end
  return nil, errors.new { kind = "state", code = "Client.ServiceNotStopped",
    outcome = "not_sent",
    message = "the service was not stopped: " .. errors.text_of(why or answer) }
end

local function optional(name, run)
  return function(context)
    if context.options[name] == false then return { outcome = "skipped" } end
    return run(context)
  end
end

local function serve(context)
  if not context.options.attach then return { outcome = "skipped" } end
  return context.back:serve(limits(context, { attach = context.options.attach }))
end

-- The switch is a failover at the other side. The group was reversed before the start, so a
-- recovery point that is not older than the start is of this direction.
local function switch(context)
  local start = context.steps.start
  return context.back:failover(limits(context, { max_rpo = context.options.max_rpo,
    synced_since = start and start.server_time }))
end

---@class alicloud.dr.FailbackStep
---@field name string
---@field run fun(context: alicloud.dr.FailbackContext): table|nil, alicloud.Error?

--- The steps in their order.
---@type alicloud.dr.FailbackStep[]
M.STEPS = {
  { name = "reprotect", run = function(context)
    return context.group:reprotect(limits(context, { old_side = context.options.old_side }))
  end },
  { name = "start", run = function(context) return context.group:start(limits(context)) end },
  { name = "catch_up", run = catch_up },
  { name = "stop_service", run = stop_service },
  { name = "fence", run = optional("fence", function(context)
    return context.back:fence(limits(context, { force = context.options.force,
      stop_shared = context.options.stop_shared }))
  end) },
  { name = "sync", run = optional("sync", function(context)
    return context.group:sync_now(limits(context))
  end) },
  { name = "failover", run = switch },
  { name = "serve", run = serve },
  { name = "protect", run = optional("restore", function(context)
    return context.back:reprotect(limits(context))
  end) },
  { name = "restart", run = optional("restore", function(context)
    return context.back:start(limits(context))
  end) },
}

local function first_step(name)
  for i, step in ipairs(M.STEPS) do
    if step.name == name then return i end
  end
end

local SWITCHED = { failovering = true, failovered = true, failover_failed = true }

local function refusal(group, code, message, more)
  return nil, errors.new(tables.merged({ kind = "state", code = code, message = message,
    outcome = "not_sent", region = group.region, group_id = group.id }, more))
end

local function refuse_problem(group, snapshot, problem)
  return refusal(group, problem.code, problem.message,
    { hint = problem.hint, snapshot = snapshot })
end

local function read_sides(group)
  local snapshot, err = group:observe()
  if not snapshot then return nil, err end
  if snapshot.role == "absent" then
    return refusal(group, "NoSuchResource", ("%s is on neither site of %s%s"):format(group.id,
      group.region, settled.near(group)))
  end
  local problem = direction.problem(snapshot)
  if problem then return refuse_problem(group, snapshot, problem) end
  local here, other = snapshot.to, snapshot.from
  if snapshot.role == "primary" then here, other = other, here end
  return snapshot, nil, here, other
end

-- The index of the next step, by the state of the group; 0 if the service is back already.
local function next_step(group, to)
  local snapshot, err, here, other = read_sides(group)
  if not snapshot then return nil, err end
  if not direction.is_at(other, to) or direction.is_at(here, to) then
    return refusal(group, "Client.WrongDirection",
      ("a failback from %s to %s was asked for, but %s goes %s"):format(group.to or group.region,
        to, group.id, snapshots.direction(snapshot)), { snapshot = snapshot })
  end
  if snapshot.role == "primary" then
    return SWITCHED[snapshot.status] and first_step "failover" or 1
  end
  local open_here = SWITCHED[snapshot.status] or snapshot.status:find "^reprotect"
  return open_here and 1 or 0
end

local NOTHING_DONE = { not_sent = true, rejected = true }

-- Brings the service back if a step before the switch fails: disks and instances, the service by
-- the caller's `restart`, then replication. Sets `rolled_back` or `production_down` in the error.
local function bring_back(context, step, err)
  local steps, options = context.steps, context.options
  local fenced = steps.fence or step == "fence" and err.done_so_far
  if not (fenced and fenced.before) or steps.serve then return end
  if steps.failover or step == "failover" and not NOTHING_DONE[err.outcome] then
    err.production_down = ("what ran in %s was stopped, and is not served in %s yet"):format(
      fenced.region, options.to)
    return
  end
  local back, fault = context.back:unfence(limits(context, { fenced = fenced }))
  if back and options.restart then
    local ok, answer, why = guard.call(options.restart, context)
    if not ok or answer == false then back, fault = nil, why or answer end
  end
  if back and (steps.sync or step == "sync") then
    back, fault = context.group:start(limits(context))
  end
  err.rolled_back = back ~= nil
  if not back then
    err.production_down = ("what ran in %s was stopped and is not all back: %s"):format(
      fenced.region, errors.text_of(fault))
  end
end

-- Asks for confirmation of one step, and runs it.
local function do_step(context, step)
  local confirm = context.options.confirm
  if confirm and not confirm(step.name, context) then
    return refusal(context.group, "Client.NotConfirmed", ("step %s was not confirmed")
      :format(step.name), { kind = "cancelled" })
  end
  return step.run(context)
end

-- After an error that is raised (a cancellation, an interrupt) nothing is brought back: the
-- listener is told that production may be stopped.
local function when_cut_off(context)
  return setmetatable({}, { __close = function(_, raised)
    local steps, listener = context.steps, context.options.progress
    local fenced = steps.fence and steps.fence.before or context.doing == "fence"
    if raised == nil or not listener or not fenced or steps.serve then return end
    guard.call(listener, { event = "left_stopped", verb = "failback", step = context.doing,
      group_id = context.group.id, region = context.group.region, to = context.options.to })
  end })
end

local function walk(context, from, done)
  local _ <close> = when_cut_off(context)
  for i = from, #M.STEPS do
    local step = M.STEPS[i]
    context.doing = step.name
    local result, err = do_step(context, step)
    if not result then
      err.step, err.steps = step.name, context.steps
      bring_back(context, step.name, err)
      return nil, err
    end
    context.steps[step.name], done[#done + 1] = result, step.name
  end
  return true
end

-- The group at the side where the service runs now. Between two zones of one region that is the
-- site that does not take the service.
local function giving_side(group, back)
  if group.to or not back.to or group.region ~= back.region then return group end
  local other, err = back:other_site()
  if not other then return nil, err end
  return other.region == group.region and other or group
end

-- Finds obstacles before the first change, rather than when the service is stopped already.
local function look_ahead(context)
  local group, options = context.group, context.options
  local report, err = group:preflight { move = "failback", attach = options.attach,
    stop_shared = options.stop_shared, fence = options.fence == false and "no" or nil }
  if not report then return nil, err end
  local obstacle = precheck.first_obstacle(report)
  if not obstacle then return true end
  return refusal(group, obstacle.code, obstacle.fact, { hint = obstacle.cure, step = "check",
    findings = report.findings })
end

--- Fails a group back, or continues where an earlier attempt ended.
---@param group alicloud.dr.Group at the side where the service runs now
---@param back alicloud.dr.Group the same group at the side that takes the service
---@param options alicloud.dr.FailbackOptions
---@return alicloud.dr.FailbackResult|nil
---@return alicloud.Error? err `step` names the step that failed, `steps` holds the results before;
---`rolled_back` is true if the service is back, `production_down` says in words that it is not
function M.run(group, back, options)
  local loop = group.client.loop
  local began = loop.now()
  local giving, err = giving_side(group, back)
  if not giving then return nil, err end
  local from
  from, err = next_step(giving, options.to)
  if not from then return nil, err end
  local context = { group = giving, back = back, options = options, steps = {} }
  local result = { outcome = "failed_back", group_id = group.id, region = back.region,
    steps = context.steps, order = {}, elapsed = 0 }
  if from == 0 then
    result.outcome = "already_failed_back"
    return result
  end
  local ok = true
  if from == 1 then ok, err = look_ahead(context) end
  if not ok then return nil, err end
  ok, err = walk(context, from, result.order)
  if not ok then return nil, err end
  result.elapsed = loop.now() - began
  return result
end

--- The name of the other side of a group.
---@param group alicloud.dr.Group
---@return string|nil place its region, or its zone where both sides lie in one region
---@return alicloud.Error? err
function M.other_place(group)
  local snapshot, err, _, other = read_sides(group)
  if not snapshot then return nil, err end
  return direction.name(snapshot, other)
end

return M
