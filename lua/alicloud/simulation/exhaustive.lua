--- Rehearses a playbook under every single trouble at every point, and under every pair: the
--- playbook is run undisturbed once, and its trace says where troubles can come (see
--- alicloud.simulation.trace and alicloud.simulation.enumerate). The second of a pair is looked for
--- on the trace that the first one has made.
---
---     local about = assert(exhaustive.open(plan))
---     for unit = 1, #about.families do exhaustive.single(about, unit, tell) end

local core = require "alicloud.core"
local coverage = require "alicloud.simulation.coverage"
local descriptions = require "alicloud.simulation.describe"
local discover = require "alicloud.simulation.discover"
local enumerate = require "alicloud.simulation.enumerate"
local errors = require "alicloud.base.error"
local generate = require "alicloud.simulation.generate"
local people = require "alicloud.simulation.people"
local simulation = require "alicloud.simulation"
local tables = require "alicloud.base.tables"
local traces = require "alicloud.simulation.trace"

local M = {}

-- With it, a run is run once more after its end (S7), the emulator's chance is the same every time.
local SEED = 3

-- The undisturbed run is planned and repeated as well (S8, S12).
local CALM_SEED = 0

-- A call that no run comes to: its store is a shared one, and nothing happens to it.
local NEVER = 1 << 30

---@class alicloud.simulation.Exhaustive
---@field plan alicloud.simulation.Plan
---@field case alicloud.simulation.Case without troubles
---@field kinds table<string, boolean>?
---@field calm table<boolean, alicloud.simulation.Point[]> undisturbed, with a shared store or not
---@field families alicloud.simulation.Family[]
---@field points integer
---@field troubles integer variants of the families, and what was merged before
---@field merged table<string, integer> before anything is run, by rule
---@field violations string[] of the undisturbed run

---@class alicloud.simulation.UnitReport
---@field runs integer
---@field troubles integer
---@field merged table<string, integer>
---@field processes integer
---@field crashes integer
---@field requests integer
---@field effects integer
---@field endings table<string, integer>
---@field met table<string, integer> see alicloud.simulation.coverage
---@field harms { what: string, only: integer[], troubles: string[] }[]
---@field traces { n: integer, mark: string }[]? of singles: each variant that was run

local function fast(world)
  local own = discover.calm(world)
  for i, group in ipairs(own.groups) do
    group.failover_seconds = world.groups[i].failover_seconds or 2
  end
  return own
end

-- Where tokens are forgotten, a repeat must be seen to have an effect, and nothing protects from a
-- site that is late.
local FORGETFUL = { repeat_failover = "restart", site_status = "same" }

local function forgets(trouble) return trouble.name == "token_forget" end

local function case_of(about, troubles, trace)
  local forgetful = false
  for _, trouble in ipairs(troubles) do forgetful = forgetful or forgets(trouble) end
  return tables.merged(about.case, { troubles = troubles, trace = trace,
    assume = forgetful and FORGETFUL or {} })
end

local function traced(about, troubles)
  local trace = traces.new()
  local rehearsal = simulation.judge(case_of(about, troubles, trace), about.plan)
  return trace.points, rehearsal
end

local function unit_report()
  return { runs = 0, troubles = 0, merged = {}, processes = 0, crashes = 0, requests = 0,
    effects = 0, endings = {}, met = {}, harms = {} }
end

local function count(report, rehearsal)
  local stage = rehearsal.stage
  report.runs, report.processes = report.runs + 1, report.processes + #stage.processes
  for _, process in ipairs(stage.processes) do
    if process.crashed then report.crashes = report.crashes + 1 end
  end
  report.requests = report.requests + #stage.requests
  report.effects = report.effects + #stage.emu:ledger()
  report.endings[rehearsal.ending] = (report.endings[rehearsal.ending] or 0) + 1
  coverage.add(report.met, rehearsal)
end

local function merge(merged, more)
  for rule, n in pairs(more) do merged[rule] = (merged[rule] or 0) + n end
end

local function is_shared(trouble) return trouble.kind == "controllers" end

-- What the trace over a shared store has in common with the other one.
local OF_REQUESTS = { request = true, wait = true, program = true }

