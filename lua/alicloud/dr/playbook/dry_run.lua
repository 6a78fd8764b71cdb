--- Makes a plan: what a playbook would do, found by a dry run whose executor only reads. The
--- function of the playbook and its steps run, but with a client in observe mode. The transport
--- refuses each change, which is noted and then simulated (alicloud.dr.playbook.imagined), so that
--- the code after it continues as in a run. A change that cannot be simulated has no answer; the
--- plan says where it had to stop.
---
--- A step whose work lies elsewhere (a probe, another cloud) has an option `plan`, which is called
--- instead. A dry run is no security boundary: only the client of the run is kept from changes, and
--- a playbook can do whatever its process can. The command `plan` runs it in a process without
--- rights (alicloud.cli.confine).

local bound_group = require "alicloud.dr.playbook.bound_group"
local bounded = require "alicloud.dr.playbook.bounded"
local engines = require "alicloud.dr.playbook.engine"
local future = require "alicloud.client.future"
local imagined = require "alicloud.dr.playbook.imagined"
local judges = require "alicloud.dr.playbook.dry_judge"
local metas = require "alicloud.base.meta"
local outage_time = require "alicloud.dr.playbook.outage_time"
local params = require "alicloud.dr.playbook.params"
local run_options = require "alicloud.dr.playbook.run_options"
local runs = require "alicloud.dr.playbook.run"
local schema = require "alicloud.base.schema"
local services = require "alicloud.client.service"
local states = require "alicloud.dr.playbook.state"
local steps = require "alicloud.dr.playbook.step"
local stops = require "alicloud.dr.playbook.stop"
local tables = require "alicloud.base.tables"
local waves = require "alicloud.dr.playbook.waves"

local M = {}

---@class alicloud.dr.PlannedCall
---@field product string
---@field action string
---@field region string?
---@field host string?
---@field ids string[] the groups, pairs, drills, instances and disks that it names
---@field how string? further parameters, in words
---@field token string? its first digits; nil: it will be drawn when the call is sent

---@class alicloud.dr.PlannedStep
---@field key string
---@field kind "step"|"gate"|"verify"
---@field effect "reads"|"changes"|"refused"|"unknown"|"not_entered"
---@field calls alicloud.dr.PlannedCall[]
---@field reads integer how many calls only read
---@field note string? why it is refused, unknown or not entered
---@field says string[] the notes that it would write
---@field err alicloud.Error? why it is refused or unknown
---@field failed boolean? it fails in the plan
---@field not_done string? what a run does in this step and a plan does not, in words
---@field options table

---@class alicloud.dr.Plan
---@field steps alicloud.dr.PlannedStep[]
---@field stopped string? why the plan ends before the playbook does
---@field reads integer
---@field changes integer
---@field groups { id: string, region: string, direction: string? }[]

-- Virtual machine instructions of one step: a loop that waits for a change would never end.
local LONGEST_STEP = 100000000

-- Most waits of one step.
local MOST_WAITS = 100
local TOO_MANY_WAITS = "it waits for something that does not come while planning; give the step an "
  .. "option `plan`"

---@class alicloud.dr.DryRun: alicloud.dr.Executor
---@field plan alicloud.dr.Plan
---@field entry alicloud.dr.PlannedStep? the present step
---@field waits integer? how many waits there were outside of steps
local DryRun = {}
DryRun.__index = DryRun

function DryRun:saw_read()
  self.plan.reads = self.plan.reads + 1
  if self.entry then self.entry.reads = self.entry.reads + 1 end
end

local ID_FIELDS = { "ReplicaGroupId", "GroupId", "ReplicaPairId", "PairId", "DrillId", "InstanceId",
  "DiskId" }

