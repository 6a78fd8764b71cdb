--- `alicloud-dr ungraceful`: tells a run that goes on elsewhere that the old side is given up.

local cli_clients = require "alicloud.cli.client"
local inbox = require "alicloud.dr.playbook.inbox"
local options = require "alicloud.cli.options"
local output = require "alicloud.cli.output"
local run_inbox = require "alicloud.cli.run_inbox"
local run_store = require "alicloud.cli.run_store"

---@type alicloud.cli.Command
local M = {}

local EPILOG = [[
The run notices within a second: a step that is graceful_only is given up if it is under way, and
left out from then on. Who said so and why is kept. A playbook that needs the old side (planned,
failback) has no ungraceful way, and is not told: what gives a lost side up is failover.

Example:
  alicloud-dr ungraceful orders-5f1d2c3b4a-1.jsonl \
    --why 'cn-hangzhou does not answer any more'

Exit codes: 0 done, 1 failed, 2 usage.]]

function M.configure(command)
  command:argument("journal", "The journal of the run: a path, or an address.")
  command:option("--why", "The reason, which is kept. It is needed."):argname "<text>"
  command:option("--as", "Who says so; else $USER."):target "requester":argname "<name>"
  command:flag("--graceful", "Take it back: the old side counts again.")
  options.add_json(command)
  command:epilog(EPILOG)
end

local function leave(args, person, context)
  local state, err = run_inbox.read(args.journal, context)
  if not state then return nil, err end
  local way = not args.graceful and state.run.graceful_only
  if way then
    options.refuse(("journal: %s has no ungraceful way: %s"):format(state.run.playbook, way))
  end
  return run_inbox.post(args.journal, inbox.mode_line(state.run.run_id,
    args.graceful and "graceful" or "ungraceful", person, args.why), context)
end

function M.run(args, io)
  local person = options.person(args, cli_clients.runtime(io).getenv)
  if not person then options.refuse "--as: is missing" end
  if not (args.why and args.why:find("%S")) or args.why:find("%c") then
    options.refuse "--why: a reason is needed, without control characters"
  end
  args.journal = run_store.journal(args.journal)
  local ok, err = leave(args, person, run_store.context(io))
  if not ok then return output.fail(io, args, err) end
  if args.json then return output.json(io, output.EXIT.done, { left = true }) end
  io.out "  ✔ left for the run\n"
  return output.EXIT.done
end

return M