-- The families of both undisturbed traces. A shared store has calls of its own; what comes with
-- requests comes with those of the other trace.
local function families_of(about)
  local own, merged = enumerate.list(about.calm[false], { kinds = about.kinds,
    typos = people.learn(about.plan).typos })
  local other = enumerate.list(about.calm[true], { kinds = about.kinds,
    except = OF_REQUESTS })
  table.move(other, 1, #other, #own + 1, own)
  about.families, about.merged, about.troubles = own, merged, 0
  for _, n in pairs(merged) do about.troubles = about.troubles + n end
  about.first_of, about.variants = {}, 0
  for i, each in ipairs(own) do
    about.first_of[i] = about.variants + 1
    about.variants = about.variants + #each.troubles
  end
  about.troubles = about.troubles + about.variants
end

local function points_of(about)
  local n = 0
  for _, shared in ipairs { false, true } do
    for _, point in ipairs(about.calm[shared]) do
      if not shared or point.kind == "store" then n = n + 1 end
    end
  end
  return n
end

--- Runs the playbook undisturbed and lists what can come.
---@param plan alicloud.simulation.Plan
---@param options? { kinds: table<string, boolean>? }
---@return alicloud.simulation.Exhaustive|nil
---@return string? message
function M.open(plan, options)
  local about = { plan = plan, kinds = options and options.kinds, calm = {},
    case = { seed = SEED, world = fast(plan.world), sides = generate.sides_of(plan.world),
      incident = "INC-1", troubles = {}, assume = {} } }
  about.calm_report = unit_report()
  for _, shared in ipairs { false, true } do
    local points, rehearsal = traced(about, shared
      and { { kind = "controllers", name = "answers", call = NEVER, lasts = 1 } } or {})
    if not rehearsal.last.result then
      return nil, "without any trouble the run does not end well: "
        .. errors.text_of(rehearsal.last.err)
    end
    about.calm[shared] = points
    count(about.calm_report, rehearsal)
  end
  local case = tables.merged(about.case, { seed = CALM_SEED })
  about.violations = simulation.judge(case, plan).violations
  families_of(about)
  about.points = points_of(about)
  return about
end

-- What of a run is the same whenever it is: with the same mark, what comes next is the same.
local function mark_of(points, rehearsal)
  local parts = { rehearsal.ending, tostring(#rehearsal.stage.processes) }
  for _, point in ipairs(points) do parts[#parts + 1] = point.sight end
  for line in rehearsal.stage.disk:text "run":gmatch "[^\n]+" do
    parts[#parts + 1] = line:match '"type":"([%w_]+)"'
  end
  return core.sha256(table.concat(parts, "\n")):sub(1, 24)
end

-- When the trouble of a run comes, if that is at a request.
local function came_at(stage, trouble)
  local request = trouble.request and stage.requests[trouble.request]
  return request and request.time
end

local function ended_before(rehearsal, trouble)
  local since = came_at(rehearsal.stage, trouble)
  return since ~= nil and trouble.lasts ~= nil and rehearsal.last.ended < since + trouble.lasts
end

local function note_harm(report, rehearsal, only, troubles)
  local what = rehearsal.violations[1]
  if not what then return end
  local words = {}
  for i, trouble in ipairs(troubles) do words[i] = descriptions.describe(trouble) end
  table.insert(report.harms, { what = what, only = only, troubles = words })
end

-- Runs a family: once the run ends before its trouble does, longer ones are the same.
local function run_family(report, each, run)
  report.troubles = report.troubles + #each.troubles
  for i, trouble in ipairs(each.troubles) do
    local rehearsal = run(i, trouble)
    if i < #each.troubles and ended_before(rehearsal, trouble) then
      merge(report.merged, { ended = #each.troubles - i })
      break
    end
  end
end

--- Runs the family of this number, alone.
---@param about alicloud.simulation.Exhaustive
---@param n integer
---@return alicloud.simulation.UnitReport
function M.single(about, n)
  local report, each = unit_report(), about.families[n]
  report.traces = {}
  run_family(report, each, function(i, trouble)
    local points, rehearsal = traced(about, { trouble })
    local number = about.first_of[n] + i - 1
    count(report, rehearsal)
    note_harm(report, rehearsal, { number }, { trouble })
    table.insert(report.traces, { n = number, mark = mark_of(points, rehearsal) })
    return rehearsal
  end)
  report.troubles = 0
  return report
end

-- The family and the trouble of a number.
local function variant(about, number)
  for i = #about.families, 1, -1 do
    if about.first_of[i] <= number then
      local each = about.families[i]
      return each.troubles[number - about.first_of[i] + 1], each
    end
  end
end

-- These go on beyond whatever can be seen of them.
local LINGERS = { clock = true, operators = true, disk = true, elsewhere = true, typos = true }

local function is_in_force(trouble, since, point)
  if LINGERS[trouble.kind] then return true end
  return trouble.lasts ~= nil and point.time < since + trouble.lasts
end

-- From which point on a run is what it would have been: what is left is the same, nothing is under
-- way, and as much has happened before.
local function rejoined_at(points, calm, first, trouble)
  local from, since = #points + 1, points[first].time
  for back = 0, math.min(#points - first, #calm) - 1 do
    local mine, his = points[#points - back], calm[#calm - back]
    if mine.sight ~= his.sight or mine.kind ~= his.kind or mine.ledger ~= his.ledger then break end
    if is_in_force(trouble, since, mine) then break end
    if not mine.open and not his.open then from = #points - back end
  end
  return from
end

local function is_defenceless(trouble)
  return trouble.kind == "elsewhere" or generate.is_defenceless(trouble)
end

local function fits(first, second)
  if forgets(first) and is_defenceless(second) then return false end
  if forgets(second) and is_defenceless(first) then return false end
  return is_shared(first) == is_shared(second)
end

-- What may come second, and how many are left out since the first one is over.
local function seconds_of(about, number)
  local trouble, each = variant(about, number)
  local points = traced(about, { trouble })
  local stop = rejoined_at(points, about.calm[is_shared(trouble)], each.at, trouble)
  local given = { kinds = about.kinds, first = each.at + 1, last = stop - 1,
    except = is_shared(trouble) and OF_REQUESTS or nil }
  local list, merged = enumerate.list(points, given)
  given.first, given.last = stop, #points
  local rest, more = enumerate.list(points, given)
  local skipped = 0
  for _, other in ipairs(rest) do skipped = skipped + #other.troubles end
  for _, n in pairs(more) do skipped = skipped + n end
  merged.rejoined = skipped
  return trouble, list, merged
end

--- Runs the single of this number with every second trouble that its trace offers.
---@param about alicloud.simulation.Exhaustive
---@param number integer of a variant
---@param alive? fun() called now and then
---@return alicloud.simulation.UnitReport
function M.pairs(about, number, alive)
  local report = unit_report()
  local first, list, merged = seconds_of(about, number)
  merge(report.merged, merged)
  for _, n in pairs(merged) do report.troubles = report.troubles + n end
  local second = 0
  for _, each in ipairs(list) do
    local offset = second
    second = second + #each.troubles
    if fits(first, each.troubles[1]) then
      if alive then alive() end
      run_family(report, each, function(i, trouble)
        local troubles = { first, trouble }
        local rehearsal = simulation.judge(case_of(about, troubles, false), about.plan)
        count(report, rehearsal)
        note_harm(report, rehearsal, { number, offset + i }, troubles)
        return rehearsal
      end)
    end
  end
  return report
end

--- Runs one trouble, or one pair, that a violation has named.
---@param about alicloud.simulation.Exhaustive
---@param only integer[] number of the single, and of the second on its trace
---@return alicloud.simulation.UnitReport|nil
---@return string? message
function M.again(about, only)
  local first = variant(about, only[1])
  if not first then return nil, ("there are %d single troubles"):format(about.variants) end
  local troubles = { first }
  if only[2] then
    local _, list = seconds_of(about, only[1])
    local n = 0
    for _, each in ipairs(list) do
      troubles[2] = troubles[2] or each.troubles[only[2] - n]
      n = n + #each.troubles
    end
    if not troubles[2] then return nil, ("there are %d second troubles"):format(n) end
  end
  local report = unit_report()
  local rehearsal = simulation.judge(case_of(about, troubles, false), about.plan)
  count(report, rehearsal)
  report.troubles = #troubles
  note_harm(report, rehearsal, only, troubles)
  return report
end

return M
