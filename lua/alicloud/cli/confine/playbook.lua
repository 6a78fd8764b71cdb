--- What commands share that look at a playbook in a process without rights: they read its text,
--- begin the job, and end the command where the job has no result.

local cli_clients = require "alicloud.cli.client"
local confine = require "alicloud.cli.confine"
local core = require "alicloud.core"
local options = require "alicloud.cli.options"
local output = require "alicloud.cli.output"
local playbook_argument = require "alicloud.cli.playbook_argument"
local runtimes = require "alicloud.base.runtime"
local shell = require "alicloud.base.shell"

local M = {}

local LARGEST = 8 * 1024 * 1024

local function refuse_size(path, size)
  options.refuse(("playbook: %s: got %s bytes; allowed: at most %d"):format(path, size, LARGEST))
end

-- Reads the file that was typed, which may be a pipe.
local function read_typed(path)
  local file <close>, message = io.open(path, "rb")
  if not file then return nil, message end
  local text
  text, message = file:read(LARGEST + 1)
  if text and #text > LARGEST then refuse_size(path, "more than " .. LARGEST) end
  if message then return nil, ("%s: %s"):format(path, message) end
  return text or ""
end

-- The modules that a playbook names go into the process without rights. A symbolic link among them
-- may lead to any file, so only Lua files below the playbook's directory are read.
local function link_fault(path, real, directory)
  local is_lua = real:find "%.lua$" ~= nil
  if is_lua and real:sub(1, #directory) == directory then return nil end
  local cure = ("; if it is meant, put a copy in its place: rm -- %s && cp -- %s %s"):format(
    shell.quote(path), shell.quote(real), shell.quote(path))
  return ("%s: leads to %s, which is no Lua file below %s%s"):format(path, real, directory,
    is_lua and cure or "")
end

local function module_reader(playbook)
  local beside = (core.real_path(playbook:match "^.*/" or ".") or ""):gsub("/?$", "/", 1)
  return function(path)
    local real, message, code = core.real_path(path)
    if not real then return nil, message, code end
    local fault = link_fault(path, real, beside)
    if fault then return nil, fault end
    local file <close>, why, class = core.open_file(real, "read")
    if not file then return nil, why, class end
    local size = file:stat().bytes
    if size > LARGEST then refuse_size(path, size) end
    return file:read(0, size)
  end
end

--- The text of a playbook and of its own modules. Nothing of it is run.
---@param path string
---@param io alicloud.cli.Io
---@return alicloud.dr.PlaybookSource
function M.read(path, io)
  local runtime = cli_clients.runtime(io)
  local is_real = runtimes.has_real_files(runtime)
  local source = playbook_argument.read(path, io, is_real and read_typed or runtime.read_file,
    is_real and module_reader(path) or nil)
  local size = #source.text
  for _, text in pairs(source.modules) do size = size + #text end
  if size > LARGEST then refuse_size(path, size) end
  return source
end

--- The fields of a job that all commands share, from the command line.
---@param args table with file, param and mode
---@param io alicloud.cli.Io
---@return table
function M.job(args, io)
  return { playbook = M.read(args.file, io), mode = args.mode,
    params = playbook_argument.read_params(args, cli_clients.runtime(io).read_file) }
end

--- The handler of the frame `playbook`, which a process sends when it has loaded its playbook. If
--- no region was typed, a parameter `region` that the playbook declares names the client's region.
---@param args table
---@param io alicloud.cli.Io
---@param params table<string, string|string[]>
---@param begin fun(frame: table, region: string): table further fields of the answer
---@return table handler
function M.begins(args, io, params, begin)
  return { answer = function(frame)
    local named = frame.declares and type(params.region) == "string" and params.region
    args.region = args.region or named or nil
    local region = options.region(args, cli_clients.runtime(io).getenv)
    local told = begin(frame, region)
    told.type, told.region = "begin", region
    return told
  end }
end

--- Ends a command whose job has no result.
---@param io alicloud.cli.Io
---@param args table
---@param confined alicloud.cli.Confined
---@return integer exit_code
function M.fail(io, args, confined)
  if confined.refused then options.refuse(confined.failure) end
  return output.complain(io, args.json, output.EXIT.failed, { kind = "state",
    code = "Client.PlaybookProcess", message = confined.failure, outcome = "not_sent" })
end

--- Runs a job and checks its result.
---@param io alicloud.cli.Io
---@param about alicloud.cli.ConfinedJob
---@param fault fun(value: table): string|nil what is wrong with the result; nil if nothing is
---@return alicloud.cli.Confined with a value that passed the check, or a failure
function M.run(io, about, fault)
  about.io, about.time = io, cli_clients.runtime(io).time
  local confined = confine.run(about)
  local message = confined.value and fault(confined.value)
  if message then
    confined.value, confined.failure = nil, confine.WRONG .. message
  end
  return confined
end

return M
