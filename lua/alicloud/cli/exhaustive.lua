--- `alicloud-dr explore --exhaustive`: deals the units to processes and shows the result.

local cli_clients = require "alicloud.cli.client"
local confine = require "alicloud.cli.confine.playbook"
local core = require "alicloud.core"
local duration = require "alicloud.base.duration"
local explored = require "alicloud.cli.explored"
local fold = require "alicloud.cli.fold"
local guard = require "alicloud.base.guard"
local output = require "alicloud.cli.output"
local rehearsal = require "alicloud.cli.rehearsal"
local rules = require "alicloud.simulation.enumerate".RULES
local shell = require "alicloud.base.shell"
local sources = require "alicloud.dr.playbook.source"
local tables = require "alicloud.base.tables"
local terminal = require "alicloud.cli.terminal"
local units = require "alicloud.cli.confine.units"

local M = {}

local SHOWN = 10

local function command_of(args, harm)
  local typed = rehearsal.words(args)
  typed[#typed + 1] = "--exhaustive " .. math.max(1, #harm.only)
  if #harm.only > 0 then typed[#typed + 1] = "--only " .. table.concat(harm.only, ",") end
  return shell.command("explore", { args.file, table.unpack(args.param) }, typed)
end

-- Identifies what kept units are valid for: this version, this playbook, the same words, and the
-- contents of the files that these name.
local function key_of(args, io, job, world)
  local read = { params = job.params, world = world, assume = job.assume, messages = job.messages,
    timings = job.timings, region = cli_clients.runtime(io).getenv "ALIBABA_CLOUD_REGION_ID" }
  local parts = { core.version.core, args.exhaustive, core.encode(sources.pack(job.playbook)),
    table.concat(args.param, "\n"), table.concat(rehearsal.words(args), "\n"), core.encode(read) }
  return core.sha256(table.concat(parts, "\0"))
end

-- Units from the progress file took no time now. How many pairs there are is known only after the
-- single troubles, and a unit of pairs takes longer.
local function time_left(deal, now)
  local own = deal.done - deal.known
  if own == 0 then return "" end
  local left = (now - deal.began) / own * (deal.total - deal.done)
  return (", about %s left%s"):format(duration.format(left),
    deal.depth == 2 and " before the pairs" or "")
end

-- Seconds between two lines: at a terminal, and in the background.
local MOVES, TOLD = 0.5, 60

local function progress(io, file)
  local spinner, due = terminal.spinner(io), nil
  return spinner, function(deal)
    local now = core.monotonic()
    if not (io.tty or file) or now < (due or deal.began + (io.tty and 0 or TOLD)) then return end
    due = now + (io.tty and MOVES or TOLD)
    local words = ("%d/%d parts, %d runs, %d violations%s"):format(deal.done, deal.total,
      deal.report.runs, deal.report.harmed, time_left(deal, now))
    if io.tty then return spinner.show("  explore  ", words) end
    io.err(("alicloud-dr: explore: %s\n"):format(words))
  end
end

local function headline(args, report)
  if args.only then return ("%d run"):format(report.runs) end
  local pairwise = args.exhaustive == "2"
  -- With --faults only these kinds were tried.
  return ("every %s%s %s every one of %d points: %d runs"):format(
    pairwise and "pair of troubles" or "single trouble",
    args.faults and (" (%s)"):format(args.faults) or "", pairwise and "from" or "at",
    report.points, report.runs)
end

local function print_harms(io, args, report)
  for i = 1, math.min(SHOWN, #report.violations) do
    local harm = report.violations[i]
    explored.print_harm(io, harm.what, harm.troubles)
    io.out(("    again:  %s\n"):format(command_of(args, harm)))
  end
end

local function print_kinds(io, report)
  for _, rule in ipairs(tables.keys(report.merged)) do
    if report.merged[rule] > 0 then
      io.out(fold.hang(io, ("  %8d  not run: %s"):format(report.merged[rule],
        rules[rule] or rule), 12) .. "\n")
    end
  end
  explored.print_coverage(io, report.met)
end

local function print_report(io, args, report)
  print_harms(io, args, report)
  for _, name in ipairs(tables.keys(report.endings)) do
    io.out(("  %8d  %s\n"):format(report.endings[name], terminal.clean(name)))
  end
  if not args.only then print_kinds(io, report) end
  local mark = report.harmed == 0 and terminal.paint(io, "green", "✔")
    or terminal.paint(io, "red", "✘")
  io.out(fold.hang(io, ("  %s %s, %s"):format(mark, headline(args, report),
    report.harmed == 0 and "no violation" or ("%d with a violation"):format(report.harmed)), 6)
    .. "\n")
  rehearsal.print_programs(io, report)
  if not args.only then
    io.out(fold.hang(io, ("    %d troubles, %d single ones that differ, %d merged"):format(
      report.troubles, report.traces, report.troubles - report.runs), 6) .. "\n")
  end
end

local function report_object(args, report, confined)
  local harms = {}
  for i, harm in ipairs(report.violations) do
    harms[i] = { violation = harm.what, only = core.array(harm.only),
      troubles = core.array(harm.troubles), command = command_of(args, harm) }
  end
  return { exhaustive = math.tointeger(args.exhaustive), points = report.points,
    troubles = report.troubles, runs = report.runs, merged = report.merged,
    traces = report.traces, harmed = report.harmed, processes = report.processes,
    crashes = report.crashes, requests = report.requests, effects = report.effects,
    endings = report.endings, violations = core.array(harms),
    coverage = explored.coverage(report.met), confined = confined,
    unnamed_programs = core.array(report.programs or {}),
    unused_programs = core.array(report.unused or {}) }
end

-- Says after an early end whether the same command can continue.
local function tell_kept(io, given)
  local kept = given.file and core.look(given.file)
  io.err(kept and "alicloud-dr: what is done is kept: the same command goes on\n"
    or given.file and "alicloud-dr: nothing is kept yet: the same command begins anew\n"
    or "alicloud-dr: nothing is kept; with --progress FILE the same command could go on\n")
end

--- Explores, and shows the result.
---@param args table
---@param io alicloud.cli.Io
---@param given { depth: integer, only: integer[]?, jobs: integer, file: string? }
---@param job table of the process without rights
---@param begin table handler of its frame `playbook`
---@param world table|nil world of --world
---@return integer exit_code
function M.run(args, io, given, job, begin, world)
  local spinner <close>, show = progress(io, given.file)
  local _ <close> = setmetatable({}, { __close = function(_, raised)
    if not guard.is_interrupt(raised) then return end
    spinner.clear()
    tell_kept(io, given)
  end })
  given.progress, given.key = show, given.file and key_of(args, io, job, world) or ""
  local report, confined = units.explore({ entry = "alicloud.cli.confined.exhaustive", job = job,
    io = io, time = cli_clients.runtime(io).time }, begin, given)
  spinner.clear()
  if not report then
    local code = confine.fail(io, args, confined)
    tell_kept(io, given)
    return code
  end
  local code = report.harmed == 0 and output.EXIT.done or output.EXIT.failed
  if args.json then
    return output.json(io, code, report_object(args, report, confined.confined))
  end
  print_report(io, args, report)
  return code
end

return M
