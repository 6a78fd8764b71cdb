--- One step of a playbook: done once, whoever runs it and however often they are killed.

local anchors = require "alicloud.dr.playbook.anchor"
local consents = require "alicloud.dr.playbook.consent"
local core = require "alicloud.core"
local corrections = require "alicloud.dr.playbook.corrections"
local duration = require "alicloud.base.duration"
local errors = require "alicloud.base.error"
local guard = require "alicloud.base.guard"
local in_doubt = require "alicloud.dr.playbook.in_doubt"
local journals = require "alicloud.dr.journal"
local precheck = require "alicloud.dr.model.precheck"
local schema = require "alicloud.base.schema"
local states = require "alicloud.dr.playbook.state"
local stops = require "alicloud.dr.playbook.stop"

local M = {}

---@class alicloud.dr.StepOptions
---@field timeout? number|string the step fails after it
---@field on_error? string "stop" (else), "continue", "ask", or "goto:STEP", a step further on
---@field critical? boolean its failure always stops the run, and nobody may skip it
---@field undo? fun(run): any called, last step first, if the run fails before the point of no
---return; of a step that failed too, if something of it may have had an effect
---@field stops_production? boolean it is undone before all steps that are not so
---@field check? fun(run): any whether the step's work is done; asked before it runs once more
---@field point_of_no_return? boolean once it may have had an effect, nothing is undone
---@field renewed? boolean done once more by a process that goes on with the run, since it may no
---longer hold, until a point of no return of its branch is passed
---@field graceful_only? boolean skipped, or given up, when the old side is given up
---@field marks? "data_ready"|"old_side_fenced"|"verified" the finish line that it reaches
---@field plan? function|false what `plan` does instead of running it; false: nothing

local MAX_RESULT_BYTES = 262144
local GRACEFUL_SLICE = 1

local NAME = schema.rule("1 to 80 bytes without '/' and control characters", function(value)
  return type(value) == "string" and #value >= 1 and #value <= 80 and not value:find("[%c/]")
end)

M.NAME = NAME

local SCHEMA = {
  timeout = schema.rule(duration.ALLOWED, function(value)
    local seconds = duration.parse(value)
    return seconds ~= nil and seconds > 0
  end),
  on_error = schema.rule('"stop", "continue", "ask" or "goto:STEP"', function(value)
    return value == "stop" or value == "continue" or value == "ask"
      or type(value) == "string" and NAME.test(value:match("^goto:(.*)$"))
  end),
  critical = schema.boolean,
  undo = schema.callable,
  check = schema.callable,
  point_of_no_return = schema.boolean,
  stops_production = schema.boolean,
  renewed = schema.boolean,
  graceful_only = schema.boolean,
  marks = schema.choice("data_ready", "old_side_fenced", "verified"),
  plan = schema.rule("a function or false", function(value)
    return value == false or schema.callable.test(value)
  end),
}

M.SCHEMA = SCHEMA

--- A digest of what the options say, to notice an edit of a finished step.
---@param options alicloud.dr.StepOptions
---@return string
local function definition_of(options)
  return ("%s|%s|%s|%s|%s|%s"):format(tostring(options.timeout), options.on_error or "stop",
    tostring(options.critical == true), tostring(options.point_of_no_return == true),
    tostring(options.graceful_only == true), tostring(options.marks))
end

--- Registers a name, which a run meets once.
---@param engine alicloud.dr.Engine
---@param key string
---@param level integer for the message
function M.claim_name(engine, key, level)
  if engine.seen[key] then
    local gate = key:match "^gate:(.*)$"
    error(("playbook: %s %q is there twice; they are known by their names"):format(
      gate and "gate" or "step", gate or key), level + 1)
  end
  engine.seen[key] = true
end

--- What a wish to leave something out is known by. A gate and the step behind it may well have one
--- name, and whoever leaves the one out must not leave out the other: a gate has "gate:" before it.
---@param prefix string of the branch
---@param name string of a step, or "gate:" and the name of a gate
---@return string
function M.skip_key(prefix, name)
  local gate = name:match "^gate:(.*)$"
  return gate and "gate:" .. prefix .. gate or prefix .. name
end

-- A plain value that reads the same after a resume. What is too large is not kept.
local function keepable(result)
  local kept = journals.plain(result)
  if type(kept) ~= "table" then return kept end
  local size = #core.encode(kept)
  return size <= MAX_RESULT_BYTES and kept or nil
end

-- A report of a pre-check and its like say in `ok` whether they are good news.
local function judge(key, ok, result, err)
  if not ok then return nil, stops.error_of(result, key) end
  if (result == nil or result == false) and err ~= nil then return nil, stops.error_of(err, key) end
  if type(result) ~= "table" or result.ok ~= false then return result end
  -- What looks like a report need not be one.
  local is_report, obstacle = pcall(precheck.first_obstacle, result)
  if not is_report or not obstacle then
    obstacle = { code = "Client.StepFailed", fact = "its result says that it is not ok" }
  end
  return nil, errors.new { kind = "precheck", code = obstacle.code, step = key,
    message = obstacle.fact, hint = obstacle.cure, outcome = "not_sent",
    forcible = obstacle.id and precheck.forcible_codes(result) or nil }
