--- `alicloud-dr run`: run a playbook, or go on with its unfinished run.

local output = require "alicloud.cli.output"
local playbooks = require "alicloud.cli.playbooks"
local script = require "alicloud.cli.script"
local session = require "alicloud.cli.session"

local M = { name = "run", summary = "Run a playbook; run again it goes on where it ended." }

local EPILOG = [[
The journal is kept in $ALICLOUD_DR_JOURNALS, else in $XDG_STATE_HOME/alicloud-dr, else in
~/.local/state/alicloud-dr. The same file with the same parameters goes on with its unfinished run;
a finished one is followed by a new one.

Parameters are kept in the journal, so none may be a secret: give those through the environment.

`alicloud-dr playbooks` tells the ready ones and what they take.

Examples:
  alicloud-dr run failover group=pg-orders region=cn-shanghai max_rpo=20m
  alicloud-dr run orders.lua --region cn-shanghai max_rpo=20m
  alicloud-dr run orders.lua --region cn-shanghai --incident INC-4711 --approvers approvers.txt

]] .. playbooks.EPILOG

---@param command table of argparse
function M.configure(command)
  script.add_arguments(command)
  command:option "--journal":argname "<path>":description "Keep the journal there."
  command:flag "--new":description "Begin a new run though an unfinished one is there."
  playbooks.add_options(command)
  command:epilog(EPILOG)
end

--- Runs the command.
---@param args table
---@param io alicloud.cli.Io
---@return integer exit_code
function M.run(args, io)
  local given = playbooks.read_options(args, io)
  local playbook
  playbook, given.params = script.open(args, io)
  given.journal = args.journal
  if not given.journal then
    local directory = playbooks.directory(session.runtime(io).getenv)
    local err
    given.journal, err = playbooks.find_journal(playbook, given.params, directory, args.new)
    if not given.journal then return output.fail(io, args, err) end
  end
  return playbooks.carry_out(playbook, given, args, io)
end

return M
