--- Deals the units of an exhaustive exploration to processes without rights: first families of
--- single troubles, then, for each different trace that these made, all second troubles. With
--- `--progress` finished units are kept in a file, and a later call does not run them again.

local confine = require "alicloud.cli.confine"
local core = require "alicloud.core"
local options = require "alicloud.cli.options"
local schema = require "alicloud.base.schema"
local shapes = require "alicloud.cli.confine.shapes"

local M = {}

local MOST = 1000000

local text, count = shapes.text, shapes.count
local counts = shapes.map(count, 10000, 12000)
local numbers = shapes.list(schema.integer(1, MOST), 2)

local LISTED = { points = count, units = schema.integer(0, MOST), troubles = count,
  merged = counts, met = counts, violations = shapes.list(text(12000), 1000),
  ["programs?"] = shapes.READY["programs?"], ["unused?"] = shapes.READY["unused?"] }

local UNIT = { runs = count, troubles = count, merged = counts, processes = count, crashes = count,
  requests = count, effects = count, endings = counts, met = counts, harmed = count,
  harms = shapes.list(shapes.object { what = text(12000), only = numbers,
    troubles = shapes.list(text(12000), 2) }, 20),
  ["traces?"] = shapes.list(shapes.object { n = schema.integer(1, MOST), mark = text(64) }, 1000),
  ["next?"] = schema.integer(2, MOST) }

---@class alicloud.cli.ExhaustiveReport
---@field points integer
---@field troubles integer
---@field runs integer
---@field merged table<string, integer>
---@field traces integer different traces that single troubles made
---@field harmed integer runs with a violation
---@field violations { what: string, only: integer[], troubles: string[] }[]
---@field endings table<string, integer>
---@field met table<string, integer>

---@class alicloud.cli.ExhaustiveDeal
---@field depth integer 2: single troubles, before their pairs
---@field done integer units of this depth
---@field known integer units of `done` from the progress file
---@field total integer
---@field began number monotonic seconds at which the units of this depth began
---@field report alicloud.cli.ExhaustiveReport

local SUMS = { "runs", "troubles", "processes", "crashes", "requests", "effects", "harmed" }
local MAPS = { "merged", "endings", "met" }

local function merge(into, more)
  for name, n in pairs(more) do into[name] = (into[name] or 0) + n end
end

-- Keeps for each trace the lowest number of a trouble that made it, whatever order reports come in.
local function note_traces(deal, traces)
  for _, each in ipairs(traces or {}) do
    local known = deal.first_of[each.mark]
    if not known then deal.report.traces = deal.report.traces + 1 end
    deal.first_of[each.mark] = math.min(known or each.n, each.n)
  end
end

local function add(deal, unit)
  local report = deal.report
  for _, name in ipairs(SUMS) do report[name] = report[name] + unit[name] end
  for _, name in ipairs(MAPS) do merge(report[name], unit[name]) end
  for _, harm in ipairs(unit.harms) do table.insert(report.violations, harm) end
  note_traces(deal, unit.traces)
  if not unit.next then deal.done = deal.done + 1 end
end

local function keep(deal, unit, frame)
  if not deal.file then return end
  local ok, message = deal.file:append(core.encode { kind = unit.type, n = unit.n,
    from = unit.from, unit = frame } .. "\n")
  if not ok then options.refuse("--progress: " .. message) end
end

local function name_of(kind, n, from)
  return ("%s %s from %s"):format(tostring(kind), tostring(n), tostring(from))
end

-- The unit with what a unit has left over; nil: nothing.
local function rest_of(unit, frame)
  return frame.next and { type = unit.type, n = unit.n, from = frame.next }
end

-- Whether what a unit has left over begins no later than the unit itself: it would never end.
local function is_endless(from, frame)
  return frame.next ~= nil and frame.next <= (math.tointeger(from) or 1)
end

-- Queues the units of the next part; those that the progress file holds are counted at once.
local function fill(deal, kind, list)
  deal.done, deal.total, deal.next = 0, #list, 1
  for _, n in ipairs(list) do
    local unit = { type = kind, n = n, from = 1 }
    while unit do
      local before = deal.before[name_of(kind, n, unit.from)]
      if not before then
        table.insert(deal.queue, unit)
        break
      end
      add(deal, before)
      unit = rest_of(unit, before)
    end
  end
  deal.known, deal.began = deal.done, core.monotonic()
end

