--- Runs one step of a playbook so that its work is done once, however often the run is resumed.

local anchors = require "alicloud.dr.playbook.anchor"
local bodies = require "alicloud.dr.playbook.body"
local consents = require "alicloud.dr.playbook.consent"
local corrections = require "alicloud.dr.playbook.corrections"
local duration = require "alicloud.base.duration"
local effects = require "alicloud.dr.playbook.effect"
local errors = require "alicloud.base.error"
local guard = require "alicloud.base.guard"
local in_doubt = require "alicloud.dr.playbook.in_doubt"
local keeping = require "alicloud.dr.journal.keeping"
local schema = require "alicloud.base.schema"
local stops = require "alicloud.dr.playbook.stop"
local tables = require "alicloud.base.tables"
local takeovers = require "alicloud.dr.playbook.takeover"

local M = {}

---@class alicloud.dr.StepOptions
---@field timeout? number|string the step fails after it
---@field on_error? string "stop" (default), "continue", "ask", or "goto:STEP", a later step
---@field critical? boolean its failure always stops the run, and nobody may skip it
---@field undo? fun(run): any called, last step first, if the run fails before the point of no
---return; also for a failed step, if something of it may have had an effect
---@field stops_production? boolean it is undone before all steps without this option
---@field check? fun(run): any whether the step's work is done; called before it is run once more
---@field point_of_no_return? boolean once it may have had an effect, nothing is undone
---@field renewed? boolean a process that resumes the run does it once more, since it may no longer
---hold, until the branch has passed a point of no return
---@field graceful_only? boolean skipped, or cancelled, when the old side is given up
---@field marks? "data_ready"|"old_side_fenced"|"verified" the finish line that its success marks
---@field tier? fun(id: string): integer tier of a group, for the question before the first change:
---the lowest are shown first
---@field plan? function|false called by `plan` in place of the body; false: nothing is called

--- Most bytes of a result.
M.MOST_BYTES = 262144

local NAME = schema.rule("1 to 80 bytes of UTF-8 without '/' and control characters",
  function(value)
    return type(value) == "string" and #value >= 1 and #value <= 80 and not value:find("[%c/]")
      and utf8.len(value) ~= nil
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
  tier = schema.callable,
  plan = schema.rule("a function or false", function(value)
    return value == false or schema.callable.test(value)
  end),
}

M.SCHEMA = SCHEMA

--- A text of the options, to notice an edit of a finished step.
---@param options alicloud.dr.StepOptions
---@return string
local function definition_of(options)
  return ("%s|%s|%s|%s|%s|%s"):format(tostring(options.timeout), options.on_error or "stop",
    tostring(options.critical == true), tostring(options.point_of_no_return == true),
    tostring(options.graceful_only == true), tostring(options.marks))
end

--- Registers the name of a step or gate; raises if the run has come to that name before.
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

--- The key under which a skip is kept. A gate and a step may have the same name, so that of a gate
--- begins with "gate:".
---@param prefix string of the branch
---@param name string of a step, or "gate:" and the name of a gate
---@return string
function M.skip_key(prefix, name)
  local gate = name:match "^gate:(.*)$"
  return gate and "gate:" .. prefix .. gate or prefix .. name
end

--- What is wrong with a result that cannot be kept, in words.
---@param key string
---@param faults string[]
---@return string
function M.odd_result(key, faults)
  return ("step %q returned what cannot be kept: %s; allowed: %s"):format(key,
    table.concat(faults, ", "), keeping.ALLOWED)
end

-- The result as the journal keeps it, which the step returns now and after a resume. Parts that
-- cannot be kept are an error. But if the step may have changed something, or its work is done,
-- they are only left out, with a note: such a step must not fail, be undone or be run again for
-- that.
local function keep(branch, key, options, result, found)
  local kept, faults = keeping.copy(result, "result", M.MOST_BYTES)
  if #faults == 0 then return kept end
  local engine, text = branch.engine, M.odd_result(key, faults)
  if found or options.verify or branch.ran_program or effects.has_sent(engine.state.steps[key]) then
    engine:record { type = "note", text = text .. "; it is left out", left_out = true }
    return kept
  end
  return nil, errors.new { kind = "state", code = "Client.StepResult", outcome = "not_sent",
    step = key, message = text,
    hint = "return plain data, or nothing; `alicloud-dr plan` finds it beforehand" }