local function ids_of(given)
  local ids = {}
  for _, name in ipairs(ID_FIELDS) do
    if given[name] ~= nil then ids[#ids + 1] = tostring(given[name]) end
  end
  return ids
end

local function how(given)
  if given.OneShot == true then return "one synchronization" end
  if given.ForceStop == true then return "the power is cut" end
  return given.ReverseReplicate == false and "the failover is taken back" or nil
end

-- The first digits of a call's token; nil if the token is drawn only when the call is sent.
local function token_of(dry, given)
  local token = given.ClientToken
  local is_known = token and (dry.draws == nil and not dry.engine.tokens[token]
    or dry.draws == false or dry.engine.state.run.incident)
  return is_known and tostring(token):sub(1, 8) or nil
end

function DryRun:saw_change(err, given)
  self.plan.changes = self.plan.changes + 1
  if not self.entry then return end
  table.insert(self.entry.calls, { product = err.product, action = err.action, region = err.region,
    host = err.endpoint, ids = ids_of(given), how = how(given), token = token_of(self, given) })
end

-- A simulated answer to a change that is not sent; nil: it cannot be simulated.
local function imagine(dry, err, given)
  local world = dry.imagined
  local answer = world:change(("%s:%s"):format(err.product, err.action), given)
  if not answer then return nil end
  answer.RequestId = "planned"
  metas.keep(answer, { request_id = "planned", request_ids = {}, status = 200, attempts = 1,
    elapsed = 0, server_time = world.now, client_token = given.ClientToken, endpoint = "" })
  return answer
end

-- Wraps a client in observe mode, so that changes are noted and simulated. Everything else is
-- passed on to it.
local function noting_client(dry, client)
  local noted = { loop = dry.loop }
  local function call(_, action, given, options)
    local result, err = client:call(action, given, options)
    if err and err.code == "Client.ObserveMode" then
      dry:saw_change(err, given or {})
      result = imagine(dry, err, given or {})
      return result, not result and err or nil
    end
    dry:saw_read()
    if result then
      local meta, name = metas.of(result), action
      if not name:find ":" then name = client.product .. ":" .. name end
      dry.imagined:show(name, given or {}, result, meta and meta.server_time)
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
    local own = tables.copy(given or {})
    own.mode = "observe"
    return noting_client(dry, client:with(own))
  end
  function noted.outlasting(_, given)
    return noting_client(dry, client:outlasting(given))
  end
  -- A started call is made at once: a plan does one thing at a time.
  function noted.start(_, action, ...)
    return future.answered(client.loop, action, call(noted, action, ...))
  end
  return setmetatable(noted, {
    __name = "alicloud.Client",
    __index = function(_, name)
      local value = client[name]
      if type(value) ~= "function" then return value end
      return function(_, ...) return value(client, ...) end
    end,
    __tostring = function() return tostring(client) end,
    __close = function() client:close() end,
  })
end

function DryRun:client(branch)
  return branch.engine.client
end

function DryRun:hold(_, group)
  table.insert(self.plan.groups, { id = group.id, region = group.region })
end

-- A verb runs as in a run. It draws its token if neither a token nor an incident is given.
function DryRun:verb(branch, group, verb, options, drill_id)
  local token = options.client_token
  self.draws = not (token and not self.engine.tokens[token] or options.incident)
  local _ <close> = setmetatable({}, { __close = function() self.draws = nil end })
  return bound_group.carry_out(branch, group, verb, options, drill_id)
end

local TOO_LONG = "it computes for longer than a plan waits (100 million instructions); end its "
  .. "loop, or give the step an option `plan`"

local NOT_DONE = "a program is not started while planning, so what it comes to is not known: %s"

local function enter(dry, branch, entry, body)
  local outer, outer_key = dry.entry, branch.step_key
  dry.entry, branch.step_key = entry, entry.key
  local thread = coroutine.running()
  debug.sethook(thread, function() error(TOO_LONG, 0) end, "", LONGEST_STEP)
  local ok, result, err = bounded.call(dry.loop, {}, body, branch)
  debug.sethook(thread)
  dry.entry, branch.step_key = outer, outer_key
  return judges.judge(entry, ok, result, err)
end

local function add(dry, branch, kind, name, options)
  local entry = { key = branch.prefix .. name, kind = kind, calls = {}, says = {},
    reads = 0, effect = "not_entered", options = options }
  table.insert(dry.plan.steps, entry)
  return entry
end

-- Why a step would be skipped, in words.
local function reason_to_skip(branch, entry, options)
  local wish = branch.engine.skips[entry.key]
  if wish then return "skipped: " .. wish.why end
  return options.graceful_only and branch.mode == "ungraceful"
    and "left out, the old side is given up" or nil
end

function DryRun:step(branch, name, options, body)
  local entry = add(self, branch, "step", name, options)
  entry.note = reason_to_skip(branch, entry, options)
  if entry.note or options.plan == false then return nil end
  local result = enter(self, branch, entry, options.plan or body)
  if entry.effect == "refused" and (options.on_error or "stop") == "stop" then
    error({ stop = ("step %q would be refused: %s"):format(entry.key, entry.note),
      err = entry.err }, 0)
  end
  return result
end

-- A verification makes sense only after the move, so only its option `plan` is called.
function DryRun:verify(branch, name, options)
  local entry = add(self, branch, "verify", name, options)
  entry.note = "asked when the run is there"
  return options.plan and enter(self, branch, entry, options.plan) or nil
end

function DryRun:gate(branch, name, options)
  local wish = branch.engine.skips[steps.skip_key(branch.prefix, "gate:" .. name)]
  add(self, branch, "gate", name, options).note =
    wish and "broken open: " .. wish.why or "waits for people"
end

-- Plans one job; if its failure would be left out in a run, so it is here.
local function plan_one(round, job)
  local ok, result = bounded.call(round.branch.engine.loop, {}, round.body, job.item,
    round.branch:fork(job.name))
  if ok then
    round.ok[job.name] = result == nil and true or result
    return
  end
  local err = type(result) == "table" and rawget(result, "err")
  if not (err and round.leave_out and round.leave_out(job.item, err)) then error(result, 0) end
  round.left_out[job.name] = err
end

function DryRun:each(branch, list, options, body)
  local round = { branch = branch, body = bounded.raising(body), leave_out = options.leave_out,
    ok = {}, left_out = {} }
  for _, wave in ipairs(waves.divide(waves.jobs(branch, list), options)) do
    for _, part in ipairs { wave.canaries, wave.others } do
      for _, job in ipairs(part) do plan_one(round, job) end
    end
  end
  return { ok = round.ok, failed = {}, left_out = round.left_out }
end

function DryRun:parallel(branch, bodies)
  local results = {}
  for _, name in ipairs(tables.keys(bodies)) do
    results[name] = bounded.raising(bodies[name])(branch:fork(name))
  end
  return results
end

-- No program is started. It counts as successful, so that the code after it continues.
function DryRun:program(branch, command, variables)
  if schema.callable.test(command) then return command(branch, variables) end
  if self.entry then self.entry.not_done = NOT_DONE:format(command) end
  return true
end

-- Listeners get no events, since nothing happens.
function DryRun:on() end

-- Whether the plan differs from a run at a step, so that a missing answer may have caused an error.
local function has_gap(plan)
  for _, entry in ipairs(plan.steps) do
    if entry.kind == "step" and entry.effect ~= "reads" then return true end
  end
  return plan.changes > 0
end

local function reason(raised, plan)
  local stopped = type(raised) == "table" and rawget(raised, "stop")
  if type(stopped) == "string" then return stopped end
  return (has_gap(plan) and "the playbook needs what a change would have answered: " or "")
    .. stops.error_of(raised, "").message
end

-- A journal that writes nothing; the notes of a step are kept with it.
local function journal_of(dry)
  return { write = function(_, make, _, told)
    local event = make()
    told(event)
    if event.type == "note" and dry.entry then table.insert(dry.entry.says, event.text) end
    return true
  end }
end

-- A loop whose sleeps only let other tasks run: what they wait for is simulated at once, or never
-- happens. The number of waits is limited, since each may be followed by a call to the service.
local function loop_of(dry, client)
  local passed = 0
  return setmetatable({
    sleep = function(seconds)
      passed = passed + math.max(seconds, 0)
      local counted = dry.entry or dry
      counted.waits = (counted.waits or 0) + 1
      if counted.waits > MOST_WAITS then error(TOO_MANY_WAITS, 0) end
      client.loop.sleep(0)
    end,
    now = function() return client.loop.now() + passed end,
  }, { __index = client.loop })
end

-- The engine of a plan. Playbooks can reach it through their run, so it has nothing that could
-- change the service.
local function engine_of(dry, playbook, client, options)
  local engine = engines.new { playbook = playbook, journal = journal_of(dry), state = states.new(),
    client = client, runtime = client.runtime, loop = dry.loop, executor = dry,
    options = { again = {}, outage_at = options.outage_at },
    skips = run_options.skips(options.skip) }
  engine:write({ type = "run", playbook = playbook.name, run_id = "plan",
    kind = options.kind or playbook.kind or "unplanned", mode = options.mode or "graceful",
    incident = options.incident }, false)
  engine:write({ type = "attempt", n = 1 }, false)
  return engine
end

--- Makes a plan of a trusted playbook, in this process. Its client only reads: the transport
--- refuses everything else.
---@param playbook alicloud.dr.Playbook
---@param options { client: alicloud.Client, params: table?, kind: string?, mode: string?,
---incident: string?, outage_at: number|string?, skip: table<string, string>? }
---@return alicloud.dr.Plan
function M.run(playbook, options)
  local read, message = params.read(playbook.params, options.params or {})
  if not read then error("plan: " .. message, 2) end
  local dry = setmetatable({ plan = { steps = {}, reads = 0, changes = 0, groups = {} },
    imagined = imagined.new() }, DryRun)
  dry.loop = loop_of(dry, options.client)
  local client = noting_client(dry, options.client:with { mode = "observe" })
  local engine = engine_of(dry, playbook, client, options)
  engine.params, dry.engine = read, engine
  local outage = outage_time.event(engine)
  if outage then engine:write(outage, false) end
  local ok, raised = bounded.call(dry.loop, {}, playbook.body, runs.new(engine))
  if not ok then dry.plan.stopped = reason(raised, dry.plan) end
  return dry.plan
end

return M
