--- The executor of a real run: it does the work of the methods of a run. There are two more: one
--- that only reads (alicloud.dr.playbook.dry_run), and one that traces what a playbook calls
--- (alicloud.simulation.call_trace).

local bound_group = require "alicloud.dr.playbook.bound_group"
local call_recorder = require "alicloud.dr.playbook.call_recorder"
local consents = require "alicloud.dr.playbook.consent"
local gates = require "alicloud.dr.playbook.gate"
local parallel = require "alicloud.dr.playbook.parallel"
local programs = require "alicloud.dr.playbook.program"
local steps = require "alicloud.dr.playbook.step"
local tables = require "alicloud.base.tables"
local verify = require "alicloud.dr.playbook.verify"

---@class alicloud.dr.Executor
local M = {}

--- The client that a branch gives to its playbook: changes are journaled, and reads are repeated
--- while the cloud is out of reach.
---@param branch alicloud.dr.PlaybookRun
---@return alicloud.Client
function M:client(branch)
  local engine = branch.engine
  local client <const> = engine.client:with { witness = call_recorder.interceptor(branch),
    caller = function() return engine.state.run.run_id, branch.step_key end }
  return client:outlasting { progress = function(event) engine:waiting(branch.step_key, event) end }
end

--- Locks a group that a branch has named for this run; halts the branch if that fails.
---@param branch alicloud.dr.PlaybookRun
---@param group alicloud.dr.Group
function M:hold(branch, group)
  local engine, id = branch.engine, group.id
  -- In turns, since two branches may name the same group while the store locks it.
  local turn <close> = engine.locking:new_turn()
  local ok, err = turn:take()
  if ok and not engine.groups[id] then
    local holder = tables.merged(engine.holder, { account = engine.account,
      region = group.region })
    engine.groups[id], err = engine.store:lease("group " .. id, holder)
  end
  if not engine.groups[id] then branch:halt(err) end
  engine:bind(group, branch.prefix)
end

-- Verbs that cannot be undone: they open a site, or overwrite the disks of the old one.
local HAS_NO_WAY_BACK = { failover = true, reprotect = true, failback = true }

--- Does a verb of a group.
---@param branch alicloud.dr.PlaybookRun
---@param group alicloud.dr.Group
---@param verb string
---@param options table
---@param drill_id string? of clear_drill
---@return table|nil result
---@return alicloud.Error? err
function M:verb(branch, group, verb, options, drill_id)
  if HAS_NO_WAY_BACK[verb] then consents.ask(branch, { verb = true }) end
  return bound_group.carry_out(branch, group, verb, options, drill_id)
end

--- Runs a step. The options and arguments of this method and those below are checked already.
---@param branch alicloud.dr.PlaybookRun
---@param name string
---@param options alicloud.dr.StepOptions
---@param body fun(run: alicloud.dr.PlaybookRun): any
---@return any result
---@return alicloud.Error? err
function M:step(branch, name, options, body)
  return steps.run(branch, name, options, body)
end

--- Runs a verification.
---@param branch alicloud.dr.PlaybookRun
---@param name string
---@param options table
---@param body fun(run: alicloud.dr.PlaybookRun): any
---@return any result
---@return alicloud.Error? err
function M:verify(branch, name, options, body)
  return verify.run(branch, name, options, body)
end

--- Runs a gate.
---@param branch alicloud.dr.PlaybookRun
---@param name string
---@param options alicloud.dr.GateOptions
function M:gate(branch, name, options)
  return gates.run(branch, name, options)
end

--- Calls a function for every element of a list, each in a branch of its own.
---@param branch alicloud.dr.PlaybookRun
---@param list any[]
---@param options alicloud.dr.EachOptions
---@param body fun(item: any, run: alicloud.dr.PlaybookRun): any
---@return alicloud.dr.EachResult
function M:each(branch, list, options, body)
  return parallel.each(branch, list, options, body)
end

--- Calls several functions, each in a branch of its own.
---@param branch alicloud.dr.PlaybookRun
---@param bodies table<string, fun(run: alicloud.dr.PlaybookRun): any>
---@return table<string, any> results
function M:parallel(branch, bodies)
  return parallel.all(branch, bodies)
end

--- Runs a command line or a function of a step.
---@param branch alicloud.dr.PlaybookRun
---@param command string|fun(run: alicloud.dr.PlaybookRun, variables: table): any
---@param variables table<string, any>
---@param options alicloud.dr.ProgramOptions
---@return any result
---@return any err
function M:program(branch, command, variables, options)
  return programs.run(branch, command, variables, options)
end

--- Adds a listener for events.
---@param branch alicloud.dr.PlaybookRun
---@param kind string
---@param listener fun(event: table)
function M:on(branch, kind, listener)
  branch.engine.hooks:add(kind, listener)
end

return M
