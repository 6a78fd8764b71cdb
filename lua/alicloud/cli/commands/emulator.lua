--- `alicloud-dr emulator`: serves the model over HTTP until it is stopped.

local core = require "alicloud.core"
local demo = require "alicloud.emulator.demo"
local emulator = require "alicloud.emulator"
local guard = require "alicloud.base.guard"
local lazy = require "alicloud.base.lazy"
local output = require "alicloud.cli.output"
local server = require "alicloud.emulator.server"
local switches = require "alicloud.emulator.switches"
local tables = require "alicloud.base.tables"
local terminal = require "alicloud.cli.terminal"
local view_emulator = require "alicloud.cli.view_emulator"

---@module "alicloud.conformance.assume"
local assumed = lazy.module "alicloud.conformance.assume"
---@module "alicloud.cli.confine.data"
local data = lazy.module "alicloud.cli.confine.data"
---@module "alicloud.cli.orders"
local orders = lazy.module "alicloud.cli.orders"
---@module "alicloud.cli.emulator_load"
local emulator_load = lazy.module "alicloud.cli.emulator_load"
---@module "alicloud.emulator.scenarios"
local scenarios = lazy.module "alicloud.emulator.scenarios"
---@module "alicloud.conformance.world"
local recorded_worlds = lazy.module "alicloud.conformance.world"

---@type alicloud.cli.Command
local M = {}

-- SLICE: seconds within which Ctrl-C and the end of standard input are noticed.
local SLICE = 0.2
local DEFAULTS = { port = "0", host = "127.0.0.1", speed = "60", seed = "1" }

local EPILOG = [[
Examples:
  alicloud-dr emulator --port 8080
  alicloud-dr emulator --port 8080 --speed 1 \
    --world my-world.lua --faults my-faults.lua
  alicloud-dr emulator --port 8080 --assume token_lifetime=60 \
    --hostile stale_read=5
  alicloud-dr emulator --load my-day.jsonl --assume throttle=minute

Exit codes: 0 done (--until-eof, --list-assumptions, --load), 1 the port cannot be taken, 2 usage,
130 interrupted, which is how it usually ends.]]

function M.configure(command)
  command:description("Runs an emulator of the EBS disk replication API on this machine. "
    .. "It verifies signatures, moves states on its own clock and keeps a ledger of effects. "
    .. "It is not the service: see --list-assumptions.")
  command:option("--port", "Port to listen on; 0, or without it: a free one."):argname "<port>"
  command:option("--host", "IPv4 address to listen on (127.0.0.1); others than loopback are your "
    .. "risk."):argname "<address>"
  command:option("--world", "File with the world (Lua table or .json); default: a demo.")
    :argname "<file>"
  command:option("--world-from", "Make the world of what this recording has seen, moved to now.")
    :argname "<recording>"
  command:option("--faults", "File with a list of fault rules (Lua table or .json).")
    :argname "<file>"
  command:option("--scenario", "A disaster to rehearse: one of --list-scenarios, or a file (.lua "
    .. "or .json) made like one."):argname "<scenario>"
  command:option("--load", "Replay the calls of this file (JSON lines, or a recording) against the "
    .. "quotas, and stop."):argname "<file>"
  command:flag("--list-scenarios", "Print the scenarios, and stop.")
  command:flag("--region-ports", "One more port for each region, so that a region can be down.")
  command:flag("--any-key", 'Accept every AccessKeyId; the secret of "x" is "x-secret", and each '
    .. "has a world of its own.")
  command:option("--ecs-role", "Be an instance's metadata service too, with this RAM role.")
    :argname "<role>"
  command:option("--step", "Model seconds that each Describe takes; then time moves no other way.")
    :argname "<seconds>"
  command:option("--speed", "Model seconds per second (60); 1 is real time, 0 moves only when told "
    .. "through /_emulator/clock."):argname "<factor>"
  command:option("--skew", "Seconds that this machine's clock is behind the model's; negative: "
    .. "ahead."):argname "<seconds>"
  command:option("--seed", "Seed of RequestIds and other made-up values (1).")
    :argname "<number>"
  command:option("--assume", "Switch an assumption, see --list-assumptions."):count("*")
    :argname "<assumption=value>"
  command:option("--assume-from", "Assume what `conformance` has seen of a service: its file.")
    :argname "<file>"
  command:option("--hostile", "Switch a hostile behaviour, see alicloud-dr manual emulator.")
    :count("*"):argname "<behaviour[=value]>"
  command:flag("--until-eof", "Stop when standard input ends.")
  command:flag("--list-assumptions", "Print what is assumed about the service and what the public "
    .. "shows of it, and stop.")
  command:flag("--json", "Print one JSON line instead of text, errors too.")
  command:epilog(EPILOG)
