--- What the commands have in common that look at a playbook in a process without rights: its text,
--- how its job is begun, and how a job ends that has no result.

local confine = require "alicloud.cli.confine"
local options = require "alicloud.cli.options"
local output = require "alicloud.cli.output"
local script = require "alicloud.cli.script"
local session = require "alicloud.cli.session"

local M = {}

local LARGEST = 8 * 1024 * 1024

--- The text of a playbook, with the modules of its own: to look at it, it need not be trusted.
---@param path string
---@param io alicloud.cli.Io
---@return alicloud.dr.PlaybookSource
function M.read(path, io)
  local source = script.read(path, io, session.runtime(io).read_file)
  local size = #source.text
  for _, text in pairs(source.modules) do size = size + #text end
  if size > LARGEST then
    options.refuse(("playbook: %s: got %d bytes; allowed: at most %d"):format(path, size, LARGEST))
  end
  return source
end

--- The job of the command line, without what only one command has.
---@param args table with file, param and mode
---@param io alicloud.cli.Io
---@return table
function M.job(args, io)
  return { playbook = M.read(args.file, io), params = script.read_params(args.param),
    mode = args.mode }
end

--- What a process is told once it has loaded its playbook. A parameter that the playbook declares
--- as `region` is the client's region too, if no other is named.
---@param args table
---@param io alicloud.cli.Io
---@param params table<string, string>
---@param begin fun(frame: table, region: string): table what else it is told
---@return table handler
function M.begins(args, io, params, begin)
  return { answer = function(frame)
    if frame.declares and params.region and not args.region then args.region = params.region end
    local region = options.region(args, session.runtime(io).getenv)
    local told = begin(frame, region)
    told.type, told.region = "begin", region
    return told
  end }
end

--- Ends the command of a job that has no result.
---@param io alicloud.cli.Io
---@param args table
---@param confined alicloud.cli.Confined
---@return integer exit_code
function M.fail(io, args, confined)
  if confined.refused then options.refuse(confined.failure) end
  return output.complain(io, args.json, output.EXIT.failed, { kind = "state",
    code = "Client.PlaybookProcess", message = confined.failure, outcome = "not_sent" })
end

--- Does a job, and gives its result if that has the fields that it must have.
---@param io alicloud.cli.Io
---@param about alicloud.cli.ConfinedJob
---@param fault fun(value: table): string|nil why not
---@return alicloud.cli.Confined
function M.run(io, about, fault)
  about.io, about.time = io, session.runtime(io).time
  local confined = confine.run(about)
  local message = confined.value and fault(confined.value)
  if message then
    confined.value, confined.failure = nil, confine.WRONG .. message
  end
  return confined
end

return M
