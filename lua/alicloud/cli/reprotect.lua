--- `alicloud-dr reprotect`: after a failover, turn the replication round, or take the failover
--- back.

local aftermath = require "alicloud.cli.aftermath"
local change = require "alicloud.cli.change"
local dr = require "alicloud.dr"
local goals = require "alicloud.dr.goal"
local options = require "alicloud.cli.options"
local output = require "alicloud.cli.output"
local rules = require "alicloud.dr.rules"
local session = require "alicloud.cli.session"

local M = { name = "reprotect", summary = "Protect a group again after its failover." }

local EPILOG = [[
What happens: the group is read from both sites, and the disks of the old primary site are looked at
through the compute service; you type the group id; one call is sent; the state is watched until the
group and every pair are stopped in the new direction. Replication does not flow yet then: start it
with group:start of the library, or with the command call. While an old disk is attached, or cannot
be looked at, nothing is sent.

Examples:
  alicloud-dr reprotect pg-orders --region cn-shanghai
  alicloud-dr reprotect pg-orders --region cn-shanghai --old-side stopped --yes
  alicloud-dr reprotect pg-orders --region cn-shanghai --cancel   (take the failover back)
  alicloud-dr call StartDiskReplicaGroup ReplicaGroupId=pg-orders --region cn-shanghai

Exit codes: 0 reprotected (or already was), 1 refused or failed, 2 usage, 3 outcome unknown,
130 interrupted.]]

---@param command table of argparse
function M.configure(command)
  command:argument "group":description "Group id, e.g. pg-orders."
  options.add_common(command, "Region of the secondary site, where the disks are open now")
  command:flag "--cancel"
    :description("Take the failover back: keep the old direction, and give up what was written "
      .. "since.")
  command:option "--old-side"
    :argname "<state>"
    :choices { "detached", "stopped", "unknown" }
    :description("What is demanded of the old primary disks: attached nowhere (detached), at most "
      .. "to stopped instances (stopped), or that and what cannot be read is taken to be so "
      .. "(unknown).")
  command:flag "-y --yes"
    :description "Do not ask for the typed group id."
  command:option "--timeout"
    :argname "<duration>"
    :description "How long to wait for the end (20m)."
  command:option "--poll"
    :argname "<duration>"
    :description "Longest pause between two looks (5s)."
  command:option "--incident"
    :argname "<name>"
    :description("Derive the token from group, direction, state and this name: operators who give "
      .. "the same name send the same token.")
  command:option "--client-token"
    :argname "<token>"
    :description "Go on with this token instead of a new one."
  command:epilog(EPILOG)
end

local function read_options(args)
  if args.incident and args.client_token then
    options.refuse("--client-token: cannot be given together with --incident, which derives the "
      .. "token; allowed: one of the two")
  end
  return {
    reverse = not args.cancel, old_side = args.old_side,
    timeout = options.duration(args, "timeout", 1),
    poll = options.duration(args, "poll", 0.05),
    incident = options.text(args, "incident", rules.INCIDENT),
    client_token = options.text(args, "client_token", rules.TOKEN),
  }
end

local CARRIED_ON = { "cancel", "old_side", "timeout", "poll" }

--- Runs the command.
---@param args table
---@param io alicloud.cli.Io
---@return integer exit_code
function M.run(args, io)
  local id, given = options.group_id(args.group), read_options(args)
  change.demand_consent(args, io)
  local client <close>, region = session.open(args, io)
  local group = dr.group(client, id, { region = region })
  return change.run(io, args, {
    noun = "reprotect", group = group, typed = id, describe = goals.describe,
    question = function(snapshot) return aftermath.reprotect_question(snapshot, given.reverse) end,
    look = change.command({ "status", id, "--region", region }, args),
    go_on = function(token)
      return change.command({ "reprotect", id, "--region", region }, args, CARRIED_ON, token)
    end,
    perform = function(hooks)
      given.progress, given.confirm = hooks.progress, hooks.confirm
      return group:reprotect(given)
    end,
    show = function(result) return aftermath.reprotected(io, result) end,
    object = output.change_object,
  })
end

return M