local function start_pairs(deal)
  local list = {}
  for _, n in pairs(deal.first_of) do list[#list + 1] = n end
  table.sort(list)
  deal.queue, deal.depth = {}, 1
  fill(deal, "pairs", list)
end

local function next_unit(deal)
  local unit = deal.queue[deal.next]
  if unit then
    deal.next, deal.open = deal.next + 1, deal.open + 1
    return unit
  end
  if deal.open > 0 then return { type = "wait" } end
  if deal.depth == 2 then
    start_pairs(deal)
    return next_unit(deal)
  end
  deal.over = true
  return { type = "end" }
end

local function open_file(deal)
  if not deal.path then return end
  local message
  deal.file, message = core.open_file(deal.path, "append")
  if not deal.file then options.refuse("--progress: " .. tostring(message)) end
  deal.file:append(deal.head)
end

-- The progress file is opened only when the undisturbed run has ended well: a playbook that fails
-- first has to be changed, and the file would then belong to another playbook.
local function begin_list(deal, frame)
  if deal.listed then return end
  deal.listed = true
  open_file(deal)
  deal.report.points, deal.report.troubles = frame.points, frame.troubles
  deal.report.programs, deal.report.unused = frame.programs, frame.unused
  merge(deal.report.merged, frame.merged)
  merge(deal.report.met, frame.met)
  for _, what in ipairs(frame.violations) do
    deal.report.harmed = deal.report.harmed + 1
    table.insert(deal.report.violations, { what = what, only = {}, troubles = {} })
  end
  if deal.only then
    deal.queue[1], deal.total = { type = "again", only = core.array(deal.only) }, 1
    return
  end
  local list = {}
  for n = 1, frame.units do list[n] = n end
  fill(deal, "single", list)
end

local function handlers_of(deal, begin)
  local dealt
  local function deal_next()
    local unit = next_unit(deal)
    dealt = unit.type ~= "wait" and unit.type ~= "end" and unit or nil
    return unit
  end
  return {
    playbook = begin,
    listed = { shape = LISTED, answer = function(frame)
      begin_list(deal, frame)
      return deal_next()
    end },
    idle = { shape = {}, answer = function() return deal_next() end },
    unit = { shape = UNIT, advances = true, answer = function(frame)
      if not dealt then return nil, "a unit that was not dealt to it" end
      if is_endless(dealt.from, frame) then return nil, "a rest without an end" end
      deal.open = deal.open - 1
      keep(deal, dealt, frame)
      add(deal, frame)
      local rest = rest_of(dealt, frame)
      if rest then table.insert(deal.queue, deal.next, rest) end
      deal.progress(deal)
      return deal_next()
    end },
  }
end

local FRESH = "allowed: a file that is not there yet, or the one of this very command"

-- Reads the units that an earlier call with the same words kept; a torn last line is left out.
local function read_before(deal, path, key)
  local found <close> = core.open_file(path, "read")
  local whole = found and found:read(0, found:stat().bytes) or ""
  local n = 0
  for line in whole:gmatch "([^\n]+)\n" do
    local entry = core.decode(line)
    n = n + 1
    if n == 1 and (type(entry) ~= "table" or entry.exhaustive ~= key) then
      options.refuse(("--progress: %s is of another playbook, other words or another version; %s")
        :format(path, FRESH))
    elseif n > 1 and type(entry) == "table" and type(entry.unit) == "table"
      and not shapes.fault("unit", entry.unit, UNIT)
      and not is_endless(entry.from, entry.unit) then
      deal.before[name_of(entry.kind, entry.n, entry.from)] = entry.unit
    end
  end
  if whole ~= "" and n == 0 then
    options.refuse(("--progress: %s is something else; %s"):format(path, FRESH))
  end
  -- A torn last line is ended, so that the next unit has a line of its own.
  deal.head = n == 0 and core.encode { exhaustive = key } .. "\n"
    or whole:sub(-1) ~= "\n" and "\n" or ""
  deal.path = path
end

local function before(a, b)
  if (a.only[1] or 0) ~= (b.only[1] or 0) then return (a.only[1] or 0) < (b.only[1] or 0) end
  return (a.only[2] or 0) < (b.only[2] or 0)
end

--- Explores until all units are done or a process fails.
---@param about alicloud.cli.ConfinedJob
---@param begin table handler of the frame `playbook`
---@param given { depth: integer, jobs: integer, only: integer[]?, file: string?, key: string,
---progress: fun(deal: alicloud.cli.ExhaustiveDeal) }
---@return alicloud.cli.ExhaustiveReport|nil
---@return alicloud.cli.Confined the process that failed, else the first one
function M.explore(about, begin, given)
  local report = { points = 0, troubles = 0, runs = 0, merged = {}, traces = 0, harmed = 0,
    violations = {}, endings = {}, met = {}, processes = 0, crashes = 0, requests = 0,
    effects = 0 }
  local deal = { report = report, queue = {}, next = 1, open = 0, done = 0, known = 0, total = 0,
    began = core.monotonic(),
    first_of = {}, before = {}, depth = given.only and 1 or given.depth, only = given.only,
    progress = given.progress }
  if given.file then read_before(deal, given.file, given.key) end
  local list = {}
  local _ <close> = setmetatable({}, { __close = function()
    for _, confined in ipairs(list) do confined:close() end
    if deal.file then deal.file:close() end
  end })
  for n = 1, given.only and 1 or given.jobs do
    list[n] = confine.start { entry = about.entry, job = about.job, time = about.time,
      io = about.io, handlers = handlers_of(deal, begin) }
  end
  local function is_done() return deal.over == true and deal.open == 0 end
  local failed = confine.share(list, is_done, "units")
  confine.tell_missing(about.io, list[1])
  if failed then return nil, failed end
  table.sort(report.violations, before)
  return report, list[1]
end

return M
