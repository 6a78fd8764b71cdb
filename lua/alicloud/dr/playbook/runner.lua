--- Runs a playbook with a journal, from the beginning or from where an earlier process ended. Opens
--- the journal's store, and closes it.

local anchors = require "alicloud.dr.playbook.anchor"
local batched = require "alicloud.dr.read.batched"
local bounded = require "alicloud.dr.playbook.bounded"
local core = require "alicloud.core"
local corrections = require "alicloud.dr.playbook.corrections"
local engines = require "alicloud.dr.playbook.engine"
local errors = require "alicloud.base.error"
local executor = require "alicloud.dr.playbook.executor"
local guard = require "alicloud.base.guard"
local journals = require "alicloud.dr.journal"
local lazy = require "alicloud.base.lazy"
local outage_time = require "alicloud.dr.playbook.outage_time"
local openings = require "alicloud.dr.playbook.opening"
local params = require "alicloud.dr.playbook.params"
local run_options = require "alicloud.dr.playbook.run_options"
local runs = require "alicloud.dr.playbook.run"
local standbys = require "alicloud.dr.playbook.standby"
local stops = require "alicloud.dr.playbook.stop"
local summary = require "alicloud.dr.playbook.summary"
local tables = require "alicloud.base.tables"
local takeovers = require "alicloud.dr.playbook.takeover"
local undos = require "alicloud.dr.playbook.undo"

---@module "alicloud.dr.store.foreign"
local foreign_stores = lazy.module "alicloud.dr.store.foreign"

local M = {}

-- Most seconds for hooks, signature and witness, and for closing after the end of a run.
local HOOK_SECONDS, SEAL_SECONDS, CLOSE_SECONDS = 5, 60, 10

local function changed(message, hint)
  return errors.new { kind = "state", code = "Client.RunChanged", outcome = "not_sent",
    message = message, hint = hint }
end

-- The error if a real run would continue a replay, or a replay a real run.
local function other_world(run, options)
  if run.replay and not options.replay then
    return changed(("the journal is of a replay of %s, of which nothing has happened"):format(
      run.replay), "look at it; to go on with the replay: --replay FILE")
  end
  if options.replay and not run.replay then
    return changed("the journal is of a real run; a replay does not go on with it",
      "give the replay a journal of its own, or none")
  end
end

-- The error if the journal is of another run than the one that is asked for.
local function difference(state, playbook, options)
  local run = state.run
  local strange = other_world(run, options)
  if strange then return strange end
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
  -- A host that restarts gives the parameters of the beginning, whatever was corrected since.
  if asked and asked ~= core.encode(state.params) and asked ~= core.encode(run.params or {}) then
    return changed(("the parameters are %s in the journal, not %s"):format(
      core.encode(state.params), asked),
      state.is_over and "it has come to its end; begin a new run with what is right"
        or "a run keeps what it was begun with; what later steps take can be corrected, with a "
          .. "reason: alicloud-dr resume JOURNAL NAME=VALUE --why TEXT")
  end
  return nil
end

-- Takes new values of revisable parameters: they need no reason, as other corrections do.
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
    account = engine.account, replay = options.replay,
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
    way = engine.options.way,
    cut_bytes = engine.journal.torn > 0 and engine.journal.torn or nil,
    taken_from = state.owner ~= engine.holder.owner and state.owner or nil,
  }, true)
end

local function announce(engine)
  local options, state = engine.options, engine.state
  local ok, err = take_over(engine)
  if not ok then return nil, err end
  takeovers.begin(engine)
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

-- Whether a call of the run has had an effect, or may have had one. If so, the outcome of a run
-- whose journal fails is "unknown", although the failed write itself sent nothing.
local function is_in_doubt(state)
  for _, call in ipairs(state.calls) do
    local outcome = call.answer and call.answer.outcome
    if outcome ~= "not_sent" and outcome ~= "rejected" then return true end
  end
  return false
end

