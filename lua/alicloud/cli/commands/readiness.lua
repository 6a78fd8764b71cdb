--- `alicloud-dr readiness`: could these groups be failed over now? For a timer. Reads only.

local aftermath = require "alicloud.cli.view_change"
local cli_clients = require "alicloud.cli.client"
local dr = require "alicloud.dr"
local group_names = require "alicloud.cli.group_names"
local last_look = require "alicloud.cli.last_look"
local lazy = require "alicloud.base.lazy"
local options = require "alicloud.cli.options"
local output = require "alicloud.cli.output"

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
  command:argument("group", "Group ids, or name:NAME; without any, every group that fails over to "
    .. "the region."):args "*"
  options.add_common(command, "Region of the secondary site")
  command:option("--exclude", "Leave a group out: an id, name:NAME, or an id with * in it; again "
    .. "for another one."):argname "<group>":count "*"
  command:flag("--quiet", "Print only what is not ok; a timer mails nothing then.")
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

-- An id in which a star stands for anything.
local function pattern_of(word)
  return "^" .. word:gsub("[%-%.%+%[%]%(%)%$%^%%%?]", "%%%0"):gsub("%*", ".*") .. "$"
end

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

local function check_words(args)
  check_format(args)
  for _, id in ipairs(args.group) do options.group_id(id) end
  for _, word in ipairs(args.exclude) do
    if word == "*" then options.refuse '--exclude: got "*"; allowed: less than all groups' end
    options.group_id((word:gsub("%*", "x")), "--exclude")
  end
end

-- Those that were typed, each once: a collector takes no file in which a metric is there twice. Or
-- all that the region is the secondary site of.
local function chosen(client, region, args, io)
  local ids, known = {}, {}
  for _, typed in ipairs(args.group) do
    local id, err = group_names.id_of(client, region, typed, io)
    if not id then return nil, err end
    if not known[id] then known[id], ids[#ids + 1] = true, id end
  end
  if #ids > 0 then return ids end
  return dr.group_ids(client, { region = region, site = "backup", lone_pairs = true })
end

local function without(ids, client, region, args, io)
  local left, patterns = {}, {}
  for i, word in ipairs(args.exclude) do
    local id, err = group_names.id_of(client, region, word, io)
    if not id then return nil, err end
    patterns[i] = pattern_of(id)
  end
  for _, id in ipairs(ids) do
    local excluded = false
    for _, pattern in ipairs(patterns) do excluded = excluded or id:find(pattern) ~= nil end
    if not excluded then left[#left + 1] = id end
  end
  return left
end

local function snapshots_of(report)
  local list = {}
  for _, line in ipairs(report.lines) do list[#list + 1] = line.snapshot end
  return list
end

local function judge(client, region, limits, args, io)
  local ids, err = chosen(client, region, args, io)
  if ids then ids, err = without(ids, client, region, args, io) end
  if not ids then return { verdict = "unknown", exit = UNKNOWN, lines = {} }, err end
  local groups = {}
  for i, id in ipairs(ids) do groups[i] = dr.group(client, id, { region = region }) end
  local report = dr.readiness(groups, limits)
  last_look.keep(args, client.runtime.getenv, region, snapshots_of(report), false)
  return report
end

-- Where a file was to be written and was not, nobody may take that for more than a look that
-- could not be told of.
local function write(text, report, args, io)
  local ok, why = reports.write(args.output, text)
  if ok then return report.exit end
  return output.complain(io, false, report.exit == FAIL and FAIL or UNKNOWN, { kind = "state",
    code = "Client.ReportFailed", message = "the metrics were not written: " .. tostring(why) })
end

local function show(report, err, exit, region, args, io)
  if err then
    return output.complain(io, args.json == true, exit, { kind = err.kind, code = err.code,
      message = tostring(err), outcome = err.outcome })
  end
  if args.json then return output.json(io, exit, output.readiness_report(report)) end
  io.out(aftermath.readiness(io, region, report, args.quiet, #args.exclude > 0))
  return exit
end

function M.run(args, io)
  check_words(args)
  local limits = { max_rpo = options.duration(args, "max_rpo"),
    max_drill_age = options.duration(args, "max_drill_age") }
  local client <close>, region = cli_clients.open(args, io)
  local report, err = judge(client, region, limits, args, io)
  if args.format ~= "prometheus" then return show(report, err, report.exit, region, args, io) end
  local text = prometheus.readiness(report, { region = region, at = client.runtime.time() })
  if args.output then
    return show(report, err, write(text, report, args, io), region, args, io)
  end
  io.out(text)
  return err and show(report, err, report.exit, region, args, io) or report.exit
end

return M