end

local function mark(engine, name)
  engine:record { type = "mark", mark = name }
end

local OPENED = { failovered = true, already_failovered = true }

-- The finish line that a step's success marks. A failover marks "data_ready" without the option; so
-- does the start of a drill, if the run is a drill.
local function marks_of(engine, options, result)
  if options.marks then return options.marks end
  local outcome = type(result) == "table" and rawget(result, "outcome")
  local opened = OPENED[outcome] or outcome == "drill_ready" and engine.state.run.kind == "drill"
  return opened and "data_ready" or nil
end

local function keep_undo(branch, key, options)
  if not options.undo then return end
  local undos = branch.engine.undos
  undos[#undos + 1] = { key = key, undo = options.undo, client = branch.client,
    stops_production = options.stops_production }
end

local function succeed(branch, key, options, kept, found)
  local engine = branch.engine
  -- The mark is written before the end of the step: after a kill in between the step is resumed,
  -- and the mark is written again.
  local line = options.verify and "verified" or marks_of(engine, options, kept)
  if line then mark(engine, line) end
  engine:record { type = "step_end", step = key, ok = true, result = kept, found = found,
    used = corrections.used(branch) }
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

-- Writes the end of a failed step. If it may have had an effect, it is undone like a finished one.
local function record_failure(branch, key, options, err)
  local engine = branch.engine
  local acted = branch.ran_program or branch.is_left or effects.has_sent(engine.state.steps[key])
  if acted then keep_undo(branch, key, options) end
  engine:record { type = "step_end", step = key, ok = false, err = stops.plain(err),
    went_on = goes_on(options) or nil, may_have_acted = acted, used = corrections.used(branch) }
end

-- Goes on after a step that failed, in this process or a later one.
local function go_on_without(branch, key, options, err)
  branch.engine:except(("step %q failed: %s"):format(key, err.message))
  local target = options.on_error:match("^goto:(.*)$")
  if target then branch.jump_target, branch.jump_from = branch.prefix .. target, key end
end

-- Decides after a failure: "again" (run it again) or "past" (go on without it); else ends the
-- branch or the run.
local function after_failure(branch, key, options, err)
  if goes_on(options) then return "past", go_on_without(branch, key, options, err) end
  local answer = options.on_error == "ask" and ask(branch.engine, key, err, options.critical)
  if answer == "again" then return "again" end
  if answer ~= "skip" then return branch:halt(err, options.critical) end
  skip(branch, key, "failed: " .. err.message)
  return "past"
end

-- Whether the step's `check` says that its work is done. A check that fails ends the branch.
local function check_first(branch, key, options)
  local ok, done, err = bodies.check(branch, key, options)
  if ok and err == nil then return done end
  return branch:halt(stops.error_of(ok and err or done, key), options.critical)
end

-- Whether an earlier try may have had an effect, such as that of a program, which is not undone.
local function is_left(past)
  if not past or past.runs == 0 then return false end
  return past.status == "begun" or past.status == "failed" and past.may_have_acted ~= false
end

local function begin(branch, key, options)
  -- The witness is told before the step begins, so that its time does not count for the step.
  if options.point_of_no_return then anchors.tell(branch.engine, "no_return") end
  branch.engine:record { type = "step_begin", step = key, verify = options.verify,
    no_return = options.point_of_no_return, critical = options.critical,
    stops_production = options.stops_production, marks = options.marks,
    renewed = options.renewed, definition = definition_of(options) }
end

local function write_given_up(branch, key, options, raised)
  local engine = branch.engine
  local stopped = engine.stopped and engine.stopped.err
  local err = bodies.given_up(branch, key, stopped or raised)
  record_failure(branch, key, tables.merged(options, { on_error = "stop" }), err)
  if not stopped then engine:except(("step %q was given up"):format(key)) end
end

