--- Adds the troubles that depend on the playbook: its programs fail, a parameter has a typo, a
--- colleague goes on elsewhere. One undisturbed run shows where they can come.

local corrections = require "alicloud.simulation.correction"
local discover = require "alicloud.simulation.discover"
local elsewhere = require "alicloud.simulation.elsewhere"
local generate = require "alicloud.simulation.generate"
local journals = require "alicloud.dr.journal"
local programs = require "alicloud.simulation.programs"
local tables = require "alicloud.base.tables"

local M = {}

--- Names that users can choose: kinds of trouble, and hostile options of the emulator.
M.KINDS, M.HOSTILE = generate.KINDS, generate.HOSTILE

--- Whether a program ends alike however often it is started.
---@type fun(plan: alicloud.simulation.Plan): boolean
M.are_steady = programs.are_steady

--- Whether the end of a process has a known cause and is no failure of the run: it was told to
--- stop, or it reached the typo of its parameters.
---@param stage alicloud.simulation.Stage
---@param process alicloud.simulation.Process
---@return boolean
function M.explain(stage, process)
  return process.told or corrections.has_shown(stage, process.err)
end

-- Seconds within which a verification tries again, whatever its timeout.
local AT_ONCE = 5

--- Whether the only trouble of a case is a program of a verification that fails once. It is tried
--- again, so that the end must not change.
---@param plan alicloud.simulation.Plan
---@param case alicloud.simulation.Case
---@return boolean
function M.is_passing(plan, case)
  local trouble = case.troubles[1]
  if #case.troubles ~= 1 or trouble.kind ~= "programs" or trouble.name ~= "fails" then
    return false
  end
  local known = M.learn(plan)
  local start = known.commands[trouble.start]
  return start ~= nil and known.verifications[start.step] and trouble.seconds <= AT_ONCE or false
end

---@class alicloud.simulation.Learned
---@field commands { command: string, at: integer, step: string? }[] in order of their starts
---@field verifications table<string, boolean> steps that try until they succeed
---@field unnamed string[] programs that the table does not name
---@field unused string[] names in the table of programs that were not started
---@field typos alicloud.simulation.Typo[]

-- Number of the request for the first failover; math.huge: none.
local function opened_at(stage)
  for n, request in ipairs(stage.requests) do
    if request.action == "FailoverDiskReplicaGroup" then return n end
  end
  return math.huge
end

-- Whether the first entry that passes the test comes after the failover.
local function is_late(list, opened, test)
  for _, each in ipairs(list) do
    if test(each) then return each.at > opened end
  end
  return false
end

local function wrong_of(stage, asked, value)
  local opened = opened_at(stage)
  if is_late(stage.programs.commands, opened, function(each) return each.command == value end) then
    return (value:gsub("%S+", "%0-typo", 1))
  end
  local instance = value:match "%f[%w]i%-[%w-]+"
  if instance and is_late(asked, opened, function(each)
    return each.things ~= nil and each.things:find(instance, 1, true) ~= nil
  end) then
    return (value:gsub("%f[%w]i%-[%w-]+", "%0-typo", 1))
  end
end

local function typos_of(stage, asked, params)
  local list = {}
  for _, name in ipairs(tables.keys(params or {})) do
    local value = params[name]
    local wrong = type(value) == "string" and wrong_of(stage, asked, value)
    if wrong then list[#list + 1] = { name = name, wrong = wrong } end
  end
  return list
end

local function verifications_of(stage)
  local keys, reading = {}, journals.read(stage.disk:text "run")
  for _, event in ipairs(reading and reading.events or {}) do
    if event.type == "step_begin" and event.verify then keys[event.step] = true end
  end
  return keys
end

local learned = setmetatable({}, { __mode = "k" })

--- What a playbook offers for these troubles, from one undisturbed run.
---@param plan alicloud.simulation.Plan
---@return alicloud.simulation.Learned
function M.learn(plan)
  local known = learned[plan]
  if known then return known end
  local stage, _, asked = discover.undisturbed(plan)
  known = { commands = stage.programs.commands, verifications = verifications_of(stage),
    typos = typos_of(stage, asked, plan.params), unnamed = tables.keys(stage.programs.unnamed),
    unused = programs.unused(stage) }
  learned[plan] = known
  return known
end

--- The case of a seed.
---@param plan alicloud.simulation.Plan
---@param seed integer
---@param kinds? table<string, boolean> kinds of trouble, or names of hostile options; nil: all
---@return alicloud.simulation.Case
function M.case(plan, seed, kinds)
  local case, offers = generate.case(seed, plan.world, kinds), M.learn(plan)
  local function wants(kind) return not kinds or kinds[kind] end
  local list = case.troubles
  if #offers.commands > 0 and wants "programs" then list = programs.with(seed, list) end
  if wants "typos" then list = corrections.with(seed, list, offers.typos) end
  if wants "elsewhere" then list = elsewhere.with(seed, list) end
  case.troubles = list
  return case
end

return M
