--- The group object of a playbook: the run keeps what its looks show, and its verbs are done by the
--- run's executor. In a real run they write to the journal, continue where a process died, and
--- return their earlier result when their step is run again.

local call_recorder = require "alicloud.dr.playbook.call_recorder"
local duration = require "alicloud.base.duration"
local effects = require "alicloud.dr.playbook.effect"
local groups = require "alicloud.dr.group"
local guard = require "alicloud.base.guard"
local journals = require "alicloud.dr.journal"
local left_behind = require "alicloud.dr.playbook.left_behind"
local other_runs = require "alicloud.dr.playbook.other_runs"
local outage_time = require "alicloud.dr.playbook.outage_time"
local pasts = require "alicloud.dr.playbook.past"
local tables = require "alicloud.base.tables"
local takeovers = require "alicloud.dr.playbook.takeover"

local M = {}

local WHOLE = { journal = true, continue = true, incident = true }
local LOOKING = {}

-- The verbs of a group, and which options each gets from the run. All verbs look before they send
-- again, so their calls do not put a step in doubt.
local VERBS = {
  failover = { journal = true, continue = true, incident = true, accept_loss = true,
    force = true, batched_reads = true, outage_at = true },
  reprotect = WHOLE, start = WHOLE, stop = WHOLE, start_drill = WHOLE,
  sync_now = WHOLE, drill = WHOLE,
  clear_drill = LOOKING, unfence = LOOKING, failback = LOOKING,
  fence = { overruled = true }, serve = { force = true },
}

-- Events after which a failover only waits for its end.
local UNDER_WAY = { accepted = true, joined = true }

local function is_under_way(event)
  return UNDER_WAY[event.event] or event.event == "state" and event.phase == "in_progress"
end

-- A copy of a verb's options with a listener that tells the run what the verb looks at and does.
local function noticed(branch, options)
  local engine, given = branch.engine, {}
  for name, value in pairs(options or {}) do given[name] = value end
  local listener = engine:watching(branch, given.progress)
  given.progress = function(event)
    if event.event == "looked" then engine:looked(event.snapshot) end
    if event.verb == "failover" and is_under_way(event) then branch:rest() end
    if event.event == "clearing" then
      engine:tell { type = "clearing", group_id = event.group_id, drill_id = event.drill_id }
    end
    if event.event == "not_cleared" then left_behind.drill(engine, event) end
    if event.event == "left_stopped" then left_behind.stopped(engine, event) end
    return listener(event)
  end
  return given
end

local function outage_of(engine)
  return outage_time.of(engine.state, engine.runtime.time())
end

-- The shared reads for a branch, without looks from before its own latest change.
local function shared_reads(branch)
  local reads = branch.engine.batched_reads
  return reads and reads:since(branch.touched_at)
end

local function with_defaults(branch, group, verb, given, past)
  local engine, takes = branch.engine, VERBS[verb]
  given.journal = takes.journal and call_recorder.journal(branch) or nil
  given.continue = past
  if takes.incident then
    local token = given.client_token
    if not token then given.incident = given.incident or engine.state.run.incident end
    given.spent_tokens = (token or given.incident)
      and pasts.spent_tokens(engine.state, group.id) or nil
  end
  if takes.accept_loss then given.accept_loss = given.accept_loss or engine.state.accept_loss end
  if takes.force then given.force = given.force or engine.state.force end
  if takes.overruled then given.overruled = given.overruled or engine.state.force end
  if takes.outage_at then given.outage_at = given.outage_at or outage_of(engine) end
  if takes.batched_reads then given.batched_reads = shared_reads(branch) end
  return given
end

-- Drops an earlier intent if a person has said (--again) that the step may be done once more.
local function forget(branch, past)
  local engine, key = branch.engine, branch.step_key
  if not past or not engine.options.again[key] then return past end
  engine.options.again[key] = nil
  engine:record { type = "asked", step = key, answer = "again", by = engine.holder.owner,
    dropped = past.intent.client_token }
  return nil