end

local function gave_up(key, code, message)
  return errors.new { kind = "timeout", code = code, message = message, step = key,
    outcome = "unknown" }
end

-- Why a step that is under way is to be given up.
local function overdue(branch, key, options, deadline)
  local engine = branch.engine
  if engine.loop.now() >= deadline then
    return gave_up(key, "Client.StepTimeout",
      ("not done within %s"):format(duration.format(duration.parse(options.timeout))))
  end
  if not options.graceful_only then return nil end
  engine.inbox:poll()
  return engine.state.mode == "ungraceful"
    and gave_up(key, "Client.Ungraceful", "the old side was given up meanwhile") or nil
end

-- Runs a body that may be given up: as a task, looked at in slices.
local function watched(branch, key, options, body)
  local loop = branch.engine.loop
  local seconds = options.timeout and duration.parse(options.timeout) or math.huge
  local deadline = loop.now() + seconds
  local task <close> = loop.spawn(function() return guard.call(body, branch) end)
  while true do
    local slice = options.graceful_only and GRACEFUL_SLICE or math.huge
    if task:wait(math.min(slice, math.max(0, deadline - loop.now()))) then return task:result() end
    local err = overdue(branch, key, options, deadline)
    if err then
      task:cancel()
      return false, err
    end
  end
end

local function perform(branch, key, options, body)
  branch.step_key, branch.step_reads, branch.ran_program = key, {}, false
  branch.client:renew_patience()
  local _ <close> = setmetatable({}, { __close = function() branch.step_key = nil end })
  if options.timeout or options.graceful_only then
    return judge(key, watched(branch, key, options, body))
  end
  return judge(key, guard.call(body, branch))
end

local function mark(engine, name)
  engine:record { type = "mark", mark = name }
end

local OPENED = { failovered = true, already_failovered = true }

-- A failover that was seen to be done has opened the data, whatever the step is called; where a
-- drill is all that the run is for, its copy is what is opened.
local function marks_of(engine, options, result)
  if options.marks then return options.marks end
  local outcome = type(result) == "table" and result.outcome
  local opened = OPENED[outcome] or outcome == "drill_ready" and engine.state.run.kind == "drill"
  return opened and "data_ready" or nil
end

local function keep_undo(branch, key, options)
  if not options.undo then return end
  local undos = branch.engine.undos
  undos[#undos + 1] = { key = key, undo = options.undo, client = branch.client,
    stops_production = options.stops_production }
end

local function succeed(branch, key, options, result, found)
  local engine = branch.engine
  local kept = keepable(result)
  -- Before the end of the step: whoever is killed in between comes here again, but not behind it.
  local line = options.verify and "verified" or marks_of(engine, options, result)
  if line then mark(engine, line) end
  engine:record { type = "step_end", step = key, ok = true, result = kept, found = found,
    omitted = kept == nil and result ~= nil or nil, used = corrections.used(branch) }
  keep_undo(branch, key, options)
  return kept
end

local function skip(branch, key, why, by)
  local engine = branch.engine
  engine:record { type = "step_skip", step = key, why = why, by = by }
  engine:except(("step %q was skipped: %s"):format(key, why))
end

local function ask(engine, key, err, critical)
  local asker = engine.options.ask
  if not asker then return "stop" end
  local ok, answer, by = guard.call(asker, { step = key, err = err, critical = critical == true })
  if not ok or answer ~= "again" and answer ~= "skip" then answer = "stop" end
  if answer == "skip" and critical then answer = "stop" end
  engine:record { type = "asked", step = key, answer = answer,
    by = type(by) == "string" and by or nil }
  return answer
end

local function goes_on(options)
  local policy = options.on_error or "stop"
  return not options.critical and policy ~= "stop" and policy ~= "ask"
end

-- Half of its work may be done, so it is undone as one that was done.
local function record_failure(branch, key, options, err)
  local engine = branch.engine
  local acted = branch.ran_program or states.has_sent(engine.state.steps[key])
  if acted then keep_undo(branch, key, options) end
  engine:record { type = "step_end", step = key, ok = false, err = stops.plain(err),
    went_on = goes_on(options) or nil, may_have_acted = acted, used = corrections.used(branch) }
end

-- What a step that failed is followed by, in this process or in one after it.
local function go_on_without(branch, key, options, err)
  branch.engine:except(("step %q failed: %s"):format(key, err.message))
  local target = options.on_error:match("^goto:(.*)$")
  if target then branch.jump_target, branch.jump_from = branch.prefix .. target, key end
end

