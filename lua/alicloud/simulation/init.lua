--- Rehearses a playbook under troubles that are drawn from a seed: lost answers, wrong reads,
--- interference by others, a crash at a write of the journal, a cancelled run. The playbook and the
--- engine run unmodified, against the emulator, on a virtual clock and disk.
---
---     local simulation = require "alicloud.simulation"
---     local plan = assert(simulation.plan(playbook, { region = "cn-shanghai" }))
---     local report = simulation.explore(plan, { first = 1, seeds = 10000 })
---     for _, harm in ipairs(report.violations) do print(harm.seed, harm.what) end

require "alicloud.base.lua_version"
local descriptions = require "alicloud.simulation.describe"
local discover = require "alicloud.simulation.discover"
local dry_run = require "alicloud.dr.playbook.dry_run"
local endings = require "alicloud.simulation.ending"
local errors = require "alicloud.base.error"
local invariants = require "alicloud.simulation.invariants"
local people = require "alicloud.simulation.people"
local shrink = require "alicloud.simulation.shrink"
local stages = require "alicloud.simulation.stage"
local tables = require "alicloud.base.tables"
local tallies = require "alicloud.simulation.tally"

local M = {}

M.INVARIANTS, M.KINDS, M.HOSTILE = invariants.INVARIANTS, people.KINDS, people.HOSTILE

-- Most processes of a run, most resumes after an end of its own (no crash, no interrupt), and the
-- seconds before such a resume.
local MOST_PROCESSES, MOST_RESUMES, RESUMED_AFTER = 12, 2, 30

local AFTERMATH = 1000 -- seconds; delayed work is done by then
-- One seed in so many is run again after its end (S7), run twice (S12), or planned (S8).
local AGAIN, REPEATED, PLANNED = 3, 50, 31

---@class alicloud.simulation.Plan
---@field playbook alicloud.dr.Playbook
---@field region string of the client
---@field params table<string, any>?
---@field kind string?
---@field correction table<string, any>? parameter values that a resuming process corrects
---@field programs alicloud.simulation.ProgramTable? how programs end; nil: each succeeds at once
---@field world table of the emulator; a case varies the fields that its groups leave out
---@field assume table<string, any>? switches of the emulator; messages: its texts
---@field wire boolean? true: requests are signed and sent as bytes, which is slower
---@field alive fun()? called at some of the requests, to show that the rehearsal goes on

--- Prepares the exploration of a playbook: finds out which groups it is about.
---@param playbook alicloud.dr.Playbook
---@param options table region, and params, kind, world, programs, assume, messages, wire, alive if
---given
---@return alicloud.simulation.Plan|nil
---@return string? message
---@return boolean? world_helps true: it may work if another world is given
function M.plan(playbook, options)
  local plan = tables.merged({ playbook = playbook }, options)
  if plan.world then
    local problem = discover.problem(plan)
    return not problem and plan or nil, problem, false
  end
  local ok, message, world_helps = discover.run(plan)
  if not ok then return nil, message, world_helps end
  return plan
end