end

local Doing = { __close = function(doing) doing.branch.verb = nil end }

-- Calls the method of the group; the drill id of clear_drill comes last here.
local function call(branch, group, verb, past, options, drill_id)
  options = with_defaults(branch, group, verb, options, past)
  branch.verb = verb
  local _ <close> = setmetatable({ branch = branch }, Doing)
  if verb == "clear_drill" then return group:clear_drill(drill_id, options) end
  return group[verb](group, options)
end

local function record_production(branch, group, state, region, before)
  branch.engine:record { type = "production", step = branch.step_key, group_id = group.id,
    region = region, state = state, before = before }
end

local PREPARE, SETTLE = {}, {}

-- Writes what is to be stopped before it is stopped, so that it can be brought back.
function PREPARE.fence(branch, group, given)
  local confirm = given.confirm
  branch.fencing = nil
  given.confirm = function(plan)
    if confirm and not confirm(plan) then return false end
    record_production(branch, group, "stopped", plan.region, journals.plain(plan.before))
    branch.fencing = true
    return true
  end
end

-- Without the option `fenced`, unfence brings back what this run has stopped: nothing where the old
-- side stood still before.
function PREPARE.unfence(branch, group, given)
  given.fenced = given.fenced or branch.engine.state.production[group.id]
    or { group_id = group.id, region = group.region, before = {} }
end

-- Names the step in an error of unknown outcome. A resumed run only looks then, since the service
-- may have forgotten the token; a person may have it sent again (--again).
local function name_doubt(branch, verb, err)
  if VERBS[verb].continue and err.code == "Client.OutcomeUnknown" then
    err.again = branch.step_key
  end
end

local HARMLESS = { not_sent = true, rejected = true }

-- If a fence has failed without effect, production was not stopped.
function SETTLE.fence(branch, group, result, err)
  local begun = branch.fencing
  branch.fencing = nil
  if result or not begun or not HARMLESS[err.outcome] then return end
  if effects.has_sent(branch.engine.state.steps[branch.step_key]) then return end
  record_production(branch, group, "back", branch.engine.state.production[group.id].region)
end

function SETTLE.unfence(branch, group, result)
  local known = branch.engine.state.production[group.id] ~= nil
  if result and (known or result.outcome == "unfenced") then
    record_production(branch, group, "back", result.region)
  end
end

function SETTLE.serve(branch, group, result)
  if result then record_production(branch, group, "serving", result.region) end
end

-- A stop ends every start in doubt. To continue such a start would take the stopped state for the
-- end of its synchronization.
function SETTLE.stop(branch, group, result)
  if not result then return end
  for _, past in ipairs(pasts.in_doubt(branch.engine.state, "start", group.id)) do
    branch.engine:record { type = "outcome", step = branch.step_key, verb = "start",
      group_id = group.id, client_token = past.intent.client_token, ok = false,
      outcome = "accepted", code = "Client.Superseded" }
  end
end

-- A drill that could not be cleared is left to a person.
function SETTLE.clear_drill(branch, group, result, err, id)
  if result then return end
  left_behind.drill(branch.engine, { group_id = group.id, region = group.region, drill_id = id,
    err = err })
end

local GOES_ON = { executing = true, executed = true }

-- Seconds within which a drill that was started is listed, and between two looks.
local LISTED_WITHIN, BETWEEN_LOOKS = 20, 5

local function find_drill(loop, group, id, seconds)
  local ends = loop.now() + seconds
  while true do
    local list, err = group:drills()
    if not list then return nil, err end
    local drill = tables.index(list, "id")[id]
    if drill or loop.now() >= ends then return drill or false end
    loop.sleep(BETWEEN_LOOKS)
  end
end

