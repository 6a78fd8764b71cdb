--- The command `alicloud-dr`: reads the command line, runs one command, turns its end into an exit
--- code. The launcher that `make` and `make install` write calls `main`.

require "alicloud.base.lua_version"
local commands = require "alicloud.cli.commands"
local core = require "alicloud.core"
local errors = require "alicloud.base.error"
local guard = require "alicloud.base.guard"
local help = require "alicloud.cli.help"
local lazy = require "alicloud.base.lazy"
local options = require "alicloud.cli.options"
local output = require "alicloud.cli.output"
local terminal = require "alicloud.cli.terminal"

---@module "alicloud.cli.fold"
local fold = lazy.module "alicloud.cli.fold"
---@module "alicloud.cli.client"
local cli_clients = lazy.module "alicloud.cli.client"

local M = {}

local DESCRIPTION = [[
Disaster recovery for Alibaba Cloud block storage: checks replication pair-consistent groups, fails
them over to their secondary site and watches until every disk is open.]]

local EPILOG = [[
Try it without a cloud account:
  alicloud-dr emulator --port 8080 &
  export ALIBABA_CLOUD_ENDPOINT=http://127.0.0.1:8080
  export ALIBABA_CLOUD_ACCESS_KEY_ID=emulator
  export ALIBABA_CLOUD_ACCESS_KEY_SECRET=emulator-secret
  alicloud-dr status --region cn-shanghai
  alicloud-dr failover pg-orders --region cn-shanghai
  alicloud-dr manual first-steps

Environment:
  ALIBABA_CLOUD_ACCESS_KEY_ID, ALIBABA_CLOUD_ACCESS_KEY_SECRET   credentials
  ALIBABA_CLOUD_SECURITY_TOKEN                         for temporary credentials
  ALIBABA_CLOUD_PROFILE                                profile, if no key is set
  ALIBABA_CLOUD_REGION_ID                              default of --region
  ALIBABA_CLOUD_ENDPOINT_EBS, ALIBABA_CLOUD_ENDPOINT   default of --endpoint
  ALIBABA_CLOUD_ENDPOINT_TYPE                          default of --network
  https_proxy, http_proxy, all_proxy, no_proxy         proxy; hosts without it
  NO_COLOR                                             no colours

Exit codes:
  0 done   1 refused or failed   2 usage   3 outcome unknown, look before acting
  4 done or begun, but the journal could not be written to its end
  130 interrupted, 143 by SIGTERM, 129 by a lost terminal
  (readiness: 0 ok   1 warn   2 fail   3 could not tell)]]

-- argparse's own help flag prints and exits; this one lets the caller decide.
local function add_help(command, state)
  command:add_help(false)
  command:flag "-h --help"
    :description "Show this help."
    :action(function() state.help = state.help or command end)
end

local function help_of(command, io)
  return fold.fold(command:get_help(), math.max(60, io.columns))
end

-- The word that argparse takes for the command: the options before it take no values.
local function typed_command(argv)
  for i, word in ipairs(argv) do
    if word == "--" then return argv[i + 1] end
    if word == "-" or word:sub(1, 1) ~= "-" then return word end
  end
end

local function build_parser(state, typed)
  local argparse = require "argparse"
  local parser = argparse("alicloud-dr"):description(DESCRIPTION):epilog(EPILOG)
    :require_command(false):command_target "command":help_max_width(100)
  add_help(parser, state)
  parser:flag "--version":description "Print the version.":target "show_version"
  options.add_json(parser)
  for _, entry in ipairs(commands.LIST) do
    local command = parser:command(entry.name, entry.summary)
    command:summary(entry.summary:match("^(.-%.)%s") or entry.summary)
    if entry.name == typed then
      help.watch(command)
      add_help(command, state)
      commands.load(typed).configure(command)
      help.arrange(command)
    end
  end
  return parser
end

local function asks_for_json(argv)
  for _, word in ipairs(argv) do
    if word == "--json" then return true end
    if word == "--" then return false end
  end
  return false
end

local function usage_error(io, json, message)
  return output.complain(io, json, output.EXIT.usage, {
    kind = "usage", code = "Client.Usage", message = message, outcome = "not_sent",
  })
end

-- An error that no layer has named: a defect. It must still end in one line and an exit code, and
-- nobody knows what was sent before.
local function crash(io, json, raised)
  return output.complain(io, json, output.EXIT.unknown, {
    kind = "internal", code = "Client.Internal", outcome = "unknown",
    message = "internal error: " .. tostring(raised),
  })
end

local function interrupted(io, json)
  return output.complain(io, json, output.interrupted(io), {
    kind = "cancelled", code = "Client.Interrupted", message = terminal.interruption(io),
  })
end

local function run_command(name, args, io, json)
  local ok, result = pcall(commands.load(name).run, args, io)
  if args.client then cli_clients.finish(args, io) end
  if ok then return result end
  if guard.is_interrupt(result) then return interrupted(io, json) end
  -- What the library could not do before the command's own work has begun.
  if errors.is_error(result) then return output.fail(io, { json = json }, result) end
  if options.is_refusal(result) then return usage_error(io, json, tostring(result)) end
  return crash(io, json, result)
end

--- Runs one command line.
---@param argv string[]
---@param io alicloud.cli.Io
---@return integer exit_code
function M.run(argv, io)
  -- Asked by programs too, which wait for it; it needs no parser.
  if #argv == 1 and argv[1] == "--version" then return run_command("version", {}, io) end
  local state, json = {}, asks_for_json(argv)
  local parser = build_parser(state, typed_command(argv))
  local ok, args = parser:pparse(argv)
  if state.help then
    io.out(help_of(state.help, io) .. "\n")
    return output.EXIT.done
  end
  if not ok then
    local command = commands.is_known(argv[1]) and argv[1] .. " " or ""
    return usage_error(io, json, ("%s (see alicloud-dr %s--help)"):format(
      args:gsub("\nDid", "; did"), command))
  end
  -- Before the command's name it means the same as behind it.
  args.json = json or nil
  args.typed_words = argv
  if args.show_version then return run_command("version", args, io, json) end
  if not args.command and json then
    return usage_error(io, json, "a command is missing (see alicloud-dr --help)")
  end
  if not args.command then
    io.err(help_of(parser, io) .. "\n")
    return output.EXIT.usage
  end
  return run_command(args.command, args, io, json)
end

--- Runs the command line of this process on its own terminal.
---@param argv string[]
---@return integer exit_code
function M.main(argv)
  -- A reader that goes away must not end a failover in the middle.
  core.ignore_sigpipe()
  -- Whoever ends it, it says what it has left behind.
  core.answer_signals()
  -- What holds keys is neither to be found in a core nor in the environment of a process.
  core.forbid_dumps()
  core.seal_environment { "ALIBABA_CLOUD_ACCESS_KEY_SECRET", "ALIBABA_CLOUD_SECURITY_TOKEN",
    "SSLKEYLOGFILE" }
  local io = terminal.io()
  local code, fault = M.run(argv, io), io.fault()
  if not fault then return code end
  io.err(("alicloud-dr: some of the output could not be written: %s\n"):format(
    terminal.clean(fault)))
  -- Lost output makes a success doubtful, but nothing milder of what went wrong.
  return code == output.EXIT.done and output.EXIT.failed or code
end

return M