-- If a step is cut off (a cancellation), its end is written later by Engine:settle: then the step
-- can be undone.
local Running = { __close = function(step, raised)
  local branch = step.branch
  if step.ended or guard.is_interrupt(raised) then return end
  branch.engine:cut_off(function() write_given_up(branch, step.key, step.options, raised) end)
end }

local function perform(branch, key, options, body)
  local step <close> = setmetatable({ branch = branch, key = key, options = options,
    ended = false }, Running)
  local result, err = bodies.run(branch, key, options, body)
  step.ended = true
  return result, err
end

local function attempt(branch, key, options, body)
  local pace = branch.engine.options.pace
  while true do
    if pace then pace(key) end
    branch.is_left = is_left(branch.engine.state.steps[key])
    begin(branch, key, options)
    local result, err = perform(branch, key, options, body)
    if not err then result, err = keep(branch, key, options, result) end
    if not err then return succeed(branch, key, options, result) end
    branch.engine:settle()
    record_failure(branch, key, options, err)
    if options.graceful_only and branch.engine.state.mode == "ungraceful" then
      skip(branch, key, "the old side was given up while it ran")
      return nil, err
    end
    if after_failure(branch, key, options, err) ~= "again" then return nil, err end
  end
end

-- A wish to skip a step names it with its branch. If only the bare name of this step was given, and
-- no step of that name has come, a note says once that this step is not skipped.
local function tell_namesake(branch, key)
  local engine, name = branch.engine, key:sub(#branch.prefix + 1)
  local wish = engine.skips[name]
  if not wish or wish.told or engine.seen[name] then return end
  wish.told = true
  engine:record { type = "note", text = ("step %q is not left out: that was asked of a step %q, of "
    .. "no branch"):format(key, name) }
end

-- Why a step is skipped, and by whom; nil: it is not.
local function reason_to_skip(branch, key, options)
  local engine = branch.engine
  if branch.jump_target then
    return ("left out on the way from %q to %q"):format(branch.jump_from, branch.jump_target)
  end
  if options.graceful_only and engine.state.mode == "ungraceful" then
    return "the old side was given up"
  end
  local wish = engine.skips[key]
  if not wish then return tell_namesake(branch, key) end
  if options.critical then
    engine:refuse("Client.CriticalStep", ("step %q is critical and cannot be skipped"):format(key))
  end
  return wish.why, wish.by
end

-- Asks the step's `check`. Returns true and the result if the work is done already.
local function seen_done(branch, key, options)
  if not options.check then return false end
  local done = check_first(branch, key, options)
  if not done then return false end
  return true, succeed(branch, key, options, keep(branch, key, options, done, true), true)
end

local function resume_begun(branch, key, options, past)
  local engine, calls = branch.engine, effects.unsettled_calls(past)
  local way, err = in_doubt.decide(engine, past, options)
  if way == "run" and takeovers.left(engine, calls) then
    local done, result = seen_done(branch, key, options)
    if done then return true, result end
    takeovers.wait(engine, key, calls)
    way, err = in_doubt.decide(engine, past, options)
  end
  if way == "stop" then
    local answer = ask(engine, key, err, options.critical)
    if answer == "stop" then return engine:stop(err) end
    if answer == "skip" then
      skip(branch, key, "in doubt, and a person says that it is done")
      return true
    end
    takeovers.wait(engine, key, calls)
  end
  return seen_done(branch, key, options)
end

local function settled_before(past)
  return past.status == "done" or past.status == "skipped"
    or past.status == "failed" and past.went_on
end

-- Whether a finished step has to be done once more: others may have undone it, and no point of no
-- return is passed yet.
local function is_stale(branch, options, past)
  return options.renewed and past.status == "done"
    and not effects.has_passed(branch.engine.state, branch.prefix)
end

-- The result of a step that an earlier process has ended; nothing is run.
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

--- Runs a step, or returns what an earlier process has got from it.
---@param branch alicloud.dr.PlaybookRun
---@param name string
---@param options alicloud.dr.StepOptions checked
---@param body fun(run: alicloud.dr.PlaybookRun): any
---@return any result plain, as the journal keeps it
---@return alicloud.Error? err only if on_error lets the run go on
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
