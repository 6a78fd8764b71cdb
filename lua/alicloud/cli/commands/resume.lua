--- `alicloud-dr resume`: goes on with a run from its journal.

local core = require "alicloud.core"
local lazy = require "alicloud.base.lazy"
local options = require "alicloud.cli.options"
local orders = require "alicloud.cli.orders"
local output = require "alicloud.cli.output"
local playbook_argument = require "alicloud.cli.playbook_argument"
local playbooks = require "alicloud.cli.playbook_run"
local run_ends = require "alicloud.cli.run_end"
local run_journal = require "alicloud.cli.run_journal"
local run_store = require "alicloud.cli.run_store"
local stores = require "alicloud.dr.store"
local terminal = require "alicloud.cli.terminal"

---@module "alicloud.cli.options.replay"
local replays = lazy.module "alicloud.cli.options.replay"

---@type alicloud.cli.Command
local M = {}

local EPILOG = [[
Finished steps are not done again. A failover whose outcome never came is looked at first: it is
sent again only under its token, only if nothing has happened, and only within two minutes.

The playbook is executed with all your rights. So it and the journal that names it belong to you or
to root, or lie where your team keeps its files, and nobody else may write them. A playbook that was
edited since is asked about, or takes --accept-edit.

It works from every directory: the journal knows the playbook's whole path. Commands of a playbook
(stop=…, verify=…) run in the directory in which resume is typed.

A parameter that later steps take can be another one: NAME=VALUE, with --why. What a finished step
was done with is refused by its name. Gates ask again for what was approved with other values.

Examples:
  alicloud-dr resume ~/.local/state/alicloud-dr/orders-5f1d2c3b4a-1.jsonl
  alicloud-dr resume orders-5f1d2c3b4a-1.jsonl \
    --skip 'fence=the old region is gone'
  alicloud-dr resume orders-5f1d2c3b4a-1.jsonl attach=i-right --why 'typo'

]] .. playbooks.EPILOG

function M.configure(command)
  command:argument("journal", "The journal: a path, or an address.")
  command:argument("param", "NAME=VALUE, a corrected parameter; needs --why."):args "*"
  command:option("--to", "The parameter to, corrected: the side that takes over."):argname "<place>"
  command:option("--file", "The playbook, if it is not where it was."):argname "<playbook>"
  playbooks.add_options(command)
  command:epilog(EPILOG)
end

-- The state of the journal's run. The journal is obeyed, so it must be trusted before it is read.
local function begun(path, context)
  local text, err = stores.read_trusted(path, context)
  if not text then return nil, err end
  local state
  state, err = run_journal.state(path, text)
  if state and not state.run then options.refuse(("journal: %s holds no run"):format(path)) end
  return state, err
end

-- The copy of the playbook that was handed over with the journal, if its file cannot be read. Its
-- digest is compared like that of the file.
local function handed_over(args, io)
  local read = orders.reader(args, io)
  if playbook_argument.is_ready(args.file) or read(args.file) then return nil end
  local text = read(playbook_argument.packed_name(args.journal))
  return text and playbook_argument.unpack(text)
end

-- Reads the playbook; on another machine its file may lie elsewhere.
local function read_playbook(args, io, go_on)
  if args.chosen_file then
    return playbook_argument.read(args.file, io, orders.reader(args, io))
  end
  local source = handed_over(args, io)
  local ready = source or playbook_argument.is_ready(args.file)
  if not ready and not core.look(args.file) then
    options.refuse(("--file: is missing; the run was begun with %s, which is not there: %s --file "
      .. "PATH"):format(terminal.clean(args.file), go_on))
  end
  return source or playbook_argument.read(args.file, io, orders.reader(args, io))
end

function M.run(args, io)
  local given = playbooks.read_options(args, io)
  if io.replay then replays.check_journal(args.journal) end
  args.journal = run_store.journal(args.journal)
  local state, err = begun(args.journal, run_store.context(io))
  if not state then return output.fail(io, args, err) end
  args.chosen_file = args.file
  local go_on = run_ends.resume_command(args.journal, args)
  args.file, args.region = args.file or state.run.file, args.region or state.run.region
  if not args.file then
    options.refuse(("--file: is missing; the journal does not know the playbook's file: %s --file "
      .. "PATH"):format(go_on))
  end
  local source = read_playbook(args, io, go_on)
  local ok, edited = orders.confirm_edit(source.digest, state.digest, go_on, args, io)
  if not ok then return output.fail(io, args, edited) end
  given.journal = args.journal
  local corrected = playbook_argument.read_params({ param = args.param, to = args.to },
    orders.reader(args, io))
  local playbook = playbook_argument.load(source)
  playbook_argument.check_mode(playbook, args)
  given.corrections = playbooks.corrections(corrected, args, given.requester, playbook)
  return playbooks.carry_out(playbook, given, args, io, state)
end

return M
