--- `alicloud-dr fence`: stops the instances of the old side and detaches its disks.

local change = require "alicloud.cli.change"
local cli_clients = require "alicloud.cli.client"
local consents = require "alicloud.cli.consent"
local formats = require "alicloud.base.formats"
local group_names = require "alicloud.cli.group_names"
local options = require "alicloud.cli.options"
local output = require "alicloud.cli.output"
local view_compute = require "alicloud.cli.view_compute"

---@type alicloud.cli.Command
local M = {}

local EPILOG = [[
What happens: the group is read from its sites, and the disks that data is copied from are looked at
through the compute service, with the instances that have them; both are shown, and you type the
group id; the instances are stopped and the disks detached, each only if it is not so already. What
is seen at the end counts. None of these calls has a token: asked again, it looks first.

Examples:
  alicloud-dr fence pg-orders --region cn-shanghai
  alicloud-dr fence pg-orders --region cn-shanghai --force --no-detach --yes
  alicloud-dr fence pg-zones --to cn-hangzhou-h

Exit codes: 0 fenced (or already was), 1 refused or failed, 2 usage, 3 outcome unknown,
130 interrupted.]]

function M.configure(command)
  command:argument("group", "Group id, e.g. pg-orders, or name:NAME.")
  options.add_common(command, "Region of the secondary site, which the group is copied to")
  options.add_side(command)
  command:flag("--no-detach", "Stop the instances only, and leave the disks attached.")
  command:option("--stop-shared", "Instances that may be stopped though disks of other groups are "
    .. "on them, with commas between."):argname "<ids>"
  command:flag("--force", "Cut the power of the instances instead of shutting them down.")
  options.add_change(command, { yes = "Do not ask for the typed group id.",
    timeout = "How long to wait for each stop and each detach (10m)." })
  command:epilog(EPILOG)
end

local CARRIED_ON = { "to", "no_detach", "stop_shared", "force", "timeout", "poll" }

function M.run(args, io)
  local id, given = options.group_id(args.group), options.read_change(args)
  given.stop_shared = options.text(args, "stop_shared", formats.IDS)
  given.detach, given.force = not args.no_detach, args.force or false
  consents.demand(args, io)
  local client <close>, region = cli_clients.open(args, io)
  local group = group_names.group(client, region, id, args, io)
  local command = change.of_group(group, "fence", given, args, CARRIED_ON)
  command.question = function(plan) return view_compute.fence_question(plan, given.force) end
  command.show = function(result) return view_compute.fenced(io, result) end
  command.object, command.of_machines = output.compute_object, true
  return change.run(io, args, command)
end

return M