local function run_to_end(stage)
  local stops = 0
  for _ = 1, MOST_PROCESSES do
    local process = stage:process()
    process.last = #stage.requests
    if process.result then return process end
    local goes_on = process.crashed or process.told
    if stage.lost or not goes_on and stops == MOST_RESUMES then return process end
    if not process.crashed then
      stops = stops + (process.told and 0 or 1)
      stage.emu:advance(RESUMED_AFTER)
    end
  end
  return stage.processes[#stage.processes]
end

-- Runs a finished run once more, without troubles: it must make no calls and write nothing.
local function check_finished(stage, last)
  local asked, troubles, text = #stage.requests, stage.case.troubles, stage.disk:text "run"
  stage.case.troubles, stage.trace = {}, nil
  local again = stage:process()
  stage.case.troubles, again.last = troubles, #stage.requests
  if #stage.requests > asked then stage:violated "S7 a finished run has made further calls" end
  if stage.disk:text "run" ~= text then
    stage:violated "S7 a finished run has written on"
  end
  if not again.result or again.result.status ~= last.result.status then
    stage:violated("S7 a finished run ends otherwise when it is run again: "
      .. errors.text_of(again.err))
  end
end

---@class alicloud.simulation.Rehearsal
---@field stage alicloud.simulation.Stage
---@field last alicloud.simulation.Process its last process
---@field ending string status of the result, or code and outcome of the error
---@field violations string[]

local function ending_of(process)
  if process.result then return process.result.status end
  if process.crashed then return "crashed again and again" end
  local err = process.err
  if type(err) ~= "table" then return "raised" end
  return ("%s (%s)"):format(tostring(err.code), tostring(err.outcome))
end

--- Runs one case to its end and checks the invariants.
---@param case alicloud.simulation.Case
---@param plan alicloud.simulation.Plan
---@return alicloud.simulation.Rehearsal
function M.rehearse(case, plan)
  local stage = stages.new(case, plan)
  local last = run_to_end(stage)
  stage.emu:advance(AFTERMATH)
  if last.result and case.seed % AGAIN == 0 then check_finished(stage, last) end
  return { stage = stage, last = last, ending = ending_of(last),
    violations = invariants.violations(stage) }
end

-- A copy of a case with other troubles, whose run adds nothing to the trace of the case.
local function with_troubles(case, list)
  return tables.merged(case, { troubles = list, trace = false })
end

local function check_repeat(case, plan, rehearsal)
  local again = M.rehearse(with_troubles(case, case.troubles), plan).stage
  local stage = rehearsal.stage
  if again.disk:text "run" ~= stage.disk:text "run" or #again.requests ~= #stage.requests then
    table.insert(rehearsal.violations, "S12 the same seed gave another run")
  end
end

local function check_plan(case, plan, rehearsal)
  local stage = stages.new(with_troubles(case, {}), plan)
  dry_run.run(plan.playbook, { client = stage:client(), params = plan.params, kind = plan.kind,
    incident = case.incident })
  if stage.changes > 0 then
    table.insert(rehearsal.violations, "S8 planning has changed something")
  end
end

--- Rehearses the case of a seed, with the checks that need a second run.
---@param case alicloud.simulation.Case
---@param plan alicloud.simulation.Plan
---@return alicloud.simulation.Rehearsal
function M.judge(case, plan)
  local rehearsal = M.rehearse(case, plan)
  endings.check(case, plan, rehearsal, function()
    return M.rehearse(with_troubles(case, {}), plan)
  end)
  if case.seed % REPEATED == 0 then check_repeat(case, plan, rehearsal) end
  if case.seed % PLANNED == 0 then check_plan(case, plan, rehearsal) end
  return rehearsal
end

---@param what string
---@return string name of the invariant
function M.invariant_of(what)
  return what:match "^%w+"
end

local function breaks(rehearsal, invariant)
  for _, what in ipairs(rehearsal.violations) do
    if M.invariant_of(what) == invariant then return what end
  end
  return nil
end

local function numbered(troubles)
  local list = {}
  for n, trouble in ipairs(troubles) do list[n] = { n = n, trouble = trouble } end
  return list
end

local function troubles_of(list)
  local troubles = {}
  for i, entry in ipairs(list) do troubles[i] = entry.trouble end
  return troubles
end

--- The case of a seed.
---@param plan alicloud.simulation.Plan
---@param seed integer
---@param options? { kinds: table<string, boolean>?, only: integer[]? } only: numbers of troubles
---@return alicloud.simulation.Case
function M.case(plan, seed, options)
  local case = people.case(plan, seed, options and options.kinds)
  if not (options and options.only) then return case end
  local kept, numbers = {}, {}
  for _, n in ipairs(options.only) do
    kept[#kept + 1], numbers[#numbers + 1] = case.troubles[n], case.troubles[n] and n
  end
  local some = with_troubles(case, kept)
  -- Violations name troubles by their numbers among all troubles of the seed.
  some.numbers = numbers
  return some
end

---@class alicloud.simulation.Harm
---@field seed integer
---@field what string begins with the name of the invariant
---@field only integer[] numbers of the troubles that are enough
---@field troubles string[] the same, in words

--- Removes the troubles from a case that its violation does not need.
---@param case alicloud.simulation.Case
---@param plan alicloud.simulation.Plan
---@param what string the violation
---@return alicloud.simulation.Harm
function M.shrink(case, plan, what)
  local invariant = M.invariant_of(what)
  local list = shrink.list(numbered(case.troubles), function(candidate)
    return breaks(M.judge(with_troubles(case, troubles_of(candidate)), plan), invariant) ~= nil
  end)
  local harm = { seed = case.seed, what = what, only = {}, troubles = {} }
  for i, entry in ipairs(list) do
    harm.only[i] = case.numbers and case.numbers[entry.n] or entry.n
    harm.troubles[i] = descriptions.describe(entry.trouble)
  end
  return harm
end

---@class alicloud.simulation.Report: alicloud.simulation.Tally
---@field seeds integer
---@field violations alicloud.simulation.Harm[]
---@field harmed integer seeds with a violation

--- Rehearses many seeds.
---@param plan alicloud.simulation.Plan
---@param options { first: integer?, seeds: integer, kinds: table<string, boolean>?,
---only: integer[]?, most: integer?, progress: fun(report: alicloud.simulation.Report)? } most:
---violations after which it stops (10)
---@return alicloud.simulation.Report
function M.explore(plan, options)
  local report = tallies.new { seeds = 0, harmed = 0, violations = {} }
  local first, most = options.first or 1, options.most or 10
  for seed = first, first + options.seeds - 1 do
    local case = M.case(plan, seed, options)
    local rehearsal = M.judge(case, plan)
    report.seeds = report.seeds + 1
    tallies.add(report, rehearsal)
    local what = rehearsal.violations[1]
    if what then
      report.harmed = report.harmed + 1
      report.violations[#report.violations + 1] = M.shrink(case, plan, what)
    end
    if options.progress then options.progress(report) end
    if #report.violations >= most then break end
  end
  return report
end

--- The violation that a seed causes; nil if the invariants hold.
---@param plan alicloud.simulation.Plan
---@param seed integer
---@param invariant string? only this one
---@param options? table as for `case`
---@return string|nil what
function M.broken_by(plan, seed, invariant, options)
  local rehearsal = M.judge(M.case(plan, seed, options), plan)
  if invariant then return breaks(rehearsal, invariant) end
  return rehearsal.violations[1]
end

return M
