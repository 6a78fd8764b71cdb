--- `alicloud-dr serve`: after a failover, attaches the opened disks and starts the instances.

local change = require "alicloud.cli.change"
local cli_clients = require "alicloud.cli.client"
local consents = require "alicloud.cli.consent"
local force_options = require "alicloud.cli.options.force"
local group_names = require "alicloud.cli.group_names"
local options = require "alicloud.cli.options"
local output = require "alicloud.cli.output"
local params = require "alicloud.dr.playbook.params"
local part_set = require "alicloud.dr.model.part_set"
local view_compute = require "alicloud.cli.view_compute"

---@type alicloud.cli.Command
local M = {}

local EPILOG = [[
What happens: the group must be failed over, or be copied from this side while the other one stands
still; its disks and the instances are looked at, and what would be attached and started is shown;
you type the group id; each disk is attached and each instance started, only if it is not so
already. A disk that is on its way (Creating, Detaching) is waited for. None of these calls has a
token: asked again, it looks first.

Examples:
  alicloud-dr serve pg-orders --region cn-shanghai --attach i-orders-sh
  alicloud-dr serve pg-orders --region cn-shanghai \
    --attach d-1:i-1,d-2:i-2 --no-start
  alicloud-dr serve pg-zones --to cn-hangzhou-h --attach i-web --yes

Exit codes: 0 serving (or already was), 1 refused or failed, 2 usage, 3 outcome unknown,
130 interrupted.]]

local ATTACH = { { name = "attach", type = "disks", required = true,
  help = "who gets the disks and is started" } }

function M.configure(command)
  command:argument("group", "Group id, e.g. pg-orders, or name:NAME.")
  options.add_common(command, "Region of the side that took over, where the disks are open")
  options.add_side(command)
  command:option("--attach", "The instance that gets all disks, or DISK:INSTANCE with a comma "
    .. "between; again for another disk."):argname "<instance>":count "*"
  command:flag("--no-start", "Attach the disks only, and start nothing.")
  force_options.add(command, { part_set.CODE })
  force_options.add_person(command)
  options.add_change(command, { yes = "Do not ask for the typed group id.",
    timeout = "How long to wait for each attach and each start (10m)." })
  command:epilog(EPILOG)
end

local CARRIED_ON = { "to", "attach", "no_start", "timeout", "poll", "force", "why", "requester" }

local function read_attach(args)
  local text = #args.attach > 0 and table.concat(args.attach, ",") or nil
  local read, message = params.read(ATTACH, { attach = text })
  if not read then options.refuse((message:gsub("^parameter attach", "--attach"))) end
  return read.attach
end

function M.run(args, io)
  local id, given = options.group_id(args.group), options.read_change(args)
  given.attach, given.start = read_attach(args), not args.no_start
  given.force = force_options.read(args, options.person(args, cli_clients.runtime(io).getenv))
  consents.demand(args, io)
  local client <close>, region = cli_clients.open(args, io)
  local group = group_names.group(client, region, id, args, io)
  local command = change.of_group(group, "serve", given, args, CARRIED_ON)
  local fence = change.command("fence", { group.id }, region, args, { "to" })
  command.question = view_compute.serve_question
  command.show = function(result) return view_compute.served(io, result, fence) end
  command.object, command.of_machines = output.compute_object, true
  return change.run(io, args, command)
end

return M