-- Looks for the drill of an earlier process. One that is ready or being made is continued; any
-- other one is cleared, and a start without an end gets its end in the journal.
local function drill_of(branch, group, past)
  local intent = past and past.intent
  if not (intent and intent.drill_id) then return past end
  local drill, err = find_drill(branch.engine.loop, group, intent.drill_id,
    past.is_open and LISTED_WITHIN or 0)
  if drill == nil then return nil, err end
  if drill and GOES_ON[drill.status] then return past end
  local _, fault
  if drill then
    _, fault = call(branch, group, "clear_drill", nil, noticed(branch), drill.id)
    if fault then SETTLE.clear_drill(branch, group, nil, fault, drill.id) end
  end
  if past.is_open and not fault then
    branch.engine:record { type = "outcome", step = branch.step_key, verb = past.verb,
      group_id = group.id, client_token = intent.client_token, ok = false, outcome = "accepted",
      code = "Client.Interrupted" }
  end
  return nil, fault
end

local CUT_OFF = {}

-- A fence that is cut off may have stopped nothing, too.
function CUT_OFF.fence(branch, group)
  SETTLE.fence(branch, group, nil, { outcome = "not_sent" })
end

function CUT_OFF.start_drill(branch, group, raised)
  if not effects.has_sent(branch.engine.state.steps[branch.step_key]) then return end
  left_behind.drill(branch.engine, { group_id = group.id, region = group.region, err = raised })
end

-- A clearing that is cut off: the drill was not seen to be gone.
function CUT_OFF.clear_drill(branch, group, raised, id)
  SETTLE.clear_drill(branch, group, nil, raised, id)
end

-- A value whose closing settles a verb that is cancelled.
local function settle_cut(branch, group, verb, drill_id)
  local settle = CUT_OFF[verb]
  return settle and setmetatable({}, { __close = function(_, raised)
    if guard.is_cancellation(raised) then settle(branch, group, raised, drill_id) end
  end }) or nil
end

-- Seconds between two checks whether another branch has ended its failover.
local BESIDE = 1

local Alone = { __close = function(mover) mover.moving[mover.id] = nil end }

-- Waits until no other branch fails the group over. Two at the same time would both see the group
-- as not open, and would each send a call with its own token.
local function alone(branch, group)
  local loop, moving = branch.engine.loop, branch.engine.moving
  while moving[group.id] do loop.sleep(BESIDE) end
  moving[group.id] = true
  return setmetatable({ moving = moving, id = group.id }, Alone)
end

--- Does a verb in a step of a run: returns the result if this step has it already, continues what
--- an earlier process has begun, or begins anew.
---@param branch alicloud.dr.PlaybookRun
---@param group alicloud.dr.Group
---@param verb string
---@param options table changed in place
---@param drill_id string? of clear_drill
---@return table|nil result
---@return alicloud.Error? err
function M.carry_out(branch, group, verb, options, drill_id)
  local result, past, err
  local _ <close> = verb == "failover" and alone(branch, group) or nil
  if VERBS[verb].continue then
    result, past = pasts.pending(branch.engine.state, verb, group.id, branch.step_key)
  end
  if result then return result end
  past, err = drill_of(branch, group, past)
  if err then return nil, err end
  past = takeovers.bound(branch.engine, branch.step_key, forget(branch, past))
  if PREPARE[verb] then PREPARE[verb](branch, group, options) end
  -- A failover that was accepted before only waits for its end.
  if verb == "failover" and past and past.accepted then branch:rest() end
  local _ <close> = settle_cut(branch, group, verb, drill_id)
  result, err = call(branch, group, verb, past, options, drill_id)
  if SETTLE[verb] then SETTLE[verb](branch, group, result, err, drill_id) end
  if not result then name_doubt(branch, verb, err) end
  return result, err
end

-- The verbs that a run of the kind "drill" may use: they touch neither production nor replication.
local OF_DRILLS = { start_drill = true, clear_drill = true, drill = true }

-- Also of one that is given up.
local Verb = { __close = function(held) held.branch:rise() end }

