--- `alicloud-dr drill`: starts a drill, clears it, or lists open ones.

local aftermath = require "alicloud.cli.view_change"
local change = require "alicloud.cli.change"
local cli_clients = require "alicloud.cli.client"
local consents = require "alicloud.cli.consent"
local dr = require "alicloud.dr"
local formats = require "alicloud.base.formats"
local group_names = require "alicloud.cli.group_names"
local options = require "alicloud.cli.options"
local output = require "alicloud.cli.output"

---@type alicloud.cli.Command
local M = {}

local EPILOG = [[
  start   clones the last recovery point of every pair to new disks while
          replication goes on, and waits until they can be attached. They are
          billed until the drill is cleared.
  clear   deletes the drill with its disks, and waits until it is listed no
          more. Detach them first. Of a drill that the group does not have,
          nobody can tell whether it was cleared: that is a failure.
  list    shows the open drills of a region, oldest first, with age and cost;
          or those of one group.

Examples:
  alicloud-dr drill list --region cn-shanghai
  alicloud-dr drill start pg-orders --region cn-shanghai
  alicloud-dr drill clear pg-orders pg-drill-1f3… --region cn-shanghai --yes

Exit codes: 0 done, 1 refused or failed, 2 usage, 3 outcome unknown, 130 interrupted.]]

function M.configure(command)
  command:argument("verb", "What to do."):choices { "start", "clear", "list" }
  command:argument("group", "Group id, e.g. pg-orders, or name:NAME."):args "?"
  command:argument("drill", "Drill id, for clear."):args "?"
  options.add_common(command, "Region of the secondary site, where drills take place")
  options.add_change(command, { yes = "Do not ask.",
    timeout = "How long to wait for the end (20m)." })
  command:option("--client-token", "For start: go on with this token instead of a new one.")
    :argname "<token>"
  command:epilog(EPILOG)
end

local function list(args, io)
  local id = args.group and options.group_id(args.group)
  local client <close>, region = cli_clients.open(args, io)
  local group, drills, err
  if id then
    group = group_names.group(client, region, id, args, io)
    drills, err = group:drills()
  else
    drills, err = dr.drills(client, { region = region })
  end
  if group and not drills and err.code == "NoSuchResource" then
    return output.complain(io, args.json == true, output.EXIT.usage, { kind = "state",
      code = err.code, outcome = "not_sent",
      message = group_names.not_listed(client, region, group.id) })
  end
  if not drills then return output.fail(io, args, err) end
  if args.json then
    return output.json(io, output.EXIT.done,
      { region = region, drills = output.drill_list(drills) })
  end
  io.out(aftermath.drill_lines(io, region, drills, group and group.id))
  return output.EXIT.done
end

local CARRIED_ON = { "timeout", "poll", "events", "on_event" }

local function command_of(args, group, noun, typed)
  local place = { group.id }
  return {
    noun = noun, group = group, typed = typed, object = output.drill_result,
    look = change.command("drill list", place, group.region, args),
    go_on = function(token)
      return change.command("drill start", place, group.region, args, CARRIED_ON, token)
    end,
  }
end

local function start(args, io, id)
  local given = options.read_change(args)
  given.client_token = options.text(args, "client_token", formats.TOKEN)
  consents.demand(args, io)
  local client <close>, region = cli_clients.open(args, io)
  local group = group_names.group(client, region, id, args, io)
  local command = command_of(args, group, "drill", group.id)
  command.question = aftermath.drill_question
  command.show = function(result) return aftermath.drill_started(io, result) end
  command.perform = change.performer(group, "start_drill", given)
  return change.run(io, args, command)
end

local function clear(args, io, id)
  local given, drill_id = options.read_change(args), args.drill
  if not formats.ID.test(drill_id) then
    options.refuse("drill: a drill id is missing; allowed: one of `alicloud-dr drill list`")
  end
  consents.demand(args, io, "drill id")
  local client <close>, region = cli_clients.open(args, io)
  local group = group_names.group(client, region, id, args, io)
  local command = command_of(args, group, "clear", drill_id)
  command.question = aftermath.clear_question
  command.show = function(result)
    return aftermath.drill_cleared(io, result, change.command("drill list", {}, region, args))
  end
  command.exit = function(result)
    return result.outcome == "not_open" and output.EXIT.failed or output.EXIT.done
  end
  command.perform = change.performer(group, "clear_drill", given, drill_id)
  return change.run(io, args, command)
end

function M.run(args, io)
  if args.verb == "list" then return list(args, io) end
  if not args.group then
    options.refuse(("group: is missing; allowed: alicloud-dr drill %s <group>"):format(args.verb))
  end
  local id = options.group_id(args.group)
  if args.verb == "clear" then return clear(args, io, id) end
  if args.drill then options.refuse "drill: start takes a group id only" end
  return start(args, io, id)
end

return M