end

local function read_number(args, name, integer)
  local value = tonumber(args[name])
  if integer then value = math.tointeger(value) end
  if value and value >= 0 and value < math.huge then return value end
  return nil, ("--%s: must be a %s of at least 0, got %q"):format(
    name, integer and "whole number" or "number", args[name])
end

local function read_file(path, io)
  local text, problem = orders.reader({}, io)(path)
  if not text then return nil, problem end
  return data.parse(text, path, io)
end

local function read_switches(list, kind)
  local all = {}
  for _, text in ipairs(list or {}) do
    local changes, problem = switches.parse(text, kind)
    if not changes then return nil, ("--%s: %s"):format(kind == "assumed" and "assume" or kind,
      problem) end
    for name, value in pairs(changes) do all[name] = value end
  end
  return all
end

local function read_clock(args, options)
  local speed, problem = read_number(args, "speed", false)
  if not speed then return problem end
  options.clock = speed == 0 and "manual" or speed == 1 and "real" or "scaled"
  if args.step then
    options.step, problem = read_number(args, "step", false)
    if not options.step then return problem end
    options.clock = "poll"
  end
  local stands = options.clock == "manual" or options.clock == "poll"
  options.now = stands and core.time() or nil
  options.speed = options.clock == "scaled" and speed or nil
  return nil
end

local function read_skew(args, options)
  if args.skew then
    options.skew = tonumber(args.skew)
    if not options.skew then return ("--skew: must be a number, got %q"):format(args.skew) end
  end
  if options.skew and options.now then options.now = options.now + options.skew end
  return nil
end

local function read_scenario(args, options, io)
  local name = args.scenario
  if not name then return nil end
  local scenario, problem
  if name:find("[/.]") then
    scenario, problem = read_file(name, io)
    problem = problem or scenarios.problem(scenario)
  else
    scenario, problem = scenarios.load(name)
    if problem then return "--" .. problem end
  end
  if problem then return "--scenario: " .. problem end
  for field, value in pairs(scenarios.options(scenario)) do options[field] = value end
  return nil
end

-- Applies what a run of `conformance` has seen; typed options override it.
local function read_seen(args, options, io)
  if not args.assume_from then return nil end
  local text, problem = orders.reader({}, io)(args.assume_from)
  local seen
  if text then seen, problem = assumed.read(text) end
  if not seen then return ("--assume-from: %s: %s"):format(args.assume_from, problem) end
  options.assume, options.messages = tables.merged(options.assume or {}, seen.assume), seen.messages
  options.world = assumed.in_world(options.world or demo, seen.timings)
  return nil
end

-- Makes the world from a recording, and prints what the recording did not tell and was made up.
local function read_recording(args, options, io)
  if not args.world_from then return nil end
  if args.world then return "--world-from: cannot be given together with --world" end
  local world, notes = recorded_worlds.open(args.world_from, { now = options.now or core.time() })
  if not world then return "--world-from: " .. notes.message end
  options.world = world
  for _, text in ipairs(notes) do
    io.err("alicloud-dr emulator: " .. terminal.clean(text, 400) .. "\n")
  end
end

local function merge(into, changes)
  for name, value in pairs(changes) do into[name] = value end
  return into
end

