--- `alicloud-dr readiness`: checks whether groups could be failed over now, for timers. Reads only.

local aftermath = require "alicloud.cli.view_change"
local cli_clients = require "alicloud.cli.client"
local dr = require "alicloud.dr"
local group_choice = require "alicloud.cli.group_choice"
local last_look = require "alicloud.cli.last_look"
local lazy = require "alicloud.base.lazy"
local options = require "alicloud.cli.options"
local output = require "alicloud.cli.output"

---@module "alicloud.cli.headway_line"
local headway_lines = lazy.module "alicloud.cli.headway_line"
---@module "alicloud.dr.report.prometheus"
local prometheus = lazy.module "alicloud.dr.report.prometheus"
---@module "alicloud.cli.commands.report"
local reports = lazy.module "alicloud.cli.commands.report"

---@type alicloud.cli.Command
local M = {}

local EPILOG = [[
One line per group, and per pair without a group: ok; warn (a failover would be taken, but somebody
should look: replication is stopped, the group is failed over and not protected, the recovery point
is late, a drill was forgotten, an instance has a data disk that nothing replicates); fail (it would
be refused, or lose more than --max-rpo); unknown (it could not be read, or not be told).

Examples:
  alicloud-dr readiness --region cn-shanghai --max-rpo 20m
  alicloud-dr readiness pg-orders pg-payments --region cn-shanghai --json
  alicloud-dr readiness --region cn-shanghai --quiet --exclude 'pg-test-*'
  alicloud-dr readiness --region cn-shanghai --format prometheus \
    --output /var/lib/prometheus/node-exporter/alicloud-dr.prom

With --output a file is replaced in one step, also where nothing could be read: it says so then.
`alicloud-dr manual watching` has a timer, the metrics and alerts.

Exit codes: 0 all ok, 1 at least one warn, 2 at least one fail, or no group at all, also usage,
3 no fail, but at least one that could not be told, or a file that could not be written.]]

function M.configure(command)
  group_choice.add(command)
  options.add_common(command, "Region of the secondary site")
  command:option("--format", "prometheus: metrics, as the textfile collector of node_exporter "
    .. "reads them, instead of lines (text)."):choices { "text", "prometheus" }
  command:option("--output", "Write the metrics into that file; lines, or --json, are printed as "
    .. "without it."):argname "<file>"
  command:option("--max-rpo", "Oldest recovery point that is acceptable, e.g. 20m.")
    :argname "<duration>"
  command:option("--max-drill-age", "A drill that is open for longer is worth a warning (1d).")
    :argname "<duration>"
  command:epilog(EPILOG)
end

local FAIL, UNKNOWN = 2, 3

local function check_format(args)
  local metrics = args.format == "prometheus"
  if args.output and not metrics then
    options.refuse "--output: is for metrics; allowed: with --format prometheus"
  end
  if args.output == "-" then
    options.refuse '--output: got "-"; allowed: a file; without it the metrics are printed'
  end
  if metrics and args.json and not args.output then
    options.refuse "--format: got prometheus and --json; allowed: one of the two, or --output FILE"
  end
end

local function snapshots_of(report)
  local list = {}
  for _, line in ipairs(report.lines) do list[#list + 1] = line.snapshot end
  return list
end

-- Shows how many groups are judged: each takes a call or more, so many groups take long.
local function progress(io, args, runtime)
  local every = headway_lines.every(io, args)
  if not every then return nil end
  local show, shown_at = headway_lines.of(io), nil
  return function(event)
    local is_over, now = event.done == event.count, runtime.monotonic()
    if not is_over and shown_at and now - shown_at < every then return end
    shown_at = now
    show { done = event.done, count = event.count, failed = event.failed, word = "judged",
      under_way = 0, left_out = 0, last = is_over }
  end
end

local function judge(client, region, limits, args, io)
  local groups, err, listed, none = group_choice.groups(client, region, args, io)
  if not groups then return { verdict = "unknown", exit = UNKNOWN, lines = {} }, err end
  limits.listed = listed
  limits.progress = #groups > 1 and progress(io, args, client.runtime) or nil
  local report = dr.readiness(groups, limits)
  last_look.keep(args, client.runtime.getenv, region, snapshots_of(report), false)
  return report, nil, none
end

-- Writes the metrics. If the file cannot be written the exit code is never better than unknown.
local function write(text, report, args, io)
  local ok, why = reports.write(args.output, text)
  if ok then return report.exit end
  return output.complain(io, false, report.exit == FAIL and FAIL or UNKNOWN, { kind = "state",
    code = "Client.ReportFailed", message = "the metrics were not written: " .. tostring(why) })
end

local function show(report, err, exit, none, args, io)
  if err then
    return output.complain(io, args.json == true, exit, { kind = err.kind, code = err.code,
      message = tostring(err), outcome = err.outcome })
  end
  if args.json then return output.json(io, exit, output.readiness_report(report)) end
  io.out(aftermath.readiness(io, report, args.quiet, none))
  return exit
end

function M.run(args, io)
  check_format(args)
  group_choice.check(args)
  local limits = { max_rpo = options.duration(args, "max_rpo"),
    max_drill_age = options.duration(args, "max_drill_age") }
  local client <close>, region = cli_clients.open(args, io)
  local report, err, none = judge(client, region, limits, args, io)
  if args.format ~= "prometheus" then return show(report, err, report.exit, none, args, io) end
  local text = prometheus.readiness(report, { region = region, at = client.runtime.time() })
  if args.output then
    return show(report, err, write(text, report, args, io), none, args, io)
  end
  io.out(text)
  return err and show(report, err, report.exit, none, args, io) or report.exit
end

return M
