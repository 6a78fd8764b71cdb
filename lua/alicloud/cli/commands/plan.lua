--- `alicloud-dr plan`: shows what a playbook would do. It runs in a process without rights
--- (alicloud.cli.confine). This process reads the service for it, and checks and cleans its result.

local cli_clients = require "alicloud.cli.client"
local confine = require "alicloud.cli.confine.playbook"
local core = require "alicloud.core"
local duration = require "alicloud.base.duration"
local fold = require "alicloud.cli.fold"
local formats = require "alicloud.base.formats"
local options = require "alicloud.cli.options"
local output = require "alicloud.cli.output"
local playbook_argument = require "alicloud.cli.playbook_argument"
local schema = require "alicloud.base.schema"
local services = require "alicloud.service"
local shapes = require "alicloud.cli.confine.shapes"
local sources = require "alicloud.dr.playbook.source"
local terminal = require "alicloud.cli.terminal"

---@type alicloud.cli.Command
local M = {}

local PER_MINUTE = 100

local EPILOG = [[
The playbook runs in a process of its own that has no rights: no files, no programs, no network, no
credentials. This command reads the service for it, with its own endpoint and credentials whatever
the playbook says, and sends nothing that changes. Each change is shown with its ids and its region,
and what it would have made of the world is imagined, so that the steps behind it are planned too.
A step whose work lies elsewhere says with its option `plan` what is to be used instead. Where the
code needs what nobody can imagine, the plan stops and says so. What is shown is what the playbook
does when it is planned; only reading it tells what it can do when it is run.

Before each step: · it reads, ! it changes, ✘ it would be refused, ? that cannot be told, - it is
not entered, and what it calls is not counted.

Example:
  alicloud-dr plan orders.lua --region cn-shanghai max_rpo=20m

Exit codes: 0 nothing is against it, 1 a step would be refused, the plan had to stop or its process
ended (time, memory), 2 usage, 130 interrupted.]]

function M.configure(command)
  playbook_argument.add_arguments(command)
  options.add_common(command, "Region of the client, usually the secondary site")
  command:option("--kind", "What the run is for; else as the playbook says (unplanned).")
    :choices { "drill", "planned", "unplanned" }
  command:option("--mode", "ungraceful leaves out what needs the old side.")
    :choices { "graceful", "ungraceful" }
  options.add_outage_at(command)
  command:option("--incident", "Shows the tokens that it gives."):argname "<name>"
  command:option "--rate":argname "<calls>"
    :description(("Calls a minute that the account allows (%d)."):format(PER_MINUTE))
  command:epilog(EPILOG)
end

local function read_rate(args)
  if args.rate == nil then return PER_MINUTE end
  local rate = tonumber(args.rate)
  if rate and rate > 0 and rate < math.huge then return rate end
  options.refuse(("--rate: got %q; allowed: a number of calls a minute"):format(args.rate))
end

local MARKS = { reads = "·", changes = "!", refused = "✘", unknown = "?", not_entered = "-" }
local COLORS = { changes = "yellow", refused = "red", unknown = "yellow" }

local function time_words(given)
  local seconds = duration.parse(given)
  return seconds and duration.format(seconds) or given
end

