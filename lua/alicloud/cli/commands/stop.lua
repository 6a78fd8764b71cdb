--- `alicloud-dr stop`: stops the replication of a group.

local change = require "alicloud.cli.change"
local cli_clients = require "alicloud.cli.client"
local consents = require "alicloud.cli.consent"
local group_names = require "alicloud.cli.group_names"
local options = require "alicloud.cli.options"
local output = require "alicloud.cli.output"
local transitions = require "alicloud.dr.model.transition"
local view_compute = require "alicloud.cli.view_compute"

---@type alicloud.cli.Command
local M = {}

local EPILOG = [[
What happens: the group is read from its sites; you type the group id; one call is sent; the state
is watched until the group and every pair are stopped. The copy that is under way is dropped, and
the recovery point stays where it is. Instances are stopped by `fence`, not by this.

Examples:
  alicloud-dr stop pg-orders --region cn-shanghai
  alicloud-dr stop pg-zones --to cn-hangzhou-h --yes

Exit codes: 0 stopped (or already was), 1 refused or failed, 2 usage, 3 outcome unknown,
130 interrupted.]]

function M.configure(command)
  command:argument("group", "Group id, e.g. pg-orders, or name:NAME.")
  options.add_common(command, "Region of the secondary site")
  options.add_side(command)
  options.add_change(command, { yes = "Do not ask for the typed group id.",
    timeout = "How long to wait for the end (20m)." })
  options.add_token(command, "Derive the token from group, direction, state and this name: "
    .. "operators who give the same name send the same token.")
  command:epilog(EPILOG)
end

local CARRIED_ON = { "to", "timeout", "poll" }

function M.run(args, io)
  local id, given = options.group_id(args.group), options.read_change_with_token(args)
  consents.demand(args, io)
  local client <close>, region = cli_clients.open(args, io)
  local group = group_names.group(client, region, id, args, io)
  local command = change.of_group(group, "stop", given, args, CARRIED_ON)
  command.question, command.describe = view_compute.stop_question, transitions.describe
  command.show = function(result) return view_compute.replicated(io, result) end
  command.object = output.change_object
  return change.run(io, args, command)
end

return M
