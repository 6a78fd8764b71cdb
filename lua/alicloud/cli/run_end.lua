--- Reports the end of a run on the command line: its result, or why it stopped and the command that
--- goes on.

local cli_clients = require "alicloud.cli.client"
local core = require "alicloud.core"
local duration = require "alicloud.base.duration"
local fold = require "alicloud.cli.fold"
local force_options = require "alicloud.cli.options.force"
local hints = require "alicloud.cli.hints"
local lazy = require "alicloud.base.lazy"
local network = require "alicloud.cli.options.network"
local options = require "alicloud.cli.options"
local output = require "alicloud.cli.output"
local productions = require "alicloud.dr.playbook.production"
local reports = require "alicloud.cli.commands.report"
local run_store = require "alicloud.cli.run_store"
local shell = require "alicloud.base.shell"
local stores = require "alicloud.dr.store"
local tables = require "alicloud.base.tables"
local terminal = require "alicloud.cli.terminal"

---@module "alicloud.dr.playbook.corrections"
local corrections = lazy.module "alicloud.dr.playbook.corrections"
---@module "alicloud.cli.view_run"
local view_run = lazy.module "alicloud.cli.view_run"
---@module "alicloud.cli.journal_room"
local journal_room = lazy.module "alicloud.cli.journal_room"

local M = {}

-- Options that the printed command repeats: who asks, which files, and how the cloud is reached.
local KEPT = { "approvers", "sign", "anchor", "report", "account", "failed_region",
  "wait_for_cloud", "requester", "trust_file", "events", "on_event", "replay", "replay_mode" }

