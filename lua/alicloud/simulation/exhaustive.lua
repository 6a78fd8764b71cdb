--- Rehearses a playbook under every single trouble at every point, and under every pair. The trace
--- of one undisturbed run shows where troubles can come (see alicloud.simulation.trace and
--- alicloud.simulation.enumerate); the second of a pair comes on the trace of the first one's run.
---
---     local about = assert(exhaustive.open(plan))
---     for n = 1, #about.units do exhaustive.single(about, n) end

local core = require "alicloud.core"
local descriptions = require "alicloud.simulation.describe"
local discover = require "alicloud.simulation.discover"
local enumerate = require "alicloud.simulation.enumerate"
local errors = require "alicloud.base.error"
local generate = require "alicloud.simulation.generate"
local people = require "alicloud.simulation.people"
local rejoining = require "alicloud.simulation.rejoining"
local sameness = require "alicloud.simulation.sameness"
local simulation = require "alicloud.simulation"
local tables = require "alicloud.base.tables"
local tallies = require "alicloud.simulation.tally"
local traces = require "alicloud.simulation.trace"

local M = {}

-- With it a finished run is run again (S7). All cases have it, and so the same random numbers.
local SEED = 3

-- With this seed the undisturbed run is also planned (S8) and repeated (S12).
local CALM_SEED = 0

-- A store call that no run reaches: a trouble there only makes the store a shared one.
local NEVER = 1 << 30

---@class alicloud.simulation.Exhaustive
---@field plan alicloud.simulation.Plan
---@field case alicloud.simulation.Case without troubles
---@field kinds table<string, boolean>?
---@field calm table<boolean, alicloud.simulation.Point[]> undisturbed trace; true: shared store
---@field families alicloud.simulation.Family[]
---@field units integer[][] numbers of families that are run together
---@field points integer
---@field troubles integer number of variants of the families, and of troubles merged before a run
---@field merged table<string, integer> number of troubles merged before a run, by rule
---@field violations string[] of the undisturbed run
---@field met table<string, integer> by undisturbed runs and merged crashes; see `coverage`

---@class alicloud.simulation.UnitReport: alicloud.simulation.Tally
---@field runs integer
---@field troubles integer
---@field merged table<string, integer>
---@field harms { what: string, only: integer[], troubles: string[] }[]
---@field traces { n: integer, mark: string }[]? of singles: each variant that was run
---@field next integer? of pairs: where the next piece begins; nil: this was the last one

-- Seconds of changes that take time. Longer ones only add looks that see the same.
local SHORT = 4
local TIMINGS = { sync = SHORT, one_shot = SHORT, stop = SHORT, reprotect = SHORT, drill = SHORT,
  clear = SHORT, attach = SHORT, detach = SHORT, start_instance = SHORT, stop_instance = SHORT }

local function fast(world)
  local own = discover.calm(world)
  for i, group in ipairs(own.groups) do
    group.failover_seconds = world.groups[i].failover_seconds or 2
  end
  own.timings = tables.merged(TIMINGS, world.timings or {})
  return own
end

-- Switches if tokens are forgotten: a repeat must have a visible effect, and no site may show old
-- states, from which nothing would protect.
local FORGETFUL = { repeat_failover = "restart", site_status = "same" }

local function forgets(trouble) return trouble.name == "token_forget" end

local function case_of(about, troubles, trace)
  local forgetful = false
  for _, trouble in ipairs(troubles) do forgetful = forgetful or forgets(trouble) end
  return tables.merged(about.case, { troubles = troubles, trace = trace,
    assume = forgetful and FORGETFUL or {} })
end

local function traced(about, troubles, answers_from)
  local trace = traces.new(answers_from)
  local rehearsal = simulation.judge(case_of(about, troubles, trace), about.plan)
  return trace.points, rehearsal
end

local function unit_report()
  return tallies.new { runs = 0, troubles = 0, merged = {}, harms = {} }
end

local function count(report, rehearsal)
  report.runs = report.runs + 1
  tallies.add(report, rehearsal)
end

local function merge(merged, more)
  for rule, n in pairs(more) do merged[rule] = (merged[rule] or 0) + n end
end

local function is_shared(trouble) return trouble.kind == "controllers" end

-- Most families of a unit, so that a unit takes seconds. Runs that are the same are found within a
-- unit only.
local LONGEST_UNIT = 24

