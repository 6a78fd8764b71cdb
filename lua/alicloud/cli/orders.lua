--- Reads files that a command obeys: playbooks, modules, keys. Each is checked for who may write it
--- before it is used; --trust-file makes an exception for a file that the user has read.

local cli_clients = require "alicloud.cli.client"
local core = require "alicloud.core"
local errors = require "alicloud.base.error"
local options = require "alicloud.cli.options"
local runtimes = require "alicloud.base.runtime"
local shell = require "alicloud.base.shell"
local terminal = require "alicloud.cli.terminal"
local trusted_files = require "alicloud.base.trusted_file"

local M = {}

--- Adds --trust-file.
---@param command table of argparse
function M.add_option(command)
  command:option("--trust-file", "Use this file though somebody else owns it or may write it, once "
    .. "you have read it: a playbook, its modules, approvers' keys."):argname "<file>":count "*"
end

local function names(list, path)
  local real = core.real_path(path)
  for _, name in ipairs(list) do
    if name == path or real and core.real_path(name) == real then return true end
  end
  return false
end

--- Returns the function that reads such files. Files that a runtime supplies itself are not
--- checked.
---@param args table of argparse
---@param io alicloud.cli.Io
---@return fun(path: string): string|nil, string?, string?
function M.reader(args, io)
  local runtime = cli_clients.runtime(io)
  if not runtimes.has_real_files(runtime) then return runtime.read_file end
  local allowed = args.trust_file
  return function(path)
    if allowed and names(allowed, path) then return runtime.read_file(path) end
    local text, message, code = trusted_files.read(path)
    if code == trusted_files.UNTRUSTED and allowed then
      message = ("%s; or use it as it is: --trust-file %s"):format(message, shell.quote(path))
    end
    return text, message, code
  end
end

local QUESTION = [[
  ? %s is not what this run was last executed with:
      then  %s
      now   %s
    It is executed with all your rights. Execute it as it is now? Type yes: ]]

--- Whether a playbook may be executed for a run that has begun: it is unchanged, or a person
--- agrees.
---@param digest string digest of the playbook now
---@param known string? digest with which the run was last executed
---@param go_on string the command that resumes the run
---@param args table of argparse, with file, accept_edit and no_ask
---@param io alicloud.cli.Io
---@return boolean|nil ok
---@return alicloud.Error? err
function M.confirm_edit(digest, known, go_on, args, io)
  if digest == known or args.accept_edit then return true end
  local name = terminal.clean(args.file or "the playbook")
  known = type(known) == "string" and terminal.clean(known, 64) or "unknown"
  if io.input_tty and not args.no_ask and not args.json then
    io.err(QUESTION:format(name, known, digest))
    if (io.read_line() or ""):match "^%s*(.-)%s*$" == "yes" then return true end
  end
  return nil, errors.new {
    kind = "state", code = "Client.PlaybookChanged", outcome = "not_sent",
    message = ("%s is not what this run was last executed with: then %s, now %s"):format(name,
      known, digest),
    hint = ("look at it, then: %s --accept-edit"):format(go_on),
  }
end

-- Whether a file lies in a directory of a team, whose members resume each other's runs.
local function is_of_team(path)
  local real = core.real_path(path)
  local place = real and trusted_files.place(real:match "^(.*)/[^/]+$")
  return place ~= nil and place.team ~= nil
end

-- Why somebody else may have written the file; nil if nobody can have.
local function foreign(path)
  local about = core.look(path)
  if not about then return nil end
  local file <close>, message, code = trusted_files.open(path)
  if not about.own and not (file and is_of_team(path)) then
    return ("%s: belongs to %s"):format(path, trusted_files.name(about.uid))
  end
  return not file and code == trusted_files.UNTRUSTED and message or nil
end

--- Warns about a journal that is only read, if somebody else may have written it.
---@param path string
---@param io alicloud.cli.Io
function M.tell_owner(path, io)
  local why = foreign(path)
  if not why then return end
  io.err(("alicloud-dr: warning: what the journal says need not be yours: %s\n"):format(
    terminal.clean(why, 1000)))
end

--- The text of such a file; refuses one that cannot be read.
---@param field string
---@param path string
---@param args table
---@param io alicloud.cli.Io
---@return string text
function M.text(field, path, args, io)
  local text, message = M.reader(args, io)(path)
  if not text then options.refuse(("%s: %s"):format(field, message)) end
  return text
end

return M
