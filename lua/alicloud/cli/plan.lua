--- `alicloud-dr plan`: what a playbook would do. Reads only; changes are refused by the transport.

local alicloud = require "alicloud"
local core = require "alicloud.core"
local duration = require "alicloud.dr.duration"
local options = require "alicloud.cli.options"
local output = require "alicloud.cli.output"
local planner = require "alicloud.dr.playbook.plan"
local rules = require "alicloud.dr.rules"
local sandbox = require "alicloud.dr.playbook.sandbox"
local script = require "alicloud.cli.script"
local session = require "alicloud.cli.session"
local terminal = require "alicloud.cli.terminal"

local M = { name = "plan", summary = "Show what a playbook would do. Reads only." }

local PER_MINUTE = 100

local EPILOG = [[
The playbook runs over a client whose transport refuses every change; a failover is replaced by its
pre-check. The playbook itself can start no program and write no file then: a step whose work lies
elsewhere says with its option `plan` what is to be used instead. Where the code needs what a change
would have answered, the plan stops and says so.

Example:
  alicloud-dr plan orders.lua --region cn-shanghai max_rpo=20m

Exit codes: 0 nothing is against it, 1 a step would be refused or the plan had to stop, 2 usage.]]

---@param command table of argparse
function M.configure(command)
  script.add_arguments(command)
  options.add_common(command, "Region of the client, usually the secondary site")
  command:option "--kind":choices { "drill", "planned", "unplanned" }
    :description "What the run is for; else as the playbook says (unplanned)."
  command:option "--mode":choices { "graceful", "ungraceful" }
    :description "ungraceful leaves out what needs the old side."
  command:option "--incident":argname "<name>":description "Shows the tokens that it gives."
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

local function flags_of(entry)
  local flags, given = {}, entry.options
  if given.point_of_no_return then flags[#flags + 1] = "point of no return" end
  if given.critical then flags[#flags + 1] = "critical" end
  if given.graceful_only then flags[#flags + 1] = "graceful only" end
  if given.timeout then flags[#flags + 1] = "timeout " .. tostring(given.timeout) end
  if given.on_error then flags[#flags + 1] = "on error " .. given.on_error end
  if given.need then flags[#flags + 1] = ("%d approvals"):format(given.need) end
  return #flags > 0 and "  (" .. table.concat(flags, ", ") .. ")" or ""
end

local function print_step(io, entry)
  local mark = MARKS[entry.effect]
  if COLORS[entry.effect] then mark = terminal.paint(io, COLORS[entry.effect], mark) end
  io.out(("  %s %s %s%s\n"):format(mark, entry.kind, terminal.clean(entry.key),
    terminal.clean(flags_of(entry))))
  for _, call in ipairs(entry.calls) do
    io.out(("      %s:%s in %s, token %s\n"):format(call.product, call.action,
      terminal.clean(call.region or "?"), call.token and terminal.clean(call.token) .. "…"
      or "drawn when it is sent"))
  end
  if entry.note then io.out(("      %s\n"):format(terminal.clean(entry.note, 1000))) end
end

local function is_clear(plan)
  if plan.stopped then return false end
  for _, entry in ipairs(plan.steps) do
    if entry.effect == "refused" or entry.effect == "unknown" then return false end
  end
  return true
end

local function print_plan(io, plan, playbook, rate)
  io.out(("  %s   %s\n"):format(terminal.clean(playbook.name), playbook.digest:sub(1, 16)))
  for _, entry in ipairs(plan.steps) do print_step(io, entry) end
  if plan.stopped then
    io.out(("  %s the plan ends here: %s\n"):format(terminal.paint(io, "yellow", "?"),
      terminal.clean(plan.stopped, 1000)))
  end
  io.out(("  %d calls that read, %d that change; at %g a minute they take at least %s, and the "
    .. "service its time\n"):format(plan.reads, plan.changes, rate,
    duration.format(planner.shortest(plan, rate))))
end

local function plan_object(plan, playbook, rate)
  local steps = {}
  for i, entry in ipairs(plan.steps) do
    local given = entry.options
    steps[i] = { step = entry.key, kind = entry.kind, effect = entry.effect, note = entry.note,
      reads = entry.reads, calls = core.array(entry.calls), critical = given.critical,
      point_of_no_return = given.point_of_no_return, graceful_only = given.graceful_only,
      need = given.need }
  end
  return { playbook = playbook.name, digest = playbook.digest, steps = core.array(steps),
    groups = core.array(plan.groups), stopped = plan.stopped, reads = plan.reads,
    changes = plan.changes, shortest = planner.shortest(plan, rate) }
end

--- Runs the command.
---@param args table
---@param io alicloud.cli.Io
---@return integer exit_code
function M.run(args, io)
  local rate = read_rate(args)
  local function observing(given)
    local own = { transport = io.transport, runtime = io.runtime }
    for name, value in pairs(given or {}) do own[name] = value end
    own.mode = "observe"
    return alicloud.client(own)
  end
  local playbook, params = script.open(args, io, sandbox.new(observing))
  local client <close> = session.open(args, io)
  local plan = planner.run(playbook, { client = client, params = params, kind = args.kind,
    mode = args.mode, incident = options.text(args, "incident", rules.INCIDENT) })
  local code = is_clear(plan) and output.EXIT.done or output.EXIT.failed
  if args.json then return output.json(io, code, plan_object(plan, playbook, rate)) end
  print_plan(io, plan, playbook, rate)
  return code
end

return M
