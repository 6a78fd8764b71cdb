--- `alicloud-dr failover`: checks, asks, fails over, and watches until every pair is open.

local change = require "alicloud.cli.change"
local cli_clients = require "alicloud.cli.client"
local consents = require "alicloud.cli.consent"
local core = require "alicloud.core"
local force_options = require "alicloud.cli.options.force"
local group_names = require "alicloud.cli.group_names"
local moment = require "alicloud.base.moment"
local options = require "alicloud.cli.options"
local output = require "alicloud.cli.output"
local view = require "alicloud.cli.view_group"

---@type alicloud.cli.Command
local M = {}

local EPILOG = [[
What happens: the group and its pairs are read in the given region only; the pre-check is shown rule
by rule; you type the group id; one call is sent; the state is watched until the group and every
pair say failovered. An answer that is lost is followed by looking, and the call is sent again only
with the same token, only if nothing has happened, and only within two minutes. What comes after it
is told by `alicloud-dr manual after-the-failover`.

Examples:
  alicloud-dr failover pg-orders --region cn-shanghai --max-rpo 20m
  alicloud-dr failover pg-orders --region cn-shanghai --max-rpo 20m \
    --outage-at 70m
  alicloud-dr failover pg-orders --region cn-shanghai --yes --json
  alicloud-dr failover pg-orders --region cn-shanghai --incident INC-4711
  alicloud-dr failover pg-zones --to cn-hangzhou-h
After exit 3, to go on:
  alicloud-dr failover pg-orders --region cn-shanghai --client-token 5f1d…

Exit codes: 0 failed over (or already was), 1 refused or failed, 2 usage, 3 outcome unknown,
130 interrupted. The token and the command that goes on safely are printed on standard error before
the call leaves, and again after 3 and 130.]]

function M.configure(command)
  command:argument("group", "Group id, e.g. pg-orders, or name:NAME.")
  options.add_common(command, "Region of the secondary site, which takes over")
  options.add_side(command)
  command:option("--max-rpo", "Refuse if the oldest recovery point is older, e.g. 20m.")
    :argname "<duration>"
  options.add_outage_at(command)
  force_options.add(command)
  force_options.add_person(command)
  options.add_change(command, { yes = "Do not ask for the typed group id.",
    timeout = "How long to wait for the open disks (20m)." })
  options.add_token(command, "Derive the token from group, direction and this name: operators who "
    .. "give the same name send the same token. After failover_failed it gives a second token, "
    .. "once; then take another name.")
  command:epilog(EPILOG)
end

local CARRIED_ON = { "to", "max_rpo", "outage_at", "timeout", "poll", "force", "why",
  "requester" }

-- Turns a relative --outage-at (70m ago) into a time: the printed command is typed later.
local function freeze_outage(args, perform)
  if not args.outage_at then return perform end
  return function(hooks)
    local take = hooks.progress
    hooks.progress = function(event)
      local now = event.event == "looked" and event.snapshot.read_at
      local at = now and moment.resolve(args.outage_at, now)
      if at then args.outage_at = core.iso8601(at) end
      return take(event)
    end
    return perform(hooks)
  end
end

function M.run(args, io)
  local id, given = options.group_id(args.group), options.read_change_with_token(args)
  given.max_rpo = options.duration(args, "max_rpo")
  given.outage_at = options.outage_at(args)
  given.force = force_options.read(args, options.person(args, cli_clients.runtime(io).getenv))
  consents.demand(args, io)
  local client <close>, region = cli_clients.open(args, io)
  local group = group_names.group(client, region, id, args, io)
  local command = change.of_group(group, "failover", given, args, CARRIED_ON)
  command.question, command.progress = view.question, view.progress
  local serve = change.command("serve", { group.id }, region, args, { "to" })
  command.show = function(result)
    return view.result(io, result) .. view.next_line(serve .. " --attach INSTANCE")
  end
  command.object, command.perform = output.result_object, freeze_outage(args, command.perform)
  return change.run(io, args, command)
end

return M
