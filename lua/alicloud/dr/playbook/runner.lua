--- Runs a playbook over a journal: from the beginning, or from where an earlier process ended.
--- Opens the journal's store, and closes it.

local anchors = require "alicloud.dr.playbook.anchor"
local core = require "alicloud.core"
local corrections = require "alicloud.dr.playbook.corrections"
local engines = require "alicloud.dr.playbook.engine"
local errors = require "alicloud.base.error"
local events = require "alicloud.dr.playbook.events"
local executor = require "alicloud.dr.playbook.executor"
local files = require "alicloud.dr.store.file"
local guard = require "alicloud.base.guard"
local journals = require "alicloud.dr.journal"
local outage_time = require "alicloud.dr.playbook.outage_time"
local params = require "alicloud.dr.playbook.params"
local productions = require "alicloud.dr.playbook.production"
local run_options = require "alicloud.dr.playbook.run_options"
local runs = require "alicloud.dr.playbook.run"
local signatures = require "alicloud.dr.playbook.signature"
local states = require "alicloud.dr.playbook.state"
local stops = require "alicloud.dr.playbook.stop"
local summary = require "alicloud.dr.playbook.summary"
local tables = require "alicloud.base.tables"
local undos = require "alicloud.dr.playbook.undo"

local M = {}

-- Room for the records of a run, taken before anything is sent.
local RESERVED_BYTES = 262144
local HOOK_SECONDS = 2

local function holder_of(options, runtime)
  local process = core.process()
  return { owner = options.requester, host = process.host, pid = process.pid,
    since = core.iso8601(math.floor(runtime.time())) }
end

-- What cannot be understood to its end is not gone on with.
local function fault_of(store, list)
  local line, reason, newer = events.check(list)
  if line then return journals.damaged(store.name, { line = line, reason = reason }) end
  return events.newer_error(store.name, newer)
end

-- Who cannot go on has to know in what state the run has left production.
local function tell_production(state, err)
  err.production_down = productions.words(state)
  err.ways_up = productions.ways_up(state, states.no_return(state) ~= nil)
  return nil, err
end

-- The records of a journal that cannot be opened for writing, as far as they can be understood.
local function readable(store)
  local text = store:load()
  local reading = text and journals.read(text)
  return reading and not fault_of(store, reading.events) and reading.events or {}
end

local function opened(options, runtime)
  local store, holder = options.store, holder_of(options, runtime)
  local lease, err = store:lease("run", holder)
  if not lease then return nil, err end
  local journal
  journal, err = journals.open(store)
  if not journal then return tell_production(states.fold(readable(store)), err) end
  local fault = fault_of(store, journal.events)
  if fault then return nil, fault end
  local state = states.fold(journal.events)
  local ok
  ok, err = store:reserve(RESERVED_BYTES)
  if not ok then return tell_production(state, err) end
  -- A run of a thousand groups has ten thousand records; what they say is in the state.
  journal.events = nil
  return { journal = journal, lease = lease, holder = holder, state = state }
end

local function changed(message, hint)
  return errors.new { kind = "state", code = "Client.RunChanged", outcome = "not_sent",
    message = message, hint = hint }
end

-- What is asked for must be what the journal is about.
local function difference(state, playbook, options)
  local run = state.run
  if run.playbook ~= playbook.name then
    return changed(("the journal is of playbook %q, not of %q"):format(run.playbook,
      playbook.name), "give the journal's own playbook, or another journal")
  end
  for _, name in ipairs { "kind", "incident" } do
    if options[name] ~= nil and options[name] ~= run[name] then
      return changed(("%s is %s in the journal, not %s"):format(name,
        tostring(run[name]), tostring(options[name])), "a run keeps what it was begun with")
    end
  end
  local asked = options.params and core.encode(journals.plain(params.written(options.params)))
  -- A host that starts again gives what it began with, whatever was corrected since.
  if asked and asked ~= core.encode(state.params) and asked ~= core.encode(run.params or {}) then
    return changed(("the parameters are %s in the journal, not %s"):format(
      core.encode(state.params), asked),
      "a run keeps what it was begun with; what later steps take can be corrected, with a reason: "
        .. "alicloud-dr resume JOURNAL NAME=VALUE --why TEXT")
  end
  return nil
end

-- What may be another one at any time need not be called a correction.
local function take_revised(state, playbook, options)
  if not options.params or options.corrections then return end
  local values, known = corrections.revised(state, playbook, options.params)
  if not values then return end
  options.params = known
  if next(values) then
    options.corrections = { values = values, why = corrections.ANEW, by = options.requester }
  end
end

