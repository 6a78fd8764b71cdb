--- The playbook that a command line names: its file, its parameters, and a world to rehearse it in.
--- All commands that take a playbook use it.

local cli_clients = require "alicloud.cli.client"
local core = require "alicloud.core"
local journals = require "alicloud.dr.journal"
local lazy = require "alicloud.base.lazy"
local options = require "alicloud.cli.options"
local orders = require "alicloud.cli.orders"
local ready = require "alicloud.playbooks"
local schema = require "alicloud.base.schema"
local sources = require "alicloud.dr.playbook.source"

---@module "alicloud.cli.group_names"
local group_names = lazy.module "alicloud.cli.group_names"
---@module "alicloud.cli.confine.data"
local data = lazy.module "alicloud.cli.confine.data"
---@module "alicloud.emulator"
local emulator = lazy.module "alicloud.emulator"
---@module "alicloud.dr.playbook"
local playbooks = lazy.module "alicloud.dr.playbook"
---@module "alicloud.dr.playbook.run_options"
local run_options = lazy.module "alicloud.dr.playbook.run_options"

local M = {}

---@param command table of argparse
function M.add_arguments(command)
  command:argument("playbook", "The playbook: a ready one by its name, or a Lua file.")
    :target "file"
  command:argument("param", "key=value, for run.params; key=@FILE takes what is in a file.")
    :args "*"
  command:option("--to", "The parameter to: zone or region that takes over."):argname "<place>"
end

---@param command table of argparse
function M.add_rehearsal(command)
  M.add_arguments(command)
  command:option("--region", "Region of the client, usually the secondary site; else "
    .. "$ALIBABA_CLOUD_REGION_ID."):argname "<region>"
  command:option("--kind", "What the run is for; else as the playbook says (unplanned).")
    :choices { "drill", "planned", "unplanned" }
end

local LARGEST = 262144

-- The value of a parameter: name=@FILE takes the text of a file; @@ begins a text with one @.
local function text_of(name, word, read_file)
  local path = word:match "^@([^@].*)$"
  if not path then return (word:gsub("^@@", "@")) end
  local text, message = read_file(path)
  if not text then
    options.refuse(("parameter %s: %s; a text that begins with @ has two of them"):format(name,
      message))
  end
  if #text > LARGEST then
    options.refuse(("parameter %s: %s has %d bytes; allowed: %d"):format(name, path, #text,
      LARGEST))
  end
  return text
end

local function value_of(name, word, read_file)
  local text = text_of(name, word, read_file)
  if utf8.len(text) then return text end
  options.refuse(("parameter %s: got bytes that are no text in UTF-8; allowed: text in UTF-8")
    :format(name))
end

-- A parameter that is typed several times becomes a list.
local function add(params, name, value)
  local before = params[name]
  if before == nil then
    params[name] = value
  elseif type(before) == "table" then
    before[#before + 1] = value
  else
    params[name] = { before, value }
  end
end

--- The parameters that were typed.
---@param args table with param, and to
---@param read_file fun(path: string): string|nil, string? reads values that are in files
---@return table<string, string|string[]>
function M.read_params(args, read_file)
  local params = { to = options.side(args) }
  for _, word in ipairs(args.param) do
    local name, value = word:match("^([%a_][%w_]*)=(.*)$")
    if not name then
      options.refuse(("parameter: got %s; allowed: key=value"):format(schema.show(word)))
    end
    if journals.is_secret_name(name) then
      options.refuse(("parameter %s: parameters are kept in the journal; give a secret through the "
        .. "environment"):format(name))
    end
    value = value_of(name, value, read_file)
    if name ~= "to" or not args.to then
      add(params, name, value)
    elseif args.to ~= value then
      options.refuse(("--to: got %s, and the parameter to=%s; allowed: one of the two"):format(
        schema.show(args.to), value))
    end
  end
  return params
end

--- Replaces names of groups that were typed by their ids, so that the journal holds ids only.
---@param params table<string, any> changed
---@param args table
---@param io alicloud.cli.Io
function M.resolve_names(params, args, io)
  group_names.resolve(params, function()
    local region = args.region or type(params.region) == "string" and params.region or nil
    return cli_clients.open(setmetatable({ region = region }, { __index = args }), io)
  end, io)
end

-- If the playbook declares a parameter `region` and no --region was typed, it names the client's.
local function take_params(playbook, params, args)
  local read, message = playbooks.read_params(playbook, params)
  if not read then options.refuse(message) end
  if playbook.params and params.region and not args.region then args.region = params.region end
  return read
end

--- Refuses a mode that the playbook does not have, and a kind that it is not for.
---@param playbook alicloud.dr.Playbook
---@param args table
function M.check_mode(playbook, args)
  local fault = run_options.mode_fault(playbook, args.mode)
    or run_options.kind_fault(playbook, args.kind)
  if fault then options.refuse("--" .. fault) end
end

--- Reads a playbook: a ready one by its name, or a file by its path. Refuses what cannot be read.
---@param path string
---@param io alicloud.cli.Io
---@param read_file fun(path: string): string|nil, string?, string?
---@param read_module? fun(path: string): string|nil, string?, string? for modules that it names
---@return alicloud.dr.PlaybookSource
function M.read(path, io, read_file, read_module)
  local source, message
  if ready.is_name(path) then
    source, message = ready.source(path, cli_clients.runtime(io).read_file)
  else
    source, message = sources.read(path, read_file, read_module)
  end
  if not source then options.refuse("playbook: " .. message) end
  return source
end

--- Whether a path is the name of a ready playbook.
---@param path string
---@return boolean
function M.is_ready(path)
  return ready.is_name(path)
end

--- The path of the playbook that was handed over with a journal.
---@param journal string
---@return string
function M.packed_name(journal)
  return journal .. ".playbook"
end

--- The playbook that was handed over with a journal.
---@param text string
---@return alicloud.dr.PlaybookSource
function M.unpack(text)
  local source, message = sources.unpack((core.decode(text, { max_bytes = #text })))
  if not source then options.refuse("playbook: " .. message) end
  return source
end

--- Makes a playbook of its text. The text is executed with the rights of this process.
---@param source alicloud.dr.PlaybookSource
---@return alicloud.dr.Playbook
function M.load(source)
  local playbook, message = playbooks.load_source(source)
  if not playbook then options.refuse("playbook: " .. message) end
  return playbook
end

--- Loads the playbook of the command line, and refuses parameters and a mode that it does not take.
--- Its code gets all rights of this process, so its file must be trusted.
---@param args table
---@param io alicloud.cli.Io
---@return alicloud.dr.Playbook
---@return table<string, string|string[]> params as they were typed
---@return table<string, any> read as the playbook gets them
function M.open(args, io)
  local read_file = orders.reader(args, io)
  local params = M.read_params(args, read_file)
  local playbook = M.load(M.read(args.file, io, read_file))
  M.resolve_names(params, args, io)
  local read = take_params(playbook, params, args)
  M.check_mode(playbook, args)
  return playbook, params, read
end

--- The world in the file of --world; nil if none was typed.
---@param args table
---@param io alicloud.cli.Io
---@return table|nil
function M.read_world(args, io)
  if not args.world then return nil end
  local text = orders.text("--world", args.world, args, io)
  local world, message = data.parse(text, args.world, io)
  message = message or emulator.world_problem(world)
  if message then options.refuse("--world: " .. message) end
  return world
end

return M
