--- Runs many jobs at a time, over one transport and on one thread, each in a branch of its own. A
--- failure stops its branch; too many failures stop the whole.

local bounded = require "alicloud.dr.playbook.bounded"
local errors = require "alicloud.base.error"
local guard = require "alicloud.base.guard"
local headways = require "alicloud.dr.playbook.headway"
local schema = require "alicloud.base.schema"
local seats = require "alicloud.dr.playbook.seat"
local shell = require "alicloud.base.shell"
local steps = require "alicloud.dr.playbook.step"
local stops = require "alicloud.dr.playbook.stop"
local tables = require "alicloud.base.tables"
local waves = require "alicloud.dr.playbook.waves"

local M = {}

---@class alicloud.dr.EachOptions
---@field parallel? integer how many at a time (8); a job that only waits for the end of a failover
---does not count, except with parallel = 1
---@field max_errors? integer|string number of failures, or share of all ("10%"), at which no more
---jobs are begun (1)
---@field canary? integer|string[] so many jobs, or the named ones, come first and must all succeed
---(0); with a number, a job that is left out, or had failed before a resume, is replaced
---@field tier? fun(item: any): integer the lowest tier comes first; the next waits for its end
---@field leave_out? fun(item: any, err: alicloud.Error): string|true|nil asked about a failed job
---that sent nothing: what to report (true: nothing) if its failure does not count; nil: it counts
---@field max_groups? integer with more jobs than this a person is asked before anything begins
---@field word? string for displays of progress: the word for a job that has ended well ("done")

---@class alicloud.dr.EachResult
---@field ok table<string, any> results by name
---@field failed table<string, alicloud.Error>
---@field left_out table<string, alicloud.Error>

M.SCHEMA = {
  parallel = schema.integer(1, 100000),
  max_errors = schema.rule('a number from 1, or a text such as "10%"', function(value)
    if type(value) == "string" then
      local percent = tonumber(value:match("^(%d+%.?%d*)%%$"))
      return percent ~= nil and percent > 0 and percent <= 100
    end
    return math.type(value) == "integer" and value >= 1
  end),
  canary = schema.rule("a whole number from 0 to 100000, or a list of names", function(value)
    if type(value) ~= "table" then return schema.integer(0, 100000).test(value) end
    for _, name in ipairs(value) do
      if not steps.NAME.test(name) then return false end
    end
    return #value > 0
  end),
  tier = schema.callable,
  leave_out = schema.callable,
  max_groups = schema.integer(1, 100000),
  word = schema.text,
}

local function limit_of(max_errors, count)
  if type(max_errors) ~= "string" then return max_errors or 1 end
  local percent = tonumber(max_errors:match("^(%d+%.?%d*)%%$"))
  return math.max(1, math.ceil(count * percent / 100))
end

-- What to report of a failed job that is left out; nil: its failure counts.
local function reason_to_leave_out(round, job, err)
  if not round.leave_out or waves.has_acted(round.branch, job) then return nil end
  return round.leave_out(job.item, err)
end

local function take_failure(round, job, err)
  local said = reason_to_leave_out(round, job, err)
  if said then
    round.left_out[job.name], round.said[job.name] = err, said
    round.branch.engine:unbind(job.branch.prefix)
  else
    round.failed[job.name] = err
    round.errors = round.errors + 1
  end
end

-- Takes the result of a job. What ends the whole run, an interrupt included, is raised only after
-- all jobs have ended.
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
    take_failure(round, job, stops.error_of(result, job.name))
  end
end

local UNBOUND = {}

local function carry_out_one(round, job, seat)
  local _ <close> = seat
  return bounded.call(round.loop, UNBOUND, round.call, job.item, job.branch)
end

local function start(round, job, expected)
  local branch = round.branch:fork(job.name)
  job.branch, job.begun_at = branch, round.loop.now()
  job.place = round.headway:begin(job.begun_at)
  branch.seat, round.running = seats.take(round, job, expected), round.running + 1
  job.task = round.loop.spawn(carry_out_one, round, job, branch.seat)
end

local function count_end(round, job)
  local outcome = round.failed[job.name] and "failed" or round.left_out[job.name] and "left_out"
    or "done"
  local took = job.past ~= "done" and round.loop.now() - job.begun_at or nil
  round.headway:finish(job.place, outcome, took)
end

local function collect(round)
  -- If this task is cancelled itself, nothing is counted.
  round.loop.checkpoint()
  local ended, moved = round.ended, round.moved
  round.ended, round.moved = {}, false
  for _, job in ipairs(ended) do
    take_result(round, job)
    count_end(round, job)
  end
  round.running = round.running - #ended
  return moved or #ended > 0
end

-- Waits until at least one job has ended, or has left its seat.
local function await(round)
  while not collect(round) do round.gate.wait() end
end