local function begin(engine)
  local options, playbook = engine.options, engine.playbook
  return engine:write({
    type = "run", version = journals.VERSION, playbook = playbook.name,
    digest = playbook.digest, file = playbook.file,
    run_id = engine.runtime.random_hex(8), params = params.written(options.params) or {},
    kind = options.kind or playbook.kind or "unplanned", mode = options.mode or "graceful",
    incident = options.incident, incident_since = options.incident_since,
    requester = options.requester, declared = options.declared,
    region = engine.client.region, graceful_only = playbook.graceful_only,
  }, true)
end

local function take_over(engine)
  local state, digest = engine.state, engine.playbook.digest
  engine.edited = state.digest ~= digest
  return engine:write({
    type = "attempt", n = state.attempts + 1, owner = engine.holder.owner,
    host = engine.holder.host, pid = engine.holder.pid, fence = engine.fence, digest = digest,
    key = engine.options.sign and engine.options.sign.public, region = engine.client.region,
    edited_from = engine.edited and state.digest or nil,
    cut_bytes = engine.journal.torn > 0 and engine.journal.torn or nil,
    taken_from = state.owner ~= engine.holder.owner and state.owner or nil,
  }, true)
end

local function announce(engine)
  local options, state = engine.options, engine.state
  local ok, err = take_over(engine)
  if not ok then return nil, err end
  if options.mode and options.mode ~= state.mode then
    ok, err = engine:write({ type = "mode", mode = options.mode, by = engine.holder.owner,
      why = "asked for at the start" }, true)
    if not ok then return nil, err end
  end
  for _, event in ipairs(engine.corrections) do
    ok, err = engine:write(event, true)
    if not ok then return nil, err end
  end
  for _, force in ipairs(options.force or {}) do
    ok, err = engine:write({ type = "force", code = force.code, why = force.why, by = force.by },
      true)
    if not ok then return nil, err end
  end
  local outage = outage_time.event(engine)
  if outage then
    ok, err = engine:write(outage, true)
    if not ok then return nil, err end
  end
  local loss = options.accept_loss
  if not loss then return true end
  return engine:write({ type = "accept_loss", seconds = loss.seconds, by = loss.by,
    why = loss.why }, true)
end

-- A journal that fails says of a write that it was not done. Of the run that is not the whole
-- truth: what it had sent by then may have had its effect.
local function is_in_doubt(state)
  for _, call in ipairs(state.calls) do
    local outcome = call.answer and call.answer.outcome
    if outcome ~= "not_sent" and outcome ~= "rejected" then return true end
  end
  return false
end

local function stop(engine, run, err)
  local rolled_back = undos.may(engine, err) and undos.run(engine, run) or nil
  engine:write({ type = "stopped", err = stops.plain(err), rolled_back = rolled_back }, true)
  err.journal, err.rolled_back = engine.store.name, rolled_back
  tell_production(engine.state, err)
  err.correctable = corrections.open(engine.state)
  err.incomplete = engine.journal.fault ~= nil or nil
  if err.incomplete and is_in_doubt(engine.state) then err.outcome = "unknown" end
  return nil, err
end

local function interrupted(engine)
  engine:write({ type = "interrupted" }, true)
  return tell_production(engine.state, errors.new {
    kind = "cancelled", code = "Client.Interrupted", outcome = "unknown",
    message = "interrupted; the journal tells what was sent", journal = engine.store.name,
    hint = "resume the run: it looks before it sends",
  })
end

-- A slip of the hand in the name of a step would go unseen.
local function tell_of_wishes(engine)
  for _, name in ipairs(tables.keys(engine.options.skip or {})) do
    if not engine.seen[name] then
      engine:write({ type = "note", text = ("nothing was left out as %q: the run came to no step "
        .. "or gate of that name"):format(name) }, false)
    end
  end
end

local function finish(engine)
  tell_of_wishes(engine)
  for _, text in ipairs(summary.overruled(engine.state)) do engine:except(text) end
  local ending = summary.ending(engine)
  local ok, err = engine:write(ending, true)
  if not ok then return stop(engine, nil, err) end
  return summary.of(engine.state, engine.journal)
end

local function play(engine, run)
  anchors.tell(engine, "begin")
  engine.inbox:poll()
  engine.playbook.body(run)
end

local function pursue(engine)
  local run = runs.new(engine)
  local ok, raised = guard.call(play, engine, run)
  -- A playbook may have caught what ended it.
  if ok and engine.stopped then ok, raised = false, engine.stopped end
  if ok and run:unresolved_jump() then ok, raised = false, run:unresolved_jump() end
  if not ok then return stop(engine, run, stops.error_of(raised, "")) end
  return finish(engine)
end

