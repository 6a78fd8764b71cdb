--- `alicloud-dr reprotect`: after a failover, reverses the replication or takes the failover back.

local aftermath = require "alicloud.cli.view_change"
local change = require "alicloud.cli.change"
local cli_clients = require "alicloud.cli.client"
local consents = require "alicloud.cli.consent"
local group_names = require "alicloud.cli.group_names"
local options = require "alicloud.cli.options"
local output = require "alicloud.cli.output"
local transitions = require "alicloud.dr.model.transition"
local view = require "alicloud.cli.view_group"

---@type alicloud.cli.Command
local M = {}

local EPILOG = [[
What happens: the group is read from both sites, and the disks of the old primary site are looked at
through the compute service; you type the group id; one call is sent; the state is watched until the
group and every pair are stopped in the new direction. Replication does not flow yet then: `start`
starts it. While an old disk is attached, or cannot be looked at, nothing is sent: `fence` stops the
instances and detaches the disks. See `alicloud-dr manual after-the-failover`.

Examples:
  alicloud-dr reprotect pg-orders --region cn-shanghai
  alicloud-dr reprotect pg-orders --region cn-shanghai --old-side stopped --yes
  alicloud-dr start pg-orders --region cn-shanghai
To take the failover back:
  alicloud-dr reprotect pg-orders --region cn-shanghai --cancel

Exit codes: 0 reprotected (or already was), 1 refused or failed, 2 usage, 3 outcome unknown,
130 interrupted.]]

function M.configure(command)
  command:argument("group", "Group id, e.g. pg-orders, or name:NAME.")
  options.add_common(command, "Region of the secondary site, where the disks are open now")
  options.add_side(command)
  command:flag("--cancel", "Take the failover back: keep the old direction, and give up what was "
    .. "written since.")
  command:option("--old-side", "What is demanded of the old primary disks: attached nowhere "
    .. "(detached), at most to stopped instances (stopped), or that and what cannot be read is "
    .. "taken to be so (unknown). Without it: detached."):argname "<state>"
    :choices { "detached", "stopped", "unknown" }
  options.add_change(command, { yes = "Do not ask for the typed group id.",
    timeout = "How long to wait for the end (20m)." })
  options.add_token(command, "Derive the token from group, direction, state and this name: "
    .. "operators who give the same name send the same token.")
  command:epilog(EPILOG)
end

local CARRIED_ON = { "to", "cancel", "old_side", "timeout", "poll" }

function M.run(args, io)
  local id, given = options.group_id(args.group), options.read_change_with_token(args)
  given.reverse, given.old_side = not args.cancel, args.old_side
  consents.demand(args, io)
  local client <close>, region = cli_clients.open(args, io)
  local group = group_names.group(client, region, id, args, io)
  local command = change.of_group(group, "reprotect", given, args, CARRIED_ON)
  command.question = function(snapshot)
    return aftermath.reprotect_question(snapshot, given.reverse)
  end
  command.describe = transitions.describe
  local start = change.command("start", { group.id }, region, args, { "to" })
  command.show = function(result)
    return aftermath.reprotected(io, result) .. view.next_line(start)
  end
  command.object = output.change_object
  return change.run(io, args, command)
end

return M