local function stop(engine, run, err)
  guard.call(engine.settle, engine)
  local rolled_back = undos.may(engine, err) and undos.run(engine, run) or nil
  engine:write({ type = "stopped", err = stops.plain(err), rolled_back = rolled_back }, true)
  err.journal, err.rolled_back = engine.store.name, rolled_back
  openings.tell_production(engine.state, err)
  err.left_open = engine.left_open[1] and engine.left_open or nil
  err.correctable = corrections.open(engine.state)
  err.incomplete = engine.journal.fault ~= nil or nil
  if err.incomplete and is_in_doubt(engine.state) then err.outcome = "unknown" end
  return nil, err
end

local function interrupted(engine)
  engine:write({ type = "interrupted" }, true)
  local rest = table.concat(engine.left_open, "; ")
  return openings.tell_production(engine.state, errors.new {
    kind = "cancelled", code = "Client.Interrupted", outcome = "unknown",
    message = "interrupted; the journal tells what was sent" .. (rest ~= "" and "; " or "") .. rest,
    journal = engine.store.name, left_open = engine.left_open[1] and engine.left_open or nil,
    hint = "resume the run: it looks before it sends",
  })
end

-- Notes names in the options skip and again that match no step, since they may be mistyped.
local function tell_of_wishes(engine)
  for _, name in ipairs(tables.keys(engine.options.skip or {})) do
    if not engine.seen[name] then
      engine:write({ type = "note", text = ("nothing was left out as %q: the run came to no step "
        .. "or gate of that name"):format(name) }, false)
    end
  end
  for _, name in ipairs(tables.keys(engine.options.again)) do
    if not engine.state.steps[name] then
      engine:write({ type = "note", text = ("nothing was done again as %q: the run came to no step "
        .. "of that name"):format(name) }, false)
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
  engine.loop.scope(function() engine.playbook.body(run) end)
end

local function pursue(engine)
  local run = runs.new(engine)
  local ok, raised = bounded.guarded(engine.loop, play, engine, run)
  -- The playbook may have caught the error that ended it.
  engine.loop.checkpoint()
  if ok and engine.stopped then ok, raised = false, engine.stopped end
  if ok and run:unresolved_jump() then ok, raised = false, run:unresolved_jump() end
  if not ok then return stop(engine, run, stops.error_of(raised, "")) end
  return finish(engine)
end

-- Writes the end of an interrupted run. Hooks get a scope of their own, since that of the attempt
-- may be cancelled.
local function end_interrupted(scope, engine)
  engine.hooks.scope = scope
  local _, err = interrupted(engine)
  engine.hooks:close(HOOK_SECONDS)
  return nil, err
end

-- Carries the run out, undoing included, which can be interrupted, too. A cancellation from outside
-- counts as an interrupt: nothing has failed, so nothing is undone.
local function carry_out(engine)
  local ok, result, err = pcall(engine.loop.scope, function(scope)
    engine.scope = scope
    if engine.loss then scope:cancel(engine.loss) end
    return pursue(engine)
  end)
  if engine.interrupted or not ok and guard.is_stop(result) then
    local _, told = engine:surely(CLOSE_SECONDS, end_interrupted, engine)
    if not ok and guard.is_cancellation(result) then error(guard.cancellation(told), 0) end
    return nil, told
  end
  if engine.loss and not engine.state.ending then return stop(engine, nil, engine.loss) end
  if ok then return result, err end
  error(result, 0)
end

local function close_hooks(_, engine)
  engine.hooks:close(HOOK_SECONDS)
end

-- A value whose closing calls `act` without being cut in the middle by an interrupt.
local function at_end(act)
  return setmetatable({}, { __close = core.aside(act) })
end

-- Runs the attempt in the scope of what its branches share: shared reads and hooks. At the end
-- these, the signature and the witness have timeouts of their own.
local function attend(engine)
  local results
  local ok, raised = pcall(engine.loop.scope, function(scope)
    local reader = engine.client:with { caller = function() return engine.state.run.run_id end }
    local reads <close> = batched.new(reader, scope)
    engine.hooks.scope, engine.batched_reads = scope, reads
    local _ <close> = at_end(function()
      engine:surely(SEAL_SECONDS, function() anchors.seal(engine) end)
    end)
    local _ <close> = at_end(function() engine:surely(CLOSE_SECONDS, close_hooks, engine) end)
    -- If the task ignores its cancellation, it is closed, with the run; the end is written here.
    local _ <close> = at_end(function()
      if not engine.state.ending then engine:write({ type = "interrupted" }, true) end
    end)
    results = table.pack(carry_out(engine))
  end)
  if not ok and not (results and guard.is_interrupt(raised)) then error(raised, 0) end
  return table.unpack(results, 1, results.n)
