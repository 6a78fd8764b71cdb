--- `alicloud-dr run`: runs a playbook, or goes on with its unfinished run.

local cli_clients = require "alicloud.cli.client"
local core = require "alicloud.core"
local errors = require "alicloud.base.error"
local journal_room = require "alicloud.cli.journal_room"
local lazy = require "alicloud.base.lazy"
local options = require "alicloud.cli.options"
local orders = require "alicloud.cli.orders"
local output = require "alicloud.cli.output"
local playbook_argument = require "alicloud.cli.playbook_argument"
local playbooks = require "alicloud.cli.playbook_run"
local run_ends = require "alicloud.cli.run_end"
local run_journal = require "alicloud.cli.run_journal"
local run_store = require "alicloud.cli.run_store"
local schema = require "alicloud.base.schema"
local stores = require "alicloud.dr.store"
local tables = require "alicloud.base.tables"

---@module "alicloud.dr.playbook.corrections"
local corrections = lazy.module "alicloud.dr.playbook.corrections"
---@module "alicloud.cli.incident"
local incidents = lazy.module "alicloud.cli.incident"
---@module "alicloud.dr.playbook.params"
local params = lazy.module "alicloud.dr.playbook.params"
---@module "alicloud.cli.options.replay"
local replays = lazy.module "alicloud.cli.options.replay"

---@type alicloud.cli.Command
local M = {}

local EPILOG = [[
The run lives in the shared store of --store or $ALICLOUD_DR_STORE, which several machines reach, as
etcd+https://HOST,HOST/PREFIX (see `alicloud-dr manual controllers`); else in files of this machine,
in $ALICLOUD_DR_JOURNALS, else in /var/lib/alicloud-dr if that is a setgid directory of a group of
yours, else in $XDG_STATE_HOME/alicloud-dr or ~/.local/state/alicloud-dr.
Locks on groups are kept beside journals: runs in other directories do not see them. The same file
with the same parameters goes on with its unfinished run; a finished one is followed by a new one.

A playbook is executed with all your rights. So its file belongs to you or to root, or lies where
your team keeps its files, and nobody else may write it; the same holds for Lua modules of its own,
which lie beside it: require "NAME" reads NAME.lua there. One that was edited since its run began is
asked about, or takes --accept-edit.

An unfinished run that is past its point of no return, or has left production down, is not begun
anew beside itself: with other parameters it goes on with those as corrections, which need --why.

Parameters are kept in the journal, so none may be a secret: give those through the environment.

`alicloud-dr playbooks` tells the ready ones and what they take.

A playbook with a point of no return is asked about before its first change: groups, pairs, recovery
point and loss are shown, and the group id is typed. Without a terminal it needs --yes. Of another
playbook a terminal is asked before its first failover, failback or reprotection; a run that was
not agreed to there needs --yes elsewhere. A drill is not asked about, nor is what the journal says
was agreed to.

Examples:
  alicloud-dr run failover group=pg-orders region=cn-shanghai max_rpo=20m
  alicloud-dr run failover group=pg-orders region=cn-shanghai --yes
  alicloud-dr run orders.lua --region cn-shanghai max_rpo=20m
  alicloud-dr run orders.lua --region cn-shanghai --incident INC-4711 \
    --approvers approvers.txt
  alicloud-dr run orders.lua --sign ~/.ssh/dr.key \
    --anchor 'logger -t dr "$ALICLOUD_DR_HEAD"'

]] .. playbooks.EPILOG

function M.configure(command)
  playbook_argument.add_arguments(command)
  command:option("--journal", "Keep the journal there: a path, or the address of a run in a shared "
    .. "store."):argname "<journal>"
  command:option("--store", "Keep the run in this shared store, under a name of its own; else "
    .. "$ALICLOUD_DR_STORE."):argname "<address>"
  command:flag("--new", "Begin a new run though an unfinished one is there.")
  playbooks.add_options(command)
  command:epilog(EPILOG)
end

-- The state of the run in a journal; false if it holds none.
local function begun(path, context)
  local text, err = stores.read_trusted(path, context)
  if not text and err.errno == "ENOENT" then return false end
  if not text then return nil, err end
  local state, fault = run_journal.state(path, text)
  if not state then return nil, fault end
  return state.run and state or false
