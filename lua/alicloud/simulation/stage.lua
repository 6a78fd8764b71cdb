--- One simulated world: an emulator, a disk that can lose unsynced data, a clock that can jump, and
--- the troubles of a case. It runs the playbook in one process after the other and records what
--- really happened, for alicloud.simulation.invariants.

local alicloud = require "alicloud"
local dr = require "alicloud.dr"
local emulator = require "alicloud.emulator"
local errors = require "alicloud.base.error"
local carrier = require "alicloud.simulation.carrier"
local controllers = require "alicloud.simulation.controllers"
local corrections = require "alicloud.simulation.correction"
local guard = require "alicloud.base.guard"
local memory = require "alicloud.dr.store.memory"
local production = require "alicloud.simulation.production"
local programs = require "alicloud.simulation.programs"
local state = require "alicloud.emulator.model.state"
local stopping = require "alicloud.simulation.stopping"
local tables = require "alicloud.base.tables"
local tasks = require "alicloud.simulation.tasks"
local traces = require "alicloud.simulation.trace"
local troubles = require "alicloud.simulation.troubles"

local M = {}

-- The real constructor, since a playbook may be given another `alicloud.client`.
local make_client = alicloud.client

-- The secret of the simulated account, which must not occur in a journal or an error (S10).
M.SECRET = "canary-of-the-simulation"

---@class alicloud.simulation.Request
---@field n integer 1, 2, … over all processes
---@field action string
---@field mutating boolean
---@field group string?
---@field region string?
---@field token string?
---@field time number model time, unix seconds
---@field who string "run", or who else on the stage sent it: "colleague", "rival", "elsewhere"
---@field process integer
---@field entry table? of the emulator's journal
---@field exchange table? what was answered
---@field unsent boolean? the run was told that it has not left

---@class alicloud.simulation.Process
---@field n integer 1, 2, …
---@field first integer number of its first request
---@field began number model time
---@field ended number
---@field asleep number seconds for which the machine was suspended
---@field crashed boolean
---@field steps integer number of steps that it has begun, or begun to undo
---@field told boolean? true: it was interrupted, cancelled, or lost its journal
---@field is_over boolean? true: it has written the end of the run
---@field loop alicloud.loop.Loop?
---@field result table?
---@field err table?

---@class alicloud.simulation.Stage
---@field case alicloud.simulation.Case
---@field emu alicloud.emulator.Emulator
---@field disk alicloud.dr.Disk
---@field requests alicloud.simulation.Request[]
---@field processes alicloud.simulation.Process[]
---@field active alicloud.simulation.Process? the process that runs
---@field violations string[] seen while it ran
---@field successes table[] results that call a group failed over, and whether it was
---@field outcomes { event: table, request: integer, since: integer }[] outcomes of intents, with
---the numbers of requests so far and before the intent
---@field interferences table[] what others did to groups
---@field open table<string, string> region by group, of the failovers under way
---@field intents table<string, alicloud.dr.Intent> by token
---@field since table<string, integer> number of requests before an open intent, by token
---@field hosts alicloud.simulation.Host[] instances that write to groups before the run
---@field stops table see alicloud.simulation.stopping
---@field loop alicloud.loop.Loop? of the process that runs
---@field wall number seconds by which the machine's clock is ahead
---@field asleep number seconds for which the machine was suspended
---@field outage_at number? unix seconds of the outage that is declared to the run
---@field was_set boolean? true: somebody has set the machine's clock
---@field stale boolean true: some reads have shown an old or wrong state
---@field stopped_at { op: string, how: string }[] calls of the disk at which the machine stopped
---@field trace alicloud.simulation.Trace? collects the points at which a trouble can come
---@field undone boolean true: others may have changed the result of a failover
local Stage = {}
Stage.__index = Stage

