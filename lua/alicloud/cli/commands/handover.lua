--- `alicloud-dr handover`: lets another person go on with a run, wherever its journal lies.

local core = require "alicloud.core"
local cli_clients = require "alicloud.cli.client"
local errors = require "alicloud.base.error"
local fold = require "alicloud.cli.fold"
local files = require "alicloud.dr.store.file"
local options = require "alicloud.cli.options"
local orders = require "alicloud.cli.orders"
local output = require "alicloud.cli.output"
local playbook_argument = require "alicloud.cli.playbook_argument"
local private = require "alicloud.dr.store.private"
local relocate = require "alicloud.dr.store.relocate"
local run_journal = require "alicloud.cli.run_journal"
local run_store = require "alicloud.cli.run_store"
local shell = require "alicloud.base.shell"
local sources = require "alicloud.dr.playbook.source"
local stores = require "alicloud.dr.store"
local terminal = require "alicloud.cli.terminal"
local trusted_files = require "alicloud.base.trusted_file"
local ways = require "alicloud.dr.playbook.way"

---@type alicloud.cli.Command
local M = {}

local EPILOG = [[
In a directory of a team (setgid, its group one of yours) the members of its group go on with each
other's runs. A journal that lies elsewhere is moved there by --to; it is never in two places. The
playbook goes along, in JOURNAL.playbook, and its digest is compared when the run goes on. Who runs
it then is written down.

--to may be any directory: then the files are yours, and whoever takes them over copies them, so
that they are his. It is also the way off a disk that is full, which it writes nothing to. Locks on
groups lie beside journals, and do not go along.

A run in a shared store needs none of this: whoever reaches the store goes on with it (resume).

A run that is at work is not handed over: interrupt it first (Ctrl-C), which undoes nothing.

Examples:
  alicloud-dr handover orders-5f1d2c3b4a-1.jsonl --to /var/lib/alicloud-dr
  alicloud-dr handover /var/lib/alicloud-dr/orders-5f1d2c3b4a-1.jsonl

Exit codes: 0 done, 1 failed or somebody runs it, 2 usage.]]

function M.configure(command)
  command:argument("journal", "The journal of the run: a path.")
  command:option("--to", "Move it into this directory."):argname "<directory>"
  command:option("--file", "The playbook, if it is not where it was."):argname "<playbook>"
  orders.add_option(command)
  options.add_json(command)
  command:epilog(EPILOG)
end

-- The state of an unfinished run, also of one whose move was interrupted.
local function read(path)
  local moved = relocate.moved_name(path)
  local at = not core.look(path) and core.look(moved) and moved or path
  local text, err = files.read_trusted(at)
  if not text then return nil, err end
  local state
  state, err = run_journal.state(at, text)
  if not state then return nil, err end
  if not state.run then options.refuse(("journal: %s holds no run"):format(path)) end
  if state.is_over then
    options.refuse(("journal: the run of %s has come to its end: %s"):format(path,
      shell.command("report", { path })))
  end
  return state
end

-- Refuses shared stores: a run there needs no move, and a run in files cannot move there, since its
-- locks are files.
local function refuse_shared(args)
  if not stores.is_path(args.journal) then
    options.refuse(("journal: a run in a shared store is at hand wherever the store is reached, so "
      .. "nothing is handed over; there: %s"):format(shell.command("resume",
      { run_store.journal(args.journal) })))
  end
  if args.to and not stores.is_path(args.to) then
    options.refuse(("--to: got %s; allowed: a directory: a run that was begun in files ends there, "
      .. "since its locks are there. One that several machines can take over is begun in the "
      .. "store: alicloud-dr run PLAYBOOK --store ADDRESS"):format(shell.quote(args.to)))
  end
end

local function needs_place(path)
  return options.refuse(("--to: is missing; %s lies in a directory that is yours alone: --to a "
    .. "directory of your team (%s), or any other to hand the files over"):format(path,
    private.TEAM_HINT))
end

