--- `alicloud-dr explore`: rehearses a playbook under random troubles. No request leaves the
--- machine.

local cli_clients = require "alicloud.cli.client"
local confine = require "alicloud.cli.confine.playbook"
local core = require "alicloud.core"
local explored = require "alicloud.cli.explored"
local fold = require "alicloud.cli.fold"
local generate = require "alicloud.simulation.generate"
local invariants = require "alicloud.simulation.invariants"
local lazy = require "alicloud.base.lazy"
local options = require "alicloud.cli.options"
local orders = require "alicloud.cli.orders"
local output = require "alicloud.cli.output"
local playbook_argument = require "alicloud.cli.playbook_argument"
local rehearsal = require "alicloud.cli.rehearsal"
local seeds_dealt = require "alicloud.cli.confine.seeds"
local shell = require "alicloud.base.shell"
local terminal = require "alicloud.cli.terminal"

---@module "alicloud.conformance.assume"
local assumed = lazy.module "alicloud.conformance.assume"
---@module "alicloud.cli.draft_world"
local draft_world = lazy.module "alicloud.cli.draft_world"
---@module "alicloud.cli.exhaustive"
local exhaustive = lazy.module "alicloud.cli.exhaustive"

---@type alicloud.cli.Command
local M = {}

local SEEDS, MOST_SEEDS = 1000, 100000000
local SHOWN_EVERY = 100

local EPILOG = [[
The playbook runs unmodified against the emulator, on a virtual clock and a simulated disk: answers
are lost before or after the work, the service throttles, breaks and lies, regions go dark, others
interfere, the machine stops at writes of the journal and somebody resumes. After each run the
ledger of what really happened is held against what was said. A seed stands for one world with its
troubles; the same seed is the same run on every machine.

The groups and machines are found by running the playbook undisturbed once; --draft-world writes
what is found to a file. It runs in processes without rights, as with `plan`, one for each core;
gates pass. What is drawn is listed with a violation, shrunk to the troubles that it needs, and with
the command that repeats it.

No program is started: each ends well at once, or as --program says, by the parameter that holds it,
its step or its file. --program verify=1,0 fails once, and --program stop=0@120 takes two minutes.

--faults takes kinds (answers, reads, regions, hostile, operators, crashes, disk, clock, outages,
stops, controllers, blips, compute, neighbours, places, programs, typos, elsewhere) and names of
hostile options of the emulator (stale_read, group_ahead, …).

--exhaustive 1 takes no seeds: it lets every single trouble come at every point of the undisturbed
run, and 2 every pair, the second one at the points that the first one leads to. What cannot differ
is run once. With --progress FILE it goes on where the same command was ended.

Examples:
  alicloud-dr explore orders.lua --region cn-shanghai --seeds 10000
  alicloud-dr explore orders.lua --region cn-shanghai --seed 4711 --only 1,3
  alicloud-dr explore orders.lua --region cn-shanghai --exhaustive 1

Exit codes: 0 no violation, 1 a violation or the end of a process (time, memory), 2 usage or a
playbook that fails without any trouble, 3 no run of several came to its end, so nothing is proved,
130 interrupted.]]

function M.configure(command)
  playbook_argument.add_rehearsal(command)
  command:option "--seeds":argname "<number>":description(("How many seeds (%d)."):format(SEEDS))
  command:option("--seed", "The first seed (1), or the only one."):argname "<number>"
  command:option("--only", "Only these troubles, as a violation names them.")
    :argname "<numbers>"
  command:option("--faults", "Only these kinds, separated by commas."):argname "<kinds>"
  command:option("--world", "The world (Lua table or .json, as for the emulator) instead of what "
    .. "is found."):argname "<file>"
  command:option("--draft-world", "Write the world that is found to this new .json file, and stop.")
    :argname "<file>"
  command:option("--program", "How a program ends: exit codes in turn, CODE@SECONDS if it takes "
    .. "time."):count("*"):argname "<name=codes>"
  command:option("--assume-from", "Let the emulator assume what `conformance` has seen: its file.")
    :argname "<file>"
  command:option("--exhaustive", "Every single trouble (1), or every pair (2), instead of seeds.")
    :choices { "1", "2" }
    :argname "<depth>"
  command:option("--progress", "Keeps what --exhaustive has done, to go on with it.")
    :argname "<file>"
  command:option("--jobs", "How many processes share the seeds (one for each core).")
    :argname "<number>"
  command:flag("--wire", "Sign and parse every request as on the wire; slower.")
  options.add_json(command)
  command:epilog(EPILOG)
