--- What a playbook would do, without doing it: its function runs, its steps run, but over a client
--- that only reads. A change is refused by the transport, and noted. What the code after it would
--- do with an answer that never came cannot be known; the plan says where it had to stop.
---
--- A step whose work lies elsewhere (a probe, another cloud) says with `plan` what the plan is to
--- use instead of it. This is no boundary: it keeps the service from being changed through the
--- client of the run, and a playbook that wants to can do whatever the process can. The command
--- `plan` runs it in a process that has no rights (alicloud.cli.confine).

local declared = require "alicloud.dr.playbook.params"
local errors = require "alicloud.base.error"
local gates = require "alicloud.dr.playbook.gate"
local groups = require "alicloud.dr.group"
local guard = require "alicloud.base.guard"
local intents = require "alicloud.dr.model.intent"
local option = require "alicloud.base.schema"
local precheck = require "alicloud.dr.model.precheck"
local services = require "alicloud.client.service"
local sorted = require "alicloud.base.tables"
local steps = require "alicloud.dr.playbook.step"
local stops = require "alicloud.dr.playbook.stop"

local M = {}

---@class alicloud.dr.PlannedCall
---@field product string
---@field action string
---@field region string?
---@field host string?
---@field token string? its first digits; nil if it is drawn when the run begins

---@class alicloud.dr.PlannedStep
---@field key string
---@field kind "step"|"gate"|"verify"
---@field effect "reads"|"changes"|"refused"|"unknown"|"not_entered"
---@field calls alicloud.dr.PlannedCall[]
---@field reads integer calls that only read
---@field note string? why it is refused, unknown or not entered
---@field options table

---@class alicloud.dr.Plan
---@field steps alicloud.dr.PlannedStep[]
---@field stopped string? why the plan could not look further
---@field reads integer
---@field changes integer
---@field groups { id: string, region: string, direction: string? }[]

-- Virtual machine instructions of one step: a loop that waits for a change would never end.
local LONGEST_STEP = 100000000

local Planner = {}
Planner.__index = Planner

local function current(planner)
  return planner.step or { calls = {}, reads = 0 }
end

function Planner:saw_read()
  self.plan.reads = self.plan.reads + 1
  current(self).reads = current(self).reads + 1
end

function Planner:saw_change(call)
  self.plan.changes = self.plan.changes + 1
  table.insert(current(self).calls, call)
end

-- A client whose changes are noted. Everything else is that of the client that observes.
local function noting(planner, client)
  local noted = {}
  local function call(_, action, params, options)
    local result, err = client:call(action, params, options)
    if err and err.code == "Client.ObserveMode" then
      planner:saw_change { product = err.product, action = err.action, region = err.region,
        host = err.endpoint }
    else
      planner:saw_read()
    end
    return result, err
  end
  noted.call = call
  function noted.must(_, ...)
    local result, err = call(noted, ...)
    if not result then error(err, 0) end
    return result
  end
  function noted.service(_, product)
    return services.new(noted, product)
  end
  function noted.with(_, given)
    local own = {}
    for name, value in pairs(given or {}) do own[name] = value end
    own.mode = "observe"
    return noting(planner, client:with(own))
  end
  function noted.start()
    error("plan: client:start is not followed", 0)
  end
  return setmetatable(noted, { __index = function(_, name)
    local value = client[name]
    if type(value) ~= "function" then return value end
    return function(_, ...) return value(client, ...) end
  end })
end

local function token_of(planner, snapshot, options)
  local incident = options.incident or planner.options.incident
  if options.client_token then return options.client_token:sub(1, 8) end
  return incident and intents.incident_token(snapshot, incident):sub(1, 8) or nil
end

-- What a failover would do now: the pre-check decides, and then there is one call.
local function planned_failover(planner, group, options)
  options = options or {}
  local report, err = group:precheck { max_rpo = options.max_rpo }
  if not report then return nil, err end
  local snapshot = report.snapshot
  local result = { planned = true, outcome = "failovered", group_id = group.id,
    region = group.region, from = snapshot.from, to = snapshot.to, pairs = snapshot.pairs,
    recover_point = snapshot.recover_point, joined = false, attempts = 0, rto = 0 }
  if snapshot.status == "failovered" then
    result.outcome = "already_failovered"
    return result
  end
  if not report.ok then
    local obstacle = precheck.first_obstacle(report)
    return nil, errors.new { kind = "precheck", code = obstacle.code,
      message = obstacle.fact, hint = obstacle.cure, outcome = "not_sent" }
  end
  planner:saw_change { product = "ebs", action = "FailoverDiskReplicaGroup",
    region = group.region, token = token_of(planner, snapshot, options) }
  return result
end

local Run = {}

local function planned_group(run, id, options)
  local planner = run.planner
  local group = groups.new(run.client, id, options)
  table.insert(planner.plan.groups, { id = id, region = group.region })
  local bound = {
    failover = function(_, given) return planned_failover(planner, group, given) end,
  }
  return setmetatable(bound, { __index = function(_, name)
    local value = group[name]
    if type(value) ~= "function" then return value end
    return function(_, ...) return value(group, ...) end
  end })
end

function Run:group(id, options)
  return planned_group(self, id, options)
end

-- What looks like a report of a pre-check need not be one.
local function obstacle_of(result)
  local ok, obstacle = pcall(precheck.first_obstacle, result)
  return ok and obstacle and (": %s: %s"):format(obstacle.code, obstacle.fact) or ""
end