local function place_of(directory)
  local place, message = trusted_files.place(directory)
  if not place then options.refuse("--to: " .. message) end
  return place
end

local function directory_of(path) return path:match "^(.*)/[^/]*$" or "." end

-- The target directory, its trusted_files.place, and whether the journal has to be moved.
local function destination(args, io)
  local here = directory_of(args.journal)
  local to = args.to
  if not to and not place_of(here).team then
    to = run_journal.directory(cli_clients.runtime(io).getenv)
    if not core.look(to) or not place_of(to).team then needs_place(args.journal) end
  end
  local place = place_of(to or here)
  -- Whole paths, since the printed command may be typed in another directory.
  args.journal = (core.real_path(here) or here) .. "/" .. args.journal:match "[^/]*$"
  to = core.real_path(to or here)
  return to, place, to ~= directory_of(args.journal)
end

-- The playbook with which the run was last executed; any other text is refused.
local function playbook_of(args, state, io)
  local file = args.file or state.run.file
  if not file or playbook_argument.is_ready(file) then return nil end
  local source = playbook_argument.read(file, io, orders.reader(args, io))
  if source.digest == state.digest then return source end
  return nil, errors.new { kind = "state", code = "Client.PlaybookChanged", outcome = "not_sent",
    message = ("%s is not what this run was last executed with"):format(file),
    hint = "name a copy of that: --file PATH" }
end

local TEAM_MODE, MODE = tonumber("640", 8), tonumber("600", 8)

local function leave_playbook(source, target, place)
  if not source then return true end
  local path = playbook_argument.packed_name(target)
  os.remove(path)
  local file <close>, message, code = core.open_file(path, "create",
    place.team and TEAM_MODE or MODE)
  local ok = file ~= nil
  if ok then ok, message, code = file:append(core.encode(sources.pack(source))) end
  if ok then ok, message, code = file:sync() end
  if not ok then return nil, private.failure(path, message, code) end
  return true
end

-- Refuses a run that is at work. The lock is read, not taken.
local function check_free(path)
  local hold = files.hold(path)
  if not hold.held then return true end
  local who = hold.holder or {}
  return nil, errors.new { kind = "journal", code = "Client.JournalLocked", outcome = "not_sent",
    message = ("%s is at work: process %s of %s on %s"):format(path, tostring(who.pid),
      tostring(who.owner), tostring(who.host)),
    hint = "interrupt it (Ctrl-C), which undoes nothing; then hand it over" }
end

local function tell(io, state, target, place, command)
  local told = ("  %s %s of %s: nobody runs it, and %s"):format(terminal.paint(io, "green", "✔"),
    terminal.clean(state.run.run_id), terminal.clean(state.owner or "?"), place.team
    and ("members of the group %d may go on with it"):format(place.team)
    or "whoever takes it over copies " .. terminal.clean(target) .. "* first")
  io.out(fold.hang(io, told, 4) .. "\n")
  io.out(("    locks on groups lie in %s\n    go on:  %s\n"):format(
    terminal.clean(directory_of(target)), command))
end

local function carry_out(args, io)
  local to, place, moves = destination(args, io)
  local state, err = read(args.journal)
  if not state then return nil, err end
  local ok, source
  ok, err = check_free(args.journal)
  if not ok then return nil, err end
  source, err = playbook_of(args, state, io)
  if err then return nil, err end
  local target = args.journal
  if moves then target, err = relocate.move(args.journal, to) end
  if not target then return nil, err end
  ok, err = leave_playbook(source, target, place)
  if not ok then return nil, err end
  return { target = target, state = state, place = place }
end

function M.run(args, io)
  refuse_shared(args)
  local done, err = carry_out(args, io)
  if not done then return output.fail(io, args, err, true) end
  local command = shell.command("resume", { done.target }, ways.options(done.state.way))
  if args.json then
    return output.json(io, output.EXIT.done, { journal = done.target, resume = command,
      run_id = done.state.run.run_id, team = done.place.team })
  end
  tell(io, done.state, done.target, done.place, command)
  return output.EXIT.done
end

return M