end

-- The parameters of the playbook. The journal keeps them as they were given, and every process
-- reads them anew.
local function read_params(playbook, state, options)
  local kept = state.run and state.params or params.written(options.params) or {}
  local wish = options.corrections
  local given = wish and tables.merged(options.params or {}, wish.values) or options.params
  if wish then kept = tables.merged(kept, params.written(wish.values)) end
  local read, message = params.read(playbook.params, params.restored(kept, given))
  -- Missing files are an error only for a new run.
  local is_new = not state.run and not options.program
  message = message or is_new and params.missing_program(playbook.params, read)
  if not message then return read end
  return nil, corrections.bad(message)
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
  fault = fault or run_options.critical_skip(playbook, options.skip, open.state)
  if fault then return nil, fault end
  local engine = engines.new {
    playbook = playbook, journal = open.journal, state = open.state, store = options.store,
    client = options.client, runtime = runtime, loop = options.client.loop, options = options,
    holder = open.holder, fence = open.lease.fence, account = open.account,
    skips = run_options.skips(options.skip, options.requester),
    executor = options.executor or executor, corrections = corrected,
  }
  options.again, engine.params = options.again or {}, read
  engine:heed_loss()
  local ok, err = true, nil
  if not open.state.run then ok, err = begin(engine) end
  if ok then ok, err = announce(engine) end
  if not ok then return nil, err end
  return engine
end

local function go_on(playbook, options)
  local runtime = options.client.runtime
  local open, err = openings.open(options)
  if not open then return nil, err end
  local state = open.state
  if state.run then
    take_revised(state, playbook, options)
    local fault = difference(state, playbook, options)
    if fault then return openings.tell_production(state, fault) end
    if state.is_over then
      local _, late = corrections_of(playbook, state, options)
      if late then return nil, late end
      return summary.of(state, open.journal)
    end
  end
  local engine
  engine, err = prepare(playbook, options, runtime, open)
  if not engine then return openings.tell_production(state, err) end
  options.announced = true
  local result
  result, err = attend(engine)
  local ended = result or err
  ended.head = engine.journal.head
  return result, err
end

--- Runs a playbook, or continues its run. A finished run makes no further call. Raises errors in
--- the options at its caller's level.
---@param playbook alicloud.dr.Playbook
---@param options alicloud.dr.RunOptions
---@return alicloud.dr.RunResult|nil
---@return alicloud.Error? err with `journal`; `incomplete` if the journal could not be written to
---the end; `rolled_back` if all that the run had done was undone; `production_down` in words, if
---the run has stopped production and it is still down, and `ways_up`, where each group can come up
---now (see alicloud.dr.WayUp; "back" is group:unfence); `no_return`: the point of no return that
---it has passed; `left_open`: what a person has to end by hand, in words; `correctable`: the
---parameters of failed steps that can be corrected; `parameter`: the one whose value cannot be
---used, and `parameter_value`: a number that can be used for it, and needs no reason; `again`: the
---step in doubt, which the option of that name runs once more
function M.run(playbook, options)
  local given = run_options.check("dr.run", options, 2)
  local _, message = params.read(given.params and playbook.params, given.params)
  message = message or run_options.mode_fault(playbook, given.mode)
    or run_options.kind_fault(playbook, given.kind)
  message = message or given.store and foreign_stores.fault(given.store)
  if message then error("dr.run: " .. message, 2) end
  given.store = given.store and foreign_stores.guarded(given.store)
  -- The lock is given back even if an interrupt comes at the end.
  local _ <close> = at_end(function() standbys.close(given) end)
  if not given.store then
    given.reopen = standbys.opener(given)
    local ok, err = given.reopen()
    if not ok then return nil, err end
  end
  return standbys.keep(given, function() return go_on(playbook, given) end)
end

return M
