--- `alicloud-dr precheck`: checks whether a failover would be taken now. One group is shown rule by
--- rule, several or a whole region with one line each. Reads only.

local change = require "alicloud.cli.change"
local cli_clients = require "alicloud.cli.client"
local dr = require "alicloud.dr"
local duration = require "alicloud.base.duration"
local force_options = require "alicloud.cli.options.force"
local group_choice = require "alicloud.cli.group_choice"
local group_names = require "alicloud.cli.group_names"
local hints = require "alicloud.cli.hints"
local options = require "alicloud.cli.options"
local output = require "alicloud.cli.output"
local precheck = require "alicloud.dr.model.precheck"
local reporters = require "alicloud.cli.progress"
local settled = require "alicloud.dr.read.settled"
local terminal = require "alicloud.cli.terminal"
local view = require "alicloud.cli.view_group"
local view_prechecks = require "alicloud.cli.view_prechecks"

local LIMITS = { "to", "max_rpo", "outage_at" }
local CARRIED_ON = { "to", "max_rpo", "outage_at", "force", "why" }

-- Seconds to wait for an obstacle that may pass by itself. Short: a person waits for the answer
-- and can ask again.
local SETTLE = 15

---@type alicloud.cli.Command
local M = {}

local EPILOG = [[
Every documented code of FailoverDiskReplicaGroup is one rule; three rules are our own: the first
full sync has ended, the recovery point is young enough, the pair lists are whole. A question mark
is what only the call itself can tell, such as permission.

What may pass by itself is looked at for 15 s; a failover waits for it for up to two minutes.

Of one group that is named every rule is shown; of several, or of a region, one line each with what
stands against it, the first. Limits hold for all of them.

Examples:
  alicloud-dr precheck pg-orders --region cn-shanghai --max-rpo 20m
  alicloud-dr precheck pg-orders --region cn-shanghai --max-rpo 20m \
    --outage-at 70m
  alicloud-dr precheck --region cn-shanghai --max-rpo 20m --quiet

Exit codes: 0 a failover may be asked for, of every group; 1 one would be refused or could not be
read, or there is no group; 2 usage (also: the region is not the group's secondary site).]]

function M.configure(command)
  group_choice.add(command)
  options.add_common(command, "Region of the secondary site")
  options.add_side(command)
  command:option("--max-rpo", "Oldest recovery point that is acceptable, e.g. 20m.")
    :argname "<duration>"
  options.add_outage_at(command)
  command:epilog(EPILOG)
end

local function exit_code(report)
  if report.ok then return output.EXIT.done end
  local obstacle = precheck.first_obstacle(report)
  return output.exit_code({ code = obstacle.code, kind = "precheck", outcome = "not_sent" }, false)
end

-- "Usage" if the only obstacles are typed groups that are not at this place.
local function exit_code_of_many(list, args)
  if list.ok then return output.EXIT.done end
  if #args.group == 0 then return output.EXIT.failed end
  for _, line in ipairs(list.lines) do
    local code = line.err and output.exit_code(line.err, false) or exit_code(line.report)
    if code == output.EXIT.failed then return code end
  end
  return #list.lines > 0 and output.EXIT.usage or output.EXIT.failed
end

-- On a terminal both streams are seen together, and the reason is there already.
local function show(io, args, report, region)
  io.out(view.group_line(io, report.snapshot) .. view.precheck_table(io, report))
  if not report.ok and settled.may_pass(report) then
    local again = change.command("precheck", { report.snapshot.group_id }, region, args, LIMITS)
    io.out("  that may pass by itself; a failover waits two minutes for it; to look again:\n    "
      .. again .. "\n")
  end
  if report.ok or io.tty then return end
  local obstacle = precheck.first_obstacle(report)
  io.err(("alicloud-dr: %s would be refused: %s: %s\n"):format(
    report.snapshot.group_id, obstacle.code, terminal.clean(obstacle.fact)))
end

-- Prints the command for findings that the documents count as obstacles and the service may not.
local function show_overrule(io, args, report, region)
  local codes = precheck.forcible_codes(report)
  if not codes then return end
  local more = setmetatable(force_options.with(args, codes), { __index = args })
  io.out("  the service may see it otherwise; to ask it all the same:\n    "
    .. change.command("failover", { report.snapshot.group_id }, region, more, CARRIED_ON) .. "\n")
end

-- Tells what is waited for while an obstacle may still pass: on a terminal at once, elsewhere in
-- one line at the second look, but not with --quiet.
local function waits(io, args, reporter)
  local looks = 0
  return function(event)
    if args.json or event.event ~= "settling" then return end
    if io.tty then return reporter:take(event) end
    looks = looks + 1
    if args.quiet or looks ~= 2 then return end
    io.err(("alicloud-dr: looking again, for up to %s: %s\n"):format(
      duration.format(event.left), terminal.clean(event.reason)))
  end
end

local function check_one(client, region, args, io, limits)
  local reporter = reporters.new(io, args.json or not io.tty, "pre-check")
  limits.progress = waits(io, args, reporter)
  local report, err = group_names.group(client, region, args.group[1], args, io):precheck(limits)
  reporter:finish()
  if not report then return output.fail(io, args, cli_clients.diagnosed(client, err)) end
  local snapshot = report.snapshot
  hints.at_the_shell { findings = report.findings, group_id = snapshot.group_id, region = region }
  if args.json then return output.json(io, exit_code(report), output.report_object(report)) end
  if args.quiet and report.ok then return output.EXIT.done end
  if snapshot.role == "absent" then
    return output.complain(io, false, output.EXIT.usage,
      { message = group_names.not_listed(client, region, snapshot.group_id) })
  end
  show(io, args, report, region)
  show_overrule(io, args, report, region)
  return exit_code(report)
end

-- Of several groups that are looked at again, the first one is named.
local function waits_for_many(io, args, reporter)
  local wait = waits(io, args, reporter)
  return function(event)
    wait { event = event.event, left = event.left,
      reason = ("%d of %d, the first is %s: %s"):format(event.waiting, event.count,
        event.group_id, event.reason) }
  end
end

local function check_many(client, region, args, io, limits)
  local groups, err, listed, none = group_choice.groups(client, region, args, io)
  if not groups then return output.fail(io, args, cli_clients.diagnosed(client, err)) end
  limits.listed = listed
  local reporter = reporters.new(io, args.json or not io.tty, "pre-check")
  limits.progress = waits_for_many(io, args, reporter)
  local list = dr.precheck(groups, limits)
  reporter:finish()
  local code = exit_code_of_many(list, args)
  if args.json then
    for _, line in ipairs(list.lines) do
      hints.at_the_shell(line.err or { findings = line.report.findings, group_id = line.group_id,
        region = region })
    end
    return output.json(io, code, output.precheck_list(list))
  end
  if #list.lines == 0 then
    io.out(("  %s %s\n"):format(terminal.mark(io, "fail"), none))
    return code
  end
  io.out(view_prechecks.text(io, list, args.quiet, function(id)
    return change.command("precheck", { id }, region, args, LIMITS)
  end))
  return code
end

function M.run(args, io)
  group_choice.check(args)
  if #args.group == 1 and #args.exclude > 0 then
    options.refuse "--exclude: got one group as well; allowed: with several groups, or without any"
  end
  local limits = { max_rpo = options.duration(args, "max_rpo"),
    outage_at = options.outage_at(args), settle = SETTLE }
  local client <close>, region = cli_clients.open(args, io)
  local check = #args.group == 1 and check_one or check_many
  return check(client, region, args, io, limits)
end

return M
