--- Corrected parameters in a rehearsal: whoever resumes a run gives other values, and all later
--- processes keep them. The plan has the values, or the run began with a typo that shows only after
--- the failover: a program or an instance that does not exist.

local core = require "alicloud.core"
local errors = require "alicloud.base.error"
local journals = require "alicloud.dr.journal"
local random = require "alicloud.simulation.random"
local states = require "alicloud.dr.playbook.state"
local tables = require "alicloud.base.tables"

local M = {}

M.INVARIANTS = {
  P11 = "a correction is written once, with the value before it, and every later process keeps it",
}

local STREAM = 1 << 45

---@class alicloud.simulation.Typo a wrong value of a parameter that is read only after the failover
---@field name string
---@field wrong string

--- Lets some seeds begin with a typo, from a random stream of its own. Half of these have no other
--- trouble: once it is corrected, they must end as undisturbed runs do.
---@param seed integer
---@param list alicloud.simulation.Trouble[]
---@param typos alicloud.simulation.Typo[] that the playbook offers
---@return alicloud.simulation.Trouble[]
function M.with(seed, list, typos)
  local d = random.new(seed + STREAM)
  if #typos == 0 or not d:chance(0.15) then return list end
  local typo = d:pick(typos)
  local all = d:chance(0.5) and {} or table.move(list, 1, #list, 1, {})
  all[#all + 1] = { kind = "typos", name = typo.name, wrong = typo.wrong }
  return all
end

--- All troubles of this kind; each comes at the beginning of a run.
---@param typos alicloud.simulation.Typo[] that the playbook offers
---@return alicloud.simulation.Trouble[]
function M.at(typos)
  local list = {}
  for i, typo in ipairs(typos) do
    list[i] = { kind = "typos", name = typo.name, wrong = typo.wrong }
  end
  return list
end

--- A trouble of this kind in words.
---@param trouble alicloud.simulation.Trouble
---@return string
function M.describe(trouble)
  return ("the run is begun with %s=%s, and whoever resumes corrects it"):format(trouble.name,
    trouble.wrong)
end

--- Prepares a stage for the typo that its run is begun with.
---@param stage alicloud.simulation.Stage
function M.prepare(stage)
  for _, trouble in ipairs(stage.case.troubles) do
    if trouble.kind == "typos" then stage.typo = trouble end
  end
end

--- Whether a process has ended because of the typo.
---@param stage alicloud.simulation.Stage
---@param err any that it ended with
---@return boolean
function M.has_shown(stage, err)
  return stage.typo ~= nil and errors.text_of(err):find("-typo", 1, true) ~= nil
end

--- The parameters with which a run begins, with the typo if there is one.
---@param stage alicloud.simulation.Stage
---@return table<string, any>|nil
function M.params(stage)
  local typo, params = stage.typo, stage.plan.params
  return typo and tables.merged(params, { [typo.name] = typo.wrong }) or params
end

-- The correction of the typo, once a process has ended with an error, by which people see it.
local function typo_of(stage)
  if not stage.typo then return nil end
  for _, process in ipairs(stage.processes) do
    if process.err then return { [stage.typo.name] = stage.plan.params[stage.typo.name] } end
  end
end

-- The corrections of the plan, from the second process on, in two of three seeds.
local function of_plan(stage)
  local values = stage.plan.correction
  if not values or stage.case.seed % 3 == 0 or #stage.processes < 2 then return nil end
  return values
end

--- The correction that the next process of a stage makes.
---@param stage alicloud.simulation.Stage
---@return alicloud.dr.CorrectionWish|nil
function M.wish(stage)
  local values = typo_of(stage) or not stage.typo and of_plan(stage)
  if not values then return nil end
  local reading = journals.read(stage.disk:text "run")
  if not reading or #reading.events == 0 then return nil end
  return { values = values, why = "corrected in a rehearsal", by = "operator" }
end

local function is_same(a, b) return core.encode { a } == core.encode { b } end

--- Checks P11 in the records of a run.
---@param stage alicloud.simulation.Stage
---@param events table[]
---@param violated fun(what: string)
function M.check(stage, events, violated)
  if not stage.plan.correction and not stage.typo then return end
  local state, seen = states.new(), {}
  for _, event in ipairs(events) do
    if event.type == "correction" then
      if seen[event.name] then violated("P11 " .. event.name .. " was corrected twice") end
      if not is_same(event.old, state.params[event.name]) then
        violated("P11 the value before is not the one that was there: " .. event.name)
      end
      seen[event.name] = event.new
    end
    states.apply(state, event)
  end
  for name, value in pairs(seen) do
    if not is_same(state.params[name], value) then violated("P11 " .. name .. " was forgotten") end
  end
end

return M