local function perform(branch, group, verb, options, drill_id)
  if branch.engine.state.run.kind == "drill" and not OF_DRILLS[verb] then
    return nil, call_recorder.no_drill(branch, verb)
  end
  local engine = branch.engine
  local _ <close> = setmetatable({ branch = branch }, Verb)
  local result, err = engine.executor:verb(branch, group, verb, noticed(branch, options), drill_id)
  branch.touched_at = engine.loop.now()
  -- The last look before an error tells why it ended.
  local seen = not result and err and (err.last or err.snapshot)
  if seen and seen.pairs and seen.from then engine:looked(seen) end
  if not result then return nil, err end
  engine:looked(result.snapshot)
  -- A step's result is the same after a resume, and the journal has no snapshots.
  result.snapshot = nil
  return result
end

-- A pre-check uses the loss, outage and overruled findings that the run has, as its failover does.
local function check(branch, group, method, options)
  local loss, given = branch.engine.state.accept_loss, noticed(branch, options)
  local limit = loss and duration.parse(given.max_rpo)
  if limit then given.max_rpo = math.max(limit, loss.seconds) end
  given.outage_at = given.outage_at or outage_of(branch.engine)
  given.force = given.force or branch.engine.state.force
  if method == "precheck" then given.batched_reads = shared_reads(branch) end
  local report, err = group[method](group, given)
  if report then branch.engine:looked(report.snapshot) end
  return report, err
end

-- One small object for each group, with shared methods, since a run may hold thousands. Its keys
-- are hidden from playbooks: a verb of the bare group would bypass the journal.
local BRANCH, GROUP, Bound = {}, {}, {}
local bind

function Bound:precheck(given) return check(self[BRANCH], self[GROUP], "precheck", given) end

function Bound:preflight(given)
  local report, err = check(self[BRANCH], self[GROUP], "preflight", given)
  return report and other_runs.add(self[BRANCH].engine, report, given.move), err
end

for verb in pairs(VERBS) do
  Bound[verb] = function(self, options) return perform(self[BRANCH], self[GROUP], verb, options) end
end

function Bound:clear_drill(drill_id, options)
  return perform(self[BRANCH], self[GROUP], "clear_drill", options, drill_id)
end

-- The same group seen from another side is locked and bound, too.
local function take(branch, elsewhere)
  branch:go_on()
  branch.engine.executor:hold(branch, elsewhere)
  return bind(branch, elsewhere)
end

function Bound:at(place) return take(self[BRANCH], self[GROUP]:at(place)) end

function Bound:other_site()
  local elsewhere, err = self[GROUP]:other_site()
  return elsewhere and take(self[BRANCH], elsewhere), err
end

function Bound:standing()
  local found, err = self[GROUP]:standing()
  if not found then return nil, err end
  self[BRANCH].engine:looked(found.snapshot)
  found.snapshot = nil
  return found
end

local bound_mt = {
  __name = "alicloud.dr.Group",
  __index = function(self, name)
    if Bound[name] then return Bound[name] end
    local value = self[GROUP][name]
    if type(value) ~= "function" then return value end
    return function(_, ...) return value(self[GROUP], ...) end
  end,
  __tostring = function(self) return tostring(self[GROUP]) end,
}

function bind(branch, group)
  return setmetatable({ [BRANCH] = branch, [GROUP] = group }, bound_mt)
end

--- Binds a group to a branch of a run.
---@param branch alicloud.dr.PlaybookRun
---@param id string
---@param options? { region: string, to: string }
---@return alicloud.dr.Group
function M.bind(branch, id, options)
  local group, engine = groups.new(branch.client, id, options), branch.engine
  local told = engine.pairs_told
  -- A group that several steps name is one: what a look of one step has shown counts for all. What
  -- an earlier process has seen counts as seen now: the clock may be another one.
  if not told[id] then
    told[id] = group.told
    for _, pair in ipairs(engine.state.pairs[id] or {}) do group.told[pair] = engine.loop.now() end
  end
  group.told = told[id]
  return bind(branch, group)
end

return M