local function judge(entry, ok, result, err)
  if ok and (result ~= nil or err == nil) then
    entry.effect = #entry.calls > 0 and "changes" or "reads"
    if type(result) == "table" and result.ok == false then
      entry.effect = "refused"
      entry.note = "its pre-check stands against it" .. obstacle_of(result)
    end
    return result
  end
  err = stops.error_of(ok and err or result, entry.key)
  if err.code == "Client.ObserveMode" then
    entry.effect = "changes"
    entry.note = "what it does after its first change cannot be known"
    return nil
  end
  entry.effect = (err.kind == "precheck" or err.outcome) and "refused" or "unknown"
  entry.note = err.code .. ": " .. err.message
  return nil
end

local TOO_LONG = "it computes for longer than a plan waits (100 million instructions); end its "
  .. "loop, or give the step an option `plan`"

local function enter(run, entry, body)
  local planner = run.planner
  planner.step = entry
  local thread = coroutine.running()
  debug.sethook(thread, function() error(TOO_LONG, 0) end, "", LONGEST_STEP)
  local ok, result, err = guard.call(body, run)
  debug.sethook(thread)
  planner.step = nil
  return judge(entry, ok, result, err)
end

local function add(run, kind, name, options)
  local entry = { key = run.prefix .. name, kind = kind, calls = {}, reads = 0,
    effect = "not_entered", options = options or {} }
  table.insert(run.planner.plan.steps, entry)
  return entry
end

local function planned_step(run, kind, name, options, body)
  if body == nil then options, body = nil, options end
  local entry = add(run, kind, name, options)
  local wish = run.planner.skips[entry.key]
  if wish then
    entry.note = "skipped: " .. wish
    return nil
  end
  if options and options.graceful_only and run.mode == "ungraceful" then
    entry.note = "left out, the old side is given up"
    return nil
  end
  local instead = options and options.plan
  if instead == false then return nil end
  local result = enter(run, entry, instead or body)
  if entry.effect == "refused" and (not options or (options.on_error or "stop") == "stop") then
    error({ stop = ("step %q would be refused: %s"):format(entry.key, entry.note) }, 0)
  end
  return result
end

function Run:step(name, options, body)
  return planned_step(self, "step", name, options, body)
end

-- Whether the service is back can only be asked when it has moved.
function Run:verify(name, options, body)
  if body == nil then options = nil end
  local entry = add(self, "verify", name, options)
  entry.note = "asked when the run is there"
  return nil
end

function Run:gate(name, options)
  gates.check(name, options)
  local entry = add(self, "gate", name, options)
  local wish = self.planner.skips[steps.wish(self.prefix, "gate:" .. name)]
  entry.note = wish and "broken open: " .. wish or "waits for people"
end

local function branch_of(run, name)
  return M.branch(run.planner, run.prefix .. name .. "/", run)
end

function Run:each(list, options, body)
  if body == nil then body = options end
  local ok = {}
  for _, item in ipairs(list) do
    local name = tostring(type(item) == "table" and item.id or item)
    local result = body(item, branch_of(self, name))
    if result == nil then result = true end
    ok[name] = result
  end
  return { ok = ok, failed = {} }
end

function Run:parallel(bodies)
  local results = {}
  for _, name in ipairs(sorted.keys(bodies)) do
    results[name] = bodies[name](branch_of(self, name))
  end
  return results
end

function Run:skip(name, why)
  self.planner.skips[steps.wish(self.prefix, name)] = why
end

function Run:switch(mode)
  self.planner.mode = mode
end

function Run:token(label)
  return "planned-" .. tostring(label)
end

function Run:service(product)
  return self.client:service(product)
end

function Run:program(command, variables)
  if option.callable.test(command) then return command(self, variables or {}) end
  error("plan: run:program is not done while planning; give the step an option `plan`", 2)
end

function Run:note() end

function Run:on() end

--- Makes a branch of a planned run.
---@param planner table
---@param prefix string
---@return table
function M.branch(planner, prefix)
  local options = planner.options
  local run = { planner = planner, prefix = prefix, client = planner.client,
    kind = options.kind or planner.kind or "unplanned", params = planner.params, attempt = 1,
    incident = options.incident, id = "plan" }
  local real = planner.client.loop
  run.loop = setmetatable({ sleep = function() end }, { __index = real })
  return setmetatable(run, { __index = function(_, name)
    if name == "mode" then return planner.mode end
    return Run[name]
  end })
end

-- Where every step gave what it gives in a run, it is no answer that is missing.
local function has_gap(plan)
  for _, entry in ipairs(plan.steps) do
    if entry.kind == "step" and entry.effect ~= "reads" then return true end
  end
  return plan.changes > 0
end

local function reason(raised, plan)
  if type(raised) == "table" and raised.stop then return raised.stop end
  return (has_gap(plan) and "the playbook needs what a change would have answered: " or "")
    .. tostring(stops.error_of(raised, "").message)
end

--- Makes a plan of a playbook of one's own, in this process. Its client only reads: the transport
--- refuses everything else.
---@param playbook alicloud.dr.Playbook
---@param options { client: alicloud.Client, params: table?, kind: string?, mode: string?,
---incident: string?, skip: table<string, string>? }
---@return alicloud.dr.Plan
function M.run(playbook, options)
  local read, message = declared.read(playbook.params, options.params or {})
  if not read then error("plan: " .. message, 2) end
  local given = {}
  for name, value in pairs(options) do given[name] = value end
  -- Playbooks hold the planner through their run, and so must find nothing there that changes.
  given.client = nil
  local planner = setmetatable({ options = given, kind = playbook.kind, params = read,
    mode = options.mode or "graceful", skips = options.skip or {},
    plan = { steps = {}, reads = 0, changes = 0, groups = {} } }, Planner)
  planner.client = noting(planner, options.client:with { mode = "observe" })
  local ok, raised = guard.call(playbook.body, M.branch(planner, ""))
  if not ok then planner.plan.stopped = reason(raised, planner.plan) end
  return planner.plan
end

return M