local function flags_of(entry)
  local flags, given = {}, entry.flags
  if given.point_of_no_return then flags[#flags + 1] = "point of no return" end
  if given.critical then flags[#flags + 1] = "critical" end
  if given.graceful_only then flags[#flags + 1] = "graceful only" end
  if given.timeout then flags[#flags + 1] = "timeout " .. time_words(given.timeout) end
  if given.on_error then flags[#flags + 1] = "on error " .. given.on_error end
  if given.need then flags[#flags + 1] = ("%d approvals"):format(given.need) end
  return #flags > 0 and "  (" .. table.concat(flags, ", ") .. ")" or ""
end

local function takes_token(call)
  local data = services.data(call.product)
  local operation = data and data.operations[call.action]
  return not operation or operation.token
end

-- One call in words: `ebs:StartDiskReplicaGroup pg-orders in cn-shanghai, token 53113a03…`.
local function words_of(call)
  local words = { ("%s:%s"):format(call.product, call.action) }
  table.move(call.ids, 1, #call.ids, 2, words)
  local parts = { ("%s in %s"):format(table.concat(words, " "), call.region or "?"), call.how }
  if call.token then parts[#parts + 1] = ("token %s…"):format(call.token) end
  return table.concat(parts, ", ")
end

local function draws_tokens(plan)
  for _, entry in ipairs(plan.steps) do
    for _, call in ipairs(entry.calls) do
      if not call.token and takes_token(call) then return true end
    end
  end
  return false
end

local function print_step(io, entry)
  local mark = MARKS[entry.effect]
  if COLORS[entry.effect] then mark = terminal.paint(io, COLORS[entry.effect], mark) end
  io.out(("  %s %s %s%s\n"):format(mark, entry.kind, terminal.clean(entry.key),
    terminal.clean(flags_of(entry))))
  for _, call in ipairs(entry.calls) do
    io.out("      " .. terminal.clean(words_of(call)) .. "\n")
  end
  for _, words in ipairs(entry.says) do
    io.out(fold.hang_command(io, "      " .. terminal.clean(words, 1000), 8) .. "\n")
  end
  if entry.note then
    io.out(fold.hang_command(io, "      " .. terminal.clean(entry.note, 1000), 8) .. "\n")
  end
end

local function is_clear(plan)
  if plan.stopped then return false end
  for _, entry in ipairs(plan.steps) do
    if entry.effect == "refused" or entry.failed then return false end
  end
  return true
end

-- The shortest time that the calls can take under a limit, in seconds.
local function shortest(plan, per_minute)
  return (plan.reads + plan.changes) * 60 / per_minute
end

local function count_unentered(plan)
  local total = 0
  for _, entry in ipairs(plan.steps) do
    if entry.kind == "step" and entry.effect == "not_entered" then total = total + 1 end
  end
  return total
end

local function print_blocking(io, blocking)
  if #blocking == 0 then return end
  for _, words in ipairs(blocking) do
    io.out(("  %s %s\n"):format(terminal.paint(io, "yellow", "!"), terminal.clean(words)))
  end
  io.out "    keeps the thread until it ends, and no lock in a shared store is renewed\n"
  io.out "    meanwhile; run:program does not\n"
end

local function print_plan(io, plan, rate)
  io.out(("  %s   %s\n"):format(terminal.clean(plan.playbook), plan.digest:sub(1, 16)))
  for _, entry in ipairs(plan.steps) do print_step(io, entry) end
  print_blocking(io, plan.blocking)
  if plan.stopped then
    io.out(fold.hang(io, ("  %s the plan ends here: %s"):format(terminal.paint(io, "yellow", "?"),
      terminal.clean(plan.stopped, 1000)), 4) .. "\n")
  end
  io.out(fold.hang(io, ("  %d calls that read, %d that change; at %g a minute they take at least "
    .. "%s, and the service its time"):format(plan.reads, plan.changes, rate,
    duration.format(shortest(plan, rate))), 4) .. "\n")
  if draws_tokens(plan) then
    io.out "  tokens that are not shown are drawn when they are sent; --incident tells them\n"
  end
  local unentered = count_unentered(plan)
  if unentered > 0 then
    io.out(("  not counted: what %s (-)\n"):format(unentered == 1
      and "the step calls that was not entered"
      or ("the %d steps call that were not entered"):format(unentered)))
  end
end

local function plan_object(plan, rate)
  local steps = {}
  for i, entry in ipairs(plan.steps) do
    local given = entry.flags
    steps[i] = { step = entry.key, kind = entry.kind, effect = entry.effect, note = entry.note,
      says = core.array(entry.says), reads = entry.reads, calls = core.array(entry.calls),
      critical = given.critical, point_of_no_return = given.point_of_no_return,
      graceful_only = given.graceful_only, need = given.need }
  end
  return { playbook = plan.playbook, digest = plan.digest, steps = core.array(steps),
    groups = core.array(plan.groups), stopped = plan.stopped, reads = plan.reads,
    changes = plan.changes, shortest = shortest(plan, rate),
    blocking = core.array(plan.blocking), confined = plan.confined }
end

local text, count, flag = shapes.text, shapes.count, shapes.flag
local CALL = shapes.object { product = text(64), action = text(128), ["region?"] = text(64),
  ["host?"] = text(300), ["token?"] = text(64), ids = shapes.list(text(64), 20),
  ["how?"] = text(64) }
local FLAGS = shapes.object { ["point_of_no_return?"] = flag, ["critical?"] = flag,
  ["graceful_only?"] = flag, ["need?"] = count, ["timeout?"] = text(300),
  ["on_error?"] = text(600) }
local STEP = shapes.object { key = text(3000), kind = schema.choice("step", "gate", "verify"),
  effect = schema.choice("reads", "changes", "refused", "unknown", "not_entered"), reads = count,
  says = shapes.list(text(12000), 100), calls = shapes.list(CALL, 20000), flags = FLAGS,
  ["note?"] = text(12000), ["failed?"] = flag }
local PLAN = { steps = shapes.list(STEP, 10000), changes = count, ["stopped?"] = text(12000),
  groups = shapes.list(shapes.object { id = text(64), region = text(64) }, 10000) }

local function fault(value)
  return shapes.fault("a plan", value, PLAN)
end

-- Variables that the process without rights needs in order to name the host of a call.
local NAMES = { "ALIBABA_CLOUD_ENDPOINT", "ALIBABA_CLOUD_ENDPOINT_TYPE",
  "ALIBABA_CLOUD_ENDPOINT_EBS", "ALIBABA_CLOUD_ENDPOINT_ECS", "ALIBABA_CLOUD_ENDPOINT_STS",
  "ALIBABA_CLOUD_REGION_ID" }

local function job_of(args, io)
  local job, getenv = confine.job(args, io), cli_clients.runtime(io).getenv
  playbook_argument.resolve_names(job.params, args, io)
  job.kind, job.incident = args.kind, options.text(args, "incident", formats.INCIDENT)
  job.outage_at = options.outage_at(args)
  job.region, job.endpoint, job.network = args.region, options.endpoint(args), args.network
  job.environment = {}
  for _, name in ipairs(NAMES) do job.environment[name] = getenv(name) end
  return job
end

-- Makes the client only when the playbook is loaded, since it may name the region.
local function reader_of(args, io)
  local reader, own = {}, nil
  function reader.client()
    own = own or cli_clients.open(args, io)
    reader.observing = reader.observing or own:with { mode = "observe" }
    return reader.observing
  end
  return setmetatable(reader, { __close = function()
    if reader.observing then reader.observing:close() end
    if own then own:close() end
  end })
end

function M.run(args, io)
  local rate, job, name = read_rate(args), job_of(args, io), nil
  local reader <close> = reader_of(args, io)
  local begins = confine.begins(args, io, job.params, function(frame)
    name = frame.name
    reader.client()
    return {}
  end)
  local confined = confine.run(io, { entry = "alicloud.cli.confined.plan", job = job,
    client = reader.client, handlers = { playbook = begins } }, fault)
  local plan = confined.value
  if not plan then return confine.fail(io, args, confined) end
  plan.playbook, plan.digest = name or "", job.playbook.digest
  plan.reads, plan.confined = confined.calls, confined.confined
  plan.blocking = sources.blocking(job.playbook)
  local code = is_clear(plan) and output.EXIT.done or output.EXIT.failed
  if args.json then return output.json(io, code, plan_object(plan, rate)) end
  print_plan(io, plan, rate)
  return code
end

return M