local function fault_rules(case)
  local rules = {}
  for _, trouble in ipairs(case.troubles) do rules[#rules + 1] = trouble.rule end
  return rules
end

local function runtime_of(stage)
  local emu, runtime = stage.emu, tables.merged(stage.emu.runtime, {})
  runtime.time = function() return emu.clock:now() + stage.wall end
  runtime.monotonic = function() return emu.clock:now() - stage.asleep end
  runtime.boottime = function() return emu.clock:now() end
  return runtime
end

local function disk_of(stage)
  local function fault(call) return troubles.at_disk(stage, call) end
  return controllers.disk_of(stage, memory.disk { fault = fault })
end

--- Makes a stage.
---@param case alicloud.simulation.Case
---@param plan alicloud.simulation.Plan
---@return alicloud.simulation.Stage
function M.new(case, plan)
  local stage = setmetatable({
    short = 0, case = case, plan = plan, trace = case.trace or nil, requests = {}, processes = {},
    violations = {}, successes = {}, outcomes = {}, interferences = {}, open = {}, intents = {},
    since = {}, stopped_at = {}, wall = 0, asleep = 0, changes = 0, nested = 0, who = "run",
  }, Stage)
  stage.emu = emulator.new {
    world = case.world, seed = case.seed, faults = fault_rules(case), assume = case.assume,
    access_key_secret = M.SECRET, wire = plan.wire or false, messages = plan.messages,
  }
  -- Without the machine's clock, a seed gives the same run on every day.
  stage.emu:assume(tables.merged(plan.assume or {}, { wall_clock = "refuse" }))
  stage.outage_at = case.outage and math.floor(stage.emu:now()) - case.outage or nil
  stage.runtime, stage.disk = runtime_of(stage), disk_of(stage)
  stage.transport, stage.hosts = carrier.of(stage), production.hosts(stage.emu.world)
  stopping.prepare(stage)
  programs.prepare(stage)
  corrections.prepare(stage)
  troubles.prepare(stage)
  return stage
end

--- Notes that an invariant does not hold.
---@param what string begins with its name
function Stage:violated(what)
  self.violations[#self.violations + 1] = what
end

-- Clients with the same clock function share a loop. A process must not continue the tasks of a
-- killed one, so each process gets a clock function of its own.
local function runtime_of_process(stage)
  local runtime = {}
  for name, value in pairs(stage.runtime) do runtime[name] = value end
  runtime.monotonic = function() return stage.runtime.monotonic() end
  runtime.interrupted = function() return stopping.interrupted(stage) end
  return runtime
end

--- A client of a new process.
---@return alicloud.Client
function Stage:client()
  return make_client { region = self.plan.region, transport = self.transport,
    runtime = runtime_of_process(self), access_key_id = self.emu.access_key_id,
    access_key_secret = M.SECRET }
end

--- Stops the machine: raises out of whatever it does.
---@param trouble alicloud.simulation.Trouble|table
function Stage:crash(trouble)
  self.keep, self.pause, self.disk.stopped = trouble.keep, trouble.pause, true
  error(memory.CRASH, 0)
end

--- Whether a group and all its pairs really are failed over, in the emulator's model.
---@param id string
---@return boolean
function Stage:is_open(id)
  local group = self.emu:group(id)
  if not group or #group.pairs == 0 then return false end
  for _, pair in ipairs(group.pairs) do
    if pair.status ~= "failovered" then return false end
  end
  return group.status == "failovered"
end

-- The real recovery point of a group, the oldest of its pairs, whatever reads show.
local function true_point(emu, id)
  local group, now = emu:group(id), emu:now()
  local point = group and state.recover_point(group, now)
  for _, pair in ipairs(point and group.pairs or {}) do
    point = math.min(point, state.pair_recover_point(emu.world, pair, now) or point)
  end
  return point
end

local function called_open(event)
  local result = event.ok and event.result
  local done = type(result) == "table" and result.group_id
    and (result.outcome == "failovered" or result.outcome == "already_failovered")
  return done and result or nil
end

-- Seconds for which a process must not take a pair for gone that it was told of.
local COUNTED = 120

-- Whether an answer has told the process of a pair, and a list has shown it within COUNTED. If no
-- list has shown it, the time counts from the first one.
local function was_told(stage, id)
  local word, told, listed = "%f[%w-]" .. id:gsub("%p", "%%%0") .. "%f[^%w-]", false, nil
  for n = stage.active.first, #stage.requests do
    local request = stage.requests[n]
    local seen = request.who == "run" and request.exchange
    local is_there = seen and traces.text_of(seen):find(word)
    told = told or is_there
    if seen and request.action == "DescribeDiskReplicaPairs" and (is_there or not listed) then
      listed = request.time
    end
  end
  return told and listed and stage.emu:now() - listed < COUNTED
end

local function check_whole(stage, intent)
  local group = stage.emu:group(intent.group_id)
  if not group or not intent.pairs or #stage.interferences > 0 then return end
  local known, wrong = tables.set(intent.pairs), #intent.pairs > #group.pairs
  for _, pair in ipairs(group.pairs) do
    wrong = wrong or not known[pair.id] and was_told(stage, pair.id)
  end
  if wrong then
    stage:violated(("S3 decided for %d pairs of %d"):format(#intent.pairs, #group.pairs))
  end
end

-- After an outcome the token of an incident may serve another intent, so `since` starts again.
local function note_outcome(stage, event)
  local token = event.client_token
  stage.outcomes[#stage.outcomes + 1] = { event = event, request = #stage.requests,
    since = token and stage.since[token] or 0 }
  if token and event.outcome ~= "unknown" then stage.since[token] = nil end
end

--- Called with every record of the run, after it was written.
---@param event table
function Stage:saw(event)
  tasks.saw(self, event)
  controllers.saw(self, event)
  if event.type == "intent" then
    if event.verb == "failover" then
      self.open[event.intent.group_id] = event.intent.region
    end
    local token = event.intent.client_token
    self.intents[token], self.since[token] = event.intent, self.since[token] or #self.requests
    check_whole(self, event.intent)
  end
  if event.type == "outcome" then
    self.open[event.group_id] = nil
    note_outcome(self, event)
  end
  if event.type == "step_begin" or event.type == "undo_begin" then
    self.active.steps = self.active.steps + 1
  end
  local ends = event.type == "outcome" or event.type == "step_end"
  local result = ends and called_open(event)
  if result then
    -- Reading the model also carries out what others have scheduled up to now. A process that stood
    -- still reports late, after another process has gone on.
    local open, is_late = self:is_open(result.group_id), self.active.n < #self.processes
    self.successes[#self.successes + 1] = { result = result,
      interfered = self.undone or is_late, open = open,
      point = true_point(self.emu, result.group_id),
      intent = self.intents[result.client_token],
      at = event.type == "outcome" and self.emu:now() or nil }
  end
end

--- Runs the playbook with its journal on a disk.
---@param disk alicloud.dr.Disk
---@param saw fun(event: table)? called with each record
---@return table|nil result, table|nil err
function Stage:run_on(disk, saw)
  local plan, client, mine = self.plan, self:client(), disk == self.disk and self.nested == 0
  local options = { client = client, store = disk:open("run", client), account = disk.account,
    standby = self.who == "run" and disk.standby or nil, outage_at = self.outage_at,
    params = corrections.params(self), kind = plan.kind, program = programs.of(self),
    incident = self.case.incident, requester = "operator", progress = saw,
    corrections = disk == self.disk and corrections.wish(self) or nil,
    open_gates = "nobody is asked in a rehearsal" }
  if not mine then return dr.run(plan.playbook, options) end
  self.loop, options.executor = client.loop, stopping.executor(self)
  self.active.loop = client.loop
  return stopping.run(self, client.loop, function() return dr.run(plan.playbook, options) end)
end

-- Restarts a machine that stopped, and waits until somebody resumes the run.
local function come_up(stage)
  stage.disk:restart(stage.keep)
  if stage.pause and stage.pause > 0 then stage.emu:advance(stage.pause) end
  stage.keep, stage.pause = nil, nil
end

--- Begins a process.
---@return alicloud.simulation.Process
function Stage:begin()
  local process = { n = #self.processes + 1, first = #self.requests + 1, asleep = self.asleep,
    began = self.emu:now(), crashed = false, steps = 0 }
  self.processes[process.n], self.active, self.open = process, process, {}
  return process
end

--- Runs the playbook, or resumes its run, in one process.
---@return alicloud.simulation.Process
function Stage:process()
  local process = self:begin()
  self.stops.running = process
  local ok, result, err = pcall(self.run_on, self, self.disk, function(event) self:saw(event) end)
  self.stops.signal, self.stops.running = nil, nil
  process.ended, process.asleep = self.emu:now(), self.asleep - process.asleep
  if self.disk.stopped then
    process.crashed = true
    come_up(self)
  elseif ok then
    process.result, process.err = result, err
    process.told = process.told or controllers.was_cut_off(self, err)
    if err then production.judge(self, err) end
    tasks.judge(self, process)
    -- A disk that was full has room again when somebody resumes.
    self.disk.failing = nil
  elseif not (process.told and not process.attempted and guard.is_stop(result)) then
    self:violated("raised: " .. errors.text_of(result))
    process.err = result
  end
  return process
end

return M
