--- Many things at a time, over one transport and on one thread: each in a branch of its own, whose
--- failure stops that branch, and the whole only when there are too many.

local errors = require "alicloud.base.error"
local guard = require "alicloud.base.guard"
local schema = require "alicloud.base.schema"
local steps = require "alicloud.dr.playbook.step"
local stops = require "alicloud.dr.playbook.stop"
local tables = require "alicloud.base.tables"

local M = {}

---@class alicloud.dr.EachOptions
---@field parallel? integer how many at a time (8)
---@field max_errors? integer|string failures at which nothing more is begun: a number, or "10%" of
---all (1: the first)
---@field canary? integer so many come first and must all succeed (0)
---@field max_groups? integer more than so many need a person's word before anything begins

M.SCHEMA = {
  parallel = schema.integer(1, 1000),
  max_errors = schema.rule('a number from 1, or a text such as "10%"', function(value)
    if type(value) == "string" then
      local percent = tonumber(value:match("^(%d+%.?%d*)%%$"))
      return percent ~= nil and percent > 0 and percent <= 100
    end
    return math.type(value) == "integer" and value >= 1
  end),
  canary = schema.integer(0, 1000),
  max_groups = schema.integer(1, 100000),
}

local function limit_of(max_errors, count)
  if type(max_errors) ~= "string" then return max_errors or 1 end
  local percent = tonumber(max_errors:match("^(%d+%.?%d*)%%$"))
  return math.max(1, math.ceil(count * percent / 100))
end

local function name_of(item, index)
  local name = type(item) == "table" and item.id or item
  if type(name) == "number" then name = tostring(name) end
  if not steps.NAME.test(name) then
    error(("playbook: each: item %d: got %s; allowed: a name, or a table with `id`, of %s")
      :format(index, schema.show(name), steps.NAME.allowed), 4)
  end
  return name
end

local function jobs_of(branch, list)
  local jobs = {}
  for i, item in ipairs(list) do
    local name = name_of(item, i)
    steps.claim_name(branch.engine, branch.prefix .. name .. "/", 4)
    jobs[i] = { name = name, item = item }
  end
  return jobs
end

-- What ends the whole run, an interrupt included, is raised when everybody has been called back.
local function take_result(round, job)
  local ok, good, result, err = pcall(job.task.result, job.task)
  if ok and good and not result and err ~= nil then good, result = false, err end
  local unresolved = ok and good and job.branch:unresolved_jump()
  if unresolved then good, result = false, unresolved end
  if not ok then
    round.raised = round.raised or good
  elseif good then
    round.ok[job.name] = result
    if result == nil then round.ok[job.name] = true end
  elseif stops.is(result) and result.whole then
    round.raised = round.raised or result
  else
    round.failed[job.name] = stops.error_of(result, job.name)
    round.errors = round.errors + 1
  end
end

-- A task that only sleeps: its end wakes whoever waits for any of the jobs.
local function bell(round)
  round.bell = round.loop.spawn(round.loop.sleep, math.huge)
  return round.bell
end

local function ring(round)
  if round.bell then round.bell:cancel() end
end

