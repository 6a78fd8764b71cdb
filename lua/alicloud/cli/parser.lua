--- Makes the argparse parser of the command line, from the list of commands and what each declares.

local commands = require "alicloud.cli.commands"
local help = require "alicloud.cli.help"
local lazy = require "alicloud.base.lazy"
local options = require "alicloud.cli.options"
local schema = require "alicloud.base.schema"

---@module "alicloud.cli.fold"
local fold = lazy.module "alicloud.cli.fold"

local M = {}

M.DESCRIPTION = [[
Disaster recovery for Alibaba Cloud block storage: checks replication pair-consistent groups, fails
them over to their secondary site and watches until every disk is open.]]

M.EPILOG = [[
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
  ALICLOUD_DR_STORE, ALICLOUD_DR_JOURNALS              where runs live
  https_proxy, http_proxy, all_proxy, no_proxy         proxy; hosts without it
  SSL_CERT_FILE, SSL_CERT_DIR                          trusted roots
  OTEL_EXPORTER_OTLP_ENDPOINT                          where traces go
  NO_COLOR                                             no colours

Exit codes:
  0 done   1 refused or failed   2 usage   3 outcome unknown, look before acting
  4 done or begun, but the journal could not be written to its end
  130 interrupted, 143 by SIGTERM, 129 by a lost terminal
  (readiness: 0 ok   1 warn   2 fail   3 could not tell)]]

-- argparse's own help flag would print and exit; this one leaves that to the caller.
local function add_help(command, state)
  command:add_help(false)
  command:flag "-h --help"
    :description "Show this help."
    :action(function() state.help = state.help or command end)
end

-- The list of commands shows the first sentence only.
local function first_sentence(summary)
  return summary:match("^(.-%.)%s") or summary
end

--- Makes the parser. Only the commands that are needed are loaded and get arguments and options.
---@param state { help: table? } `help` becomes the command whose help was asked for
---@param is_needed fun(name: string): boolean
---@return table parser of argparse
---@return table<string, table> commands of argparse that were needed, by name
function M.build(state, is_needed)
  local argparse = require "argparse"
  local parser = argparse("alicloud-dr"):description(M.DESCRIPTION):epilog(M.EPILOG)
    :require_command(false):command_target "command":help_max_width(100)
  add_help(parser, state)
  parser:flag "--version":description "Print the version.":target "show_version"
  options.add_json(parser)
  local needed = {}
  for _, entry in ipairs(commands.LIST) do
    local command = parser:command(entry.name, entry.summary)
    command:summary(first_sentence(entry.summary))
    if is_needed(entry.name) then
      help.watch(command)
      add_help(command, state)
      commands.load(entry.name).configure(command)
      help.arrange(command)
      needed[entry.name] = command
    end
  end
  return parser, needed
end

-- The word that argparse refuses: the last one of the shortest beginning with the same complaint.
local function refused_word(parser, argv, message)
  for count = 1, #argv do
    local ok, why = parser:pparse(table.move(argv, 1, count, 1, {}))
    if not ok and why == message then return argv[count] end
  end
end

--- A complaint of argparse, with the value that was given and what is allowed.
---@param parser table of argparse
---@param argv string[]
---@param message string argparse's complaint
---@return string
function M.complaint(parser, argv, message)
  local kind, name, choices = message:match "(%l+) '([^']+)' must be one of (.+)$"
  if not kind and message ~= "too many arguments" then return (message:gsub("\nDid", "; did")) end
  local word = refused_word(parser, argv, message)
  if not kind then return ("%s: got %s"):format(message, schema.show(word)) end
  local value = kind == "option" and word:match("^" .. name:gsub("%p", "%%%0") .. "=(.*)$") or word
  return ("%s: got %s; allowed: %s"):format(name, schema.show(value), (choices:gsub("'", "")))
end

-- On narrower terminals some lines would hold a single word of a description.
local NARROWEST = 60

--- The help of the program, or of a command, for a terminal.
---@param command table of argparse
---@param io alicloud.cli.Io
---@return string
function M.help_text(command, io)
  return fold.fold(command:get_help(), math.max(NARROWEST, io.columns)) .. "\n"
end

return M