-- Families of a chain belong together, in the order of their requests.
local function units_of(families)
  local units, by_chain = {}, {}
  for i, each in ipairs(families) do
    local unit = each.chain and by_chain[each.chain]
    if not unit or #unit == LONGEST_UNIT then
      unit = {}
      units[#units + 1] = unit
      if each.chain then by_chain[each.chain] = unit end
    end
    unit[#unit + 1] = i
  end
  return units
end

-- Lists the families of both undisturbed traces. A shared store has calls and troubles of its own.
local function families_of(about)
  local points = about.calm[false]
  -- Counts a merged crash as met in the coverage, although it is not run.
  local function told(each)
    local how = each.troubles[1].how
    local name = how and ("write %s/%s"):format(points[each.at].op, how)
    if name and points[each.at].op then about.met[name] = (about.met[name] or 0) + 1 end
  end
  local own, merged = enumerate.list(points, { kinds = about.kinds, told = told,
    typos = people.learn(about.plan).typos })
  local other, more = enumerate.list(about.calm[true], { kinds = about.kinds, shared = true })
  table.move(other, 1, #other, #own + 1, own)
  merge(merged, more)
  about.families, about.units, about.merged, about.troubles = own, units_of(own), merged, 0
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

--- Runs the playbook undisturbed and lists the troubles that can come.
---@param plan alicloud.simulation.Plan
---@param options? { kinds: table<string, boolean>? }
---@return alicloud.simulation.Exhaustive|nil
---@return string? message
function M.open(plan, options)
  local about = { plan = plan, kinds = options and options.kinds, calm = {},
    case = { seed = SEED, world = fast(plan.world), sides = generate.sides_of(plan.world),
      incident = "INC-1", troubles = {}, assume = {} } }
  local report = unit_report()
  about.met = report.met
  for _, shared in ipairs { false, true } do
    local points, rehearsal = traced(about, shared
      and { { kind = "controllers", name = "answers", call = NEVER, lasts = 1 } } or {})
    if not rehearsal.last.result then
      return nil, "without any trouble the run does not end well: "
        .. errors.text_of(rehearsal.last.err)
    end
    about.calm[shared] = points
    count(report, rehearsal)
  end
  local case = tables.merged(about.case, { seed = CALM_SEED })
  about.violations = simulation.judge(case, plan).violations
  families_of(about)
  about.points = points_of(about)
  return about
end

-- A hash of what a run has seen and written, without times. Runs with the same mark go on alike, so
-- second troubles are tried after one of them only.
local function mark_of(points, rehearsal)
  local parts = { rehearsal.ending, tostring(#rehearsal.stage.processes) }
  for _, point in ipairs(points) do parts[#parts + 1] = point.sight end
  for kind in rehearsal.stage.disk:text "run":gmatch '"type":"([%w_]+)"[^\n]*' do
    parts[#parts + 1] = kind
  end
  return core.sha256(table.concat(parts, "\n")):sub(1, 24)
end

-- The rule by which longer variants of a disk or store trouble need no run, since nothing is called
-- any more; nil: they need one.
local function outlasted(trouble, points)
  local rule = trouble.kind == "disk" and "again" or trouble.name == "answers" and "ended"
  if not rule then return nil end
  local last, process = trouble.call + (trouble.lasts or 1), nil
  for _, point in ipairs(points) do
    if point.kind == "disk" or point.kind == "store" then
      if point.n == trouble.call then process = point.process end
      if point.n >= last and (rule == "ended" or point.process == process) then return nil end
    end
  end
  return rule
end

local function note_harm(report, rehearsal, only, troubles)
  local what = rehearsal.violations[1]
  if not what then return end
  local words = {}
  for i, trouble in ipairs(troubles) do words[i] = descriptions.describe(trouble) end
  table.insert(report.harms, { what = what, only = only, troubles = words })
end

-- The order in which the variants of a family are run: the longest first for wrong answers and
-- regions. Outages begin with the shortest, since those are harmless and checked more strictly.
local function order_of(troubles)
  local order = {}
  local backwards = troubles[1].kind == "hostile" or troubles[1].kind == "regions"
  for i = 1, #troubles do order[i] = backwards and #troubles + 1 - i or i end
  return order
end

-- The rule by which a trouble needs no run, and the trouble whose run stands for it.
local function rule_of(work, trouble)
  if work.outlasted then return work.outlasted, work.outlasting end
  if work.same and trouble.request then return work.same:rule_of(trouble) end
end

local function run_family(work, each, first)
  work.outlasted = nil
  for _, i in ipairs(order_of(each.troubles)) do
    local trouble, number = each.troubles[i], first + i - 1
    local rule, like = rule_of(work, trouble)
    if rule then
      merge(work.report.merged, { [rule] = 1 })
      if work.told then work.told(trouble, like, rule) end
    else
      local same = each.chain and work.same
      -- Answers before the trouble are as without it, and a run that stands for no other one is not
      -- compared: the trace need not keep these answers.
      local points, rehearsal = work.run(number, trouble, same and trouble.request or math.huge)
      if same then same:note(trouble, points, rehearsal) end
      work.outlasted, work.outlasting = outlasted(trouble, points), trouble
    end
  end
end

--- Runs the troubles of a unit, each alone.
---@param about alicloud.simulation.Exhaustive
---@param n integer number of the unit
---@param told? fun(merged: alicloud.simulation.Trouble, like: alicloud.simulation.Trouble|nil,
---rule: string) called for each trouble that is not run; `like` is the one whose run stands for it,
---nil: the run without troubles
---@return alicloud.simulation.UnitReport
function M.single(about, n, told)
  local report = unit_report()
  report.traces = {}
  local work = { report = report, told = told, same = sameness.open(about.calm[false]) }
  function work.run(number, trouble, answers_from)
    local points, rehearsal = traced(about, { trouble }, answers_from)
    count(report, rehearsal)
    note_harm(report, rehearsal, { number }, { trouble })
    table.insert(report.traces, { n = number, mark = mark_of(points, rehearsal) })
    return points, rehearsal
  end
  for _, i in ipairs(about.units[n]) do
    run_family(work, about.families[i], about.first_of[i])
  end
  return report
end

-- The trouble with a number, and its family.
local function variant(about, number)
  for i = #about.families, 1, -1 do
    if about.first_of[i] <= number then
      local each = about.families[i]
      return each.troubles[number - about.first_of[i] + 1], each
    end
  end
end

local function is_defenceless(trouble)
  return trouble.kind == "elsewhere" or generate.is_defenceless(trouble)
end

local function fits(first, second)
  if forgets(first) and is_defenceless(second) then return false end
  if forgets(second) and is_defenceless(first) then return false end
  return is_shared(first) == is_shared(second)
end

-- The families that may come second. Those at points where the first one has no effect any more are
-- left out and counted in `merged.rejoined`.
local function seconds_of(about, number)
  local trouble, each = variant(about, number)
  local points = traced(about, { trouble })
  local stop = rejoining.first(points, about.calm[is_shared(trouble)], each.at, trouble)
  local given = { kinds = about.kinds, first = each.at + 1, last = stop - 1,
    shared = is_shared(trouble) }
  local list, merged = enumerate.list(points, given)
  given.first, given.last = stop, #points
  local rest, more = enumerate.list(points, given)
  local skipped = 0
  for _, other in ipairs(rest) do skipped = skipped + #other.troubles end
  for _, n in pairs(more) do skipped = skipped + n end
  merged.rejoined = skipped
  return trouble, list, merged, points
end

-- The end of the first trouble also ends a second one of the same name, so these all need a run.
local function sameness_of(first, points, second)
  local is_alike = first.kind == second.kind and first.name == second.name
  return not is_alike and sameness.open(points) or nil
end

--- Runs after which a piece of the pairs ends, so that it takes seconds.
M.PIECE = 200

--- Runs the single of this number with the second troubles that its trace offers: a piece of them,
--- or all that are left.
---@param about alicloud.simulation.Exhaustive
---@param number integer of a variant
---@param from integer where the piece begins (1)
---@return alicloud.simulation.UnitReport
function M.pairs(about, number, from)
  local report = unit_report()
  local first, list, merged, base = seconds_of(about, number)
  if from == 1 then
    merge(report.merged, merged)
    for _, n in pairs(merged) do report.troubles = report.troubles + n end
  end
  local work = { report = report }
  function work.run(second, trouble, answers_from)
    local points, rehearsal = traced(about, { first, trouble }, answers_from)
    count(report, rehearsal)
    note_harm(report, rehearsal, { number, second }, { first, trouble })
    return points, rehearsal
  end
  local first_of, n = {}, 1
  for i, each in ipairs(list) do first_of[i], n = n, n + #each.troubles end
  local units = units_of(list)
  for at = from, #units do
    if report.runs >= M.PIECE then
      report.next = at
      break
    end
    work.same = sameness_of(first, base, list[units[at][1]].troubles[1])
    for _, i in ipairs(units[at]) do
      if fits(first, list[i].troubles[1]) then
        report.troubles = report.troubles + #list[i].troubles
        run_family(work, list[i], first_of[i])
      end
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
