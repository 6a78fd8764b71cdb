--- Options and questions of a run on the command line, for `run` and `resume`.

local accounts = require "alicloud.dr.playbook.account"
local anchors = require "alicloud.dr.playbook.anchor"
local cli_clients = require "alicloud.cli.client"
local consents = require "alicloud.cli.consent"
local core = require "alicloud.core"
local dr = require "alicloud.dr"
local event_options = require "alicloud.cli.options.events"
local force_options = require "alicloud.cli.options.force"
local formats = require "alicloud.base.formats"
local headway_lines = require "alicloud.cli.headway_line"
local keys = require "alicloud.cli.keys"
local lazy = require "alicloud.base.lazy"
local listeners = require "alicloud.cli.listeners"
local net_options = require "alicloud.net.options"
local network = require "alicloud.cli.options.network"
local options = require "alicloud.cli.options"
local orders = require "alicloud.cli.orders"
local prompts = require "alicloud.cli.prompt"
local reports = require "alicloud.cli.commands.report"
local run_ends = require "alicloud.cli.run_end"
local terminal = require "alicloud.cli.terminal"

---@module "alicloud.cli.step_wishes"
local wishes = lazy.module "alicloud.cli.step_wishes"
---@module "alicloud.dr.playbook.corrections"
local corrections = lazy.module "alicloud.dr.playbook.corrections"
---@module "alicloud.dr.playbook.params"
local params = lazy.module "alicloud.dr.playbook.params"
---@module "alicloud.cli.fold"
local fold = lazy.module "alicloud.cli.fold"
---@module "alicloud.cli.run_progress"
local run_progress = lazy.module "alicloud.cli.run_progress"
---@module "alicloud.cli.options.replay"
local replays = lazy.module "alicloud.cli.options.replay"

local M = {}

M.EPILOG = [[
Exit codes: 0 done, 1 refused or failed, 2 usage, 3 outcome unknown, 4 the journal could not be
written to its end; 130 interrupted, 143 by SIGTERM, 129 by a lost terminal. Where a run was begun
and has not come to its end, the command that goes on is printed.]]

--- Adds the options of a run.
---@param command table of argparse
function M.add_options(command)
  options.add_common(command, "Region of the client, usually the secondary site")
  command:option("--kind", "What the run is for; else as the playbook says (unplanned).")
    :choices { "drill", "planned", "unplanned" }
  command:option("--mode", "ungraceful leaves out what needs the old side; asked for again it "
    .. "switches. A playbook that cannot do without (planned, failback) refuses it.")
    :choices { "graceful", "ungraceful" }
  command:option("--incident", "Derive the tokens from this name: operators who give the same send "
    .. "the same."):argname "<name>"
  command:option("--as", "Who asks for the run, and so cannot approve it; else $USER.")
    :target "requester":argname "<name>"
  command:option("--approvers", "Public keys of those who may approve: lines of NAME KEY.")
    :argname "<file>"
  command:option("--sign", "Sign the journal's head with this key when the attempt ends, however "
    .. "it ends; a key is made by `approve --new-key`."):argname "<file>"
  command:option("--anchor", "Hand the head to a witness at the beginning, at the point of no "
    .. "return and at the end: a command line for sh ($ALICLOUD_DR_HEAD, _RUN, _MOMENT, _RECORDS), "
    .. "or a URL that takes a POST. Its answer is kept; that it fails stops nothing.")
    :argname "<cmd|url>"
  command:option("--skip", "Leave a step out, or break a gate open (gate:NAME=WHY: a gate may have "
    .. "the name of the step behind it); the reason is kept."):argname "<step=why>":count "*"
  command:option("--again", "A step in doubt may be done once more, as if it had sent nothing.")
    :argname "<step>":count "*"
  command:option("--accept-loss", "Accept a recovery point of that age; needs --why, and --as or "
    .. "$USER."):argname "<duration>"
  force_options.add(command)
  command:option("--why", "Reason for --accept-loss, --force and corrected parameters.")
    :argname "<text>"
  options.add_outage_at(command)
  command:option("--rto", "Declared recovery time."):argname "<duration>"
  command:option("--rpo", "Declared loss of data."):argname "<duration>"
  command:flag("--accept-edit", "Execute the playbook though it was edited, and though it leaves "
    .. "finished steps out.")
  orders.add_option(command)
  event_options.add(command)
  command:flag("--standby", "While another process has the run, wait until that ends or is gone; "
    .. "then go on with it.")
  command:option("--account", "Number of the account that has the groups, for their locks in a "
    .. "shared store; else $ALICLOUD_DR_ACCOUNT, else it is asked."):argname "<account>"
  command:flag("-y --yes", "Do not ask for the typed group id.")
  command:flag("--no-ask", "Never ask: the run is agreed to as with --yes, and what else would be "
    .. "asked stops it.")
  command:option "--report":argname "<file>"
    :description("Write a report there when it ends, however it ends: " .. reports.SUFFIXES .. ".")
end

local function read_pairs(field, list)
  local map = {}
  for _, word in ipairs(list) do
    local name, value = word:match("^([^=]+)=(.*%S.*)$")
    if not name then
      options.refuse(("%s: got %q; allowed: NAME=TEXT"):format(field, word))
    end
    options.check_reason(field, value)
    map[name] = value
  end
  return map