local function start(round, job)
  local branch = round.branch:fork(job.name)
  job.branch = branch
  job.task = round.loop.spawn(function()
    local _ <close> = setmetatable({}, { __close = function() ring(round) end })
    return guard.call(round.call, job.item, branch)
  end)
  round.running[#round.running + 1] = job
end

local function collect(round)
  local left = {}
  for _, job in ipairs(round.running) do
    if job.task.finished then take_result(round, job) else left[#left + 1] = job end
  end
  local ended = #left < #round.running
  round.running = left
  return ended
end

local function cancel_all(round)
  for _, job in ipairs(round.running) do
    if not job.task.finished then job.task:cancel() end
  end
  round.running = {}
end

-- Waits until at least one has ended.
local function await(round)
  while not collect(round) do bell(round):wait() end
end

-- Carries out a part of the jobs.
local function carry_out(round, jobs, width)
  local next_job = 1
  while next_job <= #jobs or #round.running > 0 do
    local may_start = not round.raised and round.errors < round.limit
    while may_start and next_job <= #jobs and #round.running < width do
      start(round, jobs[next_job])
      next_job = next_job + 1
    end
    if #round.running == 0 then break end
    await(round)
    if round.raised then break end
  end
  for i = next_job, #jobs do round.left_out[#round.left_out + 1] = jobs[i].name end
end

local function part(list, first, last)
  return table.move(list, first, last, 1, {})
end

local function new_round(branch, limit, call)
  return { branch = branch, call = call, loop = branch.engine.loop, limit = limit,
    errors = 0, ok = {}, failed = {}, left_out = {}, running = {} }
end

local function first_error(round)
  return round.failed[tables.keys(round.failed)[1]]
end

local function too_many(branch, round, total)
  local err = first_error(round)
  branch:halt(errors.new {
    kind = err.kind, code = err.code, outcome = err.outcome, hint = err.hint, cause = err,
    message = ("%d of %d failed (%s), %d were not begun; first: %s"):format(round.errors, total,
      table.concat(tables.keys(round.failed), ", "), #round.left_out, err.message),
    failed = round.failed,
  })
end

local function finish(branch, round, total)
  if round.raised then
    cancel_all(round)
    error(round.raised, 0)
  end
  if round.errors >= round.limit then too_many(branch, round, total) end
  for _, name in ipairs(tables.keys(round.failed)) do
    branch.engine:except(("%s%s failed: %s"):format(branch.prefix, name,
      round.failed[name].message))
  end
  return { ok = round.ok, failed = round.failed }
end

-- A mistake that would move everything is stopped before it has moved anything.
local function demand_release(branch, count, most)
  if not most or count <= most then return end
  local engine = branch.engine
  local err = errors.new {
    kind = "precheck", code = "Client.TooManyGroups", outcome = "not_sent",
    message = ("%d groups, allowed: %d without a person's word"):format(count, most),
    hint = "raise max_groups, or release it where somebody is asked",
  }
  local asker = engine.options.ask
  local ok, answer, by
  if asker then
    ok, answer, by = guard.call(asker, { step = branch.prefix .. "each", err = err,
      release = true })
  end
  engine:record { type = "asked", step = branch.prefix .. "each",
    by = type(by) == "string" and by or nil,
    answer = ok and answer == "again" and "again" or "stop" }
  if not (ok and answer == "again") then branch:halt(err) end
end

--- Carries a function out for every element of a list.
---@param branch alicloud.dr.PlaybookRun
---@param list any[]
---@param options alicloud.dr.EachOptions
---@param body fun(item: any, run: alicloud.dr.PlaybookRun): any
---@return { ok: table<string, any>, failed: table<string, alicloud.Error> }
function M.each(branch, list, options, body)
  branch:go_on()
  local jobs = jobs_of(branch, list)
  demand_release(branch, #jobs, options.max_groups)
  local canary = math.min(options.canary or 0, #jobs)
  local width = options.parallel or 8
  local round = new_round(branch, limit_of(options.max_errors, #jobs), body)
  local _ <close> = setmetatable({}, { __close = function() cancel_all(round) end })
  if canary > 0 then
    carry_out(round, part(jobs, 1, canary), width)
    if round.errors > 0 and not round.raised then
      for i = canary + 1, #jobs do round.left_out[#round.left_out + 1] = jobs[i].name end
      too_many(branch, round, #jobs)
    end
  end
  if not round.raised then carry_out(round, part(jobs, canary + 1, #jobs), width) end
  return finish(branch, round, #jobs)
end

--- Carries several functions out; the first failure ends the branch when the others are done.
---@param branch alicloud.dr.PlaybookRun
---@param bodies table<string, function>
---@return table<string, any> results
function M.all(branch, bodies)
  branch:go_on()
  local names = tables.keys(bodies)
  local jobs = jobs_of(branch, names)
  local round = new_round(branch, math.huge, function(name, run) return bodies[name](run) end)
  local _ <close> = setmetatable({}, { __close = function() cancel_all(round) end })
  carry_out(round, jobs, #jobs)
  if round.errors > 0 and not round.raised then too_many(branch, round, #jobs) end
  return finish(branch, round, #jobs).ok
end

return M