-- Runs some of the jobs.
local function carry_out(round, jobs)
  local reads, next_job = round.branch.engine.batched_reads, 1
  local expected <close> = reads and round.width > 1 and reads:expect(#jobs) or nil
  while next_job <= #jobs or round.running > 0 do
    local may_start = not round.raised and round.errors < round.limit
    while may_start and next_job <= #jobs and round.busy < round.width do
      start(round, jobs[next_job], expected)
      next_job = next_job + 1
    end
    if round.running == 0 then break end
    await(round)
    if round.raised then break end
  end
end

local function new_round(branch, options, jobs, call)
  local loop = branch.engine.loop
  return { branch = branch, call = call, loop = loop, gate = loop.gate(), jobs = jobs,
    headway = headways.new(#jobs), limit = limit_of(options.max_errors, #jobs),
    width = options.parallel or 8, leave_out = options.leave_out, errors = 0, ok = {},
    failed = {}, left_out = {}, said = {}, running = 0, busy = 0, ended = {}, moved = false }
end

local function first_error(round)
  return round.failed[tables.keys(round.failed)[1]]
end

local function count_not_begun(round)
  local count = 0
  for _, job in ipairs(round.jobs) do
    if not job.branch then count = count + 1 end
  end
  return count
end

-- The ways to go on, except those by parameters that the playbook does not have.
local function ways_on(branch, ways)
  local declared = tables.index(branch.engine.playbook.params or {}, "name")
  local parts = {}
  for _, way in ipairs(ways) do
    if not way.param or declared[way.param] then parts[#parts + 1] = way.text end
  end
  return table.concat(parts, "; ")
end

local function too_many(round, hint)
  local branch, err = round.branch, first_error(round)
  local left_out = tables.keys(round.left_out)
  branch:halt(errors.new {
    kind = err.kind, code = err.code, outcome = err.outcome, cause = err,
    hint = hint and hint ~= "" and hint or err.hint,
    message = ("%d of %d failed (%s), %d were not begun%s; first: %s"):format(round.errors,
      #round.jobs, table.concat(tables.keys(round.failed), ", "), count_not_begun(round),
      #left_out > 0 and ", left out: " .. table.concat(left_out, ", ") or "", err.message),
    failed = round.failed,
  })
end

local function skip_way(branch, name)
  return ("resumed with %s, the others go without it"):format(
    shell.option("--skip", waves.failed_step(branch, name) .. "=WHY"))
end

local function threshold_hint(round)
  local branch, name = round.branch, tables.keys(round.failed)[1]
  return ways_on(branch, {
    { text = "resumed, those that failed are tried once more, after the others" },
    { param = "max_errors", text = ("resumed with max_errors=%d, more may fail"):format(
      round.errors + 1) },
    { param = "table", text = "resumed with table=@FILE, its rows hold for what is left to do" },
    { text = skip_way(branch, name) },
  })
end

-- The first job of the lowest tier that has one that was not begun.
local function next_job(round)
  local first
  for _, job in ipairs(round.jobs) do
    if not job.branch and (not first or job.tier < first.tier) then first = job end
  end
  return first
end

-- Another canary that is suggested is one of this wave, if it has one: a canary of a later tier
-- would let all of this tier go before it.
local function canary_hint(round, wave, name)
  local branch, ways = round.branch, {}
  local following = wave.canaries[1] or wave.others[1] or next_job(round)
  if not wave.named and wave.canaries[1] then
    ways[1] = { text = ("resumed, %s comes first instead of it"):format(wave.canaries[1].name) }
  end
  if following then
    ways[#ways + 1] = { param = "canary", text = ("resumed with canary=%s, that one comes first; "
      .. "with canary=0, all go without one"):format(following.name) }
  end
  ways[#ways + 1] = { text = skip_way(branch, name) }
  return ways_on(branch, ways)
end

-- Asks a person, if the run has one, and writes the answer.
local function ask(branch, step, question)
  local engine = branch.engine
  local asker, ok, answer, by = engine.options.ask, nil, nil, nil
  if asker then
    question.step = branch.prefix .. step
    ok, answer, by = guard.call(asker, question)
  end
  if not ok or answer ~= "again" and answer ~= "skip" then answer = "stop" end
  engine:record { type = "asked", step = branch.prefix .. step, answer = answer,
    by = type(by) == "string" and by or nil }
  return answer
end

-- Asks how to go on after a failed canary: "again", with another canary, or "skip", without one.
-- This failure then no longer counts for max_errors.
local function ask_about_canary(round, wave)
  local branch = round.branch
  local answer = branch.engine.options.ask
    and ask(branch, "canary", { err = first_error(round), canary = true }) or "stop"
  if answer == "stop" then
    too_many(round, canary_hint(round, wave, tables.keys(round.failed)[1]))
  end
  round.limit = math.max(round.limit, round.errors + 1)
  if #wave.canaries == 0 then wave.canaries[1] = table.remove(wave.others, 1) end
  return answer
end

-- Every named canary has to succeed: halts the branch if one was left out.
local function demand_named(round, wave, jobs)
  if not wave.named then return end
  for _, job in ipairs(jobs) do
    local err = round.left_out[job.name]
    if err then
      round.branch:halt(errors.new { kind = err.kind, code = err.code, outcome = err.outcome,
        cause = err, hint = canary_hint(round, wave, job.name),
        message = ("the canary %s was left out: %s"):format(job.name, err.message) })
    end
  end
end

local function count_proven(round, jobs)
  local count = 0
  for _, job in ipairs(jobs) do
    if round.ok[job.name] ~= nil then count = count + 1 end
  end
  return count
end

local function take_canaries(wave, count)
  local taken = {}
  for i = 1, math.min(count, #wave.canaries) do taken[i] = table.remove(wave.canaries, 1) end
  return taken
end

-- Runs canaries until enough have succeeded for the wave. Returns how many are still missing.
local function carry_out_canaries(round, wave)
  local missing = wave.proofs
  while missing > 0 and #wave.canaries > 0 and not round.raised do
    local before, jobs = round.errors, take_canaries(wave, missing)
    carry_out(round, jobs)
    if round.raised then return missing end
    missing = missing - count_proven(round, jobs)
    if round.errors > before and ask_about_canary(round, wave) == "skip" then return 0 end
    demand_named(round, wave, jobs)
  end
  return missing
end

local function carry_out_wave(round, wave)
  local missing = carry_out_canaries(round, wave)
  local rest = table.move(wave.others, 1, #wave.others, #wave.canaries + 1, wave.canaries)
  if not round.raised then carry_out(round, rest) end
  return missing
end

local function finish(round)
  local engine, prefix = round.branch.engine, round.branch.prefix
  if round.raised then error(round.raised, 0) end
  for _, name in ipairs(tables.keys(round.left_out)) do
    local said = round.said[name]
    if said ~= true then engine:except(said) end
  end
  for _, name in ipairs(tables.keys(round.failed)) do
    engine:except(("%s%s failed: %s"):format(prefix, name, round.failed[name].message))
  end
  return { ok = round.ok, failed = round.failed, left_out = round.left_out }
end

-- Asks a person before more than `most` groups are moved, in case that is a mistake.
local function demand_release(branch, count, most)
  if not most or count <= most then return end
  local declared = tables.index(branch.engine.playbook.params or {}, "name").max_groups
  local may_raise = declared and declared.revisable
  local err = errors.new {
    kind = "precheck", code = "Client.TooManyGroups", outcome = "not_sent",
    message = ("%d groups, allowed: %d without a person's word"):format(count, most),
    hint = "raise max_groups, or release it where somebody is asked",
    parameter = may_raise and "max_groups" or nil, parameter_value = may_raise and count or nil,
  }
  if ask(branch, "each", { err = err, release = true }) ~= "again" then branch:halt(err) end
end

local function each(branch, jobs, options, body)
  local round = new_round(branch, options, jobs, body)
  local _ <close> = headways.of_each(branch, round.headway, options.word)
  local missing = 0
  for _, wave in ipairs(waves.divide(jobs, options)) do
    if round.raised or round.errors >= round.limit then break end
    waves.prove(wave, missing)
    missing = carry_out_wave(round, wave)
  end
  if round.errors >= round.limit and not round.raised then
    too_many(round, threshold_hint(round))
  end
  return finish(round)
end

--- Calls a function for every element of a list, each in a branch of its own.
---@param branch alicloud.dr.PlaybookRun
---@param list any[]
---@param options alicloud.dr.EachOptions
---@param body fun(item: any, run: alicloud.dr.PlaybookRun): any
---@return alicloud.dr.EachResult
function M.each(branch, list, options, body)
  branch:go_on()
  local jobs = waves.jobs(branch, list)
  demand_release(branch, #jobs, options.max_groups)
  -- An error leaves this scope only after all jobs were cancelled and have ended.
  return branch.engine.loop.scope(function() return each(branch, jobs, options, body) end)
end

local function all(branch, jobs, bodies)
  local round = new_round(branch, { max_errors = math.huge, parallel = #jobs }, jobs,
    function(name, run) return bodies[name](run) end)
  carry_out(round, jobs)
  if round.errors > 0 and not round.raised then too_many(round) end
  return finish(round).ok
end

--- Calls several functions at a time; a failure ends the branch when the others have ended.
---@param branch alicloud.dr.PlaybookRun
---@param bodies table<string, function>
---@return table<string, any> results
function M.all(branch, bodies)
  branch:go_on()
  local jobs = waves.jobs(branch, tables.keys(bodies))
  return branch.engine.loop.scope(function() return all(branch, jobs, bodies) end)
end

return M