local function kept(args)
  local all = options.typed(args, { "region" })
  for _, list in ipairs { network.reach(args), options.typed(args, KEPT) } do
    table.move(list, 1, #list, #all + 1, all)
  end
  return all
end

--- The command that resumes the run of a journal.
---@param path string
---@param args table
---@param corrected? string[] corrected parameters, NAME=VALUE
---@return string
function M.resume_command(path, args, corrected)
  local all = kept(args)
  all[#all + 1] = options.typed(args, { "chosen_file" })[1]
  return shell.command("resume", { path, table.unpack(corrected or {}) }, all)
end

-- Parameters as they would be typed; a value of several lines must come from a file.
local function words_of(params)
  local words = {}
  for _, name in ipairs(tables.keys(params)) do
    local value = params[name]
    for _, each in ipairs(type(value) == "table" and value or { value }) do
      local text = tostring(each):gsub("^@", "@@")
      words[#words + 1] = name .. "=" .. (text:find "[\r\n]" and "@FILE" or text)
    end
  end
  return words
end

-- The parameters of the command: those of a new run, or those of the journal as corrected.
local function params_of(given, state)
  local wish = given.corrections
  return given.params or tables.merged(state and state.params, wish and wish.values)
end

-- The command that begins a new run like the one that has finished, with other parameters: of the
-- same kind, so that a drill stays one, and in the same store.
local function new_run_command(args, params, path, state)
  local all, run = kept(args), state.run
  local declared = run.declared or {}
  local store = not stores.is_path(path) and path:gsub("#[^#]*$", "") or nil
  local mode = state.mode ~= "graceful" and state.mode or nil
  local kind = run.kind ~= "unplanned" and run.kind or nil
  for name, value in pairs { kind = kind, mode = mode, incident = run.incident,
    rto = declared.rto and duration.format(declared.rto),
    rpo = declared.rpo and duration.format(declared.rpo), store = store } do
    all[#all + 1] = shell.option("--" .. name, value)
  end
  table.sort(all)
  return shell.command("run", { args.file, table.unpack(words_of(params)) }, all)
end

local LOCKED, LOST = "Client.JournalLocked", "Client.JournalLost"

local function result_object(result, reach)
  local steps = {}
  for i, step in ipairs(result.steps) do
    steps[i] = { step = step.key, status = step.status, why = step.why, err = step.err,
      begun_at = step.begun_at, ended_at = step.ended_at }
  end
  return {
    status = result.status, outcome = result.outcome, run_id = result.run_id,
    playbook = result.playbook, rto = result.rto, rpo = result.rpo, figures = result.figures,
    declared = result.declared, journal = result.journal, head = result.head,
    marks = result.marks, attempts = result.attempts, production_down = result.production_down,
    bring_up = view_run.bring_up(result, result.journal, reach),
    exceptions = core.array(result.exceptions), steps = core.array(steps),
  }
end

local DONE_BEFORE = { already_there = "already there, nothing was done",
  already_failovered = "already failovered, nothing was done" }

local FROM = { outage = " from the outage", incident = " from the first run of the incident" }

local MOST_EXCEPTIONS = 10

-- The first exceptions show why groups were left out; more would push what follows off the screen.
local function print_exceptions(io, result)
  local list = result.exceptions
  for i = 1, math.min(#list, MOST_EXCEPTIONS) do
    io.out(fold.hang_command(io, "    ! " .. terminal.clean(list[i], 1000), 6) .. "\n")
  end
  local more = #list - MOST_EXCEPTIONS
  if more > 0 then
    io.out(("    and %d more: %s\n"):format(more, shell.command("report", { result.journal })))
  end
end

local function print_result(io, result, args)
  local facts = {}
  facts[1] = DONE_BEFORE[result.outcome]
  if result.rto then
    facts[#facts + 1] = ("RTO %s%s"):format(duration.format(result.rto),
      FROM[result.figures.rto.from] or "")
  end
  if result.rpo then
    facts[#facts + 1] = ("RPO %s%s"):format(duration.format(result.rpo),
      result.figures.rpo.basis == "outage" and " to the outage" or "")
  end
  io.out(("  %s %s%s\n"):format(terminal.paint(io, "green", "✔"), result.status:gsub("_", " "),
    #facts > 0 and ", " .. table.concat(facts, ", ") or ""))
  print_exceptions(io, result)
  io.out(view_run.left_down(io, result, network.reach(args)))
  io.out(("    journal %s, head %s\n    %s\n"):format(terminal.clean(result.journal),
    result.head:sub(1, 16), reports.pointer(result.journal, args.report)))
end

-- A journal that another process has taken over is not incomplete: that process completes it.
local function exit_code(io, err)
  if err.code == "Client.Interrupted" then return output.interrupted(io) end
  if err.incomplete and err.code ~= LOST then return output.EXIT.incomplete end
  return output.exit_code(err, true)
end

-- The command that goes on. Where somebody else has moved the group it brings the service up, since
-- a resume would be refused again. After a full disk it moves the journal elsewhere. It names a
-- missing side or a wrong parameter as a corrected one, and a missing file of keys as an option.
local function way_on(io, args, err, path, params)
  local up = err.code == productions.MOVED
    and view_run.commands_up(err.ways_up, path, network.reach(args))[1]
  if up then return up end
  local full = stores.is_path(path) and journal_room.is_full(err)
  local elsewhere = full and journal_room.command(path, args.typed_words,
    cli_clients.runtime(io).getenv, function(target) return M.resume_command(target, args) end)
  local unsaid = err.code == "Client.DirectionNeeded" or err.code == "Client.UnknownSide"
  local cure, why = corrections.cure(err, params)
  local side = unsaid and " --to PLACE --why TEXT" or why
  local taken = (err.code == LOCKED or err.code == LOST) and not stores.is_path(path)
  local standby = taken and " --standby" or ""
  local keyless = err.code == "Client.NoApproverKey" and not args.approvers
  local file = keyless and " --approvers FILE" or ""
  return elsewhere or M.resume_command(path, args, { cure }) .. side .. file .. standby
end

-- Options that have an effect only on steps that are still to come.
local FOR_STEPS = { "skip", "again", "mode", "accept_loss", "force", "outage_at" }

local function tell_too_late(io, args)
  local typed = options.typed(args, FOR_STEPS)
  if #typed == 0 then return end
  io.err(fold.hang(io, ("alicloud-dr: the run had come to its end before, so this has had no "
    .. "effect: %s"):format(table.concat(typed, " ")), 4) .. "\n")
end

local OTHER_PARAMETERS = { ["Client.ParameterFrozen"] = true, ["Client.RunChanged"] = true }

local function typed_command(args)
  local words = {}
  for i, word in ipairs(args.typed_words) do words[i] = shell.quote(word) end
  return "alicloud-dr " .. table.concat(words, " ")
end

local function begin_again(io, args, err, code, command)
  if args.json then
    return output.json(io, code, { error = output.error_object(err), run = command })
  end
  io.err(fold.lines(io, ("alicloud-dr: %s\n    go on:  %s\n"):format(terminal.clean(err, 4000),
    command)))
  return code
end

-- The process that has taken over the run. Asked only after Client.JournalLost: the error itself,
-- raised when the own clock showed that the lease was over, need not know it.
local function holder_now(err, path, io)
  if err.code ~= LOST then return nil end
  return stores.hold(path, run_store.context(io)).holder
end

local function failure_object(args, err, path, go_on, holder)
  return {
    error = output.error_object(err), journal = path, head = err.head,
    status = err.rolled_back and "rolled_back" or nil, production_down = err.production_down,
    bring_up = view_run.bring_up(err, path, network.reach(args)), resume = go_on, again = err.again,
    left_open = err.left_open and core.array(err.left_open), holder = holder, report = args.report,
    correctable = err.correctable and core.array(err.correctable), replay = args.replay,
  }
end

-- What follows the way up where the run cannot be gone on with, and nothing of it is down.
local function then_words(args, err, path)
  local once_up = err.code == productions.MOVED and not err.production_down
    and view_run.once_up(err.ways_up, path, network.reach(args))
  return once_up and ("    then:   %s\n"):format(once_up) or ""
end

local function report_failure(io, args, err, path, params)
  local code = exit_code(io, err)
  local holder = holder_now(err, path, io)
  local go_on = way_on(io, args, err, path, params)
  if args.json then
    return output.json(io, code, failure_object(args, err, path, go_on, holder))
  end
  local said = err.code == "Client.Interrupted" and terminal.interruption(io)
    or terminal.clean(err, 4000)
  io.err(fold.lines(io, view_run.standing(err, path, network.reach(args))))
  for _, text in ipairs(err.left_open or {}) do
    io.err(fold.hang_command(io, "alicloud-dr: " .. terminal.clean(text, 1000), 4) .. "\n")
  end
  local overrule = err.forcible and ("    overrule what it found:  %s %s\n"):format(go_on,
    force_options.words(err.forcible)) or ""
  local held = holder
    and ("    now:    %s\n"):format(terminal.clean(view_run.holder(holder), 400)) or ""
  local head = err.head and ("    head:   %s\n"):format(err.head:sub(1, 16)) or ""
  local form = "alicloud-dr: %s\n%s    go on:  %s\n%s%s    why:    %s\n    %s\n%s"
  io.err(fold.lines(io, form:format(said, held, go_on, view_run.again(err, go_on)
    .. then_words(args, err, path) .. view_run.correctable(err), overrule,
    shell.command("explain", { path }), reports.pointer(path, args.report), head)))
  return code
end

-- A finished run cannot take other parameters: the printed command begins a new one. Without a run
-- in a shared store there is nothing to resume: it is the typed command again, which begins the run
-- or goes on with it.
local function fail(io, args, err, given, state)
  local path, params = given.journal, params_of(given, state)
  hints.at_the_shell(err, args, true)
  if OTHER_PARAMETERS[err.code] and state and state.is_over then
    return begin_again(io, args, err, exit_code(io, err),
      new_run_command(args, params, path, state))
  end
  local is_begun = state or err.head or stores.is_path(path) or err.code == LOCKED
  if is_begun then return report_failure(io, args, err, path, params) end
  return begin_again(io, args, err, exit_code(io, err), typed_command(args))
end

--- Reports how the run has ended. Writes the --report first, since the last lines say where it is.
--- If it cannot be written the exit code is that of a failure, though the run is over.
---@param result alicloud.dr.RunResult|nil
---@param err alicloud.Error|nil
---@param given table options of dr.run
---@param args table
---@param io alicloud.cli.Io
---@param state alicloud.dr.RunState|nil state of the journal before; nil if it had no run
---@return integer exit_code
function M.finish(result, err, given, args, io, state)
  local path, saved, fault = given.journal, true, nil
  if args.report then saved, fault = reports.save(path, args.report, io) end
  if not saved then
    io.err(("alicloud-dr: the report was not written: %s\n"):format(terminal.clean(fault, 1000)))
    args.report = nil
  end
  if not result then return fail(io, args, err, given, state) end
  if state and state.is_over then tell_too_late(io, args) end
  local code = saved and output.EXIT.done or output.EXIT.failed
  if args.json then
    local object = result_object(result, network.reach(args))
    object.report, object.replay = args.report, args.replay
    return output.json(io, code, object)
  end
  print_result(io, result, args)
  return code
end

return M