--- Reads the command line into options of `emulator.new`; typed options override the scenario's.
local function read_options(args, io)
  local options = { any_key = args.any_key or nil, ecs_role = args.ecs_role }
  local problem = read_clock(args, options) or read_scenario(args, options, io)
    or read_skew(args, options)
  if problem then return nil, problem end
  options.seed, problem = read_number(args, "seed", true)
  if not options.seed then return nil, problem end
  for _, name in ipairs { "world", "faults" } do
    if args[name] then
      options[name], problem = read_file(args[name], io)
      if not options[name] then return nil, ("--%s: %s"):format(name, problem) end
    end
  end
  problem = read_recording(args, options, io)
  if problem then return nil, problem end
  problem = read_seen(args, options, io)
  if problem then return nil, problem end
  for name, kind in pairs { assume = "assumed", hostile = "hostile" } do
    local changes
    changes, problem = read_switches(args[name], kind)
    if not changes then return nil, problem end
    options[name] = merge(merge({}, options[name] or {}), changes)
  end
  return options
end

local function make_emulator(args, io)
  local options, problem = read_options(args, io)
  if not options then return nil, problem end
  local ok, emu = pcall(emulator.new, options)
  if ok then return emu end
  return nil, (tostring(emu):gsub("^.-: ", "", 1))
end

-- Bytes and pieces of the input that are passed over between two slices of serving.
local PIECE, PIECES = 4096, 256

local function input_ended()
  for _ = 1, PIECES do
    if not core.poll(0, "r", 0) then return false end
    if core.take(0, PIECE) == nil then return true end
  end
  return false
end

local function serve(listening, args)
  repeat listening:step(SLICE) until args.until_eof and input_ended()
end

local function is_address(host)
  local numbers = { host:match("^(%d+)%.(%d+)%.(%d+)%.(%d+)$") }
  for _, number in ipairs(numbers) do
    if tonumber(number) > 255 then return false end
  end
  return #numbers == 4 or host == "localhost"
end

local function read_address(args)
  local port, problem = read_number(args, "port", true)
  if not port then return nil, problem end
  if port > 65535 then return nil, "--port: must be at most 65535, got " .. args.port end
  if not is_address(args.host) then
    return nil, ("--host: must be an IPv4 address or localhost, got %q"):format(args.host)
  end
  return { host = args.host, port = port, region_ports = args.region_ports or nil }
end

local function fail(io, args, exit_code, code, problem)
  local kind = exit_code == output.EXIT.usage and "usage" or "state"
  return output.complain(io, args.json, exit_code, {
    kind = kind, code = code, message = problem, outcome = "not_sent",
  }, "alicloud-dr emulator")
end

local function replay_load(args, io)
  local options, problem = read_options(args, io)
  local text, code
  if options then text, problem = orders.reader({}, io)(args.load) end
  if text then
    code, problem = emulator_load.run(args, io, text, options)
    if problem then problem = ("%s: %s"):format(terminal.clean(args.load, 300), problem) end
  end
  if code then return code end
  return fail(io, args, output.EXIT.usage, "Client.Usage", "--load: " .. problem)
end

function M.run(args, io)
  local unused = args.load and emulator_load.unused(args)
  if unused then
    return fail(io, args, output.EXIT.usage, "Client.Usage",
      ("--load: cannot be given together with %s"):format(unused))
  end
  for name, value in pairs(DEFAULTS) do args[name] = args[name] or value end
  if args.load then return replay_load(args, io) end
  if args.list_assumptions then return view_emulator.assumptions(args, io) end
  if args.list_scenarios then return view_emulator.scenarios(args, io) end
  local emu, listening
  local address, problem = read_address(args)
  if address then emu, problem = make_emulator(args, io) end
  if not emu then
    return fail(io, args, output.EXIT.usage, "Client.Usage", problem)
  end
  listening, problem = server.start(emu, address)
  if not listening then
    return fail(io, args, output.EXIT.failed, "Client.EmulatorNotStarted", problem)
  end
  view_emulator.begun(emu, listening, args, io)
  local ok, stopped = pcall(serve, listening, args)
  listening:close()
  if ok then return output.EXIT.done end
  if guard.is_interrupt(stopped) then return output.interrupted(io) end
  error(stopped, 0)
end

return M