end

local function whole_number(args, name, default, least, most)
  local value = args[name]
  if value == nil then return default end
  local number = math.tointeger(tonumber(value))
  if number and number >= least and number <= most then return number end
  options.refuse(("--%s: got %q; allowed: a whole number from %d to %d"):format(name, value, least,
    most))
end

local function read_kinds(text)
  if not text then return nil end
  local known, kinds, names = {}, {}, {}
  for _, list in ipairs { generate.KINDS, generate.HOSTILE_NAMES } do
    for _, name in ipairs(list) do known[name], names[#names + 1] = true, name end
  end
  for word in (text .. ","):gmatch "([^,]*)," do
    if not known[word] then
      options.refuse(("--faults: got %q; allowed: %s"):format(word, table.concat(names, ", ")))
    end
    kinds[word] = true
  end
  return kinds
end

local function read_only(args)
  if not args.only then return nil end
  local list = {}
  for word in (args.only .. ","):gmatch "([^,]*)," do
    local number = math.tointeger(tonumber(word))
    if not number or number < 1 then
      options.refuse(("--only: got %q; allowed: numbers from 1, separated by commas"):format(
        args.only))
    end
    list[#list + 1] = number
  end
  if not args.seed and not args.exhaustive then options.refuse "--only: needs --seed" end
  return list
end

-- The command that repeats one violation.
local function command_of(args, harm)
  local typed = rehearsal.words(args)
  typed[#typed + 1] = ("--seed %d"):format(harm.seed)
  typed[#typed + 1] = #harm.only == 0 and "--seeds 1"
    or "--only " .. table.concat(harm.only, ",")
  return shell.command("explore", { args.file, table.unpack(args.param) }, typed)
end

local function print_harm(io, args, harm)
  explored.print_harm(io, ("seed %d: %s"):format(harm.seed, harm.what), harm.troubles)
  io.out(("    again:  %s\n"):format(command_of(args, harm)))
end

local function sorted_endings(report)
  local list = {}
  for name, times in pairs(report.endings) do list[#list + 1] = { name = name, times = times } end
  table.sort(list, function(a, b)
    if a.times ~= b.times then return a.times > b.times end
    return a.name < b.name
  end)
  return list
end

-- Names with a number by letter and number; those without one are about the end and come last.
local function sorted_invariants()
  local names = {}
  for name in pairs(invariants.INVARIANTS) do names[#names + 1] = name end
  table.sort(names, function(a, b)
    local an, bn = tonumber(a:match "%d+"), tonumber(b:match "%d+")
    if not an or not bn then return an ~= nil end
    if a:sub(1, 1) ~= b:sub(1, 1) then return a:sub(1, 1) > b:sub(1, 1) end
    return an < bn
  end)
  return names
end

-- Why the exploration proves nothing: no run came to its end, so what lies behind the place where
-- all stopped was never run. With --world the world may be the reason. A single seed may stop
-- because of its troubles, so nothing is said then.
local function why_nothing_told(args, report)
  if report.seeds == 1 then return nil end
  -- The ending of a run is a word in small letters, the code of a failure is not.
  for name in pairs(report.endings) do
    if name:find "^%l" then return nil end
  end
  return "no run came to its end, so this proves nothing: "
    .. (args.world and "does the playbook fit this world?" or "take more seeds")
end

local function print_report(io, args, report, untold)
  for _, harm in ipairs(report.violations) do print_harm(io, args, harm) end
  for _, ending in ipairs(sorted_endings(report)) do
    io.out(("  %8d  %s\n"):format(ending.times, terminal.clean(ending.name)))
  end
  local mark = terminal.mark(io, report.harmed > 0 and "fail" or untold and "unknown" or "ok")
  io.out(("  %s %d seeds, %d processes, %d crashes, %d requests, %d effects\n"):format(mark,
    report.seeds, report.processes, report.crashes, report.requests, report.effects))
  local words = ("    invariants %s: %s"):format(table.concat(sorted_invariants(), " "),
    report.harmed == 0 and "no violation" or ("%d seeds with a violation"):format(report.harmed))
  io.out(fold.hang(io, words, 6) .. "\n")
  if untold then io.out(fold.hang(io, "    " .. untold, 6) .. "\n") end
  explored.print_coverage(io, report.met)
  rehearsal.print_programs(io, report)
end

local function report_object(args, report, confined, untold)
  local harms = {}
  for i, harm in ipairs(report.violations) do
    harms[i] = { seed = harm.seed, violation = harm.what, only = core.array(harm.only),
      troubles = core.array(harm.troubles), command = command_of(args, harm) }
  end
  return { seeds = report.seeds, processes = report.processes, crashes = report.crashes,
    requests = report.requests, effects = report.effects, endings = report.endings,
    invariants = invariants.INVARIANTS, violations = core.array(harms),
    coverage = explored.coverage(report.met), confined = confined,
    error = untold and { kind = "state", code = "Client.NothingTold", message = untold } or nil,
    unnamed_programs = core.array(report.programs or {}),
    unused_programs = core.array(report.unused or {}) }
end

local function progress(io, seeds)
  local spinner = terminal.spinner(io)
  return spinner, function(report)
    if report.seeds % SHOWN_EVERY == 0 then
      spinner.show("  explore  ", ("%d/%d seeds, %d crashes, %d violations"):format(report.seeds,
        seeds, report.crashes, report.harmed))
    end
  end
end

local MOST_JOBS = 64

local function read_seeds(args)
  local only = read_only(args)
  local seeds = whole_number(args, "seeds", only and 1 or SEEDS, 1, MOST_SEEDS)
  return { only = only, seeds = only and 1 or seeds,
    first = whole_number(args, "seed", 1, 0, math.maxinteger - MOST_SEEDS),
    jobs = whole_number(args, "jobs", core.process().processors, 1, MOST_JOBS) }
end

-- Adds to the job what a run of `conformance` has seen.
local function add_seen(job, args, io)
  if not args.assume_from then return end
  local text = orders.text("--assume-from", args.assume_from, args, io)
  local seen, problem = assumed.read(text)
  if not seen then options.refuse("--assume-from: " .. problem) end
  job.assume, job.messages, job.timings = seen.assume, seen.messages, seen.timings
end

local function read_exhaustive(args)
  if args.progress and not args.exhaustive then options.refuse "--progress: needs --exhaustive" end
  if not args.exhaustive then return nil end
  for _, name in ipairs { "seeds", "seed" } do
    if args[name] then options.refuse(("--%s: not with --exhaustive"):format(name)) end
  end
  local only = read_only(args)
  if only and #only > 2 then
    options.refuse(("--only: got %q; allowed with --exhaustive: one number or two"):format(
      args.only))
  end
  return { depth = whole_number(args, "exhaustive", 1, 1, 2), only = only, file = args.progress,
    jobs = whole_number(args, "jobs", core.process().processors, 1, MOST_JOBS) }
end

local function begins(args, io, params)
  local world = playbook_argument.read_world(args, io)
  local begin = confine.begins(args, io, params, function()
    return { kind = args.kind, world = world }
  end)
  return begin, world
end

local function job_of(args, io)
  local kinds, programs = read_kinds(args.faults), rehearsal.read_programs(args)
  local job = confine.job(args, io)
  job.kinds, job.programs, job.wire = kinds, programs, args.wire
  add_seen(job, args, io)
  return job
end

local function explore_seeds(args, io)
  local given, job = read_seeds(args), job_of(args, io)
  job.only = given.only
  local spinner <close>, show = progress(io, given.seeds)
  given.progress = show
  local report, confined = seeds_dealt.explore({ entry = "alicloud.cli.confined.explore", job = job,
    io = io, time = cli_clients.runtime(io).time }, (begins(args, io, job.params)), given)
  spinner.clear()
  if not report then return confine.fail(io, args, confined) end
  local untold = why_nothing_told(args, report)
  local code = report.harmed > 0 and output.EXIT.failed or untold and output.EXIT.unknown
    or output.EXIT.done
  if args.json then
    return output.json(io, code, report_object(args, report, confined.confined, untold))
  end
  print_report(io, args, report, untold)
  return code
end

function M.run(args, io)
  if args.draft_world then draft_world.check(args) end
  local all = read_exhaustive(args)
  if not all and not args.draft_world then return explore_seeds(args, io) end
  local job = job_of(args, io)
  local begin, world = begins(args, io, job.params)
  if args.draft_world then return draft_world.run(args, io, job, begin) end
  return exhaustive.run(args, io, all, job, begin, world)
end

return M