end

-- Adds a parameter as it was typed: texts from files are not printed, and lists are typed
-- repeatedly.
local function add_typed(words, name, value, args)
  local before = #words
  for _, word in ipairs(args.param) do
    if word:match "^[^=]*" == name then words[#words + 1] = word end
  end
  if #words == before then words[#words + 1] = name .. "=" .. tostring(value) end
end

-- Makes changed parameters corrections, which need --why unless the playbook says otherwise.
local function correct(given, state, path, args, playbook)
  local values, words = {}, {}
  for _, name in ipairs(tables.keys(given.params)) do
    local value = given.params[name]
    if core.encode { value } ~= core.encode { state.params[name] } then
      values[name] = value
      add_typed(words, name, value, args)
    end
  end
  -- A parameter that is missing now cannot be corrected; dr.run refuses it.
  for name in pairs(state.params) do
    if given.params[name] == nil then return false end
  end
  if #words == 0 then return true end
  if not args.why and not corrections.are_revisable(playbook, values) then
    return nil, errors.new { kind = "state", code = "Client.RunChanged", outcome = "not_sent",
      message = ("%s holds an unfinished run with other parameters: %s"):format(path,
        table.concat(words, " ")),
      hint = ("a run of its own takes --new; to correct them: %s --why TEXT"):format(
        run_ends.resume_command(path, args, words)) }
  end
  given.params, given.corrections = nil, playbooks.corrections(values, args, given.requester,
    playbook)
  return true
end

-- Checks parameters and playbook against the unfinished run of the journal, if there is one.
local function go_on_with(playbook, state, given, args, io)
  local path = given.journal
  if not state or state.is_over then return true end
  local ok, err = correct(given, state, path, args, playbook)
  if ok == nil then return nil, err end
  return orders.confirm_edit(playbook.digest, state.digest, run_ends.resume_command(path, args),
    args, io)
end

-- Where the run is looked for or begun; nil if --journal names it.
local function place_of(args, io)
  local getenv = cli_clients.runtime(io).getenv
  if io.replay then args.journal = replays.journal(args, getenv) end
  if args.store and args.journal then
    options.refuse "--store: cannot be given together with --journal, which names the run's place"
  end
  if args.journal then
    args.journal = run_store.journal(options.text(args, "journal", schema.text), "--journal")
    return nil
  end
  return args.store and run_store.store(args.store, "--store") or run_journal.place(getenv)
end

-- The journal of the unfinished run that was typed, or a new one.
local function journal_of(place, playbook, given, args, io)
  local in_files, ok, name, err = stores.is_path(place), true, nil, nil
  if in_files then ok, err = run_journal.make_directory(place, io) end
  if ok then
    name, err = run_journal.find(playbook, given.params, place, run_store.context(io), args.new)
  end
  if not name and in_files and journal_room.is_full(err) then
    err.hint = journal_room.command(place .. "/run.jsonl", args.typed_words,
      cli_clients.runtime(io).getenv) or err.hint
  end
  return name, err
end

function M.run(args, io)
  local given = playbooks.read_options(args, io)
  local place = place_of(args, io)
  local playbook, read, err
  playbook, given.params, read = playbook_argument.open(args, io)
  given.journal = args.journal
  if not given.journal then
    given.journal, err = journal_of(place, playbook, given, args, io)
    if not given.journal then return output.fail(io, args, err) end
  end
  local context = run_store.context(io)
  -- A replay does not look at the journals of real runs.
  given.incident_since = not io.replay and incidents.since(given, playbook.name, context) or nil
  local ok, state
  state, err = begun(given.journal, context)
  if state == nil then return output.fail(io, args, err) end
  -- Refused before a journal exists that could never be resumed.
  local missing = not state and params.missing_program(playbook.params, read)
  if missing then options.refuse(missing) end
  ok, err = go_on_with(playbook, state, given, args, io)
  if not ok then return output.fail(io, args, err) end
  return playbooks.carry_out(playbook, given, args, io, state or nil)
end

return M
