--- The command `alicloud-dr`: reads the command line, runs one command and returns its exit code.
--- The launcher that `make` and `make install` write calls `main`.

require "alicloud.base.lua_version"
local commands = require "alicloud.cli.commands"
local core = require "alicloud.core"
local errors = require "alicloud.base.error"
local guard = require "alicloud.base.guard"
local lazy = require "alicloud.base.lazy"
local options = require "alicloud.cli.options"
local output = require "alicloud.cli.output"
local terminal = require "alicloud.cli.terminal"

---@module "alicloud.cli.parser"
local parsers = lazy.module "alicloud.cli.parser"
---@module "alicloud.cli.client"
local cli_clients = lazy.module "alicloud.cli.client"
---@module "alicloud.cli.events"
local event_feeds = lazy.module "alicloud.cli.events"
---@module "alicloud.cli.options.replay"
local replays = lazy.module "alicloud.cli.options.replay"

local M = {}

-- The word that argparse takes for the command: options before it take no values.
local function typed_command(argv)
  for i, word in ipairs(argv) do
    if word == "--" then return argv[i + 1] end
    if word == "-" or word:sub(1, 1) ~= "-" then return word end
  end
end

local function asks_for_json(argv)
  for _, word in ipairs(argv) do
    if word == "--json" then return true end
    if word == "--" then return false end
  end
  return false
end

-- Suggests commands that begin with the typed word; argparse itself suggests only near spellings.
local function whole_word(message)
  local word, found = message:match "^unknown command '([^']+)'$", {}
  for _, entry in ipairs(word and commands.LIST or {}) do
    if entry.name:sub(1, #word) == word then found[#found + 1] = "'" .. entry.name .. "'" end
  end
  return #found > 0 and "; did you mean " .. table.concat(found, " or ") .. "?" or ""
end

local function usage_error(io, json, message)
  return output.complain(io, json, output.EXIT.usage, {
    kind = "usage", code = "Client.Usage", message = message, outcome = "not_sent",
  })
end

-- An error that no layer has named is a defect. It still ends in one line and an exit code; the
-- outcome is unknown, since requests may have been sent before it.
local function crash(io, json, raised)
  return output.complain(io, json, output.EXIT.unknown, {
    kind = "internal", code = "Client.Internal", outcome = "unknown",
    message = "internal error: " .. errors.words_of(raised),
  })
end

local function interrupted(io, json)
  return output.complain(io, json, output.interrupted(io), {
    kind = "cancelled", code = "Client.Interrupted", message = terminal.interruption(io),
  })
end

local function run_command(name, args, io, json)
  local ok, result = pcall(commands.load(name).run, args, io)
  local is_open = args.client or io.tracing or io.recorder
  if is_open then cli_clients.finish(args, io, ok and result or nil) end
  if ok then return result end
  if guard.is_interrupt(result) then return interrupted(io, json) end
  -- The library failed before the command's own work began.
  if errors.is_error(result) then return output.fail(io, { json = json }, result) end
  if options.is_refusal(result) then return usage_error(io, json, tostring(result)) end
  return crash(io, json, result)
end

-- Runs a command that writes events; the event `end` is written however the command ends.
local function run_told(name, args, io, json)
  local ok, events = pcall(event_feeds.open, args, io)
  if not ok and options.is_refusal(events) then return usage_error(io, json, tostring(events)) end
  if not ok then error(events, 0) end
  io = setmetatable({ events = events }, { __index = event_feeds.surroundings(args, io) })
  local code = run_command(name, args, io, json)
  events:close(code)
  return code
end

local function run_typed(name, args, io, json)
  local run = (args.events or args.on_event) and run_told or run_command
  return run(name, args, io, json)
end

-- Runs a command over a recording; its events, too, go by the recording's clock.
local function run_replayed(name, args, io, json)
  local ok, played = pcall(replays.begin, args, io)
  if not ok and options.is_refusal(played) then return usage_error(io, json, tostring(played)) end
  if not ok then error(played, 0) end
  local code = run_typed(name, args, played, json)
  replays.finish(args, played)
  return code
end

--- Runs one command line.
---@param argv string[]
---@param io alicloud.cli.Io
---@return integer exit_code
function M.run(argv, io)
  -- Programs ask for the version and for words, too, and wait; neither needs the parser.
  if #argv == 1 and argv[1] == "--version" then return run_command("version", {}, io) end
  if argv[1] == "completion" and argv[2] == "--words" then
    return commands.load("completion").print_words(argv, io)
  end
  local state, json = {}, asks_for_json(argv)
  local typed = typed_command(argv)
  local parser = parsers.build(state, function(name) return name == typed end)
  local ok, args = parser:pparse(argv)
  if state.help then
    io.out(parsers.help_text(state.help, io))
    return output.EXIT.done
  end
  if not ok then
    local command = commands.is_known(argv[1]) and argv[1] .. " " or ""
    return usage_error(io, json, ("%s%s (see `alicloud-dr %s--help`)"):format(
      parsers.complaint(parser, argv, args), whole_word(args), command))
  end
  -- --json means the same before the command's name and behind it.
  args.json = json or nil
  args.typed_words = argv
  if args.show_version then return run_command("version", args, io, json) end
  if not args.command and json then
    return usage_error(io, json, "a command is missing (see `alicloud-dr --help`)")
  end
  if not args.command then
    io.err(parsers.help_text(parser, io))
    return output.EXIT.usage
  end
  return (args.replay and run_replayed or run_typed)(args.command, args, io, json)
end

-- Sources that may be interrupted at any point: they compute for long and leave nothing half done.
local OPEN = { "emulator/", "simulation/" }

local function answer_signals()
  local root, open = debug.getinfo(1, "S").source:match "^(.*)cli/main%.lua$", {}
  for i, place in ipairs(OPEN) do open[i] = root .. place end
  core.answer_signals(root, open)
end

--- Runs the command line of this process on its own terminal.
---@param argv string[]
---@return integer exit_code
function M.main(argv)
  -- The interpreter starts in generational mode, which takes a third more CPU time when many groups
  -- are under way. A cycle begins when memory has grown by half (the default: doubled) and works
  -- twice as fast: a fleet then takes a quarter less.
  collectgarbage("incremental", 150, 200)
  -- A reader of the output that goes away must not end a failover half-way.
  core.ignore_sigpipe()
  -- However the process is ended, it first says what it leaves behind.
  answer_signals()
  -- Keys must not be found in a core dump, nor in this process's environment (/proc/PID/environ).
  core.forbid_dumps()
  core.seal_environment { "ALIBABA_CLOUD_ACCESS_KEY_SECRET", "ALIBABA_CLOUD_SECURITY_TOKEN",
    "SSLKEYLOGFILE" }
  local io = terminal.io()
  local ok, code = pcall(M.run, argv, io)
  -- The rest must run to its end.
  core.shield_interrupt(true)
  if not ok and not guard.is_interrupt(code) then error(code, 0) end
  if not ok then code = interrupted(io, asks_for_json(argv)) end
  local fault = io.fault()
  if not fault then return code end
  io.err(("alicloud-dr: some of the output could not be written: %s\n"):format(
    terminal.clean(fault)))
  -- Lost output turns a success into a failure; any other exit code stays.
  return code == output.EXIT.done and output.EXIT.failed or code
end

return M
