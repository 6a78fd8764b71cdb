--- `alicloud-dr resume`: go on with a run from its journal.

local files = require "alicloud.dr.store.file"
local journals = require "alicloud.dr.journal"
local options = require "alicloud.cli.options"
local output = require "alicloud.cli.output"
local playbooks = require "alicloud.cli.playbooks"
local script = require "alicloud.cli.script"

local M = { name = "resume", summary = "Go on with a run from its journal." }

local EPILOG = [[
Finished steps are not done again. A failover whose outcome never came is looked at first: it is
sent again only under its token, only if nothing has happened, and only within two minutes.

It works from every directory: the journal knows the playbook's whole path. Commands of a playbook
(stop=…, verify=…) run in the directory in which resume is typed.

Examples:
  alicloud-dr resume ~/.local/state/alicloud-dr/orders-5f1d2c3b4a-1.jsonl
  alicloud-dr resume orders-5f1d2c3b4a-1.jsonl --skip 'fence=the old region is gone'

]] .. playbooks.EPILOG

---@param command table of argparse
function M.configure(command)
  command:argument "journal":description "The journal."
  command:option "--file":argname "<path>"
    :description "The playbook, if it is not where it was."
  playbooks.add_options(command)
  command:epilog(EPILOG)
end

local function begun(path)
  local text, err = files.read(path)
  if not text then return nil, err end
  local first, damage = journals.first(text)
  if damage then return nil, journals.damaged(path, damage) end
  if not first or first.type ~= "run" then
    options.refuse(("journal: %s holds no run"):format(path))
  end
  return first
end

--- Runs the command.
---@param args table
---@param io alicloud.cli.Io
---@return integer exit_code
function M.run(args, io)
  local given = playbooks.read_options(args, io)
  local run, err = begun(args.journal)
  if not run then return output.fail(io, args, err) end
  local file = args.file or run.file
  if not file then
    options.refuse "--file: is missing; the journal does not know the playbook's file"
  end
  args.region = args.region or run.region
  given.journal = args.journal
  local playbook = script.load(file, io)
  script.check_mode(playbook, args)
  return playbooks.carry_out(playbook, given, args, io)
end

return M