-- What follows a failure: "again", "past" (go on without it), or the run or branch ends.
local function after_failure(branch, key, options, err)
  if goes_on(options) then return "past", go_on_without(branch, key, options, err) end
  local answer = options.on_error == "ask" and ask(branch.engine, key, err, options.critical)
  if answer == "again" then return "again" end
  if answer ~= "skip" then return branch:halt(err, options.critical) end
  skip(branch, key, "failed: " .. err.message)
  return "past"
end

-- Whether the work is done already, by the step's own word. A check that fails says neither.
local function check_first(branch, key, options)
  branch.step_key = key
  branch.client:renew_patience()
  local ok, done, err = guard.call(options.check, branch)
  branch.step_key = nil
  if ok and err == nil then return done end
  return branch:halt(stops.error_of(ok and err or done, key), options.critical)
end

local function begin(branch, key, options)
  -- Before it begins, so that the step's time is its own.
  if options.point_of_no_return then anchors.tell(branch.engine, "no_return") end
  branch.engine:record { type = "step_begin", step = key, verify = options.verify,
    no_return = options.point_of_no_return, critical = options.critical,
    stops_production = options.stops_production, marks = options.marks,
    definition = definition_of(options) }
end

local function attempt(branch, key, options, body)
  local pace = branch.engine.options.pace
  while true do
    if pace then pace(key) end
    begin(branch, key, options)
    local result, err = perform(branch, key, options, body)
    if not err then return succeed(branch, key, options, result) end
    record_failure(branch, key, options, err)
    if options.graceful_only and branch.engine.state.mode == "ungraceful" then
      skip(branch, key, "the old side was given up while it ran")
      return nil, err
    end
    if after_failure(branch, key, options, err) ~= "again" then return nil, err end
  end
end

-- Why a step is not run at all.
local function reason_to_skip(branch, key, options)
  local engine = branch.engine
  if branch.jump_target then
    return ("left out on the way from %q to %q"):format(branch.jump_from, branch.jump_target)
  end
  if options.graceful_only and engine.state.mode == "ungraceful" then
    return "the old side was given up"
  end
  local wish = engine.skips[key]
  if not wish then return nil end
  if options.critical then
    engine:refuse("Client.CriticalStep", ("step %q is critical and cannot be skipped"):format(key))
  end
  return wish.why, wish.by
end

local function resume_begun(branch, key, options, past)
  local engine = branch.engine
  local way, err = in_doubt.decide(engine, past, options)
  if way == "stop" then
    local answer = ask(engine, key, err, options.critical)
    if answer == "stop" then return engine:stop(err) end
    if answer == "skip" then
      skip(branch, key, "in doubt, and a person says that it is done")
      return true
    end
  end
  if not options.check then return false end
  local done = check_first(branch, key, options)
  if not done then return false end
  return true, succeed(branch, key, options, done, true)
end

local function settled_before(past)
  return past.status == "done" or past.status == "skipped"
    or past.status == "failed" and past.went_on
end

-- What was done before may have been taken back by others, where nothing has been built on it yet.
local function is_stale(branch, options, past)
  return options.renewed and past.status == "done"
    and not states.has_passed(branch.engine.state, branch.prefix)
end

-- What a step came to in an earlier process: the same again, without doing anything.
local function remember(branch, key, options, past)
  local engine = branch.engine
  branch:register_step(key, definition_of(options))
  if past.status == "skipped" then
    engine:except(("step %q was skipped: %s"):format(key, past.why))
    return nil
  end
  if past.status == "failed" then
    local err = errors.new(past.err)
    if goes_on(options) then go_on_without(branch, key, options, err) end
    return nil, err
  end
  keep_undo(branch, key, options)
  return past.result
end

--- Comes to a step.
---@param branch alicloud.dr.PlaybookRun
---@param name string
---@param options alicloud.dr.StepOptions checked
---@param body fun(run: alicloud.dr.PlaybookRun): any
---@return any result plain; what the journal keeps
---@return alicloud.Error? err only where on_error lets the run go on
function M.run(branch, name, options, body)
  local engine, key = branch.engine, branch.prefix .. name
  branch:go_on()
  if branch.step_key then
    error(("playbook: step %q: steps do not nest"):format(key), 3)
  end
  M.claim_name(engine, key, 3)
  engine.inbox:poll()
  if branch.jump_target == key then branch.jump_target = nil end
  local past = engine.state.steps[key]
  local stale = past and is_stale(branch, options, past)
  if past and settled_before(past) and not stale then
    return remember(branch, key, options, past)
  end
  local why, by = reason_to_skip(branch, key, options)
  if why then return skip(branch, key, why, by) end
  branch:register_step(key, definition_of(options))
  if past and past.runs > 0 and past.status ~= "undone" and not stale then
    local settled, result = resume_begun(branch, key, options, past)
    if settled then return result end
  end
  consents.ask(branch, options)
  return attempt(branch, key, options, body)
end

return M