-- Whoever interrupts may do so while steps are undone, too.
local function carry_out(engine)
  local ok, result, err = pcall(pursue, engine)
  if ok then return result, err end
  if guard.is_interrupt(result) then return interrupted(engine) end
  error(result, 0)
end

local function vouch(engine)
  local signer, journal = engine.options.sign, engine.journal
  if signer and not journal.fault then
    engine:write(signatures.sign(signer, engine.state.run.run_id, journal.seq, journal.head,
      engine.runtime.time()), true)
  end
  anchors.tell(engine, "end")
end

-- What is told behind the end vouches for it, whatever it is, and can no longer change it; nor can
-- whoever interrupts it.
local function seal(engine)
  local ok, raised = pcall(vouch, engine)
  if not ok and not guard.is_interrupt(raised) then error(raised, 0) end
end

-- The journal keeps them as they were given: a playbook reads them anew in every process.
local function read_params(playbook, state, options)
  local kept = state.run and state.params or params.written(options.params) or {}
  local wish = options.corrections
  local given = wish and tables.merged(options.params or {}, wish.values) or options.params
  if wish then kept = tables.merged(kept, params.written(wish.values)) end
  local read, message = params.read(playbook.params, params.restored(kept, given))
  if read then return read end
  return nil, errors.new { kind = "state", code = "Client.BadParameter",
    outcome = "not_sent", message = message }
end

local function corrections_of(playbook, state, options)
  local wish = options.corrections
  if not wish then return {} end
  if not state.run then
    return nil, changed("there is no run yet, so nothing of it is corrected",
      "give the parameters as they are to be")
  end
  local list, err = corrections.judge(state, playbook, wish)
  if not list then return nil, err end
  return corrections.events(list, wish, options.requester)
end

local function prepare(playbook, options, runtime, open)
  local corrected, fault = corrections_of(playbook, open.state, options)
  if not corrected then return nil, fault end
  local read
  read, fault = read_params(playbook, open.state, options)
  if not read then return nil, fault end
  local engine = engines.new {
    playbook = playbook, journal = open.journal, state = open.state, store = options.store,
    client = options.client, runtime = runtime, loop = options.client.loop, options = options,
    holder = open.holder, fence = open.lease.fence,
    skips = run_options.skips(options.skip, options.requester),
    executor = options.executor or executor, corrections = corrected,
  }
  options.again, engine.params = options.again or {}, read
  local ok, err = true, nil
  if not open.state.run then ok, err = begin(engine) end
  if ok then ok, err = announce(engine) end
  if not ok then return nil, err end
  return engine
end

local function has_finished(state)
  return state.ending ~= nil and state.ending.type == "finished"
end

local function go_on(playbook, options)
  local runtime = options.client.runtime
  local open, err = opened(options, runtime)
  if not open then return nil, err end
  local state = open.state
  if state.run then
    take_revised(state, playbook, options)
    local fault = difference(state, playbook, options)
    if fault then return tell_production(state, fault) end
    if has_finished(state) then return summary.of(state, open.journal) end
  end
  local engine
  engine, err = prepare(playbook, options, runtime, open)
  if not engine then return tell_production(state, err) end
  local _ <close> = engine.batched_reads
  local result
  result, err = carry_out(engine)
  engine.hooks:close(HOOK_SECONDS)
  seal(engine)
  local ended = result or err
  ended.head = engine.journal.head
  return result, err
end

--- Runs a playbook, or goes on with it. A run that has finished makes no further call. Raises at
--- its caller's level what is wrong with the options.
---@param playbook alicloud.dr.Playbook
---@param options alicloud.dr.RunOptions
---@return alicloud.dr.RunResult|nil
---@return alicloud.Error? err with `journal`; `incomplete` if the journal could not be written to
---the end; `rolled_back` if all was brought back that the run had done, as seen afterwards;
---`production_down` in words, if it is and the run has stopped it, and `ways_up`, where each group
---can come up now (see alicloud.dr.WayUp; "back" is group:unfence); `correctable`, the parameters
---of what has failed that can be corrected; `again`, the step of which no look tells whether it was
---done: the option of that name does it once more
function M.run(playbook, options)
  local given = run_options.check("dr.run", options, 2)
  local _, message = params.read(given.params and playbook.params, given.params)
  message = message or run_options.mode_fault(playbook, given.mode)
    or run_options.kind_fault(playbook, given.kind)
  if message then error("dr.run: " .. message, 2) end
  local err
  if not given.store then
    given.store, err = files.open(given.journal)
    if not given.store then return nil, err end
  end
  local _ <close> = setmetatable({}, { __close = function() given.store:close() end })
  return go_on(playbook, given)
end

return M