end

local function accepted_loss(args, person)
  local seconds = options.duration(args, "accept_loss", 1)
  if not seconds then return nil end
  if not (args.why and args.why:find("%S")) or not person then
    options.refuse "--accept-loss: needs --why TEXT and, without $USER, --as NAME"
  end
  return { seconds = seconds, by = person, why = args.why }
end

--- The correction that was typed for parameters of a run that has begun. Parameters that the
--- playbook declares as changeable at any time need no reason.
---@param values table<string, any>
---@param args table with `why`
---@param person string|nil
---@param playbook alicloud.dr.Playbook
---@return alicloud.dr.CorrectionWish|nil
function M.corrections(values, args, person, playbook)
  if next(values) == nil then return nil end
  if not args.why and corrections.are_revisable(playbook, values) then
    return { values = values, why = corrections.ANEW, by = person }
  end
  local stranger = params.stranger(playbook.params, values)
  if stranger then options.refuse(stranger) end
  if not (args.why and args.why:find("%S")) or not person then
    options.refuse "parameter: a correction needs --why TEXT and, without $USER, --as NAME"
  end
  return { values = values, why = args.why, by = person }
end

local ANSWERS = { a = "again", again = "again", s = "skip", skip = "skip", p = "stop",
  stop = "stop" }

-- Accepts a whole word or its letter ("stop" and "skip" begin alike). For anything else it returns
-- nil and the question is asked again; the end of the input stops the run.
local function answer_of(typed, question)
  if not typed then return "stop" end
  local answer = ANSWERS[typed:lower()]
  if answer == "skip" and (question.release or question.critical) then return nil end
  return answer
end

local function ask_person(io, person, args)
  return function(question)
    local allowed = question.release and "(a): move them all the same, or sto(p)"
      or question.canary and "(a)gain with another canary, (s)kip: go on without one, or sto(p)"
      or question.critical and "(a)gain or sto(p)" or "(a)gain, (s)kip or sto(p)"
    local function show()
      io.err(fold.hang(io, ("  ? %s: %s"):format(terminal.clean(question.step),
        terminal.clean(question.err.message, 1000)), 6) .. "\n")
    end
    return prompts.choose(io, show, args.client.loop, ("    %s: "):format(allowed),
      function(typed) return answer_of(typed, question) end), person
  end
end

--- Reads the options of dr.run from what was typed.
---@param args table
---@param io alicloud.cli.Io
---@return table
function M.read_options(args, io)
  local runtime = cli_clients.runtime(io)
  local person = options.person(args, runtime.getenv)
  options.keep_endpoint(args, io, runtime.getenv)
  reports.check_target("--report", args.report)
  options.check_reason("--why", args.why)
  local again = {}
  for _, step in ipairs(args.again) do again[step] = true end
  local declared = { rto = options.duration(args, "rto", 1),
    rpo = options.duration(args, "rpo", 1) }
  return {
    kind = args.kind, mode = args.mode, requester = person,
    incident = options.text(args, "incident", formats.INCIDENT),
    outage_at = options.outage_at(args),
    approvers = args.approvers
      and keys.public("--approvers", args.approvers, orders.reader(args, io)) or nil,
    approvers_from = args.approvers and keys.origin(args.approvers) or nil,
    approvers_file = args.approvers and core.real_path(args.approvers) or nil,
    way = network.way(args), sign = keys.signer(args.sign, person),
    anchor = options.text(args, "anchor", anchors.RULE),
    anchor_network = args.anchor
      and net_options.settings(network.read(args, options.refuse), runtime.getenv) or nil,
    skip = read_pairs("--skip", args.skip), again = again,
    accept_loss = accepted_loss(args, person), force = force_options.read(args, person),
    accept_edit = args.accept_edit, standby = args.standby,
    account = options.text(args, "account", accounts.RULE),
    declared = next(declared) and declared or nil,
    ask = not args.no_ask and io.input_tty and ask_person(io, person, args) or nil,
  }
end

--- Runs a playbook at the terminal, from its beginning or from where its journal ends.
---@param playbook alicloud.dr.Playbook
---@param given table options of dr.run
---@param args table
---@param io alicloud.cli.Io
---@param state alicloud.dr.RunState|nil state of the journal's run; nil if it has none
---@return integer exit_code
function M.carry_out(playbook, given, args, io, state)
  wishes.check(playbook, given, io, state)
  given.confirm = consents.of_run(playbook, state, args, io, given.requester)
  local client <close> = cli_clients.open(args, io)
  given.client = client
  if io.replay then
    given.replay = core.real_path(args.replay) or args.replay
    given.program = replays.program(io)
  end
  if not args.json then
    io.out(("  %s   journal %s\n"):format(terminal.clean(playbook.name),
      terminal.clean(given.journal)))
    given.progress = run_progress.of(io, given.journal)
  end
  given.headway = headway_lines.every(io, args)
  given.progress = listeners.of_runs(io, playbook.name, given.progress)
  local result, err = dr.run(playbook, given)
  if err then listeners.tell(io, "failed", err) end
  return run_ends.finish(result, err, given, args, io, state)
end

return M
