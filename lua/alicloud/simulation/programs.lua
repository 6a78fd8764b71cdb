--- Programs in a rehearsal are not started. Each start ends with an exit code after some seconds,
--- by a table that the user gives, else with success at once. A trouble can come at a start: the
--- program fails this time, or hangs.

local programs = require "alicloud.dr.playbook.program"
local random = require "alicloud.simulation.random"
local tables = require "alicloud.base.tables"

local M = {}

local STREAM = 1 << 44

---@class alicloud.simulation.ProgramEnd
---@field code integer its exit code
---@field seconds number until it ends

--- By the name of a program: the ends of its starts, in order; the last one is repeated.
---@alias alicloud.simulation.ProgramTable table<string, alicloud.simulation.ProgramEnd[]>

M.ALLOWED = "NAME=CODE,CODE@SECONDS, with exit codes from 0 to 255 and at most 86400 seconds"

local MOST_ENDS = 100

local function read_end(word)
  local code, seconds = word:match "^(%d+)$", "0"
  if not code then code, seconds = word:match "^(%d+)@(%d+%.?%d*)$" end
  code, seconds = math.tointeger(tonumber(code)), tonumber(seconds)
  if not code or code > 255 or seconds > 86400 then return nil end
  return { code = code, seconds = seconds }
end

local function read_ends(text)
  local ends = {}
  for word in (text .. ","):gmatch "([^,]*)," do
    ends[#ends + 1] = read_end(word)
    if not ends[1] or #ends > MOST_ENDS then return nil end
  end
  local _, commas = text:gsub(",", "")
  return #ends == commas + 1 and ends or nil
end

--- Reads a table as it is typed, one text for each program.
---@param list string[] e.g. "stop=0@120", "verify=1,0"
---@return alicloud.simulation.ProgramTable|nil
---@return string? text that cannot be read
function M.read(list)
  local all = {}
  for _, text in ipairs(list) do
    local name, rest = text:match "^(.+)=([^=]*)$"
    local ends = name and read_ends(rest)
    if not ends or all[name] then return nil, text end
    all[name] = ends
  end
  return all
end

--- The names of a program, the first one as it is shown: the parameters that hold it, its step with
--- and without branches, its file with and without directories, and the whole command line.
---@param run alicloud.dr.PlaybookRun
---@param command string
---@return string[]
local function names_of(run, command)
  local names = {}
  for name, value in pairs(run.engine.params) do
    if value == command then names[#names + 1] = name end
  end
  table.sort(names)
  local file = command:match "^%s*(%S+)" or command
  for _, name in ipairs { run.step_key or "", (run.step_key or ""):match "[^/]*$", file,
    file:match "[^/]*$", command } do
    if name ~= "" then names[#names + 1] = name end
  end
  return names
end

local WELL = { code = 0, seconds = 0 }

-- The end of this start by the table; success at once for a program that is not in it.
local function by_table(stage, names)
  local own = stage.programs
  for _, name in ipairs(names) do
    local ends = stage.plan.programs and stage.plan.programs[name]
    if ends then
      own.turns[name] = (own.turns[name] or 0) + 1
      return ends[math.min(own.turns[name], #ends)]
    end
  end
  own.unnamed[names[1]] = true
  return WELL
end

--- All troubles of this kind that can come at a start.
---@param point alicloud.simulation.Point
---@return alicloud.simulation.Trouble[]
function M.at(point)
  local list = { { kind = "programs", name = "hangs", start = point.n, seconds = 0 } }
  for _, seconds in ipairs { 0, 60 } do
    list[#list + 1] = { kind = "programs", name = "fails", start = point.n, seconds = seconds }
  end
  return list
end

-- A program that hangs: for longer than any step of the ready playbooks waits, then it is killed.
local HANGS = { code = 137, seconds = 3600 }

local function by_trouble(stage)
  local own = stage.programs
  own.started = own.started + 1
  for _, trouble in ipairs(stage.case.troubles) do
    if trouble.kind == "programs" and trouble.start == own.started then
      return trouble.name == "hangs" and HANGS or { code = 1, seconds = trouble.seconds }
    end
  end
end

-- The exit code of a shell for a command that it does not find.
local UNKNOWN = { code = 127, seconds = 0 }

local function end_of(stage, run, command)
  local is_typo = stage.typo and stage.typo.wrong == command
  local names = names_of(run, command)
  local usual = is_typo and UNKNOWN or by_table(stage, names)
  local ended = stage.nested == 0 and by_trouble(stage) or usual
  if stage.trace then stage.trace:program(stage, stage.programs.started, names[1], ended.code) end
  return ended
end

--- Prepares a stage for the programs of its runs.
---@param stage alicloud.simulation.Stage
function M.prepare(stage)
  stage.programs = { started = 0, turns = {}, unnamed = {}, commands = {} }
end

--- The names in the table of which nothing was started; they may be typos.
---@param stage alicloud.simulation.Stage after its run
---@return string[]
function M.unused(stage)
  local names = {}
  for _, name in ipairs(tables.keys(stage.plan.programs or {})) do
    if not stage.programs.turns[name] then names[#names + 1] = name end
  end
  return names
end

--- Makes the function that the run calls in place of starting programs.
---@param stage alicloud.simulation.Stage
---@return fun(command: string, variables: table, run: alicloud.dr.PlaybookRun): any, any
function M.of(stage)
  return function(command, _, run)
    local ended = end_of(stage, run, command)
    table.insert(stage.programs.commands, { command = command, at = #stage.requests,
      step = run.step_key })
    if ended.seconds > 0 then run.loop.sleep(ended.seconds) end
    return programs.judge(command, ended)
  end
end

--- A table with the same names in which every program succeeds at once.
---@param given alicloud.simulation.ProgramTable|nil
---@return alicloud.simulation.ProgramTable
function M.well(given)
  local all = {}
  for name in pairs(given or {}) do all[name] = { WELL } end
  return all
end

--- Whether each program ends alike at every start, and at once. Only then must a run that is
--- stopped and resumed, and so starts it more often, end like an undisturbed one.
---@param plan alicloud.simulation.Plan
---@return boolean
function M.are_steady(plan)
  for _, ends in pairs(plan.programs or {}) do
    for _, each in ipairs(ends) do
      if each.code ~= ends[1].code or each.seconds > 0 then return false end
    end
  end
  return true
end

--- Adds troubles of this kind to those of some seeds, from a random stream of its own.
---@param seed integer
---@param list alicloud.simulation.Trouble[]
---@return alicloud.simulation.Trouble[]
function M.with(seed, list)
  local d = random.new(seed + STREAM)
  if not d:chance(0.3) then return list end
  local all = d:chance(0.3) and {} or table.move(list, 1, #list, 1, {})
  for _ = 1, d:pick { 1, 1, 2 } do
    all[#all + 1] = { kind = "programs", name = d:pick { "fails", "fails", "hangs" },
      start = d:pick { 1, 1, 2, 2, 3, 4 }, seconds = d:pick { 0, 0, 5, 60 } }
  end
  return all
end

--- A trouble of this kind in words.
---@param trouble alicloud.simulation.Trouble
---@return string
function M.describe(trouble)
  if trouble.name == "hangs" then
    return ("start %d of a program: it hangs"):format(trouble.start)
  end
  return ("start %d of a program: exit code 1 after %g s"):format(trouble.start, trouble.seconds)
end

return M
