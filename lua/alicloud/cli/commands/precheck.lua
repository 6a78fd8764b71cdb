--- `alicloud-dr precheck`: would a failover be taken now? Reads only.

local change = require "alicloud.cli.change"
local cli_clients = require "alicloud.cli.client"
local duration = require "alicloud.base.duration"
local force_options = require "alicloud.cli.options.force"
local group_names = require "alicloud.cli.group_names"
local hints = require "alicloud.cli.hints"
local options = require "alicloud.cli.options"
local output = require "alicloud.cli.output"
local precheck = require "alicloud.dr.model.precheck"
local reporters = require "alicloud.cli.progress"
local terminal = require "alicloud.cli.terminal"
local view = require "alicloud.cli.view_group"

local CARRIED_ON = { "to", "max_rpo", "outage_at", "force", "why" }

---@type alicloud.cli.Command
local M = {}

local EPILOG = [[
Every documented code of FailoverDiskReplicaGroup is one rule; three rules are our own: the first
full sync has ended, the recovery point is young enough, the pair lists are whole. A question mark
is what only the call itself can tell, such as permission.

Example:
  alicloud-dr precheck pg-orders --region cn-shanghai --max-rpo 20m
  alicloud-dr precheck pg-orders --region cn-shanghai --max-rpo 20m \
    --outage-at 70m

Exit codes: 0 a failover may be asked for, 1 it would be refused, 2 usage (also: the region is not
the group's secondary site).]]

function M.configure(command)
  command:argument("group", "Group id, e.g. pg-orders, or name:NAME.")
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

-- On a terminal both streams meet, and the reason stands there already.
local function show(io, report)
  io.out(view.group_line(io, report.snapshot) .. view.precheck_table(io, report))
  if report.ok or io.tty then return end
  local obstacle = precheck.first_obstacle(report)
  io.err(("alicloud-dr: %s would be refused: %s: %s\n"):format(
    report.snapshot.group_id, obstacle.code, terminal.clean(obstacle.fact)))
end

-- What the documents deny and the service may allow.
local function show_overrule(io, args, report, region)
  local codes = precheck.forcible_codes(report)
  if not codes then return end
  local more = setmetatable(force_options.with(args, codes), { __index = args })
  io.out("  the service may see it otherwise; to ask it all the same:\n    "
    .. change.command("failover", { report.snapshot.group_id }, region, more, CARRIED_ON) .. "\n")
end

-- What may pass is looked at for two minutes, and whoever waits is told for what: on a terminal at
-- once, elsewhere in one line. There a second look at what stands against it is nothing to tell.
local function waits(io, args, reporter)
  local looks = 0
  return function(event)
    if args.json or event.event ~= "settling" then return end
    if io.tty then return reporter:take(event) end
    looks = looks + 1
    if looks ~= 2 then return end
    io.err(("alicloud-dr: looking again, for up to %s: %s\n"):format(
      duration.format(event.left), terminal.clean(event.reason)))
  end
end

local function print_object(io, report)
  local object, obstacle = output.report_object(report), precheck.first_obstacle(report)
  if not report.ok then
    object.error = { kind = "precheck", code = obstacle.code, message = obstacle.fact,
      hint = obstacle.cure, outcome = "not_sent" }
  end
  return output.json(io, exit_code(report), object)
end

function M.run(args, io)
  local id = options.group_id(args.group)
  local limits = { max_rpo = options.duration(args, "max_rpo"),
    outage_at = options.outage_at(args) }
  local client <close>, region = cli_clients.open(args, io)
  local reporter = reporters.new(io, args.json or not io.tty, nil, "pre-check")
  limits.progress = waits(io, args, reporter)
  local report, err = group_names.group(client, region, id, args, io):precheck(limits)
  reporter:finish()
  if not report then return output.fail(io, args, cli_clients.diagnosed(client, err)) end
  local snapshot = report.snapshot
  hints.at_the_shell { findings = report.findings, group_id = snapshot.group_id, region = region }
  if args.json then return print_object(io, report) end
  if snapshot.role == "absent" then
    return output.complain(io, false, output.EXIT.usage,
      { message = group_names.not_listed(client, region, snapshot.group_id) })
  end
  show(io, report)
  show_overrule(io, args, report, region)
  return exit_code(report)
end

return M
